//! A fix as a script does to files what applying it does, byte for byte, and does nothing to a file that has changed since.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use silidock_diagnosis::fix::{Fix, Safety, Step, YamlEdit};
use silidock_remedy::script::{Reach, script};
use silidock_remedy::{Subject, *};
use tempfile::TempDir;

fn fix(steps: Vec<Step>) -> Fix {
    Fix {
        option: 1,
        title: "Change\na file".into(),
        summary: String::new(),
        safety: Safety::Review,
        steps,
        promise: None,
        runtime: None,
    }
}

fn written(fix: &Fix) -> String {
    script(&[(fix, &preview(fix))], Reach { endpoint: "unix:///run/docker.sock", context: None, tls: false })
}

fn run(script: &str) -> (bool, String) {
    let output = Command::new("/bin/sh").args(["-c", script]).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What the script makes of a file, against what applying makes of it; then on a file that has changed since.
fn same_as_applied(what: &str, before: &[u8], steps: impl Fn(&str) -> Vec<Step>) -> bool {
    let folder = TempDir::new().unwrap();
    let path = folder.path().canonicalize().unwrap().join("it's a file.yaml");
    let name = path.display().to_string();
    fs::write(&path, before).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let fix = fix(steps(&name));
    if preview(&fix).diffs.is_empty() {
        return false;
    }
    let script = written(&fix);
    let journal = Journal::new(&folder.path().join("data"));
    let now = "2026-11-21T03:00:00Z".parse().unwrap();
    apply(&fix, &preview(&fix), &Subject { finding: None }, &journal, now).unwrap();
    let applied = fs::read(&path).unwrap();
    assert_ne!(applied, before, "{what}");

    fs::write(&path, before).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    let (done, told) = run(&script);
    assert!(done, "{what}: {told}\n{script}");
    let seen = fs::read(&path).unwrap();
    assert_eq!(String::from_utf8_lossy(&seen), String::from_utf8_lossy(&applied), "{what}:\n{script}");
    let about = fs::metadata(&path).unwrap();
    assert_eq!((about.ino(), about.mode() & 0o777), (inode, 0o640), "{what}: still the same file");
    let back = script.lines().find_map(|line| line.strip_prefix("#   ").filter(|line| line.starts_with("cp -p")));
    assert!(run(back.unwrap()).0);
    assert_eq!(fs::read(&path).unwrap(), before, "{what}: the way back");

    let changed = [before, b"# more\n"].concat();
    fs::write(&path, &changed).unwrap();
    let (done, told) = run(&script);
    assert!(!done && told.contains("is not as it was"), "{what}: {told}");
    assert_eq!(fs::read(&path).unwrap(), changed, "{what}: a changed file is left alone");
    true
}

#[test]
fn every_file_of_the_corpus_becomes_what_applying_makes_of_it() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose");
    let mut done = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let file = entry.unwrap().path();
        let before = fs::read(&file).unwrap();
        let parsed = yaml_serde::from_slice::<yaml_serde::Value>(&before).unwrap_or_default();
        let services = parsed.get("services").and_then(|s| s.as_mapping()).cloned().unwrap_or_default();
        for service in services.keys().filter_map(|key| key.as_str()) {
            let platform = || "linux/riscv64".parse().unwrap();
            let service = || service.to_owned();
            let edits = [
                YamlEdit::SetPlatform { service: service(), platform: platform() },
                YamlEdit::ChangePlatform { service: service(), platform: platform() },
                YamlEdit::RemovePlatform { service: service() },
            ];
            for edit in edits {
                let what = format!("{} {edit:?}", file.display());
                let steps = |path: &str| vec![Step::EditYaml { path: path.to_owned(), edit: edit.clone() }];
                done += usize::from(same_as_applied(&what, &before, steps));
            }
        }
    }
    assert!(done > 70, "{done}");
}

#[test]
fn lines_and_their_endings_become_what_applying_makes_of_them() {
    type Edit = fn(String) -> Step;
    let change: Edit = |path| Step::EditLine {
        path,
        line: 2,
        expected: "  -b\\n%s'".into(),
        replacement: Some("\t$(b) `c` \\".into()),
    };
    let remove: Edit = |path| Step::EditLine { path, line: 2, expected: "  -b\\n%s'".into(), replacement: None };
    let insert: Edit = |path| Step::InsertLine { path, before: 1, expected: "a".into(), text: "# new".into() };
    let append: Edit = |path| Step::AppendLine { path, text: "last".into() };
    let convert: Edit = |path| Step::ConvertLineEndings { path };
    let texts = [
        "a\n  -b\\n%s'\nc\n",
        "a\r\n  -b\\n%s'\r\nc",
        "a\n  -b\\n%s'",
        "a\r\n  -b\\n%s'\r\n",
        "a\n  -b\\n%s'\r\n\r\n\nz",
    ];
    let mut done = 0;
    for text in texts {
        for (name, edit) in
            [("change", change), ("remove", remove), ("insert", insert), ("append", append), ("convert", convert)]
        {
            let what = format!("{name} of {text:?}");
            done += usize::from(same_as_applied(&what, text.as_bytes(), |path| vec![edit(path.to_owned())]));
        }
    }
    assert!(done > 18, "{done}");
}

