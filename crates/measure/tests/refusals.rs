//! Engines that refuse: each in its own words, and what may have been made is asked to be removed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

use serde_json::json;
use silidock_engine::{ConnectOptions, Engine};
use silidock_host::FixtureHost;
use silidock_measure::{Installation, MeasureError, Options, Probes, identify, sweep};
use silidock_testkit::{Answer, ScriptedEngine};

type Expected = fn(&MeasureError) -> bool;

fn refusal(status: u16, message: &str) -> Answer {
    Answer::Error { status, message: message.to_owned() }
}

async fn connected(engine: &ScriptedEngine) -> Engine {
    let folder = tempfile::tempdir().unwrap();
    let host = FixtureHost::new(folder.path()).with_home("/Users/ada");
    Engine::find(&host, Some(engine.address()), ConnectOptions::default()).await.unwrap()
}

fn probe() -> Options {
    Options { probes: Probes::default().with("amd64", b"\x7fELF".to_vec()), ..Options::default() }
}

#[tokio::test]
async fn each_refusal_has_its_words_and_everything_is_removed() {
    let loaded = || Answer::Json(json!({ "stream": "Loaded image" }));
    let made = || Answer::Json(json!({ "Id": "0a", "Warnings": null }));
    let full = br#"{"stream":"Loading layer"}
{"errorDetail":{"message":"no space left on device"},"error":"no space left on device"}
"#;
    let table: [(&str, Answer, Answer, &str, Expected); 6] = [
        (
            "a full disk, told at the end",
            Answer::Body { status: 200, body: full.to_vec() },
            made(),
            "no space left",
            |error| matches!(error, MeasureError::ImageRefused { .. }),
        ),
        ("a store that cannot", refusal(500, "unsupported archive"), made(), "unsupported archive", |error| {
            matches!(error, MeasureError::ImageRefused { .. })
        }),
        ("a policy", loaded(), refusal(403, "authorization denied by plugin"), "denied by plugin", |error| {
            matches!(error, MeasureError::ContainerRefused { .. })
        }),
        ("no such platform", loaded(), refusal(404, "image does not provide the platform"), "the platform", |error| {
            matches!(error, MeasureError::ContainerRefused { .. })
        }),
        ("an engine that goes", loaded(), Answer::HangUp, "went away", |error| {
            matches!(error, MeasureError::Engine(_))
        }),
        ("a start that fails", loaded(), made(), "does not start", |error| {
            matches!(error, MeasureError::StartRefused { .. })
        }),
    ];
    for (name, load, create, words, expected) in table {
        let scripted = ScriptedEngine::start("1.51").await.unwrap();
        scripted.answer("/images/load", load);
        scripted.answer("/containers/create", create);
        let folder = tempfile::tempdir().unwrap();
        let installation = Installation::open(folder.path()).unwrap();
        let error = identify(&connected(&scripted).await, &installation, probe()).await.unwrap_err();
        assert!(expected(&error) && error.to_string().contains(words), "{name}: {error}");
        assert!(!error.hint().is_empty());
        let removed: Vec<String> =
            scripted.calls().into_iter().filter(|call| call.method == "DELETE").map(|call| call.path).collect();
        let run = installation.run();
        let expected = [format!("/containers/silidock-{run}-0-amd64"), format!("/images/silidock-probe:{run}-0-amd64")];
        assert_eq!(removed, expected, "{name}");
        assert_eq!(scripted.count("/images/load"), 1);
    }
}

#[tokio::test]
async fn what_the_probe_is_not_for_is_said_and_nothing_is_sent() {
    let scripted = ScriptedEngine::start("1.51").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let installation = Installation::open(folder.path()).unwrap();
    let error =
        identify(&connected(&scripted).await, &installation, Options { probes: Probes::default(), ..probe() }).await;
    assert!(matches!(error.unwrap_err(), MeasureError::NoProbe { arch } if arch == "amd64"));
    scripted.answer(
        "/version",
        Answer::Json(json!({ "ApiVersion": "1.51", "MinAPIVersion": "1.24", "Os": "windows", "Arch": "amd64" })),
    );
    let error = identify(&connected(&scripted).await, &installation, probe()).await.unwrap_err();
    assert!(matches!(&error, MeasureError::NotLinux { platform, .. } if platform == "windows/amd64"), "{error}");
    assert!(scripted.calls().iter().all(|call| call.method == "GET"), "{:?}", scripted.calls());
}

#[tokio::test]
async fn a_sweep_says_what_it_could_not_remove() {
    let scripted = ScriptedEngine::start("1.51").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let installation = Installation::open(folder.path()).unwrap();
    let owner = format!("{}/0123456789abcdef", installation.id());
    let labels = json!({ "dev.silidock.owner": owner, "dev.silidock.expires": "2999-01-01T00:00:00Z" });
    scripted.answer("/containers/json", Answer::Json(json!([{ "Id": "0a", "Names": ["/left"], "Labels": labels }])));
    scripted.answer("/containers/0a", refusal(409, "it is stuck"));
    let swept = sweep(&connected(&scripted).await, &installation).await.unwrap();
    assert_eq!(swept.containers, Vec::<String>::new());
    let [stuck, unlisted] = &*swept.gaps else { panic!("{:?}", swept.gaps) };
    assert!(stuck.what.contains("left") && stuck.why.contains("it is stuck"), "{stuck:?}");
    assert!(unlisted.what.contains("networks"), "an engine without networks: {unlisted:?}");
    assert_eq!(scripted.count("/containers/0a"), 3, "it insists");
}
