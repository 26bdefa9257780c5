//! Benchmarks: what a run measured, and the document that is made of it.
//!
//! [`Measured`] is what came out of the containers; [`judge::judge`] makes a [`Bench`] of it: medians, intervals, ratios
//! to native, warnings. Deliberately not here: starting anything, clocks (times are passed in), where runs are kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    finding::Evidence,
    fix::Fix,
    platform::Platform,
    schema::Schema,
    statistics::{Drift, Estimate},
};

pub mod compare;
pub mod example;
pub mod judge;
pub mod meaning;
pub mod switch;
pub mod words;
pub mod workload;

/// The lane that ratios are to: the engine's own platform, without an emulator.
pub const NATIVE: &str = "native";

/// One run, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Bench {
    /// Always "silidock/1".
    pub schema: Schema,
    /// Name of the run, unique among those kept: `2026-11-20T20-15-07Z-3f2a`.
    pub id: String,
    /// When it began, RFC 3339 in UTC.
    pub taken_at: String,
    /// How long it took.
    pub seconds: f64,
    /// Version of Silidock that ran it.
    pub silidock: String,
    /// Not from a real engine of the reader's: part of the sample.
    pub sample: bool,
    /// Host names, user names and addresses were replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub redacted: bool,
    /// How thorough.
    pub mode: Mode,
    /// What the order of the lanes and the draws of the intervals came from.
    pub seed: u32,
    /// Nobody let it end: what there was until then.
    pub cut_short: bool,
    /// Where.
    pub machine: Machine,
    /// What every container was limited to.
    pub limits: Limits,
    /// The user's own image or Dockerfile, where one was measured.
    pub own: Option<OwnWork>,
    /// What was measured, in the order shown.
    pub workloads: Vec<Workload>,
    /// Who ran it.
    pub lanes: Vec<Lane>,
    /// Who could not, and why.
    pub unavailable: Vec<UnavailableLane>,
    /// One for each workload and lane.
    pub results: Vec<Outcome>,
    /// All workloads of a lane in one number.
    pub overall: Vec<Overall>,
    /// How busy the machines were.
    pub conditions: Vec<Conditions>,
    /// What speaks against the numbers.
    pub warnings: Vec<Warning>,
}

/// How thorough a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchMode")]
pub enum Mode {
    /// At least ten samples each.
    #[default]
    Normal,
    /// At least five.
    Quick,
}

impl Mode {
    /// Fewest samples of a workload in a lane.
    pub fn fewest_samples(self) -> usize {
        match self {
            Self::Normal => 10,
            Self::Quick => 5,
        }
    }
    /// Interval, half, as a share of the median, at which no more samples are needed.
    pub fn tight(self) -> f64 {
        match self {
            Self::Normal => 0.02,
            Self::Quick => 0.05,
        }
    }
    /// Most samples, however wide the interval stays.
    pub fn most_samples(self) -> usize {
        match self {
            Self::Normal => 30,
            Self::Quick => 8,
        }
    }
}

/// Where a run was made: what must be the same for two runs to be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchMachine")]
pub struct Machine {
    /// Address of the engine.
    pub endpoint: String,
    /// Its runtime: "Docker Desktop".
    pub runtime: String,
    /// Its version.
    pub version: String,
    /// Its platform.
    pub platform: Platform,
    /// Its kernel.
    pub kernel: Option<String>,
    /// The processor as its native programs see it, where it has a name.
    pub cpu: Option<String>,
    /// Processors.
    pub cpus: Option<u32>,
    /// Memory in bytes.
    #[ts(type = "number | null")]
    pub memory: Option<u64>,
    /// When it was started, in its own words; another start may have brought another emulator.
    pub started: Option<String>,
    /// What ran foreign programs by itself while this was measured, by platform.
    pub emulators: Vec<PlatformEmulator>,
    /// System of the machine Silidock ran on: "macos 26.1". None where the engine is not on it.
    pub host_system: Option<String>,
    /// Its processor.
    pub host_cpu: Option<String>,
}

/// What the engine runs the programs of a platform with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct PlatformEmulator {
    /// The platform.
    pub platform: Platform,
    /// `qemu`, `rosetta`, another name as found, or `none`.
    pub emulator: String,
    /// Its version.
    pub version: Option<String>,
}

/// What a container of a run may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchLimits")]
pub struct Limits {
    /// Processors.
    pub cpus: f64,
    /// Memory in bytes.
    #[ts(type = "number")]
    pub memory: u64,
}

/// The user's own work. Arguments are not kept: they may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct OwnWork {
    /// Id of its workload: `own` or `build`.
    pub workload: String,
    /// The image as it was named; of a build, the name of its folder.
    pub image: String,
    /// The Dockerfile, where a build was measured.
    pub build: Option<String>,
    /// First word of the command; none where the image's own was run.
    pub program: Option<String>,
    /// SHA-256 of everything that decides what is done, so that two runs of the same can be told.
    pub digest: String,
}

