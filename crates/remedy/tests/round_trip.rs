//! Preview, apply, undo on real files: what is promised about bytes, modes, links, interruptions and refusals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "helpers of tests fail like tests")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use silidock_diagnosis::fix::{Fix, Safety, Step, YamlEdit};
use silidock_remedy::undo::Standing;
use silidock_remedy::*;
use tempfile::TempDir;

const COMPOSE: &str = "# shop\r\nservices:\r\n  web:\r\n    image: nginx # here\r\n  db: {image: postgres}";
const PINNED: &str =
    "# shop\r\nservices:\r\n  web:\r\n    image: nginx # here\r\n    platform: linux/amd64\r\n  db: {image: postgres}";
const ENV: &str = "SECRET=hunter2\nDOCKER_DEFAULT_PLATFORM=linux/amd64\nTOKEN=hunter2\n";
const ENV_WITHOUT: &str = "SECRET=hunter2\nTOKEN=hunter2\n";

/// A folder with a project and a data folder next to it.
struct Lab {
    root: TempDir,
}

impl Lab {
    fn new() -> Self {
        let lab = Self { root: TempDir::new().unwrap() };
        lab.write("compose.yaml", COMPOSE, 0o640);
        lab.write(".env", ENV, 0o600);
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().mode() & 0o7777
    }

    fn journal(&self) -> Journal {
        Journal::new(&self.path("data"))
    }

    fn pin(&self, name: &str, service: &str) -> Step {
        let edit = YamlEdit::SetPlatform { service: service.into(), platform: "linux/amd64".parse().unwrap() };
        Step::EditYaml { path: self.path(name).display().to_string(), edit }
    }

    fn unset(&self) -> Step {
        Step::EditLine {
            path: self.path(".env").display().to_string(),
            line: 2,
            expected: "DOCKER_DEFAULT_PLATFORM=linux/amd64".into(),
            replacement: None,
        }
    }

    fn apply(&self, fix: &Fix) -> Result<Receipt, ApplyError> {
        self.apply_at(fix, "2026-11-20T16:23:01Z")
    }

    fn apply_at(&self, fix: &Fix, at: &str) -> Result<Receipt, ApplyError> {
        let subject = Subject { finding: Some("pin-missing-1".into()) };
        apply(fix, &preview(fix), &subject, &self.journal(), at.parse().unwrap())
    }

