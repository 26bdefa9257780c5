//! The real engines that `SILIDOCK_LAB` names, and programs that behave badly in a container. Nothing is asserted here.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod image;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use serde_json::Value;
use silidock_engine::{ConnectOptions, Engine};
use silidock_host::FixtureHost;
use silidock_measure::{Installation, OWNER_LABEL, Options, Probes};
use silidock_probe::elf::MACHINES;
use tempfile::TempDir;

/// Held by tests that need the engines as they are; alone by the one that changes what runs foreign programs.
static HANDLERS: RwLock<()> = RwLock::new(());

/// Held by a test that runs beside others; one that failed does not fail them.
pub fn shared() -> RwLockReadGuard<'static, ()> {
    HANDLERS.read().unwrap_or_else(PoisonError::into_inner)
}

/// Held by a test that changes what others run under, or whose times they would change.
pub fn alone() -> RwLockWriteGuard<'static, ()> {
    HANDLERS.write().unwrap_or_else(PoisonError::into_inner)
}

/// A real engine.
#[derive(Debug, Clone)]
pub struct Lab {
    pub name: String,
    pub endpoint: String,
    /// Its own architecture.
    pub native: String,
    /// The other one that there is a probe for.
    pub foreign: String,
    client: String,
    config: String,
}

/// The engines; none where `SILIDOCK_LAB=skip` says to do without.
pub fn engines() -> Vec<Lab> {
    let file = std::env::var("SILIDOCK_LAB").unwrap_or_default();
    assert!(!file.is_empty(), "this needs real engines: `make test`, or tests/lab/lab.sh up and SILIDOCK_LAB");
    if file == "skip" {
        eprintln!("SKIPPED, because SILIDOCK_LAB=skip");
        return Vec::new();
    }
    let all: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let text = |engine: &Value, key: &str| engine[key].as_str().unwrap().to_owned();
    let lab = |(name, engine): (&String, &Value)| {
        let native = text(engine, "platform").trim_start_matches("linux/").to_owned();
        let foreign = if native == "amd64" { "arm64" } else { "amd64" }.to_owned();
        let (endpoint, client, config) =
            (text(engine, "endpoint"), text(engine, "client"), text(engine, "dockerConfig"));
        Lab { name: name.clone(), endpoint, native, foreign, client, config }
    };
    all.as_object().unwrap().iter().map(lab).collect()
}

/// Does the same on every engine, side by side.
pub fn on_each<F: Future<Output = ()>>(test: impl Fn(Arc<Lab>) -> F + Sync) {
    let _unchanged = shared();
    let engines = engines();
    let failed: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = engines
            .iter()
            .map(|lab| {
                (lab, scope.spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(test(Arc::new(lab.clone())))))
            })
            .collect();
        running.into_iter().filter_map(|(lab, thread)| thread.join().err().map(|_| lab.name.clone())).collect()
    });
    assert!(failed.is_empty(), "failed on {}", failed.join(", "));
}

impl Lab {
    pub async fn engine(&self) -> Engine {
        let nowhere = tempfile::tempdir().unwrap();
        let host = FixtureHost::new(nowhere.path()).with_home("/Users/ada");
        Engine::find(&host, Some(&self.endpoint), ConnectOptions::default()).await.unwrap()
    }

