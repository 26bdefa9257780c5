//! Runs that are kept: one JSON document each, in `benchmarks/` below the data folder, readable by its owner only.
//!
//! Documents and not a database: a run is written once, whole, and read whole; there are dozens, not thousands; and one
//! that is damaged costs only itself. A file appears by rename, so a crash leaves none that is half written.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use silidock_diagnosis::bench::Bench;

use crate::failure::{Failure, FailureCode};

/// As much as a run is at most: one with every workload, four lanes and 30 samples has about 100 kB.
const LARGEST: u64 = 8 << 20;

/// The folder of runs.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// One entry of the folder.
#[derive(Debug)]
pub enum Stored {
    /// A run.
    Whole(Box<Bench>),
    /// A file that is none.
    Damaged {
        /// Its name without ending.
        id: String,
        /// What is wrong.
        why: String,
    },
}

impl Store {
    /// The folder below a data folder.
    pub fn new(data: &Path) -> Self {
        Self { folder: data.join("benchmarks") }
    }

    /// Keeps a run.
    ///
    /// # Errors
    /// Its name is none, or the file cannot be written.
    pub fn keep(&self, run: &Bench) -> Result<(), Failure> {
        let path = self.path(&run.id)?;
        let failed = |error: io::Error| {
            Failure::new(FailureCode::File, format!("The benchmark could not be kept in {}: {error}.", path.display()))
        };
        let json = serde_json::to_vec(run).map_err(|error| failed(error.into()))?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(failed)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o600)).map_err(failed)?;
        file.write_all(&json).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// All runs, the newest first. A folder that is not there holds none.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<Stored>, Failure> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.unreadable(&error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| self.unreadable(&error))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                ids.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        // Names begin with the time.
        ids.sort_by(|a, b| b.cmp(a));
        Ok(ids
            .into_iter()
            .map(|id| self.read(&id).map_or_else(|why| Stored::Damaged { id, why }, Stored::Whole))
            .collect())
    }

    /// The runs that can be read, the newest first.
    pub fn whole(&self) -> Vec<Bench> {
        let listed = self.list().unwrap_or_default();
        let whole = |stored| match stored {
            Stored::Whole(run) => Some(*run),
            Stored::Damaged { .. } => None,
        };
        listed.into_iter().filter_map(whole).collect()
    }

    /// A run by its name, or by a beginning of it that only one has.
    ///
    /// # Errors
    /// There is none, there are several, or it cannot be read.
    pub fn find(&self, id: &str) -> Result<Bench, Failure> {
        let listed = self.list()?;
        let mut fitting = listed.into_iter().filter(|stored| stored.id().starts_with(id) && !id.is_empty());
        let missing = || {
            Failure::new(FailureCode::NotFound, format!("There is no benchmark {id}."))
                .hint("silidock bench --history lists those that are kept.")
        };
        let first = fitting.next().ok_or_else(missing)?;
        if first.id() != id && fitting.any(|other| other.id() != first.id()) {
            return Err(Failure::new(FailureCode::NotFound, format!("Several benchmarks begin with {id}."))
                .hint("Give more of the name."));
        }
        match first {
            Stored::Whole(run) => Ok(*run),
            Stored::Damaged { id, why } => {
                Err(Failure::new(FailureCode::File, format!("The benchmark {id} cannot be read: {why}.")))
            }
        }
    }

    /// Forgets a run, or a file that is none.
    ///
    /// # Errors
    /// There is none, or it cannot be deleted.
    pub fn delete(&self, id: &str) -> Result<(), Failure> {
        let path = self.path(id)?;
        fs::remove_file(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::new(FailureCode::NotFound, format!("There is no benchmark {id}.")),
            _ => Failure::new(FailureCode::File, format!("{} could not be deleted: {error}.", path.display())),
        })
    }

    fn read(&self, id: &str) -> Result<Box<Bench>, String> {
        let path = self.path(id).map_err(|failure| failure.message)?;
        let meta = fs::metadata(&path).map_err(|error| error.to_string())?;
        if !meta.is_file() || meta.len() > LARGEST {
            return Err("it is no file of a benchmark".to_owned());
        }
        let bytes = fs::read(&path).map_err(|error| error.to_string())?;
        let run: Bench = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        if run.id != id {
            return Err(format!("it calls itself {}", run.id));
        }
        Ok(Box::new(run))
    }

    /// A name is letters, digits and dashes, so it never leads out of the folder.
    fn path(&self, id: &str) -> Result<PathBuf, Failure> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        match !id.is_empty() && id.len() <= 64 && id.chars().all(plain) {
            true => Ok(self.folder.join(format!("{id}.json"))),
            false => Err(Failure::new(FailureCode::NotFound, format!("\"{id}\" is no name of a benchmark."))),
        }
    }

    fn unreadable(&self, error: &io::Error) -> Failure {
        Failure::new(FailureCode::File, format!("{} could not be read: {error}.", self.folder.display()))
    }
}

