//! Changes of runtimes: what stops meanwhile, whether all is still as it was shown, and, once the engine answers again,
//! which emulator really runs.
//!
//! The commands themselves are `remedy`'s to run; in the sample they are only pretended.

use std::sync::Arc;

use jiff::Timestamp;
use silidock_diagnosis::{
    finding::Finding,
    fix::{Fix, RuntimeChange, Step},
    inventory::{ContainerState, Inventory},
    runtime::{EmulatorChoice, RuntimeSettings},
    runtime_fix::Change,
};
use silidock_remedy::{
    Journal, Preview, Receipt, Subject,
    runtime::{self, HostTools, Ran, RuntimeError, RuntimeRecord, Tools},
};

use crate::{
    changes::{blocking, find_fix, shown_undo},
    failure::{Failure, FailureCode},
    runtime_proof::guarded,
    sample::SampleTools,
    session::{App, Source},
    wire::{ChangeOutcome, ScanRequest, UndoPreview},
};

/// A change that was shown and is now wanted.
pub(crate) struct Wanted {
    pub finding: String,
    pub fix: Fix,
    pub shown: Preview,
}

impl App {
    /// What the change would run and write, and which containers stop meanwhile.
    pub(crate) async fn preview_runtime(self: &Arc<Self>, fix: &Fix) -> Result<Preview, Failure> {
        let tools = self.tools()?;
        let mut shown = {
            let fix = fix.clone();
            blocking(move || runtime::preview(&fix, tools.as_ref())).await?
        };
        if shown.refused.is_none() {
            let inventory = self.seen()?.inventory;
            say_what_stops(fix.runtime.as_ref(), &inventory, &mut shown);
        }
        Ok(shown)
    }

    /// Carries out a change of a runtime, waits for the engine, and proves what runs now.
    pub(crate) async fn apply_runtime(self: &Arc<Self>, wanted: Wanted) -> Result<ChangeOutcome, Failure> {
        let Wanted { finding, fix, shown } = wanted;
        self.still_so(&finding, &fix, &shown).await?;
        let (journal, tools) = (self.journal()?, self.tools()?);
        let endpoint = self.last_scan()?.engine.endpoint;
        let started = self.started(&endpoint).await;
        let changes = shown.diffs.clone();
        let done = {
            let (journal, fix, endpoint) = (journal.clone(), fix.clone(), endpoint.clone());
            let subject = Subject { finding: Some(finding.clone()) };
            blocking(move || {
                runtime::apply(&fix, &shown, &subject, &endpoint, &journal, tools.as_ref(), Timestamp::now())
            })
            .await?
        };
        self.session().proven.remove(&endpoint);
        let receipt = match done {
            Ok(receipt) => receipt,
            Err(error) => return Err(self.told_honestly(error, &journal, &endpoint).await),
        };
        let change = fix.runtime.as_ref();
        if let (Source::Sample(sample), Some(change)) = (self.source()?, change) {
            sample.changed(Some(change.change))?;
        }
        let (verified, words) = self.verify_runtime(&finding, &fix, &endpoint, started.as_deref()).await;
        let words = self.noted(&receipt.id, verified, words).await?;
        Ok(ChangeOutcome::of(receipt, verified, words, changes))
    }

    /// Shows what taking a change of a runtime back would run.
    pub(crate) async fn preview_runtime_undo(self: &Arc<Self>, receipt: Receipt) -> Result<UndoPreview, Failure> {
        let (journal, tools, id) = (self.journal()?, self.tools()?, receipt.id.clone());
        let shown = blocking(move || runtime::undo_preview(&journal, &id, tools.as_ref())).await?;
        let mut shown = shown.unwrap_or_else(|error| Preview::refused(error.to_string()));
        if let (None, Some(record)) = (&shown.refused, &receipt.runtime) {
            if let Err(failure) = self.as_it_was_left(record).await {
                shown.refused = Some(silidock_remedy::Refusal::new(failure.message));
            } else if !matches!(record.change.change, Change::Register | Change::Builder) {
                let name = &record.change.name;
                shown.told.push(format!("{name} restarts, and all its containers stop meanwhile."));
                if record.change.change == Change::ContainerdStore {
                    shown.told.push(
                        "Images and containers of the store that is used now are not shown afterwards; those from before are again."
                            .to_owned(),
                    );
                }
            }
        }
        Ok(shown_undo(receipt, shown))
    }