#[test]
fn a_name_of_a_build_argument_is_never_run() {
    let step =
        Step::BuildImage { image: "app:1".into(), service: None, platforms: vec!["linux/arm64".parse().unwrap()] };
    let fix = fix(vec![step]);
    let rows = [
        ("WHO", true),
        ("_a1", true),
        ("x:-$(touch /tmp/x)", false),
        ("foo}\"; touch /tmp/x; \"", false),
        ("my-arg", false),
    ];
    for (name, named) in rows {
        let argv = ["docker", "buildx", "build", "--progress", "rawjson", "--build-arg", name, "--", "/src"];
        let commands = vec![argv.map(str::to_owned).to_vec()];
        let shown = Preview { commands, ..Preview::default() };
        let reach = Reach { endpoint: "unix:///run/docker.sock", context: Some("orbstack"), tls: false };
        let script = script(&[(&fix, &shown)], reach);
        assert_eq!(script.contains(&format!("${{{name}?")), named, "{script}");
        assert_eq!(script.contains("silidock rebuild app:1 --platform linux/arm64 --apply"), !named, "{script}");
        assert!(
            !script.contains("touch") && !script.contains("rawjson") && script.contains("unset DOCKER_HOST"),
            "{script}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_yet_is_made_once() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().canonicalize().unwrap().join("new.yml");
    let platform = "linux/amd64".parse().unwrap();
    let edit = YamlEdit::OverridePlatform { service: "web".into(), platform };
    let script = written(&fix(vec![Step::EditYaml { path: path.display().to_string(), edit }]));
    assert!(run(&script).0, "{script}");
    let made = fs::read_to_string(&path).unwrap();
    assert!(made.contains("web") && made.contains("platform: linux/amd64"), "{made}");
    assert!(!run(&script).0, "it is there now");
    assert_eq!(fs::read_to_string(&path).unwrap(), made);
}

#[test]
fn the_way_back_of_a_service_says_the_platform_from_before_and_what_was_kept() {
    let of =
        || silidock_diagnosis::fix::OldContainer { id: "0123".into(), name: "s-web-1".into(), image: "web:1".into() };
    let (platform, before) = ("linux/amd64".parse().unwrap(), "linux/arm64".parse().unwrap());
    let service =
        Step::RecreateService { of: of(), project: "s".into(), service: "web".into(), platform: Some(platform) };
    let fix = fix(vec![Step::CopyVolumes { of: of() }, service]);
    let up = ["docker", "compose", "--profile", "*", "up", "--force-recreate", "web"].map(str::to_owned);
    let run = ["env".to_owned(), "DOCKER_DEFAULT_PLATFORM=linux/amd64".to_owned()].into_iter().chain(up).collect();
    let shown = Preview { commands: vec![run], platform_before: Some(before), ..Preview::default() };
    let reach = Reach { endpoint: "unix:///run/docker.sock", context: None, tls: false };
    let script = script(&[(&fix, &shown)], reach);
    let typed = "docker compose --profile '*' up --force-recreate web";
    for line in [
        format!("DOCKER_DEFAULT_PLATFORM=linux/amd64 {typed}"),
        "#   docker tag silidock-kept/s-web-1:by-hand-0123 web:1".to_owned(),
        format!("#   DOCKER_DEFAULT_PLATFORM=linux/arm64 {typed}"),
        "#   docker image rm silidock-kept/s-web-1:by-hand-0123".to_owned(),
    ] {
        assert!(script.lines().any(|written| written == line), "{line}\n{script}");
    }
    assert!(script.contains("-v COPY:/copy:ro") && script.contains("docker volume rm s-web-1-copy-1"), "{script}");
}

#[test]
fn what_needs_more_than_an_address_is_left_out_before_anything_is_done() {
    let of = silidock_diagnosis::fix::OldContainer { id: "0123".into(), name: "web".into(), image: "web:1".into() };
    let fix = fix(vec![Step::RecreateContainer { of, platform: None }]);
    let shown = Preview::default();
    for (endpoint, tls, left_out) in [
        ("unix:///run/docker.sock", false, false),
        ("tcp://10.0.0.1:2375", false, false),
        ("https://10.0.0.1:2376", true, true),
        ("ssh://me@there", false, true),
    ] {
        let script = script(&[(&fix, &shown)], Reach { endpoint, context: None, tls });
        assert_eq!(script.contains("Left out"), left_out, "{script}");
        assert_eq!(script.lines().any(|line| line.starts_with("docker")), !left_out, "{script}");
    }
}
