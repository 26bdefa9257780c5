//! Changes of runtimes against stand-ins: tools that write down how they were called and keep a pretended machine, which
//! must run as before whatever fails. What commands a runtime has is `diagnosis`'s; how they are carried out, this.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use silidock_diagnosis::example_emulation::{mac, obstacle, settings};
use silidock_diagnosis::fact::Fact;
use silidock_diagnosis::fix::{Fix, Safety, Step};
use silidock_diagnosis::runtime::{EmulatorChoice, ObstacleKind, RuntimeSettings};
use silidock_diagnosis::runtime_fix::{Change, Prepared, prepare, register};
use silidock_host::{Output, RunError, ToolRun};
use silidock_remedy::runtime::{RuntimeError, Tools, apply, preview, undo, undo_preview};
use silidock_remedy::{Journal, Preview, Receipt, State, Subject, interrupted};
use tempfile::TempDir;

/// Every tool: notes its words, fails where it is told to, and else does to the machine what its words say.
const TOOL: &str = r#"#!/bin/sh
cd "$(dirname "$0")/.." || exit 9
line="$(basename "$0") $*"
echo "$line" >> log
if [ -e fail ] && [ "$(wc -l < log)" -eq "$(cat fail)" ]; then echo "no luck today" >&2; exit 7; fi
if [ -e fail-from ] && [ "$(wc -l < log)" -ge "$(cat fail-from)" ]; then echo "no luck at all" >&2; exit 7; fi
boot() { cp set runs; if [ -e settings-store.json ]; then grep -q 'Rosetta": *true' settings-store.json && echo on > runs || echo off > runs; fi; echo up > power; }
case "$line" in
  *--install*) echo "installing: arm64 OK" >&2 ;;
  *--uninstall*) echo "uninstalling: qemu-aarch64 OK" >&2 ;;
  *"rosetta true"|*--rosetta|*--vz-rosetta|*use-rosetta|*"sudo touch"*) echo on > set ;;
  *"rosetta false"|*rosetta=false|*"sudo rm"*) echo off > set ;;
esac
case "$line" in
  *" stop"*|*shutdown*)
    [ "$(cat power)" = up ] || { echo "it does not run" >&2; exit 1; }
    # Docker Desktop writes its settings when it ends.
    if [ -e rewrites ]; then sed -i 's/"Cpus": 8/"Cpus": 9/' settings-store.json; fi
    echo down > power ;;
  *restart*|*" start"*|"rdctl set"*) boot ;;
esac
"#;

const STORE: &str = "{\n  \"Cpus\": 8,\n  \"Rate\": 1.50,\n  \"UseVirtualizationFrameworkRosetta\": false\n}\n";

struct Stand {
    root: TempDir,
    /// The call at which this program dies, as in a crash.
    dies_at: Cell<Option<usize>>,
}

impl Tools for Stand {
    fn find(&self, name: &str) -> Option<PathBuf> {
        Some(self.path("bin").join(name)).filter(|path| path.exists())
    }

    fn run(&self, tool: &ToolRun) -> Result<Output, RunError> {
        if self.dies_at.get() == Some(self.log().len()) {
            std::panic::resume_unwind(Box::new("a crash"));
        }
        let output = Command::new(&tool.tool).args(&tool.args).output().unwrap();
        Ok(Output { status: output.status.code(), stdout: output.stdout, stderr: output.stderr })
    }
}