    /// Asks the Docker client: the judge who knows nothing of this program.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(&self.client);
        command.args(arguments).env("DOCKER_HOST", &self.endpoint).env("DOCKER_CONFIG", &self.config);
        let output = command.env_remove("DOCKER_CONTEXT").output().unwrap();
        assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Containers and images of a run, by identifier.
    pub fn objects(&self, run: &Installation) -> BTreeSet<String> {
        let label = format!("label={OWNER_LABEL}={}/{}", run.id(), run.run());
        let containers = self.docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &label]);
        let images = self.docker(&["images", "--all", "--quiet", "--no-trunc", "--filter", &label]);
        containers.lines().chain(images.lines()).map(str::to_owned).collect()
    }

    /// Everything of a run that an engine can hold, by kind and name.
    pub fn traces(&self, run: &Installation) -> BTreeSet<String> {
        let label = format!("label={OWNER_LABEL}={}/{}", run.id(), run.run());
        let kinds: [&[&str]; 4] = [
            &["ps", "--all", "--format", "container {{.Names}}"],
            &["images", "--all", "--format", "image {{.Repository}}:{{.Tag}}"],
            &["network", "ls", "--format", "network {{.Name}}"],
            &["volume", "ls", "--format", "volume {{.Name}}"],
        ];
        let of = |words: &&[&str]| self.docker(&[*words, &["--filter", &label]].concat());
        kinds.iter().map(of).flat_map(|lines| lines.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    /// Makes an image of one file.
    pub fn import(&self, file: &Path, at: &str, image: &str) {
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_path_with_name(file, at).unwrap();
        let packed = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(packed.path(), archive.into_inner().unwrap()).unwrap();
        self.docker(&["import", packed.path().to_str().unwrap(), image]);
    }

    /// The Docker command for this engine.
    pub fn build_tool(&self) -> silidock_measure::BuildTool {
        let environment = [("DOCKER_HOST", &self.endpoint), ("DOCKER_CONFIG", &self.config)];
        silidock_measure::BuildTool {
            program: PathBuf::from(&self.client),
            environment: environment.map(|(name, value)| (name.to_owned(), value.clone())).to_vec(),
        }
    }

    /// The running containers of a run.
    pub fn running(&self, run: &Installation) -> Vec<String> {
        let label = format!("label={OWNER_LABEL}={}/{}", run.id(), run.run());
        self.docker(&["ps", "--quiet", "--no-trunc", "--filter", &label]).lines().map(str::to_owned).collect()
    }

    /// Foreign code as the only probe.
    pub fn carrying_foreign(&self, program: Bad) -> Options {
        Options { probes: Probes::default().with(&self.foreign, program.file(&self.foreign)), ..Options::default() }
    }

    /// Native code as the only probe.
    pub fn carrying(&self, program: Bad) -> Options {
        Options { probes: Probes::default().with(&self.native, program.file(&self.native)), ..Options::default() }
    }
}

/// An installation in a folder of its own.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn open(&self) -> Installation {
        Installation::open(self.0.path()).unwrap()
    }

    pub fn mark(&self, run: &str) -> PathBuf {
        self.0.path().join("runs").join(format!("{run}.run"))
    }
}

/// Waits until it holds, on an engine that may be slow.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A program that is no good probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// Runs for ever.
    Hang,
    /// Prints `hello` and ends well.
    Garbage,
    /// Prints `hello` for ever.
    Flood,
    /// Executes no instruction.
    Crash,
    /// Ends with status 42 and says nothing.
    Silent,
    /// Is no program at all.
    Text,
}

impl Bad {
    fn file(self, arch: &str) -> Vec<u8> {
        let machine = MACHINES.iter().find(|machine| machine.platform == format!("linux/{arch}")).unwrap();
        // In assembly: jump to itself; write(1, "hello\n", 6) and exit(0); the same and jump back; an undefined one.
        let code: &[u8] = match (self, arch) {
            (Self::Text, _) => return b"\x01 this is no program".to_vec(),
            (Self::Silent, _) => machine.stub,
            (Self::Hang, "amd64") => b"\xeb\xfe",
            (Self::Hang, _) => b"\0\0\0\x14",
            (Self::Crash, "amd64") => b"\x0f\x0b",
            (Self::Crash, _) => b"\0\0\0\0",
            (Self::Garbage, "amd64") => {
                b"\xb8\x01\0\0\0\xbf\x01\0\0\0\x48\x8d\x35\x10\0\0\0\xba\x06\0\0\0\x0f\x05\x31\xff\xb8\x3c\0\0\0\x0f\x05hello\n"
            }
            (Self::Garbage, _) => {
                b"\x20\0\x80\xd2\xe1\0\0\x10\xc2\0\x80\xd2\x08\x08\x80\xd2\x01\0\0\xd4\0\0\x80\xd2\xa8\x0b\x80\xd2\x01\0\0\xd4hello\n"
            }
            (Self::Flood, "amd64") => {
                b"\xb8\x01\0\0\0\xbf\x01\0\0\0\x48\x8d\x35\x09\0\0\0\xba\x06\0\0\0\x0f\x05\xeb\xe6hello\n"
            }
            (Self::Flood, _) => {
                b"\x20\0\x80\xd2\xa1\0\0\x10\xc2\0\x80\xd2\x08\x08\x80\xd2\x01\0\0\xd4\xfb\xff\xff\x17hello\n"
            }
        };
        machine.program(code)
    }
}

/// Changes what runs amd64 programs on the arm64 machine, and puts QEMU back when dropped.
pub struct Handler;

impl Handler {
    pub fn set(&self, words: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lab/guest.sh");
        let output = Command::new(script).arg("/etc/lab/x86").args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.set(&["qemu", "POCF"]);
    }
}
