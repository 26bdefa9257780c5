//! Compose projects as this program works them out, and as the real `docker compose config` does: the same of every one,
//! with the place of each value. Needs the Docker client of the lab that `SILIDOCK_LAB` names; no engine is asked.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // a test's way to fail and to tell

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use futures_util::{StreamExt, stream};
use serde_json::Value;
use silidock_diagnosis::{
    compose::{Comparison, ComposeProject, Placed, ResolvedService},
    fact::Fact,
};
use silidock_host::{BoxFuture, DirEntry, Host, HostFacts, LocalHost, Output, ReadError, RunError, ToolRun};
use silidock_observe::{ComposeAnswers, OpenError, open_compose};

/// This machine's files, the lab's client, and an environment of its own.
#[derive(Debug)]
struct LabHost {
    local: LocalHost,
    environment: BTreeMap<String, String>,
}

impl LabHost {
    fn new(client: Option<&(String, String)>, environment: &str) -> Self {
        let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut environment: BTreeMap<String, String> = environment.lines().filter_map(pair).collect();
        if let Some((client, config)) = client {
            let folder = Path::new(client).parent().unwrap();
            environment.insert("PATH".to_owned(), folder.display().to_string());
            environment.insert("DOCKER_CONFIG".to_owned(), config.clone());
        }
        Self { local: LocalHost::new(), environment }
    }
}

impl Host for LabHost {
    fn env(&self, name: &str) -> Option<String> {
        self.env_or_empty(name).filter(|value| !value.is_empty())
    }
    fn env_or_empty(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }
    fn home(&self) -> Option<PathBuf> {
        None
    }
    fn read(&self, path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
        self.local.read(path, limit)
    }
    fn exists(&self, path: &Path) -> bool {
        self.local.exists(path)
    }
    fn is_executable(&self, path: &Path) -> bool {
        self.environment.contains_key("PATH") && self.local.is_executable(path)
    }
    fn list_dir(&self, path: &Path) -> Result<Vec<DirEntry>, ReadError> {
        self.local.list_dir(path)
    }
    fn real_path(&self, path: &Path) -> Result<PathBuf, ReadError> {
        self.local.real_path(path)
    }
    fn run<'a>(&'a self, tool: &'a ToolRun) -> BoxFuture<'a, Result<Output, RunError>> {
        let mut tool = tool.clone();
        tool.env.extend(self.environment.clone());
        Box::pin(async move { self.local.run(&tool).await })
    }
    fn sysctl(&self, _: &str) -> Option<String> {
        None
    }
    fn facts(&self) -> HostFacts {
        self.local.facts()
    }
    fn temp_dir(&self) -> PathBuf {
        self.local.temp_dir()
    }
    fn host_name(&self) -> Option<String> {
        None
    }
}

/// The Docker client of the lab and its configuration; none where `SILIDOCK_LAB=skip` says to do without.
fn client() -> Option<(String, String)> {
    let file = std::env::var("SILIDOCK_LAB").unwrap_or_default();
    assert!(!file.is_empty(), "this needs the lab's client: `make test`, or tests/lab/lab.sh up and SILIDOCK_LAB");
    if file == "skip" {
        eprintln!("SKIPPED, because SILIDOCK_LAB=skip: docker compose config");
        return None;
    }
    let all: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let first = all.as_object().unwrap().values().next().unwrap();
    let text = |key: &str| first[key].as_str().unwrap().to_owned();
    Some((text("client"), text("dockerConfig")))
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose")
}

/// A case's folder: its files, and what of these is there: `arguments` (files, one a line), `environment`, `refused`,
/// `conflict`.
struct Case {
    name: String,
    named: Vec<PathBuf>,
    environment: String,
    refused: bool,
    conflict: bool,
}

impl Case {
    fn read(folder: &Path) -> Self {
        let text = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
        Self {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            named: match text("arguments") {
                Some(files) => files.lines().map(|file| folder.join(file)).collect(),
                None => vec![folder.to_owned()],
            },
            environment: text("environment").unwrap_or_default(),
            refused: text("refused").is_some(),
            conflict: text("conflict").is_some(),
        }
    }

