//! Compose projects by the program as it is installed, with the lab's real Compose: files that are judged before anything
//! of them is pulled, and services that are pinned together or not at all.

#![allow(clippy::unwrap_used)] // a test's way to fail

mod common;

use std::{collections::BTreeSet, fs, path::PathBuf};

use common::{
    Ran, User, finding, fired,
    lab::{Lab, engines},
    list, one, ran, text,
};
use serde_json::Value;

const SHOP: &str = "# team\r\nservices:\r\n  web:\r\n    image: \"acme/web:1\"   # keep\r\n  db: {image: acme/db:2}\r\n  api:\r\n    build:\r\n      context: .\r\n      platforms: [linux/amd64]\r\n";

struct Folder {
    user: User,
    engine: Lab,
}

impl Folder {
    /// One engine is enough: what is tested is Compose and files.
    fn new(what: &str) -> Option<Self> {
        let engine = engines(what).into_iter().find(Lab::ours)?;
        Some(Self { user: User::new(), engine })
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.user.tmp().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The program, with the lab's Docker client to be found.
    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.user.command(arguments);
        command.env("PATH", self.engine.client_folder()).env("DOCKER_CONFIG", self.engine.docker_config());
        ran(command)
    }

    fn judged(&self, path: &str) -> (Ran, Value) {
        let said = self.run(&["scan", "--engine", &self.engine.endpoint, "--compose", path, "--json"]);
        let scan = said.document("scan");
        (said, scan)
    }
}