    /// Takes a change of a runtime back, waits for the engine, and says what runs now.
    pub(crate) async fn undo_runtime(
        self: &Arc<Self>,
        receipt: Receipt,
        record: RuntimeRecord,
    ) -> Result<ChangeOutcome, Failure> {
        if record.change.change == Change::Builder {
            return self.undo_builder(receipt).await;
        }
        if record.change.change == Change::ContainerdStore {
            return self.undo_image_store(receipt, record).await;
        }
        if matches!(self.source(), Ok(Source::Sample(sample)) if sample.name() != record.change.runtime) {
            let engine = Some(record.change.runtime.clone());
            self.scan(ScanRequest { engine, sample: true, ..ScanRequest::default() }).await?;
        }
        self.as_it_was_left(&record).await?;
        let endpoint = record.endpoint.clone();
        let started = self.started(&endpoint).await;
        let (journal, tools, id) = (self.journal()?, self.tools()?, receipt.id.clone());
        let (shown, undone) = blocking({
            let journal = journal.clone();
            move || {
                let shown = runtime::undo_preview(&journal, &id, tools.as_ref()).unwrap_or_default();
                (shown, runtime::undo(&journal, &id, tools.as_ref(), Timestamp::now()))
            }
        })
        .await?;
        self.session().proven.remove(&endpoint);
        let receipt = undone.map_err(|error| failure_of(&error))?;
        if let Ok(Source::Sample(sample)) = self.source() {
            sample.changed(None)?;
        }
        let (verified, words) = self.verify_undone(&record, &endpoint, started.as_deref()).await;
        let ran_before = record.ran.len();
        let mut outcome = ChangeOutcome::of(receipt, verified, words, shown.diffs);
        outcome.ran.drain(..ran_before.min(outcome.ran.len()));
        Ok(outcome)
    }

    fn tools(&self) -> Result<Box<dyn Tools + Send>, Failure> {
        if let Some(Source::Sample(sample)) = &self.session().source {
            return Ok(Box::new(SampleTools::of(sample)));
        }
        Ok(Box::new(HostTools::new(self.host().clone(), tokio::runtime::Handle::current())))
    }

