//! The second half of a rebuild: containers made anew from what was built, one after the other. Where one does not come up, all of
//! them and the images' names are as before.

use silidock_diagnosis::text::capital;
use silidock_engine::Engine;

use super::carry::back;
use super::{BuildError, BuiltImage};
use crate::receipt::{Receipt, State};
use crate::recreate::Site;
use crate::recreate::after_build::{self, Renewal};

/// Looks whether every container is still as it was shown.
///
/// # Errors
/// [`BuildError::NotAsShown`].
pub async fn still_as_shown(site: &Site<'_>, renewals: &[Renewal], built: &[String]) -> Result<(), BuildError> {
    for renewal in renewals {
        let looked = after_build::still_as_shown(site, renewal, built).await;
        looked.map_err(|error| BuildError::NotAsShown { why: error.to_string() })?;
    }
    Ok(())
}

/// Makes containers anew from what the receipt's build has built, as they were shown.
///
/// # Errors
/// [`BuildError::TakenBack`] where one did not come up; only after [`BuildError::HalfDone`] something is not as before the build.
pub async fn renew(site: &Site<'_>, receipt: &str, renewals: &[Renewal]) -> Result<Receipt, BuildError> {
    let _turn = site.journal.turn()?;
    let mut receipt = site.journal.load(receipt)?;
    let built: Vec<String> =
        receipt.build.iter().flat_map(|build| &build.images).map(|image| image.reference.clone()).collect();
    receipt.state = State::Started;
    site.journal.save(&receipt)?;
    for renewal in renewals {
        if let Err(failed) = after_build::renew(site, &mut receipt, renewal, &built).await {
            return Err(roll_back(site, receipt, failed.sentence(), failed.printed()).await);
        }
    }
    receipt.state = State::Applied;
    match site.journal.save(&receipt) {
        Ok(()) => Ok(receipt),
        Err(error) => Err(roll_back(site, receipt, capital(&error.to_string()), Vec::new()).await),
    }
}

async fn roll_back(site: &Site<'_>, mut receipt: Receipt, cause: String, printed: Vec<String>) -> BuildError {
    site.course.say("Taking back what was done");
    let (back, mut stuck) = bring_back(site, &mut receipt).await;
    if stuck.is_empty() {
        receipt.state = State::TakenBack;
        if let Err(error) = site.journal.forget_private(&receipt) {
            stuck.push(error.to_string());
        }
    }
    if let Err(error) = site.journal.save(&receipt) {
        stuck.push(error.to_string());
    }
    match stuck.is_empty() {
        true => BuildError::TakenBack { left: Box::new(receipt.left()), receipt: receipt.id, cause, back, printed },
        false => BuildError::HalfDone { receipt: receipt.id, cause, stuck, printed },
    }
}

/// Everything as it was before the build, as far as it got: what was done, and what could not be, in words.
pub(super) async fn bring_back(site: &Site<'_>, receipt: &mut Receipt) -> (Vec<String>, Vec<String>) {
    let (mut done, mut stuck) = (Vec::new(), Vec::new());
    let build = receipt.build.as_deref().cloned();
    let (mut images, containers) = build.map(|build| (build.images, build.containers.len())).unwrap_or_default();
    let new = images.extract_if(.., |image| image.before.is_none()).collect::<Vec<_>>();
    // A container is made again under the name that its image had, so that comes first; a name that was not there before can only
    // go when no container runs by it.
    names(site.engine, &images, &mut done, &mut stuck).await;
    for place in (0..containers).rev() {
        match after_build::bring_back(site, receipt, place).await {
            Ok(words) => done.extend(words),
            Err(error) => stuck.push(error.to_string()),
        }
    }
    names(site.engine, &new, &mut done, &mut stuck).await;
    (done, stuck)
}

async fn names(engine: &Engine, images: &[BuiltImage], done: &mut Vec<String>, stuck: &mut Vec<String>) {
    for image in images {
        match back(engine, image).await {
            Ok(true) if image.before.is_some() => done.push(format!("{} means what it meant", image.reference)),
            Ok(true) => done.push(format!("{} has no image, as before", image.reference)),
            Ok(false) => {}
            Err(error) => stuck.push(error.to_string()),
        }
    }
}
