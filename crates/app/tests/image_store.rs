//! Switching the image store over as a person does, on a described Mac: its Docker Desktop is one of two real engines of the lab, the
//! one with the older store or the one with containerd's, whichever its settings say when it is started.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod mac;

use std::fs;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mac::Desktop;
use silidock_app::diagnosis::fix::Safety;
use silidock_app::host::FixtureHost;
use silidock_app::remedy::Verified;
use silidock_app::wire::{BuildersRequest, ChangeState, Nothing, ProposalToken, ReceiptRequest};
use silidock_app::{App, AppOptions, FailureCode};
use tempfile::TempDir;

/// Docker Desktop's client, without plugins: notes its words, and starts the engine that the settings ask for.
const DOCKER: &str = r#"#!/bin/sh
here="$(dirname "$0")"
[ "$1" = desktop ] || exit 1
echo "docker $*" >> "$here/log"
if [ -e "$here/fails-at" ] && [ "$*" = "$(cat "$here/fails-at")" ]; then echo "cannot do that now" >&2; exit 3; fi
[ "$2" != start ] || if grep -q '"UseContainerdSnapshotter": true' "SETTINGS"; then
  printf %s "CONTAINERD" > "$here/target"; else printf %s "CLASSIC" > "$here/target"; fi
"#;

const SETTINGS: &str = "{\n  \"Cpus\": 8,\n  \"UseVirtualizationFramework\": true\n}\n";

impl Desktop {
    fn of(classic: &str, containerd: &str) -> Self {
        let path = |endpoint: &str| endpoint.strip_prefix("unix://").unwrap().to_owned();
        let (classic, containerd) = (path(classic), path(containerd));
        let mac = Self::new(|settings| {
            let docker = DOCKER.replace("SETTINGS", settings.to_str().unwrap());
            docker.replace("CONTAINERD", &containerd).replace("CLASSIC", &classic)
        });
        fs::write(mac.bin("target"), classic).unwrap();
        forward(&mac.socket(), mac.bin("target"));
        mac.set(SETTINGS);
        mac
    }

    fn set(&self, settings: &str) {
        fs::write(self.settings(), settings).unwrap();
    }

    fn set_to(&self) -> String {
        fs::read_to_string(self.settings()).unwrap()
    }

    /// Shows it once more, to be carried out.
    async fn proposed(&self) -> ProposalToken {
        ProposalToken { token: self.app.builders(self.request()).await.unwrap().store_token.unwrap() }
    }

    fn request(&self) -> BuildersRequest {
        BuildersRequest { engine: Some(self.engine()), containerd_store: true, ..BuildersRequest::default() }
    }
}

/// Docker Desktop's socket, leading to the engine that runs.
fn forward(socket: &Path, target: PathBuf) {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            let Ok(engine) = UnixStream::connect(fs::read_to_string(&target).unwrap()) else { continue };
            let back = (engine.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || pass(client, engine));
            std::thread::spawn(move || pass(back.0, back.1));
        }
    });
}

