//! An engine or a registry whose process is killed in the middle of a step, and started again: nothing is lost, the state is told,
//! and undo or a second run gets a person back. (A program of ours that is killed, and a connection that is cut: `recreate.rs`.)

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)] // a test's way to fail

mod common;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::Stdio,
};

use common::{
    Ran,
    images::stub,
    lab::Lab,
    list,
    proxy::Proxy,
    ran,
    registry::{OCI, Registry},
    spare::Spare,
    stage::{Project, STAYS, Stage, configuration, machine_of, one_of, published},
    text,
    valve::Valve,
};
use serde_json::{Value, json};

/// A part of a layer of the images, so that the rest of it is still to come.
const SOME: usize = 100_000;

/// Applies a fix of a container through a door; the engine is killed at the question that holds `asked`, which never comes
/// there, and started again.
fn killed_at(spare: &Spare, stage: &Stage<'_>, name: &str, option: &str, asked: &str) -> (Ran, Proxy) {
    let door = Proxy::when(&stage.lab.endpoint, asked, spare.killer());
    let listed = ran(stage.command(&door.endpoint(), &["fix", "--list", "--json"])).document("fix-list");
    let id = text(one_of(&listed, name), "id").to_owned();
    let ran = ran(stage.command(&door.endpoint(), &["fix", &id, "--option", option, "--apply", "--yes"]));
    spare.start_again();
    door.open();
    (ran, door)
}

fn names(lab: &Lab, listing: &[&str], of: &str) -> Vec<String> {
    let listed = lab.docker(listing);
    listed.lines().filter(|name| name.contains(of)).map(str::to_owned).collect()
}

/// After the engine is there again: what was kept is there, the receipt says how it stands, and undo brings everything back.
fn is_brought_back(stage: &Stage<'_>, what: &str, failed: &Ran, before: &Value) {
    assert_eq!(failed.status, 2, "{what}: {failed:?}");
    let receipt = stage.receipt();
    let id = text(&receipt, "id");
    let told = failed.err.contains(&format!("silidock undo {id}"));
    assert!(told, "{what}: it says what to do: {failed:?}");
    assert_eq!(receipt["state"], "interrupted", "{what}");
    assert!(text(&receipt, "note").contains("Undo brings back"), "{what}: {receipt}");
    let saved = stage.user.tmp().parent().unwrap().join("data/receipts").join(id).join("engine/container.json");
    let saved: Value = serde_json::from_slice(&fs::read(saved).unwrap()).unwrap();
    assert_eq!((&saved["Id"], &saved["Image"]), (&before["Id"], &before["Image"]), "{what}: how it was is kept");
    let kept = format!("silidock-kept/{}", text(before, "Name").trim_start_matches('/').replace('_', "-"));
    let images = names(stage.lab, &["images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}}"], &kept);
    assert_eq!(images.len(), 1, "{what}: the old image has a name: {images:?}");

    let undone = stage.undo();
    assert_eq!(undone.status, 0, "{what}: {undone:?}");
    let name = text(before, "Name").trim_start_matches('/');
    let after = stage.inspect(name);
    assert_eq!(after["State"]["Status"], "running", "{what}");
    assert_eq!(configuration(&after), configuration(before), "{what}");
    assert_eq!(stage.machine(name), machine_of(&stage.lab.foreign), "{what}");
    let left = names(stage.lab, &["ps", "-a", "--format", "{{.Names}}"], &stage.own);
    assert_eq!(left, [name], "{what}: nothing else stays behind");
}

