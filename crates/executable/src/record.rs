//! One entry of a file system that was looked through: what both ways of looking inside (in the engine, and by reading
//! a stream) hand to the one judge. Layers, counts and settings of the image are the scanners' own.

use serde::{Deserialize, Serialize};

use crate::{Kind, Libraries, PathText};

/// A file, folder or link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct FileRecord {
    /// Absolute, with single slashes and without `.` and `..`: `/usr/bin/node`.
    pub path: PathText,
    /// The permission bits, with set-user-id and the like: 0o755.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// What it is.
    pub entry: Entry,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Entry {
    /// A regular file.
    #[serde(rename_all = "camelCase")]
    File {
        /// In bytes.
        size: u64,
        /// What its bytes are; none where they could not be read.
        kind: Option<Kind>,
        /// The libraries that an ELF file asks for; none for others, and where the scan did not read them.
        libraries: Option<Libraries>,
    },
    /// A symbolic link.
    #[serde(rename_all = "camelCase")]
    Link {
        /// Where it points, as written.
        target: PathText,
    },
    /// A folder.
    Folder,
    /// A device, pipe or socket.
    Special,
}

impl FileRecord {
    /// Whether anybody at all may execute it, as far as permission bits tell.
    #[must_use]
    pub fn may_execute(&self) -> bool {
        self.mode & 0o111 != 0
    }

    /// Whether this user, in these groups, may execute it, as far as permission bits tell.
    #[must_use]
    pub fn may_be_executed_by(&self, uid: u32, groups: &[u32]) -> bool {
        let bit = if uid == 0 {
            0o111
        } else if uid == self.uid {
            0o100
        } else if groups.contains(&self.gid) {
            0o010
        } else {
            0o001
        };
        self.mode & bit != 0
    }

    /// What the bytes of a file are.
    #[must_use]
    pub fn kind(&self) -> Option<&Kind> {
        match &self.entry {
            Entry::File { kind, .. } => kind.as_ref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_class_that_fits_decides_who_may_execute() {
        let entry = Entry::File { size: 1, kind: None, libraries: None };
        for (mode, uid, groups, expected) in [
            (0o755, 1000, &[][..], true),
            (0o744, 1000, &[], false),
            (0o750, 1000, &[7], true),
            (0o605, 1000, &[7], false),
            (0o677, 5, &[7], false),
            (0o001, 0, &[], true),
            (0o644, 0, &[], false),
        ] {
            let record = FileRecord { path: "/x".into(), mode, uid: 5, gid: 7, entry: entry.clone() };
            assert_eq!(record.may_be_executed_by(uid, groups), expected, "{mode:o} {uid} {groups:?}");
        }
    }
}
