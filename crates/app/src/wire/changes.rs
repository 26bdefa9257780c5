//! What crosses the seam about changes: fixes as they are shown and wanted, what became of them, and their history.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{finding::Finding, fix::Fix, schema::Schema};
use silidock_remedy::{Preview, Receipt, Verified, diff::Diff, runtime::Ran};
use ts_rs::TS;

use crate::failure::Failure;

/// Which fix of which finding.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct FixRequest {
    /// Id of the finding.
    pub finding: String,
    /// Number of the fix, from 1.
    pub option: u32,
}

/// A fix that was shown and is now wanted.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ApplyRequest {
    /// Id of the finding.
    pub finding: String,
    /// Number of the fix, from 1.
    pub option: u32,
    /// From the preview: what was shown is what is done, or nothing is.
    pub token: String,
}

/// What a fix would do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct FixPreview {
    /// The finding it is for.
    pub finding: Finding,
    /// The fix.
    pub fix: Fix,
    /// Its steps in words, in order.
    pub steps: Vec<String>,
    /// What changes.
    pub preview: Preview,
    /// To give back with `apply_fix`.
    pub token: String,
}

/// What a change did.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct ChangeOutcome {
    /// Always "silidock/1".
    pub schema: Schema,
    /// Id of the receipt.
    pub receipt: String,
    /// Something was changed.
    pub applied: bool,
    /// Whether looking again found the finding gone.
    pub verified: Verified,
    /// Why, in a sentence.
    pub words: String,
    /// What changed.
    pub changes: Vec<Diff>,
    /// Commands that ran, in order.
    #[serde(default)]
    pub ran: Vec<Ran>,
}

impl ChangeOutcome {
    /// Of a change that was carried out, with the commands that its receipt says were run.
    pub(crate) fn of(receipt: Receipt, verified: Verified, words: String, changes: Vec<Diff>) -> Self {
        let ran = receipt.runtime.map(|record| record.ran).or(receipt.engine.map(|record| record.ran));
        let ran = ran.unwrap_or_default();
        Self { schema: Schema, receipt: receipt.id, applied: true, verified, words, changes, ran }
    }
}

/// Every fix that is safe, as it would be carried out.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct AllSafePreview {
    /// Always "silidock/1".
    pub schema: Schema,
    /// In the order in which they would be carried out.
    pub fixes: Vec<FixPreview>,
    /// Fixes that count as safe and are left for a person, and why.
    pub left: Vec<FixLeft>,
}

/// A fix that is left for a person.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct FixLeft {
    /// Id of the finding.
    pub finding: String,
    /// Number of the fix, from 1.
    pub option: u32,
    /// The fix in words.
    pub title: String,
    /// Why.
    pub why: String,
}

/// Safe fixes that were shown and are now wanted.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AllSafeRequest {
    /// In the order in which they are carried out.
    pub fixes: Vec<ApplyRequest>,
}

/// What became of the safe fixes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct AllSafeOutcome {
    /// Always "silidock/1".
    pub schema: Schema,
    /// Those that were carried out, each with a receipt to undo it by.
    pub done: Vec<ChangeOutcome>,
    /// The one that failed and ended it.
    pub failed: Option<FixFailed>,
    /// Findings whose fixes were not begun after that.
    pub not_begun: Vec<String>,
}

/// A fix that failed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct FixFailed {
    /// Id of the finding.
    pub finding: String,
    /// Why.
    pub failure: Failure,
}

/// What to write as a script.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ScriptRequest {
    /// Which fix; none means all safe ones.
    pub fix: Option<FixRequest>,
}

/// A script to be run by hand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct ScriptDocument {
    /// Always "silidock/1".
    pub schema: Schema,
    /// For a POSIX shell.
    pub script: String,
}

/// How far a change of an engine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChangeProgress {
    /// What is done now.
    pub words: String,
    /// Bytes that were pulled, while it pulls.
    #[ts(type = "number | null")]
    pub done: Option<u64>,
    /// Bytes that are to be pulled, as far as that is known.
    #[ts(type = "number | null")]
    pub total: Option<u64>,
}

/// Every change that was made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct History {
    /// Always "silidock/1".
    pub schema: Schema,
    /// Newest first.
    pub receipts: Vec<HistoryEntry>,
}

/// One change.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Id of the receipt.
    pub id: String,
    /// When, RFC 3339 in UTC; none where the receipt is damaged.
    pub at: Option<String>,
    /// What was done, as the button said it.
    pub title: String,
    /// Check whose finding it was for.
    pub check: Option<String>,
    /// Files it changed.
    pub files: Vec<String>,
    /// Commands it ran, in order.
    #[serde(default)]
    pub commands: Vec<Vec<String>>,
    /// How far it got.
    pub state: ChangeState,
    /// What looking again found.
    pub verified: Option<Verified>,
    /// More about the state, if there is more to say.
    pub note: Option<String>,
}

/// How far a change got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum ChangeState {
    /// Begun and never finished: the program ended in the middle.
    Interrupted,
    /// Done.
    Applied,
    /// Taken back.
    Undone,
    /// It failed in the middle and was taken back at once.
    TakenBack,
    /// Its receipt cannot be read.
    Damaged,
}

/// Which change.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReceiptRequest {
    /// Id of its receipt.
    pub receipt: String,
}

/// What undoing would change.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct UndoPreview {
    /// Always "silidock/1".
    pub schema: Schema,
    /// The change.
    pub entry: HistoryEntry,
    /// What would change.
    pub diffs: Vec<Diff>,
    /// Commands that would be run, in order.
    #[serde(default)]
    pub commands: Vec<Vec<String>>,
    /// What else to know, a sentence each.
    #[serde(default)]
    pub told: Vec<String>,
    /// Why it cannot be undone, if so.
    pub refused: Option<String>,
}
