//! One container in another's place, under the same name: the new one is made beside the old one, which is stopped, put aside
//! under another name, and removed only once the new one is up. Until then everything can be brought back, also by a later run
//! of this program: what is where is told by identifiers and names that were written down before.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use silidock_diagnosis::stopped::wordings::recognise;
use silidock_engine::{Engine, EngineError};
use tokio::time::{Instant, sleep};
use ts_rs::TS;

use super::same::Likeness;
use super::{AlterFailed, Course, Record, last_words};

/// A container without a health check is up when it has run for so long without ending.
const STEADY: Duration = Duration::from_secs(3);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);
/// What a health check may take at most.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Which container takes which one's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Replacing {
    /// The name that both have in turn.
    pub name: String,
    /// Identifier of the one that has it first; none where there is none (any more).
    pub old: Option<String>,
    /// That one runs.
    pub running: bool,
    /// Identifier of the one that takes its place, once it is made.
    pub new: Option<String>,
    /// The old one's name while it is kept.
    pub aside: String,
    /// The new one's name until the old one is aside.
    pub fresh: String,
    /// The old one is gone for good.
    pub finished: bool,
}

impl Replacing {
    /// `tail` makes the two other names unlike those of every other change.
    pub(super) fn new(name: &str, old: Option<&str>, running: bool, tail: &str) -> Self {
        Self {
            name: name.to_owned(),
            old: old.map(str::to_owned),
            running,
            new: None,
            aside: format!("{name}-silidock-{tail}-before"),
            fresh: format!("{name}-silidock-{tail}-new"),
            finished: false,
        }
    }
}

/// What is made, and whether it is started.
pub(super) struct Wanted<'a> {
    pub like: &'a Likeness,
    pub platform: Option<&'a str>,
    pub start: bool,
    pub until: Until,
}

/// What is waited for once it is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// It is healthy; without a health check, it has run for a while.
    Up,
    /// It has run for a while, whatever its health check says.
    Steady,
    /// Nothing.
    Started,
}

impl Until {
    /// As much as the container itself came to before: more cannot be asked of one that is like it.
    pub(super) fn as_it_was(container: &Value) -> Self {
        let state = &container["State"];
        match (state["Status"].as_str(), state["Health"]["Status"].as_str()) {
            (Some("restarting"), _) => Self::Started,
            (_, None | Some("none" | "healthy")) => Self::Up,
            (_, Some(_)) => Self::Steady,
        }
    }
}

/// Puts a new container in the old one's place. `of` finds the replacing in the record, which is saved before each step.
pub(super) async fn replace<R: Record>(
    engine: &Engine,
    record: &mut R,
    of: fn(&mut R) -> Option<&mut Replacing>,
    wanted: Wanted<'_>,
    course: &dyn Course,
) -> Result<String, AlterFailed> {
    let Some(plan) = of(record).cloned() else { return Err(AlterFailed::Lost) };
    course.say(&format!("Making {} anew", plan.name));
    let made = engine.create_container(&plan.fresh, wanted.platform, &wanted.like.body).await?;
    for (network, settings) in &wanted.like.networks {
        engine.connect_network(network, &made.id, settings).await?;
    }
    // From here on the old one may be stopped; until then the new one is known by its fresh name.
    if let Some(replacing) = of(record) {
        replacing.new = Some(made.id.clone());
    }
    record.save()?;
    if let Some(old) = &plan.old {
        course.say(&format!("Stopping {}", plan.name));
        stop(engine, old).await?;
        go_on(course)?;
        engine.rename_container(old, &plan.aside).await?;
    }
    engine.rename_container(&made.id, &plan.name).await?;
    if wanted.start {
        course.say(&format!("Starting {}", plan.name));
        engine.start_container(&made.id).await?;
        wait(engine, &made.id, course, wanted.until).await?;
    }
    if let Some(replacing) = of(record) {
        replacing.finished = true;
    }
    record.save()?;
    if let Some(old) = &plan.old {
        engine.remove_container(old, false).await?;
    }
    Ok(made.id)
}

fn go_on(course: &dyn Course) -> Result<(), AlterFailed> {
    if course.stopped() { Err(AlterFailed::Stopped) } else { Ok(()) }
}

/// How it stands after everything that can be brought back was.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// The old one has its name again, and runs if it did.
    OldIsBack,
    /// The new one was up, and the old one is removed.
    NewStays,
    /// The old one does not exist any more, though the new one was not up.
    OldIsGone,
}

