//! Every way in which an engine can fail has its own words: proven against real sockets that fail that way.

// The helpers of tests may fail loudly, too.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use silidock_engine::{ConnectOptions, Endpoint, Engine, EngineError, Origin, SshFailure, Target, TlsMaterial};
use silidock_testkit::{Answer, ScriptedEngine};

/// What a failure should be.
type Expected<E> = fn(&E) -> bool;

fn target(endpoint: Endpoint) -> Target {
    Target {
        name: "test".to_owned(),
        endpoint,
        context: None,
        origin: Origin::Explicit,
        chosen_by: "the test chose it".to_owned(),
        leads_to: None,
    }
}

/// Short limits where an engine stays silent, so that it does not hold up the tests.
fn short() -> ConnectOptions {
    ConnectOptions { call: Duration::from_millis(500), ..ConnectOptions::default() }
}

async fn connect(address: &str, options: ConnectOptions) -> Result<Engine, EngineError> {
    Engine::connect(&target(address.parse().unwrap()), options).await
}

/// Connects where connecting must fail, and checks that the failure speaks for itself.
async fn refused_by(address: &str) -> EngineError {
    refused_within(address, ConnectOptions::default()).await
}

async fn refused_within(address: &str, options: ConnectOptions) -> EngineError {
    let error = connect(address, options).await.unwrap_err();
    assert_eq!(error.endpoint(), address, "the failure names the address");
    assert!(error.hint().ends_with('.'), "the hint is a sentence: {}", error.hint());
    error
}

/// The failure of an engine that answers `/version` in some way.
async fn with_version(answer: Answer) -> EngineError {
    let engine = ScriptedEngine::blank().await.unwrap();
    engine.answer("/version", answer);
    refused_by(engine.address()).await
}