impl Stored {
    /// Its name.
    pub fn id(&self) -> &str {
        match self {
            Self::Whole(run) => &run.id,
            Self::Damaged { id, .. } => id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use silidock_diagnosis::bench::example::bench;

    fn named(id: &str) -> Bench {
        Bench { id: id.to_owned(), ..bench(&[("integer", 100.0, 25.0)]) }
    }

    #[test]
    fn runs_are_kept_whole_newest_first_and_a_damaged_one_costs_only_itself() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::new(data.path());
        assert!(store.list().unwrap().is_empty());
        for id in ["2026-11-19T10-00-00Z-aa", "2026-11-20T10-00-00Z-bb"] {
            store.keep(&named(id)).unwrap();
        }
        let folder = data.path().join("benchmarks");
        fs::write(folder.join("2026-11-21T10-00-00Z-cc.json"), "{\"schema\":\"silidock/1\"").unwrap();
        fs::write(folder.join("2026-11-18T10-00-00Z-dd.json"), serde_json::to_vec(&named("another")).unwrap()).unwrap();
        fs::write(folder.join("notes.txt"), "mine").unwrap();
        let ids: Vec<String> = store.list().unwrap().iter().map(|s| s.id().to_owned()).collect();
        assert_eq!(ids.iter().map(|id| &id[id.len() - 2..]).collect::<Vec<_>>(), ["cc", "bb", "aa", "dd"]);
        let damaged = store.list().unwrap().into_iter().filter(|s| matches!(s, Stored::Damaged { .. })).count();
        assert_eq!((damaged, store.whole().len()), (2, 2));
        assert_eq!(store.find("2026-11-20T10-00-00Z-bb").unwrap(), named("2026-11-20T10-00-00Z-bb"));
        assert_eq!(store.find("2026-11-19").unwrap().id, "2026-11-19T10-00-00Z-aa");
        assert!(store.find("2026-11").unwrap_err().message.contains("Several"));
        assert!(store.find("2026-11-21").unwrap_err().message.contains("cannot be read"));
        for id in ["2026-11-21T10-00-00Z-cc", "2026-11-20T10-00-00Z-bb"] {
            store.delete(id).unwrap();
        }
        assert_eq!(store.list().unwrap().len(), 2);
        let mode = fs::metadata(folder.join("2026-11-19T10-00-00Z-aa.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("installation.json"), "keep me").unwrap();
        let store = Store::new(data.path());
        for id in ["", "../installation", "a/b", "..", "a.b", &"x".repeat(65)] {
            assert!(store.delete(id).is_err() && store.keep(&named(id)).is_err() && store.find(id).is_err(), "{id}");
        }
        assert!(data.path().join("installation.json").exists());
        assert_eq!(store.delete("gone").unwrap_err().code, FailureCode::NotFound);
    }
}
