//! What crosses to the window and the command line about the inside of images.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{
    contents::{Executables, FileCounts, StartStep, Via},
    fact::{Fact, Gap},
    finding::{Finding, Severity, SubjectKind},
    platform::Platform,
    schema::Schema,
};
use ts_rs::TS;

/// What to look into.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct InsideRequest {
    /// As in `ScanRequest`.
    #[serde(default)]
    pub engine: Option<String>,
    /// An image's reference or id, a container's name or id, or the path of an archive or of an OCI layout's folder.
    pub subject: String,
    /// An image or a container; none takes a path for a file, else an image of that name, else a container.
    #[serde(default)]
    pub kind: Option<SubjectKind>,
    /// From within or by the stream; none tries the first for an image, and the second where that is refused.
    #[serde(default)]
    pub via: Option<Via>,
    /// Which platform of an image that has several here.
    #[serde(default)]
    pub platform: Option<String>,
}

/// Which images to look into, of the engine that was looked at last.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, TS)]
pub struct InsideImagesRequest {
    /// Which.
    pub scope: InsideScope,
}

/// Some images of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum InsideScope {
    /// Those that containers are made from, running or not.
    Used,
    /// All, in every platform that is here.
    All,
}

/// What lies inside one image or container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct InsideDocument {
    /// Always "silidock/1".
    pub schema: Schema,
    /// What was looked into, as it was named.
    pub subject: String,
    /// An image or a container.
    pub kind: SubjectKind,
    /// What it says it is built for.
    pub platform: Fact<Platform>,
    /// How it was looked at.
    pub via: Via,
    /// Why another way was taken than the one that is tried first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub fallback: Option<String>,
    /// Files.
    pub files: FileCounts,
    /// Programs and libraries.
    pub executables: Executables,
    /// What does not fit: what is run first in front, what is meant to be there last.
    pub problems: Vec<InsideProblem>,
    /// What it runs first, in the order the kernel takes it.
    pub start: Vec<StartStep>,
    /// Its layers, lowest first; none where the way of looking does not show them.
    pub layers: Vec<InsideLayer>,
    /// Every folder that holds programs, libraries or problems, by path.
    pub folders: Vec<InsideFolder>,
    /// The same problems, but for those that are meant to be there, as findings with words and fixes.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// A file that does not fit, or many of one kind in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct InsideProblem {
    /// Which check.
    pub check: String,
    /// How bad that is, unless it is meant to be there.
    pub severity: Severity,
    /// The file; the folder, where there are many.
    pub path: String,
    /// What it is built for.
    pub arch: Option<String>,
    /// What does not fit.
    pub detail: String,
    /// It is run first.
    pub first: bool,
    /// How many files it stands for.
    #[ts(type = "number")]
    pub count: u64,
    /// Some of them, where there are many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// The layer that brought it, as a number into `layers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub layer: Option<u32>,
    /// The line of the Dockerfile that did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub created_by: Option<String>,
    /// It is meant to be there, or harms nobody.
    pub intended: bool,
    /// The rule that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rule: Option<InsideRule>,
}

/// Why an odd file is meant to be where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct InsideRule {
    /// Its stable name.
    pub id: String,
    /// What it says.
    pub why: String,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct InsideLayer {
    /// Its digest, where it is known.
    pub digest: Option<String>,
    /// The line of the Dockerfile that brought it, where the image's history tells.
    pub created_by: Option<String>,
    /// Its programs and libraries by platform.
    #[ts(type = "Record<string, number>")]
    pub by_arch: BTreeMap<String, u64>,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct InsideFolder {
    /// Absolute path.
    pub path: String,
    /// Programs and libraries right in it, by platform.
    #[ts(type = "Record<string, number>")]
    pub by_arch: BTreeMap<String, u64>,
    /// The layers that brought them.
    pub layers: Vec<u32>,
    /// Problems in it, as numbers into `problems`.
    pub problems: Vec<u32>,
}

/// How far a look inside is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct InsideProgress {
    /// What is looked into.
    pub subject: String,
    /// Files and folders seen so far.
    #[ts(type = "number")]
    pub seen: u64,
    /// Programs, libraries, scripts and links among them.
    #[ts(type = "number")]
    pub found: u64,
    /// Which of how many, where several are looked into one after the other; from 1.
    pub number: u32,
    /// How many.
    pub of: u32,
}
