//! The queue of safe fixes, on real engines: one after the other, ended by the first that fails; what was done before stays, and is
//! undone by itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test's ways to fail"
)]

#[path = "../../../tests/common/lab.rs"]
#[allow(dead_code, reason = "shared with the black-box tests")]
mod lab;

use std::sync::Arc;

use lab::{Lab, on_each};
use silidock_app::{
    App, AppOptions, FailureCode,
    host::FixtureHost,
    wire::{AllSafeRequest, ApplyRequest, Nothing, ReceiptRequest, ScanRequest},
};
use tempfile::TempDir;

const IMAGE: &str = "silidock-lab/multi:1";
const STAYS: &str = "while :; do /bin/busybox sleep 3600; done";

/// Containers that go with the test.
struct Containers<'l> {
    lab: &'l Lab,
    names: Vec<String>,
}

impl Drop for Containers<'_> {
    fn drop(&mut self) {
        for name in &self.names {
            // A test that has failed says so itself.
            let _ = self.lab.client(&["rm", "--force", name]).output();
            let kept = self.lab.client(&["images", "--format", "{{.Repository}}:{{.Tag}}"]).output();
            let kept = String::from_utf8(kept.unwrap().stdout).unwrap();
            for image in kept.lines().filter(|image| image.contains(&format!("silidock-kept/{name}:"))) {
                let _ = self.lab.client(&["rmi", image]).output();
            }
        }
    }
}

fn machine(lab: &Lab, name: &str) -> String {
    lab.docker(&["exec", name, "/bin/busybox", "uname", "-m"])
}

#[test]
fn the_first_that_fails_ends_it_and_what_was_done_before_stays() {
    on_each("the queue of safe fixes", |lab| {
        // The slow machine takes minutes for what the other one shows.
        if lab.name == "arm64" {
            return;
        }
        // Only there is the same content here for both platforms under one tag.
        if !lab.containerd_store()
            || lab.client(&["image", "inspect", IMAGE]).output().is_ok_and(|o| !o.status.success())
        {
            return;
        }
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(queue(lab));
    });
}

async fn queue(lab: &Lab) {
    let foreign = if Lab::arch(&lab.foreign) == "amd64" { "x86_64" } else { "aarch64" };
    let fails = format!("test \"$(/bin/busybox uname -m)\" = {foreign} || exit 7; {STAYS}");
    let name = |letter: char| format!("recreate-queue-{}-{letter}", std::process::id());
    let made = Containers { lab, names: ['a', 'b', 'c'].map(name).to_vec() };
    for (name, script) in made.names.iter().zip([STAYS, &fails, STAYS]) {
        let platform = ["--platform", &lab.foreign, "--stop-signal", "KILL", "--network", "none"];
        lab.docker(
            &[&["run", "-d", "--pull", "never", "--name", name], &platform[..], &[IMAGE, "/bin/sh", "-c", script]]
                .concat(),
        );
    }
    let home = TempDir::new().unwrap();
    let host = Arc::new(
        FixtureHost::new("/").with_home(home.path()).with_env("SILIDOCK_DATA_DIR", home.path().to_str().unwrap()),
    );
    let app = App::start(AppOptions { host, ..AppOptions::default() });
    let engine = Some(lab.endpoint.clone());
    app.scan(ScanRequest { engine, ..ScanRequest::default() }).await.unwrap();
    let shown = app.preview_all_safe(Nothing {}).await.unwrap();
    let of = |name: &String| {
        shown.fixes.iter().find(|fix| fix.finding.subject.id == *name).unwrap_or_else(|| panic!("{name}: {shown:?}"))
    };
    let wanted: Vec<ApplyRequest> = made.names.iter().map(|name| ApplyRequest::from(of(name))).collect();
    let ids: Vec<String> = wanted.iter().map(|one| one.finding.clone()).collect();

    let outcome = app.apply_all_safe(AllSafeRequest { fixes: wanted.clone() }).await.unwrap();
    assert_eq!(outcome.done.len(), 1, "{outcome:?}");
    let failed = outcome.failed.as_ref().unwrap();
    assert_eq!((&failed.finding, failed.failure.code), (&ids[1], FailureCode::Runtime), "{failed:?}");
    assert_eq!(outcome.not_begun, [ids[2].clone()]);
    let machines = || made.names.iter().map(|name| machine(lab, name)).collect::<Vec<_>>();
    let native = if foreign == "x86_64" { "aarch64" } else { "x86_64" };
    assert_eq!(machines(), [native, foreign, foreign]);

    let again = app.apply_all_safe(AllSafeRequest { fixes: wanted }).await.unwrap_err();
    assert_eq!(again.code, FailureCode::Changed, "a preview is good for once");
    let receipt = outcome.done[0].receipt.clone();
    app.apply_undo(ReceiptRequest { receipt }).await.unwrap();
    assert_eq!(machines(), [foreign; 3]);
}
