//! After a runtime was changed: waiting for its engine, and proving by the probe which emulator really runs.
//!
//! No setting is believed here; a change helped only if what it was to bring is seen.

use std::{sync::Arc, time::Duration};

use silidock_diagnosis::{
    emulator::display_name,
    execution::{Expected, expected},
    fact::Fact,
    fix::Fix,
    inventory::Inventory,
    runtime::EmulatorChoice,
    runtime_fix::Change,
};
use silidock_engine::Engine;
use silidock_remedy::{Verified, runtime::RuntimeRecord};
use silidock_report::Scan;

use crate::{
    look::Chosen,
    session::{App, Source},
    wire::{EmulatorRequest, ScanRequest},
};

/// A machine that starts gets this long until its engine answers.
const ANSWER: Duration = Duration::from_secs(300);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(500);

impl App {
    /// When the engine was started, in its own words; none where it does not say or answer.
    pub(crate) async fn started(self: &Arc<Self>, endpoint: &str) -> Option<String> {
        let engine = self.engine_at(endpoint).await?;
        engine.started().await.ok().flatten()
    }

    /// The engine that is looked at, or one newly connected to.
    pub(crate) async fn engine_at(self: &Arc<Self>, endpoint: &str) -> Option<Engine> {
        if let Ok(Source::Engine(engine)) = self.source()
            && engine.target().endpoint.to_string() == endpoint
        {
            return Some(engine);
        }
        match self.engine(Some(endpoint)).await {
            Ok(Chosen::Engine(engine)) => Some(engine),
            Ok(Chosen::Sample(_) | Chosen::Recording) | Err(_) => None,
        }
    }

