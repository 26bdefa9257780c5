//! Asking registries: a real one on loopback with and without a password, and a scripted one for what a real one cannot
//! be made to do. Whatever happens, no secret is printed and no login leaves its host.

// The helpers of tests may fail loudly, too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

#[path = "../../../tests/common/registry.rs"]
mod lab;

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use lab::{DOCKER, OCI, PASSWORD, Registry, USER, digest};
use serde_json::{Value, json};
use silidock_diagnosis::{fact::Fact, upstream::UpstreamContent};
use silidock_host::{BoxFuture, DirEntry, Host, HostFacts, LocalHost, Output, ReadError, RunError, ToolRun};
use silidock_observe::registry::{Answers, Patience, Reference, Registries, RegistryError};
use silidock_testkit::{Reply, Request, ScriptedServer};
use tempfile::TempDir;

/// This machine with an environment of the test's own.
#[derive(Debug)]
struct Machine {
    env: BTreeMap<String, String>,
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let config = folder.path().display().to_string();
        let env = [("DOCKER_CONFIG", config.clone()), ("PATH", format!("{config}/bin:/usr/bin:/bin"))];
        fs::create_dir(folder.path().join("bin")).unwrap();
        Self { env: env.map(|(k, v)| (k.to_owned(), v)).into(), folder }
    }

    fn settings(self, settings: &Value) -> Self {
        fs::write(self.folder.path().join("config.json"), settings.to_string()).unwrap();
        self
    }

    /// A credential helper that notes what it is asked for.
    fn helper(self, name: &str, answer: &str) -> Self {
        let file = self.folder.path().join("bin").join(format!("docker-credential-{name}"));
        let asked = self.asked();
        let script = format!("#!/bin/sh\nread -r key\necho \"{name} $1 $key\" >> {}\n{answer}\n", asked.display());
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn asked(&self) -> PathBuf {
        self.folder.path().join("asked")
    }
}

impl Host for Machine {
    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }
    fn env_or_empty(&self, name: &str) -> Option<String> {
        self.env(name)
    }
    fn home(&self) -> Option<PathBuf> {
        Some(self.folder.path().to_owned())
    }
    fn read(&self, path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
        LocalHost.read(path, limit)
    }
    fn exists(&self, path: &Path) -> bool {
        LocalHost.exists(path)
    }
    fn is_executable(&self, path: &Path) -> bool {
        LocalHost.is_executable(path)
    }
    fn list_dir(&self, path: &Path) -> Result<Vec<DirEntry>, ReadError> {
        LocalHost.list_dir(path)
    }
    fn real_path(&self, path: &Path) -> Result<PathBuf, ReadError> {
        LocalHost.real_path(path)
    }
    fn run<'a>(&'a self, tool: &'a ToolRun) -> BoxFuture<'a, Result<Output, RunError>> {
        LocalHost.run(tool)
    }
    fn sysctl(&self, _: &str) -> Option<String> {
        None
    }
    fn facts(&self) -> HostFacts {
        LocalHost.facts()
    }
    fn temp_dir(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
    fn host_name(&self) -> Option<String> {
        None
    }
}

#[derive(Debug, Default)]
struct Memory(Mutex<HashMap<String, UpstreamContent>>);

impl Answers for Memory {
    fn known(&self, digest: &str) -> Option<UpstreamContent> {
        self.0.lock().unwrap().get(digest).cloned()
    }
    fn keep(&self, content: &UpstreamContent) {
        self.0.lock().unwrap().insert(content.digest.clone(), content.clone());
    }
}

/// Tries again soon, as tests do, and waits for whoever answers.
const SOON: Patience = Patience {
    connect: Duration::from_secs(20),
    answer: Duration::from_secs(20),
    attempts: 3,
    pause: Duration::from_millis(5),
    longest_pause: Duration::from_millis(1500),
    at_once: 4,
    helper: Duration::from_secs(20),
};
/// The same for those who never answer.
const HASTY: Patience = Patience { answer: Duration::from_millis(700), helper: Duration::from_millis(500), ..SOON };

