//! What `silidock-probe inside` prints: one JSON value per line, entries in no order, the totals last. Links are always
//! listed; files only where they can be run, can be loaded, or were asked for. Folders and the rest are counted.

use serde::{Deserialize, Serialize};
use silidock_executable::{FileRecord, PathText};

/// The first key of the first line.
pub const INSIDE_SCHEMA: &str = "silidock-inside/1";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "line")]
pub enum Line {
    /// The first one.
    #[serde(rename_all = "camelCase")]
    Begin {
        /// [`INSIDE_SCHEMA`]; another one is another program's answer.
        schema: String,
        /// The architecture the probe is built for.
        built_for: String,
    },
    /// Entries that matter, in no order.
    Found {
        /// They.
        records: Vec<FileRecord>,
    },
    /// How far it has got.
    Progress {
        /// Files and folders seen since the line before of this kind.
        files: u64,
    },
    /// The last one.
    End(Totals),
}

/// What was counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Regular files, each name counted.
    pub files: u64,
    /// Folders that were read.
    pub folders: u64,
    /// Symbolic links.
    pub links: u64,
    /// Files and folders that could not be read.
    pub unreadable: u64,
    /// The first few of them, with why.
    pub examples: Vec<(PathText, String)>,
    /// Files that were opened.
    pub opened: u64,
    /// Files that would have been listed, but there were too many.
    pub dropped: u64,
}
