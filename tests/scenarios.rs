//! Whole situations, from what the engine and the machine's files say to the files as they must be afterwards.
//!
//! A folder of tests/scenarios is one situation: `before/` and `fixed/` are the machine's files, `scenario.json` says
//! what runs on its engine, what must be found, which fixes are applied, and what is found then. Every fix is undone
//! at the end, and the files must be as they were. The engine is scripted, the files are real.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
};

use common::scripted::{Container, container, image, mac, put};
use serde::Deserialize;
use silidock_app::{
    App, AppOptions, FailureCode,
    host::FixtureHost,
    remedy::Verified,
    report::Scan,
    wire::{ApplyRequest, FixPreview, FixRequest, Nothing, ReceiptRequest, ScanRequest},
};
use tempfile::TempDir;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Scenario {
    situation: String,
    /// `project/service image platform`, each one running container.
    services: Vec<String>,
    /// Compose files of each project, from the machine's root.
    files: BTreeMap<String, Vec<String>>,
    /// Files to mark as read-only.
    #[serde(default)]
    read_only: Vec<String>,
    /// `check subject` of everything found.
    fires: Vec<String>,
    /// `check subject` of everything that is allowed on purpose.
    #[serde(default)]
    silenced: Vec<String>,
    /// Parts of gaps that the coverage must have.
    #[serde(default)]
    gaps: Vec<String>,
    /// `check: why` of everything that could not be judged.
    #[serde(default)]
    not_judged: Vec<String>,
    /// `check subject` of the findings to fix, in this order.
    #[serde(default)]
    fix: Vec<String>,
    /// `check subject` of everything found then.
    #[serde(default)]
    after: Vec<String>,
    refused: Option<Refused>,
    changed_meanwhile: Option<ChangedMeanwhile>,
    /// Stands in a file, and may stand nowhere in what is kept and shown.
    secret: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    finding: String,
    why: String,
    #[serde(rename = "type")]
    lines_to_type: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedMeanwhile {
    finding: String,
    file: String,
}

/// What a tree holds: bytes and mode of files, targets of links.
type Tree = BTreeMap<PathBuf, (Vec<u8>, u32)>;

fn tree(root: &Path) -> Tree {
    let mut found = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_owned();
            let about = fs::symlink_metadata(&path).unwrap();
            if about.is_dir() {
                folders.push(path);
            } else if about.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                found.insert(name, (target.into_os_string().into_encoded_bytes(), 0));
            } else {
                found.insert(name, (fs::read(&path).unwrap(), about.permissions().mode() & 0o7777));
            }
        }
    }
    found
}

/// A machine of its own, with the scenario's engine.
struct Machine {
    folder: TempDir,
    app: Arc<App>,
    _engine: silidock_testkit::ScriptedEngine,
}

impl Machine {
    async fn of(scenario: &Scenario, before: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().canonicalize().unwrap().join("machine");
        for (name, (bytes, mode)) in if before.exists() { tree(before) } else { Tree::new() } {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if mode == 0 {
                symlink(String::from_utf8(bytes).unwrap(), path).unwrap();
            } else {
                fs::write(path, bytes).unwrap();
            }
        }
        for name in &scenario.read_only {
            fs::set_permissions(root.join(name), fs::Permissions::from_mode(0o444)).unwrap();
        }
        let engine = mac().await;
        let containers: Vec<Container> =
            scenario.services.iter().map(|words| running(words, &scenario.files, &root)).collect();
        let images: BTreeMap<_, _> =
            containers.iter().map(|c| (c.image.clone(), image(&c.image, &[(&c.platform, true)]))).collect();
        put(&engine, &images.into_values().collect::<Vec<_>>(), &containers);
        let host = FixtureHost::new(&root).with_home(root.join("Users/ada"));
        let host = host.with_env("SILIDOCK_DATA_DIR", folder.path().join("data").to_str().unwrap());
        let address = Some(engine.address().to_owned());
        let app = App::start(AppOptions { host: Arc::new(host), engine: address, ..AppOptions::default() });
        Self { folder, app, _engine: engine }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("machine")
    }