impl Stand {
    /// A running machine, its switch set so.
    fn new(set: &str) -> Self {
        let stand = Self { root: TempDir::new().unwrap(), dies_at: Cell::new(None) };
        fs::create_dir(stand.path("bin")).unwrap();
        for tool in ["docker", "orb", "colima", "limactl", "rdctl", "podman", "finch"] {
            stand.put(&format!("bin/{tool}"), TOOL);
            fs::set_permissions(stand.path("bin").join(tool), fs::Permissions::from_mode(0o755)).unwrap();
        }
        for (name, text) in [("set", set), ("runs", set), ("power", "up")] {
            stand.put(name, &format!("{text}\n"));
        }
        stand
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn log(&self) -> Vec<String> {
        self.read("log").lines().map(str::to_owned).collect()
    }

    fn forget(&self) {
        for name in ["log", "fail", "fail-from"] {
            let _ = fs::remove_file(self.path(name));
        }
    }

    /// Power, what is set, and what the running machine was started with.
    fn machine(&self) -> [String; 3] {
        ["power", "set", "runs"].map(|name| self.read(name).trim().to_owned())
    }

    fn journal(&self) -> Journal {
        Journal::new(&self.path("data"))
    }

    fn apply(&self, fix: &Fix, shown: &Preview) -> Result<Receipt, RuntimeError> {
        let (subject, now) = (Subject { finding: Some("f".into()) }, "2026-11-20T16:23:01Z".parse().unwrap());
        apply(fix, shown, &subject, "unix:///engine.sock", &self.journal(), self, now)
    }

    fn do_it(&self, fix: &Fix) -> Result<Receipt, RuntimeError> {
        let shown = preview(fix, self);
        assert_eq!(shown.refused, None);
        assert_eq!(self.log(), Vec::<String>::new(), "a preview runs nothing");
        self.apply(fix, &shown)
    }

    fn undo(&self, id: &str) -> Result<Receipt, RuntimeError> {
        undo(&self.journal(), id, self, "2026-11-20T17:00:00Z".parse().unwrap())
    }
}

fn fix(prepared: Prepared) -> Fix {
    let Prepared { summary, safety, steps, runtime } = prepared;
    assert_eq!(safety, Safety::Review, "{steps:?}");
    Fix { option: 1, title: "Change it".into(), summary, safety, steps, promise: Some("rosetta-off".into()), runtime }
}

/// Every change of every runtime that is run: with what the switch is before.
fn changes(stand: &Stand, runtime: &str) -> Vec<(Change, &'static str)> {
    let settings = described(stand, runtime, EmulatorChoice::Qemu);
    let all = [(Change::RosettaOn, "off"), (Change::RosettaOff, "on"), (Change::Toggle, "on"), (Change::Restart, "on")];
    all.into_iter().filter(|(change, _)| prepare(&settings, *change).is_ok_and(|p| p.runtime.is_some())).collect()
}

const RUNTIMES: [&str; 8] =
    ["docker-desktop", "orbstack", "colima", "lima", "rancher-desktop", "podman", "podman-marked", "finch"];

/// The runtime's settings, its settings file in the stand.
fn described(stand: &Stand, runtime: &str, choice: EmulatorChoice) -> RuntimeSettings {
    let mut all = settings(runtime.trim_end_matches("-marked"), Some("work"));
    if runtime.ends_with("-marked") {
        all.obstacles = vec![obstacle(ObstacleKind::NotActivated)];
    }
    if let Fact::Known(set) = &mut all.emulator {
        set.value = choice;
        set.place = stand.path("settings-store.json").display().to_string();
    }
    all
}

/// A stand with a runtime whose switch is `set`, and the fix that changes it.
fn scene(runtime: &str, change: Change, set: &str) -> (Stand, Fix) {
    let stand = Stand::new(set);
    if runtime == "docker-desktop" {
        stand.put("settings-store.json", &STORE.replace("false", if set == "on" { "true" } else { "false" }));
    }
    let prepared = prepare(&described(&stand, runtime, EmulatorChoice::Qemu), change).unwrap();
    (stand, fix(prepared))
}

fn command(step: &Step) -> Option<String> {
    match step {
        Step::RuntimeCommand { argv, .. } => Some(argv.join(" ")),
        _ => None,
    }
}

/// The commands of the way back, once step `place` was begun.
fn back(fix: &Fix, place: u32) -> Vec<String> {
    let back = &fix.runtime.as_ref().unwrap().back;
    back.iter().filter(|b| b.from <= place).filter_map(|b| command(&b.step)).collect()
}

fn each(mut test: impl FnMut(&str, Change, &'static str)) {
    let somewhere = Stand::new("off");
    let mut seen = 0;
    for runtime in RUNTIMES {
        for (change, set) in changes(&somewhere, runtime) {
            test(runtime, change, set);
            seen += 1;
        }
    }
    assert!(seen >= 22, "only {seen} changes are run");
}

#[test]
fn every_runtime_is_changed_in_order_and_undone_by_the_reverse() {
    each(|runtime, change, set| {
        let (stand, fix) = scene(runtime, change, set);
        let (settings, before) = (stand.read("settings-store.json"), stand.machine());
        let shown = preview(&fix, &stand);
        let forward: Vec<String> = fix.steps.iter().filter_map(command).collect();
        assert_eq!(shown.commands.iter().map(|argv| argv.join(" ")).collect::<Vec<_>>(), forward);
        let receipt = stand.do_it(&fix).unwrap();
        assert_eq!(stand.log(), forward, "{runtime} {change:?}");
        let record = receipt.runtime.as_ref().unwrap();
        assert_eq!((receipt.state, record.done, record.ran.len()), (State::Applied, true, forward.len()));
        assert_eq!(stand.journal().load(&receipt.id).unwrap(), receipt);
        let after = stand.machine();
        let wanted = match change {
            Change::RosettaOn => "on",
            Change::RosettaOff => "off",
            _ => set,
        };
        assert_eq!((after[0].as_str(), after[2].as_str()), ("up", wanted), "{runtime} {change:?}: {after:?}");

        stand.forget();
        let undoing = undo_preview(&stand.journal(), &receipt.id, &stand);
        if !change.lasts() {
            let why = undoing.unwrap_err().to_string();
            assert!(why.contains("leaves nothing behind"), "{runtime} {change:?}: {why}");
            return;
        }
        let undoing = undoing.unwrap();
        assert_eq!(undoing.refused, None);
        let whole_back = back(&fix, u32::MAX);
        assert_eq!(undoing.commands.iter().map(|argv| argv.join(" ")).collect::<Vec<_>>(), whole_back);
        assert_eq!(stand.undo(&receipt.id).unwrap().state, State::Undone);
        assert_eq!(stand.log(), whole_back, "{runtime} {change:?}");
        assert_eq!((stand.machine(), stand.read("settings-store.json")), (before, settings), "{runtime} {change:?}");
        assert!(stand.undo(&receipt.id).unwrap_err().to_string().contains("already undone"));
    });
}

#[test]
fn whatever_step_fails_the_machine_runs_as_before() {
    each(|runtime, change, set| {
        let commands = scene(runtime, change, set).1.steps.iter().filter_map(command).count();
        for failing in 1..=commands {
            let (stand, fix) = scene(runtime, change, set);
            let (settings, before) = (stand.read("settings-store.json"), stand.machine());
            stand.put("fail", &failing.to_string());
            let error = stand.do_it(&fix).unwrap_err();
            let when = format!("{runtime} {change:?}, command {failing}: {error}");
            let RuntimeError::TakenBack { receipt, cause, .. } = &error else { panic!("{when}") };
            assert!(cause.contains("status 7: no luck today"), "{when}");
            let log = stand.log();
            let forward: Vec<String> = fix.steps.iter().filter_map(command).take(failing).collect();
            assert_eq!(log[..failing], forward, "{when}");
            let place = fix.steps.iter().enumerate().filter(|(_, s)| command(s).is_some()).nth(failing - 1).unwrap().0;
            assert_eq!(log[failing..], back(&fix, place as u32), "{when}");
            assert_eq!(stand.read("settings-store.json"), settings, "{when}");
            assert_eq!(stand.machine(), before, "{when}");
            let kept = stand.journal().load(receipt).unwrap();
            assert_eq!((kept.state, kept.runtime.unwrap().ran.len()), (State::TakenBack, log.len()), "{when}");
        }
    });
}

#[test]
fn a_crash_is_told_and_can_be_undone() {
    each(|runtime, change, set| {
        let commands = scene(runtime, change, set).1.steps.iter().filter_map(command).count();
        for dying in 0..commands {
            let (stand, fix) = scene(runtime, change, set);
            let (settings, before) = (stand.read("settings-store.json"), stand.machine());
            stand.dies_at.set(Some(dying));
            let crashed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stand.do_it(&fix)));
            assert!(crashed.is_err());
            stand.dies_at.set(None);
            let told = interrupted(&stand.journal()).unwrap();
            let when = format!("{runtime} {change:?}, command {dying}");
            assert!(told[0].words.contains("was interrupted"), "{when}: {}", told[0].words);
            stand.undo(&told[0].receipt.id).unwrap_or_else(|error| panic!("{when}: {error}"));
            assert_eq!(stand.read("settings-store.json"), settings, "{when}");
            assert_eq!((&stand.machine()[0], &stand.machine()[2]), (&before[0], &before[2]), "{when}");
        }
    });
}

