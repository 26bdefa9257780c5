//! JSON Schemas of every document, for docs/schema/.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{bench::Bench, finding::Finding, inventory::Inventory, schema::Schema as Mark};
use silidock_remedy::{Preview, diff::Diff};
use silidock_report::{Scan, WayOutDocument, scan::Catalogue};

use crate::wire::{
    AllEngines, AllSafeOutcome, AllSafePreview, BenchComparison, BenchHistory, BuildersDocument, ChangeOutcome,
    EmulatorDocument, EngineChoice, ExplanationDocument, History, InsideDocument, RebuildOutcome, RebuildPreview,
    RegistryDocument, ScriptDocument, TargetsDocument, UndoPreview,
};

/// What `silidock fix ID` prints before anything is applied.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct PreviewDocument {
    /// Always "silidock/1".
    pub schema: Mark,
    /// Id of the finding the fix is for; none for an undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// What would change.
    pub preview: Preview,
}

/// What `silidock fix --list` prints.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct FixList {
    /// Always "silidock/1".
    pub schema: Mark,
    /// Findings that have a fix.
    pub findings: Vec<Finding>,
}

/// What `silidock engines` prints.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EnginesDocument {
    /// Always "silidock/1".
    pub schema: Mark,
    /// The one Docker would use first.
    pub engines: Vec<EngineChoice>,
}

/// What `--json` prints on a failure.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct FailureDocument {
    /// Always "silidock/1".
    pub schema: Mark,
    /// What went wrong.
    pub failure: crate::failure::Failure,
}

/// File name and schema of every document.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    fn of<T: JsonSchema>() -> Schema {
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
    }
    vec![
        ("scan", of::<Scan>()),
        ("all-engines", of::<AllEngines>()),
        ("inventory", of::<Inventory>()),
        ("checks", of::<Catalogue>()),
        ("fix-list", of::<FixList>()),
        ("preview", of::<PreviewDocument>()),
        ("all-safe-preview", of::<AllSafePreview>()),
        ("all-safe", of::<AllSafeOutcome>()),
        ("script", of::<ScriptDocument>()),
        ("undo-preview", of::<UndoPreview>()),
        ("change", of::<ChangeOutcome>()),
        ("emulator", of::<EmulatorDocument>()),
        ("wayout", of::<WayOutDocument>()),
        ("registry", of::<RegistryDocument>()),
        ("explanation", of::<ExplanationDocument>()),
        ("inside", of::<InsideDocument>()),
        ("builders", of::<BuildersDocument>()),
        ("targets", of::<TargetsDocument>()),
        ("rebuild-preview", of::<RebuildPreview>()),
        ("rebuild", of::<RebuildOutcome>()),
        ("history", of::<History>()),
        ("engines", of::<EnginesDocument>()),
        ("diff", of::<Diff>()),
        ("bench", of::<Bench>()),
        ("bench-history", of::<BenchHistory>()),
        ("bench-comparison", of::<BenchComparison>()),
        ("failure", of::<FailureDocument>()),
    ]
}