    /// As a process leaves it that dies before it can say that it has finished.
    fn interrupt(&self, id: &str) {
        let path = self.path("data/receipts").join(id).join("receipt.json");
        let json = fs::read_to_string(&path).unwrap();
        assert!(json.contains(r#""state": "applied""#), "{json}");
        fs::write(&path, json.replace(r#""state": "applied""#, r#""state": "started""#)).unwrap();
    }

    /// Names in the project folder; a leftover temporary file would be among them.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(self.root.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn fix(steps: Vec<Step>) -> Fix {
    Fix {
        option: 1,
        title: "Pin web to linux/amd64".into(),
        summary: "It runs as it does today.".into(),
        safety: Safety::Review,
        steps,
        promise: Some("pin-missing".into()),
        runtime: None,
    }
}

fn now() -> Timestamp {
    "2026-11-20T17:00:00Z".parse().unwrap()
}

fn refused(fix: &Fix) -> String {
    preview(fix).refused.expect("a refusal").why
}

/// Every file of the corpora, of this crate and of observe's projects: all services that take a pin are pinned at once.
#[test]
fn every_file_of_the_corpora_is_pinned_as_one_change_and_undone_byte_for_byte() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    let mut folders = vec![crates.join("remedy/tests/compose"), crates.join("observe/tests/compose")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.extension().and_then(|ending| ending.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("yaml" | "yml" | "json") => files.push(path),
                _ => {}
            }
        }
    }
    assert!(files.len() > 100, "{}", files.len());
    let lab = Lab::new();
    let mut pinned = 0;
    for file in &files {
        let before = fs::read(file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        fs::write(lab.path(name), &before).unwrap();
        let parsed = yaml_serde::from_slice::<yaml_serde::Value>(&before).unwrap_or_default();
        let services = parsed.get("services").and_then(|s| s.as_mapping()).cloned().unwrap_or_default();
        let steps = services.keys().filter_map(|key| key.as_str()).map(|service| lab.pin(name, service));
        let takes = |step: &Step| preview(&fix(vec![step.clone()])).refused.is_none();
        let steps: Vec<Step> = steps.filter(takes).collect();
        // Two that may be pinned each may share settings; then the whole change is refused, and nothing is written.
        let all = fix(steps.clone());
        if steps.is_empty() || preview(&all).refused.is_some() {
            assert!(lab.apply(&all).is_err() || steps.is_empty(), "{}", file.display());
        } else {
            let receipt = lab.apply(&all).unwrap();
            let after = lab.read(name);
            // What is there and empty is filled; everything else is added.
            let pins = |text: &str| text.matches("linux/amd64").count();
            let added = pins(&after) - pins(&String::from_utf8_lossy(&before));
            assert_eq!(added, steps.len(), "{}", file.display());
            undo(&lab.journal(), &receipt.id, now()).unwrap();
            pinned += steps.len();
        }
        assert_eq!(fs::read(lab.path(name)).unwrap(), before, "{}", file.display());
    }
    assert!(pinned > 100, "{pinned}");
}

#[test]
fn apply_changes_what_the_preview_showed_and_undo_restores_bytes_and_mode() {
    let lab = Lab::new();
    let fix = fix(vec![lab.pin("compose.yaml", "web"), lab.unset()]);
    let shown = preview(&fix);
    assert_eq!(shown.refused, None);
    assert_eq!(lab.names(), [".env", "compose.yaml"], "a preview left something behind");
    let counts: Vec<(u32, u32)> = shown.diffs.iter().map(|d| (d.added, d.removed)).collect();
    assert_eq!(counts, [(1, 0), (0, 1)]);
    assert!(!serde_json::to_string(&shown).unwrap().contains("hunter2"));

    let receipt = lab.apply(&fix).unwrap();
    assert_eq!((lab.read("compose.yaml").as_str(), lab.read(".env").as_str()), (PINNED, ENV_WITHOUT));
    assert_eq!((lab.mode("compose.yaml"), lab.mode(".env")), (0o640, 0o600));
    assert_eq!(lab.names(), [".env", "compose.yaml", "data"]);
    assert!(receipt.id.starts_with("20261120-162301-") && receipt.id.len() == 20, "{}", receipt.id);
    assert_eq!((receipt.state, receipt.finding.as_deref()), (State::Applied, Some("pin-missing-1")));
    assert_eq!(lab.journal().load(&receipt.id).unwrap(), receipt);

    // Somebody tightened the mode meanwhile; undo brings back the mode from before, too.
    fs::set_permissions(lab.path("compose.yaml"), fs::Permissions::from_mode(0o600)).unwrap();
    let back = undo_preview(&lab.journal(), &receipt.id).unwrap();
    assert_eq!(back.diffs.iter().map(|d| (d.added, d.removed)).collect::<Vec<_>>(), [(0, 1), (1, 0)]);
    assert!(!serde_json::to_string(&back).unwrap().contains("hunter2"));
    assert_eq!(lab.read("compose.yaml"), PINNED);

    let undone = undo(&lab.journal(), &receipt.id, now()).unwrap();
    assert_eq!((undone.state, undone.undone_at), (State::Undone, Some(now())));
    assert_eq!((lab.read("compose.yaml").as_str(), lab.read(".env").as_str()), (COMPOSE, ENV));
    assert_eq!((lab.mode("compose.yaml"), lab.mode(".env")), (0o640, 0o600));

    let twice = undo(&lab.journal(), &receipt.id, now()).unwrap_err();
    assert!(matches!(&twice, UndoError::AlreadyUndone { .. }) && twice.to_string().contains("2026-11-20T17:00:00Z"));
    assert!(matches!(undo_preview(&lab.journal(), &receipt.id), Err(UndoError::AlreadyUndone { .. })));
}

#[test]
fn several_steps_in_one_file_become_one_change() {
    let lab = Lab::new();
    let receipt = lab.apply(&fix(vec![lab.pin("compose.yaml", "web"), lab.pin("compose.yaml", "db")])).unwrap();
    assert_eq!((receipt.changes.len(), receipt.changes[0].added, receipt.changes[0].removed), (1, 2, 1));
    assert_eq!(lab.read("compose.yaml"), PINNED.replace("postgres}", "postgres, platform: linux/amd64}"));
    undo(&lab.journal(), &receipt.id, now()).unwrap();
    assert_eq!(lab.read("compose.yaml"), COMPOSE);
}

#[test]
fn a_file_that_changed_since_the_preview_is_not_written() {
    let lab = Lab::new();
    let fix = fix(vec![lab.unset(), lab.pin("compose.yaml", "web")]);
    for changed in [COMPOSE.replace("nginx", "httpd"), "no longer YAML: [".to_owned(), String::new()] {
        let shown = preview(&fix);
        lab.write("compose.yaml", &changed, 0o640);
        let error = apply(&fix, &shown, &Subject::default(), &lab.journal(), now()).unwrap_err();
        assert!(matches!(&error, ApplyError::Changed { path } if path.ends_with("compose.yaml")), "{error}");
        assert_eq!((lab.read("compose.yaml"), lab.read(".env").as_str()), (changed, ENV));
        lab.write("compose.yaml", COMPOSE, 0o640);
    }
    let shown = preview(&fix);
    fs::remove_file(lab.path("compose.yaml")).unwrap();
    let error = apply(&fix, &shown, &Subject::default(), &lab.journal(), now()).unwrap_err();
    assert!(matches!(error, ApplyError::Changed { .. }), "{error}");
    assert_eq!(lab.journal().list().unwrap(), []);
    assert_eq!(lab.read(".env"), ENV);
}

#[test]
fn undo_leaves_everything_where_one_file_changed_since() {
    let lab = Lab::new();
    let receipt = lab.apply(&fix(vec![lab.pin("compose.yaml", "web"), lab.unset()])).unwrap();
    let edited = format!("{ENV_WITHOUT}MORE=1\n");
    lab.write(".env", &edited, 0o600);
    let error = undo(&lab.journal(), &receipt.id, now()).unwrap_err();
    assert!(
        matches!(&error, UndoError::Changed { paths, .. } if paths.len() == 1 && paths[0].ends_with(".env")),
        "{error}"
    );
    assert_eq!((lab.read("compose.yaml").as_str(), lab.read(".env")), (PINNED, edited));
    let shown = undo_preview(&lab.journal(), &receipt.id).unwrap();
    assert!(shown.refused.unwrap().why.contains(".env"));

    fs::remove_file(lab.path(".env")).unwrap();
    let error = undo(&lab.journal(), &receipt.id, now()).unwrap_err().to_string();
    assert!(error.contains(".env does not exist"), "{error}");

    // A link in the file's place is not the file, whatever it leads to.
    lab.write("elsewhere", ENV_WITHOUT, 0o600);
    symlink(lab.path("elsewhere"), lab.path(".env")).unwrap();
    let error = undo(&lab.journal(), &receipt.id, now()).unwrap_err();
    assert!(matches!(&error, UndoError::Changed { .. }), "{error}");
    assert_eq!(lab.read("compose.yaml"), PINNED);
}

#[test]
fn an_interrupted_change_is_told_and_can_be_undone() {
    // Each file is as the crash left it: before, or after.
    let cases = [
        (COMPOSE, ENV, [Standing::Before, Standing::Before]),
        (PINNED, ENV, [Standing::After, Standing::Before]),
        (PINNED, ENV_WITHOUT, [Standing::After, Standing::After]),
    ];
    for (compose, env, expected) in cases {
        let lab = Lab::new();
        assert_eq!(interrupted(&lab.journal()).unwrap(), []);
        let receipt = lab.apply(&fix(vec![lab.pin("compose.yaml", "web"), lab.unset()])).unwrap();
        assert_eq!(interrupted(&lab.journal()).unwrap(), []);
        lab.interrupt(&receipt.id);
        lab.write("compose.yaml", compose, 0o640);
        lab.write(".env", env, 0o600);

        let told = interrupted(&lab.journal()).unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].files.iter().map(|s| s.standing).collect::<Vec<_>>(), expected);
        let unchanged = format!("{} was not changed", lab.path(".env").display());
        assert_eq!(told[0].words.contains(&unchanged), expected[1] == Standing::Before, "{}", told[0].words);
        undo(&lab.journal(), &receipt.id, now()).unwrap();
        assert_eq!((lab.read("compose.yaml").as_str(), lab.read(".env").as_str()), (COMPOSE, ENV));
        assert_eq!(interrupted(&lab.journal()).unwrap(), []);
    }
}

#[test]
fn an_interrupted_change_can_be_kept() {
    let lab = Lab::new();
    let receipt = lab.apply(&fix(vec![lab.pin("compose.yaml", "web")])).unwrap();
    lab.interrupt(&receipt.id);
    assert_eq!(lab.journal().keep(&receipt.id).unwrap().state, State::Applied);
    assert_eq!(interrupted(&lab.journal()).unwrap(), []);
    undo(&lab.journal(), &receipt.id, now()).unwrap();
    assert_eq!(lab.journal().keep(&receipt.id).unwrap().state, State::Undone);
    assert_eq!(lab.read("compose.yaml"), COMPOSE);
}

#[test]
fn an_undo_that_was_interrupted_is_finished_by_the_next() {
    let lab = Lab::new();
    let receipt = lab.apply(&fix(vec![lab.pin("compose.yaml", "web"), lab.unset()])).unwrap();
    lab.write("compose.yaml", COMPOSE, 0o640);
    assert_eq!(undo_preview(&lab.journal(), &receipt.id).unwrap().diffs.len(), 1);
    undo(&lab.journal(), &receipt.id, now()).unwrap();
    assert_eq!((lab.read("compose.yaml").as_str(), lab.read(".env").as_str()), (COMPOSE, ENV));
}

#[test]
fn links_are_followed_and_both_names_told() {
    let lab = Lab::new();
    fs::create_dir(lab.path("real")).unwrap();
    fs::rename(lab.path("compose.yaml"), lab.path("real/file.yaml")).unwrap();
    symlink("real/file.yaml", lab.path("middle")).unwrap();
    symlink(lab.path("middle"), lab.path("compose.yaml")).unwrap();
    let fix = fix(vec![lab.pin("compose.yaml", "web")]);
    let told = preview(&fix).told.join("\n");
    for name in ["compose.yaml", "real/file.yaml"] {
        assert!(told.contains(&lab.path(name).display().to_string()), "{told}");
    }
    let receipt = lab.apply(&fix).unwrap();
    assert_eq!(lab.read("real/file.yaml"), PINNED);
    assert!(fs::symlink_metadata(lab.path("compose.yaml")).unwrap().is_symlink());
    assert_eq!(receipt.changes[0].path, lab.path("real/file.yaml").display().to_string());
    assert_eq!(receipt.changes[0].link, Some(lab.path("compose.yaml").display().to_string()));
    undo(&lab.journal(), &receipt.id, now()).unwrap();
    assert_eq!((lab.read("real/file.yaml").as_str(), lab.mode("real/file.yaml")), (COMPOSE, 0o640));

    // The link is turned to another file between preview and apply.
    let shown = preview(&fix);
    lab.write("other.yaml", COMPOSE, 0o640);
    fs::remove_file(lab.path("middle")).unwrap();
    symlink("other.yaml", lab.path("middle")).unwrap();
    let error = apply(&fix, &shown, &Subject::default(), &lab.journal(), now()).unwrap_err();
    assert!(matches!(error, ApplyError::Changed { .. }), "{error}");
    assert_eq!(lab.read("other.yaml"), COMPOSE);
}

#[test]
fn files_that_cannot_be_edited_are_refused_in_their_own_words() {
    let lab = Lab::new();
    symlink(lab.path("b"), lab.path("a")).unwrap();
    symlink(lab.path("a"), lab.path("b")).unwrap();
    symlink("nowhere", lab.path("dangling")).unwrap();
    fs::create_dir(lab.path("folder")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(lab.path("pipe")).status().unwrap();
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(lab.path("socket")).unwrap();
    lab.write("read-only.yaml", COMPOSE, 0o444);
    fs::create_dir(lab.path("closed")).unwrap();
    lab.write("closed/compose.yaml", COMPOSE, 0o644);
    fs::set_permissions(lab.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    lab.write("latin1.yaml", b"services:\n  caf\xe9: {image: x}\n", 0o644);
    lab.write("utf16.yaml", b"\xff\xfes\0e\0r\0v\0", 0o644);
    lab.write("large.yaml", vec![b'#'; 4 * 1024 * 1024 + 1], 0o644);
    lab.write("twice.yaml", COMPOSE, 0o644);
    fs::hard_link(lab.path("twice.yaml"), lab.path("again.yaml")).unwrap();
    lab.write("compose.yaml.j2", COMPOSE, 0o644);
    for (name, words) in [
        ("missing.yaml", "does not exist"),
        ("compose.yaml/x", "could not read"),
        ("a", "leads back to itself"),
        ("dangling", "is a link to nowhere, which does not exist"),
        ("folder", "is a folder"),
        ("pipe", "is a named pipe"),
        ("socket", "is a socket"),
        ("read-only.yaml", "is read-only (its mode is 0444)"),
        ("closed/compose.yaml", "closed is read-only (its mode is 0555)"),
        ("latin1.yaml", "the byte 0xe9 in line 2, byte 6"),
        ("utf16.yaml", "the mark of UTF-16 in line 1, byte 1"),
        ("large.yaml", "4194305 bytes"),
        ("twice.yaml", "2 names (hard links)"),
        ("compose.yaml.j2", "is a template"),
        ("/dev/null", "is a device"),
    ] {
        let fix = fix(vec![lab.unset(), lab.pin(name, "web")]);
        let why = refused(&fix);
        assert!(why.contains(words), "{name}: {why}");
        assert!(matches!(lab.apply(&fix), Err(ApplyError::Refused(_))), "{name}");
    }
    assert_eq!(lab.read(".env"), ENV);
    fs::set_permissions(lab.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(lab.journal().list().unwrap(), []);
}

#[test]
fn a_refused_edit_says_what_to_type() {
    let lab = Lab::new();
    lab.write("compose.yaml", "services:\n  web: &w\n    image: x\n  job:\n    <<: *w\n", 0o644);
    let refusal = preview(&fix(vec![lab.pin("compose.yaml", "web")])).refused.unwrap();
    assert!(refusal.why.contains("compose.yaml") && refusal.why.contains("job"), "{}", refusal.why);
    assert_eq!(refusal.lines_to_type, ["services:", "  web:", "    platform: linux/amd64"]);
}

#[test]
fn words_alone_are_shown_and_never_applied() {
    let lab = Lab::new();
    let command = vec!["docker".to_owned(), "pull".to_owned(), "nginx".to_owned()];
    let fix = fix(vec![Step::Tell { text: "Pull it.".into(), commands: vec![command.clone()] }]);
    let shown = preview(&fix);
    assert_eq!((shown.told, shown.commands), (vec!["Pull it.".to_owned()], vec![command]));
    assert!(matches!(lab.apply(&fix), Err(ApplyError::NothingToChange { .. })));
    assert_eq!(lab.journal().list().unwrap(), []);
}

#[test]
fn the_history_is_newest_first_and_survives_damage() {
    let lab = Lab::new();
    assert_eq!(lab.journal().list().unwrap(), []);
    let mut ids = Vec::new();
    for (name, at) in [
        ("compose.yaml", "2026-11-20T16:23:01.1Z"),
        ("two.yaml", "2026-11-20T16:23:01.7Z"),
        ("three.yaml", "2026-11-20T16:23:01.9Z"),
        ("four.yaml", "2026-12-01T00:00:00Z"),
    ] {
        lab.write(name, COMPOSE, 0o644);
        ids.insert(0, lab.apply_at(&fix(vec![lab.pin(name, "web")]), at).unwrap().id);
    }
    let listed = |lab: &Lab| lab.journal().list().unwrap().iter().map(|l| l.id().to_owned()).collect::<Vec<_>>();
    assert_eq!(listed(&lab), ids);

    let receipts = lab.path("data/receipts");
    fs::write(receipts.join(&ids[0]).join("receipt.json"), "{\"id\": ").unwrap();
    fs::remove_file(receipts.join(&ids[1]).join("receipt.json")).unwrap();
    fs::write(receipts.join(&ids[2]).join("before/0"), "services: {}").unwrap();
    fs::create_dir(receipts.join("notes")).unwrap();
    let after = lab.journal().list().unwrap();
    assert_eq!(after.len(), 4);
    let damaged = after.iter().filter(|l| matches!(l, Listed::Damaged { why, .. } if why.contains("damaged"))).count();
    assert_eq!(damaged, 2, "{after:?}");

    let message = |id: &str| undo(&lab.journal(), id, now()).unwrap_err().to_string();
    assert!(message(&ids[0]).contains("does not parse"), "{}", message(&ids[0]));
    assert!(message(&ids[2]).contains("the backup of") && message(&ids[2]).contains("is not what was saved"));
    assert!(message("20200101-000000-0000").contains("there is no receipt"));
    for id in ["../../etc", "", "20261120-162301-4F2A", "20261120-162301-4f2a/.."] {
        assert!(message(id).contains("is not a receipt"), "{id}");
    }
    undo(&lab.journal(), &ids[3], now()).unwrap();
    assert_eq!(lab.read("compose.yaml"), COMPOSE);
}

#[test]
fn the_verification_is_kept() {
    let lab = Lab::new();
    let receipt = lab.apply(&fix(vec![lab.pin("compose.yaml", "web")])).unwrap();
    assert_eq!(receipt.verified, None);
    for verified in [Verified::StillPresent, Verified::CouldNotTell, Verified::Verified] {
        assert_eq!(lab.journal().set_verified(&receipt.id, verified).unwrap().verified, Some(verified));
        assert_eq!(lab.journal().load(&receipt.id).unwrap().verified, Some(verified));
    }
    let json = serde_json::to_value(lab.journal().load(&receipt.id).unwrap()).unwrap();
    assert_eq!(
        (&json["verified"], &json["state"], &json["at"]),
        (&"verified".into(), &"applied".into(), &"2026-11-20T16:23:01Z".into())
    );
}

#[test]
fn the_journal_is_for_its_owner_only() {
    let lab = Lab::new();
    let receipt = lab.apply(&fix(vec![lab.unset()])).unwrap();
    fn visit(path: &Path, seen: &mut Vec<PathBuf>) {
        let meta = fs::symlink_metadata(path).unwrap();
        let expected = if meta.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(meta.mode() & 0o777, expected, "{}", path.display());
        seen.push(path.to_owned());
        if meta.is_dir() {
            fs::read_dir(path).unwrap().for_each(|e| visit(&e.unwrap().path(), seen));
        }
    }
    let mut seen = Vec::new();
    visit(&lab.path("data"), &mut seen);
    assert!(seen.contains(&lab.path("data/receipts").join(&receipt.id).join("before/0")), "{seen:?}");
    assert_eq!(lab.read(".env"), ENV_WITHOUT);
}

#[test]
fn a_change_that_cannot_be_recorded_is_not_made() {
    let lab = Lab::new();
    lab.write("data", "a file where the data folder should be", 0o644);
    let error = lab.apply(&fix(vec![lab.pin("compose.yaml", "web")])).unwrap_err();
    assert!(matches!(error, ApplyError::Journal(_)), "{error}");
    assert_eq!(lab.read("compose.yaml"), COMPOSE);
}

#[test]
fn the_owner_is_kept() {
    let lab = Lab::new();
    if fs::metadata(lab.path("compose.yaml")).unwrap().uid() != 0 {
        // Only root may give a file away; the refusal that others get is the system's.
        eprintln!("not run: giving a file to another user needs root");
        return;
    }
    std::os::unix::fs::chown(lab.path("compose.yaml"), Some(1234), Some(2345)).unwrap();
    lab.write("compose.yaml", COMPOSE, 0o2664);
    let owner = |lab: &Lab| {
        let meta = fs::metadata(lab.path("compose.yaml")).unwrap();
        (meta.uid(), meta.gid(), meta.mode() & 0o7777)
    };
    let receipt = lab.apply(&fix(vec![lab.pin("compose.yaml", "web")])).unwrap();
    assert_eq!((lab.read("compose.yaml").as_str(), owner(&lab)), (PINNED, (1234, 2345, 0o2664)));
    undo(&lab.journal(), &receipt.id, now()).unwrap();
    assert_eq!((lab.read("compose.yaml").as_str(), owner(&lab)), (COMPOSE, (1234, 2345, 0o2664)));
}

#[test]
fn extended_attributes_travel_along() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    let lab = Lab::new();
    let path = lab.path("compose.yaml");
    if let Err(e) = setxattr(&path, "user.silidock.test", b"kept", XattrFlags::empty()) {
        eprintln!("not run: the temporary folder's file system has no extended attributes ({e})");
        return;
    }
    let kept = || {
        let mut value = [0_u8; 16];
        let length = getxattr(&path, "user.silidock.test", &mut value[..]).unwrap();
        String::from_utf8(value[..length].to_vec()).unwrap()
    };
    let receipt = lab.apply(&fix(vec![lab.pin("compose.yaml", "web")])).unwrap();
    assert_eq!((lab.read("compose.yaml").as_str(), kept().as_str()), (PINNED, "kept"));
    undo(&lab.journal(), &receipt.id, now()).unwrap();
    assert_eq!((lab.read("compose.yaml").as_str(), kept().as_str()), (COMPOSE, "kept"));
}

#[test]
fn two_at_once_take_turns() {
    let lab = Lab::new();
    let (a, b) = (fix(vec![lab.pin("compose.yaml", "web")]), fix(vec![lab.pin("compose.yaml", "db")]));
    let (seen_a, seen_b) = (preview(&a), preview(&b));
    let run = |fix: &Fix, seen: &Preview| apply(fix, seen, &Subject::default(), &lab.journal(), now());
    let (first, second) = std::thread::scope(|s| {
        let other = s.spawn(|| run(&b, &seen_b));
        (run(&a, &seen_a), other.join().unwrap())
    });
    // Whoever comes second sees a changed file; neither change is lost or mixed.
    let (won, lost) = if first.is_ok() { (first, second) } else { (second, first) };
    assert!(matches!(lost.unwrap_err(), ApplyError::Changed { .. }));
    undo(&lab.journal(), &won.unwrap().id, now()).unwrap();
    assert_eq!(lab.read("compose.yaml"), COMPOSE);
}

#[test]
fn an_override_file_is_made_and_goes_again() {
    let lab = Lab::new();
    let path = lab.path("compose.override.yaml");
    let edit = YamlEdit::OverridePlatform { service: "web".into(), platform: "linux/amd64".parse().unwrap() };
    let pin = fix(vec![Step::EditYaml { path: path.display().to_string(), edit }]);
    let before = lab.names();
    let shown = preview(&pin);
    assert_eq!((shown.refused.clone(), shown.diffs[0].added, lab.names()), (None, 3, before.clone()));

    fs::write(&path, "services: {}\n").unwrap();
    let late = apply(&pin, &shown, &Subject::default(), &lab.journal(), now());
    assert!(matches!(late, Err(ApplyError::Changed { .. })), "somebody else made it meanwhile: {late:?}");
    fs::remove_file(&path).unwrap();

    let receipt = lab.apply(&pin).unwrap();
    assert_eq!(lab.read("compose.override.yaml"), "services:\n  web:\n    platform: linux/amd64\n");
    fs::write(&path, "mine now\n").unwrap();
    assert!(matches!(undo(&lab.journal(), &receipt.id, now()), Err(UndoError::Changed { .. })));
    assert_eq!(lab.read("compose.override.yaml"), "mine now\n");
    fs::write(&path, "services:\n  web:\n    platform: linux/amd64\n").unwrap();
    let told = undo_preview(&lab.journal(), &receipt.id).unwrap().told;
    assert!(told[0].contains("is removed again"), "{told:?}");
    undo(&lab.journal(), &receipt.id, now()).unwrap();
    assert!(!path.exists());

    let again = lab.apply(&pin).unwrap();
    fs::remove_file(&path).unwrap();
    undo(&lab.journal(), &again.id, now()).unwrap();
    assert!(!path.exists(), "gone already is as before");
}
