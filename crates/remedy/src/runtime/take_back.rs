//! Undo of a change of a runtime: the way back that its receipt holds.

use jiff::Timestamp;
use silidock_diagnosis::fix::{BackStep, CommandKind, Step};

use super::carry::Work;
use super::change::in_words;
use super::{RuntimeError, RuntimeRecord, StepFailed, Tools, switches};
use crate::diff;
use crate::preview::{Preview, Refusal, SeenFile};
use crate::receipt::{Journal, Receipt, State};

/// What undoing would run and write. What stands in the way is in `refused`.
///
/// # Errors
/// Receipts that are unknown or damaged, and changes of which nothing lasts.
pub fn undo_preview(journal: &Journal, id: &str, tools: &dyn Tools) -> Result<Preview, RuntimeError> {
    let (receipt, record) = open(journal, id)?;
    let mut preview = Preview::default();
    let refused = |why: String| Refusal::new(why);
    for step in needed(&record).into_iter().map(|back| back.step) {
        let Step::RuntimeCommand { argv, .. } = step else { continue };
        if argv.first().is_none_or(|name| tools.find(name).is_none()) {
            let name = argv.first().cloned().unwrap_or_default();
            preview.refused = Some(refused(StepFailed::NoTool { name }.to_string()));
        }
        preview.commands.push(argv);
    }
    match edits(journal, &receipt, &record) {
        Ok(edits) => {
            for edit in edits {
                let after = String::from_utf8_lossy(&edit.after.bytes);
                let path = edit.file.real.display().to_string();
                preview.diffs.push(diff::diff(&edit.file.real, &edit.file.text, &after, diff::CONTEXT));
                preview.files.push(SeenFile { path, hash: edit.file.hash });
            }
        }
        Err(error) => preview.refused = Some(refused(error.to_string())),
    }
    Ok(preview)
}

/// Carries out the way back. `now` becomes the time of the undo.
///
/// # Errors
/// See [`RuntimeError`].
pub fn undo(journal: &Journal, id: &str, tools: &dyn Tools, now: Timestamp) -> Result<Receipt, RuntimeError> {
    // Asked first without taking a turn: an unknown receipt must not make folders.
    journal.load(id)?;
    let _turn = journal.turn()?;
    let (receipt, record) = open(journal, id)?;
    edits(journal, &receipt, &record)?;
    let steps = needed(&record);
    let missing = steps.iter().find_map(|back| match &back.step {
        Step::RuntimeCommand { argv, .. } => argv.first().filter(|name| tools.find(name).is_none()),
        _ => None,
    });
    if let Some(name) = missing {
        let why = StepFailed::NoTool { name: name.clone() }.to_string();
        return Err(RuntimeError::Refused(Refusal::new(why)));
    }
    // After an interruption nobody knows whether the machine runs.
    let interrupted = receipt.state == State::Started;
    let mut work = Work { journal, tools, receipt, record, edited: Default::default() };
    for (place, back) in steps.iter().enumerate() {
        let may_fail = interrupted && matches!(back.step, Step::RuntimeCommand { does: CommandKind::Stop, .. });
        match work.back(&back.step) {
            Ok(()) => {}
            Err(_) if may_fail => {}
            Err(failed) => {
                let left = steps[place..].iter().map(|back| in_words(&back.step)).collect();
                return Err(RuntimeError::UndoStopped { receipt: id.to_owned(), cause: failed.to_string(), left });
            }
        }
    }
    work.receipt.state = State::Undone;
    work.receipt.undone_at = Some(now);
    // Should this fail, everything is as before, and the next undo finds it so.
    work.save().map_err(|failed| match failed {
        StepFailed::Journal(error) => RuntimeError::Journal(error),
        other => RuntimeError::UndoStopped { receipt: id.to_owned(), cause: other.to_string(), left: Vec::new() },
    })?;
    Ok(work.receipt)
}

fn open(journal: &Journal, id: &str) -> Result<(Receipt, RuntimeRecord), RuntimeError> {
    let receipt = journal.load(id)?;
    let nothing = |why: String| RuntimeError::NothingToTakeBack { receipt: id.to_owned(), why };
    let Some(record) = receipt.runtime.as_deref().cloned() else {
        return Err(nothing("it changed files and no runtime".to_owned()));
    };
    match receipt.state {
        State::Undone => {
            let at = receipt.undone_at.map_or_else(|| "at an unknown time".to_owned(), |t| t.to_string());
            Err(nothing(format!("it was already undone ({at})")))
        }
        State::TakenBack => Err(nothing("it failed and was taken back at once".to_owned())),
        State::Applied if !record.change.change.lasts() => {
            Err(nothing("a restart leaves nothing behind that could be taken back".to_owned()))
        }
        State::Applied | State::Started => Ok((receipt, record)),
    }
}

/// The steps back from where it got to.
fn needed(record: &RuntimeRecord) -> Vec<BackStep> {
    let Some(reached) = record.reached else { return Vec::new() };
    record.change.back.iter().filter(|back| back.from <= reached).cloned().collect()
}

/// What would be written; refused where settings are no longer as the change left them.
fn edits(journal: &Journal, receipt: &Receipt, record: &RuntimeRecord) -> Result<Vec<switches::Edit>, RuntimeError> {
    let backups = journal.backups(receipt)?;
    let mut edits = Vec::new();
    for (change, backup) in receipt.changes.iter().zip(&backups) {
        let edit = switches::back(change, backup, &record.switches).map_err(|cause| match cause {
            StepFailed::File(error) => RuntimeError::File(error),
            other => RuntimeError::ChangedSince { receipt: receipt.id.clone(), cause: other.to_string() },
        })?;
        edits.extend(edit);
    }
    Ok(edits)
}
