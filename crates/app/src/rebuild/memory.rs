//! What somebody named once: the folder an image is built from. Kept in the app's data folder by reference.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use silidock_diagnosis::reference::normalise;
use silidock_host::Host;

use crate::failure::{Failure, FailureCode};

const FILE: &str = "builds.json";
const LIMIT: usize = 4 << 20;

/// What an image is built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    pub context: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct RememberedBuilds {
    path: Option<PathBuf>,
    known: BTreeMap<String, Remembered>,
}

impl RememberedBuilds {
    /// Reads what is kept. A file that cannot be read is as good as none: what it held can be named again.
    pub fn read(host: &dyn Host) -> Self {
        let path = host.data_dir().map(|data| data.join(FILE));
        let bytes = path.as_ref().and_then(|path| host.read(path, LIMIT).ok());
        let known = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { path, known }
    }

    pub fn of(&self, reference: &str) -> Option<Remembered> {
        self.known.get(&normalise(reference)?).cloned()
    }

    /// All of them, by reference in full.
    pub fn all(&self) -> impl Iterator<Item = (&String, &Remembered)> {
        self.known.iter()
    }

    /// Keeps one more.
    pub fn keep(&mut self, reference: &str, build: Remembered) -> Result<(), Failure> {
        let (Some(path), Some(name)) = (&self.path, normalise(reference)) else { return Ok(()) };
        if self.known.get(&name) == Some(&build) {
            return Ok(());
        }
        self.known.insert(name, build);
        write(path, &self.known)
    }
}

/// Writes a document of the app's own, in one step.
pub(crate) fn write(path: &Path, content: &impl Serialize) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut temporary, content)?;
        temporary.persist(path)?;
        Ok(())
    };
    write()
        .map_err(|error| Failure::new(FailureCode::File, format!("{} could not be written: {error}.", path.display())))
}
