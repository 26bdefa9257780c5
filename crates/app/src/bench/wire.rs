//! What the window asks about benchmarks, and what it is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{
    bench::{
        Bench, Mode, WorkloadKind,
        compare::{Comparison, RosettaCost},
        meaning::{Meaning, NativeNeed},
    },
    fact::Fact,
    fix::Fix,
    platform::Platform,
    schema::Schema,
};
use silidock_report::chart::Chart;
use ts_rs::TS;

use crate::wire::ReportFormat;

/// What to measure.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct BenchRequest {
    /// As in [`crate::wire::ScanRequest`].
    pub engine: Option<String>,
    /// Names of lanes; none means every lane that can be had.
    pub lanes: Vec<String>,
    /// Ids of workloads; none means those of the mode.
    pub workloads: Vec<String>,
    /// How thorough.
    pub mode: Mode,
    /// The user's own image, instead of the workloads unless those are named too.
    pub own: Option<OwnRequest>,
    /// The user's own Dockerfile, likewise.
    pub build: Option<BuildRequest>,
    /// A QEMU beside an emulator that is set: out of an image, run in native containers.
    pub qemu: Option<QemuRequest>,
    /// Repeats the order of an earlier run.
    pub seed: Option<u32>,
}

/// An image with a static QEMU, such as `tonistiigi/binfmt`; it is never started, the program is copied out of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct QemuRequest {
    /// The image.
    pub image: String,
    /// Whether it may be pulled where it is not on the engine. Only a person says so.
    pub pull: bool,
}

/// An image and a command to time on each platform.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct OwnRequest {
    /// The image, which must be on the engine.
    pub image: String,
    /// Platforms; none means each that is on the engine.
    pub platforms: Vec<Platform>,
    /// The command and its arguments; none means the image's own.
    pub command: Vec<String>,
}

/// A Dockerfile to build on each platform, without cache.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct BuildRequest {
    /// The folder it is built from, or the Dockerfile itself.
    pub path: String,
    /// Platforms; none means the engine's own and the foreign one that is emulated.
    pub platforms: Vec<Platform>,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BenchProgress {
    /// What it is doing.
    pub phase: BenchPhase,
    /// Title of the workload at work.
    pub workload: Option<String>,
    /// Name of the lane at work.
    pub lane: Option<String>,
    /// Share that is done, 0 to 1; never falls.
    pub done: f64,
    /// Seconds that are probably left; none while that cannot be told.
    pub seconds_left: Option<f64>,
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum BenchPhase {
    /// Starting containers and finding out who runs them.
    Preparing,
    /// Finding out how much work makes a sample.
    Calibrating,
    /// Taking samples.
    Measuring,
    /// Removing what was started.
    CleaningUp,
}

/// What can be measured on an engine. Nothing is started to find out.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BenchOffer {
    /// Lanes, the native one first; a gap until the emulator was proven.
    pub lanes: Fact<Vec<OfferedLane>>,
    /// The probe's workloads.
    pub workloads: Vec<OfferedWorkload>,
    /// Images on this engine that hold more than one platform, or a foreign one: those worth comparing.
    pub images: Vec<OfferedImage>,
    /// Why nothing can be measured at all: a sample or a recording has no engine.
    pub refused: Option<String>,
    /// A run is under way.
    pub running: Option<BenchProgress>,
}

/// A way to run programs.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OfferedLane {
    /// Its name.
    pub name: String,
    /// "QEMU 7.2.22, linux/amd64".
    pub words: String,
    /// Platform of its programs.
    pub platform: Platform,
    /// Why it cannot be had now.
    pub unavailable: Option<String>,
    /// How it could be had: each says what restarts. Measure afterwards, then take it back.
    pub fixes: Vec<Fix>,
}

/// A workload of the probe.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OfferedWorkload {
    /// Its id.
    pub id: String,
    /// What a person reads.
    pub title: String,
    /// What it does.
    pub what: String,
    /// What it is mostly about.
    pub kind: WorkloadKind,
    /// Part of the quick run.
    pub quick: bool,
}

/// An image whose platforms can be compared.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct OfferedImage {
    /// Its name.
    pub name: String,
    /// Its platforms on this engine.
    pub platforms: Vec<Platform>,
}

/// A run with everything that is said of it.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BenchView {
    /// The run.
    pub run: Bench,
    /// What each emulator makes of programs, in a sentence.
    pub headline: String,
    /// Samples, time, mode, seed.
    pub effort: String,
    /// What measuring itself costs.
    pub harness: Option<String>,
    /// Every result in words, in the order of the run's results.
    pub rows: Vec<BenchRowWords>,
    /// The chart; none where nothing could be compared.
    pub chart: Option<Chart>,
    /// What it means for the containers that are shown; a gap says why it means nothing for them.
    pub meaning: Fact<Meaning>,
    /// The emulated containers it means something for.
    pub needs: Vec<NativeNeed>,
    /// What Rosetta costs native programs, where a run with the other setting is kept.
    pub rosetta: Option<RosettaCost>,
}

/// One result in words.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct BenchRowWords {
    /// Title of the workload.
    pub title: String,
    /// "1.23 M blocks/s (1.20 M to 1.25 M)".
    pub speed: String,
    /// "21 % (19 % to 23 %)"; none in the native lane and where nothing could be compared.
    pub ratio: Option<String>,
}

/// Runs that are kept.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct BenchHistory {
    /// Always "silidock/1".
    pub schema: Schema,
    /// The newest first.
    pub runs: Vec<BenchEntry>,
    /// Files that are no run (any more).
    pub damaged: Vec<DamagedBench>,
}

/// A run in a line.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct BenchEntry {
    /// Its name.
    pub id: String,
    /// When it began, RFC 3339 in UTC.
    pub taken_at: String,
    /// Part of the sample.
    pub sample: bool,
    /// Its one sentence.
    pub headline: String,
    /// Runtime and version of the engine.
    pub engine: String,
    /// Address of the engine.
    pub endpoint: String,
    /// How thorough.
    pub mode: Mode,
    /// It was ended before its time.
    pub cut_short: bool,
    /// How many warnings it has.
    pub warnings: usize,
}

/// A file that is no run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct DamagedBench {
    /// Its name.
    pub id: String,
    /// What is wrong.
    pub why: String,
}

/// Which run.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct BenchRunRequest {
    /// Its name, or a beginning of it that only one has; `latest` is the newest.
    pub id: String,
}

/// Which run, as what.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct BenchReportRequest {
    /// As in [`BenchRunRequest`].
    pub id: String,
    /// Its form; as a table with every sample in a line of its own.
    pub format: ReportFormat,
    /// Replace host names, user names and addresses.
    pub redact: bool,
}

/// Which two runs.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct BenchCompareRequest {
    /// The one compared with.
    pub before: String,
    /// The one compared.
    pub after: String,
}

/// Two runs side by side.
pub type BenchComparison = Comparison;