    /// Waits until the engine answers, and, where its machine restarts by itself, until it is another start.
    pub(crate) async fn answers_again(self: &Arc<Self>, endpoint: &str, unlike: Option<&str>) -> bool {
        let answered = async {
            loop {
                if let Some(engine) = self.engine_at(endpoint).await
                    && let Ok(started) = engine.started().await
                    && (unlike.is_none() || started.as_deref() != unlike)
                {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(ANSWER, answered).await.is_ok()
    }

    /// Proves what runs Intel programs now, and looks again.
    async fn prove(self: &Arc<Self>, endpoint: &str, unlike: Option<&str>, guarded: bool) -> Result<Scan, String> {
        if matches!(self.source(), Ok(Source::Sample(_))) {
            let looked = self.scan(ScanRequest::default()).await;
            return looked.map(|view| view.scan).map_err(|failure| failure.message);
        }
        if !self.answers_again(endpoint, unlike).await {
            return Err(format!("the engine did not answer within {} s after its restart", ANSWER.as_secs()));
        }
        let current = matches!(self.source(), Ok(Source::Engine(e)) if e.target().endpoint.to_string() == endpoint);
        let engine = (!current).then(|| endpoint.to_owned());
        self.emulator(EmulatorRequest { engine, guarded, builds: false }).await.map_err(|failure| failure.message)?;
        self.last_scan().map_err(|failure| failure.message)
    }

    pub(crate) async fn verify_runtime(
        self: &Arc<Self>,
        finding: &str,
        fix: &Fix,
        endpoint: &str,
        started: Option<&str>,
    ) -> (Verified, String) {
        let change = fix.runtime.as_ref();
        let guarded = self.seen().is_ok_and(|seen| guarded(&seen.inventory));
        let unlike = started.filter(|_| change.is_some_and(|change| change.in_background));
        let scan = match self.prove(endpoint, unlike, guarded).await {
            Ok(scan) => scan,
            Err(why) => return (Verified::CouldNotTell, format!("Done, but looking again failed: {why}.")),
        };
        let wanted = change.and_then(|change| change.change.emulator());
        let (as_wanted, runs) = self.what_runs(wanted);
        let there = scan.findings.iter().any(|f| f.id == finding);
        let unjudged = scan.not_judged.iter().find(|n| Some(&n.check) == fix.promise.as_ref());
        match (as_wanted, there, unjudged) {
            (Some(false), _, _) => (Verified::StillPresent, format!("Looked again: {runs}.")),
            (_, true, _) => (Verified::StillPresent, format!("Looked again: the finding is still there; {runs}.")),
            (None, false, Some(n)) => {
                (Verified::CouldNotTell, format!("Looked again, but {} is not known: {}.", n.gap.what, n.gap.why))
            }
            (None, false, None) if wanted.is_some() => (Verified::CouldNotTell, format!("Looked again: {runs}.")),
            (_, false, _) => (Verified::Verified, format!("Looked again: the finding is gone; {runs}.")),
        }
    }

    pub(crate) async fn verify_undone(
        self: &Arc<Self>,
        record: &RuntimeRecord,
        endpoint: &str,
        started: Option<&str>,
    ) -> (Verified, String) {
        let unlike = started.filter(|_| record.change.in_background);
        if let Err(why) = self.prove(endpoint, unlike, !record.switches.is_empty()).await {
            return (Verified::CouldNotTell, format!("Everything was taken back, but looking again failed: {why}."));
        }
        let before = match record.change.change {
            Change::RosettaOn => Some(EmulatorChoice::Qemu),
            Change::RosettaOff => Some(EmulatorChoice::Rosetta),
            Change::Toggle | Change::Restart | Change::Register | Change::Builder | Change::ContainerdStore => None,
        };
        match self.what_runs(before) {
            (Some(false), runs) => {
                (Verified::StillPresent, format!("Everything was taken back. Looked again: {runs}."))
            }
            (None, runs) if before.is_some() => {
                (Verified::CouldNotTell, format!("Everything was taken back. Looked again: {runs}."))
            }
            (_, runs) => (Verified::Verified, format!("Everything was taken back. Looked again: {runs}.")),
        }
    }

    /// What runs foreign programs, in words, and whether that is what was wanted for Intel.
    fn what_runs(&self, wanted: Option<EmulatorChoice>) -> (Option<bool>, String) {
        let Ok(seen) = self.seen() else { return (None, "nothing is known".to_owned()) };
        let inventory = &seen.inventory;
        let effective = inventory.emulation.effective.known().into_iter().flatten();
        let needed = effective.filter(|found| wanted.is_none() || found.platform.architecture == "amd64");
        let words: Vec<String> = needed
            .filter(|found| wanted.is_some() || needs(inventory, &found.platform.architecture))
            .map(|found| match found.works() {
                true => {
                    let version = found.version.as_ref().map(|v| format!(" {v}")).unwrap_or_default();
                    format!("{}{version} runs {} programs", display_name(&found.emulator), found.platform)
                }
                false => format!("nothing runs {} programs", found.platform),
            })
            .collect();
        let proven = inventory.emulation.proven("amd64");
        let as_wanted = wanted.zip(proven).map(|(wanted, found)| match wanted {
            // Off means QEMU, or whatever else the runtime takes then.
            EmulatorChoice::Qemu | EmulatorChoice::None => found.emulator != "rosetta",
            EmulatorChoice::Rosetta => found.emulator == "rosetta",
        });
        match words.is_empty() {
            true => (as_wanted, "what runs foreign programs was not told".to_owned()),
            false => (as_wanted, words.join(", ")),
        }
    }
}

/// Docker Desktop's settings were read, so reading them was allowed.
pub(crate) fn guarded(inventory: &Inventory) -> bool {
    let settings = inventory.emulation.settings_of(&inventory.engine);
    settings
        .is_ok_and(|s| s.runtime == "docker-desktop" && (s.emulator.known().is_some() || s.vm_type.known().is_some()))
}

fn needs(inventory: &Inventory, architecture: &str) -> bool {
    inventory.containers.items.iter().any(|container| {
        container.platform.known().is_some_and(|p| p.architecture == architecture)
            && expected(&container.platform, &inventory.engine) == Fact::Known(Expected::Emulated)
    })
}