#[tokio::test]
async fn sockets_that_lead_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.sock");
    let error = refused_by(&format!("unix://{}", missing.display())).await;
    assert!(matches!(&error, EngineError::NoSocket { path, .. } if *path == missing), "{error:?}");

    let engine = ScriptedEngine::start("1.51").await.unwrap();
    engine.stop().await;
    let error = refused_by(engine.address()).await;
    assert!(matches!(error, EngineError::Refused { .. }), "{error:?}");

    let engine = ScriptedEngine::blank_tcp().await.unwrap();
    engine.stop().await;
    let error = refused_by(engine.address()).await;
    assert!(matches!(error, EngineError::Refused { .. }), "{error:?}");

    let error = refused_by("tcp://no-such-host.invalid:2375").await;
    assert!(matches!(error, EngineError::Unreachable { .. } | EngineError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn answers_that_are_no_engine() {
    let cases: [(&str, Answer); 6] = [
        ("another protocol", Answer::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        ("a web page", Answer::Body { status: 200, body: b"<html>Hello</html>".to_vec() }),
        ("another web server", Answer::Error { status: 404, message: "not found".to_owned() }),
        ("other JSON", Answer::Json(serde_json::json!({ "version": "7.10.2", "tagline": "You Know" }))),
        ("a JSON list", Answer::Json(serde_json::json!([1, 2]))),
        ("no version in it", Answer::Json(serde_json::json!({ "ApiVersion": "soon" }))),
    ];
    for (what, answer) in cases {
        let error = with_version(answer).await;
        assert!(matches!(error, EngineError::NotDocker { .. }), "{what}: {error:?}");
    }
}

#[tokio::test]
async fn answers_that_do_not_come() {
    let cases = [("silent", Answer::Silent), ("stalled", Answer::Stall { sent: b"{\"Ap".to_vec() })];
    for (what, answer) in cases {
        let engine = ScriptedEngine::blank().await.unwrap();
        engine.answer("/version", answer);
        let error = refused_within(engine.address(), short()).await;
        let timed_out = matches!(&error, EngineError::TimedOut { after, .. } if *after == short().call);
        assert!(timed_out, "{what}: {error:?}");
    }
    let cases = [("hung up", Answer::HangUp), ("half closed", Answer::Cut { sent: b"{\"Ap".to_vec(), promised: 900 })];
    for (what, answer) in cases {
        let error = with_version(answer).await;
        assert!(matches!(error, EngineError::Gone { .. }), "{what}: {error:?}");
    }
}

#[tokio::test]
async fn an_engine_that_starts_or_is_guarded_is_still_an_engine() {
    for code in [500, 503, 403, 401] {
        let error = with_version(Answer::Error { status: code, message: "one\n\u{1b}[31mtwo".to_owned() }).await;
        let EngineError::Status { code: seen, message, .. } = &error else { panic!("{code}: {error:?}") };
        assert_eq!((*seen, message.as_str()), (code, "one [31mtwo"), "status and message, on one line");
    }
}

#[tokio::test]
async fn versions_that_do_not_meet() {
    let engine = ScriptedEngine::blank().await.unwrap();
    engine.answer_version("1.39", "1.12");
    let error = refused_by(engine.address()).await;
    assert!(matches!(error, EngineError::TooOld { .. }), "{error:?}");
    assert!(error.to_string().contains("1.39") && error.to_string().contains("1.40"), "{error}");

    engine.answer_version("2.10", "2.0");
    let error = refused_by(engine.address()).await;
    assert!(matches!(error, EngineError::TooNew { .. }), "{error:?}");
    assert!(error.to_string().contains("2.0"), "{error}");
}

#[tokio::test]
async fn tls_that_does_not_come_about() {
    silidock_engine::init();
    let engine = ScriptedEngine::blank_tcp().await.unwrap();
    let Ok(Endpoint::Tcp { host, port }) = engine.address().parse() else { panic!("{}", engine.address()) };
    let tls = |material| target(Endpoint::Tls { host: host.clone(), port, material });
    let missing = TlsMaterial { ca: Some(PathBuf::from("/nowhere/ca.pem")), ..TlsMaterial::default() };
    let error = Engine::connect(&tls(missing), ConnectOptions::default()).await.unwrap_err();
    assert!(matches!(&error, EngineError::Tls { why, .. } if why.contains("/nowhere/ca.pem")), "{error:?}");

    let words = "Client sent an HTTP request to an HTTPS server.\n";
    engine.answer("/version", Answer::Body { status: 400, body: words.into() });
    let error = connect(engine.address(), ConnectOptions::default()).await.unwrap_err();
    assert!(matches!(&error, EngineError::Tls { why, .. } if why.contains("wants TLS")), "{error:?}");
}

#[tokio::test]
async fn an_engine_that_goes_during_a_scan() {
    let engine = ScriptedEngine::start("1.51").await.unwrap();
    let client = connect(engine.address(), short()).await.unwrap();
    let image = "/images/sha256:abc/json";
    let cases: [(&str, Answer, Expected<EngineError>); 5] = [
        ("cut", Answer::Cut { sent: b"{".to_vec(), promised: 10 }, |e| matches!(e, EngineError::Gone { .. })),
        ("silent", Answer::Silent, |e| matches!(e, EngineError::TimedOut { .. })),
        ("nonsense", Answer::Json(serde_json::json!([3])), |e| matches!(e, EngineError::BadAnswer { .. })),
        (
            "broken JSON",
            Answer::Body { status: 200, body: b"{\"Id\":".to_vec() },
            |e| matches!(e, EngineError::BadAnswer { why, .. } if why == "it ends too early"),
        ),
        ("vanished", Answer::Error { status: 404, message: "No such image".to_owned() }, EngineError::is_not_found),
    ];
    for (what, answer, expected) in cases {
        engine.answer(image, answer);
        let error = client.inspect_image("sha256:abc").await.unwrap_err();
        assert!(expected(&error), "{what}: {error:?}");
        assert_eq!(error.is_engine_lost(), what == "cut", "{what}");
    }
    engine.stop().await;
    let error = client.images().await.unwrap_err();
    assert!(matches!(error, EngineError::Refused { .. }) && error.is_engine_lost(), "{error:?}");
}

/// An ssh program of the test's own.
fn ssh_program(folder: &Path, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("ssh");
    std::fs::write(&path, format!("#!/bin/bash\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn ssh_says_why_it_fails() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint: Endpoint = "ssh://ada@builder".parse().unwrap();
    let cases: [(&str, Expected<SshFailure>); 4] = [
        ("ada@builder: Permission denied (publickey).", |f| matches!(f, SshFailure::Authentication { .. })),
        ("No ED25519 host key is known.\nHost key verification failed.", |f| matches!(f, SshFailure::HostKey { .. })),
        ("ssh: Could not resolve hostname builder: Name or service not known", |f| {
            matches!(f, SshFailure::Unreachable { .. })
        }),
        ("bash: line 1: docker: command not found", |f| matches!(f, SshFailure::NoDocker { .. })),
    ];
    for (printed, expected) in cases {
        let program = ssh_program(folder.path(), &format!("printf '%s\\n' '{printed}' >&2; exit 255"));
        let options = ConnectOptions { ssh_program: program, ..ConnectOptions::default() };
        let error = Engine::connect(&target(endpoint.clone()), options).await.unwrap_err();
        let EngineError::Ssh { source, .. } = &error else { panic!("{printed}: {error:?}") };
        assert!(expected(source), "{printed}: {source:?}");
    }
    let options = ConnectOptions { ssh_program: folder.path().join("none"), ..ConnectOptions::default() };
    let error = Engine::connect(&target(endpoint), options).await.unwrap_err();
    assert!(matches!(&error, EngineError::Ssh { source: SshFailure::NoProgram, .. }), "{error:?}");
}

#[tokio::test]
async fn ssh_carries_questions_and_is_never_asked_for_more() {
    let engine = ScriptedEngine::blank_tcp().await.unwrap();
    engine.answer_version("1.51", "1.24");
    engine.answer("/containers/json", Answer::Json(serde_json::json!([{ "Id": "one" }])));
    let folder = tempfile::tempdir().unwrap();
    let port = engine.address().rsplit(':').next().unwrap();
    let words = folder.path().join("words");
    let program = ssh_program(
        folder.path(),
        &format!("echo \"$@\" > {}\nexec 3<>/dev/tcp/127.0.0.1/{port}\ncat <&3 &\ncat >&3", words.display()),
    );
    let options = ConnectOptions { ssh_program: program, ..ConnectOptions::default() };
    let endpoint: Endpoint = "ssh://ada@builder:2222/run/it's.sock".parse().unwrap();
    let client = Engine::connect(&target(endpoint), options).await.unwrap();
    assert_eq!(client.containers().await.unwrap().items.len(), 1);
    let said = std::fs::read_to_string(words).unwrap();
    let expected = r"-T -o BatchMode=yes -o UpdateHostKeys=no -o ControlMaster=no -o ClearAllForwardings=yes -o PermitLocalCommand=no -o ConnectTimeout=4 -l ada -p 2222 -- builder docker --host 'unix:///run/it'\''s.sock' system dial-stdio";
    assert_eq!(said.trim(), expected);
}
