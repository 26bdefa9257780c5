//! What an engine tells about itself, and the platforms and descriptors that images and containers share, in its own
//! words: strings are kept as sent, empty and odd ones included.

use serde::Deserialize;

use crate::json::{if_readable, null_is_default};
use crate::version::{ApiVersion, VersionInfo};

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