    /// Looked at again before anything is run: the finding, its fix, what runs, and the settings.
    async fn still_so(self: &Arc<Self>, finding: &str, fix: &Fix, shown: &Preview) -> Result<(), Failure> {
        let changed = |what: &str| {
            Failure::new(FailureCode::Changed, format!("{what} since the preview. Nothing was run."))
                .hint("Look at the preview again.")
        };
        let before = self.seen()?.inventory;
        if let Source::Engine(engine) = self.source()? {
            let now = self.settings(&engine, guarded(&before)).await;
            let mine =
                |settings: &RuntimeSettings| settings.instance == fix.runtime.as_ref().and_then(|r| r.instance.clone());
            let same = match (before.emulation.settings_of(&before.engine), now.settings_of(&before.engine)) {
                (Ok(then), Ok(now)) => same_settings(then, now) && (mine(now) || changes_no_setting(fix)),
                (Err(_), Err(_)) => true,
                (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
            };
            if !same {
                return Err(changed("The runtime's settings changed"));
            }
        }
        let scan = self.scan(ScanRequest::default()).await?.scan;
        let (_, now): (Finding, Fix) =
            find_fix(&scan, finding, fix.option).map_err(|_| changed("The finding changed"))?;
        if now != *fix {
            return Err(changed("What would be run changed"));
        }
        let mut again = Preview::default();
        say_what_stops(fix.runtime.as_ref(), &self.seen()?.inventory, &mut again);
        // One that ended meanwhile is no reason; one that nobody was told of is.
        match again.restarts.iter().find(|name| !shown.restarts.contains(name)) {
            None => Ok(()),
            Some(name) => Err(changed(&format!("{name} would stop too, and was started"))),
        }
    }

    /// An undo must find the switch where the change left it.
    async fn as_it_was_left(self: &Arc<Self>, record: &RuntimeRecord) -> Result<(), Failure> {
        let Some(left) = record.change.change.emulator().filter(|_| record.done) else { return Ok(()) };
        if matches!(self.source(), Ok(Source::Sample(_))) {
            return Ok(());
        }
        let guarded = if record.switches.is_empty() {
            silidock_observe::runtimes::GuardedFiles::Leave
        } else {
            silidock_observe::runtimes::GuardedFiles::Read
        };
        let facts = silidock_observe::runtimes::read(self.host().as_ref(), guarded).await;
        let change = &record.change;
        let mine = |s: &&RuntimeSettings| s.runtime == change.runtime && s.instance == change.instance;
        let now = facts.runtimes.known().and_then(|all| all.iter().find(mine)).and_then(|s| s.emulator.known());
        match now {
            Some(now) if off(now.value) != off(left) => Err(Failure::new(
                FailureCode::Changed,
                format!(
                    "{} was set otherwise since: {} says {}. Nothing was run.",
                    change.name, now.place, now.written
                ),
            )
            .hint("It is as somebody wanted it; there is nothing to take back.")),
            Some(_) | None => Ok(()),
        }
    }

    /// A change that failed: whether the engine answers, and what was done about it.
    async fn told_honestly(self: &Arc<Self>, error: RuntimeError, journal: &Journal, endpoint: &str) -> Failure {
        let mut failure = failure_of(&error);
        let receipt = match &error {
            RuntimeError::TakenBack { receipt, .. } | RuntimeError::HalfDone { receipt, .. } => receipt.clone(),
            _ => return failure,
        };
        failure.hint = Some(match self.engine_at(endpoint).await {
            Some(engine) if engine.started().await.is_ok() => format!("The engine answers. Receipt {receipt}."),
            Some(_) => format!("The engine does not answer now. Receipt {receipt}."),
            None => format!("Receipt {receipt}."),
        });
        if let Ok(Some(record)) = journal.load(&receipt).map(|receipt| receipt.runtime) {
            failure.detail = record.ran.iter().map(in_words).collect();
        }
        failure
    }
}

/// A command as it was run and how it ended.
fn in_words(ran: &Ran) -> String {
    let ended = ran.status.map_or_else(|| "did not end by itself".to_owned(), |status| format!("status {status}"));
    format!("{}: {ended}", ran.argv.join(" "))
}

/// Containers that stop with their machine.
pub(crate) fn say_what_stops(change: Option<&RuntimeChange>, inventory: &Inventory, shown: &mut Preview) {
    if change.is_none_or(|change| change.change == Change::Register) {
        return;
    }
    let up = [ContainerState::Running, ContainerState::Paused, ContainerState::Restarting];
    let running = inventory.containers.items.iter().filter(|c| up.contains(&c.state));
    shown.restarts = running.map(|container| container.name.clone()).collect();
    shown.restarts.sort();
    if inventory.containers.items.len() < inventory.containers.total || !inventory.containers.complete {
        shown.told.push("Not all containers of this engine could be listed; all of them stop.".to_owned());
    }
    if change.is_some_and(|change| change.change == Change::ContainerdStore) {
        return;
    }
    if !shown.restarts.is_empty() {
        shown.told.push(
            "Containers with a restart policy come back by themselves; start the others again. What a program held in \
             memory only is lost."
                .to_owned(),
        );
    }
}

fn changes_no_setting(fix: &Fix) -> bool {
    fix.runtime.as_ref().is_none_or(|change| change.change == Change::Register)
        && !fix.steps.iter().any(|step| matches!(step, Step::EditSettings { .. }))
}

fn same_settings(then: &RuntimeSettings, now: &RuntimeSettings) -> bool {
    then.emulator == now.emulator
        && then.vm_type == now.vm_type
        && then.locks == now.locks
        && then.obstacles == now.obstacles
        && then.instance == now.instance
}

fn off(choice: EmulatorChoice) -> bool {
    choice != EmulatorChoice::Rosetta
}

pub(crate) fn failure_of(error: &RuntimeError) -> Failure {
    let code = match error {
        RuntimeError::Changed { .. } | RuntimeError::ChangedSince { .. } => FailureCode::Changed,
        RuntimeError::Refused(_) | RuntimeError::NothingToTakeBack { .. } => FailureCode::Refused,
        RuntimeError::TakenBack { .. } | RuntimeError::HalfDone { .. } | RuntimeError::UndoStopped { .. } => {
            FailureCode::Runtime
        }
        RuntimeError::File(_) | RuntimeError::Journal(_) => FailureCode::File,
    };
    let detail = match error {
        RuntimeError::Refused(refusal) => refusal.lines_to_type.clone(),
        _ => Vec::new(),
    };
    Failure::new(code, error.to_string()).detail(detail)
}
