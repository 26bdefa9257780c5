//! Where what is known of image layers is kept: in memory for this run, and in files for the next. What is kept, and whether
//! it still fits, is `observe::contents`; here are bytes by a key.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::Write,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use sha2::{Digest, Sha256};
use silidock_observe::contents::LayerCache;

/// What may be kept in memory, in files, and of one layer.
const IN_MEMORY: usize = 24 << 20;
const IN_FILES: u64 = 256 << 20;
const OF_ONE: usize = 16 << 20;

/// Bytes by a key. A folder that cannot be written to is done without.
#[derive(Debug)]
pub struct LayerStore {
    folder: Option<PathBuf>,
    /// The last used is last.
    memory: Mutex<VecDeque<(String, Vec<u8>)>>,
}

impl LayerStore {
    /// Keeps its files in this folder, which it makes when there is something to keep; without one in memory only.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, VecDeque<(String, Vec<u8>)>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A key is no name of a file.
    fn file(&self, key: &str) -> Option<PathBuf> {
        let name: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
        Some(self.folder.as_ref()?.join(name))
    }

    fn keep_in_memory(&self, key: &str, bytes: &[u8]) {
        let mut memory = self.memory();
        memory.retain(|(other, _)| other != key);
        memory.push_back((key.to_owned(), bytes.to_vec()));
        let mut size: usize = memory.iter().map(|(_, bytes)| bytes.len()).sum();
        while size > IN_MEMORY
            && let Some((_, bytes)) = memory.pop_front()
        {
            size -= bytes.len();
        }
    }

    /// Written beside and put in place in one step: no reader sees half a file, and two writers do not mix.
    fn keep_in_file(&self, key: &str, bytes: &[u8]) -> std::io::Result<()> {
        let (Some(folder), Some(path)) = (&self.folder, self.file(key)) else { return Ok(()) };
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        self.trim()
    }

    /// The files that were not used for longest go first.
    fn trim(&self) -> std::io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            // Another process may be faster.
            if let Ok(about) = entry.metadata() {
                files.push((about.modified()?, about.len(), entry.path()));
            }
        }
        files.sort();
        let mut size: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in files {
            if size <= IN_FILES {
                break;
            }
            let _ = fs::remove_file(path);
            size -= length;
        }
        Ok(())
    }
}

impl LayerCache for LayerStore {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        let known = self.memory().iter().find(|(other, _)| other == key).map(|(_, bytes)| bytes.clone());
        let bytes = match known {
            Some(bytes) => bytes,
            None => {
                let path = self.file(key)?;
                let bytes = fs::read(&path).ok()?;
                // Used now; where that cannot be noted, it goes earlier than it must.
                let _ = File::options().write(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
                bytes
            }
        };
        self.keep_in_memory(key, &bytes);
        Some(bytes)
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        if bytes.len() > OF_ONE {
            return;
        }
        self.keep_in_memory(key, bytes);
        // Reading again costs seconds; there is nothing to tell.
        let _ = self.keep_in_file(key, bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_kept_is_there_in_the_next_run_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("layers");
        let open = || LayerStore::new(Some(path.clone()));
        let first = open();
        first.put("file/../../a", b"some bytes");
        assert_eq!(first.get("file/../../a").as_deref(), Some(&b"some bytes"[..]));
        assert_eq!(open().get("file/../../a").as_deref(), Some(&b"some bytes"[..]));
        assert_eq!(open().get("another"), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a key led out of the folder");
        // More than there is room for: the first goes, though it stays while it is used.
        let old = SystemTime::now() - Duration::from_secs(3600);
        let large = vec![7; OF_ONE];
        for n in 0..17_u64 {
            first.put(&format!("large {n}"), &large);
            let file = File::options().write(true).open(first.file(&format!("large {n}")).unwrap()).unwrap();
            file.set_modified(old + Duration::from_secs(n)).unwrap();
        }
        first.put("last", b"x");
        let there: Vec<_> = (0..17).filter(|n| first.file(&format!("large {n}")).unwrap().exists()).collect();
        assert_eq!(there, (2..17).collect::<Vec<_>>());
        assert!(first.file("file/../../a").unwrap().exists());
        assert!(first.memory().iter().map(|(_, bytes)| bytes.len()).sum::<usize>() <= IN_MEMORY);
        first.put("too large", &vec![0; OF_ONE + 1]);
        assert_eq!(first.get("too large"), None);
    }

    #[test]
    fn without_a_folder_there_is_memory() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "in the way").unwrap();
        for store in [LayerStore::new(None), LayerStore::new(Some(file))] {
            store.put("a", b"1");
            assert_eq!(store.get("a").as_deref(), Some(&b"1"[..]));
        }
    }
}
