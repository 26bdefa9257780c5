//! What engines answer, from 20.10 to the newest and Podman: read tolerantly, asked sparingly, kept as text.

// The helpers of tests may fail loudly, too.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use silidock_engine::{
    ConnectOptions, Engine, EngineError, Event, EventKind, ManifestKind, Origin, PlatformRecord, Target, TopError,
};
use silidock_testkit::{Answer, ScriptedEngine};

/// What a failure should be.
type Expected = fn(&TopError) -> bool;

async fn connect(engine: &ScriptedEngine) -> Engine {
    let target = Target {
        name: "test".to_owned(),
        endpoint: engine.address().parse().unwrap(),
        context: None,
        origin: Origin::Explicit,
        chosen_by: "the test chose it".to_owned(),
        leads_to: None,
    };
    Engine::connect(&target, ConnectOptions::default()).await.unwrap()
}

fn platform(os: &str, architecture: &str, variant: &str) -> PlatformRecord {
    PlatformRecord { os: os.to_owned(), architecture: architecture.to_owned(), variant: variant.to_owned() }
}

#[tokio::test]
async fn every_engine_is_spoken_to_in_a_version_it_serves() {
    // Engine and Podman releases: what they offer, the oldest they serve, what is spoken, whether manifests are asked for.
    let table = [
        ("Engine 19.03", "1.40", "1.12", "1.40", false),
        ("Engine 20.10, Podman 5.0", "1.41", "1.12", "1.41", false),
        ("Engine 25, Podman 5.8", "1.44", "1.24", "1.44", false),
        ("Engine 27.5", "1.47", "1.24", "1.47", true),
        ("Engine 28.5", "1.51", "1.24", "1.51", true),
        ("Engine 29.1", "1.52", "1.44", "1.52", true),
        ("Engine 29.7", "1.55", "1.40", "1.53", true),
    ];
    for (release, offered, minimum, spoken, manifests) in table {
        let engine = ScriptedEngine::start(offered).await.unwrap();
        engine.answer_version(offered, minimum);
        let client = connect(&engine).await;
        client.images().await.unwrap();
        assert_eq!(client.api_version().to_string(), spoken, "{release}");
        let calls = engine.calls();
        assert_eq!((calls[0].path.as_str(), calls[0].version.as_deref()), ("/version", None), "{release}: unversioned");
        assert_eq!(calls[1].version.as_deref(), Some(spoken), "{release}");
        assert_eq!(calls[1].query == "manifests=1", manifests, "{release}: {}", calls[1].query);
        assert_eq!(calls.len(), 2, "{release}: nothing else is asked");
    }
}

#[tokio::test]
async fn one_odd_entry_does_not_lose_the_list() {
    let engine = ScriptedEngine::start("1.51").await.unwrap();
    let client = connect(&engine).await;
    let good = json!({ "Id": "sha256:1", "RepoTags": null, "RepoDigests": ["<none>@<none>"], "Created": "long ago" });
    let entries = json!([good, { "RepoTags": [] }, null, "text", { "Id": "sha256:5", "RepoTags": ["<none>:<none>"] }]);
    engine.answer("/images/json", Answer::Json(entries));
    let images = client.images().await.unwrap();
    let ids: Vec<&str> = images.items.iter().map(|image| image.id.as_str()).collect();
    assert_eq!(ids, ["sha256:1", "sha256:5"]);
    assert!(images.items.iter().all(|image| image.repo_tags.is_empty() && image.repo_digests.is_empty()));
    assert_eq!(images.items[0].created, None, "a value nobody depends on may be odd");
    let unreadable: Vec<usize> = images.unreadable.iter().map(|entry| entry.index).collect();
    assert_eq!(unreadable, [1, 2, 3]);
    assert_eq!(images.unreadable[0].why, "missing field `Id`");

    engine.answer("/containers/json", Answer::Json(Value::Null));
    assert!(client.containers().await.unwrap().items.is_empty(), "Go writes an empty list as null");
}

