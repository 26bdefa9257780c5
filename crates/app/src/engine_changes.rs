//! Changes of an engine's containers and images: which engine, how far, stopping, and looking again. Carrying them out and
//! taking them back is `remedy`'s.

use std::sync::{
    Arc, LazyLock, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use silidock_diagnosis::{fix::Fix, text::capital};
use silidock_engine::Engine;
use silidock_remedy::{
    Preview, Receipt, Subject, Verified,
    recreate::{self, ChangeError, Course, EngineRecord, Site},
};
use tokio::{runtime::Handle, sync::watch};

use crate::{
    changes::{blocking, shown_undo},
    failure::{Failure, FailureCode},
    look::{Chosen, engine_failure},
    runtime_changes::Wanted,
    session::{App, Source},
    wire::{ChangeOutcome, ChangeProgress, Event, Nothing, ScanRequest, UndoPreview},
};

/// Changes under way, in the whole program.
static BUSY: LazyLock<watch::Sender<u32>> = LazyLock::new(|| watch::Sender::new(0));
/// The program is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);
/// A container that refuses to end is given its time, and then one is started.
const LONGEST: Duration = Duration::from_secs(180);
/// How often progress in bytes is told.
const OFTEN: Duration = Duration::from_millis(200);

/// Has every change under way stop and be taken back, and waits for that.
pub(crate) async fn settle() {
    ENDING.store(true, Ordering::Relaxed);
    let mut busy = BUSY.subscribe();
    // After that the receipt says what is left to undo.
    let _ = tokio::time::timeout(LONGEST, busy.wait_for(|busy| *busy == 0)).await;
}

/// The program is about to end, so what is under way is stopped.
pub(crate) fn ending() -> bool {
    ENDING.load(Ordering::Relaxed)
}

/// Counts one change as under way.
pub(crate) struct Busy;

impl Busy {
    pub(crate) fn begin() -> Self {
        BUSY.send_modify(|busy| *busy += 1);
        Self
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.send_modify(|busy| *busy -= 1);
    }
}

/// Tells the window, and hears of somebody who wants it stopped.
struct Told {
    app: Arc<App>,
    stop: watch::Receiver<u64>,
    last: Mutex<(String, Option<Instant>)>,
}

impl Told {
    fn new(app: &Arc<App>) -> Self {
        let mut stop = app.change_stop.subscribe();
        stop.mark_unchanged();
        Self { app: Arc::clone(app), stop, last: Mutex::default() }
    }
}

impl Course for Told {
    fn say(&self, words: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (words.to_owned(), None);
        let progress = ChangeProgress { words: words.to_owned(), done: None, total: None };
        self.app.tell(Event::Change { progress });
    }

    fn pulled(&self, done: u64, total: u64) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.1.is_some_and(|told| told.elapsed() < OFTEN) && done < total {
            return;
        }
        last.1 = Some(Instant::now());
        let progress = ChangeProgress { words: last.0.clone(), done: Some(done), total: Some(total) };
        self.app.tell(Event::Change { progress });
    }

    fn stopped(&self) -> bool {
        ending() || self.stop.has_changed().unwrap_or(false)
    }
}

impl App {
    /// Stops the change under way; what was done is taken back, and whoever waits for it is told.
    ///
    /// # Errors
    /// None.
    pub async fn stop_change(self: &Arc<Self>, _: Nothing) -> Result<Nothing, Failure> {
        self.change_stop.send_modify(|number| *number += 1);
        Ok(Nothing {})
    }

    /// What a change of the engine that is looked at would do.
    pub(crate) async fn preview_engine(self: &Arc<Self>, fix: &Fix) -> Result<Preview, Failure> {
        let engine = match self.source()? {
            Source::Engine(engine) => engine,
            Source::Sample(_) | Source::Recording => return Ok(recorded_only()),
        };
        let fix = fix.clone();
        self.at_site(&engine, async move |site| recreate::preview(&site, &fix).await).await
    }

