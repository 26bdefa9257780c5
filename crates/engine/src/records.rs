//! What an engine tells about itself, its images and its containers, in its own words: strings are kept as sent,
//! empty and odd ones included. Environment, commands and foreign labels are not read at all: they hold secrets.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::json::{Listing, if_readable, null_is_default};
use crate::version::{ApiVersion, VersionInfo};

/// The labels that are kept. Others may hold anything.
const KEPT_LABELS: [&str; 2] = ["com.docker.compose.", "dev.silidock."];

/// A program behind the API, such as `Engine` 28.5.1 or `containerd`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Component {
    /// Its name.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
    /// Its version.
    #[serde(default, deserialize_with = "null_is_default")]
    pub version: String,
}

/// An engine, from `/version` and `/info`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// What `/version` says.
    pub version: VersionInfo,
    /// The API version spoken with it.
    pub api_version: ApiVersion,
    /// Architecture of the engine's machine as `/info` says: `aarch64`, `x86_64`.
    pub architecture: String,
    /// Operating system type: `linux`.
    pub os_type: String,
    /// Its operating system in words, such as `Docker Desktop` or `Alpine Linux v3.22`.
    pub operating_system: String,
    /// Its kernel release.
    pub kernel: String,
    /// Its host name.
    pub name: String,
    /// Storage driver: `overlayfs` with the containerd store, `overlay2` without.
    pub driver: String,
    /// What the storage driver tells, as pairs.
    pub driver_status: Vec<(String, String)>,
    /// The daemon's labels, as `key=value`.
    pub labels: Vec<String>,
    /// Security options, such as `name=rootless`.
    pub security_options: Vec<String>,
    /// Processors the engine may use.
    pub cpus: Option<u64>,
    /// Memory the engine may use, in bytes.
    pub memory: Option<u64>,
}

impl About {
    /// Whether images are kept in the containerd store, which holds several platforms under one tag.
    #[must_use]
    pub fn containerd_store(&self) -> bool {
        self.driver_status
            .iter()
            .any(|(key, value)| key == "driver-type" && value.starts_with("io.containerd.snapshotter"))
    }
}

/// `/info` as sent.
#[derive(Debug, Deserialize)]
pub(crate) struct Info {
    #[serde(rename = "Architecture", default, deserialize_with = "null_is_default")]
    pub architecture: String,
    #[serde(rename = "OSType", default, deserialize_with = "null_is_default")]
    pub os_type: String,
    #[serde(rename = "OperatingSystem", default, deserialize_with = "null_is_default")]
    pub operating_system: String,
    #[serde(rename = "KernelVersion", default, deserialize_with = "null_is_default")]
    pub kernel: String,
    #[serde(rename = "Name", default, deserialize_with = "null_is_default")]
    pub name: String,
    #[serde(rename = "Driver", default, deserialize_with = "null_is_default")]
    pub driver: String,
    #[serde(rename = "DriverStatus", default, deserialize_with = "if_readable")]
    pub driver_status: Option<Vec<(String, String)>>,
    #[serde(rename = "Labels", default, deserialize_with = "if_readable")]
    pub labels: Option<Vec<String>>,
    #[serde(rename = "SecurityOptions", default, deserialize_with = "if_readable")]
    pub security_options: Option<Vec<String>>,
    #[serde(rename = "NCPU", default, deserialize_with = "if_readable")]
    pub cpus: Option<u64>,
    #[serde(rename = "MemTotal", default, deserialize_with = "if_readable")]
    pub memory: Option<u64>,
}

/// A platform as written, nothing normalised.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct PlatformRecord {
    /// Operating system: `linux`; may be empty or `unknown`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub os: String,
    /// Architecture: `amd64`, `arm64` ...; may be empty or `unknown`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub architecture: String,
    /// Variant: `v7`, `v8` ...
    #[serde(default, deserialize_with = "null_is_default")]
    pub variant: String,
}

/// A content descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Descriptor {
    /// Digest of the manifest or index.
    #[serde(default, deserialize_with = "null_is_default")]
    pub digest: String,
    /// Its media type.
    #[serde(rename = "mediaType", default, deserialize_with = "null_is_default")]
    pub media_type: String,
    /// The platform, where the engine fills it in.
    #[serde(default)]
    pub platform: Option<PlatformRecord>,
}

