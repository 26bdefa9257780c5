//! Rebuilding: from an image, a service or a container to what it is built from, the builder that does it best, the
//! build with progress and cancel, a look at what came out, and, where that is wanted, containers made anew from it.

pub mod builders;
mod check;
mod command;
mod image_store;
pub(crate) mod memory;
mod origin;
mod plan;
mod renew;
mod teller;
mod told;
mod undo;
pub mod wire;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, LazyLock},
    time::Duration,
};

use jiff::Timestamp;
use silidock_diagnosis::{
    finding::Finding,
    fix::{Fix, Step},
    schema::Schema,
    text::capital,
};
use silidock_engine::Engine;
use silidock_remedy::{
    Preview, Receipt, Refusal,
    build::{self, BuildError, BuildNews, BuildOrder},
};
use tokio::sync::watch;

use self::{
    memory::{Remembered, RememberedBuilds},
    teller::Teller,
    wire::{ApplyRebuildRequest, PlannedBuild, RebuildOutcome, RebuildPreview, RebuildRequest},
};
use crate::{
    failure::{Failure, FailureCode},
    look::Chosen,
    session::{App, Source},
    wire::{ChangeOutcome, Event, FixPreview, Nothing, ScanRequest},
};

/// Builds that are being stopped get this long before the program ends.
const SETTLE: Duration = Duration::from_secs(60);

/// How many builds this process is at.
static BUSY: LazyLock<watch::Sender<usize>> = LazyLock::new(|| watch::Sender::new(0));

/// Waits until builds that nobody waits for any more are taken back.
pub(crate) async fn settle() {
    let mut busy = BUSY.subscribe();
    let ended = async { busy.wait_for(|busy| *busy == 0).await.is_ok() };
    // What is still at it then is left to its receipt.
    let _ = tokio::time::timeout(SETTLE, ended).await;
}

struct Busy;

impl Busy {
    fn begin() -> Self {
        BUSY.send_modify(|busy| *busy += 1);
        Self
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.send_modify(|busy| *busy -= 1);
    }
}

/// Stops a build when nobody waits for it any more.
struct StopWhenLeft(watch::Sender<bool>);

impl Drop for StopWhenLeft {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

/// A rebuild that was shown.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub engine: Engine,
    pub order: BuildOrder,
    pub builds: Vec<PlannedBuild>,
    pub remember: Vec<(String, Remembered)>,
    /// Containers that are made anew afterwards.
    pub containers: Vec<renew::Planned>,
}

impl App {
    /// Works out what a rebuild would do. Builds and changes nothing.
    ///
    /// # Errors
    /// There is no engine, nothing of that name, or nobody knows what it is built from.
    pub async fn preview_rebuild(self: &Arc<Self>, request: RebuildRequest) -> Result<RebuildPreview, Failure> {
        let engine = self.engine_to_build_on(request.engine.as_deref()).await?;
        let remembered = RememberedBuilds::read(self.host().as_ref());
        let planned = self.plan_rebuild(&engine, &request, &remembered, None).await?;
        Ok(self.show_rebuild(planned))
    }

    pub(crate) fn show_rebuild(&self, planned: plan::Planned) -> RebuildPreview {
        let plan::Planned { prepared, told, refused } = planned;
        let built = prepared.builds.iter().map(|build| build.command.clone());
        let renewed = prepared.containers.iter().flat_map(|container| container.renewal.shown.commands.clone());
        let commands: Vec<Vec<String>> = built.chain(renewed).filter(|command| !command.is_empty()).collect();
        let builds = prepared.builds.clone();
        let of = |of: fn(&Preview) -> &Vec<String>| -> Vec<String> {
            prepared.containers.iter().flat_map(|container| of(&container.renewal.shown).clone()).collect()
        };
        let (restarts, review) = (of(|shown| &shown.restarts), of(|shown| &shown.review));
        let containers = prepared.containers.iter().map(|container| container.planned.clone()).collect();
        let token = refused.is_none().then(|| token(&commands));
        if let Some(token) = &token {
            self.session().rebuilds.insert(token.clone(), prepared);
        }
        let refused = refused.map(|(why, lines_to_type)| Refusal { why, lines_to_type });
        let preview = Preview { commands, restarts, review, told, refused, ..Preview::default() };
        RebuildPreview { schema: Schema, preview, builds, containers, token }
    }

