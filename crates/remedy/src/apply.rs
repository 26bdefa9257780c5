//! Carrying out a fix that was previewed: recorded first, then all files or none.
//!
//! Whether it helped is found out by whoever observes again; they note it with [`Journal::set_verified`].

use jiff::Timestamp;
use silidock_diagnosis::fix::Fix;

use crate::file::{self, FileRefused};
use crate::plan::{Plan, PlannedFile};
use crate::preview::{self, Preview, Refusal};
use crate::receipt::{Change, Journal, JournalError, Receipt, State};
use crate::swap::{self, Swap, SwapFailed, Version};

/// What a fix is applied for; kept in the receipt so that the same thing can be looked at again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Id of the finding, where there is one.
    pub finding: Option<String>,
}

/// Why a fix was not applied. Unless it is [`ApplyError::HalfDone`], no file is changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It cannot be done; the same answer as in the preview.
    #[error("{}", .0.why)]
    Refused(Refusal),
    /// It changes no file.
    #[error("\"{title}\" changes no file; it only says what to do")]
    NothingToChange {
        /// The fix.
        title: String,
    },
    /// A file is not the one that was previewed.
    #[error("{path} was changed by something else since the preview. Nothing was written; look at the preview again.")]
    Changed {
        /// The file, after following links.
        path: String,
    },
    /// A file could not be written; those written before it were taken back.
    #[error("nothing was changed: {0}")]
    File(#[source] FileRefused),
    /// A file could not be written and another could not be taken back. The receipt can be undone once the cause is gone.
    #[error("only a part was changed: {cause}; and what was already written could not be taken back: {}. Undo {receipt} when the cause is gone.", .stuck.join("; "))]
    HalfDone {
        /// The receipt, in state [`State::Started`].
        receipt: String,
        /// What failed first, in a sentence.
        cause: String,
        /// What failed when taking back, a sentence each.
        stuck: Vec<String>,
    },
    /// The change could not be recorded, so it was not made, or taken back.
    #[error("nothing was changed, because it could not be recorded for undo: {0}")]
    Journal(#[source] JournalError),
}

/// Applies `fix` as `preview` showed it. `now` becomes the receipt's time.
///
/// # Errors
/// See [`ApplyError`].
pub fn apply(
    fix: &Fix,
    preview: &Preview,
    subject: &Subject,
    journal: &Journal,
    now: Timestamp,
) -> Result<Receipt, ApplyError> {
    if let Some(refusal) = &preview.refused {
        return Err(ApplyError::Refused(refusal.clone()));
    }
    let _turn = journal.turn().map_err(ApplyError::Journal)?;
    unchanged_since(preview)?;
    let plan = Plan::of(fix).map_err(ApplyError::Refused)?;
    as_previewed(&plan, preview)?;
    if plan.files.is_empty() {
        return Err(ApplyError::NothingToChange { title: fix.title.clone() });
    }
    let swaps: Vec<Swap> = plan.files.iter().map(swap_of).collect();
    let mut receipt = journal.start(draft(fix, subject, &plan, now), &swaps).map_err(ApplyError::Journal)?;
    if let Err(failed) = swap::swap_all(&swaps) {
        return Err(not_applied(failed, &receipt, journal));
    }
    receipt.state = State::Applied;
    match journal.save(&receipt) {
        Ok(()) => Ok(receipt),
        Err(error) => Err(unrecorded(error, &swaps, &receipt, journal)),
    }
}

/// Looked at before anything else, so that a changed file is called changed even if it could no longer be edited.
fn unchanged_since(preview: &Preview) -> Result<(), ApplyError> {
    for seen in &preview.files {
        let now = file::hash_now(seen.path.as_ref()).map_err(ApplyError::File)?;
        if now.unwrap_or_default() != seen.hash {
            return Err(ApplyError::Changed { path: seen.path.clone() });
        }
    }
    Ok(())
}

/// The plan must be about the same files; a link may have been turned since.
fn as_previewed(plan: &Plan, preview: &Preview) -> Result<(), ApplyError> {
    let now = preview::seen(plan);
    let differs = now.iter().find(|f| !preview.files.contains(f)).or_else(|| {
        let gone = |f: &&preview::SeenFile| !now.contains(f);
        preview.files.iter().find(gone)
    });
    match differs {
        None => Ok(()),
        Some(file) => Err(ApplyError::Changed { path: file.path.clone() }),
    }
}

pub(crate) fn swap_of(planned: &PlannedFile) -> Swap {
    let file = &planned.file;
    let version =
        |there: bool, text: &str| Version { there, bytes: text.into(), mode: file.mode, uid: file.uid, gid: file.gid };
    Swap { path: file.real.clone(), from: version(!file.new, &file.text), to: version(true, &planned.after) }
}

fn draft(fix: &Fix, subject: &Subject, plan: &Plan, now: Timestamp) -> Receipt {
    Receipt {
        changes: plan.files.iter().map(|planned| Change::of(&planned.file, &planned.after)).collect(),
        ..Receipt::of_fix(fix, subject, now)
    }
}

/// Nothing happened, so nothing stays in the history; unless something did happen.
fn not_applied(failed: SwapFailed, receipt: &Receipt, journal: &Journal) -> ApplyError {
    if !failed.stuck.is_empty() {
        return half_done(&failed.cause, &failed.stuck, receipt);
    }
    match journal.discard(&receipt.id) {
        Ok(()) => ApplyError::File(failed.cause),
        Err(error) => ApplyError::Journal(error),
    }
}

/// All files were written, but the record does not say so: better no change than one that the history gets wrong.
fn unrecorded(error: JournalError, swaps: &[Swap], receipt: &Receipt, journal: &Journal) -> ApplyError {
    let stuck = swap::take_back(swaps);
    if !stuck.is_empty() {
        return half_done(&error, &stuck, receipt);
    }
    // If even this fails, the receipt stays as an interrupted one whose files are all as before.
    let _left_behind = journal.discard(&receipt.id);
    ApplyError::Journal(error)
}

fn half_done(cause: &dyn std::error::Error, stuck: &[FileRefused], receipt: &Receipt) -> ApplyError {
    let stuck = stuck.iter().map(ToString::to_string).collect();
    ApplyError::HalfDone { receipt: receipt.id.clone(), cause: cause.to_string(), stuck }
}