    async fn scan(&self) -> Scan {
        self.app.scan(ScanRequest::default()).await.unwrap().scan
    }

    /// The preview of the first fix of a finding.
    async fn preview(&self, finding: &str) -> FixPreview {
        let scan = self.app.last_scan().unwrap();
        let found = scan.findings.iter().find(|f| name_of(f) == finding).unwrap_or_else(|| panic!("no {finding}"));
        self.app.preview_fix(FixRequest { finding: found.id.clone(), option: 1 }).await.unwrap()
    }

    fn request(shown: &FixPreview) -> ApplyRequest {
        ApplyRequest { finding: shown.finding.id.clone(), option: 1, token: shown.token.clone() }
    }
}

/// `shop/db acme/db:1 linux/amd64` as a running container.
fn running(words: &str, files: &BTreeMap<String, Vec<String>>, root: &Path) -> Container {
    let [service, image, platform] = words.split(' ').collect::<Vec<_>>()[..] else { panic!("{words}") };
    let (project, service) = service.split_once('/').unwrap();
    let folder = root.join(project).display().to_string();
    let files: Vec<String> = files[project].iter().map(|file| root.join(file).display().to_string()).collect();
    container(&format!("{project}-{service}-1"), image, platform).service(project, service, &folder, &files)
}

fn name_of(finding: &silidock_app::diagnosis::finding::Finding) -> String {
    format!("{} {}", finding.check, finding.subject.id)
}

fn found(scan: &Scan) -> Vec<String> {
    let mut all: Vec<String> = scan.findings.iter().map(name_of).collect();
    all.sort();
    all
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut all = names.to_vec();
    all.sort();
    all
}

async fn play(folder: &Path) {
    let read = fs::read_to_string(folder.join("scenario.json")).unwrap();
    let scenario: Scenario = serde_json::from_str(&read).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    assert!(!scenario.situation.is_empty());
    let machine = Machine::of(&scenario, &folder.join("before")).await;
    let before = tree(&machine.root());
    let scan = machine.scan().await;
    assert_eq!(found(&scan), sorted(&scenario.fires), "found before");
    not_judged(&scan, &scenario.not_judged);
    let mut silenced: Vec<String> =
        scan.silenced.iter().map(|one| format!("{} {}", one.check, one.subject.id)).collect();
    silenced.sort();
    assert_eq!(silenced, scenario.silenced, "allowed on purpose");
    let told = |part: &String| scan.coverage.gaps.iter().any(|gap| gap.why.contains(part));
    assert!(scenario.gaps.iter().all(told), "{:?}", scan.coverage.gaps);
    fixed_and_undone(&machine, &scenario, &folder.join("fixed")).await;
    if let Some(refused) = &scenario.refused {
        refuses(&machine, refused).await;
    }
    if let Some(changed) = &scenario.changed_meanwhile {
        changed_meanwhile(&machine, changed).await;
    }
    assert_eq!(tree(&machine.root()), before, "the files at the end");
}

fn not_judged(scan: &Scan, expected: &[String]) {
    // What only the probe or a registry can tell is no matter here: these machines start nothing and ask nobody.
    let on_request =
        |why: &str| why.ends_with(": silidock emulator") || why.ends_with(": silidock scan --ask-registry");
    let judgeable = scan.not_judged.iter().filter(|n| !on_request(&n.gap.why));
    let said: Vec<String> = judgeable.map(|n| format!("{}: {}", n.check, n.gap.why)).collect();
    assert_eq!(said.len(), expected.len(), "not judged: {said:?}");
    for (said, expected) in said.iter().zip(expected) {
        let (check, why) = expected.split_once(": ").unwrap();
        assert!(said.starts_with(check) && said.contains(why), "{said} is not {expected}");
    }
}

