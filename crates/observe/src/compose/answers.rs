//! What the installed Compose said before: asking it takes a process per project, so it is asked again only where something
//! that its answer depends on is not as it was. In memory only, and only what is compared: its whole answer holds environments.

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use silidock_host::{BoxFuture, DirEntry, Host, HostFacts, Output, ReadError, RunError, ToolRun};

use super::reference::Answer;

/// Compose may be updated in its place, which shows nowhere without running it.
const LASTS: Duration = Duration::from_secs(600);

/// Everything that was seen, as one number.
pub(super) type Seen = [u8; 32];

/// Answers of `docker compose config`, the last one of each project.
#[derive(Debug)]
pub struct ComposeAnswers {
    lasts: Duration,
    known: Mutex<HashMap<Vec<String>, Known>>,
}

#[derive(Debug)]
struct Known {
    of: Seen,
    at: Instant,
    answer: Answer,
}

impl Default for ComposeAnswers {
    fn default() -> Self {
        Self::lasting(LASTS)
    }
}

impl ComposeAnswers {
    /// None yet; each counts for so long at most.
    pub fn lasting(lasts: Duration) -> Self {
        Self { lasts, known: Mutex::default() }
    }

    /// What it said when it was asked with these words, if everything was as it is now.
    pub(super) fn of(&self, words: &[String], seen: &Seen) -> Option<Answer> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(words).filter(|known| known.of == *seen && known.at.elapsed() < self.lasts)?;
        Some(known.answer.clone())
    }

    pub(super) fn keep(&self, words: Vec<String>, seen: Seen, answer: &Answer) {
        let known = Known { of: seen, at: Instant::now(), answer: answer.clone() };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(words, known);
    }
}

/// A machine, and everything that was read of it and of its environment. What the files of a project were worked out from
/// is what Compose would read.
pub(super) struct Witness<'a> {
    host: &'a dyn Host,
    seen: Mutex<Sha256>,
}

impl fmt::Debug for Witness<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").field("host", &self.host).finish_non_exhaustive()
    }
}

impl<'a> Witness<'a> {
    pub fn of(host: &'a dyn Host) -> Self {
        Self { host, seen: Mutex::default() }
    }

    pub fn seen(self) -> Seen {
        self.seen.into_inner().unwrap_or_else(PoisonError::into_inner).finalize().into()
    }

    /// Notes what was asked and what came of it, each with its length, so that nothing runs into the next.
    fn note(&self, asked: &[u8], answer: &[u8]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for part in [asked, answer] {
            seen.update(part.len().to_le_bytes());
            seen.update(part);
        }
    }

    fn variable(&self, name: &str, value: Option<String>) -> Option<String> {
        let told = value.as_ref().map_or_else(Vec::new, |value| [b"=", value.as_bytes()].concat());
        self.note(name.as_bytes(), &told);
        value
    }
}

impl Host for Witness<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.variable(name, self.host.env(name))
    }

    fn env_or_empty(&self, name: &str) -> Option<String> {
        self.variable(name, self.host.env_or_empty(name))
    }

    fn home(&self) -> Option<PathBuf> {
        self.host.home()
    }

    fn read(&self, path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
        let read = self.host.read(path, limit);
        let told = match &read {
            Ok(bytes) => Sha256::digest(bytes).to_vec(),
            Err(error) => error.to_string().into_bytes(),
        };
        self.note(path.as_os_str().as_encoded_bytes(), &told);
        read
    }

    fn exists(&self, path: &Path) -> bool {
        let there = self.host.exists(path);
        self.note(path.as_os_str().as_encoded_bytes(), &[u8::from(there)]);
        there
    }

    fn is_executable(&self, path: &Path) -> bool {
        self.host.is_executable(path)
    }

    fn list_dir(&self, path: &Path) -> Result<Vec<DirEntry>, ReadError> {
        self.host.list_dir(path)
    }

    fn real_path(&self, path: &Path) -> Result<PathBuf, ReadError> {
        self.host.real_path(path)
    }

    fn run<'a>(&'a self, tool: &'a ToolRun) -> BoxFuture<'a, Result<Output, RunError>> {
        self.host.run(tool)
    }

    fn sysctl(&self, key: &str) -> Option<String> {
        self.host.sysctl(key)
    }

    fn facts(&self) -> HostFacts {
        self.host.facts()
    }

    fn temp_dir(&self) -> PathBuf {
        self.host.temp_dir()
    }

    fn host_name(&self) -> Option<String> {
        self.host.host_name()
    }
}
