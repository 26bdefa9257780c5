//! The journal: what was changed, and the bytes that were there before. Kept on disk so that an undo survives restarts
//! and a crash in the middle of a change is known at the next start.
//!
//! Under the data folder: `receipts/<id>/receipt.json` and `receipts/<id>/before/<n>`, for the owner's eyes only.
//! Changing the user's files is not done here.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::fix::Fix;
use ts_rs::TS;

use crate::apply::Subject;
use crate::build::BuildRecord;
use crate::diff;
use crate::file::{self, UserFile};
use crate::recreate::{EngineRecord, Left};
use crate::runtime::RuntimeRecord;
use crate::swap::{Swap, Version};

/// What happened to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Begun. Seen later, it was interrupted: each file is either as before or as after.
    Started,
    /// All files were written.
    Applied,
    /// All files are as before.
    Undone,
    /// It failed in the middle, and everything was brought back to how it was.
    TakenBack,
}

/// Whether the finding was gone when it was looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Verified {
    /// Gone.
    Verified,
    /// Still there.
    StillPresent,
    /// Looking again was not possible.
    CouldNotTell,
}

/// The record of one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Sorts by time and can be typed: `20261120-162301-4f2a` (UTC).
    pub id: String,
    /// When it began, RFC 3339.
    #[schemars(with = "String")]
    #[ts(type = "string")]
    pub at: Timestamp,
    /// The fix in words.
    pub title: String,
    /// Id of the finding it was meant for.
    pub finding: Option<String>,
    /// Check whose finding must be gone afterwards.
    pub promise: Option<String>,
    /// What happened.
    pub state: State,
    /// Set by whoever looked again.
    pub verified: Option<Verified>,
    /// When it was undone, RFC 3339.
    #[schemars(with = "Option<String>")]
    #[ts(type = "string | null")]
    pub undone_at: Option<Timestamp>,
    /// The files, in the order in which they were written.
    pub changes: Vec<Change>,
    /// What was asked of a runtime, how far it got and what its tools said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub runtime: Option<Box<RuntimeRecord>>,
    /// Which images were built, and what their names meant before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub build: Option<Box<BuildRecord>>,
    /// What was done to an engine's containers and images, and how far it got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub engine: Option<Box<EngineRecord>>,
}

impl Receipt {
    /// What stays although the change was taken back.
    #[must_use]
    pub fn left(&self) -> Left {
        let after_build = self.build.iter().flat_map(|build| &build.containers);
        let mut all = Left::default();
        for left in self.engine.iter().map(|record| &record.left).chain(after_build.map(|record| &record.left)) {
            all.images.extend_from_slice(&left.images);
            all.volumes.extend_from_slice(&left.volumes);
        }
        all
    }

    /// Of a change that is about to begin and has done nothing so far; the journal gives it its id.
    pub(crate) fn begun(title: &str, now: Timestamp) -> Self {
        Self {
            id: String::new(),
            at: now,
            title: title.to_owned(),
            finding: None,
            promise: None,
            state: State::Started,
            verified: None,
            undone_at: None,
            changes: Vec::new(),
            runtime: None,
            build: None,
            engine: None,
        }
    }

    /// The same for a fix.
    pub(crate) fn of_fix(fix: &Fix, subject: &Subject, now: Timestamp) -> Self {
        Self { finding: subject.finding.clone(), promise: fix.promise.clone(), ..Self::begun(&fix.title, now) }
    }
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The file, after following links.
    pub path: String,
    /// The link under which it was named, if that is another path.
    pub link: Option<String>,
    /// There was no such file before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub created: bool,
    /// SHA-256 before, in hexadecimal; the bytes are in the backup.
    pub before_hash: String,
    /// SHA-256 after, in hexadecimal.
    pub after_hash: String,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
}

impl Change {
    /// What happens to `file` when `after` is written to it.
    pub(crate) fn of(file: &UserFile, after: &str) -> Self {
        let counted = diff::diff(&file.real, &file.text, after, 0);
        Self {
            path: file.real.display().to_string(),
            link: file.is_link().then(|| file.asked.display().to_string()),
            created: file.new,
            before_hash: file.hash.clone(),
            after_hash: file::hash(after.as_bytes()),
            mode: file.mode,
            uid: file.uid,
            gid: file.gid,
            added: counted.added,
            removed: counted.removed,
        }
    }
}