#[test]
fn an_engine_that_is_killed_under_a_change_loses_nothing() {
    let Some(spare) = Spare::start("an engine that is killed", None) else { return };
    let lab = &spare.lab;
    // (the question at which it is killed, what is in the middle then, the fix)
    let rows = [
        ("/start", "the old one is put aside and the new one not started", "1"),
        ("DELETE /", "the new one is up and the old one not removed", "1"),
        ("PUT /", "a volume is copied", "2"),
    ];
    for (asked, what, option) in rows {
        let stage = Stage::new(lab);
        let volume = format!("{}-v", stage.own);
        let name = stage.run(&["-v", &format!("{volume}:/data")], STAYS);
        lab.docker(&["exec", &name, "/bin/sh", "-c", "echo kept > /data/x"]);
        let before = stage.inspect(&name);
        let (failed, _door) = killed_at(&spare, &stage, &name, option, asked);
        is_brought_back(&stage, what, &failed, &before);
        let kept = || lab.docker(&["exec", &name, "/bin/busybox", "cat", "/data/x"]);
        assert_eq!(kept(), "kept", "{what}");
        if asked == "PUT /" {
            let again = stage.fix(&name, option);
            assert_eq!(again.document("change")["verified"], "verified", "{what}: a second run: {again:?}");
            assert_eq!((kept().as_str(), stage.machine(&name).as_str()), ("kept", machine_of(&lab.native)));
        }
    }

    // Compose makes the new one under another name, deletes the old one, renames the new one and starts it.
    let rows = [("/rename", "the new one has not its name yet"), ("/start", "the new one is not started")];
    for (asked, what) in rows {
        let stage = Stage::new(lab);
        let project = Project::up(&stage, STAYS, "", 1);
        let name = project.container();
        lab.docker(&["exec", &name, "/bin/sh", "-c", "echo kept > /data/x"]);
        let before = stage.inspect(&name);
        let (failed, _door) = killed_at(&spare, &stage, &name, "1", asked);
        let old = lab.client(&["inspect", text(&before, "Id")]).output().unwrap();
        assert!(!old.status.success(), "{what}: the old container is gone");
        is_brought_back(&stage, what, &failed, &before);
        assert_eq!(lab.docker(&["exec", &name, "/bin/busybox", "cat", "/data/x"]), "kept", "{what}");
        let of_project = project.compose(&["ps", "-a", "--format", "{{.Name}}"]).output().unwrap();
        assert_eq!(String::from_utf8(of_project.stdout).unwrap().trim(), name, "{what}: Compose knows it as its own");
    }
}

/// A container of a foreign variant whose native one is in a registry behind a valve, and its finding.
struct Published<'l> {
    stage: Stage<'l>,
    name: String,
    before: Value,
    finding: String,
}

impl<'l> Published<'l> {
    fn new(lab: &'l Lab, registry: &Registry, valve: &Valve) -> Self {
        let mut stage = Stage::new(lab);
        // Something that the engine cannot have of another image.
        let more = (0..SOME).map(|line| format!("{line} {}\n", stage.own)).collect::<String>();
        let manifests = [&lab.foreign, &lab.native].map(|platform| published(registry, &stage, platform, Some(&more)));
        let index = json!({ "schemaVersion": 2, "mediaType": OCI.0, "manifests": manifests });
        registry.manifest(&stage.own, Some("1"), OCI.0, &index);
        stage.image = format!("{}/{}:1", valve.host(), stage.own);
        lab.docker(&["pull", "--quiet", "--platform", &lab.foreign, &stage.image]);
        let name = format!("{}-c", stage.own);
        let run =
            ["run", "-d", "--pull", "never", "--name", &name, "--stop-signal", "KILL", "--platform", &lab.foreign];
        lab.docker(&[&run[..], &[&stage.image, "/bin/sh", "-c", STAYS]].concat());
        let listed = stage.silidock(&["fix", "--list", "--ask-registry", "--json"]).document("fix-list");
        let finding = text(one_of(&listed, &name), "id").to_owned();
        let before = stage.inspect(&name);
        Self { stage, name, before, finding }
    }

    /// Applies the fix, and does `then` while its pull is held in the middle.
    fn in_the_middle(&self, valve: &Valve, then: impl FnOnce()) -> Ran {
        let fix = ["fix", &self.finding, "--ask-registry", "--apply", "--yes"];
        in_the_middle(&self.stage, &fix, valve, then)
    }

    /// The container is the one it was, and a second run gets through.
    fn is_untouched_and_can_be_done_again(&self) {
        let now = self.stage.inspect(&self.name);
        assert_eq!((&now["Id"], &now["State"]["Status"]), (&self.before["Id"], &json!("running")));
        assert_eq!(self.stage.machine(&self.name), machine_of(&self.stage.lab.foreign));
        let again = self.stage.silidock(&["fix", &self.finding, "--ask-registry", "--apply", "--yes", "--json"]);
        assert_eq!(again.document("change")["verified"], "verified", "{again:?}");
        assert_eq!(self.stage.machine(&self.name), machine_of(&self.stage.lab.native));
    }
}

