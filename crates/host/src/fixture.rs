//! A machine described by a folder of files and a few values: for tests, and for the sample that ships with the app.
//! Nothing of the real machine shows through.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::facts::{self, Hardware};
use crate::{BoxFuture, DirEntry, Host, HostFacts, Output, ReadError, RunError, ToolRun, local};

/// More links than any real path has; a loop ends here.
const MAX_LINKS: usize = 32;

/// A described machine. An absolute path is looked up below the root, unless it already lies there.
#[derive(Debug, Clone, Default)]
pub struct FixtureHost {
    root: PathBuf,
    home: Option<PathBuf>,
    host_name: Option<String>,
    env: BTreeMap<String, String>,
    sysctl: BTreeMap<String, String>,
    commands: BTreeMap<Vec<String>, Output>,
    hardware: Hardware,
}

impl FixtureHost {
    /// A machine whose `/` is the folder `root`, with an empty environment.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), ..Self::default() }
    }

    /// Sets the home folder, as a path of the described machine (`/Users/ada`).
    #[must_use]
    pub fn with_home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// Sets the machine's name.
    #[must_use]
    pub fn with_host_name(mut self, name: &str) -> Self {
        self.host_name = Some(name.to_owned());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets the answer of `sysctl -n key`.
    #[must_use]
    pub fn with_sysctl(mut self, key: &str, value: &str) -> Self {
        self.sysctl.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Sets what the hardware is.
    #[must_use]
    pub fn with_hardware(mut self, hardware: Hardware) -> Self {
        self.hardware = hardware;
        self
    }

    /// Sets the answer of a command, named by the tool's file name and its exact arguments.
    #[must_use]
    pub fn with_command(mut self, command: &[&str], output: Output) -> Self {
        self.commands.insert(command.iter().map(|word| (*word).to_owned()).collect(), output);
        self
    }

    /// The described machine's path for a place below the root.
    fn outside(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).map_or_else(|_| path.to_owned(), |rest| Path::new("/").join(rest))
    }

    /// The place below the root that a path of the described machine leads to, its symbolic links resolved there,
    /// so that a link to `/Users/ada/...` stays inside the fixture.
    fn inside(&self, path: &Path) -> PathBuf {
        let mut real = self.root.clone();
        let mut links = 0;
        let mut rest: Vec<PathBuf> = parts(&self.outside(path));
        while let Some(part) = rest.pop() {
            if part == Path::new("..") {
                if real != self.root {
                    real.pop();
                }
                continue;
            }
            let next = real.join(&part);
            match next.read_link() {
                Ok(target) if links < MAX_LINKS => {
                    links += 1;
                    if target.is_absolute() {
                        real.clone_from(&self.root);
                    }
                    rest.extend(parts(&self.outside(&target)));
                }
                _ => real = next,
            }
        }
        real
    }

    /// An error of the place below the root, told in the described machine's words.
    fn retold(path: &Path, error: ReadError) -> ReadError {
        let path = path.to_owned();
        match error {
            ReadError::Missing { .. } => ReadError::Missing { path },
            ReadError::Permission { .. } => ReadError::Permission { path },
            ReadError::TooLarge { limit, .. } => ReadError::TooLarge { path, limit },
            ReadError::WrongKind { expected, .. } => ReadError::WrongKind { path, expected },
            ReadError::Io { source, .. } => ReadError::Io { path, source },
        }
    }
}

/// The named parts of a path, last one first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let named = path.components().rev().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    named.map(|part| PathBuf::from(part.as_os_str())).collect()
}

impl Host for FixtureHost {
    fn env(&self, name: &str) -> Option<String> {
        self.env_or_empty(name).filter(|value| !value.is_empty())
    }

    fn env_or_empty(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn home(&self) -> Option<PathBuf> {
        self.home.clone()
    }

    fn read(&self, path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
        local::read(&self.inside(path), limit).map_err(|error| Self::retold(path, error))
    }

    fn exists(&self, path: &Path) -> bool {
        self.inside(path).exists()
    }

    fn is_executable(&self, path: &Path) -> bool {
        local::is_executable(&self.inside(path))
    }

    fn list_dir(&self, path: &Path) -> Result<Vec<DirEntry>, ReadError> {
        local::list_dir(&self.inside(path)).map_err(|error| Self::retold(path, error))
    }

    fn real_path(&self, path: &Path) -> Result<PathBuf, ReadError> {
        let real = self.inside(path);
        let shown = self.outside(&real);
        if real.symlink_metadata().is_ok() || shown != self.outside(path) {
            Ok(shown)
        } else {
            Err(ReadError::Missing { path: path.to_owned() })
        }
    }

    fn run<'a>(&'a self, tool: &'a ToolRun) -> BoxFuture<'a, Result<Output, RunError>> {
        let name = tool.tool.file_name().map(|name| name.to_string_lossy().into_owned());
        let words: Vec<String> = name.into_iter().chain(tool.args.iter().cloned()).collect();
        let answer = self.commands.get(&words).cloned();
        Box::pin(async move { answer.ok_or_else(|| RunError::NotFound { tool: tool.tool.clone() }) })
    }

    fn sysctl(&self, key: &str) -> Option<String> {
        self.sysctl.get(key).cloned()
    }

    fn facts(&self) -> HostFacts {
        facts::gather(self, self.hardware.clone())
    }

    fn temp_dir(&self) -> PathBuf {
        self.env("TMPDIR").map_or_else(|| "/tmp".into(), PathBuf::from)
    }

    fn host_name(&self) -> Option<String> {
        self.host_name.clone()
    }
}
