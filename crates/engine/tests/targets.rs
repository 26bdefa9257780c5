//! Which engine is meant: contexts, environment and sockets of described machines.

// The helpers of tests may fail loudly, too.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use silidock_engine::{
    ConnectOptions, ContextError, Endpoint, Engine, FindError, Origin, ResolveError, Runtime, contexts, list_targets,
    resolve,
};
use silidock_host::FixtureHost;
use silidock_testkit::ScriptedEngine;
use tempfile::TempDir;

const HOME: &str = "/Users/ada";

/// A described Mac in a temporary folder.
struct Mac {
    root: TempDir,
}

impl Mac {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    fn host(&self) -> FixtureHost {
        FixtureHost::new(self.root.path()).with_home(HOME)
    }

    fn place(&self, path: &str) -> PathBuf {
        let place = self.root.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        place
    }

    /// Writes a file; `~` is the home folder.
    fn with(self, path: &str, content: &str) -> Self {
        fs::write(self.place(&path.replace('~', HOME)), content).unwrap();
        self
    }

    fn with_link(self, path: &str, target: &str) -> Self {
        symlink(target.replace('~', HOME), self.place(path)).unwrap();
        self
    }

    fn with_context(self, name: &str, host: &str) -> Self {
        let meta = serde_json::json!({
            "Name": name, "Metadata": { "Description": format!("{name}!") },
            "Endpoints": { "docker": { "Host": host, "SkipTLSVerify": false } }
        });
        self.with(&format!("~/.docker/contexts/meta/{}/meta.json", id(name)), &meta.to_string())
    }

    fn with_current(self, name: &str) -> Self {
        self.with("~/.docker/config.json", &serde_json::json!({ "currentContext": name, "auths": {} }).to_string())
    }
}

