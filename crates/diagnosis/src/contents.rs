//! What lies inside an image, as far as it can matter: how it is started, what it is built for, and the files that do
//! not fit. Made from the records of either way of looking ([`survey()`]), small enough for a capture; judged by the
//! checks. No file is opened here, and nobody's arguments or environment are kept.

mod fold;
mod intended;
mod libraries;
mod odd;
mod start;
mod survey;
mod tree;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_executable::FileRecord;
use ts_rs::TS;

use crate::{
    fact::{Fact, Gap},
    finding::SubjectKind,
    platform::Platform,
};

pub use intended::{RULES, Rule, rule};
pub(crate) use odd::{Look, Odd};
pub use survey::{Survey, survey};
pub use tree::{Lookup, Tree};

/// What was found in some images, and what could not be looked into.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Contents {
    /// Images and containers that were looked into.
    pub images: Vec<ImageContents>,
    /// Names of those that were to be looked into and could not be, and why.
    pub missing: Vec<(String, Gap)>,
}

/// What lies inside one image or container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ImageContents {
    /// Its name as a person knows it: a tag, a container's name, a file.
    pub subject: String,
    /// An image or a container.
    pub kind: SubjectKind,
    /// What it says it is built for.
    pub platform: Fact<Platform>,
    /// How it was looked at.
    pub via: Via,
    /// Files.
    pub files: FileCounts,
    /// Programs and libraries of machine code.
    pub executables: Executables,
    /// What it runs first, in the order the kernel takes it: the program, its interpreter, their loader.
    pub start: Vec<StartStep>,
    /// Its layers, lowest first; none where the way of looking does not show them.
    pub layers: Vec<LayerLine>,
    /// Files that do not fit. Many of a kind in one place are one.
    pub odd: Vec<OddFile>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// A way of looking into an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Via {
    /// A throw-away container made from it, which walks its own root.
    Engine,
    /// Its archive, read as it passes.
    Stream,
}

/// Files that were counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FileCounts {
    /// Seen.
    #[ts(type = "number")]
    pub seen: u64,
    /// Of them, those that could not be read, and folders.
    #[ts(type = "number")]
    pub unreadable: u64,
}

/// Programs and libraries that were counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Executables {
    /// All of machine code; scripts are not counted here.
    #[ts(type = "number")]
    pub count: u64,
    /// By platform: `linux/arm64`, `darwin/arm64`; `unknown` where the file does not say.
    #[ts(type = "Record<string, number>")]
    pub by_arch: BTreeMap<String, u64>,
    /// Scripts that name their interpreter.
    #[ts(type = "number")]
    pub scripts: u64,
}

/// One file of what is run first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct StartStep {
    /// What it is there for.
    pub role: StartRole,
    /// As it is named where it is asked for: `nginx`, `/bin/sh`.
    pub name: String,
    /// Where it lies in the end, after links; none where it is not there.
    pub path: Option<String>,
    /// What it is built for; none for scripts and what is not there.
    pub arch: Option<String>,
}

/// What a file of the start is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum StartRole {
    /// The entry point.
    Entrypoint,
    /// The command, or the entry point's first argument where that is a program.
    Command,
    /// A script that is given to a shell.
    Script,
    /// What a script names in its first line.
    Interpreter,
    /// What `env` looks up for a script.
    EnvProgram,
    /// What joins a program with its libraries.
    Loader,
    /// A library that a program asks for.
    Library,
}

impl StartRole {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Entrypoint => "entry point",
            Self::Command => "command",
            Self::Script => "script",
            Self::Interpreter => "interpreter",
            Self::EnvProgram => "started by env",
            Self::Loader => "loader",
            Self::Library => "library",
        }
    }
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct LayerLine {
    /// Its digest, where it is known.
    pub digest: Option<String>,
    /// The line of the Dockerfile that brought it, where the image's history tells.
    pub created_by: Option<String>,
}

/// A file that does not fit, or many of one kind in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct OddFile {
    /// Which check it is a matter of.
    pub check: String,
    /// The file; the folder, where there are many.
    pub path: String,
    /// What it is built for.
    pub arch: Option<String>,
    /// What does not fit.
    pub detail: String,
    /// It is run first.
    pub first: bool,
    /// The rule by which it is meant to be there, or harms nobody; none where it is a problem.
    pub intended: Option<String>,
    /// How many files it stands for.
    #[ts(type = "number")]
    pub count: u64,
    /// Some of them, where there are many.
    pub examples: Vec<String>,
    /// The layer that brought it, as a number into the layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub layer: Option<u32>,
}

/// What one way of looking brought back of an image or container; [`survey()`] makes contents of it.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its name as a person knows it.
    pub subject: String,
    /// An image or a container.
    pub kind: SubjectKind,
    /// What it says it is built for.
    pub platform: Fact<Platform>,
    /// How it was looked at.
    pub via: Via,
    /// How it is started; a gap where that could not be read.
    pub start: Fact<StartSettings>,
    /// Every link and every file that can be run or loaded, each with the layer that brought it.
    pub records: Vec<(FileRecord, Option<u32>)>,
    /// Its layers, lowest first.
    pub layers: Vec<LayerLine>,
    /// What was counted.
    pub files: FileCounts,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// How an image is started. Lives only while it is surveyed: arguments may hold secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartSettings {
    /// The entry point with its arguments.
    pub entrypoint: Vec<String>,
    /// The command with its arguments.
    pub command: Vec<String>,
    /// `PATH` of its environment.
    pub search_path: Option<String>,
    /// The folder it is started in; may be empty.
    pub working_dir: String,
}