    /// Carries a change of an engine out, looks again, and says whether it helped.
    pub(crate) async fn apply_engine(self: &Arc<Self>, wanted: Wanted) -> Result<ChangeOutcome, Failure> {
        let Wanted { finding, fix, shown } = wanted;
        let Source::Engine(engine) = self.source()? else {
            return Err(Failure::new(FailureCode::Refused, "There is no engine here to change."));
        };
        let changes = shown.diffs.clone();
        let promise = fix.promise.clone();
        let subject = Subject { finding: Some(finding.clone()) };
        let busy = Busy::begin();
        let done = self
            .at_site(&engine, async move |site| {
                // Held until it has really ended, also when nobody waits for it any more.
                let _busy = busy;
                recreate::apply(&site, &fix, &shown, &subject, Timestamp::now()).await
            })
            .await?;
        let receipt = done.map_err(|error| failure_of(&error))?;
        let (verified, words) = self.verify(&finding, promise.as_deref()).await;
        let words = self.noted(&receipt.id, verified, format!("{words}{}", kept(&receipt))).await?;
        Ok(ChangeOutcome::of(receipt, verified, words, changes))
    }

    /// Shows what taking a change of an engine back would do.
    pub(crate) async fn preview_engine_undo(self: &Arc<Self>, receipt: Receipt) -> Result<UndoPreview, Failure> {
        let record = receipt.engine.as_deref().cloned();
        let shown = match self.engine_of_record(record.as_ref()).await {
            Ok(engine) => {
                let id = receipt.id.clone();
                self.at_site(&engine, async move |site| recreate::undo_preview(&site, &id).await).await?
            }
            Err(failure) => Ok(Preview::refused(failure.message)),
        };
        Ok(shown_undo(receipt, shown.unwrap_or_else(|error| Preview::refused(error.to_string()))))
    }

    /// Takes a change of an engine back, and looks again.
    pub(crate) async fn undo_engine(
        self: &Arc<Self>,
        receipt: Receipt,
        record: EngineRecord,
    ) -> Result<ChangeOutcome, Failure> {
        let engine = self.engine_of_record(Some(&record)).await?;
        let busy = Busy::begin();
        let id = receipt.id.clone();
        let undone = self.at_site(&engine, async move |site| {
            let _busy = busy;
            let shown = recreate::undo_preview(&site, &id).await.map(|shown| shown.diffs).unwrap_or_default();
            recreate::undo(&site, &id, Timestamp::now()).await.map(|receipt| (receipt, shown))
        });
        let undone = undone.await?;
        let (receipt, changes) = undone.map_err(|error| failure_of(&error))?;
        let (verified, words) = as_before(&engine, receipt.engine.as_deref()).await;
        let words = format!("{words}{}", receipt.left().words());
        if self.source().is_ok()
            && let Err(failure) = self.scan(ScanRequest::default()).await
        {
            self.tell(Event::Lost { failure });
        }
        Ok(ChangeOutcome::of(receipt, verified, words, changes))
    }

    /// The engine of a receipt: by its context, if that still leads there, else by its address.
    async fn engine_of_record(self: &Arc<Self>, record: Option<&EngineRecord>) -> Result<Engine, Failure> {
        let gone = || Failure::new(FailureCode::NotFound, "The receipt does not say which engine it changed.");
        let record = record.ok_or_else(gone)?;
        if let Some(context) = record.context.as_deref()
            && let Ok(Chosen::Engine(engine)) = self.engine(Some(context)).await
            && engine.target().endpoint.to_string() == record.endpoint
        {
            return Ok(engine);
        }
        self.recorded_engine(&record.endpoint, record.tls.as_deref()).await
    }

    /// Does something with an engine and the journal, on a thread that may wait for both.
    pub(crate) async fn at_site<T: Send + 'static>(
        self: &Arc<Self>,
        engine: &Engine,
        what: impl AsyncFnOnce(Site<'_>) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.at_site_heard(engine, Told::new(self), what).await
    }

