//! What crosses to the window and the command line about rebuilding.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::schema::Schema;
use silidock_remedy::{Preview, Verified};
use ts_rs::TS;

use crate::wire::RegistryReference;

/// What to build again, and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RebuildRequest {
    /// As in `ScanRequest`.
    #[serde(default)]
    pub engine: Option<String>,
    /// Images, services (`web`, `shop/web`) or containers.
    pub subjects: Vec<String>,
    /// `linux/arm64`; without any, the engine's own and the deploy targets.
    #[serde(default)]
    pub platforms: Vec<String>,
    /// Where the result goes.
    #[serde(default)]
    pub output: RebuildOutput,
    /// Builder to take; without, the one that runs most of it natively.
    #[serde(default)]
    pub builder: Option<String>,
    /// Folder to build, where it is not known from elsewhere.
    #[serde(default)]
    pub context: Option<String>,
    /// Dockerfile in it, where that has another name or place.
    #[serde(default)]
    pub file: Option<String>,
    /// Stage to build.
    #[serde(default)]
    pub target: Option<String>,
    /// Services and containers that run on the image from before are made anew from the new one, in the same change.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub recreate: bool,
    /// Their volumes are copied before.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub copy_volumes: bool,
}

/// Where the result of a build goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum RebuildOutput {
    /// To the engine.
    #[default]
    Load,
    /// To the registry that its name says.
    Push,
}

/// What a rebuild would do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct RebuildPreview {
    /// Always "silidock/1".
    pub schema: Schema,
    /// Commands, what else to know, and why it cannot be done, if so.
    pub preview: Preview,
    /// Each build, in order.
    pub builds: Vec<PlannedBuild>,
    /// Each container that is made anew afterwards, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<PlannedContainer>>")]
    pub containers: Vec<PlannedContainer>,
    /// To give back with `apply_rebuild`; none where it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token: Option<String>,
}

/// One build, worked out.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct PlannedBuild {
    /// As it was asked for.
    pub subject: String,
    /// The service that says how it is built, as `project/service`.
    pub service: Option<String>,
    /// How that is known, in words.
    pub known_by: String,
    /// Folder or address that is sent to the builder.
    pub context: String,
    /// The Dockerfile, where it is not the context's own.
    pub dockerfile: Option<String>,
    /// Stage.
    pub target: Option<String>,
    /// Names of the build arguments; their values are handed over and not shown.
    pub arguments: Vec<String>,
    /// What the result is called.
    pub references: Vec<String>,
    /// Who builds for each platform.
    pub platforms: Vec<PlannedPlatform>,
    /// Where the result goes.
    pub output: RebuildOutput,
    /// What the first reference means now; none where there is no such image.
    pub before: Option<ImageState>,
    /// The command, values of build arguments left out.
    pub command: Vec<String>,
}

/// A container that is made anew from what is built.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct PlannedContainer {
    /// Its name.
    pub name: String,
    /// Its Compose service, as `project/service`; then Compose makes it.
    pub service: Option<String>,
    /// The reference it is made from.
    pub image: String,
    /// The platform it runs now; none where that is not known.
    pub before: Option<String>,
    /// The platform it is to run.
    pub platform: String,
}

/// Who builds for a platform.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct PlannedPlatform {
    /// Which.
    pub platform: String,
    /// The builder.
    pub builder: String,
    /// Its node, where that is known before it runs.
    pub node: Option<String>,
    /// Without an emulator; none where the node does not say.
    pub native: Option<bool>,
    /// The same in words, with the emulator.
    pub words: String,
}

/// What a reference means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ImageState {
    /// Id of the image.
    pub id: String,
    /// Platforms of it that are on the engine.
    pub platforms: Vec<String>,
}

/// A rebuild that was shown and is now wanted.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ApplyRebuildRequest {
    /// From the preview.
    pub token: String,
}

/// What a rebuild did.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct RebuildOutcome {
    /// Always "silidock/1".
    pub schema: Schema,
    /// Id of the receipt.
    pub receipt: String,
    /// Something was built.
    pub applied: bool,
    /// Whether looking again found what was wanted.
    pub verified: Verified,
    /// Why, in a sentence.
    pub words: String,
    /// Each build.
    pub builds: Vec<BuiltOutcome>,
    /// Each container that was made anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<RecreatedContainer>>")]
    pub containers: Vec<RecreatedContainer>,
}

/// A container that was made anew.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct RecreatedContainer {
    /// Its name.
    pub name: String,
    /// Its Compose service, as `project/service`.
    pub service: Option<String>,
    /// The platform it ran before.
    pub before: Option<String>,
    /// The platform it runs now.
    pub after: Option<String>,
    /// Whether it runs what was built, looked at again.
    pub verified: Verified,
    /// The same in words.
    pub words: String,
    /// The name under which the image of the container from before is kept.
    pub kept: Option<String>,
    /// The image that holds what it wrote outside of volumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub written: Option<String>,
    /// Copies of its volumes.
    pub copies: Vec<String>,
}

/// What one build did.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct BuiltOutcome {
    /// The first reference.
    pub reference: String,
    /// Where the result went.
    pub output: RebuildOutput,
    /// What the reference meant before.
    pub before: Option<ImageState>,
    /// What it means now, on the engine.
    pub after: Option<ImageState>,
    /// The tag under which the image from before is kept.
    pub kept: Option<String>,
    /// What each platform of the result is, looked at again.
    pub checked: Vec<CheckedPlatform>,
    /// What the registry says of it, where it was pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub pushed: Option<RegistryReference>,
}

/// What a platform of the result is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct CheckedPlatform {
    /// Which.
    pub platform: String,
    /// Whether it is what was wanted.
    pub verified: Verified,
    /// Why, in words.
    pub words: String,
    /// Programs and libraries in it, by architecture.
    #[ts(type = "{ [key in string]: number }")]
    pub executables: BTreeMap<String, u64>,
}

/// How far a rebuild is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RebuildProgress {
    /// What is being built.
    pub subject: String,
    /// Which of the builds, from 1.
    pub number: u32,
    /// Of so many.
    pub of: u32,
    /// Steps that have ended.
    pub done: u32,
    /// Steps that are known of.
    pub total: u32,
    /// The step that was last heard of.
    pub step: String,
    /// The line it has printed last; none for a report of the step itself.
    pub line: Option<String>,
}
