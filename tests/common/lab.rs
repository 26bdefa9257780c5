//! The real engines of the tests, as `tests/lab/lab.sh up` describes them in the file that `SILIDOCK_LAB` names.

use std::{
    collections::BTreeSet,
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

/// One real engine.
#[derive(Debug, Clone)]
pub struct Lab {
    /// `v28`, `v28-overlay2`, `v20`, `arm64`; `host` for whatever Docker runs on this machine.
    pub name: String,
    pub endpoint: String,
    /// Its own platform.
    pub native: String,
    /// The platform that has to be emulated there.
    pub foreign: String,
    /// The Compose file of its project.
    pub project: PathBuf,
    client: String,
    config: String,
    store: OnceLock<bool>,
}

/// The engines. None, told on standard error, where `SILIDOCK_LAB=skip` says to do without.
pub fn engines(what: &str) -> Vec<Lab> {
    let file = std::env::var("SILIDOCK_LAB").unwrap_or_default();
    assert!(
        !file.is_empty(),
        "{what}: this needs real engines. `make test` starts them; or run `tests/lab/lab.sh up` and set SILIDOCK_LAB to \
         the endpoints.json it writes. SILIDOCK_LAB=skip leaves these tests out."
    );
    if file == "skip" {
        eprintln!("SKIPPED, because SILIDOCK_LAB=skip: {what}, on real engines");
        return Vec::new();
    }
    let read = fs::read_to_string(&file).unwrap_or_else(|e| panic!("SILIDOCK_LAB={file} cannot be read: {e}"));
    let all: Value = serde_json::from_str(&read).unwrap_or_else(|e| panic!("{file} is no JSON: {e}"));
    let engines: Vec<Lab> = all.as_object().unwrap().iter().map(|(name, engine)| lab(name, engine)).collect();
    assert!(!engines.is_empty(), "{file} names no engine");
    engines
}

/// Does the same on every engine, side by side: they do not wait for each other, and one may be slow.
pub fn on_each(what: &str, test: impl Fn(&Lab) + Sync) {
    let engines = engines(what);
    let failed: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = engines.iter().map(|engine| (engine, scope.spawn(|| test(engine)))).collect();
        running.into_iter().filter_map(|(engine, thread)| thread.join().err().map(|_| engine.name.clone())).collect()
    });
    assert!(failed.is_empty(), "{what}: failed on {}", failed.join(", "));
}

fn lab(name: &str, engine: &Value) -> Lab {
    let text = |key: &str| engine[key].as_str().unwrap_or_else(|| panic!("{name} has no {key}")).to_owned();
    let native = text("platform");
    let foreign = match native.as_str() {
        "linux/amd64" => "linux/arm64",
        "linux/arm64" => "linux/amd64",
        other => panic!("there are no fixtures for {other}"),
    };
    Lab {
        name: name.to_owned(),
        endpoint: text("endpoint"),
        native,
        foreign: foreign.to_owned(),
        project: text("project").into(),
        client: text("client"),
        config: text("dockerConfig"),
        store: OnceLock::new(),
    }
}

impl Lab {
    /// Another engine of the same kind.
    pub fn like(&self, name: &str, endpoint: &str) -> Self {
        Self { name: name.to_owned(), endpoint: endpoint.to_owned(), ..self.clone() }
    }

    /// One of our own engines, where nothing else runs; not a person's.
    pub fn ours(&self) -> bool {
        self.name != "host"
    }

    /// `amd64` of `linux/amd64`.
    pub fn arch(platform: &str) -> &str {
        platform.trim_start_matches("linux/")
    }

    /// Asks the Docker client: the judge who knows nothing of this program.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let mut output = self.client(arguments).output().unwrap();
        // An engine that makes a list while an image goes can answer with that image's error.
        for _ in 0..3 {
            if !String::from_utf8_lossy(&output.stderr).contains("NotFound: content digest") {
                break;
            }
            output = self.client(arguments).output().unwrap();
        }
        assert!(
            output.status.success(),
            "docker {arguments:?} on {}: {}",
            self.name,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub fn client(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.client);
        command.args(arguments).env("DOCKER_HOST", &self.endpoint).env("DOCKER_CONFIG", &self.config);
        command.env_remove("DOCKER_CONTEXT").env_remove("DOCKER_DEFAULT_PLATFORM");
        command
    }

    /// The folder of the Docker client.
    pub fn client_folder(&self) -> String {
        Path::new(&self.client).parent().unwrap().display().to_string()
    }

    /// The Docker configuration that gives the client buildx and compose.
    pub fn docker_config(&self) -> &str {
        &self.config
    }

    /// What is in the build cache, by identifier.
    pub fn build_cache(&self) -> BTreeSet<String> {
        let used = self.docker(&["system", "df", "--verbose", "--format", "{{range .BuildCache}}{{.ID}} {{end}}"]);
        used.split_whitespace().map(str::to_owned).collect()
    }

    /// Several platforms can live under one tag.
    pub fn containerd_store(&self) -> bool {
        let asked = || self.docker(&["info", "--format", "{{json .DriverStatus}}"]);
        *self.store.get_or_init(|| asked().contains("io.containerd.snapshotter"))
    }

    /// Everything on the engine that a scan could have changed; an engine lists things of the same second in any order.
    pub fn inventory(&self) -> Vec<String> {
        let containers = self.docker(&["ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}"]);
        let images = self.docker(&["image", "ls", "-a", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"]);
        let mut all: Vec<String> = containers.lines().chain(images.lines()).map(str::to_owned).collect();
        all.sort();
        all
    }

    /// The project for one test alone; it is left as it was found.
    pub fn project(&self) -> Project {
        let lock = File::create(self.project.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        let path = self.project.clone();
        let bytes = fs::read(&path).unwrap();
        let mode = mode(&path);
        Project { path, bytes, mode, _lock: lock }
    }
}

/// The Compose project of an engine, held. Dropping it puts the file back, should a test have failed half-way.
pub struct Project {
    pub path: PathBuf,
    /// The file as it was found.
    pub bytes: Vec<u8>,
    pub mode: u32,
    _lock: File,
}

impl Project {
    pub fn untouched(&self) -> bool {
        fs::read(&self.path).unwrap() == self.bytes && mode(&self.path) == self.mode
    }

    /// The line of a text, from 1.
    pub fn line_of(&self, text: &str) -> usize {
        let content = std::str::from_utf8(&self.bytes).unwrap();
        1 + content.lines().position(|line| line.contains(text)).unwrap()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if !self.untouched() {
            fs::write(&self.path, &self.bytes).unwrap();
            fs::set_permissions(&self.path, Permissions::from_mode(self.mode)).unwrap();
        }
    }
}

pub fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}
