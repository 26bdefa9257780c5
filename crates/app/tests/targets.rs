//! Deploy targets in a project's own file: shown, written exactly as shown, read again, and taken back. On real files.

#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use std::sync::Arc;

use silidock_app::{
    App, AppOptions, FailureCode,
    remedy::Verified,
    wire::{DeploysRequest, ReceiptRequest, ScanRequest, TargetsChange, TargetsRequest, TargetsToken},
};
use silidock_host::FixtureHost;

async fn sample() -> (tempfile::TempDir, Arc<App>, String) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    let host = FixtureHost::new("/").with_env("TMPDIR", at).with_env("USER", "sam").with_home(folder.path());
    let app = App::start(AppOptions { host: Arc::new(host), ..AppOptions::default() });
    let seen = app.scan(ScanRequest { sample: true, ..ScanRequest::default() }).await.unwrap();
    let shop = seen.scan.compose.iter().find(|one| one.name == "reports").and_then(|one| one.folder.clone()).unwrap();
    (folder, app, shop)
}

fn to(folder: &str, targets: &[&str]) -> TargetsChange {
    TargetsChange { folder: folder.to_owned(), targets: targets.iter().map(|one| (*one).to_owned()).collect() }
}

#[tokio::test]
async fn the_file_says_what_was_shown_and_only_that_changes() {
    let (_keep, app, folder) = sample().await;
    let file = std::path::Path::new(&folder).join(".silidock.toml");
    // What the file holds, what is wanted, what it holds afterwards; none where it is refused.
    let rows = [
        (None, &["linux/amd64"][..], Some("[deploy]\ntargets = [\"linux/amd64\"]\n")),
        (
            Some("# ours\r\n[deploy]\r\n"),
            &["linux/arm64"],
            Some("# ours\r\n[deploy]\r\ntargets = [\"linux/arm64\"]\r\n"),
        ),
        (
            Some("[deploy] # where\n\n[deploy.services.web]\ntargets = [\"linux/386\"]\n"),
            &["linux/amd64", "linux/amd64"],
            Some("[deploy] # where\ntargets = [\"linux/amd64\"]\n\n[deploy.services.web]\ntargets = [\"linux/386\"]\n"),
        ),
        (
            Some("[deploy]\n  targets = [ 'linux/amd64' ] # prod\nimages = {}\n"),
            &["linux/amd64", "linux/arm64"],
            Some("[deploy]\n  targets = [\"linux/amd64\", \"linux/arm64\"] # prod\nimages = {}\n"),
        ),
        (Some("[deploy]\ntargets = [\"linux/amd64\"]\n"), &[], Some("[deploy]\n")),
        (Some("[deploy]\ntargets = [\"linux/amd64\"]\n"), &["linux/amd64"], None),
        (Some("[deploy]\ntargets = [\n\"linux/amd64\"]\n"), &["linux/arm64"], None),
        (Some("[deploy]\n"), &[], None),
        (Some("[deploy\n"), &["linux/arm64"], None),
        (
            Some("[allow.services.queue]\npin-missing = \"it goes next week\"\n"),
            &["linux/amd64"],
            Some(
                "[allow.services.queue]\npin-missing = \"it goes next week\"\n[deploy]\ntargets = [\"linux/amd64\"]\n",
            ),
        ),
        // Appended, the list would be taken for there already.
        (Some("[deploy.services.web]\ntargets = [\"linux/386\"]\n"), &["linux/386"], None),
    ];
    for (before, wanted, after) in rows {
        match before {
            Some(text) => std::fs::write(&file, text).unwrap(),
            None => assert!(!file.exists()),
        }
        let shown = app.show_targets(to(&folder, wanted)).await.unwrap();
        assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), before, "looking writes nothing");
        let done = app.set_targets(TargetsToken { token: shown.token }).await;
        let Some(after) = after else {
            let refusal = shown.preview.refused.unwrap();
            assert_eq!((done.unwrap_err().code, refusal.lines_to_type.len()), (FailureCode::Refused, 2), "{before:?}");
            continue;
        };
        let done = done.unwrap();
        assert_eq!((done.verified, std::fs::read_to_string(&file).unwrap().as_str()), (Verified::Verified, after));
        app.apply_undo(ReceiptRequest { receipt: done.receipt }).await.unwrap();
        assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), before, "undone byte for byte");
    }
}

#[tokio::test]
async fn an_image_that_is_built_here_knows_where_it_runs() {
    let (_keep, app, folder) = sample().await;
    let ask = async |image: &str| app.deploys(DeploysRequest { image: image.to_owned() }).await.unwrap().built;
    let before = ask("acme/legacy-report:1").await.unwrap();
    assert_eq!((before.targets.len(), before.folder.as_deref()), (0, Some(folder.as_str())));
    let shown = app.show_targets(to(&folder, &["linux/amd64"])).await.unwrap();
    app.set_targets(TargetsToken { token: shown.token }).await.unwrap();
    let now = ask("acme/legacy-report:1").await.unwrap();
    assert_eq!(now.said_by, format!("{folder}/.silidock.toml:2"));
    assert_eq!(now.targets.iter().map(ToString::to_string).collect::<Vec<_>>(), ["linux/amd64"]);
    assert!(ask("redis:8").await.is_none(), "pulled, not built");

    let remembered =
        app.targets(TargetsRequest { folder: folder.clone(), set: Some(vec!["linux/amd64".to_owned()]) }).await;
    assert_eq!(remembered.unwrap_err().code, FailureCode::Refused, "nothing of a sample is remembered");
    for (request, code) in [
        (to("/nowhere", &["linux/amd64"]), FailureCode::NotFound),
        (to(&folder, &["tablet"]), FailureCode::Refused),
        (to(&folder, &["linux/foo"]), FailureCode::Refused),
    ] {
        assert_eq!(app.show_targets(request).await.unwrap_err().code, code);
    }
}

#[tokio::test]
async fn what_no_file_says_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let host = FixtureHost::new(folder.path()).with_env("SILIDOCK_DATA_DIR", data.to_str().unwrap());
    let app = App::start(AppOptions { host: Arc::new(host), ..AppOptions::default() });
    let project = folder.path().join("shop");
    std::fs::create_dir(&project).unwrap();
    let ask = async |set: Option<&[&str]>| {
        let set = set.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
        let said = app.targets(TargetsRequest { folder: project.display().to_string(), set }).await;
        said.map(|said| said.targets.len()).map_err(|failure| failure.code)
    };
    assert_eq!(ask(Some(&["linux/amd64", "linux/arm64"])).await, Ok(2));
    assert_eq!((ask(None).await, ask(Some(&["tablet"])).await), (Ok(2), Err(FailureCode::Refused)));
    for (text, expected) in [
        ("[allow.services.queue]\npin-missing = \"it goes next week\"\n", Ok(1)),
        ("[deploy]\ntargets = []\n", Err(FailureCode::Refused)),
        ("[deploy\n", Err(FailureCode::Refused)),
    ] {
        std::fs::write(project.join(".silidock.toml"), text).unwrap();
        assert_eq!(ask(Some(&["linux/arm64"])).await, expected, "{text}");
    }
    std::fs::remove_file(project.join(".silidock.toml")).unwrap();
    assert_eq!(ask(Some(&[])).await, Ok(0), "an empty list forgets");
}