/// A receipt of the list, or one that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Listed {
    /// A readable one.
    Whole {
        /// The record.
        receipt: Receipt,
    },
    /// A damaged one. Its backups may still be in its folder.
    Damaged {
        /// Name of its folder.
        id: String,
        /// What is wrong, with the folder.
        why: String,
    },
}

impl Listed {
    /// The id, whole or damaged.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Whole { receipt } => &receipt.id,
            Self::Damaged { id, .. } => id,
        }
    }
}

/// Why the journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Not the form of an id.
    #[error("\"{id}\" is not a receipt; receipts look like 20261120-162301-4f2a and are listed in the history")]
    NotAnId {
        /// As it was given.
        id: String,
    },
    /// No such receipt.
    #[error("there is no receipt {id}; the history lists those that exist")]
    Unknown {
        /// As it was given.
        id: String,
    },
    /// The record or a backup does not make sense.
    #[error("the receipt {id} is damaged: {why}. What is left of it lies in {}.", folder.display())]
    Damaged {
        /// Its id.
        id: String,
        /// What is wrong.
        why: String,
        /// Where it lies.
        folder: PathBuf,
    },
    /// The record could not be turned into text.
    #[error("the record of the change could not be written as JSON: {source}")]
    Encode {
        /// Why.
        source: serde_json::Error,
    },
    /// The system refused.
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// "write", "read" ...
        action: &'static str,
        /// The file or folder of the journal.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// The receipts below one data folder.
#[derive(Debug, Clone)]
pub struct Journal {
    receipts: PathBuf,
}

/// Held while files change, so that two Silidocks take turns.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: File,
}