#[tokio::test]
async fn a_list_that_loses_an_image_on_the_way_is_asked_for_again_and_not_for_ever() {
    let engine = ScriptedEngine::start("1.51").await.unwrap();
    let client = connect(&engine).await;
    let message = "content digest sha256:1: not found".to_owned();
    engine.answer("/images/json", Answer::Error { status: 404, message });
    assert!(client.images().await.unwrap_err().to_string().contains("content digest sha256:1"));
    assert_eq!(engine.count("/images/json"), 4);
    engine.answer("/images/json", Answer::Error { status: 500, message: "broken".to_owned() });
    assert!(client.images().await.is_err());
    assert_eq!(engine.count("/images/json"), 5, "what is no vanished image is said at once");
}

#[tokio::test]
async fn manifests_keep_what_is_here_apart_from_what_is_listed() {
    let engine = ScriptedEngine::start("1.51").await.unwrap();
    let client = connect(&engine).await;
    let manifests = json!([
        { "ID": "sha256:a", "Descriptor": { "digest": "sha256:a", "platform": { "os": "linux", "architecture": "arm64" } },
          "Available": true, "Kind": "image", "Size": { "Total": 7 },
          "ImageData": { "Platform": { "os": "linux", "architecture": "arm64", "variant": "v8" }, "Containers": ["c1"] } },
        { "ID": "sha256:b", "Descriptor": { "digest": "sha256:b", "platform": { "os": "linux", "architecture": "amd64" } },
          "Available": false, "Kind": "image", "ImageData": { "Containers": null } },
        { "ID": "sha256:c", "Available": true, "Kind": "attestation", "AttestationData": { "For": "sha256:a" },
          "Descriptor": { "digest": "sha256:c", "platform": { "os": "unknown", "architecture": "unknown" } } },
        { "ID": "sha256:d", "Available": true, "Kind": "unknown" },
        { "ID": "sha256:e", "Kind": "image" }
    ]);
    let untold = json!({ "Id": "sha256:old", "Manifests": null });
    engine.answer("/images/json", Answer::Json(json!([{ "Id": "sha256:x", "Manifests": manifests }, untold])));
    let images = client.images().await.unwrap().items;
    assert_eq!(images[1].manifests, None, "not told is not the same as none");
    let listing = images[0].manifests.as_ref().unwrap();
    let seen: Vec<_> = listing
        .items
        .iter()
        .map(|manifest| (manifest.digest.as_str(), &manifest.kind, manifest.platform.clone(), manifest.available))
        .collect();
    let other = ManifestKind::Other("unknown".to_owned());
    let expected = [
        ("sha256:a", &ManifestKind::Image, Some(platform("linux", "arm64", "v8")), true),
        ("sha256:b", &ManifestKind::Image, Some(platform("linux", "amd64", "")), false),
        ("sha256:c", &ManifestKind::Attestation, Some(platform("unknown", "unknown", "")), true),
        ("sha256:d", &other, None, true),
    ];
    assert_eq!(seen, expected);
    assert_eq!((listing.items[0].size, &listing.items[0].containers), (Some(7), &vec!["c1".to_owned()]));
    assert_eq!(listing.unreadable.len(), 1, "whether it is here is not guessed");
}

