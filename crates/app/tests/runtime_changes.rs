//! Changes of a runtime as a person makes them, on a described Mac whose Docker Desktop is the real arm64 engine of the
//! lab: its tools are stand-ins that switch the engine's emulator for real, and what runs is proven by the probe each time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod mac;

use std::fs;
use std::io;
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;

use mac::Desktop;
use silidock_app::diagnosis::finding::Finding;
use silidock_app::remedy::Verified;
use silidock_app::wire::{
    ApplyRequest, ChangeOutcome, ChangeState, EmulatorRequest, FixPreview, FixRequest, Nothing, ReceiptRequest,
};
use silidock_app::{Failure, FailureCode};

/// Docker Desktop's client, without Compose: notes its words, and does to the engine's machine what a restart or the registering container
/// would. `GUEST` runs a command in that machine.
const DOCKER: &str = r#"#!/bin/sh
here="$(dirname "$0")"
[ "$1" != compose ] || exit 1
echo "docker $*" >> "$here/log"
if [ -e "$here/fails-at" ] && [ "$*" = "$(cat "$here/fails-at")" ]; then echo "cannot do that now" >&2; exit 3; fi
case "$*" in
  "desktop restart"|"desktop start") GUEST /etc/lab/x86 qemu POCF ;;
  *"--install amd64") GUEST /etc/lab/x86 qemu POCF; echo "installing: amd64 OK" >&2 ;;
esac
"#;

const SETTINGS: &str =
    "{\n  \"Cpus\": 8,\n  \"UseVirtualizationFramework\": true,\n  \"UseVirtualizationFrameworkRosetta\": SET\n}\n";

fn guest() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lab/guest.sh").canonicalize().unwrap().display().to_string()
}

/// Changes what runs amd64 programs on the engine, and puts QEMU back when dropped.
struct Handler;

impl Handler {
    fn set(&self, words: &[&str]) {
        let output = Command::new(guest()).arg("/etc/lab/x86").args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.set(&["qemu", "POCF"]);
    }
}

impl Desktop {
    fn of(engine: &str) -> Self {
        let mac = Self::new(|_| DOCKER.replace("GUEST", &guest()));
        forward(&mac.socket(), engine.strip_prefix("tcp://").unwrap().to_owned());
        mac
    }

    fn rosetta(&self, on: bool) {
        fs::write(self.settings(), SETTINGS.replace("SET", &on.to_string())).unwrap();
    }

    async fn proven(&self, check: &str) -> Finding {
        let request = EmulatorRequest { engine: Some(self.engine()), guarded: true, builds: false };
        let proof = self.app.emulator(request).await.unwrap();
        let all: Vec<&str> = proof.findings.iter().map(|f| f.check.as_str()).collect();
        proof.findings.iter().find(|f| f.check == check).unwrap_or_else(|| panic!("no {check} among {all:?}")).clone()
    }

    async fn preview(&self, finding: &Finding, title: &str) -> FixPreview {
        let titles: Vec<&str> = finding.fixes.iter().map(|fix| fix.title.as_str()).collect();
        let fix = finding.fixes.iter().find(|fix| fix.title.starts_with(title));
        let option = fix.unwrap_or_else(|| panic!("no {title} among {titles:?}")).option;
        self.app.preview_fix(FixRequest { finding: finding.id.clone(), option }).await.unwrap()
    }

    /// Others may start containers on the engine meanwhile; then it is shown again, as a person would.
    async fn apply(&self, shown: &FixPreview) -> Result<ChangeOutcome, Failure> {
        let (finding, option) = (shown.finding.id.clone(), shown.fix.option);
        let mut token = shown.token.clone();
        for _ in 0..4 {
            match self.app.apply_fix(ApplyRequest { finding: finding.clone(), option, token }).await {
                Err(failure) if failure.message.contains("would stop too") => {
                    token = self.app.preview_fix(FixRequest { finding: finding.clone(), option }).await.unwrap().token;
                }
                done => return done,
            }
        }
        panic!("containers come and go all the time")
    }

    async fn undo(&self, receipt: &str) -> Result<ChangeOutcome, Failure> {
        self.app.apply_undo(ReceiptRequest { receipt: receipt.to_owned() }).await
    }
}

/// Docker Desktop's socket, leading to the engine.
fn forward(socket: &Path, engine: String) {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, engine) = (client.unwrap(), TcpStream::connect(&engine).unwrap());
            let (back_client, back_engine) = (client.try_clone().unwrap(), engine.try_clone().unwrap());
            std::thread::spawn(move || there(client, engine));
            std::thread::spawn(move || back(back_engine, back_client));
        }
    });
}

fn there(mut client: UnixStream, mut engine: TcpStream) {
    let _ = io::copy(&mut client, &mut engine);
    let _ = engine.shutdown(std::net::Shutdown::Write);
}