fn pass(mut from: UnixStream, mut to: UnixStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_switched_over_and_back() {
    let (Some(classic), Some(containerd)) = (mac::engine("v28-overlay2"), mac::engine("v28")) else { return };
    silidock_app::init();
    let scene = Desktop::of(&classic, &containerd);
    let stop_and_start = ["docker desktop stop", "docker desktop start"];

    let shown = scene.app.builders(scene.request()).await.unwrap();
    let (fix, preview) = (shown.store_proposal.unwrap(), shown.store_preview.unwrap());
    assert_eq!((fix.safety, preview.commands.len(), preview.diffs.len()), (Safety::Review, 2, 1), "{preview:?}");
    assert!(fix.summary.contains("are not shown until it is switched back"), "{}", fix.summary);
    assert!(preview.told.iter().any(|told| told.contains("of this engine are not shown afterwards")), "{preview:?}");
    assert_eq!((scene.asked(), scene.set_to().as_str()), (Vec::new(), SETTINGS), "a preview changes nothing");

    // One that does not stop: nothing was written, and it is started again.
    fs::write(scene.bin("fails-at"), "desktop stop").unwrap();
    let token = ProposalToken { token: shown.store_token.unwrap() };
    let failed = scene.app.switch_image_store(token.clone()).await.unwrap_err();
    assert!(failed.message.contains("docker desktop stop ended with status 3"), "{failed}");
    assert_eq!((scene.asked(), scene.set_to().as_str()), (stop_and_start.map(str::to_owned).to_vec(), SETTINGS));
    fs::remove_file(scene.bin("fails-at")).unwrap();

    let again = scene.app.switch_image_store(token).await.unwrap_err();
    assert_eq!((again.code, scene.asked()), (FailureCode::Changed, Vec::new()), "what was shown is done once: {again}");
    let token = scene.proposed().await;
    scene.set(&SETTINGS.replace("8", "6"));
    let changed = scene.app.switch_image_store(token).await.unwrap_err();
    assert_eq!((changed.code, scene.asked()), (FailureCode::Changed, Vec::new()), "{changed}");
    scene.set(SETTINGS);

    let outcome = scene.app.switch_image_store(scene.proposed().await).await.unwrap();
    assert_eq!((outcome.verified, outcome.changes.len()), (Verified::Verified, 1), "{}", outcome.words);
    assert!(outcome.words.contains("a tag holds several platforms"), "{}", outcome.words);
    assert_eq!(scene.asked(), stop_and_start);
    assert!(scene.set_to().contains("\"UseContainerdSnapshotter\": true") && scene.set_to().contains("\"Cpus\": 8"));

    let refused = scene.app.builders(scene.request()).await.unwrap_err();
    assert_eq!(refused.code, FailureCode::Refused);
    assert!(refused.message.contains("containerd's store already"), "{refused}");

    let receipt = ReceiptRequest { receipt: outcome.receipt };
    let shown = scene.app.preview_undo(receipt.clone()).await.unwrap();
    assert!(shown.told.iter().any(|told| told.contains("those from before are again")), "{:?}", shown.told);
    let undone = scene.app.apply_undo(receipt).await.unwrap();
    assert_eq!(undone.verified, Verified::Verified, "{}", undone.words);
    assert_eq!((scene.asked(), scene.set_to().as_str()), (stop_and_start.map(str::to_owned).to_vec(), SETTINGS));
    let history = scene.app.history(Nothing {}).await.unwrap();
    let states: Vec<ChangeState> = history.receipts.iter().map(|entry| entry.state).collect();
    assert_eq!(states, [ChangeState::Undone, ChangeState::TakenBack]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_from_here_is_shown_and_not_run() {
    let Some(classic) = mac::engine("v28-overlay2") else { return };
    silidock_app::init();
    let root = TempDir::new().unwrap();
    let host = FixtureHost::new(root.path())
        .with_home(root.path().join("home"))
        .with_env("SILIDOCK_DATA_DIR", root.path().join("data").to_str().unwrap());
    let app = App::start(AppOptions { host: Arc::new(host), ..AppOptions::default() });
    let request = BuildersRequest { engine: Some(classic), containerd_store: true, ..BuildersRequest::default() };
    let shown = app.builders(request).await.unwrap();
    assert_eq!(shown.store_proposal.unwrap().safety, Safety::ShowOnly);
    let preview = shown.store_preview.unwrap();
    assert!(preview.told[0].contains("/etc/docker/daemon.json"), "{preview:?}");
    let token = ProposalToken { token: shown.store_token.unwrap() };
    let refused = app.switch_image_store(token).await.unwrap_err();
    assert_eq!(refused.code, FailureCode::Refused, "{refused}");
    assert_eq!(app.history(Nothing {}).await.unwrap().receipts.len(), 0);
}
