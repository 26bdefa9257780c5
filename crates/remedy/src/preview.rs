//! What a fix would do, for people to read before it happens, and for `apply` to hold on to.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::fix::Fix;
use silidock_diagnosis::platform::Platform;
use ts_rs::TS;

use crate::diff::{self, Diff};
use crate::plan::Plan;

/// Everything a fix or an undo would change. Making one changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// What changes in which file.
    pub diffs: Vec<Diff>,
    /// Command lines, an argument vector each: those that are run in their order, or, where the fix only shows what to
    /// do, for the user to run.
    pub commands: Vec<Vec<String>>,
    /// Containers that would stop or restart.
    pub restarts: Vec<String>,
    /// What else to know, a sentence each.
    pub told: Vec<String>,
    /// Why a person should look at it first although the fix counts as safe, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub review: Vec<String>,
    /// The files as they were seen; applying is refused when one of them differs by then.
    pub files: Vec<SeenFile>,
    /// The platform of the image that the container runs which is made anew: a script's way back needs it, and nobody else.
    #[serde(skip)]
    pub platform_before: Option<Platform>,
    /// Why nothing can be applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub refused: Option<Refusal>,
}

impl Preview {
    /// Of something that is not done, and why; typing would not help.
    #[must_use]
    pub fn refused(why: impl Into<String>) -> Self {
        Self { refused: Some(Refusal::new(why)), ..Self::default() }
    }
}

impl Refusal {
    /// Without lines to type.
    #[must_use]
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), lines_to_type: Vec::new() }
    }
}

/// A file as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct SeenFile {
    /// The file, after following links.
    pub path: String,
    /// SHA-256 of its bytes, in hexadecimal; empty where there is no such file yet.
    pub hash: String,
}

/// Why something is not changed by us, and what to type instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// In words, with the file.
    pub why: String,
    /// Lines to type by hand; empty where typing does not help.
    pub lines_to_type: Vec<String>,
}

/// Works out what `fix` would do to the files as they are now. Always answers: what stands in the way is in `refused`.
#[must_use]
pub fn preview(fix: &Fix) -> Preview {
    match Plan::of(fix) {
        Ok(plan) => of_plan(plan),
        Err(refusal) => Preview { refused: Some(refusal), ..Preview::default() },
    }
}

/// A file as a fix would leave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAfter {
    /// The file, after following links.
    pub path: PathBuf,
    /// Its whole text.
    pub text: String,
}

/// The files that `fix` would change, as they would be: for asking another program about them before they are written.
/// Nothing where the fix is refused.
#[must_use]
pub fn files_after(fix: &Fix) -> Vec<FileAfter> {
    let plan = Plan::of(fix).unwrap_or_default();
    plan.files.into_iter().map(|f| FileAfter { path: f.file.real, text: f.after }).collect()
}

fn of_plan(plan: Plan) -> Preview {
    Preview {
        diffs: plan.files.iter().map(|f| diff::diff(&f.file.real, &f.file.text, &f.after, f.context)).collect(),
        files: seen(&plan),
        commands: plan.commands,
        restarts: Vec::new(),
        told: plan.told,
        review: Vec::new(),
        platform_before: None,
        refused: None,
    }
}

/// The files of a plan as they were read.
pub(crate) fn seen(plan: &Plan) -> Vec<SeenFile> {
    let of = |f: &crate::plan::PlannedFile| SeenFile {
        path: f.file.real.display().to_string(),
        hash: if f.file.new { String::new() } else { f.file.hash.clone() },
    };
    plan.files.iter().map(of).collect()
}