fn back(mut engine: TcpStream, mut client: UnixStream) {
    let _ = io::copy(&mut engine, &mut client);
    let _ = client.shutdown(std::net::Shutdown::Write);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_is_run_proven_and_taken_back() {
    let Some(engine) = mac::engine("arm64") else { return };
    silidock_app::init();
    let (scene, handler) = (Desktop::of(&engine), Handler);
    lost_and_registered(&scene, &handler).await;
    let off = rosetta_asked_for(&scene).await;
    refused_where_something_changed(&scene, &off).await;
    brought_back_on_failure(&scene, &off).await;
    silidock_app::settle().await;
}

/// QEMU is set, nothing runs: the runtime's own way first, then a container that registers it.
async fn lost_and_registered(scene: &Desktop, handler: &Handler) {
    scene.rosetta(false);
    handler.set(&["none"]);
    let missing = scene.proven("emulator-missing").await;
    let titles: Vec<&str> = missing.fixes.iter().map(|fix| fix.title.as_str()).collect();
    assert_eq!(
        titles,
        ["Restart Docker Desktop, which brings its emulator back", "Register QEMU for amd64 on this engine"]
    );
    let restart = scene.preview(&missing, "Restart").await.preview;
    assert_eq!(restart.commands, [["docker", "desktop", "restart"]]);
    assert!(!restart.restarts.is_empty(), "containers run there");
    assert!(restart.told.iter().any(|told| told.contains("restart policy")), "{:?}", restart.told);

    let shown = scene.preview(&missing, "Register").await;
    let pinned =
        format!("docker --host {} run --rm --privileged --platform linux/arm64 tonistiigi/binfmt", scene.engine());
    assert_eq!(shown.preview.commands[0].join(" "), format!("{pinned} --install amd64"));
    assert_eq!(shown.preview.restarts, Vec::<String>::new());
    assert_eq!(scene.asked(), Vec::<String>::new(), "a preview runs nothing");
    let outcome = scene.apply(&shown).await.unwrap();
    assert_eq!(outcome.verified, Verified::Verified, "{}", outcome.words);
    assert!(outcome.words.contains("QEMU") && outcome.words.contains("runs linux/amd64 programs"), "{}", outcome.words);
    assert_eq!(scene.asked(), [format!("{pinned} --install amd64")]);
}

/// The setting says Rosetta afterwards, and QEMU runs all the same: no setting is believed.
async fn rosetta_asked_for(scene: &Desktop) -> Finding {
    let before = fs::read_to_string(scene.settings()).unwrap();
    // Seen when the change before was proven.
    let findings = scene.app.last_scan().unwrap().findings;
    let off = findings.into_iter().find(|finding| finding.check == "rosetta-off").unwrap();
    let shown = scene.preview(&off, "Switch Rosetta on").await;
    assert_eq!((shown.preview.diffs.len(), shown.preview.commands.len()), (1, 2));
    assert!(shown.fix.summary.contains("Native containers can become slower"), "{}", shown.fix.summary);
    let outcome = scene.apply(&shown).await.unwrap();
    assert_eq!(scene.asked(), ["docker desktop stop", "docker desktop start"]);
    assert_eq!(outcome.verified, Verified::StillPresent, "{}", outcome.words);
    assert!(outcome.words.contains("QEMU"), "{}", outcome.words);
    assert_eq!(fs::read_to_string(scene.settings()).unwrap(), before.replace("false", "true"));
    // Somebody presses the switch: then there is nothing of ours to take back.
    scene.rosetta(false);
    let refused = scene.undo(&outcome.receipt).await.unwrap_err();
    assert!(refused.message.contains("was set otherwise since"), "{refused}");
    assert_eq!(scene.asked(), Vec::<String>::new());
    scene.rosetta(true);
    let undone = scene.undo(&outcome.receipt).await.unwrap();
    assert_eq!(undone.verified, Verified::Verified, "{}", undone.words);
    assert_eq!(fs::read_to_string(scene.settings()).unwrap(), before);
    assert_eq!(scene.asked(), ["docker desktop stop", "docker desktop start"]);
    off
}

/// What was proven above still counts, so nothing has to be started for these.
async fn refused_where_something_changed(scene: &Desktop, off: &Finding) {
    let shown = scene.preview(off, "Switch Rosetta on").await;
    scene.rosetta(true);
    let refused = scene.apply(&shown).await.unwrap_err();
    assert_eq!((refused.code, scene.asked().len()), (FailureCode::Changed, 0), "{refused}");
    scene.rosetta(false);
}

async fn brought_back_on_failure(scene: &Desktop, off: &Finding) {
    let before = fs::read_to_string(scene.settings()).unwrap();
    fs::write(scene.bin("fails-at"), "desktop stop").unwrap();
    let failed = scene.apply(&scene.preview(off, "Switch Rosetta on").await).await.unwrap_err();
    assert_eq!(failed.code, FailureCode::Runtime, "{failed}");
    assert!(failed.message.contains("docker desktop stop ended with status 3: cannot do that now"), "{failed}");
    assert!(failed.hint.as_deref().is_some_and(|hint| hint.contains("The engine answers")), "{failed:?}");
    assert_eq!(scene.asked(), ["docker desktop stop", "docker desktop start"]);
    assert_eq!(fs::read_to_string(scene.settings()).unwrap(), before);
    let history = scene.app.history(Nothing {}).await.unwrap();
    assert_eq!(history.receipts[0].state, ChangeState::TakenBack);
    assert_eq!(history.receipts[0].commands.len(), 2);
}