fn id(name: &str) -> String {
    Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unix(path: &str) -> Endpoint {
    Endpoint::Unix(Path::new(&path.replace('~', HOME)).to_owned())
}

#[test]
fn the_order_of_choice() {
    let mac = Mac::new()
        .with_context("orbstack", "unix:///Users/ada/.orbstack/run/docker.sock")
        .with_context("far", "ssh://ada@builder")
        .with_current("orbstack")
        .with("~/.docker/run/docker.sock", "");
    let plain = mac.host();
    let context = plain.clone().with_env("DOCKER_CONTEXT", "far");
    let both = context.clone().with_env("DOCKER_HOST", "tcp://10.0.0.5:2375");
    let far = Endpoint::Ssh { user: Some("ada".to_owned()), host: "builder".to_owned(), port: None, socket: None };
    let cases = [
        (&both, Some("unix:///tmp/x.sock"), unix("/tmp/x.sock"), Origin::Explicit, "you chose unix:///tmp/x.sock"),
        (&both, Some("/tmp/x.sock"), unix("/tmp/x.sock"), Origin::Explicit, "you chose unix:///tmp/x.sock"),
        (&both, Some("orbstack"), unix("~/.orbstack/run/docker.sock"), Origin::Explicit, "you chose orbstack"),
        (
            &both,
            Some("docker-desktop"),
            unix("~/.docker/run/docker.sock"),
            Origin::Explicit,
            "you chose docker-desktop",
        ),
        (&both, Some("default"), unix("/var/run/docker.sock"), Origin::Explicit, "you chose default"),
        (&both, None, "tcp://10.0.0.5:2375".parse().unwrap(), Origin::DockerHost, "DOCKER_HOST is tcp://10.0.0.5:2375"),
        (&context, None, far, Origin::DockerContext, "DOCKER_CONTEXT is far"),
        (&plain, None, unix("~/.orbstack/run/docker.sock"), Origin::Context, "the current Docker context is orbstack"),
    ];
    for (host, explicit, endpoint, origin, chosen_by) in cases {
        let target = resolve(host, explicit).unwrap();
        assert_eq!((target.endpoint, target.origin, target.chosen_by.as_str()), (endpoint, origin, chosen_by));
    }
}

#[test]
fn without_a_choice_the_first_socket_that_exists() {
    let table = [
        ("/var/run/docker.sock", "default"),
        ("~/.docker/run/docker.sock", "docker-desktop"),
        ("~/.orbstack/run/docker.sock", "orbstack"),
        ("~/.colima/default/docker.sock", "colima"),
        ("~/.colima/work/docker.sock", "colima-work"),
        ("~/.rd/docker.sock", "rancher-desktop"),
        ("/var/folders/xy/T/podman/podman-machine-default-api.sock", "podman"),
        ("/var/folders/xy/T/podman/other-api.sock", "podman-other"),
        ("/Applications/Finch/lima/data/finch/sock/finch.sock", "finch"),
        ("~/.lima/docker/sock/docker.sock", "lima-docker"),
    ];
    for (path, name) in table {
        // A current context called "default" is none.
        let mac = Mac::new().with(path, "").with_current("default").with("~/.colima/_lima/docker.sock", "");
        let host = mac.host().with_env("TMPDIR", "/var/folders/xy/T/");
        for explicit in [None, Some(name)] {
            let target = resolve(&host, explicit).unwrap();
            assert_eq!((target.name.as_str(), &target.endpoint), (name, &unix(path)), "{explicit:?}");
        }
        assert!(list_targets(&host).iter().any(|candidate| candidate.name == name && candidate.exists == Some(true)));
    }
    let error = resolve(&Mac::new().host(), None).unwrap_err();
    let ResolveError::NothingHere { looked } = &error else { panic!("{error:?}") };
    assert!(looked.contains(&PathBuf::from("/Users/ada/.orbstack/run/docker.sock")), "{looked:?}");
}

#[test]
fn a_broken_choice_is_an_error_and_never_another_engine() {
    let mac = Mac::new()
        .with("/var/run/docker.sock", "")
        .with_context("bad", "npipe:////./pipe/docker_engine")
        .with(&format!("~/.docker/contexts/meta/{}/meta.json", id("torn")), "{\"Name\": \"to")
        .with(
            &format!("~/.docker/contexts/meta/{}/meta.json", id("kube")),
            r#"{"Name":"kube","Endpoints":{"kubernetes":{}}}"#,
        );
    let plain = mac.host();
    let current = Mac::new().with("/var/run/docker.sock", "").with_current("gone");
    let settings = Mac::new().with("/var/run/docker.sock", "").with("~/.docker/config.json", "{ auths");
    let secret = plain.clone().with_env("DOCKER_HOST", "tcp://ada:hunter2@host:1");
    let by_variable = plain.clone().with_env("DOCKER_CONTEXT", "gone");
    let context = |error: &ResolveError| match error {
        ResolveError::Context { source: ContextError::Missing { .. }, .. } => "missing",
        ResolveError::Context { source: ContextError::Damaged { .. }, .. } => "damaged",
        ResolveError::Context { source: ContextError::NoEndpoint { .. }, .. } => "no endpoint",
        ResolveError::Context { source: ContextError::Endpoint { .. }, .. } => "bad address",
        ResolveError::Context { source: ContextError::Read(_), .. } => "unreadable",
        ResolveError::Endpoint { .. } => "no address",
        ResolveError::Settings { .. } => "settings",
        ResolveError::NotHere { .. } => "not here",
        ResolveError::UnknownName { .. } => "unknown",
        ResolveError::NothingHere { .. } => "nothing",
    };
    let cases = [
        (&plain, Some("bad"), "bad address"),
        (&plain, Some("torn"), "damaged"),
        (&plain, Some("kube"), "no endpoint"),
        (&plain, Some("orbstack"), "not here"),
        (&plain, Some("nonsense"), "unknown"),
        (&plain, Some("ftp://host"), "no address"),
        (&by_variable, None, "missing"),
        (&secret, None, "no address"),
        (&current.host(), None, "missing"),
        (&settings.host(), None, "settings"),
    ];
    for (host, explicit, expected) in cases {
        let error = resolve(host, explicit).unwrap_err();
        assert_eq!(context(&error), expected, "{explicit:?}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(error.hint().ends_with('.'));
    }
    let names: Vec<(String, bool)> =
        contexts(&plain).into_iter().map(|entry| (entry.name, entry.context.is_ok())).collect();
    assert_eq!(names.len(), 3, "damaged contexts are listed, not lost: {names:?}");
    let problems = list_targets(&plain).into_iter().filter(|candidate| candidate.problem.is_some()).count();
    assert_eq!(problems, 3);
}

#[test]
fn tls_files_of_contexts_and_environment() {
    let folder = format!("~/.docker/contexts/tls/{}/docker", id("cloud"));
    let mac = Mac::new()
        .with_context("cloud", "tcp://cloud.example:2376")
        .with(&format!("{folder}/ca.pem"), "ca")
        .with(&format!("{folder}/key.pem"), "key")
        .with("/certs/ca.pem", "ca");
    let target = resolve(&mac.host(), Some("cloud")).unwrap();
    let Endpoint::Tls { host, port, material } = &target.endpoint else { panic!("{target:?}") };
    assert_eq!((host.as_str(), *port, material.skip_verify), ("cloud.example", 2376, false));
    assert!(material.ca.as_ref().is_some_and(|path| path.starts_with(HOME)) && material.cert.is_none());
    assert!(material.key.is_some());

    let host = mac.host().with_env("DOCKER_HOST", "tcp://[::1]:9").with_env("DOCKER_CERT_PATH", "/certs");
    assert!(
        matches!(resolve(&host, None).unwrap().endpoint, Endpoint::Tcp { .. }),
        "only DOCKER_TLS_VERIFY asks for TLS"
    );
    let target = resolve(&host.with_env("DOCKER_TLS_VERIFY", "1"), None).unwrap();
    let Endpoint::Tls { host, port, material } = &target.endpoint else { panic!("{target:?}") };
    assert_eq!((host.as_str(), *port, material.ca.as_deref()), ("::1", 9, Some(Path::new("/certs/ca.pem"))));
    assert_eq!(target.name, "https://[::1]:9");
}

#[test]
fn who_owns_the_shared_socket() {
    let mac = Mac::new()
        .with("~/.orbstack/run/docker.sock", "")
        .with_link("/private/var/run/docker.sock", "~/.orbstack/run/docker.sock");
    let mac = mac.with_link("/var", "/private/var");
    let target = resolve(&mac.host(), None).unwrap();
    assert_eq!(target.leads_to.as_deref(), Some(Path::new("/Users/ada/.orbstack/run/docker.sock")));

    // The runtime is gone, but its link tells whose it was.
    fs::remove_file(mac.place("/Users/ada/.orbstack/run/docker.sock")).unwrap();
    let list = list_targets(&mac.host());
    assert_eq!((list[0].exists, list[0].name.as_str()), (Some(false), "default"));
    assert_eq!(list[0].leads_to.as_deref(), Some(Path::new("/Users/ada/.orbstack/run/docker.sock")));

    let plain = Mac::new().with("/private/var/run/docker.sock", "").with_link("/var", "/private/var");
    assert_eq!(resolve(&plain.host(), None).unwrap().leads_to, None, "a link above it says nothing");
}

#[test]
fn each_address_is_listed_once_with_its_runtime() {
    let mac = Mac::new()
        .with_context("desktop-linux", "unix:///Users/ada/.docker/run/docker.sock")
        .with("~/.docker/run/docker.sock", "");
    let list = list_targets(&mac.host());
    let same: Vec<_> =
        list.iter().filter(|candidate| candidate.endpoint == Some(unix("~/.docker/run/docker.sock"))).collect();
    assert_eq!(same.len(), 1);
    assert_eq!((same[0].name.as_str(), same[0].runtime), ("desktop-linux", Some(Runtime::DockerDesktop)));
}

#[tokio::test]
async fn only_where_nobody_chose_another_engine_is_tried() {
    let dead = ScriptedEngine::start("1.51").await.unwrap();
    dead.stop().await;
    let alive = ScriptedEngine::start("1.51").await.unwrap();
    let root = tempfile::tempdir().unwrap();
    // Real sockets are reached by their real paths, so this machine's home is where they are.
    let host = FixtureHost::new(root.path()).with_home(root.path());
    for (path, engine) in [(".docker/run/docker.sock", &dead), (".orbstack/run/docker.sock", &alive)] {
        let place = root.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::hard_link(engine.socket(), &place).unwrap();
    }
    let found = Engine::find(&host, None, ConnectOptions::default()).await.unwrap();
    assert_eq!((found.target().name.as_str(), found.target().origin), ("orbstack", Origin::KnownSocket));
    assert!(found.target().chosen_by.contains("does not answer"), "{}", found.target().chosen_by);

    let error = Engine::find(&host, Some("docker-desktop"), ConnectOptions::default()).await.unwrap_err();
    let FindError::Connect { target, .. } = &error else { panic!("{error:?}") };
    assert_eq!(target.name, "docker-desktop");
    assert_eq!(alive.count("/version"), 1, "the other engine was not asked this time");
}
