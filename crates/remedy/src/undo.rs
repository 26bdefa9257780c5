//! Taking a change back: the bytes and the mode from before, for all its files or none.
//!
//! A file that was changed since is never overwritten. What a change was good for is not known here.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::diff;
use crate::file::{self, FileRefused};
use crate::preview::{Preview, Refusal, SeenFile};
use crate::receipt::{Change, Journal, JournalError, Receipt, State};
use crate::recreate::stands;
use crate::swap::{self, Swap, Version};

/// Why nothing was undone. Every file is as it was, unless it is [`UndoError::HalfDone`].
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// It was undone before.
    #[error("{receipt} was already undone ({at}); there is nothing left to take back")]
    AlreadyUndone {
        /// The receipt.
        receipt: String,
        /// When.
        at: String,
    },
    /// It ran tools of a runtime or changed an engine, and is taken back by [`crate::runtime::undo`] or
    /// [`crate::recreate::undo`].
    #[error("{receipt} changed more than files, and its files alone cannot be taken back")]
    OfRuntime {
        /// The receipt.
        receipt: String,
    },
    /// It built images, and is taken back by [`crate::build::undo`].
    #[error("{receipt} built images, and is taken back by their names")]
    OfBuild {
        /// The receipt.
        receipt: String,
    },
    /// Files are neither as the change left them nor as they were before it.
    #[error("{} changed since, so taking {receipt} back would lose that. Nothing was touched; take the change back by hand.", .paths.join(" and "))]
    Changed {
        /// The receipt.
        receipt: String,
        /// Which files.
        paths: Vec<String>,
    },
    /// A file cannot be written.
    #[error("nothing was undone: {0}")]
    File(#[source] FileRefused),
    /// A file could not be restored and another could not be put back to how it was.
    #[error("only a part was undone: {cause}; {}. Undo {receipt} again when the cause is gone.", .stuck.join("; "))]
    HalfDone {
        /// The receipt.
        receipt: String,
        /// What failed first, in a sentence.
        cause: String,
        /// What failed when going back, a sentence each.
        stuck: Vec<String>,
    },
    /// The receipt cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// How a file of a receipt stands today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// As before the change.
    Before,
    /// As the change left it.
    After,
    /// Neither.
    Different,
    /// Not there, not readable, or something else under its name.
    Missing,
}

impl Standing {
    fn words(self) -> &'static str {
        match self {
            Self::Before => "was not changed",
            Self::After => "was changed",
            Self::Different => "was changed by something else",
            Self::Missing => "is not there any more, or cannot be read",
        }
    }
}

/// A file of a receipt and how it stands today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct FileStanding {
    /// The file, after following links.
    pub path: String,
    /// How it stands.
    pub standing: Standing,
}

/// How the files of a receipt stand today: what an interrupted change did, and whether an undo would work.
#[must_use]
pub fn standings(receipt: &Receipt) -> Vec<FileStanding> {
    let of = |change: &Change| FileStanding { path: change.path.clone(), standing: standing(change) };
    receipt.changes.iter().map(of).collect()
}

/// A change that was interrupted, to be told at the next start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Interrupted {
    /// The record, in state [`State::Started`].
    pub receipt: Receipt,
    /// How its files stand.
    pub files: Vec<FileStanding>,
    /// What may have happened, in words.
    pub words: String,
}

/// Changes that were cut off by a crash or a power cut, newest first. Each can be undone, or kept with [`Journal::keep`].
///
/// # Errors
/// Where the journal cannot be read.
pub fn interrupted(journal: &Journal) -> Result<Vec<Interrupted>, JournalError> {
    let told = |receipt: Receipt| {
        let files = standings(&receipt);
        let each: Vec<String> = files.iter().map(|f| format!("{} {}", f.path, f.standing.words())).collect();
        let begun = receipt.runtime.as_ref().and_then(|record| record.ran.last()).map(|ran| ran.argv.join(" "));
        let each = begun.map(|command| format!("the last command that ended was {command}")).into_iter().chain(each);
        let each = each.collect::<Vec<_>>().join("; ");
        let container = receipt.build.as_ref().and_then(|build| build.containers.last());
        let each = match (receipt.engine.as_deref().or(container), each.is_empty()) {
            (Some(record), true) => stands(record),
            (Some(record), false) => format!("{}; {each}", stands(record)),
            (None, true) => "no command had ended".to_owned(),
            (None, false) => each,
        };
        let words =
            format!("\"{}\" ({}) was interrupted: {each}. Undo it, or keep it as it is.", receipt.title, receipt.id);
        Interrupted { receipt, files, words }
    };
    Ok(journal.started()?.into_iter().map(told).collect())
}

/// What an undo would change. Like a fix's preview it always answers for a receipt that can be read; what stands in
/// the way is in `refused`.
///
/// # Errors
/// Receipts that are unknown, damaged or already undone.
pub fn undo_preview(journal: &Journal, id: &str) -> Result<Preview, UndoError> {
    let (receipt, backups) = open(journal, id)?;
    let restores = match restores(&receipt, backups) {
        Ok(restores) => restores,
        Err(refused) => {
            let refused = Some(Refusal::new(refused.to_string()));
            return Ok(Preview { refused, ..Preview::default() });
        }
    };
    let mut preview = Preview::default();
    for Restore { swap, context } in &restores {
        let (now, then) = (String::from_utf8_lossy(&swap.from.bytes), String::from_utf8_lossy(&swap.to.bytes));
        preview.diffs.push(diff::diff(&swap.path, &now, &then, *context));
        if !swap.to.there {
            preview.told.push(format!("{} is removed again: this change made it.", swap.path.display()));
        }
        preview.files.push(SeenFile { path: swap.path.display().to_string(), hash: file::hash(&swap.from.bytes) });
    }
    if restores.is_empty() {
        preview.told.push("All its files are already as before the change.".to_owned());
    }
    Ok(preview)
}

