//! Why a container stopped or will not start, and what a log means: one cause with its evidence and its way out, or the
//! honest short list. Pure, like all judging here; reading containers, files and logs is `observe`'s part.
//!
//! A message of the engine, the exit code, the files that would be started and the state of emulation are held against
//! each other: words alone mean several things, and `exec format error` is not always the architecture.

pub mod cause;
pub mod facts;
mod fate;
mod fixes;
mod judge;
pub mod log;
mod said;
pub(crate) mod unstarted;
pub mod wordings;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    fact::Gap,
    finding::{Confidence, Evidence},
    fix::Fix,
};
use cause::{About, Cause};

pub use judge::{explain, spoken_of};

/// One explanation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Explanation {
    /// Why, as a stable word: `crlf-script`, `out-of-memory`, `application-error`.
    pub cause: Cause,
    /// The check whose finding says the same, where there is one.
    pub check: Option<String>,
    /// How sure.
    pub confidence: Confidence,
    /// Whether the architecture has to do with it.
    pub architecture: About,
    /// What, in one line.
    pub title: String,
    /// Why, in a sentence or two.
    pub why: String,
    /// What was seen.
    pub evidence: Vec<Evidence>,
    /// What would mend it, best first.
    pub fixes: Vec<Fix>,
}

/// What a container comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The best explanation.
    pub best: Explanation,
    /// What else is likely; none where the best is certain.
    pub others: Vec<Explanation>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}