impl Journal {
    /// The journal under `data`, Silidock's own data folder. Nothing is made until something is recorded.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self { receipts: data.join("receipts") }
    }

    /// All receipts, newest first. Damaged ones are listed as such.
    ///
    /// # Errors
    /// Only where the folder itself cannot be read; none is an empty list.
    pub fn list(&self) -> Result<Vec<Listed>, JournalError> {
        let entries = match fs::read_dir(&self.receipts) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(io_error("read", &self.receipts)(e)),
        };
        let mut out = Vec::new();
        for entry in entries {
            let entry = entry.map_err(io_error("read", &self.receipts))?;
            let id = entry.file_name().to_string_lossy().into_owned();
            if !is_id(&id) {
                continue;
            }
            out.push(match self.load(&id) {
                Ok(receipt) => Listed::Whole { receipt },
                Err(e) => Listed::Damaged { id, why: e.to_string() },
            });
        }
        // Within a second the id's tail is arbitrary, so the exact time decides.
        let key = |l: &Listed| match l {
            Listed::Whole { receipt } => (second(&receipt.id), receipt.at, receipt.id.clone()),
            Listed::Damaged { id, .. } => (second(id), Timestamp::MIN, id.clone()),
        };
        out.sort_by_key(|l| std::cmp::Reverse(key(l)));
        Ok(out)
    }

    /// One receipt.
    ///
    /// # Errors
    /// Unknown or damaged ones.
    pub fn load(&self, id: &str) -> Result<Receipt, JournalError> {
        let folder = self.folder(id)?;
        let path = folder.join("receipt.json");
        let damaged = |why: String| JournalError::Damaged { id: id.to_owned(), why, folder: folder.clone() };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound && !folder.is_dir() => {
                return Err(JournalError::Unknown { id: id.to_owned() });
            }
            Err(e) => return Err(damaged(format!("its record cannot be read ({e})"))),
        };
        let receipt: Receipt =
            serde_json::from_slice(&bytes).map_err(|e| damaged(format!("its record does not parse ({e})")))?;
        if receipt.id != id {
            return Err(damaged(format!("its record is that of {}", receipt.id)));
        }
        Ok(receipt)
    }

    /// Receipts of changes that were interrupted, newest first: state [`State::Started`], and nobody is at it.
    pub(crate) fn started(&self) -> Result<Vec<Receipt>, JournalError> {
        if !self.receipts.is_dir() {
            return Ok(Vec::new());
        }
        let _turn = self.turn()?;
        let started = |l: Listed| match l {
            Listed::Whole { receipt } if receipt.state == State::Started => Some(receipt),
            Listed::Whole { .. } | Listed::Damaged { .. } => None,
        };
        Ok(self.list()?.into_iter().filter_map(started).collect())
    }

    /// Accepts an interrupted change as it stands; it is told no more and can still be undone.
    ///
    /// # Errors
    /// Unknown or damaged receipts, or what the system says.
    pub fn keep(&self, id: &str) -> Result<Receipt, JournalError> {
        self.change(id, |receipt| {
            if receipt.state == State::Started {
                receipt.state = State::Applied;
            }
        })
    }

    /// Notes what looking again said.
    ///
    /// # Errors
    /// Unknown or damaged receipts, or what the system says.
    pub fn set_verified(&self, id: &str, verified: Verified) -> Result<Receipt, JournalError> {
        self.change(id, |receipt| receipt.verified = Some(verified))
    }

    fn change(&self, id: &str, how: impl FnOnce(&mut Receipt)) -> Result<Receipt, JournalError> {
        // Asked first without taking a turn: an unknown receipt must not make folders.
        self.load(id)?;
        let _turn = self.turn()?;
        let mut receipt = self.load(id)?;
        how(&mut receipt);
        self.save(&receipt)?;
        Ok(receipt)
    }

    /// Waits until no other Silidock changes files.
    pub(crate) fn turn(&self) -> Result<Turn, JournalError> {
        make_folder(&self.receipts)?;
        let path = self.receipts.join(".lock");
        let file = open_private(&path, true)?;
        file.lock().map_err(io_error("lock", &path))?;
        Ok(Turn { _lock: file })
    }

    /// Records a change that is about to happen: the backups first, then the receipt, all of it safely on disk.
    /// The receipt's `id` is chosen here.
    pub(crate) fn start(&self, mut receipt: Receipt, swaps: &[Swap]) -> Result<Receipt, JournalError> {
        let folder = self.new_folder(&mut receipt)?;
        make_folder(&folder.join("before"))?;
        for (n, swap) in swaps.iter().enumerate() {
            self.back_up(&receipt, n, &swap.from.bytes)?;
        }
        self.save(&receipt)?;
        sync(&self.receipts)?;
        Ok(receipt)
    }

    /// Keeps something beside the receipt that is for nobody's eyes but the owner's, safely on disk.
    pub(crate) fn keep_private(&self, receipt: &Receipt, name: &str, bytes: &[u8]) -> Result<(), JournalError> {
        let kept = self.folder(&receipt.id)?.join("engine");
        make_folder(&kept)?;
        put(&kept, name, bytes)
    }

    /// What was kept beside the receipt under a name.
    pub(crate) fn private(&self, receipt: &Receipt, name: &str) -> Result<Vec<u8>, JournalError> {
        let path = self.folder(&receipt.id)?.join("engine").join(name);
        fs::read(&path).map_err(io_error("read", &path))
    }

    /// Forgets what was kept beside the receipt: after the way back it serves nothing, and it may hold secrets.
    pub(crate) fn forget_private(&self, receipt: &Receipt) -> Result<(), JournalError> {
        let kept = self.folder(&receipt.id)?.join("engine");
        match fs::remove_dir_all(&kept) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(io_error("remove", &kept)),
        }
    }

    /// Keeps what the file of change number `n` says, safely on disk and in place of what was kept of it before.
    pub(crate) fn back_up(&self, receipt: &Receipt, n: usize, bytes: &[u8]) -> Result<(), JournalError> {
        put(&self.folder(&receipt.id)?.join("before"), &n.to_string(), bytes)
    }

    /// Writes the record anew, in one step.
    pub(crate) fn save(&self, receipt: &Receipt) -> Result<(), JournalError> {
        let folder = self.folder(&receipt.id)?;
        let json = serde_json::to_vec_pretty(receipt).map_err(|source| JournalError::Encode { source })?;
        let write = || -> io::Result<()> {
            // Made with mode 0600, which the rename keeps.
            let mut temp = tempfile::Builder::new().prefix(".receipt-").tempfile_in(&folder)?;
            temp.write_all(&json)?;
            temp.as_file().sync_all()?;
            temp.persist(folder.join("receipt.json"))?;
            Ok(())
        };
        write().map_err(io_error("write the record of the change in", &folder))?;
        sync(&folder)
    }

    /// Forgets a change that did not happen.
    pub(crate) fn discard(&self, id: &str) -> Result<(), JournalError> {
        let folder = self.folder(id)?;
        fs::remove_dir_all(&folder).map_err(io_error("remove", &folder))
    }

    /// The content of the receipt's files before the change, in the order of its `changes`.
    pub(crate) fn backups(&self, receipt: &Receipt) -> Result<Vec<Version>, JournalError> {
        let folder = self.folder(&receipt.id)?;
        let damaged = |why: String| JournalError::Damaged { id: receipt.id.clone(), why, folder: folder.clone() };
        let read = |(n, change): (usize, &Change)| {
            let bytes = fs::read(folder.join("before").join(n.to_string()))
                .map_err(|e| damaged(format!("the backup of {} cannot be read ({e})", change.path)))?;
            if file::hash(&bytes) != change.before_hash {
                return Err(damaged(format!("the backup of {} is not what was saved", change.path)));
            }
            Ok(Version { there: !change.created, bytes, mode: change.mode, uid: change.uid, gid: change.gid })
        };
        receipt.changes.iter().enumerate().map(read).collect()
    }

    /// Only names of the right form become paths.
    fn folder(&self, id: &str) -> Result<PathBuf, JournalError> {
        if is_id(id) { Ok(self.receipts.join(id)) } else { Err(JournalError::NotAnId { id: id.to_owned() }) }
    }

    fn new_folder(&self, receipt: &mut Receipt) -> Result<PathBuf, JournalError> {
        let time = receipt.at.to_zoned(TimeZone::UTC).strftime("%Y%m%d-%H%M%S").to_string();
        let seed = format!("{}\n{}\n{}", receipt.at, receipt.title, std::process::id());
        let mut attempt = 0_u32;
        loop {
            let tail = file::hash(format!("{seed}\n{attempt}").as_bytes());
            receipt.id = format!("{time}-{}", &tail[..4]);
            let folder = self.receipts.join(&receipt.id);
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => return Ok(folder),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && attempt < 1000 => attempt += 1,
                Err(e) => return Err(io_error("make the folder", &folder)(e)),
            }
        }
    }
}