/// Something that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchWorkload")]
pub struct Workload {
    /// Stable id: `integer`, `files-volume`; `own` and `build` for the user's own.
    pub id: String,
    /// What a person reads.
    pub title: String,
    /// What it does, in a sentence.
    pub what: String,
    /// What it is mostly about.
    pub kind: WorkloadKind,
    /// What its samples are in.
    pub unit: Unit,
    /// Counts in the geometric mean.
    pub counts: bool,
}

/// What a workload is mostly about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchWorkloadKind")]
pub enum WorkloadKind {
    /// Instructions.
    Processor,
    /// Memory and what threads share.
    Memory,
    /// The kernel: calls and processes.
    Kernel,
    /// Files.
    Files,
    /// Connections.
    Network,
    /// The user's own image or Dockerfile.
    Own,
    /// The measurement itself: an empty workload.
    Harness,
}

/// What samples are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(rename = "BenchUnit")]
pub enum Unit {
    /// Blocks of work.
    #[serde(rename = "blocks/s")]
    BlocksPerSecond,
    /// Millions of bytes.
    #[serde(rename = "MB/s")]
    MegabytesPerSecond,
    /// Operations.
    #[serde(rename = "ops/s")]
    OperationsPerSecond,
    /// Time of one operation.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Time of all of it.
    #[serde(rename = "s")]
    Seconds,
}

impl Unit {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::BlocksPerSecond => "blocks/s",
            Self::MegabytesPerSecond => "MB/s",
            Self::OperationsPerSecond => "ops/s",
            Self::Nanoseconds => "ns",
            Self::Seconds => "s",
        }
    }
    /// A larger number is a slower machine.
    pub fn is_time(self) -> bool {
        matches!(self, Self::Nanoseconds | Self::Seconds)
    }
}

/// One way to run programs, named by what was found in that very container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchLane")]
pub struct Lane {
    /// Unique in the run: `native`, `qemu`, `rosetta`, another emulator's name; with the platform where two have the same.
    pub name: String,
    /// Platform of its programs.
    pub platform: Platform,
    /// `qemu`, `rosetta` ...; none in the native lane.
    pub emulator: Option<String>,
    /// Its version, where it can be read.
    pub version: Option<String>,
    /// How its programs come to be run that way.
    pub way: LaneWay,
    /// Programs that its programs start run the same way. Where not, workloads that start some are left out.
    pub children: bool,
    /// What said so.
    pub evidence: Vec<Evidence>,
}

/// How the programs of a lane come to be run by its emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchLaneWay")]
pub enum LaneWay {
    /// The engine's own platform.
    Native,
    /// The engine does so by itself.
    Registered,
    /// A setting of the container asks Docker Desktop for QEMU.
    ForcedQemu,
    /// A native container starts the emulator with the program as its argument.
    Direct,
}

/// A lane that could not be had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchUnavailableLane")]
pub struct UnavailableLane {
    /// As it would be named.
    pub name: String,
    /// Platform of its programs.
    pub platform: Platform,
    /// Why.
    pub why: String,
    /// How to get it: each says what restarts. Measure again afterwards, and take it back.
    pub fixes: Vec<Fix>,
}

/// One workload in one lane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchOutcome")]
pub struct Outcome {
    /// Id of the workload.
    pub workload: String,
    /// Name of the lane.
    pub lane: String,
    /// As they were taken, none left out.
    pub samples: Vec<f64>,
    /// Their median.
    pub median: f64,
    /// Lower end of its 95 % interval; none with fewer than five samples.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// What they are in.
    pub unit: Unit,
    /// Speed as a share of the native lane's: 0.25 is a quarter of it, more than 1 is faster. None in the native lane,
    /// and where that has no result.
    pub ratio: Option<Estimate>,
    /// Time until the program itself began, in seconds, where that is told apart. Not in the samples.
    pub start_up: Option<Estimate>,
    /// Time of each step of a build, in seconds.
    pub steps: Vec<StepOutcome>,
    /// Of the work done, the same in every lane.
    pub checksum: Option<String>,
    /// Blocks of work of one sample, calibrated for this lane.
    #[ts(type = "number | null")]
    pub blocks: Option<u64>,
    /// Positions of samples that lie far from the others. They count all the same.
    pub outliers: Vec<usize>,
    /// Whether it rose or fell while it was measured.
    pub drift: Option<Drift>,
}

/// One step of a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchStepOutcome")]
pub struct StepOutcome {
    /// As the builder names it: `RUN make`.
    pub name: String,
    /// Time of each build, in seconds.
    pub samples: Vec<f64>,
    /// Their median.
    pub time: Estimate,
    /// Speed as a share of the native lane's same step.
    pub ratio: Option<Estimate>,
}