/// Restores bytes, mode and owner of every file of the receipt. `now` becomes the time of the undo.
///
/// # Errors
/// See [`UndoError`].
pub fn undo(journal: &Journal, id: &str, now: Timestamp) -> Result<Receipt, UndoError> {
    // Asked first without taking a turn: an unknown receipt must not make folders.
    journal.load(id)?;
    let _turn = journal.turn()?;
    let (mut receipt, backups) = open(journal, id)?;
    restore(&receipt, backups)?;
    receipt.state = State::Undone;
    receipt.undone_at = Some(now);
    // Should this fail, the files are restored and the next undo finds them so and only completes the record.
    journal.save(&receipt)?;
    Ok(receipt)
}

/// Restores all files or none; says whether there was one to restore.
fn restore(receipt: &Receipt, backups: Vec<Version>) -> Result<bool, UndoError> {
    let swaps: Vec<Swap> = restores(receipt, backups)?.into_iter().map(|r| r.swap).collect();
    swap::swap_all(&swaps).map_err(|failed| match failed.stuck.is_empty() {
        true => UndoError::File(failed.cause),
        false => UndoError::HalfDone {
            receipt: receipt.id.clone(),
            cause: failed.cause.to_string(),
            stuck: failed.stuck.iter().map(ToString::to_string).collect(),
        },
    })?;
    Ok(!swaps.is_empty())
}

/// The files of a receipt of which they are only a part.
pub(crate) fn put_back(journal: &Journal, receipt: &Receipt) -> Result<bool, UndoError> {
    restore(receipt, journal.backups(receipt)?)
}

/// What putting its files back would change.
pub(crate) fn diffs(journal: &Journal, receipt: &Receipt) -> Result<Vec<diff::Diff>, UndoError> {
    let of = |restore: &Restore| {
        let (now, then) = (&restore.swap.from.bytes, &restore.swap.to.bytes);
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        diff::diff(&restore.swap.path, &text(now), &text(then), restore.context)
    };
    Ok(restores(receipt, journal.backups(receipt)?)?.iter().map(of).collect())
}

fn open(journal: &Journal, id: &str) -> Result<(Receipt, Vec<Version>), UndoError> {
    let receipt = journal.load(id)?;
    if receipt.runtime.is_some() || receipt.engine.is_some() {
        return Err(UndoError::OfRuntime { receipt: receipt.id });
    }
    if receipt.build.is_some() {
        return Err(UndoError::OfBuild { receipt: receipt.id });
    }
    if receipt.state == State::Undone {
        let at = receipt.undone_at.map_or_else(|| "at an unknown time".to_owned(), |t| t.to_string());
        return Err(UndoError::AlreadyUndone { receipt: receipt.id, at });
    }
    let backups = journal.backups(&receipt)?;
    Ok((receipt, backups))
}

struct Restore {
    swap: Swap,
    context: usize,
}

/// What has to be written; files that are as before need nothing.
fn restores(receipt: &Receipt, backups: Vec<Version>) -> Result<Vec<Restore>, UndoError> {
    let in_the_way = standings(receipt).into_iter().filter(|f| f.standing == Standing::Different);
    let paths: Vec<String> = in_the_way.map(|f| f.path).collect();
    if !paths.is_empty() {
        return Err(UndoError::Changed { receipt: receipt.id.clone(), paths });
    }
    let mut out = Vec::new();
    for (change, to) in receipt.changes.iter().zip(backups) {
        if change.created && standing(change) == Standing::Before {
            continue;
        }
        let file = file::read(Path::new(&change.path)).map_err(UndoError::File)?;
        if file.real != Path::new(&change.path) {
            // Somebody put a link in the file's place.
            return Err(UndoError::Changed { receipt: receipt.id.clone(), paths: vec![change.path.clone()] });
        }
        if !change.created && file.hash == change.before_hash && file.mode == change.mode {
            continue;
        }
        let from =
            Version { there: true, bytes: file.text.into_bytes(), mode: file.mode, uid: file.uid, gid: file.gid };
        let context = if structured(&change.path) { diff::CONTEXT } else { 0 };
        out.push(Restore { swap: Swap { path: PathBuf::from(&change.path), from, to }, context });
    }
    Ok(out)
}

fn standing(change: &Change) -> Standing {
    match file::hash_now(Path::new(&change.path)) {
        Ok(None) if change.created => Standing::Before,
        Ok(Some(hash)) if hash == change.before_hash && !change.created => Standing::Before,
        Ok(Some(hash)) if hash == change.after_hash => Standing::After,
        Ok(Some(_)) | Err(FileRefused::TooLarge { .. }) => Standing::Different,
        Ok(None) | Err(_) => Standing::Missing,
    }
}

/// Surroundings are shown for YAML and JSON only; `.env` and shell files hold passwords.
fn structured(path: &str) -> bool {
    let ending = Path::new(path).extension().and_then(|e| e.to_str()).unwrap_or_default();
    ["yaml", "yml", "json"].iter().any(|e| ending.eq_ignore_ascii_case(e))
}