#[test]
fn services_are_pinned_together_and_taken_back_byte_for_byte() {
    let Some(folder) = Folder::new("pins of several services") else { return };
    let file = folder.write("shop/compose.yaml", SHOP);
    let path = file.to_str().unwrap();
    let shown = folder.run(&["pin", path, "web,db", "linux/s390x"]);
    assert!(shown.status == 0 && shown.out.contains("Pin web and db to linux/s390x"), "{shown:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), SHOP, "a preview changes nothing");

    let done = folder.run(&["pin", path, "web,db", "linux/s390x", "--apply", "--yes", "--json"]);
    let change = done.document("change");
    assert_eq!((done.status, text(&change, "verified")), (0, "verified"), "{change}");
    assert!(text(&change, "words").contains("docker compose config takes it"), "{change}");
    let pinned = SHOP
        .replace("# keep\r\n", "# keep\r\n    platform: linux/s390x\r\n")
        .replace("{image: acme/db:2}", "{image: acme/db:2, platform: linux/s390x}");
    assert_eq!(fs::read_to_string(&file).unwrap(), pinned);

    let changed = folder.run(&["pin", path, "db", "linux/arm64", "--apply", "--yes"]);
    assert_eq!(changed.status, 0, "{changed:?}");
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        pinned.replace("2, platform: linux/s390x", "2, platform: linux/arm64")
    );
    let free = folder.run(&["unpin", path, "db,web", "--apply", "--yes"]);
    assert_eq!((free.status, fs::read_to_string(&file).unwrap().as_str()), (0, SHOP), "{free:?}");

    let receipt = text(&change, "receipt");
    let stale = folder.run(&["undo", receipt, "--apply", "--yes"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), SHOP, "it was as before already: {stale:?}");
    let nobody = folder.run(&["pin", path, "web,nobody", "linux/arm64", "--apply", "--yes"]);
    assert!(nobody.status == 2 && nobody.err.contains("no service nobody"), "{nobody:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), SHOP, "all of them or none");
}

#[test]
fn what_compose_would_not_take_is_not_written() {
    let Some(folder) = Folder::new("pins that Compose refuses") else { return };
    let file = folder.write("shop/compose.yaml", SHOP);
    let path = file.to_str().unwrap();
    for arguments in [
        &["pin", path, "api", "linux/arm64", "--apply", "--yes"][..],
        &["pin", path, "web,api", "linux/arm64", "--apply", "--yes"],
        &["pin", path, "api", "linux/arm64", "--override", "--apply", "--yes"],
    ] {
        let refused = folder.run(arguments);
        assert!(refused.status == 2 && refused.err.contains("MUST include service.platform"), "{refused:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), SHOP);
        assert!(!file.with_file_name("compose.override.yaml").exists());
    }
    let fits = folder.run(&["pin", path, "api", "linux/amd64", "--override", "--apply", "--yes"]);
    assert!(fits.status == 0 && fits.out.contains("docker compose config takes it"), "{fits:?}");

    // Its own counts more than what a merge brings.
    let merged = "x-c: &c\n  platform: linux/amd64\nservices:\n  a:\n    <<: *c\n    image: a\n";
    let file = folder.write("merged/compose.yaml", merged);
    let own = folder.run(&["pin", file.to_str().unwrap(), "a", "linux/arm64", "--apply", "--yes"]);
    assert!(own.status == 0 && own.out.contains("docker compose config takes it"), "{own:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{merged}    platform: linux/arm64\n"));

    // A project that Compose does not take already is edited all the same, and that is said.
    let broken =
        folder.write("broken/compose.yaml", "services:\n  a: {image: a}\n  b: {image: b, depends_on: [nobody]}\n");
    let shown = folder.run(&["pin", broken.to_str().unwrap(), "a", "linux/amd64"]);
    assert!(shown.status == 0 && shown.out.contains("does not take the project as it is"), "{shown:?}");
}

#[test]
fn what_counts_in_the_end_is_looked_at_and_named() {
    let Some(folder) = Folder::new("pins that another file wins over") else { return };
    let file = folder.write("over/compose.yaml", "services:\n  web:\n    image: a\n");
    let over = folder.write("over/compose.override.yaml", "services:\n  web:\n    # mine\n    platform: linux/amd64\n");
    let (path, above) = (file.to_str().unwrap(), over.to_str().unwrap());
    let shown = folder.run(&["pin", path, "web", "linux/arm64"]);
    let winner = format!("{above}:4 says so");
    assert!(shown.status == 0 && shown.out.contains(&winner), "the preview warns: {shown:?}");
    let done = folder.run(&["pin", path, "web", "linux/arm64", "--apply", "--yes", "--json"]);
    let change = done.document("change");
    assert_eq!((done.status, text(&change, "verified")), (1, "stillPresent"), "{change}");
    assert!(text(&change, "words").contains(&winner), "{change}");
    assert!(text(&change, "words").contains(&format!("silidock pin {above} web linux/arm64")), "{change}");
    let known = folder.run(&["unpin", above, "web", "--apply", "--yes"]);
    assert!(known.status == 1 && known.out.contains(&format!("{path}:4 says so")), "the base still pins it: {known:?}");

    // An override is nothing without the file that it is of.
    let base = folder.write("back/docker-compose.yml", "services:\n  web:\n    image: a\n");
    let pinned = folder.run(&["pin", base.to_str().unwrap(), "web", "linux/arm64", "--override", "--apply", "--yes"]);
    assert_eq!(pinned.status, 0, "{pinned:?}");
    let over = folder.user.file("back/docker-compose.override.yml");
    let over = if std::path::Path::new(&over).exists() { over } else { folder.user.file("back/compose.override.yml") };
    let free = folder.run(&["unpin", &over, "web", "--apply", "--yes"]);
    assert!(free.status == 0 && free.out.contains("docker compose config takes it"), "{free:?}");
}

#[test]
fn a_project_is_judged_before_anything_of_it_is_pulled() {
    let Some(folder) = Folder::new("a Compose file that was never started") else { return };
    let foreign = &folder.engine.foreign;
    let here = format!("silidock-lab/bb:{}", Lab::arch(foreign));
    folder.write("new/.env", &format!("DOCKER_DEFAULT_PLATFORM={foreign}\nTAG=9\n"));
    folder.write(
        "new/compose.yaml",
        &format!(
            "services:\n  here: {{image: \"{here}\", platform: {foreign}}}\n  never: {{image: \"acme/never:${{TAG}}\"}}\n  \
             made: {{build: .}}\n  typo: {{image: acme/typo, platform: linux/amd46}}\n  maybe: {{image: x, platform: \
             \"${{NOWHERE}}\"}}\n"
        ),
    );
    let before = folder.engine.inventory();
    let (said, scan) = folder.judged(&folder.user.file("new"));
    assert_eq!(said.status, 1, "a pin that is no platform is broken");
    let project = one(list(&scan, "compose"), "name", "new");
    assert_eq!(project["compared"]["kind"], "agrees", "{project}");
    let service = |name: &str| one(list(project, "services"), "name", name);
    let would = |name: &str| (text(&service(name)["would"], "kind"), text(&service(name)["would"], "why"));
    assert_eq!(would("here").0, "emulated", "{:?}", would("here"));
    assert!(
        would("never").0 == "unknown" && would("never").1.contains("no registry was asked"),
        "{:?}",
        would("never")
    );
    assert_eq!(text(service("never"), "image"), "acme/never:9");
    assert_eq!(would("made").0, "emulated", "the variable asks for it: {:?}", would("made"));
    assert_eq!(would("typo").0, "willNotRun");
    assert!(would("maybe").1.contains("NOWHERE has no value here"), "{:?}", would("maybe"));
    let own: BTreeSet<String> =
        fired(&scan).into_iter().filter(|(_, of)| of.starts_with("new/")).map(|(c, _)| c).collect();
    assert_eq!(own, BTreeSet::from(["pin-unknown-platform".to_owned()]));
    let default = finding(&scan, "default-platform-env", "DOCKER_DEFAULT_PLATFORM");
    assert!(text(&default["subject"], "path").ends_with("new/.env") && default["subject"]["line"] == 1, "{default}");
    let now: BTreeSet<String> = folder.engine.inventory().into_iter().collect();
    let gone: Vec<&String> = before.iter().filter(|thing| thing.contains("never") && !now.contains(*thing)).collect();
    assert!(gone.is_empty() && !now.iter().any(|thing| thing.contains("acme/")), "nothing was pulled: {now:?}");

    let shown = folder.run(&["scan", "--engine", &folder.engine.endpoint, "--compose", &folder.user.file("new")]);
    assert!(shown.out.contains("Compose project new") && shown.out.contains("will not run"), "{}", shown.out);
    let missing = folder.run(&["scan", "--engine", &folder.engine.endpoint, "--compose", "/nowhere/compose.yaml"]);
    assert!(missing.status == 2 && missing.err.contains("/nowhere/compose.yaml"), "{missing:?}");
}
