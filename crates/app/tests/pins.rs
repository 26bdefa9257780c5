//! Pins as the window sets them: shown, set exactly as shown, looked at again, and taken back. On the sample's real files.

#![allow(clippy::unwrap_used)] // a test's way to fail

use std::{path::PathBuf, sync::Arc};

use silidock_app::{
    App, AppOptions, FailureCode,
    diagnosis::prospect::ServiceProspect,
    remedy::Verified,
    wire::{PinRequest, PinToken, ReceiptRequest, ScanRequest},
};
use silidock_host::FixtureHost;

fn sample() -> (tempfile::TempDir, Arc<App>) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    let host = FixtureHost::new(folder.path()).with_env("TMPDIR", at).with_env("USER", "sam");
    let app = App::start(AppOptions { host: Arc::new(host), ..AppOptions::default() });
    (folder, app)
}

fn service(app: &App, project: &str, name: &str) -> ServiceProspect {
    let scan = app.last_scan().unwrap();
    let project = scan.compose.into_iter().find(|one| one.name == project).unwrap();
    project.services.known().unwrap().iter().find(|one| one.name == name).unwrap().clone()
}

fn to(file: &str, services: &[&str], platform: Option<&str>) -> PinRequest {
    PinRequest {
        file: file.to_owned(),
        services: services.iter().map(|name| (*name).to_owned()).collect(),
        platform: platform.map(str::to_owned),
        in_override: false,
    }
}

#[tokio::test]
async fn a_pin_is_set_as_it_was_shown_and_the_matrix_follows() {
    let (_folder, app) = sample();
    let nothing = app.show_pin(to("/x", &["web"], None)).await.unwrap_err();
    assert_eq!(nothing.code, FailureCode::NotFound, "nothing was looked at yet");
    app.scan(ScanRequest { sample: true, ..ScanRequest::default() }).await.unwrap();
    let web = service(&app, "shop", "web");
    assert_eq!((web.platform.as_ref(), web.would.words().as_str()), (None, "native"));
    let before = std::fs::read_to_string(&web.path).unwrap();

    let shown = app.show_pin(to(&web.path, &["web", "db"], Some("linux/amd64"))).await.unwrap();
    assert_eq!((shown.title.as_str(), shown.preview.diffs.len()), ("Pin web and db to linux/amd64", 1));
    assert_eq!(std::fs::read_to_string(&web.path).unwrap(), before);
    let done = app.set_pin(PinToken { token: shown.token.clone() }).await.unwrap();
    assert_eq!(done.verified, Verified::Verified, "{}", done.words);
    let web = service(&app, "shop", "web");
    let pin = web.platform.as_ref().unwrap();
    assert!(
        pin.own && pin.value == "linux/amd64" && PathBuf::from(&pin.path).ends_with("shop/compose.yaml"),
        "{pin:?}"
    );
    assert_eq!(app.set_pin(PinToken { token: shown.token }).await.unwrap_err().code, FailureCode::Changed, "only once");

    let stale = app.show_pin(to(&web.path, &["web"], Some("linux/arm64"))).await.unwrap();
    app.apply_undo(ReceiptRequest { receipt: done.receipt }).await.unwrap();
    assert_eq!(std::fs::read_to_string(&web.path).unwrap(), before, "byte for byte");
    assert_eq!(service(&app, "shop", "web").platform, None, "the matrix follows an undo");
    let failure = app.set_pin(PinToken { token: stale.token }).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Changed, "the file is not the one that was shown: {failure}");
    for (request, code) in [
        (to(&web.path, &["web"], Some("tablet")), FailureCode::Refused),
        (to(&web.path, &["nobody"], Some("linux/amd64")), FailureCode::NotFound),
        (to("/nowhere.yaml", &["web"], None), FailureCode::File),
    ] {
        assert_eq!(app.show_pin(request).await.unwrap_err().code, code);
    }
}