/// Does `then` while what the program has the engine pull or push is held in the middle.
fn in_the_middle(stage: &Stage<'_>, words: &[&str], valve: &Valve, then: impl FnOnce()) -> Ran {
    valve.hold_after(SOME);
    let mut command = stage.command(&stage.lab.endpoint, words);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    valve.wait_until_held();
    then();
    valve.cut();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn an_engine_or_a_registry_that_is_killed_in_the_middle_of_a_pull_changes_nothing() {
    let what = "a registry or an engine that is killed in the middle of a pull";
    let Some(mut registry) = Registry::start(what, false) else { return };
    let valve = Valve::new(&registry.host);
    let Some(spare) = Spare::start(what, Some(valve.port)) else { return };

    let pulled = Published::new(&spare.lab, &registry, &valve);
    let failed = pulled.in_the_middle(&valve, || registry.kill());
    assert_eq!(failed.status, 2, "{failed:?}");
    let said = failed.out.clone() + &failed.err;
    assert!(said.contains("taken back"), "{failed:?}");
    assert_eq!(pulled.stage.receipt()["state"], "takenBack", "{failed:?}");
    registry.start_again();
    pulled.is_untouched_and_can_be_done_again();
    drop(pulled);

    let pulled = Published::new(&spare.lab, &registry, &valve);
    let failed = pulled.in_the_middle(&valve, spare.killer());
    spare.start_again();
    let shown = pulled.stage.silidock(&["undo", text(&pulled.stage.receipt(), "id")]);
    let told = shown.out.contains("did not end") && shown.out.contains("still the container it was");
    assert!(told, "it says how it stands: {shown:?}");
    is_brought_back(&pulled.stage, "a pull", &failed, &pulled.before);
    pulled.is_untouched_and_can_be_done_again();
}

#[test]
fn an_engine_or_a_registry_that_is_killed_in_the_middle_of_a_build_leaves_every_name_as_it_was() {
    let what = "an engine or a registry that is killed in the middle of a build";
    let Some(mut registry) = Registry::start(what, false) else { return };
    let valve = Valve::new(&registry.host);
    let Some(spare) = Spare::start(what, Some(valve.port)) else { return };
    let lab = &spare.lab;
    let stage = Stage::new(lab);
    let folder: PathBuf = stage.user.tmp().join("shop");
    fs::create_dir(&folder).unwrap();
    let native = Lab::arch(&lab.native);
    fs::write(folder.join("app"), stub(native)).unwrap();
    let dockerfile = |last: &str| {
        let text = format!("FROM silidock-lab/bb:{native}\nCOPY app /app\n{last}");
        fs::write(folder.join("Dockerfile"), text).unwrap();
    };
    let means = || lab.docker(&["image", "inspect", "--format", "{{.Id}}", &stage.image]);
    let before = means();
    dockerfile("RUN echo begun; sleep 6544\n");
    let at = folder.display().to_string();
    let build = ["rebuild", &stage.image, "--context", &at, "--apply", "--yes"];
    let mut command = stage.command(&lab.endpoint, &build);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.trim() == "begun"), "the step runs");
    spare.killer()();
    let told = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(child.wait().unwrap().code(), Some(2), "{told}");
    spare.start_again();
    let receipt = stage.receipt();
    assert_eq!(receipt["state"], "interrupted", "{receipt}");
    assert!(told.contains(&format!("silidock undo {}", text(&receipt, "id"))), "{told}");
    assert_eq!(means(), before, "the name means what it meant");
    let undone = stage.undo();
    assert_eq!((undone.status, means()), (0, before), "{undone:?}");
    let kept = names(lab, &["images", "--format", "{{.Repository}}:{{.Tag}}"], "silidock-kept/");
    assert!(kept.is_empty(), "what was kept is let go: {kept:?}");
    dockerfile("");
    let again = stage.silidock(&[&build[..], &["--json"]].concat()).document("rebuild");
    assert_eq!((text(&again, "verified"), list(&again, "builds").len()), ("verified", 1), "{again}");

    // More than is let through; a registry that had it would not take it again.
    fs::write(folder.join("app"), stage.own.repeat(SOME)).unwrap();
    let reference = format!("{}/{}/app:1", valve.host(), stage.own);
    let push = ["rebuild", &reference, "--context", &at, "--push", "--apply", "--yes"];
    let before = stage.silidock(&["history"]).out;
    let failed = in_the_middle(&stage, &push, &valve, || registry.kill());
    assert!(failed.status == 2 && failed.err.contains("Nothing on the engine was changed"), "{failed:?}");
    assert_eq!(stage.silidock(&["history"]).out, before, "what changed nothing is no change");
    registry.start_again();
    let again = stage.silidock(&[&push[..], &["--json"]].concat()).document("rebuild");
    assert_eq!(text(&again, "verified"), "verified", "{again}");
}
