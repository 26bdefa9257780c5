//! Compose files that were opened in the window: kept for the next start, forgotten when that is wanted, and told when they have gone.

#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use std::{path::Path, sync::Arc};

use silidock_app::{
    App, AppOptions, FailureCode,
    wire::{OpenedDocument, OpenedRequest, ScanRequest},
};
use silidock_host::FixtureHost;

/// A start of the window on the machine of this folder.
fn start(folder: &Path, remember_opened: bool) -> Arc<App> {
    let at = folder.to_str().unwrap();
    let data = folder.join("data");
    let host = FixtureHost::new(folder)
        .with_env("TMPDIR", at)
        .with_env("USER", "sam")
        .with_env("SILIDOCK_DATA_DIR", data.to_str().unwrap());
    App::start(AppOptions { host: Arc::new(host), remember_opened, ..AppOptions::default() })
}

async fn open(app: &Arc<App>, path: &Path) -> Result<(), FailureCode> {
    let compose = vec![vec![path.display().to_string()]];
    let request = ScanRequest { sample: true, compose, ..ScanRequest::default() };
    app.scan(request).await.map(drop).map_err(|failure| failure.code)
}

async fn listed(app: &Arc<App>) -> OpenedDocument {
    app.opened(OpenedRequest::default()).await.unwrap()
}

#[tokio::test]
async fn what_was_opened_is_there_again_until_it_is_forgotten_or_gone() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["one", "two", "three"] {
        std::fs::create_dir(at(name)).unwrap();
        std::fs::write(at(name).join("compose.yaml"), "services:\n  web:\n    image: nginx:1\n").unwrap();
    }
    let names = |all: &[Vec<String>]| -> Vec<String> {
        all.iter().flatten().map(|path| path.rsplit('/').next().unwrap().to_owned()).collect()
    };

    let command_line = start(folder.path(), false);
    open(&command_line, &at("one")).await.unwrap();
    assert_eq!(names(&listed(&command_line).await.projects), ["one"], "for its own run");

    let first = start(folder.path(), true);
    assert_eq!(names(&listed(&first).await.projects), Vec::<String>::new(), "the command line keeps nothing");
    for name in ["one", "two", "two", "three"] {
        open(&first, &at(name)).await.unwrap();
    }
    assert_eq!(open(&first, &at("nowhere")).await, Err(FailureCode::NotFound));
    let now = listed(&first).await;
    assert_eq!(
        (names(&now.projects), now.unkept),
        (vec!["one".to_owned(), "two".to_owned(), "three".to_owned()], None)
    );
    let forget = now.projects[1..2].to_vec();
    assert_eq!(names(&first.opened(OpenedRequest { forget }).await.unwrap().projects), ["one", "three"]);

    std::fs::remove_dir_all(at("three")).unwrap();
    let second = listed(&start(folder.path(), true)).await;
    assert_eq!((names(&second.projects), names(&second.gone)), (vec!["one".to_owned()], vec!["three".to_owned()]));
    let third = listed(&start(folder.path(), true)).await;
    assert_eq!((names(&third.projects), third.gone.len()), (vec!["one".to_owned()], 0), "told once");

    std::fs::write(at("data/opened.json"), "no json").unwrap();
    assert_eq!(listed(&start(folder.path(), true)).await.projects.len(), 0, "a damaged list is as good as none");
    std::fs::remove_dir_all(at("data")).unwrap();
    std::fs::write(at("data"), "a file in the way").unwrap();
    let blocked = start(folder.path(), true);
    open(&blocked, &at("one")).await.unwrap();
    let now = listed(&blocked).await;
    assert_eq!(names(&now.projects), ["one"], "opened all the same");
    assert!(now.unkept.unwrap().contains("opened.json"));
}