#[tokio::test]
async fn hostile_names_stay_text_and_secrets_stay_behind() {
    let engine = ScriptedEngine::start("1.51").await.unwrap();
    let client = connect(&engine).await;
    let name = "<img onerror=alert(1)>\u{1b}[31m\u{202e}gnp\nnext";
    let long = "x".repeat(4096);
    let container = json!({
        "Id": "0123456789abcdef", "Names": ["/web/alias", format!("/{name}")], "Image": name, "ImageID": "sha256:1",
        "Command": "sh -c 'login --password hunter2'", "State": "running", "Status": "Up", "Created": 5,
        "Labels": { "com.docker.compose.project": long, "dev.silidock.owner": name, "token": "hunter2" },
        "ImageManifestDescriptor": { "digest": "sha256:m", "platform": { "os": "linux", "architecture": "" } }
    });
    engine.answer("/containers/json", Answer::Json(json!([container, { "Id": "fedcba9876543210" }])));
    let listing = client.containers().await.unwrap();
    let [seen, bare] = listing.items.as_slice() else { panic!("{listing:?}") };
    assert_eq!((seen.name(), seen.image.as_str()), (name, name));
    assert_eq!(bare.name(), "fedcba987654", "one without a name goes by its identifier");
    assert_eq!(seen.labels.get("com.docker.compose.project"), Some(&long));
    assert_eq!(seen.labels.get("dev.silidock.owner").map(String::as_str), Some(name));
    assert_eq!(seen.image_manifest.as_ref().unwrap().platform, Some(platform("linux", "", "")));
    assert!(!format!("{listing:?}").contains("hunter2"), "commands and foreign labels are not kept");
    assert_eq!(engine.calls().last().unwrap().query, "all=1");

    let details = json!({
        "Id": "1", "Image": "sha256:1", "Platform": "linux", "Path": "hunter2", "Args": ["hunter2"],
        "Config": { "Env": ["TOKEN=hunter2"], "Image": "web:1" },
        "State": { "Status": "exited", "ExitCode": 139, "Error": "", "StartedAt": "2026-11-20T10:00:00Z",
                   "FinishedAt": "0001-01-01T00:00:00Z" }
    });
    engine.answer("/containers/a%20b%3Fc/json", Answer::Json(details));
    let details = client.inspect_container("a b?c").await.unwrap();
    assert_eq!(
        (details.state.as_str(), details.exit_code, details.finished_at.as_deref(), details.reference.as_str()),
        ("exited", Some(139), None, "web:1")
    );
    assert!(!format!("{details:?}").contains("hunter2"), "environment and arguments are not kept");
}

#[tokio::test]
async fn about_reads_what_there_is() {
    let engine = ScriptedEngine::start("1.51").await.unwrap();
    let client = connect(&engine).await;
    let about = client.about().await.unwrap();
    assert!(about.containerd_store());
    assert_eq!((about.architecture.as_str(), about.cpus, about.memory), ("x86_64", Some(2), Some(4_294_967_296)));
    engine.answer("/info", Answer::Json(json!({ "Architecture": "aarch64", "Labels": null, "NCPU": "two" })));
    let about = client.about().await.unwrap();
    assert!(!about.containerd_store());
    assert_eq!((about.architecture.as_str(), about.cpus, about.name.as_str()), ("aarch64", None, ""));
}

