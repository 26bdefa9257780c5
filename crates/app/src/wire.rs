//! The one table of commands between the window and this crate, and the types that cross it.
//!
//! Both ends are made from [`command_table`]: the shell's handlers and the TypeScript declarations in
//! `ui/src/host/generated.ts`. A command that is not in the table does not exist.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{
    fact::Gap,
    finding::{Finding, Severity},
    schema::Schema,
    stopped::Explanation,
};
use silidock_remedy::Preview;
use silidock_report::Scan;
pub use silidock_report::WayOutDocument;
pub use silidock_report::scan::Catalogue;
pub use silidock_report::targets::EmulatorTarget;
use ts_rs::TS;

mod changes;
mod registry;

pub use changes::*;
pub use registry::*;

pub use crate::bench::wire::*;
pub use crate::compose::{OpenedDocument, OpenedRequest};
pub use crate::deploy::{Deploys, DeploysDocument, DeploysRequest, TargetsDocument, TargetsRequest};
use crate::failure::Failure;
pub use crate::inside::wire::*;
pub use crate::rebuild::builders::{BuildersDocument, BuildersRequest, ProposalToken};
pub use crate::rebuild::wire::*;
pub use crate::targets_file::{TargetsChange, TargetsShown, TargetsToken};

/// Calls `$callback!` with every command: `name(Request) -> Response, "what it does";`.
#[macro_export]
macro_rules! command_table {
    ($callback:path) => {
        $callback! {
            scan(ScanRequest) -> ScanView, "Looks at an engine, or at the sample; parts arrive as events before the answer.";
            all_engines(Nothing) -> AllEngines, "Looks at every engine of this machine; one that fails hides no other.";
            engines(Nothing) -> Engines, "Lists the engines of this machine without connecting to any.";
            preview_fix(FixRequest) -> FixPreview, "Shows what a fix would change.";
            apply_fix(ApplyRequest) -> ChangeOutcome, "Carries out a fix that was previewed, looks again, and says whether it helped.";
            preview_all_safe(Nothing) -> AllSafePreview, "Shows what every fix that is safe would change.";
            apply_all_safe(AllSafeRequest) -> AllSafeOutcome, "Carries out the safe fixes that were previewed, one after the other; the first that fails ends it.";
            fix_script(ScriptRequest) -> ScriptDocument, "Writes a fix, or all safe ones, as a shell script to be run by hand.";
            stop_change(Nothing) -> Nothing, "Stops the change of an engine that is under way; what was done is taken back.";
            emulator(EmulatorRequest) -> EmulatorDocument, "Proves which emulator runs foreign programs, by throw-away containers, and reads what is set.";
            wayout(Nothing) -> WayOutDocument, "Lists everything of what the window shows that needs translation, and the way out of each.";
            registry(RegistryRequest) -> RegistryDocument, "Asks registries for the platforms of references, and for newer tags.";
            ask_registry(AskRegistryRequest) -> RegistryDocument, "Asks the registries of images that were seen, and judges again; the new view arrives as an event.";
            inside(InsideRequest) -> InsideDocument, "Looks inside an image, a container or an archive; tells how far it is by events.";
            inside_images(InsideImagesRequest) -> ScanView, "Looks inside the images of the engine that is shown, and judges again.";
            stop_inside(Nothing) -> Nothing, "Stops every look inside that is under way, and removes what was started for it.";
            builders(BuildersRequest) -> BuildersDocument, "Lists the builders of buildx, and who would build for which platform; where none can, what makes one.";
            switch_image_store(ProposalToken) -> ChangeOutcome, "Switches on containerd's image store as it was proposed, and asks the engine again.";
            create_builder(ProposalToken) -> ChangeOutcome, "Makes the builder that was proposed, and looks again.";
            targets(TargetsRequest) -> TargetsDocument, "Says where what is built in a folder will run, and remembers it.";
            deploys(DeploysRequest) -> DeploysDocument, "Says where an image will run that is built here.";
            show_targets(TargetsChange) -> TargetsShown, "Shows what saying in a folder's own file where its builds will run would change.";
            set_targets(TargetsToken) -> ChangeOutcome, "Writes targets that were shown, and looks again.";
            preview_rebuild(RebuildRequest) -> RebuildPreview, "Shows what building an image or a service again would do: source, builder, platforms, command.";
            apply_rebuild(ApplyRebuildRequest) -> RebuildOutcome, "Builds what was previewed, keeps the image from before, and looks at what came out; progress arrives as events.";
            stop_rebuild(Nothing) -> Nothing, "Stops the rebuild under way; `apply_rebuild` answers once everything is as before.";
            opened(OpenedRequest) -> OpenedDocument, "Lists Compose files and folders that were opened, and forgets some of them.";
            show_pin(PinRequest) -> PinShown, "Shows what pinning Compose services, or no longer, would change; asks Compose whether it would take that.";
            set_pin(PinToken) -> ChangeOutcome, "Carries out a pin that was shown, and looks again.";
            history(Nothing) -> History, "Lists every change that was made.";
            preview_undo(ReceiptRequest) -> UndoPreview, "Shows what undoing a change would change.";
            apply_undo(ReceiptRequest) -> ChangeOutcome, "Undoes a change, and looks again.";
            explain(ExplainRequest) -> ExplanationDocument, "Says why a container stopped or will not start; reads only.";
            explain_log(ExplainLogRequest) -> ExplanationDocument, "Says what a pasted run or build log means.";
            render_report(ReportRequest) -> RenderedReport, "Makes a report of what the window shows.";
            checks(Nothing) -> Catalogue, "Lists the checks.";
            bench_offer(Nothing) -> BenchOffer, "What can be measured on the engine that is shown; starts nothing.";
            bench(BenchRequest) -> BenchView, "Measures what emulation costs, in throw-away containers; progress arrives as events.";
            bench_cancel(Nothing) -> Nothing, "Ends the run under way; `bench` answers once everything it started is removed.";
            bench_history(Nothing) -> BenchHistory, "Lists the runs that are kept.";
            bench_run(BenchRunRequest) -> BenchView, "Shows a run that is kept.";
            bench_compare(BenchCompareRequest) -> BenchComparison, "Compares two runs that are kept.";
            bench_report(BenchReportRequest) -> RenderedReport, "Makes a report of a run that is kept.";
            bench_delete(BenchRunRequest) -> BenchHistory, "Forgets a run.";
        }
    };
}