/// Brings the old container back, wherever its replacing ended.
pub(super) async fn settle(engine: &Engine, replacing: &Replacing) -> Result<Settled, AlterFailed> {
    let old = match &replacing.old {
        Some(old) => found(engine, old).await?,
        None => None,
    };
    if replacing.finished {
        if let (Some(old), Some(_)) = (&old, &replacing.new) {
            engine.remove_container(id(old), false).await?;
        }
        return Ok(Settled::NewStays);
    }
    let Some(old) = old else {
        // Nobody's place was taken yet: what was made for it goes by the name that only it has.
        if let Some(new) = found(engine, &replacing.fresh).await? {
            engine.remove_container(id(&new), true).await?;
        }
        return Ok(Settled::OldIsGone);
    };
    let mut in_the_middle = false;
    for new in [replacing.new.as_deref(), Some(replacing.fresh.as_str())].into_iter().flatten() {
        if let Some(new) = found(engine, new).await?.filter(|new| id(new) != id(&old)) {
            engine.remove_container(id(&new), true).await?;
            in_the_middle = replacing.new.is_some();
        }
    }
    // The engine goes on with a stop that was asked for, whoever asked: it is ended first, or it would end what is started now.
    if replacing.running && in_the_middle && runs(&old) {
        stop(engine, id(&old)).await?;
    }
    if name(&old) != replacing.name {
        engine.rename_container(id(&old), &replacing.name).await?;
    }
    if replacing.running {
        engine.start_container(id(&old)).await?;
    }
    Ok(Settled::OldIsBack)
}

/// Stops a container and gives it the time its own settings give it.
pub(super) async fn stop(engine: &Engine, container: &str) -> Result<(), AlterFailed> {
    let told = engine.container_json(container).await?;
    let patience = told["Config"]["StopTimeout"].as_u64().unwrap_or(10);
    Ok(engine.stop_container(container, Duration::from_secs(patience.saturating_add(60))).await?)
}

/// A container, or none where there is none.
pub(super) async fn found(engine: &Engine, container: &str) -> Result<Option<Value>, EngineError> {
    match engine.container_json(container).await {
        Ok(told) => Ok(Some(told)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn id(container: &Value) -> &str {
    container["Id"].as_str().unwrap_or_default()
}

pub(super) fn name(container: &Value) -> &str {
    container["Name"].as_str().unwrap_or_default().trim_start_matches('/')
}

/// It runs or is between two starts, so it is to run again.
pub(super) fn runs(container: &Value) -> bool {
    matches!(container["State"]["Status"].as_str(), Some("running" | "restarting"))
}

/// Waits until a container is healthy, or, without a health check, has run for a while.
pub(super) async fn up(engine: &Engine, container: &str, course: &dyn Course) -> Result<(), AlterFailed> {
    wait(engine, container, course, Until::Up).await
}

async fn wait(engine: &Engine, container: &str, course: &dyn Course, until: Until) -> Result<(), AlterFailed> {
    if until == Until::Started {
        return Ok(());
    }
    let begun = Instant::now();
    let mut waiting = false;
    loop {
        go_on(course)?;
        let told = engine.container_json(container).await?;
        let state = &told["State"];
        let health = state["Health"]["Status"].as_str().filter(|health| *health != "none" && until == Until::Up);
        let again = told["RestartCount"].as_u64().unwrap_or(0) > 0 || state["Status"] == "restarting";
        if again || state["Running"] != true {
            let printed = last_words::of(engine, &told).await;
            return Err(AlterFailed::Ended { name: name(&told).to_owned(), how: ended(state), printed });
        }
        match health {
            Some("healthy") => return Ok(()),
            Some("unhealthy") => {
                let printed = last_words::of(engine, &told).await;
                return Err(AlterFailed::Unhealthy { name: name(&told).to_owned(), printed });
            }
            Some(_) if begun.elapsed() > patience(&told["Config"]["Healthcheck"]) => {
                let after = begun.elapsed();
                let printed = last_words::of(engine, &told).await;
                return Err(AlterFailed::NeverHealthy { name: name(&told).to_owned(), after, printed });
            }
            None if begun.elapsed() > STEADY => return Ok(()),
            Some(_) if !waiting => {
                waiting = true;
                course.say(&format!("Waiting for the health check of {}", name(&told)));
            }
            Some(_) | None => {}
        }
        sleep(PAUSE).await;
    }
}

/// How it ended: its status, and the engine's words as far as they are known; the rest may quote a command line.
fn ended(state: &Value) -> String {
    if state["Running"] == true {
        return ", and its restart policy started it again".to_owned();
    }
    let told = state["Error"].as_str().and_then(recognise).map(|told| format!(": {}", told.quote));
    format!(" with status {}{}", state["ExitCode"].as_i64().unwrap_or_default(), told.unwrap_or_default())
}

/// How long a health check can take until it says either; the engine's own defaults where nothing is set.
fn patience(check: &Value) -> Duration {
    let nanoseconds = |key: &str, default: u64| match check[key].as_u64() {
        Some(0) | None => Duration::from_secs(default),
        Some(set) => Duration::from_nanos(set),
    };
    let retries = check["Retries"].as_u64().filter(|n| *n > 0).unwrap_or(3);
    let rounds = u32::try_from(retries.saturating_add(1)).unwrap_or(u32::MAX);
    let round = nanoseconds("Interval", 30) + nanoseconds("Timeout", 30);
    (nanoseconds("StartPeriod", 0) + round.saturating_mul(rounds) + Duration::from_secs(10)).min(LONGEST)
}
