//! Several files replaced, or none: what was written is taken back when a later one fails.
//!
//! Knows neither fixes nor receipts; a crash in the middle is the journal's business.

use std::path::{Path, PathBuf};

use crate::file::{self, Content, FileRefused};

/// One file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    /// There is a file; without one the rest says nothing.
    pub there: bool,
    pub bytes: Vec<u8>,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

impl Version {
    fn content(&self) -> Content<'_> {
        Content { bytes: &self.bytes, mode: self.mode, uid: self.uid, gid: self.gid }
    }

    fn hash(&self) -> String {
        file::hash(&self.bytes)
    }

    /// What a file's hash says of it: it is this one.
    fn is(&self, hash: Option<&str>) -> bool {
        match hash {
            Some(hash) => self.there && hash == self.hash(),
            None => !self.there,
        }
    }
}

/// Puts one version in another's place.
fn put(path: &Path, from: &Version, to: &Version) -> Result<(), FileRefused> {
    match (from.there, to.there) {
        (true, true) => file::replace(path, &from.hash(), to.content()),
        (false, true) => file::create(path, to.content()),
        (true, false) => file::remove(path, &from.hash()),
        (false, false) => Ok(()),
    }
}

/// A file that goes from one version to another.
#[derive(Debug)]
pub(crate) struct Swap {
    /// After following links.
    pub path: PathBuf,
    pub from: Version,
    pub to: Version,
}

/// Why no file has the new version; or, with `stuck`, which ones still have it.
#[derive(Debug)]
pub(crate) struct SwapFailed {
    pub cause: FileRefused,
    /// Files that could not be taken back.
    pub stuck: Vec<FileRefused>,
}

/// Replaces all, or none.
pub(crate) fn swap_all(swaps: &[Swap]) -> Result<(), SwapFailed> {
    for (done, swap) in swaps.iter().enumerate() {
        if let Err(cause) = put(&swap.path, &swap.from, &swap.to) {
            // The failing one is tried too: it may have been replaced before its folder could not be synced.
            let stuck = take_back(&swaps[..=done]);
            return Err(SwapFailed { cause, stuck });
        }
    }
    Ok(())
}

/// Gives every file that has the new version the old one; returns what failed.
pub(crate) fn take_back(swaps: &[Swap]) -> Vec<FileRefused> {
    let back = |swap: &Swap| match file::hash_now(&swap.path) {
        Ok(hash) if swap.to.is(hash.as_deref()) => put(&swap.path, &swap.to, &swap.from).err(),
        // Not written by us, so there is nothing of ours to take back.
        Ok(_) => None,
        Err(error) => Some(error),
    };
    swaps.iter().rev().filter_map(back).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    #[test]
    fn what_was_written_is_taken_back_when_a_later_file_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let owner = fs::metadata(folder.path()).unwrap();
        let version =
            |text: &str| Version { there: true, bytes: text.into(), mode: 0o640, uid: owner.uid(), gid: owner.gid() };
        let swap = |name: &str| Swap { path: path(name), from: version("old"), to: version("new") };
        for name in ["a", "b"] {
            fs::write(path(name), "old").unwrap();
            fs::set_permissions(path(name), fs::Permissions::from_mode(0o640)).unwrap();
        }
        fs::write(path("c"), "changed by somebody").unwrap();

        for last in ["c", "gone", "no-folder/d"] {
            let failed = swap_all(&[swap("a"), swap("b"), swap(last)]).unwrap_err();
            assert!(failed.stuck.is_empty(), "{last}: {failed:?}");
            for name in ["a", "b"] {
                assert_eq!(fs::read_to_string(path(name)).unwrap(), "old", "{last}");
                assert_eq!(fs::metadata(path(name)).unwrap().mode() & 0o7777, 0o640, "{last}");
            }
        }
        assert_eq!(fs::read_to_string(path("c")).unwrap(), "changed by somebody");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "temporary files were left behind");

        swap_all(&[swap("a"), swap("b")]).unwrap();
        assert_eq!(fs::read_to_string(path("b")).unwrap(), "new");
    }
}
