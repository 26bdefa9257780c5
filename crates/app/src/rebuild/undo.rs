//! Taking a build back: what that would do, and whether everything is as it was afterwards.

use std::sync::Arc;

use jiff::Timestamp;
use silidock_engine::Engine;
use silidock_remedy::{Preview, Receipt, Verified, build};

use super::failure_of;
use crate::{
    changes::shown_undo,
    engine_changes,
    failure::{Failure, FailureCode},
    session::App,
    wire::{ChangeOutcome, Event, ScanRequest, UndoPreview},
};

impl App {
    /// Shows what taking a build back would do.
    pub(crate) async fn preview_build_undo(self: &Arc<Self>, receipt: Receipt) -> Result<UndoPreview, Failure> {
        let engine = self.engine_of(&receipt).await?;
        let id = receipt.id.clone();
        let shown = self.at_site(&engine, async move |site| build::undo_preview(&site, &id).await).await?;
        Ok(shown_undo(receipt, shown.unwrap_or_else(|error| Preview::refused(error.to_string()))))
    }

    /// Takes a build back, and looks again.
    pub(crate) async fn undo_build(self: &Arc<Self>, receipt: Receipt) -> Result<ChangeOutcome, Failure> {
        let engine = self.engine_of(&receipt).await?;
        let (busy, id) = (engine_changes::Busy::begin(), receipt.id.clone());
        let undone = self.at_site(&engine, async move |site| {
            let _busy = busy;
            build::undo(&site, &id, Timestamp::now()).await
        });
        let receipt = undone.await?.map_err(|error| failure_of(&error))?;
        let mut otherwise = Vec::new();
        for image in receipt.build.iter().flat_map(|record| &record.images) {
            let now = engine.inspect_image(&image.reference).await.ok().map(|now| now.id);
            if now != image.before {
                otherwise.push(image.reference.clone());
            }
        }
        let (verified, words) = match otherwise.is_empty() {
            true => (Verified::Verified, "Looked again: every name means what it meant before.".to_owned()),
            false => (
                Verified::StillPresent,
                format!("Looked again: {} does not mean what it meant before.", otherwise.join(" and ")),
            ),
        };
        let (verified, words) = self.containers_as_before(&engine, &receipt, (verified, words)).await;
        let words = format!("{words}{}", receipt.left().words());
        if self.source().is_ok()
            && let Err(failure) = self.scan(ScanRequest::default()).await
        {
            self.tell(Event::Lost { failure });
        }
        Ok(ChangeOutcome::of(receipt, verified, words, Vec::new()))
    }

    async fn engine_of(self: &Arc<Self>, receipt: &Receipt) -> Result<Engine, Failure> {
        let record = receipt.build.as_ref().map(|record| (record.endpoint.clone(), record.tls.clone()));
        let (endpoint, tls) = record.unwrap_or_default();
        self.recorded_engine(&endpoint, tls.as_deref()).await.map_err(|failure| {
            let said = format!("The engine at {endpoint}, where it was built, cannot be used: {}", failure.message);
            let hint = failure.hint.unwrap_or_default();
            Failure::new(FailureCode::Engine, said).hint(format!("{hint} Then undo again."))
        })
    }
}