    fn all() -> Vec<Self> {
        let mut folders: Vec<PathBuf> =
            std::fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().path()).filter(|p| p.is_dir()).collect();
        folders.sort();
        folders.iter().map(|folder| Self::read(folder)).collect()
    }

    fn named(name: &str) -> Self {
        Self::read(&corpus().join(name))
    }

    async fn open(&self, client: Option<&(String, String)>) -> ComposeProject {
        open_compose(&LabHost::new(client, &self.environment), &self.named, &ComposeAnswers::default()).await.unwrap()
    }
}

fn places(set: &Placed) -> String {
    let file = Path::new(&set.path).file_name().unwrap().to_string_lossy().into_owned();
    format!("{}@{file}:{}{}", set.value, set.line.unwrap_or_default(), if set.own { "" } else { " not own" })
}

fn service<'a>(project: &'a ComposeProject, name: &str) -> &'a ResolvedService {
    let services = project.services.known().unwrap_or_else(|| panic!("{:?}", project.services.gap()));
    services.iter().find(|service| service.name == name).unwrap_or_else(|| panic!("no {name} in {services:#?}"))
}

/// Processes of Compose beside each other; each has a time limit of its own.
const AT_ONCE: usize = 4;

#[tokio::test]
async fn the_real_compose_sees_the_same() {
    let Some(client) = client() else { return };
    let cases = Case::all();
    assert!(cases.len() >= 50, "{}", cases.len());
    let opened = stream::iter(cases.iter().map(|case| case.open(Some(&client)))).buffered(AT_ONCE);
    let opened: Vec<ComposeProject> = opened.collect().await;
    let mut wrong = Vec::new();
    for (case, project) in cases.iter().zip(opened) {
        let as_expected = match (&project.services, &project.compared) {
            (Fact::Known(services), Fact::Known(Comparison::Agrees)) => !case.refused && !services.is_empty(),
            (Fact::Unknown { .. }, Fact::Known(Comparison::Refuses { .. })) => case.refused,
            // What a check says of it, Compose refuses.
            (Fact::Known(_), Fact::Known(Comparison::Refuses { why })) => {
                case.conflict && why.contains("MUST include service.platform")
            }
            _ => false,
        };
        if !as_expected {
            let gaps: Vec<_> = project.services.known().into_iter().flatten().filter_map(|s| s.gap.as_ref()).collect();
            wrong.push(format!("{}: {:?} {:?} {gaps:?}", case.name, project.compared, project.services.gap()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files that are hard to edit, of the crate that does: what the real Compose takes is seen as it sees it.
#[tokio::test]
async fn files_that_are_hard_to_edit_are_read_alike() {
    let Some(client) = client() else { return };
    let folder = corpus().join("../../../remedy/tests/compose");
    let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 50);
    let host = LabHost::new(Some(&client), "");
    let opened = stream::iter(files.iter().map(|file| {
        let named = [file.clone()];
        let host = &host;
        async move { open_compose(host, &named, &ComposeAnswers::default()).await.unwrap() }
    }));
    let opened: Vec<ComposeProject> = opened.buffered(AT_ONCE).collect().await;
    let mut agreed = 0;
    for (file, project) in files.iter().zip(opened) {
        match &project.compared {
            Fact::Known(Comparison::Agrees) => agreed += 1,
            // Keys that are not read here may be wrong, too.
            Fact::Known(Comparison::Refuses { .. }) => {}
            other => panic!("{}: {other:?} {:?}", file.display(), project.services),
        }
    }
    assert!(agreed > 25, "{agreed}");
}

#[tokio::test]
async fn every_value_has_the_place_that_set_it() {
    let rows: &[(&str, &str, &str)] = &[
        ("plain", "web", "linux/amd64@compose.yaml:4"),
        ("default-override", "web", "linux/arm64@compose.override.yaml:3"),
        ("merge-keys", "a", "linux/amd64@compose.yaml:2 not own"),
        ("merge-keys", "c", "linux/arm64@compose.yaml:14"),
        ("merge-keys", "d", "linux/amd64@compose.yaml:2 not own"),
        ("anchors-on-values", "b", "linux/amd64@compose.yaml:6"),
        ("extends-same-file", "job", "linux/amd64@compose.yaml:2 not own"),
        ("extends-other-file", "web", "linux/amd64@base.yaml:5 not own"),
        ("extends-other-file", "own", "linux/arm64@compose.yaml:8"),
        ("include-short", "db", "linux/amd64@compose.yaml:2"),
        ("defaults", "a", "linux/amd64@compose.yaml:2 not own"),
        ("crlf", "web", "linux/amd64@compose.yaml:4"),
        ("json", "web", "linux/arm64@compose.json:5"),
        ("block-scalars", "web", "linux/amd64@compose.yaml:5"),
        ("documents", "web", "linux/amd64@compose.yaml:2"),
    ];
    for (case, name, expected) in rows {
        let project = Case::named(case).open(None).await;
        assert_eq!(service(&project, name).platform.as_ref().map(places).as_deref(), Some(*expected), "{case}/{name}");
    }
    let project = Case::named("build-merged").open(None).await;
    let web = service(&project, "web");
    let build = web.build.as_ref().unwrap();
    let all: Vec<String> = build.platforms.iter().chain(&build.target).chain(&build.args).map(places).collect();
    let expected = ["linux/amd64@b.yaml:5", "linux/arm64@c.yaml:4", "prod@b.yaml:4", "B@c.yaml:5", "A@c.yaml:5"];
    assert_eq!(all, expected);
    assert!(build.context.as_ref().unwrap().value.ends_with("tests/compose/build-merged/one"));
    assert_eq!((web.path.rsplit('/').next(), web.line), (Some("a.yaml"), Some(2)));
    let profiles = Case::named("profiles").open(None).await;
    assert_eq!(["a", "b", "c"].map(|name| service(&profiles, name).active), [true, true, false]);
    assert_eq!(Case::named("named").open(None).await.name, "my-project_1");
    assert_eq!(Case::named("plain").open(None).await.name, "plain");
}

#[tokio::test]
async fn what_cannot_be_known_is_a_gap() {
    let open = |text: &'static str| async move {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("compose.yaml"), text).unwrap();
        let host = LabHost::new(None, "PATH=/nowhere");
        open_compose(&host, &[folder.path().to_owned()], &ComposeAnswers::default()).await.unwrap()
    };
    let unset = Case::named("unset-variable").open(None).await;
    let gap = service(&unset, "b").gap.as_ref().unwrap();
    assert!(gap.why.starts_with("NOWHERE has no value here"), "{gap:?}");
    assert_eq!(service(&unset, "a").gap, None, "its image is not known, its platform is");
    assert_eq!(service(&unset, "a").image.as_ref().unwrap().unset, ["NOWHERE"]);

    let far = open("include: [https://example.test/x.git]\nservices:\n  a: {image: a}\n").await;
    assert!(far.gaps[0].why.contains("was not fetched"), "{:?}", far.gaps);
    assert!(far.compared.gap().unwrap().why.contains("would fetch https://example.test/x.git"), "{:?}", far.compared);
    assert!(far.pin("elsewhere").unwrap_err().contains("was not fetched"));
    let far = open("services:\n  a:\n    extends: {file: 'oci://x', service: b}\n    image: a\n").await;
    assert!(service(&far, "a").gap.as_ref().unwrap().why.contains("was not fetched"));

    for (text, why) in [
        ("services: [", "not valid YAML"),
        ("services: 5\n", "not a list of names"),
        ("services:\n  a: {image: \"${SECRET?hunter2}\"}\n", "SECRET must be set"),
    ] {
        let project = open(text).await;
        let gap = project.services.gap().unwrap();
        assert!(gap.why.contains(why) && !gap.why.contains("hunter2"), "{text}: {gap:?}");
    }
    let host = LabHost::new(None, "");
    let nothing =
        open_compose(&host, &[PathBuf::from("/nowhere/compose.yaml")], &ComposeAnswers::default()).await.unwrap_err();
    assert!(matches!(nothing, OpenError::Missing { .. }));
    let empty = tempfile::tempdir().unwrap();
    let nothing = open_compose(&host, &[empty.path().to_owned()], &ComposeAnswers::default()).await.unwrap_err();
    assert!(nothing.to_string().contains("compose.yaml"), "{nothing}");
}

#[tokio::test]
async fn a_variable_that_is_set_and_empty_is_set() {
    let project = Case::named("empty-in-environment").open(None).await;
    let image = |name: &str| service(&project, name).image.as_ref().unwrap().value.clone();
    let rows = [("default", "x:e"), ("instead", "x:ez"), ("required", "x:y"), ("nested", "x:e"), ("file", "x:eempty")];
    for (name, expected) in rows {
        assert_eq!(image(name), expected, "{name}");
    }
    let named = Case::named("empty-project-name").open(None).await;
    assert_eq!(named.name, "written", "an empty name is none");
}

/// A `docker` in front of the real one that writes down that it was called.
#[tokio::test]
async fn the_installed_compose_is_asked_again_only_when_something_changed() {
    let Some((client, config)) = client() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, text: &str| std::fs::write(at(name), text).unwrap();
    std::fs::create_dir(at("bin")).unwrap();
    let log = at("calls");
    write("bin/docker", &format!("#!/bin/sh\necho called >> '{}'\nexec '{client}' \"$@\"\n", log.display()));
    std::fs::set_permissions(at("bin/docker"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let service = "services:\n  web:\n    extends: {file: base.yaml, service: base}\n    image: \"web:${TAG}\"\n";
    write("compose.yaml", &format!("include: [more.yaml]\n{service}"));
    write("more.yaml", "services:\n  more: {image: more}\n");
    write("base.yaml", "services:\n  base:\n    env_file: [{path: web.env}]\n    platform: linux/amd64\n");
    write("web.env", "A=1\n");
    write(".env", "TAG=1\n");

    let host = |environment: &str| {
        let mut host = LabHost::new(Some(&("/".to_owned() + &client, config.clone())), environment);
        host.environment.insert("PATH".to_owned(), at("bin").display().to_string());
        host
    };
    let calls = || std::fs::read_to_string(&log).unwrap_or_default().lines().count();
    let (answers, quiet) = (ComposeAnswers::default(), host(""));
    let named = [folder.path().to_owned()];
    let open = async |host: &LabHost| open_compose(host, &named, &answers).await.unwrap();
    for look in 1..=3 {
        let project = open(&quiet).await;
        assert_eq!((project.compared, calls()), (Fact::Known(Comparison::Agrees), 1), "look {look}");
    }
    let changes = [
        ("compose.yaml", format!("# other\ninclude: [more.yaml]\n{service}")),
        ("more.yaml", "services:\n  more: {image: other}\n".to_owned()),
        ("base.yaml", "services:\n  base: {env_file: [web.env], platform: linux/arm64}\n".to_owned()),
        (".env", "TAG=2\n".to_owned()),
        ("web.env", "A=2\n".to_owned()),
        ("compose.override.yaml", "services:\n  web: {platform: linux/amd64}\n".to_owned()),
    ];
    for (number, (name, text)) in (2..).zip(changes) {
        write(name, &text);
        for _ in 0..2 {
            let project = open(&quiet).await;
            assert_eq!((project.compared, calls()), (Fact::Known(Comparison::Agrees), number), "{name}");
        }
    }
    let other = host("TAG=3");
    open(&other).await;
    assert_eq!(calls(), 8, "a variable of the environment");
    std::fs::remove_file(at("web.env")).unwrap();
    for _ in 0..2 {
        let project = open(&quiet).await;
        assert!(matches!(project.compared, Fact::Known(Comparison::Refuses { .. })), "{:?}", project.compared);
        assert_eq!(calls(), 9, "a file that a service is given has gone");
    }
    let forgetful = ComposeAnswers::lasting(std::time::Duration::ZERO);
    for number in 10..12 {
        open_compose(&quiet, &named, &forgetful).await.unwrap();
        assert_eq!(calls(), number, "an answer does not count for ever");
    }
}
