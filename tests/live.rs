//! The use cases over a scripted engine: what is asked and how often, in which order parts arrive, and what events
//! bring about. Nothing here waits for a time to pass, but where the point is that nothing happens.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod common;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use common::scripted::{Container, container, entry, image, mac, put};
use serde_json::{Value, json};
use silidock_app::{
    App, AppOptions, Events, FailureCode,
    host::FixtureHost,
    wire::{Event, Part, ScanRequest, ScanView},
};
use silidock_testkit::{Answer, ScriptedEngine};

/// Longer than a burst of events is waited for: whatever was going to happen has happened.
const LONG: Duration = Duration::from_millis(1200);

fn app(engine: &ScriptedEngine, live: bool) -> Arc<App> {
    let host = FixtureHost::new("/nowhere");
    let engine = Some(engine.address().to_owned());
    App::start(AppOptions { host: Arc::new(host), engine, live, ..AppOptions::default() })
}

fn shop() -> Vec<Container> {
    vec![
        container("db", "db:1", "linux/amd64"),
        container("web", "web:1", "linux/arm64"),
        container("old", "db:1", "linux/amd64").stopped(),
    ]
}

async fn with_shop() -> ScriptedEngine {
    let engine = mac().await;
    put(&engine, &[image("db:1", &[("linux/amd64", true)]), image("web:1", &[("linux/arm64", true)])], &shop());
    engine
}

/// How often each path was asked for.
fn counted(engine: &ScriptedEngine) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in engine.calls() {
        *counts.entry(call.path).or_default() += 1;
    }
    counts
}

async fn view(events: &mut Events) -> ScanView {
    match tokio::time::timeout(Duration::from_secs(20), events.recv()).await.expect("an event arrives").unwrap() {
        Event::Scan { view } => *view,
        Event::Lost { failure } => panic!("lost: {failure}"),
        other => panic!("nobody asked for {other:?}"),
    }
}

#[tokio::test]
async fn a_scan_asks_for_each_list_once_and_for_each_running_container_once() {
    let engine = with_shop().await;
    let app = app(&engine, false);
    app.scan(ScanRequest::default()).await.unwrap();
    let top = |name: &str| format!("/containers/{}/top", container(name, "", "").id());
    let once = [
        "/version".to_owned(),
        "/info".to_owned(),
        "/images/json".to_owned(),
        "/containers/json".to_owned(),
        top("db"),
        top("web"),
    ];
    assert_eq!(counted(&engine), once.into_iter().map(|path| (path, 1)).collect());
    assert!(engine.calls().iter().all(|call| call.method == "GET"));
}

#[tokio::test]
async fn an_older_engine_is_asked_for_each_image_once() {
    let engine = mac().await;
    engine.answer_version("1.41", "1.12");
    let mut images = [image("db:1", &[]), image("web:1", &[])];
    for (image, architecture) in images.iter_mut().zip(["amd64", "arm64"]) {
        image.as_object_mut().unwrap().remove("Manifests");
        let id = image["Id"].as_str().unwrap().to_owned();
        let detail = json!({ "Id": id, "Os": "linux", "Architecture": architecture });
        engine.answer(&format!("/images/{id}/json"), Answer::Json(detail));
    }
    put(&engine, &images, &shop());
    let mut entries: Vec<Value> = shop().iter().map(entry).collect();
    for entry in &mut entries {
        entry.as_object_mut().unwrap().remove("ImageManifestDescriptor");
    }
    engine.answer("/containers/json", Answer::Json(json!(entries)));
    let scan = app(&engine, false).scan(ScanRequest::default()).await.unwrap().scan;
    let inspected: Vec<usize> =
        counted(&engine).into_iter().filter(|(path, _)| path.starts_with("/images/sha256")).map(|(_, n)| n).collect();
    assert_eq!(inspected, [1, 1], "containers and images share the answers");
    let db = scan.containers.iter().find(|c| c.name == "db").unwrap();
    assert_eq!(db.platform.known().unwrap().to_string(), "linux/amd64");
}