#[test]
fn a_way_back_that_fails_is_told_and_can_be_tried_again() {
    let (stand, fix) = scene("docker-desktop", Change::RosettaOn, "off");
    stand.put("fail-from", "2");
    let error = stand.do_it(&fix).unwrap_err();
    let RuntimeError::HalfDone { receipt, stuck, .. } = &error else { panic!("{error}") };
    assert_eq!(stuck.len(), 1, "that it could not be stopped again is no matter: {stuck:?}");
    assert!(stuck[0].contains("docker desktop start ended with status 7: no luck at all"), "{stuck:?}");
    assert_eq!(stand.read("settings-store.json"), STORE, "the file is as it was");
    assert_eq!(stand.machine()[0], "down");
    assert_eq!(stand.journal().load(receipt).unwrap().state, State::Started);
    stand.forget();
    assert_eq!(stand.undo(receipt).unwrap().state, State::Undone);
    assert_eq!(stand.machine()[0], "up");

    // And an undo that stops in the middle.
    let (stand, fix) = scene("lima", Change::RosettaOn, "off");
    let receipt = stand.do_it(&fix).unwrap().id;
    stand.forget();
    stand.put("fail", "2");
    let error = stand.undo(&receipt).unwrap_err();
    let RuntimeError::UndoStopped { left, .. } = &error else { panic!("{error}") };
    assert_eq!(left, &["limactl edit work --rosetta=false", "limactl start work"]);
}