fn client(machine: Machine) -> Registries {
    patient(machine, SOON)
}

fn patient(machine: Machine, patience: Patience) -> Registries {
    Registries::new(Arc::new(machine), Arc::new(Memory::default()), patience).unwrap()
}

async fn ask(client: &Registries, reference: &str) -> Result<UpstreamContent, RegistryError> {
    client.content(&reference.parse::<Reference>()?).await
}

/// An answer in one line: `index linux/amd64 linux/arm64`, or the error.
fn told(answer: &Result<UpstreamContent, RegistryError>) -> String {
    match answer {
        Ok(content) => {
            let mut words = format!("{:?}", content.kind).to_lowercase();
            content.platforms.iter().for_each(|p| words.push_str(&format!(" {p}")));
            content.gaps.iter().for_each(|gap| words.push_str(&format!(" ({})", gap.why)));
            words
        }
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_real_registry_tells_its_platforms() {
    let Some(registry) = Registry::start("platforms upstream", false) else { return };
    let host = registry.host.clone();
    let index =
        registry.index("team/web", "1", OCI, &["linux/amd64", "linux/arm64/v8", "linux/arm/v7", "unknown/unknown"]);
    registry.index("web", "docker", DOCKER, &["linux/amd64", "linux/s390x"]);
    let intel = registry.image("web", Some("intel"), DOCKER, "linux/amd64");
    registry.image("web", Some("arm"), OCI, "linux/arm64/v8");
    let entry = |digest: &str, media_type: &str| json!({ "mediaType": media_type, "digest": digest, "size": 1 });
    let inner = registry.index_of("web", None, OCI, &[entry(&intel, DOCKER.1)]);
    registry.index_of(
        "web",
        Some("nested"),
        OCI,
        &[entry(&inner, OCI.0), entry(&registry.image("web", None, OCI, "linux/arm64"), OCI.1)],
    );
    let mut attestation = entry(&intel, DOCKER.1);
    attestation["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    registry.index_of("web", Some("proof"), OCI, &[attestation.clone()]);
    let mut odd = entry(&intel, DOCKER.1);
    odd["platform"] = json!({ "os": "linux", "architecture": "<b>" });
    registry.index_of("web", Some("odd"), OCI, &[odd, attestation]);
    let chart = registry.blob("chart", b"{}");
    let helm = json!({
        "schemaVersion": 2, "mediaType": OCI.1, "layers": [],
        "config": { "mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": chart, "size": 2 },
    });
    registry.manifest("chart", Some("1"), OCI.1, &helm);

    let client = client(Machine::new());
    for (reference, expected) in [
        ("team/web:1".to_owned(), "index linux/amd64 linux/arm64 linux/arm/v7"),
        (format!("team/web@{index}"), "index linux/amd64 linux/arm64 linux/arm/v7"),
        (format!("team/web:gone@{index}"), "index linux/amd64 linux/arm64 linux/arm/v7"),
        ("web:docker".to_owned(), "index linux/amd64 linux/s390x"),
        ("web:intel".to_owned(), "manifest linux/amd64"),
        (format!("web@{intel}"), "manifest linux/amd64"),
        ("web:arm".to_owned(), "manifest linux/arm64"),
        ("web:nested".to_owned(), "index linux/amd64 linux/arm64"),
        ("web:proof".to_owned(), "web:proof is no container image but an index without images"),
        ("web:odd".to_owned(), r#"index ("linux/<b>" is not a platform: it has characters that no platform has)"#),
        ("chart:1".to_owned(), "chart:1 is no container image but application/vnd.cncf.helm.config.v1+json"),
        ("web".to_owned(), &format!("{host} has no web:latest")),
        ("nobody/here:1".to_owned(), &format!("{host} has no nobody/here:1")),
        (format!("web@sha256:{}", "0".repeat(64)), &format!("{host} has no web@sha256:{}", "0".repeat(64))),
    ] {
        let answer = ask(&client, &format!("{host}/{reference}")).await;
        assert_eq!(told(&answer), expected, "{reference}");
    }
    assert_eq!(ask(&client, &format!("{host}/team/web:1")).await.unwrap().digest, index);

    for tag in ["5.6-debian", "5.7-debian", "5.8-debian", "8.0", "latest"] {
        registry.image("db", Some(tag), OCI, "linux/amd64");
    }
    for tag in ["8.0-debian", "8.4-debian", "9.5-debian", "9.5"] {
        registry.index("db", tag, OCI, &["linux/amd64", "linux/arm64"]);
    }
    let engine = "linux/arm64".parse().unwrap();
    for (tag, expected) in [
        ("5.7-debian", Ok("8.0-debian 8.4-debian 9.5-debian")),
        ("5.7", Ok("9.5")),
        ("9.5-debian", Ok("")),
        ("latest", Err("\"latest\" names no version")),
    ] {
        let newer = client.newer(&format!("{host}/db:{tag}").parse().unwrap(), &engine).await;
        let newer = match &newer {
            Fact::Known(tags) => Ok(tags.iter().map(|t| t.tag.as_str()).collect::<Vec<_>>().join(" ")),
            Fact::Unknown { unknown } => Err(unknown.why.as_str()),
        };
        assert_eq!(newer, expected.map(str::to_owned), "{tag}");
    }
}

#[tokio::test]
async fn a_real_login_opens_what_is_private() {
    let Some(registry) = Registry::start("logins", true) else { return };
    let host = registry.host.clone();
    registry.image("web", Some("1"), OCI, "linux/arm64");
    let basic = "YWRhOnMzY3JldCBwYXNz";
    let good = format!("printf '{{\"ServerURL\":\"x\",\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'");
    let opened = "manifest linux/arm64".to_owned();
    let shut =
        |login: &str| format!("{host} does not show web:1: it does not exist there, or it wants a login ({login})");
    let none = shut(&format!("none is kept for {host}"));
    let refused = shut(&format!("the one kept for {host} was refused"));
    let unread = |why: &str| shut(&format!("the one kept for it cannot be had: {why}"));
    let config = |machine: &Machine| machine.folder.path().join("config.json").display().to_string();
    let of = |key: &str, kept: Value| json!({ "auths": { key: kept } });
    let helpers = json!({ "credsStore": "lost", "credHelpers": { "other.example": "lost", &host: "own" } });
    let store = |name: &str| json!({ "auths": { &host: {} }, "credsStore": name });
    let damaged = Machine::new();
    let damaged_words = unread(&format!("{} is not as the docker command writes it", config(&damaged)));
    let wrong = "printf '{\"Username\":\"ada\",\"Secret\":\"s3cret wrong\"}'";
    for (case, machine, expected) in [
        ("no settings", Machine::new(), none.clone()),
        ("damaged settings", damaged.settings(&json!({ "auths": "s3cret" })), damaged_words),
        ("in the file", Machine::new().settings(&of(&host, json!({ "auth": basic }))), opened.clone()),
        (
            "in the file, as an address",
            Machine::new().settings(&of(&format!("https://{host}/v2/"), json!({ "auth": basic }))),
            opened.clone(),
        ),
        (
            "in the file, in plain",
            Machine::new().settings(&of(&host, json!({ "username": USER, "password": PASSWORD }))),
            opened.clone(),
        ),
        ("another host's", Machine::new().settings(&of("127.0.0.1:1", json!({ "auth": basic }))), none.clone()),
        (
            "a wrong one",
            Machine::new().settings(&of(&host, json!({ "username": USER, "password": "s3cret wrong" }))),
            refused.clone(),
        ),
        ("by its own helper", Machine::new().settings(&helpers).helper("own", &good), opened.clone()),
        ("by the store", Machine::new().settings(&store("store")).helper("store", &good), opened),
        ("a helper's wrong one", Machine::new().settings(&store("store")).helper("store", wrong), refused),
        (
            "a helper without it",
            Machine::new()
                .settings(&store("store"))
                .helper("store", "echo credentials not found in native keychain; exit 1"),
            none,
        ),
        (
            "a helper that is not there",
            Machine::new().settings(&store("gone")),
            unread("docker-credential-gone is not installed"),
        ),
        (
            "a helper that fails",
            Machine::new().settings(&store("store")).helper("store", "echo s3cret; echo s3cret >&2; exit 3"),
            unread("docker-credential-store failed"),
        ),
        (
            "a helper that babbles",
            Machine::new().settings(&store("store")).helper("store", "echo s3cret"),
            unread("docker-credential-store failed"),
        ),
        (
            "a helper that is no program",
            Machine::new().settings(&store("../../bin/sh")),
            unread("the settings name a credential helper that is no program's name"),
        ),
    ] {
        let (asked, reference) = (machine.asked(), format!("{host}/web:1"));
        let client = client(machine);
        let answers = futures_util::join!(ask(&client, &reference), ask(&client, &reference));
        assert_eq!(told(&answers.0), expected, "{case}");
        assert_eq!(told(&answers.1), expected, "{case}");
        let printed = format!("{client:?} {answers:?}");
        assert!(!printed.contains("s3cret") && !printed.contains(basic), "{case}: {printed}");
        if let Ok(asked) = fs::read_to_string(asked) {
            let name = if case.contains("own") { "own" } else { "store" };
            assert_eq!(asked, format!("{name} get {host}\n"), "{case}: asked once, for this host");
        }
    }
    let slow = patient(Machine::new().settings(&store("store")).helper("store", "exec sleep 60"), HASTY);
    let begun = Instant::now();
    let answer = told(&ask(&slow, &format!("{host}/web:1")).await);
    assert!(answer.contains("did not finish within 0.5 s") && begun.elapsed() < Duration::from_secs(5), "{answer}");
}

/// One image for arm64, as a registry would answer for it.
struct Image {
    config: String,
    manifest: String,
}

impl Image {
    fn new() -> Self {
        let config = r#"{"os":"linux","architecture":"arm64"}"#.to_owned();
        let layer = digest(config.as_bytes());
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": OCI.1, "config": { "mediaType": OCI.2, "digest": layer } });
        Self { manifest: manifest.to_string(), config }
    }

    fn answer(&self, request: &Request) -> Reply {
        let found =
            |body: &str| Reply::status(200).header("Docker-Content-Digest", &digest(body.as_bytes())).body(body);
        match request.target.as_str() {
            target if target.contains("/manifests/") => found(&self.manifest).header("Content-Type", OCI.1),
            target if target.contains("/blobs/") => found(&self.config),
            _ => Reply::status(404),
        }
    }
}

async fn scripted(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::start(answer).await.unwrap()
}

fn login_for(host: &str) -> Machine {
    Machine::new().settings(&json!({ "auths": { host: { "username": USER, "password": PASSWORD } } }))
}

#[tokio::test]
async fn answers_that_are_none_are_told_apart() {
    let image = Image::new();
    let whole = image.manifest.clone();
    let wrong = format!("{whole} ");
    let huge = "x".repeat(5 << 20);
    let head = |body: &str| Reply::status(200).header("Docker-Content-Digest", &digest(body.as_bytes()));
    let both = move |request: &Request, head: Reply, get: Reply| if request.method == "HEAD" { head } else { get };
    type Script = Box<dyn Fn(&Request) -> Reply + Send + Sync>;
    let said = r#"{"errors":[{"code":"X","message":"come back never"}]}"#;
    let cases: Vec<(&str, Script, String, usize)> = vec![
        (
            "403",
            Box::new(|_| Reply::status(403)),
            "HOST does not show web:1: it does not exist there, or it wants a login (none is kept for HOST)".into(),
            1,
        ),
        ("404", Box::new(|_| Reply::status(404)), "HOST has no web:1".into(), 1),
        (
            "401 of no kind",
            Box::new(|_| Reply::status(401)),
            "HOST wants a login of a kind that is not known here".into(),
            1,
        ),
        (
            "418",
            Box::new(move |r| both(r, Reply::status(405), Reply::status(418).body(said))),
            "HOST answered 418: come back never".into(),
            2,
        ),
        ("500 for ever", Box::new(|_| Reply::status(500)), "HOST answered 500".into(), 3),
        ("503 for ever", Box::new(|_| Reply::status(503).header("Retry-After", "1")), "HOST answered 503".into(), 3),
        ("silence", Box::new(|_| Reply::silent()), "HOST did not answer within 0 s".into(), 1),
        (
            "hanging up",
            Box::new(|_| Reply::hang_up()),
            "HOST could not be reached: connection closed before message completed".into(),
            3,
        ),
        (
            "in circles",
            Box::new(|r| Reply::status(307).header("Location", &r.target)),
            "HOST redirects in circles".into(),
            6,
        ),
        (
            "to nowhere",
            Box::new(|_| Reply::status(302).header("Location", "http://")),
            "HOST redirects to no address".into(),
            1,
        ),
        (
            "out of TLS",
            Box::new(|_| Reply::status(302).header("Location", "http://example.com/x")),
            "HOST redirects to a place without TLS, which is not followed".into(),
            1,
        ),
        (
            "to a file",
            Box::new(|_| Reply::status(302).header("Location", "file:///etc/passwd")),
            "HOST redirects to a place without TLS, which is not followed".into(),
            1,
        ),
        (
            "huge",
            {
                let huge = huge.clone();
                Box::new(move |r| both(r, Reply::status(200), Reply::status(200).body(huge.clone())))
            },
            "what HOST answered for web:1 is larger than 4194304 bytes".into(),
            2,
        ),
        (
            "huge and endless",
            Box::new(move |r| both(r, Reply::status(200), Reply::status(200).body(huge.clone()).chunked())),
            "what HOST answered for web:1 is larger than 4194304 bytes".into(),
            2,
        ),
        (
            "cut",
            {
                let whole = whole.clone();
                Box::new(move |r| both(r, head(&whole), Reply::status(200).body(whole.clone()).cut()))
            },
            "HOST could not be reached: end of file before message length reached".into(),
            4,
        ),
        (
            "not JSON",
            Box::new(move |r| both(r, Reply::status(200), Reply::status(200).body("<html>"))),
            "what HOST answered for web:1 cannot be read: it is not JSON as expected, at line 1 column 1".into(),
            2,
        ),
        (
            "deep",
            Box::new(move |r| both(r, Reply::status(200), Reply::status(200).body("[".repeat(1 << 20)))),
            "what HOST answered for web:1 cannot be read: it is not JSON as expected, at line 1 column 1".into(),
            2,
        ),
        (
            "nothing",
            Box::new(|_| Reply::status(200)),
            "what HOST answered for web:1 cannot be read: it ends in the middle".into(),
            2,
        ),
        (
            "another content",
            {
                let (whole, wrong) = (whole.clone(), wrong);
                Box::new(move |r| both(r, head(&whole), Reply::status(200).body(wrong.clone())))
            },
            format!("HOST sent something else than {} names; it was not used", digest(whole.as_bytes())),
            2,
        ),
        (
            "another configuration",
            Box::new(
                move |r| {
                    if r.target.contains("/blobs/") { Reply::status(200).body("{}") } else { Image::new().answer(r) }
                },
            ),
            format!("HOST sent something else than {} names; it was not used", digest(image.config.as_bytes())),
            3,
        ),
    ];
    for (case, script, expected, requests) in cases {
        let server = scripted(script).await;
        let client = patient(Machine::new(), if case == "silence" { HASTY } else { SOON });
        let answer = ask(&client, &format!("{}/web:1", server.host())).await;
        assert_eq!(told(&answer).replace(server.host(), "HOST"), expected, "{case}");
        assert_eq!(server.requests().len(), requests, "{case}: {:#?}", server.requests());
    }
}

#[tokio::test]
async fn what_may_help_is_tried_again_and_no_more() {
    for (case, status, wait) in [("busy", 503, None), ("broken for a moment", 500, None), ("limited", 429, Some("1"))] {
        let (image, asked) = (Image::new(), AtomicUsize::new(0));
        let server = scripted(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => wait.map_or(Reply::status(status), |wait| Reply::status(status).header("Retry-After", wait)),
            _ => image.answer(request),
        })
        .await;
        let begun = Instant::now();
        let answer = ask(&client(Machine::new()), &format!("{}/web:1", server.host())).await;
        assert_eq!(told(&answer), "manifest linux/arm64", "{case}");
        assert!(wait.is_none() || begun.elapsed() >= Duration::from_secs(1), "{case}: it waits as it is told to");
    }

    let server = scripted(|_| {
        Reply::status(429)
            .header("Retry-After", "3600")
            .header("RateLimit-Limit", "100;w=21600")
            .header("RateLimit-Remaining", "0;w=21600")
    })
    .await;
    let client = client(Machine::new());
    let first = told(&ask(&client, &format!("{}/web:1", server.host())).await);
    assert!(first.ends_with("answers no more questions for now; it says to wait 3600 s"), "{first}");
    let second = told(&ask(&client, &format!("{}/other:1", server.host())).await);
    assert!(second.contains("answers no more questions for now"), "{second}");
    assert_eq!(server.requests().len(), 1, "a registry that wants rest gets it");
    let limits = client.limits();
    assert_eq!((limits[0].limit, limits[0].remaining, limits[0].window), (100, 0, Some(21_600)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_digest_is_read_once_and_few_ask_at_a_time() {
    let image = Arc::new(Image::new());
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let server = {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        scripted(move |request| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(10));
            now.fetch_sub(1, Ordering::SeqCst);
            image.answer(request)
        })
        .await
    };
    let client = client(Machine::new());
    ask(&client, &format!("{}/web:0", server.host())).await.unwrap();
    assert_eq!(server.requests().len(), 3, "asked for, read, and its configuration");
    let references: Vec<String> = (1..30).map(|tag| format!("{}/web:{tag}", server.host())).collect();
    let answers = futures_util::future::join_all(references.iter().map(|r| ask(&client, r))).await;
    assert!(answers.iter().all(|answer| told(answer) == "manifest linux/arm64"));
    let methods: Vec<String> = server.requests().into_iter().skip(3).map(|r| r.method).collect();
    assert_eq!(methods, vec!["HEAD"; 29], "the same digest is not read again");
    let most = most.load(Ordering::SeqCst);
    assert!((2..=SOON.at_once).contains(&most), "{most} at once");
}

#[tokio::test]
async fn tokens_are_fetched_with_the_login_and_renewed() {
    let kept = |host: &str, kept: Value| Machine::new().settings(&json!({ "auths": { host: kept } }));
    type Login = Box<dyn Fn(&str) -> Machine>;
    let cases: Vec<(&str, Login, &str, Option<&str>)> = vec![
        ("nobody", Box::new(|_| Machine::new()), "GET", None),
        ("a password", Box::new(login_for), "GET", Some("Basic YWRhOnMzY3JldCBwYXNz")),
        (
            "an identity token",
            Box::new(move |host| kept(host, json!({ "identitytoken": "s3cret identity" }))),
            "POST",
            None,
        ),
    ];
    for (case, login, method, authorization) in cases {
        let (image, tokens) = (Image::new(), AtomicUsize::new(0));
        let current = Arc::new(Mutex::new(String::new()));
        let server = {
            let current = Arc::clone(&current);
            scripted(move |request| {
                if request.target.starts_with("/token") {
                    let token = format!("token-{}", tokens.fetch_add(1, Ordering::SeqCst));
                    current.lock().unwrap().clone_from(&token);
                    return Reply::status(200).body(json!({ "token": token, "expires_in": 1 }).to_string());
                }
                let wanted = format!("Bearer {}", current.lock().unwrap());
                match request.header("authorization") {
                    Some(sent) if sent == wanted => image.answer(request),
                    _ => {
                        let realm = format!("http://{}/token", request.header("host").unwrap());
                        let challenge =
                            format!(r#"Bearer realm="{realm}",service="lab",scope="repository:web:pull,push""#);
                        Reply::status(401).header("WWW-Authenticate", &challenge)
                    }
                }
            })
            .await
        };
        let client = client(login(server.host()));
        assert_eq!(told(&ask(&client, &format!("{}/web:1", server.host())).await), "manifest linux/arm64", "{case}");
        "gone".clone_into(&mut current.lock().unwrap());
        assert_eq!(told(&ask(&client, &format!("{}/web:2", server.host())).await), "manifest linux/arm64", "{case}");
        let requests = server.requests();
        let tokens: Vec<&Request> = requests.iter().filter(|r| r.target.starts_with("/token")).collect();
        assert_eq!(tokens.len(), 2, "{case}: one, and another when it had run out");
        assert_eq!((tokens[0].method.as_str(), tokens[0].header("authorization")), (method, authorization), "{case}");
        let sent = format!("{}{}", tokens[0].target, tokens[0].body);
        assert!(sent.contains("service=lab&scope=repository%3Aweb%3Apull") && !sent.contains("push"), "{case}: {sent}");
        assert_eq!(sent.contains("refresh_token=s3cret+identity"), method == "POST", "{case}: {sent}");
        assert!(!format!("{client:?}").contains("token-"), "{case}");
        let first = requests.iter().find(|r| r.target.contains("/manifests/")).unwrap();
        assert_eq!(first.header("authorization"), None, "{case}: nothing is sent before it is asked for");
    }
}

#[tokio::test]
async fn a_login_never_leaves_its_host() {
    let image = Arc::new(Image::new());
    let elsewhere = {
        let image = Arc::clone(&image);
        scripted(move |request| image.answer(request)).await
    };
    let other = elsewhere.host().to_owned();
    let server = scripted(move |request| match request.header("authorization") {
        None => Reply::status(401).header("WWW-Authenticate", r#"Basic realm="lab""#),
        Some(_) => Reply::status(307).header("Location", &format!("http://{other}{}?signature=s3cret", request.target)),
    })
    .await;
    let answer = ask(&client(login_for(server.host())), &format!("{}/web:1", server.host())).await;
    assert_eq!(told(&answer), "manifest linux/arm64");
    assert!(server.requests().iter().any(|r| r.header("authorization").is_some()));
    for request in elsewhere.requests() {
        assert_eq!(request.header("authorization"), None, "{request:?}");
        assert_eq!(request.header("referer"), None, "{request:?}");
    }

    for (case, challenge, expected) in [
        (
            "a realm without TLS",
            r#"Bearer realm="http://login.example/token""#,
            "names login.example for logging in, without TLS; nothing was sent there",
        ),
        ("a realm that is no address", r#"Bearer realm="login""#, "wants a login of a kind that is not known here"),
        ("a realm of another kind", r#"Bearer realm="file:///etc/passwd""#, "for logging in, without TLS"),
        ("a login loop", r#"Basic realm="lab""#, "the one kept for HOST was refused"),
    ] {
        let server = scripted(move |_| Reply::status(401).header("WWW-Authenticate", challenge)).await;
        let answer = ask(&client(login_for(server.host())), &format!("{}/web:1", server.host())).await;
        let answer = told(&answer).replace(server.host(), "HOST");
        assert!(answer.contains(expected) && !answer.contains("s3cret"), "{case}: {answer}");
        assert!(server.requests().len() <= 2, "{case}: {:?}", server.requests());
    }

    let (asked, token) = (AtomicUsize::new(0), "x");
    let refusing = scripted(move |request| match request.target.starts_with("/token") {
        true if asked.fetch_add(1, Ordering::SeqCst) == 0 => Reply::status(307).header("Location", "/elsewhere"),
        true => Reply::status(200).body(json!({ "token": token }).to_string()),
        false => {
            let realm = format!(r#"Bearer realm="http://{}/token""#, request.header("host").unwrap());
            Reply::status(401).header("WWW-Authenticate", &realm)
        }
    })
    .await;
    let identity = json!({ "auths": { refusing.host(): { "identitytoken": "s3cret" } } });
    let answer = ask(&client(Machine::new().settings(&identity)), &format!("{}/web:1", refusing.host())).await;
    assert!(told(&answer).contains("redirects a login, which is not followed"), "{}", told(&answer));
}

#[tokio::test]
async fn tags_are_read_page_by_page_and_with_an_end() {
    let image = Arc::new(Image::new());
    let pages = {
        let image = Arc::clone(&image);
        scripted(move |request| match request.target.split_once("/tags/list?") {
            Some((_, "n=1000")) => Reply::status(200)
                .header("Link", r#"<http://elsewhere.example/v2/other/tags/list?n=1000&last=5.7>; rel="next""#)
                .body(r#"{"tags":["5.7","5.6","../../x","a b"]}"#),
            Some((_, "n=1000&last=5.7")) => Reply::status(200).body(r#"{"tags":["8.0"]}"#),
            _ => image.answer(request),
        })
        .await
    };
    let engine = "linux/arm64".parse().unwrap();
    let newer = client(Machine::new()).newer(&format!("{}/db:5.7", pages.host()).parse().unwrap(), &engine).await;
    assert_eq!(newer.known().unwrap()[0].tag, "8.0", "{newer:?}");
    assert!(
        pages.requests().iter().all(|r| r.target.starts_with("/v2/db/")),
        "the next page is of the same repository"
    );

    for (case, reply, why) in [
        (
            "no end",
            Reply::status(200).header("Link", "</v2/db/tags/list?n=1000>; rel=\"next\"").body(r#"{"tags":["1"]}"#),
            "more than 50 pages",
        ),
        ("no list", Reply::status(200).body("\"soon\""), "not as expected"),
        ("null", Reply::status(200).body(r#"{"tags":null}"#), ""),
        ("gone", Reply::status(404), "has no db:5.7"),
    ] {
        let server = scripted(move |_| reply.clone()).await;
        let newer = client(Machine::new()).newer(&format!("{}/db:5.7", server.host()).parse().unwrap(), &engine).await;
        let told = newer.gap().map(|gap| gap.why.clone()).unwrap_or_default();
        assert!(told.contains(why) && told.is_empty() == why.is_empty(), "{case}: {told}");
        assert!(server.requests().len() <= 50, "{case}");
    }
}

#[tokio::test]
async fn the_first_tag_that_has_the_platform_is_found_with_few_questions() {
    let tags: Vec<String> = (0..40).map(|n| format!("8.{n}.0")).collect();
    let list = json!({ "tags": tags }).to_string();
    let native = Image::new();
    let server = scripted(move |request| {
        if request.target.contains("/tags/list") {
            return Reply::status(200).body(list.clone());
        }
        let minor: usize = request.target.split('.').nth(1).and_then(|n| n.parse().ok()).unwrap_or(99);
        match minor {
            29.. => native.answer(request),
            _ => Reply::status(200).body(json!({ "manifests": [{ "digest": format!("sha256:{}", "0".repeat(64)), "platform": { "os": "linux", "architecture": "amd64" } }] }).to_string()),
        }
    })
    .await;
    let engine = "linux/arm64".parse().unwrap();
    let newer = client(Machine::new()).newer(&format!("{}/db:8.1.0", server.host()).parse().unwrap(), &engine).await;
    let found: Vec<&str> = newer.known().unwrap().iter().map(|t| t.tag.as_str()).collect();
    assert_eq!(found, ["8.29.0", "8.39.0"]);
    let looked = server.requests().iter().filter(|r| r.method == "HEAD").count();
    assert!(looked <= 9, "{looked} of 38 candidates were looked at");
}

#[tokio::test]
async fn what_is_no_reference_is_sent_nowhere() {
    let server = scripted(|_| Reply::status(200)).await;
    let client = client(Machine::new());
    for text in
        ["", "UPPER", "a/../b", "a b", "http://HOST/a", "HOST/a:b:c", "HOST/a@sha256:1", "HOST/a?b", "HOST/%2e%2e/b"]
    {
        let text = text.replace("HOST", server.host());
        let answer = ask(&client, &text).await;
        assert!(matches!(answer, Err(RegistryError::Reference(_))), "{text}: {answer:?}");
    }
    assert_eq!(server.requests(), []);
}
