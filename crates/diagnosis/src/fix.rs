//! A fix is data with a promise: it can be shown before it happens, undone after it, and its promise is checked by
//! looking again. Nothing here carries anything out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::platform::Platform;

/// What pressing the button means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Safety {
    /// Cannot make anything worse.
    Safe,
    /// Right in most cases; read the preview.
    Review,
    /// Only words: a person has to do it.
    ShowOnly,
}

/// One way to fix a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    /// Number among the fixes of its finding, from 1.
    pub option: u32,
    /// What it does, as a button says it: "Pin db to linux/amd64".
    pub title: String,
    /// What it costs and what it leaves as it is.
    pub summary: String,
    /// What pressing the button means.
    pub safety: Safety,
    /// What is done, in order; all or nothing.
    pub steps: Vec<Step>,
    /// Check whose finding must be gone afterwards. None where nothing is changed.
    pub promise: Option<String>,
}

impl Fix {
    /// It changes something when applied.
    pub fn changes_something(&self) -> bool {
        self.safety != Safety::ShowOnly
    }
}

/// One step of a fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Step {
    /// Changes one value of a YAML file and leaves every other byte as it is.
    #[serde(rename_all = "camelCase")]
    EditYaml {
        /// Absolute path.
        path: String,
        /// What to change.
        edit: YamlEdit,
    },
    /// Takes one line out of a text file, or replaces it.
    #[serde(rename_all = "camelCase")]
    EditLine {
        /// Absolute path.
        path: String,
        /// Line, from 1.
        line: u32,
        /// What must stand there, without its line ending.
        expected: String,
        /// What shall stand there; none takes the line out.
        replacement: Option<String>,
    },
    /// Says what a person has to do.
    #[serde(rename_all = "camelCase")]
    Tell {
        /// In words.
        text: String,
        /// Command lines, an argument vector each.
        commands: Vec<Vec<String>>,
    },
}

/// A change to a YAML file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum YamlEdit {
    /// Gives a Compose service a `platform:` that it does not have.
    SetPlatform {
        /// Service name.
        service: String,
        /// To pin it to.
        platform: Platform,
    },
    /// Takes the `platform:` of a Compose service out.
    RemovePlatform {
        /// Service name.
        service: String,
    },
}

impl Step {
    /// What the step does, in one line.
    pub fn title(&self) -> String {
        match self {
            Self::EditYaml { path, edit: YamlEdit::SetPlatform { service, platform } } => {
                format!("Set platform: {platform} for {service} in {path}")
            }
            Self::EditYaml { path, edit: YamlEdit::RemovePlatform { service } } => {
                format!("Remove platform: of {service} in {path}")
            }
            Self::EditLine { path, line, replacement: None, .. } => format!("Remove line {line} of {path}"),
            Self::EditLine { path, line, replacement: Some(_), .. } => format!("Change line {line} of {path}"),
            Self::Tell { text, .. } => text.clone(),
        }
    }
}
