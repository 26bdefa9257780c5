//! Settings of every runtime, read from described Macs: one folder of `fixtures/` each, with the machine beside its
//! files and what must be read from it.

// The helpers of tests may fail loudly, too.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use serde::Deserialize;
use serde_json::{Value, json};
use silidock_diagnosis::{
    fact::Fact,
    runtime::{EmulationFacts, RuntimeSettings, Setting},
};
use silidock_host::{
    BoxFuture, DirEntry, FixtureHost, Host, HostFacts, OsFamily, Output, ReadError, RunError, ToolRun,
};
use silidock_observe::runtimes::{GuardedFiles, read};

/// What a machine is besides its files.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Machine {
    #[serde(default)]
    macos: Option<String>,
    #[serde(default = "yes")]
    apple_silicon: bool,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Tools that are there, as paths.
    #[serde(default)]
    tools: Vec<String>,
    /// Command lines with what they print; their exit status where it is not 0.
    #[serde(default)]
    commands: BTreeMap<String, (i32, String)>,
    /// The user said that guarded files may be read.
    #[serde(default)]
    guarded_allowed: bool,
    /// Files to make too large.
    #[serde(default)]
    huge: Vec<String>,
    /// Files the system refuses to read.
    #[serde(default)]
    refused: Vec<String>,
    /// Files that nobody may so much as ask for.
    #[serde(default)]
    untouched: Vec<String>,
}

fn yes() -> bool {
    true
}

const HOME: &str = "/Users/sam";

/// A machine that refuses some paths, and remembers which were asked for and what was run.
#[derive(Debug)]
struct Watched {
    inner: FixtureHost,
    refused: Vec<PathBuf>,
    asked: Mutex<Vec<PathBuf>>,
    ran: Mutex<Vec<String>>,
}

impl Watched {
    fn ask(&self, path: &Path) -> Result<(), ReadError> {
        self.asked.lock().unwrap().push(path.to_owned());
        match self.refused.iter().any(|refused| path == refused) {
            true => Err(ReadError::Permission { path: path.to_owned() }),
            false => Ok(()),
        }
    }
}

impl Host for Watched {
    fn env(&self, name: &str) -> Option<String> {
        self.inner.env(name)
    }
    fn env_or_empty(&self, name: &str) -> Option<String> {
        self.inner.env_or_empty(name)
    }
    fn home(&self) -> Option<PathBuf> {
        self.inner.home()
    }
    fn read(&self, path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
        self.ask(path).and_then(|()| self.inner.read(path, limit))
    }
    fn exists(&self, path: &Path) -> bool {
        self.ask(path).is_ok() && self.inner.exists(path)
    }
    fn is_executable(&self, path: &Path) -> bool {
        self.inner.is_executable(path)
    }
    fn list_dir(&self, path: &Path) -> Result<Vec<DirEntry>, ReadError> {
        self.ask(path).and_then(|()| self.inner.list_dir(path))
    }
    fn real_path(&self, path: &Path) -> Result<PathBuf, ReadError> {
        self.ask(path).and_then(|()| self.inner.real_path(path))
    }
    fn run<'a>(&'a self, tool: &'a ToolRun) -> BoxFuture<'a, Result<Output, RunError>> {
        let name = tool.tool.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.ran.lock().unwrap().push([&[name], tool.args.as_slice()].concat().join(" "));
        self.inner.run(tool)
    }
    fn sysctl(&self, key: &str) -> Option<String> {
        self.inner.sysctl(key)
    }
    fn facts(&self) -> HostFacts {
        self.inner.facts()
    }
    fn temp_dir(&self) -> PathBuf {
        self.inner.temp_dir()
    }
    fn host_name(&self) -> Option<String> {
        self.inner.host_name()
    }
    fn os(&self) -> OsFamily {
        self.inner.os()
    }
    fn tool_path(&self) -> OsString {
        self.inner.tool_path()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&source, &target),
            kind if kind.is_symlink() => symlink(source.read_link().unwrap(), target).unwrap(),
            _ => fs::copy(source, target).map(drop).unwrap(),
        }
    }
}

fn place(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path.trim_start_matches('/'));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn describe(root: &Path, machine: &Machine) -> Watched {
    let mut host = FixtureHost::new(root).with_home(HOME).with_sysctl("kern.ostype", "Darwin");
    if let Some(version) = &machine.macos {
        let plist =
            format!("<plist version=\"1.0\"><dict><key>ProductVersion</key><string>{version}</string></dict></plist>");
        place(root, "/System/Library/CoreServices/SystemVersion.plist", plist.as_bytes());
        host = host.with_sysctl("hw.optional.arm64", if machine.apple_silicon { "1" } else { "0" });
    }
    for tool in &machine.tools {
        place(root, tool, b"");
    }
    for path in &machine.huge {
        place(root, path, &vec![b' '; (1 << 20) + 1]);
    }
    for (name, value) in &machine.env {
        host = host.with_env(name, value);
    }
    for (line, (status, printed)) in &machine.commands {
        let words: Vec<&str> = line.split(' ').collect();
        let output = Output { status: Some(*status), stdout: printed.clone().into_bytes(), stderr: Vec::new() };
        host = host.with_command(&words, output);
    }
    let refused = machine.refused.iter().map(PathBuf::from).collect();
    Watched { inner: host, refused, asked: Mutex::default(), ran: Mutex::default() }
}

