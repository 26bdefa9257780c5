//! Containers made anew from what was just built, as a part of the build's own receipt: there and back. When, and what becomes of
//! the images' names, is the build's.

use silidock_diagnosis::fix::Step;
use silidock_diagnosis::text::capital;

use super::carry::{Work, record_of};
use super::plan::Plan;
use super::{AlterFailed, ChangeError, Record, Site};
use crate::preview::{Preview, Refusal};
use crate::receipt::{JournalError, Receipt};

/// A container to be made anew, as it was shown.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// Its steps, but for the build.
    pub steps: Vec<Step>,
    /// What [`super::preview_after`] said of them.
    pub shown: Preview,
}

/// Why a container was not made anew.
#[derive(Debug, thiserror::Error)]
pub enum NotRenewed {
    /// It cannot be done.
    #[error("{}", .0.why)]
    Refused(Refusal),
    /// Something is not as it was shown.
    #[error("{what} changed since the preview")]
    Changed {
        /// What.
        what: String,
    },
    /// A step failed.
    #[error(transparent)]
    Failed(#[from] AlterFailed),
    /// It could not be recorded.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl NotRenewed {
    /// What a container that did not come up printed last.
    pub(crate) fn printed(&self) -> Vec<String> {
        match self {
            Self::Failed(failed) => failed.printed(),
            Self::Refused(_) | Self::Changed { .. } | Self::Journal(_) => Vec::new(),
        }
    }

    /// As the beginning of a sentence.
    pub(crate) fn sentence(&self) -> String {
        match self {
            // These may begin with a name.
            Self::Refused(_) | Self::Changed { .. } => self.to_string(),
            Self::Failed(failed) => failed.sentence(),
            Self::Journal(_) => capital(&self.to_string()),
        }
    }
}

/// Looks whether everything is as it was shown.
pub(crate) async fn still_as_shown(site: &Site<'_>, renewal: &Renewal, built: &[String]) -> Result<(), NotRenewed> {
    plan(site, renewal, built).await.map(drop)
}

async fn plan(site: &Site<'_>, renewal: &Renewal, built: &[String]) -> Result<Plan, NotRenewed> {
    let plan = Plan::of(site, &renewal.steps, built).await.map_err(NotRenewed::Refused)?;
    match plan.as_shown(&renewal.shown) {
        Ok(()) => Ok(plan),
        Err(ChangeError::Changed { what }) => Err(NotRenewed::Changed { what }),
        Err(other) => Err(NotRenewed::Changed { what: other.to_string() }),
    }
}

/// Makes a container anew. How far it got is in the receipt, whatever happens.
pub(crate) async fn renew(
    site: &Site<'_>,
    receipt: &mut Receipt,
    renewal: &Renewal,
    built: &[String],
) -> Result<(), NotRenewed> {
    let plan = plan(site, renewal, built).await?;
    let place = receipt.build.as_ref().map_or(0, |build| build.containers.len());
    let record = record_of(site, &renewal.steps);
    let mut work = Work { site: site.clone(), receipt: receipt.clone(), record, after_build: Some(place) };
    let done = match work.saw(&plan) {
        Ok(()) => work.all(&plan, &[]).await.map_err(NotRenewed::from),
        Err(error) => Err(error.into()),
    };
    *receipt = work.receipt;
    done
}

/// The change of the container at a place of the receipt.
fn at<'a>(site: &Site<'a>, receipt: &Receipt, place: usize) -> Option<Work<'a>> {
    let record = receipt.build.as_ref()?.containers.get(place)?.clone();
    Some(Work { site: site.clone(), receipt: receipt.clone(), record, after_build: Some(place) })
}

/// The container must be as the change left it, or as it was before.
pub(crate) async fn as_it_was_left(site: &Site<'_>, receipt: &Receipt, place: usize) -> Result<(), ChangeError> {
    match at(site, receipt, place) {
        Some(work) => work.as_it_was_left().await,
        None => Ok(()),
    }
}

/// Adds what bringing it back would do.
pub(crate) async fn show_back(
    site: &Site<'_>,
    receipt: &Receipt,
    place: usize,
    preview: &mut Preview,
) -> Result<(), ChangeError> {
    match at(site, receipt, place) {
        Some(work) => work.show_back(preview).await,
        None => Ok(()),
    }
}

/// Brings it back to how it was, as far as it got. What was done, in words.
pub(crate) async fn bring_back(
    site: &Site<'_>,
    receipt: &mut Receipt,
    place: usize,
) -> Result<Vec<String>, AlterFailed> {
    let Some(mut work) = at(site, receipt, place) else { return Ok(Vec::new()) };
    let back = work.bring_back().await;
    if back.is_ok() {
        work.let_go().await;
        work.save()?;
    }
    *receipt = work.receipt;
    back
}
