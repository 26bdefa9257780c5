//! Switching an engine's image store over to containerd's, and back: worked out with the runtime's settings as they are, run by its
//! own tools, and true only when the engine says so.

use std::sync::Arc;

use jiff::Timestamp;
use silidock_diagnosis::{
    fix::{Fix, Safety, Step},
    inventory::{ImageStore, Inventory},
    runtime_fix::{Prepared, image_store},
};
use silidock_engine::Engine;
use silidock_remedy::{
    Preview, Receipt, Subject, Verified,
    runtime::{self, RuntimeRecord},
};

use super::builders::{ProposalToken, Proposed};
use crate::{
    changes::blocking,
    failure::{Failure, FailureCode},
    runtime_changes::{failure_of, say_what_stops},
    session::App,
    wire::{ChangeOutcome, ScanRequest},
};

impl App {
    /// What switches the store over, and what that would do.
    pub(super) async fn store_proposal(self: &Arc<Self>, engine: &Engine) -> Result<(Fix, Preview), Failure> {
        let mut inventory = self.seen()?.inventory;
        // Somebody asked for this, so reading what macOS guards is right.
        inventory.emulation = self.settings(engine, true).await;
        let prepared = image_store(&inventory).map_err(|refusal| {
            let why = refusal.why.trim_end_matches('.').to_owned();
            Failure::new(FailureCode::Refused, format!("There is no image store to switch on: {why}."))
        })?;
        let fix = fix(prepared);
        let tools = self.host_tools();
        let mut shown = match fix.safety {
            Safety::ShowOnly => told(&fix),
            Safety::Safe | Safety::Review => {
                let fix = fix.clone();
                blocking(move || runtime::preview(&fix, &tools)).await?
            }
        };
        if shown.refused.is_none() {
            say_what_stops(fix.runtime.as_ref(), &inventory, &mut shown);
            shown.told.push(hidden(&inventory));
        }
        Ok((fix, shown))
    }

    /// Switches the store over as it was proposed, waits for the engine, and asks it which store it has.
    ///
    /// # Errors
    /// It was not proposed, its file changed since, it cannot be done from here, or a step failed; then everything is as before.
    pub async fn switch_image_store(self: &Arc<Self>, request: ProposalToken) -> Result<ChangeOutcome, Failure> {
        let Proposed { request, endpoint, fix, preview } = self.proposed(&request)?;
        if !request.containerd_store {
            return Err(Failure::new(FailureCode::Refused, "This was proposed as a builder."));
        }
        if fix.safety == Safety::ShowOnly {
            let lines = fix.steps.iter().map(Step::title).collect();
            return Err(Failure::new(FailureCode::Refused, "This is for a person to do.").detail(lines));
        }
        let (journal, tools) = (self.journal()?, self.host_tools());
        let (at, changes) = (endpoint.clone(), preview.diffs.clone());
        let done = blocking(move || {
            runtime::apply(&fix, &preview, &Subject::default(), &at, &journal, &tools, Timestamp::now())
        });
        let receipt = done.await?.map_err(|error| failure_of(&error))?;
        let (verified, words) = self.store_is(&endpoint, ImageStore::Containerd).await;
        let words = self.noted(&receipt.id, verified, words).await?;
        Ok(ChangeOutcome::of(receipt, verified, words, changes))
    }

    /// Switches it back, and asks again.
    pub(crate) async fn undo_image_store(
        self: &Arc<Self>,
        receipt: Receipt,
        record: RuntimeRecord,
    ) -> Result<ChangeOutcome, Failure> {
        let (journal, tools, id) = (self.journal()?, self.host_tools(), receipt.id.clone());
        let undone = blocking(move || {
            let changes = runtime::undo_preview(&journal, &id, &tools).map(|shown| shown.diffs).unwrap_or_default();
            runtime::undo(&journal, &id, &tools, Timestamp::now()).map(|receipt| (receipt, changes))
        });
        let (receipt, changes) = undone.await?.map_err(|error| failure_of(&error))?;
        let (verified, words) = self.store_is(&record.endpoint, ImageStore::Classic).await;
        let mut outcome = ChangeOutcome::of(receipt, verified, words, changes);
        outcome.ran.drain(..record.ran.len().min(outcome.ran.len()));
        Ok(outcome)
    }

    /// Waits for the engine and looks which store it has.
    async fn store_is(self: &Arc<Self>, endpoint: &str, wanted: ImageStore) -> (Verified, String) {
        if !self.answers_again(endpoint, None).await {
            return (Verified::CouldNotTell, "Done, but the engine does not answer yet.".to_owned());
        }
        let asked = ScanRequest { engine: Some(endpoint.to_owned()), ..ScanRequest::default() };
        let looked = self.scan(asked).await.and_then(|_| self.seen());
        let now = match looked {
            Ok(seen) => seen.inventory.engine.image_store,
            Err(failure) => return (Verified::CouldNotTell, format!("Done, but looking again failed: {failure}")),
        };
        let words = match now {
            ImageStore::Containerd => {
                "the engine keeps images in containerd's store, where a tag holds several platforms"
            }
            ImageStore::Classic => "the engine keeps images in its older store, where a tag holds one platform",
            ImageStore::Unknown => "the engine does not say how it keeps images",
        };
        let verified = match now {
            ImageStore::Unknown => Verified::CouldNotTell,
            now if now == wanted => Verified::Verified,
            _ => Verified::StillPresent,
        };
        (verified, format!("Looked again: {words}."))
    }
}

fn fix(prepared: Prepared) -> Fix {
    let Prepared { summary, safety, steps, runtime } = prepared;
    let title = "Switch on containerd's image store".to_owned();
    Fix { option: 1, title, summary, safety, steps, promise: None, runtime }
}

/// What a person has to do, as a preview.
fn told(fix: &Fix) -> Preview {
    let mut shown = Preview::default();
    for step in &fix.steps {
        if let Step::Tell { text, commands } = step {
            shown.told.push(text.clone());
            shown.commands.extend(commands.iter().cloned());
        }
    }
    shown
}

/// How much disappears from sight.
fn hidden(inventory: &Inventory) -> String {
    let count = |many: usize, one: &str| if many == 1 { format!("1 {one}") } else { format!("{many} {one}s") };
    format!(
        "{} and {} of this engine are not shown afterwards, until it is switched back.",
        count(inventory.images.items.len(), "image"),
        count(inventory.containers.items.len(), "container")
    )
}
