//! A builder that Silidock makes, by a stand-in for BuildKit's image: it takes a build for two platforms, and goes by undo.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)] // a test's way to fail

mod common;

use std::{fs, path::PathBuf};

use common::{
    Ran, User,
    buildkit::{BUILDER, Buildkit},
    images::stub,
    lab::{Lab, engines},
    list,
    registry::Registry,
    text,
};

const DOCKERFILE: &str = "FROM scratch\nARG TARGETARCH\nCOPY stub-${TARGETARCH} /app\nCMD [\"/app\"]\n";

#[test]
fn a_builder_is_made_used_and_removed() {
    let what = "a builder that is made";
    let Some(lab) = engines(what).into_iter().find(|lab| lab.name == "v28-overlay2") else {
        eprintln!("SKIPPED, because v28-overlay2 is not here: {what}");
        return;
    };
    let user = User::new();
    let asked = user.with_client(&lab);
    made_and_used(&lab, &asked, &["--platform", &lab.native, "--platform", &lab.foreign]);
    let containers = lab.docker(&["ps", "--all", "--format", "{{.Names}}"]);
    let volumes = lab.docker(&["volume", "ls", "--format", "{{.Name}}"]);
    let left = format!("{containers}\n{volumes}");
    assert!(
        !left.contains("buildx_buildkit_silidock"),
        "an undo removes the builder with its container and its cache: {left}"
    );
}

/// A builder with an image of one's own registry: made, takes the build, which is pushed, and is removed by undo.
fn made_and_used(lab: &Lab, asked: &dyn Fn(&[&str]) -> Ran, both: &[&str]) {
    let Some(registry) = Registry::start("a builder that is made", false) else { return };
    let buildkit = Buildkit::build(lab);
    let create = ["builders", "--create", "--image", buildkit.image.as_str(), "--json"];
    let shown = asked(&[&create[..], both].concat()).document("builders");
    assert!(shown["preview"]["commands"].to_string().contains(&format!("image={}", buildkit.image)), "{shown}");
    assert!(text(&shown["proposal"], "summary").contains(&buildkit.image), "{shown}");
    let made = asked(&[&create[..], &["--apply", "--yes"], both].concat());
    let done = made.document("change");
    assert_eq!((made.status, text(&done, "verified")), (0, "verified"), "{made:?}");

    let listed = asked(&[&["builders", "--json"], both].concat());
    let taken = listed.document("builders");
    let names: Vec<&str> = list(&taken, "platforms").iter().map(|on| text(on, "builder")).collect();
    assert_eq!((listed.status, names), (0, vec!["silidock", "silidock"]), "{taken}");

    // The engine has no link, so the registry has to be where the builder is.
    let pid = lab.docker(&["inspect", "--format", "{{.State.Pid}}", BUILDER]);
    let registry = registry.also_in(&PathBuf::from(format!("/proc/{pid}/ns/net")));
    let folder = tempfile::TempDir::new().unwrap();
    fs::write(folder.path().join("Dockerfile"), DOCKERFILE).unwrap();
    for arch in [&lab.native, &lab.foreign].map(|platform| Lab::arch(platform)) {
        fs::write(folder.path().join(format!("stub-{arch}")), stub(arch)).unwrap();
    }
    let reference = format!("{}/made/app:1", registry.host);
    let context = folder.path().to_str().unwrap();
    let build = ["rebuild", &reference, "--context", context, "--push", "--apply", "--yes", "--json"];
    let pushed = asked(&[&build[..], both].concat());
    assert_eq!(pushed.status, 0, "{pushed:?}");
    let document = pushed.document("rebuild");
    let built = &list(&document, "builds")[0]["pushed"];
    assert_eq!((pushed.status, list(built, "platforms").len(), text(built, "kind")), (0, 2, "index"), "{pushed:?}");

    let undone = asked(&["undo", text(&done, "receipt"), "--apply", "--yes"]);
    assert!(undone.status == 0 && undone.out.contains("its cache are removed"), "{undone:?}");
    let left = asked(&["builders", "--json"]).document("builders");
    assert!(list(&left, "builders").iter().all(|builder| builder["name"] != "silidock"), "{left}");
}