    /// Shows what the build of a fix would do.
    pub(crate) async fn preview_build_fix(
        self: &Arc<Self>,
        finding: Finding,
        fix: Fix,
        request: RebuildRequest,
    ) -> Result<FixPreview, Failure> {
        let engine = self.engine_to_build_on(None).await?;
        let remembered = RememberedBuilds::read(self.host().as_ref());
        let planned = self.plan_rebuild(&engine, &request, &remembered, Some(finding.id.clone())).await?;
        let shown = self.show_rebuild(planned);
        let token = shown.token.unwrap_or_else(|| token(&shown.preview.commands));
        let known = (finding.id.clone(), fix.clone(), shown.preview.clone());
        self.session().previews.insert(token.clone(), known);
        let steps = fix.steps.iter().map(Step::title).collect();
        Ok(FixPreview { finding, fix, steps, preview: shown.preview, token })
    }

    /// Carries out the build of a fix, and says what came out. The finding may be about containers, which go on as they are.
    pub(crate) async fn apply_build_fix(self: &Arc<Self>, token: &str) -> Result<ChangeOutcome, Failure> {
        let outcome = self.apply_rebuild(ApplyRebuildRequest { token: token.to_owned() }).await?;
        let checked = outcome.builds.iter().flat_map(|build| &build.checked);
        let each: Vec<String> = checked.map(|checked| format!("{}: {}", checked.platform, checked.words)).collect();
        Ok(ChangeOutcome {
            schema: Schema,
            receipt: outcome.receipt,
            applied: outcome.applied,
            verified: outcome.verified,
            words: format!("{} {}.", outcome.words, each.join("; ")),
            changes: Vec::new(),
            ran: Vec::new(),
        })
    }

    /// An engine to build on, looked at.
    pub(crate) async fn engine_to_build_on(self: &Arc<Self>, named: Option<&str>) -> Result<Engine, Failure> {
        let engine = match self.engine(named).await? {
            Chosen::Engine(engine) => engine,
            Chosen::Sample(_) | Chosen::Recording => {
                return Err(Failure::new(FailureCode::Refused, "A sample or a recording has no engine to build on.")
                    .hint("Choose an engine of yours."));
            }
        };
        let shown = self.seen().is_ok_and(|seen| seen.inventory.images.complete)
            && matches!(self.source(), Ok(Source::Engine(shown)) if shown.target().endpoint == engine.target().endpoint);
        if !shown {
            self.scan(ScanRequest { engine: named.map(str::to_owned), ..ScanRequest::default() }).await?;
        }
        Ok(engine)
    }

    /// Builds what was shown, tells on the way how far it is, and looks at what came out. Dropping the future stops it; then,
    /// and where a build fails, every name means what it meant before.
    ///
    /// # Errors
    /// It was not previewed, a build failed, or somebody stopped it.
    pub async fn apply_rebuild(self: &Arc<Self>, request: ApplyRebuildRequest) -> Result<RebuildOutcome, Failure> {
        let prepared = self.session().rebuilds.remove(&request.token).ok_or_else(|| {
            Failure::new(FailureCode::Changed, "This rebuild was not previewed, or was already carried out.")
                .hint("Look at the preview again.")
        })?;
        self.renewals_as_shown(&prepared).await?;
        let (_left, stopped) = self.stoppable()?;
        let receipt = self.carry_out(&prepared, stopped.clone()).await?;
        if let Err(failure) = self.remember_builds(prepared.remember.clone()) {
            self.tell(Event::Lost { failure });
        }
        let built = self.looked_at(&prepared, receipt).await?;
        if prepared.containers.is_empty() {
            return Ok(built);
        }
        self.renew(&prepared, built, stopped).await
    }

    /// Stops the rebuild under way; `apply_rebuild` answers once everything is as before.
    ///
    /// # Errors
    /// None; nothing under way is no failure.
    pub async fn stop_rebuild(self: &Arc<Self>, _: Nothing) -> Result<Nothing, Failure> {
        if let Some(stop) = self.session().building.take() {
            stop.send_replace(true);
        }
        Ok(Nothing {})
    }

    /// What `stop_rebuild` stops, and whoever no longer waits for it.
    fn stoppable(&self) -> Result<(StopWhenLeft, watch::Receiver<bool>), Failure> {
        let (stop, stopped) = watch::channel(false);
        let mut session = self.session();
        if session.building.as_ref().is_some_and(|building| !building.is_closed()) {
            return Err(
                Failure::new(FailureCode::Refused, "Another rebuild is under way.").hint("Wait for it, or stop it.")
            );
        }
        session.building = Some(stop.clone());
        Ok((StopWhenLeft(stop), stopped))
    }

