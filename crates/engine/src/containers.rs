//! What an engine tells about its containers, in its own words. Environment, commands and foreign labels are not
//! read at all: they hold secrets.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::json::{if_readable, null_is_default};
use crate::records::Descriptor;

/// The labels that are kept. Others may hold anything.
const KEPT_LABELS: [&str; 2] = ["com.docker.compose.", "dev.silidock."];

/// An entry of the container list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerRecord {
    /// The full identifier.
    pub id: String,
    /// Its names without the leading slash; links of other containers contain a slash.
    #[serde(default, deserialize_with = "without_slash")]
    pub names: Vec<String>,
    /// The reference it was made from; an identifier once the tag means another image.
    #[serde(default, deserialize_with = "null_is_default")]
    pub image: String,
    /// The image it runs, `sha256:...`
    #[serde(rename = "ImageID", default, deserialize_with = "null_is_default")]
    pub image_id: String,
    /// The manifest it was made from, with its platform (API 1.48 with the containerd store).
    #[serde(rename = "ImageManifestDescriptor", default)]
    pub image_manifest: Option<Descriptor>,
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`; Podman has more.
    #[serde(default, deserialize_with = "null_is_default")]
    pub state: String,
    /// The state in words, such as `Up 2 hours (healthy)`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub status: String,
    /// When it was made, in seconds since 1970.
    #[serde(default, deserialize_with = "if_readable")]
    pub created: Option<i64>,
    /// Compose's labels and our own; others are dropped.
    #[serde(default, deserialize_with = "kept_labels")]
    pub labels: BTreeMap<String, String>,
    /// What is mounted in it; `None` where the engine does not tell.
    #[serde(default, deserialize_with = "if_readable")]
    pub mounts: Option<Vec<MountPoint>>,
}

/// Something that is mounted in a container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MountPoint {
    /// `volume`, `bind`, `tmpfs` ...
    #[serde(rename = "Type", default)]
    pub kind: String,
    /// Where it is in the container.
    #[serde(default)]
    pub destination: String,
    /// The container may write to it.
    #[serde(rename = "RW", default)]
    pub writable: bool,
}

impl ContainerRecord {
    /// Its own name; the short identifier for a container without one.
    #[must_use]
    pub fn name(&self) -> &str {
        let own = self.names.iter().find(|name| !name.contains('/')).or(self.names.first());
        own.map_or_else(|| self.id.get(..12).unwrap_or(&self.id), String::as_str)
    }
}

/// One container in detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerDetails {
    /// The full identifier.
    pub id: String,
    /// Its name, without the leading slash.
    pub name: String,
    /// The image it runs, `sha256:...`
    pub image_id: String,
    /// The reference it was made from, also when its tag means another image by now; may be empty.
    pub reference: String,
    /// The manifest it was made from, with its platform (API 1.48 with the containerd store).
    pub image_manifest: Option<Descriptor>,
    /// Operating system only: the engine's `Platform` says nothing of the architecture.
    pub platform_os: String,
    /// As in [`ContainerRecord::state`].
    pub state: String,
    /// Exit status of the last run; 0 also while it runs.
    pub exit_code: Option<i64>,
    /// Why it could not be started, in the engine's words; may be empty.
    pub error: String,
    /// Start of the last run (RFC 3339); `None` if it never started.
    pub started_at: Option<String>,
    /// End of the last run (RFC 3339); `None` if it never ended.
    pub finished_at: Option<String>,
    /// The engine removes it as soon as it stops.
    pub auto_remove: bool,
    /// Its network: `bridge`, a network's name, `container:<identifier or name>` ...
    pub network_mode: String,
    /// Whose processes it sees: empty for its own, `host`, `container:<identifier or name>`.
    pub pid_mode: String,
    /// Whose shared memory it uses: `private`, `shareable`, `host`, `container:<identifier or name>` ...
    pub ipc_mode: String,
    /// Where something is mounted in it, file systems in memory among them.
    pub mounted: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawContainer {
    id: String,
    #[serde(default, deserialize_with = "null_is_default")]
    name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    host_config: RawHost,
    #[serde(default, deserialize_with = "if_readable")]
    mounts: Option<Vec<MountPoint>>,
    #[serde(default, deserialize_with = "null_is_default")]
    image: String,
    #[serde(default, deserialize_with = "null_is_default")]
    config: RawConfig,
    #[serde(rename = "ImageManifestDescriptor", default)]
    image_manifest: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_is_default")]
    platform: String,
    #[serde(default, deserialize_with = "null_is_default")]
    state: RawState,
}

/// The one harmless part of a container's configuration; its environment is not read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawConfig {
    #[serde(default, deserialize_with = "null_is_default")]
    image: String,
}

/// What of its settings concerns other containers, and what lies in memory.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawHost {
    #[serde(default, deserialize_with = "null_is_default")]
    auto_remove: bool,
    #[serde(default, deserialize_with = "null_is_default")]
    network_mode: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pid_mode: String,
    #[serde(default, deserialize_with = "null_is_default")]
    ipc_mode: String,
    #[serde(default, deserialize_with = "null_is_default")]
    tmpfs: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawState {
    #[serde(default, deserialize_with = "null_is_default")]
    status: String,
    #[serde(default, deserialize_with = "if_readable")]
    exit_code: Option<i64>,
    #[serde(default, deserialize_with = "null_is_default")]
    error: String,
    #[serde(default, deserialize_with = "null_is_default")]
    started_at: String,
    #[serde(default, deserialize_with = "null_is_default")]
    finished_at: String,
}

impl<'de> Deserialize<'de> for ContainerDetails {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawContainer::deserialize(deserializer)?;
        // Go's zero time stands for "never".
        let time = |text: String| Some(text).filter(|text| !text.is_empty() && !text.starts_with("0001-01-01"));
        let mounted = raw.mounts.into_iter().flatten().map(|mount| mount.destination);
        Ok(Self {
            id: raw.id,
            name: raw.name.trim_start_matches('/').to_owned(),
            mounted: mounted.chain(raw.host_config.tmpfs.into_keys()).collect(),
            auto_remove: raw.host_config.auto_remove,
            network_mode: raw.host_config.network_mode,
            pid_mode: raw.host_config.pid_mode,
            ipc_mode: raw.host_config.ipc_mode,
            image_id: raw.image,
            reference: raw.config.image,
            image_manifest: raw.image_manifest,
            platform_os: raw.platform,
            state: raw.state.status,
            exit_code: raw.state.exit_code,
            error: raw.state.error,
            started_at: time(raw.state.started_at),
            finished_at: time(raw.state.finished_at),
        })
    }
}

fn without_slash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names: Option<Vec<String>> = Option::deserialize(deserializer)?;
    let bare = |name: String| name.strip_prefix('/').map_or(name.clone(), str::to_owned);
    Ok(names.unwrap_or_default().into_iter().map(bare).collect())
}

pub(crate) fn kept_labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let labels: Option<BTreeMap<String, String>> = Option::deserialize(deserializer)?;
    let mut labels = labels.unwrap_or_default();
    labels.retain(|key, _| KEPT_LABELS.iter().any(|prefix| key.starts_with(prefix)));
    Ok(labels)
}