/// A request without content.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct Nothing {}

/// Which engine to look at.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScanRequest {
    /// A context, a runtime's name or an address; none means the one last looked at, or the one Docker would use.
    #[serde(default)]
    pub engine: Option<String>,
    /// Look at the embedded sample instead.
    #[serde(default)]
    pub sample: bool,
    /// Ask the registries of everything that is seen, too.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub ask_registry: bool,
    /// Compose files, or folders with one, to judge too, also where nothing of them runs: each list is one project. They
    /// are looked at from then on.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<Vec<String>>>")]
    pub compose: Vec<Vec<String>>,
}

/// Compose services to pin, or no longer.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PinRequest {
    /// The Compose file.
    pub file: String,
    /// The services; all are changed, or none.
    pub services: Vec<String>,
    /// To what; none takes the pin out.
    pub platform: Option<String>,
    /// Leave the file alone and write beside it.
    #[serde(default)]
    pub in_override: bool,
}

/// What pinning would change.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PinShown {
    /// As a button says it.
    pub title: String,
    /// What it leaves as it is.
    pub summary: String,
    /// What changes, or why nothing can.
    pub preview: Preview,
    /// Names exactly this for [`PinToken`].
    pub token: String,
}

/// A pin that was shown.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PinToken {
    /// From [`PinShown`].
    pub token: String,
}

/// What the window shows, complete or on the way.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ScanView {
    /// Counts up with every look; a view with a lower number is old.
    #[ts(type = "number")]
    pub generation: u64,
    /// The document so far.
    pub scan: Scan,
    /// What is still being read.
    pub pending: Vec<Part>,
    /// Why the sample is shown although nobody asked for it: no engine was found.
    pub fallback: Option<Failure>,
}

/// Parts of a scan that arrive later than the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// Containers and how they run.
    Containers,
    /// Images and their platforms.
    Images,
    /// Processor time.
    Cpu,
}

/// The engines of this machine.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Engines {
    /// The one Docker would use first.
    pub engines: Vec<EngineChoice>,
}

/// Every engine of this machine, looked at.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct AllEngines {
    /// Always "silidock/1".
    pub schema: Schema,
    /// What was seen of each.
    pub engines: Vec<Scan>,
    /// Those that could not be looked at.
    pub failed: Vec<EngineFailure>,
}