    async fn carry_out(
        self: &Arc<Self>,
        prepared: &Prepared,
        stopped: watch::Receiver<bool>,
    ) -> Result<Receipt, Failure> {
        let left = as_it_was(&prepared.builds);
        let (app, prepared, journal) = (Arc::clone(self), prepared.clone(), self.journal()?);
        let work = async move {
            let _busy = Busy::begin();
            let teller = Teller::new(&app, &prepared.builds);
            let tell = |news: BuildNews| teller.tell(news);
            let host = Arc::clone(app.host());
            let now = Timestamp::now();
            build::apply(&prepared.order, &prepared.engine, host.as_ref(), &journal, now, stopped, &tell).await
        };
        let ended = tokio::spawn(work).await;
        let ended =
            ended.map_err(|error| Failure::new(FailureCode::File, format!("The work ended early: {error}.")))?;
        ended.map_err(|error| {
            let untouched =
                matches!(error, BuildError::Failed { .. } | BuildError::Run { .. } | BuildError::Stopped { .. });
            let failure = failure_of(&error);
            if untouched { failure.hint(left) } else { failure }
        })
    }

    fn remember_builds(&self, builds: Vec<(String, Remembered)>) -> Result<(), Failure> {
        let mut remembered = RememberedBuilds::read(self.host().as_ref());
        builds.into_iter().try_for_each(|(reference, build)| remembered.keep(&reference, build))
    }
}

/// The rebuild that a fix means, if it is one.
pub(crate) fn request_of(fix: &Fix) -> Option<RebuildRequest> {
    let [Step::BuildImage { image, service, platforms }] = fix.steps.as_slice() else { return None };
    Some(RebuildRequest {
        subjects: vec![service.clone().unwrap_or_else(|| image.clone())],
        platforms: platforms.iter().map(ToString::to_string).collect(),
        ..RebuildRequest::default()
    })
}

/// Names what was shown; it never leaves this process, so it need not be secret.
fn token(commands: &[Vec<String>]) -> String {
    let mut hasher = DefaultHasher::new();
    commands.hash(&mut hasher);
    Timestamp::now().as_nanosecond().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn failure_of(error: &BuildError) -> Failure {
    let code = match error {
        BuildError::Failed { .. }
        | BuildError::Run { .. }
        | BuildError::TakenBack { .. }
        | BuildError::HalfDone { .. } => FailureCode::Runtime,
        BuildError::Context { .. } => FailureCode::File,
        BuildError::Stopped { .. } => FailureCode::Stopped,
        BuildError::Engine { .. } => FailureCode::Engine,
        BuildError::NothingToTakeBack { .. } => FailureCode::Refused,
        BuildError::NotAsShown { .. } | BuildError::ChangedSince { .. } | BuildError::ContainerChanged { .. } => {
            FailureCode::Changed
        }
        BuildError::Journal(_) => FailureCode::File,
    };
    let message = error.to_string();
    let message = match error {
        BuildError::Failed { .. }
        | BuildError::Run { .. }
        | BuildError::Context { .. }
        | BuildError::Stopped { .. }
        | BuildError::Engine { .. }
        | BuildError::Journal(_) => capital(&message),
        // These may begin with a name.
        BuildError::TakenBack { .. }
        | BuildError::HalfDone { .. }
        | BuildError::NothingToTakeBack { .. }
        | BuildError::NotAsShown { .. }
        | BuildError::ChangedSince { .. }
        | BuildError::ContainerChanged { .. } => message,
    };
    let failure = Failure::new(code, format!("{}.", message.trim_end_matches('.')));
    match error {
        BuildError::Failed { log, .. } => failure.detail(log.clone()),
        BuildError::HalfDone { receipt, printed, .. } => {
            failure.hint(format!("Then: silidock undo {receipt} --apply")).detail(printed.clone())
        }
        BuildError::TakenBack { receipt, printed, .. } => {
            failure.hint(format!("Receipt {receipt}.")).detail(printed.clone())
        }
        _ => failure,
    }
}

/// What somebody has after a build that came to nothing.
fn as_it_was(builds: &[PlannedBuild]) -> &'static str {
    if builds.iter().any(|build| build.before.is_some()) {
        "The image from before still has its name, and no container was touched."
    } else {
        "Nothing on the engine was changed, and no container was touched."
    }
}