#[tokio::test]
async fn processes_and_the_reasons_for_having_none() {
    let engine = ScriptedEngine::start("1.51").await.unwrap();
    let client = connect(&engine).await;
    let rows = json!({ "Titles": ["PID", "COMMAND"], "Processes": [["12", "{sh} /usr/bin/qemu-x86_64 /bin/sh"], ["13", "x"]] });
    engine.answer("/containers/c/top", Answer::Json(rows));
    let processes = client.top("c").await.unwrap();
    assert_eq!(processes.iter().map(|process| process.pid).collect::<Vec<_>>(), [12, 13]);
    assert_eq!(processes[0].args, "{sh} /usr/bin/qemu-x86_64 /bin/sh");
    assert!(!format!("{processes:?}").contains("qemu"), "arguments are not printed");
    assert_eq!(engine.calls().last().unwrap().query, "ps_args=-eo%20pid%2Cargs");

    let cases: [(u16, &str, Expected); 7] = [
        (404, "No such container: c", |e| matches!(e, TopError::Gone)),
        (409, "container 12 is not running", |e| matches!(e, TopError::NotRunning)),
        (500, "Container c is restarting, wait until the container is running", |e| matches!(e, TopError::NotRunning)),
        (500, "top can only be used on running containers", |e| matches!(e, TopError::NotRunning)),
        (500, "exec: \"ps\": executable file not found in $PATH", |e| matches!(e, TopError::NoPs { .. })),
        (500, "Error running ps: ps: unrecognized option: e", |e| matches!(e, TopError::Refused { .. })),
        (501, "not supported on Windows", |e| matches!(e, TopError::Refused { .. })),
    ];
    for (status, message, expected) in cases {
        engine.answer("/containers/c/top", Answer::Error { status, message: message.to_owned() });
        let error = client.top("c").await.unwrap_err();
        assert!(expected(&error), "{message}: {error:?}");
    }
    engine.answer("/containers/c/top", Answer::Body { status: 200, body: Vec::new() });
    let podman = client.top("c").await.unwrap_err();
    assert!(matches!(podman, TopError::NotRunning), "{podman:?}");
    for odd in
        [json!({ "Titles": ["USER"] }), json!({ "Titles": ["PID", "CMD"], "Processes": [["x", "y"]] }), json!({})]
    {
        engine.answer("/containers/c/top", Answer::Json(odd.clone()));
        let error = client.top("c").await.unwrap_err();
        assert!(matches!(error, TopError::Engine(EngineError::BadAnswer { .. })), "{odd}: {error:?}");
    }
}

#[tokio::test]
async fn processor_time_is_one_question_and_never_a_guess() {
    let engine = ScriptedEngine::start("1.51").await.unwrap();
    let client = connect(&engine).await;
    let path = "/containers/c/stats";
    engine.answer(path, Answer::Json(json!({ "cpu_stats": { "cpu_usage": { "total_usage": 42_000 } } })));
    assert_eq!(client.cpu_total("c").await.unwrap(), 42_000);
    assert_eq!(engine.calls().last().unwrap().query, "stream=false&one-shot=true");
    for stopped in
        [json!({ "cpu_stats": { "cpu_usage": { "total_usage": 0 } } }), json!({ "cpu_stats": null }), json!({})]
    {
        engine.answer(path, Answer::Json(stopped.clone()));
        let error = client.cpu_total("c").await.unwrap_err();
        assert!(matches!(error, EngineError::BadAnswer { .. }), "{stopped}: {error:?}");
    }
}

#[tokio::test]
async fn events_tell_of_changes_and_of_the_end() {
    let engine = ScriptedEngine::start("1.51").await.unwrap();
    let client = connect(&engine).await;
    let mut events = client.events(None);
    let first = tokio::spawn(async move { (events.next().await, events) });
    engine.listened(1).await;
    // What a scan or a health check causes itself, other kinds, and odd lines are passed over.
    engine.emit_action("container", "top", "c");
    engine.emit_action("container", "exec_start: /bin/true", "c");
    engine.emit_action("container", "health_status: healthy", "c");
    engine.emit_action("network", "connect", "n");
    engine.emit(&json!(["odd"]));
    engine.emit_action("container", "die", "c1");
    let (event, mut events) = first.await.unwrap();
    let expected = Event { kind: EventKind::Container, action: "die".to_owned(), id: "c1".to_owned() };
    assert_eq!(event.unwrap().unwrap(), expected);
    engine.emit_action("image", "untag", "i");
    engine.emit_action("daemon", "reload", "");
    let kinds = [events.next().await, events.next().await].map(|event| event.unwrap().unwrap().kind);
    assert_eq!(kinds, [EventKind::Image, EventKind::Daemon]);
    engine.stop().await;
    let end = tokio::time::timeout(Duration::from_secs(10), events.next()).await.unwrap().unwrap();
    assert!(matches!(end, Err(EngineError::Gone { .. })), "{end:?}");
    assert!(events.next().await.is_none(), "after the error comes nothing");
    assert_eq!(engine.count("/events"), 1, "the stream does not come back by itself");
}
