//! What tests of changes of a runtime share: a Mac that is a folder, whose tools are real programs, and the engines of the lab.

use std::fs;
use std::path::{Path, PathBuf};

use silidock_app::host::{BoxFuture, DirEntry, FixtureHost, Host, HostFacts, Output, ReadError, RunError, ToolRun};

/// A Mac that is a folder, whose tools are real programs.
#[derive(Debug)]
pub struct Mac {
    pub described: FixtureHost,
    pub root: PathBuf,
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
