//! Benchmarks: the same work in containers of every way this engine can run programs, in turns, by the clock of the
//! probe in them. What comes out is samples and what was noticed; medians, ratios and their meaning are made of it
//! elsewhere. Nothing is pulled unless the plan says so, and nothing remains when it ends, however it ends.

mod build;
mod builder_output;
mod course;
mod lanes;
mod own;
mod qemu;
mod sampling;
mod site;
mod station;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use silidock_diagnosis::bench::{Limits, Measured, Mode};
use silidock_engine::Engine;
use tokio::sync::watch;

use crate::error::MeasureError;
use crate::installation::Installation;
use crate::options::Probes;

/// What is to be measured, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How thorough.
    pub mode: Mode,
    /// The order of samples follows from it.
    pub seed: u32,
    /// Ids of workloads, in the order to be shown; see [`silidock_diagnosis::bench::workload::WORKLOADS`].
    pub workloads: Vec<String>,
    /// Names of lanes; all that there are without. The native one is always among them.
    pub lanes: Option<Vec<String>>,
    /// What every container may use.
    pub limits: Limits,
    /// How long one sample is to take.
    pub sample: Duration,
    /// After so long no more samples of the workloads are taken.
    pub budget: Duration,
    /// A folder of the engine's machine that everybody may write to, for `files-bind`.
    pub bind: Option<PathBuf>,
    /// Where a QEMU may be taken from that is not registered.
    pub qemu: Qemu,
    /// An image and a command of the user's.
    pub own: Option<Own>,
    /// A Dockerfile of the user's.
    pub build: Option<OwnBuild>,
    /// What is carried in.
    pub probes: Probes,
}

impl Plan {
    /// The usual one for an engine with so many processors.
    #[must_use]
    pub fn new(mode: Mode, seed: u32, cpus: u32) -> Self {
        let quick = mode == Mode::Quick;
        let workloads = silidock_diagnosis::bench::workload::WORKLOADS.iter();
        let workloads = workloads.filter(|offered| offered.quick || !quick).map(|offered| offered.id.to_owned());
        Self {
            mode,
            seed,
            workloads: workloads.collect(),
            lanes: None,
            limits: Limits { cpus: f64::from(cpus.max(1)), memory: 512 << 20 },
            sample: Duration::from_millis(if quick { 60 } else { 150 }),
            budget: Duration::from_secs(if quick { 40 } else { 300 }),
            bind: None,
            qemu: Qemu::default(),
            own: None,
            build: None,
            probes: Probes::embedded(),
        }
    }
}

/// Where a static QEMU can be had that runs programs by itself, in a native container. Without an image only the
/// usual paths of the engine's machine are tried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Qemu {
    /// An image that has one: `tonistiigi/binfmt`.
    pub image: Option<String>,
    /// The image may be pulled if it is not there.
    pub pull: bool,
}

/// An image and a command of the user's, run on each platform of the image that is on the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The image's reference.
    pub image: String,
    /// What its entry point gets; the image's own words where there are none.
    pub command: Vec<String>,
    /// Platforms: `linux/arm64`; all that are there without.
    pub platforms: Option<Vec<String>>,
    /// Whether it may use the network.
    pub network: bool,
    /// How long one run may take.
    pub limit: Duration,
}

/// A Dockerfile of the user's, built for each platform without cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnBuild {
    /// The folder that is sent to the builder.
    pub context: PathBuf,
    /// The Dockerfile; the context's own without.
    pub file: Option<PathBuf>,
    /// How many times for each platform.
    pub rounds: u32,
    /// How long one build may take.
    pub limit: Duration,
    /// What builds.
    pub tool: BuildTool,
}

/// The Docker command. Building is its trade; it is run as it is, without a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildTool {
    /// The program.
    pub program: PathBuf,
    /// Variables it gets besides those of this process: `DOCKER_HOST`, `PATH`.
    pub environment: Vec<(String, String)>,
}

/// Where a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What happens.
    pub stage: Stage,
    /// Id of the workload.
    pub workload: Option<String>,
    /// Name of the lane.
    pub lane: Option<String>,
    /// Samples taken.
    pub done: usize,
    /// Samples that are the least there will be, if there is time.
    pub total: usize,
    /// About how long it will still take; unknown at first.
    pub left: Option<Duration>,
}

/// What happens in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Containers are started and say what runs them.
    Preparing,
    /// Each workload is run for the first time in each lane.
    WarmingUp,
    /// Samples are taken.
    Measuring,
    /// The user's image runs.
    Own,
    /// The user's Dockerfile is built.
    Building,
    /// Everything is removed.
    CleaningUp,
}

/// Who is told where a run is.
pub(crate) type Told = Arc<dyn Fn(Progress) + Send + Sync>;

/// Measures. When the returned future is dropped everything is removed all the same; [`Installation::settled`] waits
/// for that. When `stop` becomes true, the run ends early with what there is until then.
///
/// # Errors
/// The engine's native lane could not be had. Every other trouble is told in what comes out.
pub async fn bench(
    engine: &Engine,
    installation: &Installation,
    plan: Plan,
    stop: watch::Receiver<bool>,
    progress: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<Measured, MeasureError> {
    // As for `identify`: the work is a task of its own, so that it goes on cleaning up when this future is dropped.
    let (_here, present) = watch::channel(());
    let busy = installation.busy();
    let site = site::Site::new(engine.clone(), installation.clone(), plan, course::Course::new(present, stop));
    let told: Told = Arc::new(progress);
    let work = async move {
        let measured = site.run(told).await;
        drop(busy);
        measured
    };
    tokio::spawn(work).await.unwrap_or(Err(MeasureError::Stopped))
}