/// All workloads of a lane in one number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchOverall")]
pub struct Overall {
    /// The lane.
    pub lane: String,
    /// Geometric mean of its ratios, each workload alike.
    pub ratio: Estimate,
    /// Ids of the workloads in it.
    pub workloads: Vec<String>,
    /// What it does not say.
    pub limits: String,
}

/// How busy the machines were at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchConditions")]
pub struct Conditions {
    /// Which moment.
    pub moment: Moment,
    /// The machine Silidock runs on; none where the engine is not on it, or it cannot be read.
    pub host: Option<Busy>,
    /// The engine's machine, as a container of it sees it.
    pub engine: Option<Busy>,
}

/// When conditions were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchMoment")]
pub enum Moment {
    /// Before the first sample.
    Before,
    /// After the last one; the load is then the run's own too.
    After,
}

/// How busy one machine is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchBusy")]
pub struct Busy {
    /// Programs that ran or waited, over the last minute.
    pub load: Option<f64>,
    /// Processors.
    pub cpus: Option<u32>,
    /// Memory in bytes.
    #[ts(type = "number | null")]
    pub memory: Option<u64>,
    /// Of that, what programs can still have.
    #[ts(type = "number | null")]
    pub available: Option<u64>,
    /// Processor time that others took from this machine, as a share of all since the moment before.
    pub stolen: Option<f64>,
}

/// Something that speaks against a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchWarning")]
pub struct Warning {
    /// Of which kind.
    pub kind: WarningKind,
    /// Id of the workload it is about, if it is about one.
    pub workload: Option<String>,
    /// Name of the lane it is about, if it is about one.
    pub lane: Option<String>,
    /// In a sentence.
    pub text: String,
}

impl Warning {
    /// About the whole run.
    pub fn new(kind: WarningKind, text: impl Into<String>) -> Self {
        Self { kind, workload: None, lane: None, text: text.into() }
    }
    /// About one workload in one lane.
    #[must_use]
    pub fn about(mut self, workload: impl Into<String>, lane: impl Into<String>) -> Self {
        self.workload = Some(workload.into());
        self.lane = Some(lane.into());
        self
    }
}

/// Kinds of warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchWarningKind")]
pub enum WarningKind {
    /// Two lanes did not do the same work: the numbers are not compared.
    Checksum,
    /// The machine was busy with something else.
    Load,
    /// Memory was short.
    Memory,
    /// Too few processors for what is measured.
    Processors,
    /// It became slower or faster while it was measured, as a hot machine does.
    Drift,
    /// The interval is wide.
    Wide,
    /// Samples that lie far from the others.
    Outliers,
    /// There was no time for all samples.
    Time,
    /// A workload could not be run in a lane.
    Missing,
    /// Something could not be removed afterwards.
    Left,
}

/// What came out of the containers, before anything is made of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// Who ran.
    pub lanes: Vec<Lane>,
    /// Who could not.
    pub unavailable: Vec<UnavailableLane>,
    /// What was measured, in the order to be shown.
    pub workloads: Vec<Workload>,
    /// One for each workload and lane that gave a sample.
    pub series: Vec<Series>,
    /// How busy the engine's machine was; the host's is filled in by who can read it.
    pub conditions: Vec<Conditions>,
    /// What was noticed on the way: no time, a workload that failed, something left behind.
    pub warnings: Vec<Warning>,
    /// It was ended before its time.
    pub cut_short: bool,
}

/// The samples of one workload in one lane, in the order they were taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Id of the workload.
    pub workload: String,
    /// Name of the lane.
    pub lane: String,
    /// In the workload's unit.
    pub samples: Vec<f64>,
    /// Time until the program itself began, one for each sample, in seconds; empty where that is not told apart.
    pub start_up: Vec<f64>,
    /// Steps of a build, in order, each with one time per sample, in seconds.
    pub steps: Vec<StepSeries>,
    /// Of the work done.
    pub checksum: Option<String>,
    /// Blocks of one sample.
    pub blocks: Option<u64>,
}

impl Series {
    /// Samples without anything else.
    pub fn new(workload: impl Into<String>, lane: impl Into<String>, samples: Vec<f64>) -> Self {
        let (workload, lane) = (workload.into(), lane.into());
        Self { workload, lane, samples, start_up: Vec::new(), steps: Vec::new(), checksum: None, blocks: None }
    }
}

/// The times of one step of a build.
#[derive(Debug, Clone, PartialEq)]
pub struct StepSeries {
    /// As the builder names it.
    pub name: String,
    /// In seconds.
    pub samples: Vec<f64>,
}
