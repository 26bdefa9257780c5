//! What went wrong, for people and for the window: a code only where somebody branches on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A failure of a use case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Failure {
    /// For branching.
    pub code: FailureCode,
    /// What happened, in a sentence.
    pub message: String,
    /// What to do, in a sentence.
    pub hint: Option<String>,
    /// The rest: places looked at, the text of the cause.
    pub detail: Vec<String>,
}

/// Codes that callers branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum FailureCode {
    /// No engine was found anywhere.
    NoEngine,
    /// An engine was chosen and cannot be used.
    Engine,
    /// The finding, receipt, fix or check is not there (any more).
    NotFound,
    /// What was previewed is no longer what would be done.
    Changed,
    /// It was refused, and the message says why.
    Refused,
    /// A file or folder could not be read or written.
    File,
    /// A tool of a runtime failed; the message says what was taken back.
    Runtime,
    /// Somebody stopped it.
    Stopped,
}

impl Failure {
    /// A failure without hint and detail.
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, detail: Vec::new() }
    }
    /// With what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// With the rest.
    #[must_use]
    pub fn detail(mut self, detail: Vec<String>) -> Self {
        self.detail = detail;
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