/// An engine that could not be looked at.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct EngineFailure {
    /// Its name for people.
    pub name: String,
    /// Address.
    pub endpoint: String,
    /// What to give to `scan` to choose it.
    pub choose: String,
    /// Why.
    pub failure: Failure,
}

/// One engine that could be looked at.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct EngineChoice {
    /// What to give to `scan` to choose it.
    pub choose: String,
    /// Its name for people: "OrbStack", "context build-server".
    pub name: String,
    /// Address.
    pub endpoint: String,
    /// Something is there to connect to (always true for remote ones: nobody asked).
    pub present: bool,
    /// The one Docker would use.
    pub current: bool,
    /// Part of the embedded sample.
    pub sample: bool,
    /// Why it cannot be used, if that is known without connecting.
    pub problem: Option<String>,
}

/// Which engine's emulator to prove.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EmulatorRequest {
    /// As in [`ScanRequest`].
    #[serde(default)]
    pub engine: Option<String>,
    /// Read settings too that macOS guards with a question to the user: Docker Desktop's.
    #[serde(default)]
    pub guarded: bool,
    /// Prove builds too: by a build of one step, of which nothing stays but an entry in the engine's build history.
    #[serde(default)]
    pub builds: bool,
}

/// What is set to run foreign programs on an engine, and what really does.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct EmulatorDocument {
    /// Always "silidock/1".
    pub schema: Schema,
    /// Address of the engine.
    pub endpoint: String,
    /// Its architecture: `arm64`, `amd64`.
    pub engine_arch: String,
    /// Every foreign platform that was tried.
    pub targets: Vec<EmulatorTarget>,
    /// Findings about emulation, now that it is proven.
    pub findings: Vec<Finding>,
    /// What could not be tried or read.
    pub gaps: Vec<Gap>,
}

/// Which container to explain.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ExplainRequest {
    /// As in [`ScanRequest`].
    #[serde(default)]
    pub engine: Option<String>,
    /// Its name, its identifier or the beginning of that.
    pub container: String,
}

/// A log to explain.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ExplainLogRequest {
    /// The text, as it was printed or pasted. Nothing of it is kept but the words that are recognised.
    pub text: String,
}

/// Why a container stopped or will not start, or what a log means.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExplanationDocument {
    /// Always "silidock/1".
    pub schema: Schema,
    /// Name of the container; none for a log.
    pub container: Option<String>,
    /// Its exit code, where it has one.
    #[ts(type = "number | null")]
    pub exit_code: Option<i64>,
    /// Id to preview and apply a fix by, as for a finding of a scan. None for a log.
    pub finding: Option<String>,
    /// The best explanation.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// What else is likely or was found; none where one cause explains all.
    pub others: Vec<Explanation>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// What report to make.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReportRequest {
    /// Its form.
    pub format: ReportFormat,
    /// Replace host names, user names, home paths, registry hosts and environment values.
    pub redact: bool,
    /// What it is about.
    #[serde(default)]
    pub about: ReportSubject,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ReportSubject {
    /// Everything that was seen, the way out list too.
    #[default]
    Scan,
    /// The way out list alone; as Markdown, JSON or a table.
    WayOut,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ReportFormat {
    /// One self-contained page.
    Html,
    /// For an issue or a chat.
    Markdown,
    /// The document itself.
    Json,
    /// A table for spreadsheets.
    Csv,
}

/// A report as text.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RenderedReport {
    /// A name to save it under.
    pub file_name: String,
    /// Its content.
    pub content: String,
}

/// What the app tells the window without being asked.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Event {
    /// More of the running scan, or a rescan because something changed on the engine.
    Scan {
        /// What is known now.
        view: Box<ScanView>,
    },
    /// How far a look inside is.
    Inside {
        /// How far.
        progress: InsideProgress,
    },
    /// The engine went away, or a rescan failed; what was shown last stays true of then.
    Lost {
        /// Why.
        failure: Failure,
    },
    /// How far a rebuild is.
    Rebuild {
        /// How far.
        progress: RebuildProgress,
    },
    /// How far a change of an engine is.
    Change {
        /// How far.
        progress: ChangeProgress,
    },
    /// How far the benchmark is.
    Bench {
        /// How far.
        progress: BenchProgress,
    },
}

/// `--fail-on` of the command line.
pub fn fails(scan: &Scan, at: Severity) -> bool {
    scan.worst().is_some_and(|worst| worst <= at)
}
