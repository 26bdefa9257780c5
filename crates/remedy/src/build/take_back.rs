//! Undo of a build: the references mean again what was kept, and containers that were made anew are again what they were. What was
//! built stays on the engine without a name.

use jiff::Timestamp;
use silidock_engine::Engine;

use super::carry::image_id;
use super::renew::bring_back;
use super::{BuildError, BuildRecord, BuiltImage};
use crate::preview::{Preview, Refusal};
use crate::receipt::{Journal, Receipt, State};
use crate::recreate::{ChangeError, Site, after_build};

/// What undoing would do. What stands in the way is in `refused`.
///
/// # Errors
/// Receipts that are unknown or damaged, or an engine that does not answer.
pub async fn undo_preview(site: &Site<'_>, id: &str) -> Result<Preview, BuildError> {
    let (receipt, record) = open(site.journal, id)?;
    let told = |image: &BuiltImage| match (&image.before, &image.kept) {
        (Some(_), Some(kept)) => format!("{} means again what {kept} keeps.", image.reference),
        (Some(_), None) => format!("{} stays as it is: it was not built yet.", image.reference),
        (None, _) => format!("{} loses its name: there was no such image before.", image.reference),
    };
    let mut preview = Preview { told: record.images.iter().map(told).collect(), ..Preview::default() };
    preview.told.push(match record.containers.is_empty() {
        true => "What was built stays on the engine without a name, and containers run on as they are.".to_owned(),
        false => "What was built stays on the engine without a name.".to_owned(),
    });
    for place in 0..record.containers.len() {
        let shown = after_build::show_back(site, &receipt, place, &mut preview).await;
        shown.map_err(|error| of_container(id, error))?;
    }
    if let Err(error) = as_it_was_left(&receipt, &record, site.engine).await {
        preview.refused = Some(Refusal::new(error.to_string()));
    }
    Ok(preview)
}

/// Gives the references back to what was kept, and makes the containers what they were. `now` becomes the time of the undo.
///
/// # Errors
/// See [`BuildError`].
pub async fn undo(site: &Site<'_>, id: &str, now: Timestamp) -> Result<Receipt, BuildError> {
    // Asked first without taking a turn: an unknown receipt must not make folders.
    site.journal.load(id)?;
    let _turn = site.journal.turn()?;
    let (mut receipt, record) = open(site.journal, id)?;
    as_it_was_left(&receipt, &record, site.engine).await?;
    for place in 0..record.containers.len() {
        let looked = after_build::as_it_was_left(site, &receipt, place).await;
        looked.map_err(|error| of_container(id, error))?;
    }
    let (_, stuck) = bring_back(site, &mut receipt).await;
    if !stuck.is_empty() {
        let cause = "Not everything could be taken back".to_owned();
        return Err(BuildError::HalfDone { receipt: id.to_owned(), cause, stuck, printed: Vec::new() });
    }
    receipt.state = State::Undone;
    receipt.undone_at = Some(now);
    site.journal.save(&receipt)?;
    site.journal.forget_private(&receipt)?;
    Ok(receipt)
}

fn of_container(receipt: &str, error: ChangeError) -> BuildError {
    match error {
        ChangeError::Engine(source) => BuildError::Engine { what: "looking at a container failed".to_owned(), source },
        ChangeError::Journal(error) => BuildError::Journal(error),
        ChangeError::ChangedSince { cause, .. } => BuildError::ContainerChanged { receipt: receipt.to_owned(), cause },
        other => BuildError::ContainerChanged { receipt: receipt.to_owned(), cause: other.to_string() },
    }
}

fn open(journal: &Journal, id: &str) -> Result<(Receipt, BuildRecord), BuildError> {
    let receipt = journal.load(id)?;
    let nothing = |why: String| BuildError::NothingToTakeBack { receipt: id.to_owned(), why };
    let Some(record) = receipt.build.as_deref().cloned() else {
        return Err(nothing("it built nothing".to_owned()));
    };
    match receipt.state {
        State::Undone => {
            let at = receipt.undone_at.map_or_else(|| "at an unknown time".to_owned(), |t| t.to_string());
            Err(nothing(format!("it was already undone ({at})")))
        }
        State::TakenBack => Err(nothing("it failed and was taken back at once".to_owned())),
        State::Applied if record.images.is_empty() => {
            Err(nothing("what it built went to a registry, where only its owner can take it back".to_owned()))
        }
        State::Applied | State::Started => Ok((receipt, record)),
    }
}

/// Each reference means what the build left, or still what it meant before. After an interruption nobody knows what it left.
async fn as_it_was_left(receipt: &Receipt, record: &BuildRecord, engine: &Engine) -> Result<(), BuildError> {
    for image in &record.images {
        let now = image_id(engine, &image.reference).await?;
        let known = now == image.before || now == image.after || now.is_none() || image.after.is_none();
        if !known {
            return Err(BuildError::ChangedSince { receipt: receipt.id.clone(), reference: image.reference.clone() });
        }
    }
    Ok(())
}