#[tokio::test]
async fn containers_and_verdict_come_before_slow_images() {
    let engine = with_shop().await;
    engine.answer("/images/json", Answer::Silent);
    let app = app(&engine, false);
    let mut events = app.subscribe();
    let running = tokio::spawn({
        let app = Arc::clone(&app);
        async move { app.scan(ScanRequest::default()).await }
    });
    let first = view(&mut events).await;
    assert_eq!(first.pending, [Part::Images]);
    assert_eq!(first.scan.containers.len(), 3);
    assert!(first.scan.findings.iter().any(|f| f.check == "emulated-container" && f.subject.id == "db"));
    assert!(!first.scan.coverage.images.listed, "what is not there yet is not called empty");
    running.abort();
}

#[tokio::test]
async fn idle_means_silent_and_a_burst_of_events_one_look() {
    let engine = with_shop().await;
    let app = app(&engine, true);
    let mut events = app.subscribe();
    let first = app.scan(ScanRequest::default()).await.unwrap();
    engine.listened(1).await;
    while !view(&mut events).await.pending.is_empty() {}
    let after_scan = counted(&engine);
    tokio::time::sleep(LONG).await;
    assert_eq!(counted(&engine), after_scan, "nobody asks while nothing happens");

    // What our own looking leaves in the stream, and what changes nothing that is shown.
    for (kind, action) in
        [("container", "top"), ("container", "exec_start: sh"), ("container", "kill"), ("network", "connect")]
    {
        engine.emit_action(kind, action, "x");
    }
    tokio::time::sleep(LONG).await;
    assert_eq!(counted(&engine), after_scan, "looking does not cause the next look");

    let mut containers = shop();
    containers.push(container("new", "web:1", "linux/amd64"));
    put(&engine, &[], &containers);
    for action in ["create", "start", "die", "start"] {
        engine.emit_action("container", action, "x");
    }
    let again = view(&mut events).await;
    assert!(again.generation > first.generation);
    assert_eq!((again.scan.containers.len(), again.scan.images.len()), (4, 2), "images are kept: none was touched");
    tokio::time::sleep(LONG).await;
    assert_eq!(
        (engine.count("/containers/json"), engine.count("/images/json")),
        (2, 1),
        "one look for the whole burst"
    );

    engine.emit_action("image", "delete", "x");
    engine.asked("/images/json", 2).await;
    while !view(&mut events).await.scan.images.is_empty() {}
    assert_eq!(engine.count("/events"), 1, "one stream is enough");
}

#[tokio::test]
async fn an_engine_that_goes_is_told_and_what_was_seen_stays() {
    let engine = with_shop().await;
    let app = app(&engine, true);
    let mut events = app.subscribe();
    app.scan(ScanRequest::default()).await.unwrap();
    engine.listened(1).await;
    engine.stop().await;
    loop {
        match tokio::time::timeout(Duration::from_secs(20), events.recv()).await.expect("it is told").unwrap() {
            Event::Scan { .. } | Event::Bench { .. } => {}
            Event::Lost { failure } => {
                assert_eq!(failure.code, FailureCode::Engine);
                assert!(failure.message.contains("went away"), "{failure:?}");
                break;
            }
            other => panic!("nobody asked for {other:?}"),
        }
    }
    assert_eq!(app.last_scan().unwrap().containers.len(), 3);
    let failure = app.scan(ScanRequest::default()).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Engine);
}

#[tokio::test]
async fn without_an_engine_the_window_shows_the_sample_and_the_command_line_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let host = || {
        let host = FixtureHost::new(folder.path()).with_home("/Users/ada");
        Arc::new(host.with_env("TMPDIR", folder.path().to_str().unwrap()).with_env("USER", "ada"))
    };
    let plain = App::start(AppOptions { host: host(), ..AppOptions::default() });
    let failure = plain.scan(ScanRequest::default()).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::NoEngine);
    for place in ["/var/run/docker.sock", "/Users/ada/.orbstack/run/docker.sock", "/Users/ada/.docker/run/docker.sock"]
    {
        assert!(failure.detail.iter().any(|line| line.contains(place)), "{place} is missing in {failure:?}");
    }
    let window = App::start(AppOptions { host: host(), live: true, ..AppOptions::default() });
    let view = window.scan(ScanRequest::default()).await.unwrap();
    assert!(view.scan.sample, "marked as sample");
    assert_eq!(view.fallback.map(|f| (f.code, f.detail)), Some((failure.code, failure.detail)));
}
