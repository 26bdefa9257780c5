//! What tests of changes of a runtime share: a Mac that is a folder, whose tools are real programs, and the engines of the lab.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use silidock_app::host::{BoxFuture, DirEntry, FixtureHost, Host, HostFacts, Output, ReadError, RunError, ToolRun};
use silidock_app::{App, AppOptions};
use tempfile::TempDir;

/// Such a Mac with Docker Desktop, whose client is a script, and the app on it.
pub struct Desktop {
    pub app: Arc<App>,
    root: TempDir,
}

impl Desktop {
    /// `docker` makes the client's script of the path of the settings. Nothing listens at [`Self::socket`] yet.
    pub fn new(docker: impl FnOnce(&Path) -> String) -> Self {
        let root = TempDir::new().unwrap();
        let at = |place: &str| root.path().join(place);
        let group = "Users/ada/Library/Group Containers/group.com.docker";
        for folder in ["Users/ada/.docker/run", "opt/homebrew/bin", "System/Library/CoreServices", "data", group] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        let version = "<plist version=\"1.0\"><dict><key>ProductVersion</key><string>27.1</string></dict></plist>";
        fs::write(at("System/Library/CoreServices/SystemVersion.plist"), version).unwrap();
        let client = at("opt/homebrew/bin/docker");
        fs::write(&client, docker(&at(group).join("settings-store.json"))).unwrap();
        fs::set_permissions(&client, fs::Permissions::from_mode(0o755)).unwrap();
        let described = FixtureHost::new(root.path())
            .with_home(at("Users/ada"))
            .with_env("SILIDOCK_DATA_DIR", at("data").to_str().unwrap())
            .with_sysctl("kern.ostype", "Darwin")
            .with_sysctl("hw.optional.arm64", "1");
        let host = Arc::new(Mac { described, root: root.path().to_owned() });
        Self { app: App::start(AppOptions { host, ..AppOptions::default() }), root }
    }

    pub fn socket(&self) -> PathBuf {
        self.root.path().join("Users/ada/.docker/run/docker.sock")
    }

    /// Its address.
    pub fn engine(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Docker Desktop's settings.
    pub fn settings(&self) -> PathBuf {
        self.root.path().join("Users/ada/Library/Group Containers/group.com.docker/settings-store.json")
    }

    /// A file beside the client.
    pub fn bin(&self, name: &str) -> PathBuf {
        self.root.path().join("opt/homebrew/bin").join(name)
    }

    /// What the client was asked since the last time.
    pub fn asked(&self) -> Vec<String> {
        let log = fs::read_to_string(self.bin("log")).unwrap_or_default();
        let _ = fs::remove_file(self.bin("log"));
        log.lines().map(str::to_owned).collect()
    }
}

/// A Mac that is a folder, whose tools are real programs.
#[derive(Debug)]
pub struct Mac {
    described: FixtureHost,
    root: PathBuf,
}

impl Host for Mac {
    fn env(&self, name: &str) -> Option<String> {
        self.described.env(name)
    }
    fn env_or_empty(&self, name: &str) -> Option<String> {
        self.described.env_or_empty(name)
    }
    fn home(&self) -> Option<PathBuf> {
        self.described.home()
    }
    fn read(&self, path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
        self.described.read(path, limit)
    }
    fn exists(&self, path: &Path) -> bool {
        self.described.exists(path)
    }
    fn is_executable(&self, path: &Path) -> bool {
        self.described.is_executable(path)
    }
    fn list_dir(&self, path: &Path) -> Result<Vec<DirEntry>, ReadError> {
        self.described.list_dir(path)
    }
    fn real_path(&self, path: &Path) -> Result<PathBuf, ReadError> {
        self.described.real_path(path)
    }
    fn run<'a>(&'a self, tool: &'a ToolRun) -> BoxFuture<'a, Result<Output, RunError>> {
        let program = self.root.join(tool.tool.strip_prefix("/").unwrap());
        Box::pin(async move {
            let ended = tokio::process::Command::new(&program).args(&tool.args).output().await;
            let output = ended.map_err(|_| RunError::NotFound { tool: tool.tool.clone() })?;
            Ok(Output { status: output.status.code(), stdout: output.stdout, stderr: output.stderr })
        })
    }
    fn sysctl(&self, key: &str) -> Option<String> {
        self.described.sysctl(key)
    }
    fn facts(&self) -> HostFacts {
        self.described.facts()
    }
    fn temp_dir(&self) -> PathBuf {
        self.described.temp_dir()
    }
    fn host_name(&self) -> Option<String> {
        self.described.host_name()
    }
}

/// Address of an engine of the lab; none where `SILIDOCK_LAB=skip` says to do without.
#[allow(clippy::print_stderr, reason = "what was left out")]
pub fn engine(name: &str) -> Option<String> {
    let file = std::env::var("SILIDOCK_LAB").unwrap_or_default();
    assert!(!file.is_empty(), "this needs real engines: `make test`, or tests/lab/lab.sh up and SILIDOCK_LAB");
    if file == "skip" {
        eprintln!("SKIPPED, because SILIDOCK_LAB=skip");
        return None;
    }
    let all: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    Some(all.get(name)?["endpoint"].as_str().unwrap().to_owned())
}