fn setting<T>(fact: &Fact<Setting<T>>, id: impl Fn(&T) -> Value) -> Value {
    match fact {
        Fact::Known(setting) => {
            let evidence = setting.evidence();
            json!([id(&setting.value), format!("{}: {}", evidence.place, evidence.text), setting.confidence])
        }
        Fact::Unknown { unknown } => json!({ "unknown": format!("{}: {}", unknown.what, unknown.why) }),
    }
}

fn words(settings: &RuntimeSettings) -> Value {
    let mut said = json!({
        "runtime": settings.runtime,
        "vm": setting(&settings.vm_type, |vm| json!(vm)),
        "emulator": setting(&settings.emulator, |emulator| json!(emulator)),
    });
    let table = said.as_object_mut().unwrap();
    let mut add = |key: &str, value: Value| {
        if !value.is_null() && value != json!([]) {
            table.insert(key.to_owned(), value);
        }
    };
    add("instance", json!(settings.instance));
    add("version", json!(settings.version));
    add("arch", json!(settings.vm_arch.as_ref().map(|arch| &arch.value)));
    add("startedWith", settings.started_with.as_ref().map_or(Value::Null, |s| setting(s, |e| json!(e))));
    add("locks", settings.locks.iter().map(|lock| json!([lock.place, lock.key, lock.value])).collect());
    let obstacle = |o: &silidock_diagnosis::runtime::Obstacle| {
        json!([o.kind, o.text, format!("{}: {}", o.evidence.place, o.evidence.text), o.confidence])
    };
    add("obstacles", settings.obstacles.iter().map(obstacle).collect());
    add("gaps", settings.gaps.iter().map(|gap| json!(format!("{}: {}", gap.what, gap.why))).collect());
    said
}

fn summary(facts: &EmulationFacts) -> Value {
    let runtimes: Vec<Value> = facts.runtimes.known().unwrap().iter().map(words).collect();
    let rosetta = match &facts.rosetta {
        Fact::Known(r) => json!([r.present, r.integrated, r.version]),
        Fact::Unknown { unknown } => json!({ "unknown": unknown.why }),
    };
    let mut said = json!({ "runtimes": runtimes, "rosetta": rosetta });
    match &facts.shared_socket {
        Fact::Known(None) => {}
        Fact::Known(Some(s)) => said["socket"] = json!([s.leads_to, s.owner, s.dangling, s.runtimes]),
        Fact::Unknown { unknown } => said["socket"] = json!({ "unknown": unknown.why }),
    }
    said
}

#[tokio::test]
async fn every_described_mac_is_read() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut cases: Vec<PathBuf> = fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let mut failed = Vec::new();
    for case in &cases {
        let name = case.file_name().unwrap().to_string_lossy();
        let machine: Machine = serde_json::from_slice(&fs::read(case.join("machine.json")).unwrap()).unwrap();
        let root = tempfile::tempdir().unwrap();
        copy(&case.join("root"), root.path());
        let host = Arc::new(describe(root.path(), &machine));
        let guarded = if machine.guarded_allowed { GuardedFiles::Read } else { GuardedFiles::Leave };
        let seen = summary(&read(&*host, guarded).await);
        let expected: Value =
            serde_json::from_slice(&fs::read(case.join("expected.json")).unwrap_or_default()).unwrap_or(Value::Null);
        if seen != expected {
            failed.push(format!("{name}: {}", serde_json::to_string_pretty(&seen).unwrap()));
        }
        let asked = host.asked.lock().unwrap();
        for path in &machine.untouched {
            assert!(!asked.iter().any(|asked| asked.starts_with(path)), "{name}: {path} was asked for");
        }
        for line in host.ran.lock().unwrap().iter() {
            assert!(only_reads(line), "{name} ran {line}");
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let runtimes: Vec<_> = cases.iter().filter_map(|case| case.file_name()?.to_str()?.split("-").next()).collect();
    for id in ["docker_desktop", "orbstack", "colima", "lima", "rancher_desktop", "podman", "finch", "apple_container"]
    {
        assert!(runtimes.iter().filter(|found| **found == id).count() >= 2, "{id} has a healthy and a broken Mac");
    }
}

/// Every command that readers may run, none of which starts or changes anything.
fn only_reads(line: &str) -> bool {
    ["orb config get rosetta", "pgrep oahd", "podman --version"].contains(&line)
        || line.starts_with("podman machine inspect ")
}