async fn fixed_and_undone(machine: &Machine, scenario: &Scenario, fixed: &Path) {
    let before = tree(&machine.root());
    let mut receipts = Vec::new();
    for finding in &scenario.fix {
        let untouched = tree(&machine.root());
        let shown = machine.preview(finding).await;
        assert_eq!(shown.preview.refused, None, "{finding}");
        assert_eq!(tree(&machine.root()), untouched, "a preview changes nothing");
        let outcome = machine.app.apply_fix(Machine::request(&shown)).await.unwrap();
        assert_eq!((outcome.applied, outcome.verified), (true, Verified::Verified), "{finding}: {}", outcome.words);
        assert_eq!(outcome.changes, shown.preview.diffs, "what was shown is what was done");
        receipts.push(outcome.receipt);
    }
    if scenario.fix.is_empty() {
        return;
    }
    let without_modes =
        |tree: Tree| tree.into_iter().map(|(name, (bytes, _))| (name, bytes)).collect::<BTreeMap<_, _>>();
    let text = |tree: Tree| {
        without_modes(tree).into_iter().map(|(n, b)| (n, String::from_utf8(b).unwrap())).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(text(tree(&machine.root())), text(tree(fixed)), "the files after the fixes");
    let modes = |tree: Tree| tree.into_iter().map(|(name, (_, mode))| (name, mode)).collect::<Vec<_>>();
    assert_eq!(modes(tree(&machine.root())), modes(before.clone()), "modes and links are kept");
    assert_eq!(found(&machine.scan().await), sorted(&scenario.after), "found after the fixes");
    if let Some(secret) = &scenario.secret {
        let inventory = serde_json::to_string(&machine.app.last_inventory().unwrap()).unwrap();
        let history = serde_json::to_string(&machine.app.history(Nothing {}).await.unwrap()).unwrap();
        assert!(!inventory.contains(secret) && !history.contains(secret), "a secret is shown");
    }
    for receipt in receipts.into_iter().rev() {
        let outcome = machine.app.apply_undo(ReceiptRequest { receipt }).await.unwrap();
        assert_eq!(outcome.verified, Verified::Verified, "{}", outcome.words);
    }
    assert_eq!(tree(&machine.root()), before, "undone");
    assert_eq!(found(&machine.app.last_scan().unwrap()), sorted(&scenario.fires), "found again after the undo");
}

async fn refuses(machine: &Machine, refused: &Refused) {
    let shown = machine.preview(&refused.finding).await;
    let refusal = shown.preview.refused.clone().expect("a refusal");
    assert!(refusal.why.contains(&refused.why), "{}", refusal.why);
    assert_eq!(refusal.lines_to_type, refused.lines_to_type);
    let failure = machine.app.apply_fix(Machine::request(&shown)).await.unwrap_err();
    assert_eq!((failure.code, failure.detail), (FailureCode::Refused, refused.lines_to_type.clone()));
}

async fn changed_meanwhile(machine: &Machine, changed: &ChangedMeanwhile) {
    let path = machine.root().join(&changed.file);
    let before = fs::read(&path).unwrap();
    let shown = machine.preview(&changed.finding).await;
    let theirs = [before.as_slice(), b"# theirs\n"].concat();
    fs::write(&path, &theirs).unwrap();
    let failure = machine.app.apply_fix(Machine::request(&shown)).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Changed, "{failure}");
    assert_eq!(fs::read(&path).unwrap(), theirs, "theirs is kept");
    fs::write(&path, &before).unwrap();
    let failure = machine.app.apply_fix(Machine::request(&shown)).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Changed, "a preview counts once: {failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario() {
    let all = common::root().join("tests/scenarios");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    assert!(folders.len() >= 12, "{folders:?}");
    let mut failed = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        // Each on its own task, so that one that fails does not hide the others.
        if tokio::spawn(async move { play(&folder).await }).await.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "failed: {failed:?}");
}