#[test]
fn a_file_that_changed_since_the_preview_is_left_alone() {
    let (stand, fix) = scene("docker-desktop", Change::RosettaOn, "off");
    let shown = preview(&fix, &stand);
    assert_eq!(shown.diffs[0].added + shown.diffs[0].removed, 3, "{:?}", shown.diffs);
    let others = STORE.replace("8", "4");
    stand.put("settings-store.json", &others);
    let error = stand.apply(&fix, &shown).unwrap_err();
    assert!(matches!(&error, RuntimeError::Changed { what } if what.ends_with("settings-store.json")), "{error}");
    assert_eq!((stand.log(), stand.read("settings-store.json")), (Vec::new(), others));

    // A tool that is gone by now.
    let shown = preview(&fix, &stand);
    fs::remove_file(stand.path("bin/docker")).unwrap();
    let error = stand.apply(&fix, &shown).unwrap_err();
    assert!(error.to_string().contains("docker was not found"), "{error}");
    let refused = preview(&fix, &stand).refused.unwrap();
    assert_eq!(refused.lines_to_type, ["docker desktop stop", "docker desktop start"]);
}

#[test]
fn what_the_runtime_writes_itself_is_kept() {
    let (stand, fix) = scene("docker-desktop", Change::RosettaOn, "off");
    stand.put("rewrites", "");
    let receipt = stand.do_it(&fix).unwrap();
    let with_both = STORE.replace("false\n", "true,\n  \"UseVirtualizationFramework\": true\n").replace("8", "9");
    assert_eq!(stand.read("settings-store.json"), with_both, "what it wrote when it ended is kept");
    // Later it writes something else again; an undo then brings back our switches only.
    stand.put("settings-store.json", &with_both.replace("1.50", "2.50"));
    stand.undo(&receipt.id).unwrap();
    assert_eq!(stand.read("settings-store.json"), STORE.replace("8", "9").replace("1.50", "2.50"));

    // The same, and nothing else wrote: byte for byte what it was when Docker Desktop had stopped.
    let (stand, fix) = scene("docker-desktop", Change::RosettaOn, "off");
    let receipt = stand.do_it(&fix).unwrap();
    stand.put("settings-store.json", &stand.read("settings-store.json").replace("Rosetta\": true", "Rosetta\": false"));
    stand.forget();
    let before = (stand.read("settings-store.json"), stand.machine());
    let refused = undo_preview(&stand.journal(), &receipt.id, &stand);
    assert!(refused.unwrap().refused.is_none(), "one switch back already is no quarrel");
    stand.put("settings-store.json", "{ \"UseVirtualizationFramework\": 3 }");
    let refused = undo_preview(&stand.journal(), &receipt.id, &stand).unwrap().refused.unwrap();
    assert!(refused.why.contains("UseVirtualizationFramework in it is neither true nor false"), "{}", refused.why);
    assert!(matches!(stand.undo(&receipt.id), Err(RuntimeError::ChangedSince { .. })));
    assert_eq!((stand.log(), stand.machine()), (Vec::new(), before.1), "nothing was run");
}