/// A file for the owner alone, whole or not at all.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), JournalError> {
    let path = folder.join(name);
    // Made with mode 0600, which the rename keeps.
    let write = || -> io::Result<()> {
        let mut temp = tempfile::Builder::new().prefix(".kept-").tempfile_in(folder)?;
        temp.write_all(bytes)?;
        temp.as_file().sync_all()?;
        temp.persist(&path)?;
        Ok(())
    };
    write().map_err(io_error("write", &path))?;
    sync(folder)
}

fn is_id(id: &str) -> bool {
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = id.split('-').collect();
    matches!(parts[..], [day, time, tail] if day.len() == 8 && time.len() == 6 && tail.len() == 4
        && digits(day) && digits(time) && tail.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

fn second(id: &str) -> String {
    id.chars().take(15).collect()
}

fn make_folder(path: &Path) -> Result<(), JournalError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_error("make the folder", path))
}

fn open_private(path: &Path, may_exist: bool) -> Result<File, JournalError> {
    let mut options = File::options();
    options.write(true).mode(0o600);
    let options = if may_exist { options.create(true).truncate(false) } else { options.create_new(true) };
    options.open(path).map_err(io_error("write", path))
}

fn sync(folder: &Path) -> Result<(), JournalError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(io_error("write", folder))
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { action, path, source }
}