    /// The same, where somebody else hears how far it is.
    pub(crate) async fn at_site_heard<T: Send + 'static>(
        self: &Arc<Self>,
        engine: &Engine,
        course: impl Course + 'static,
        what: impl AsyncFnOnce(Site<'_>) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (engine, journal, host) = (engine.clone(), self.journal()?, Arc::clone(self.host()));
        let executor = Handle::current();
        blocking(move || {
            let site = Site { engine: &engine, host: &host, journal: &journal, course: &course };
            executor.block_on(what(site))
        })
        .await
    }
}

fn recorded_only() -> Preview {
    let why = "what is shown was recorded, and there is no engine here whose container could be made anew";
    Preview::refused(why)
}

/// What is still there of the container from before, and how it is got rid of.
fn kept(receipt: &Receipt) -> String {
    let Some(old) = receipt.engine.as_ref().and_then(|record| record.old.as_ref()) else { return String::new() };
    let copies: Vec<&str> = old.copies.iter().map(|copy| copy.copy.as_str()).collect();
    let volumes = match copies.is_empty() {
        true => String::new(),
        false => format!(" The copies of its volumes: docker volume rm {}.", copies.join(" ")),
    };
    let written = old.written.as_ref();
    let written = written.map(|written| format!(" What it wrote outside of volumes is kept as {written}."));
    let images: Vec<&str> = [&old.kept].into_iter().chain(&old.written).map(String::as_str).collect();
    format!(
        "{} For the way back its image is kept. When all is well, this frees its space and ends the way back: docker image rm {}.{volumes}",
        written.unwrap_or_default(),
        images.join(" ")
    )
}

/// Looks at the container of an undone change.
pub(crate) async fn as_before(engine: &Engine, record: Option<&EngineRecord>) -> (Verified, String) {
    let Some(old) = record.and_then(|record| record.old.as_ref()) else {
        return (Verified::Verified, "Everything was taken back.".to_owned());
    };
    let looked = engine.inspect_container(&old.name).await;
    match looked {
        Ok(now) if now.image_id == old.image_id && (now.state == "running") == old.running => (
            Verified::Verified,
            format!("Looked again: {} runs the image from before, and is {} as it was.", old.name, now.state),
        ),
        Ok(now) => (
            Verified::StillPresent,
            format!("Taken back, but looked at again {} is {} and not as it was.", old.name, now.state),
        ),
        Err(error) => (Verified::CouldNotTell, format!("Taken back, but looking again failed: {error}.")),
    }
}

fn failure_of(error: &ChangeError) -> Failure {
    let code = match error {
        ChangeError::Changed { .. } | ChangeError::ChangedSince { .. } => FailureCode::Changed,
        ChangeError::Refused(_) | ChangeError::NothingToTakeBack { .. } => FailureCode::Refused,
        ChangeError::TakenBack { .. } | ChangeError::HalfDone { .. } | ChangeError::UndoFailed { .. } => {
            FailureCode::Runtime
        }
        ChangeError::Engine(error) => return engine_failure(error),
        ChangeError::Journal(_) => FailureCode::File,
    };
    let message = match error {
        ChangeError::Journal(_) => capital(&error.to_string()),
        // The others may begin with a name.
        _ => error.to_string(),
    };
    let failure = Failure::new(code, message);
    match error {
        ChangeError::Refused(refusal) => failure.detail(refusal.lines_to_type.clone()),
        ChangeError::TakenBack { receipt, printed, .. } => {
            failure.hint(format!("Receipt {receipt}.")).detail(printed.clone())
        }
        ChangeError::HalfDone { receipt, printed, .. } => {
            failure.hint(format!("Then: silidock undo {receipt} --apply")).detail(printed.clone())
        }
        _ => failure,
    }
}