#[test]
fn our_switch_changed_by_the_stopping_runtime_stops_everything() {
    let (stand, fix) = scene("docker-desktop", Change::RosettaOn, "off");
    // The stand-in's own edit hits the switch: somebody pressed it in the window a moment ago.
    let tool = TOOL.replace("s/\"Cpus\": 8/\"Cpus\": 9/", "s/Rosetta\": false/Rosetta\": true/");
    stand.put("bin/docker", &tool);
    stand.put("rewrites", "");
    let error = stand.do_it(&fix).unwrap_err();
    assert!(
        matches!(&error, RuntimeError::TakenBack { cause, .. } if cause.contains("changed by something else")),
        "{error}"
    );
    assert_eq!(stand.log(), ["docker desktop stop", "docker desktop start"]);
    assert!(stand.read("settings-store.json").contains("Rosetta\": true"), "theirs stays");
}

#[test]
fn registering_is_pinned_to_the_engine_and_done_only_when_it_says_so() {
    let mut seen = mac(EmulatorChoice::Qemu, "none");
    seen.engine.endpoint = "unix:///run/some engine.sock".to_owned();
    let stand = Stand::new("off");
    let fix = fix(register(&seen, &["arm64"]).unwrap());
    let run =
        "docker --host unix:///run/some engine.sock run --rm --privileged --platform linux/arm64 tonistiigi/binfmt";
    let receipt = stand.do_it(&fix).unwrap();
    assert_eq!(stand.log(), [format!("{run} --install arm64")]);
    let record = receipt.runtime.clone().unwrap();
    assert_eq!(record.ran[0].argv[2], "unix:///run/some engine.sock", "one word");
    stand.undo(&receipt.id).unwrap();
    assert_eq!(stand.log()[1], format!("{run} --uninstall qemu-aarch64"));

    // It ends with 0 also where another's entry is in the way; that one is not taken out.
    let stand = Stand::new("off");
    stand.put("bin/docker", &TOOL.replace("installing: arm64 OK", "installing: arm64 qemu-aarch64 already registered"));
    let error = stand.do_it(&fix).unwrap_err();
    let RuntimeError::TakenBack { cause, .. } = &error else { panic!("{error}") };
    assert!(cause.ends_with("did not do it: installing: arm64 qemu-aarch64 already registered"), "{cause}");
    assert_eq!(stand.log().len(), 1, "{:?}", stand.log());
}

#[test]
fn a_receipt_is_for_its_owner_only() {
    let (stand, fix) = scene("docker-desktop", Change::RosettaOn, "off");
    let receipt = stand.do_it(&fix).unwrap();
    let folder = stand.path("data/receipts").join(&receipt.id);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&folder), mode(&folder.join("receipt.json")), mode(&folder.join("before/0"))),
        (0o700, 0o600, 0o600)
    );
}
