//! What crosses the seam about registries: which references to ask for, and what was said of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{
    advice::Advice,
    fact::{Fact, Gap},
    platform::Platform,
    schema::Schema,
    upstream::{NewerTag, UpstreamKind},
};
use ts_rs::TS;

/// Which references to ask registries about.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RegistryRequest {
    /// `nginx:1`, `ghcr.io/acme/web@sha256:...`
    pub references: Vec<String>,
    /// Look for newer tags that have the engine's platform.
    #[serde(default)]
    pub newer: bool,
    /// As in `ScanRequest`: whose platform newer tags and advice are about. Without any engine it is this machine's.
    #[serde(default)]
    pub engine: Option<String>,
}

/// Which images to ask registries about.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct AskRegistryRequest {
    /// Their ids; none means all, and every container and service.
    pub images: Vec<String>,
}

/// What registries said.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct RegistryDocument {
    /// Always "silidock/1".
    pub schema: Schema,
    /// The platform that newer tags and advice are about.
    pub platform: Option<Platform>,
    /// In the order they were asked for.
    pub references: Vec<RegistryReference>,
    /// How many questions registries still allow, where they say.
    pub limits: Vec<RegistryLimit>,
}

/// What a registry said of one reference.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, TS)]
pub struct RegistryReference {
    /// As it was given.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its platforms, attestations left out.
    pub platforms: Fact<Vec<Platform>>,
    /// Digest of the index or manifest.
    pub digest: Option<String>,
    /// Which of the two.
    pub kind: Option<UpstreamKind>,
    /// Parts of it that could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Gap>>")]
    pub gaps: Vec<Gap>,
    /// Tags of the same repository that have the platform, the nearest newer one first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub newer: Option<Fact<Vec<NewerTag>>>,
    /// What can be done about it, best first, where it needs an emulator or nothing of it is here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Advice>>")]
    pub advice: Vec<Advice>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<String>,
    /// What to do about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hint: Option<String>,
}

/// How many questions a registry allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct RegistryLimit {
    /// Host and port.
    pub host: String,
    /// In a window.
    #[ts(type = "number")]
    pub limit: u64,
    /// Left in it.
    #[ts(type = "number")]
    pub remaining: u64,
    /// Its length.
    #[ts(type = "number | null")]
    pub window_seconds: Option<u64>,
}