/// An entry of the image list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageRecord {
    /// `sha256:...`; of the configuration without, of the index or manifest with the containerd store.
    pub id: String,
    /// Tags; empty for an untagged image.
    #[serde(default, deserialize_with = "named")]
    pub repo_tags: Vec<String>,
    /// References by digest.
    #[serde(default, deserialize_with = "named")]
    pub repo_digests: Vec<String>,
    /// When it was built, in seconds since 1970.
    #[serde(default, deserialize_with = "if_readable")]
    pub created: Option<i64>,
    /// Its size in bytes, as the engine counts it.
    #[serde(default, deserialize_with = "if_readable")]
    pub size: Option<u64>,
    /// What the tag leads to: an index or a manifest (API 1.48).
    #[serde(default)]
    pub descriptor: Option<Descriptor>,
    /// Its manifests; `None` where the engine does not tell (API below 1.47, or no containerd store), and then
    /// [`crate::Engine::inspect_image`] knows the one platform there is.
    #[serde(default)]
    pub manifests: Option<Listing<ManifestRecord>>,
}

/// One manifest of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestRecord {
    /// Its digest.
    pub digest: String,
    /// Whether it is an image.
    pub kind: ManifestKind,
    /// Its platform; `None` where the engine does not tell.
    pub platform: Option<PlatformRecord>,
    /// Whether its content is here; an index lists platforms that were never pulled.
    pub available: bool,
    /// Content and unpacked files in bytes.
    pub size: Option<u64>,
    /// Identifiers of the containers made from it.
    pub containers: Vec<String>,
}

/// What a manifest describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestKind {
    /// Something to run.
    Image,
    /// A statement about an image; it has no platform of its own.
    Attestation,
    /// Something else, in the engine's word.
    Other(String),
}

#[derive(Deserialize)]
struct RawManifest {
    #[serde(rename = "ID", default, deserialize_with = "null_is_default")]
    id: String,
    #[serde(rename = "Descriptor", default)]
    descriptor: Option<Descriptor>,
    #[serde(rename = "Available")]
    available: bool,
    #[serde(rename = "Kind")]
    kind: String,
    #[serde(rename = "Size", default, deserialize_with = "if_readable")]
    size: Option<RawSize>,
    #[serde(rename = "ImageData", default)]
    image: Option<RawImageData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawSize {
    total: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawImageData {
    #[serde(default)]
    platform: Option<PlatformRecord>,
    #[serde(default, deserialize_with = "null_is_default")]
    containers: Vec<String>,
}

impl<'de> Deserialize<'de> for ManifestRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawManifest::deserialize(deserializer)?;
        let (described, digest) = match raw.descriptor {
            Some(descriptor) => (descriptor.platform, Some(descriptor.digest)),
            None => (None, None),
        };
        let (platform, containers) = match raw.image {
            Some(image) => (image.platform, image.containers),
            None => (None, Vec::new()),
        };
        Ok(Self {
            digest: digest.filter(|digest| !digest.is_empty()).unwrap_or(raw.id),
            kind: match raw.kind.as_str() {
                "image" => ManifestKind::Image,
                "attestation" => ManifestKind::Attestation,
                _ => ManifestKind::Other(raw.kind),
            },
            platform: platform.or(described),
            available: raw.available,
            size: raw.size.and_then(|size| size.total),
            containers,
        })
    }
}

/// One image in detail: what the engine says of the platform that is here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageConfig {
    /// `sha256:...`
    pub id: String,
    /// Operating system: `linux`; may be empty.
    #[serde(default, deserialize_with = "null_is_default")]
    pub os: String,
    /// Architecture; may be empty or what its builder claimed.
    #[serde(default, deserialize_with = "null_is_default")]
    pub architecture: String,
    /// Variant, mostly of arm.
    #[serde(default, deserialize_with = "null_is_default")]
    pub variant: String,
    /// Tags.
    #[serde(default, deserialize_with = "named")]
    pub repo_tags: Vec<String>,
    /// References by digest.
    #[serde(default, deserialize_with = "named")]
    pub repo_digests: Vec<String>,
    /// Its size in bytes.
    #[serde(default, deserialize_with = "if_readable")]
    pub size: Option<u64>,
}

impl ImageConfig {
    /// The three words of its platform together.
    #[must_use]
    pub fn platform(&self) -> PlatformRecord {
        PlatformRecord { os: self.os.clone(), architecture: self.architecture.clone(), variant: self.variant.clone() }
    }
}

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
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawContainer {
    id: String,
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
        Ok(Self {
            id: raw.id,
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

/// Older engines write `<none>:<none>` where there is no name.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names: Option<Vec<String>> = Option::deserialize(deserializer)?;
    Ok(names.unwrap_or_default().into_iter().filter(|name| !name.contains("<none>")).collect())
}

fn without_slash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names: Option<Vec<String>> = Option::deserialize(deserializer)?;
    let bare = |name: String| name.strip_prefix('/').map_or(name.clone(), str::to_owned);
    Ok(names.unwrap_or_default().into_iter().map(bare).collect())
}

fn kept_labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let labels: Option<BTreeMap<String, String>> = Option::deserialize(deserializer)?;
    let mut labels = labels.unwrap_or_default();
    labels.retain(|key, _| KEPT_LABELS.iter().any(|prefix| key.starts_with(prefix)));
    Ok(labels)
}
