//! API versions: what an engine offers and what is spoken with it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::json::null_is_default;
use crate::records::Component;

/// An Engine API version such as 1.44.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    /// Major number, 1 so far.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
}

impl ApiVersion {
    /// The oldest version Silidock understands (Engine 19.03).
    pub const OLDEST: Self = Self::new(1, 40);
    /// The newest version Silidock asks for; a newer engine is asked for this one.
    pub const NEWEST: Self = Self::new(1, 53);
    /// Image lists tell each manifest's platform.
    pub const MANIFESTS: Self = Self::new(1, 47);
    /// Containers tell the manifest they were made from.
    pub const CONTAINER_DESCRIPTOR: Self = Self::new(1, 48);

    /// A version from its two numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }
}

impl FromStr for ApiVersion {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (major, minor) = text.trim().split_once('.').unwrap_or((text, ""));
        Ok(Self { major: major.parse()?, minor: minor.parse()? })
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Serialize for ApiVersion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ApiVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom("not an API version"))
    }
}

/// What `/version` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionInfo {
    /// The newest API version the engine offers.
    pub api_version: ApiVersion,
    /// The oldest API version the engine still serves, where it says so.
    #[serde(rename = "MinAPIVersion", default)]
    pub min_api_version: Option<ApiVersion>,
    /// The engine's version, such as 28.5.1.
    #[serde(default, deserialize_with = "null_is_default")]
    pub version: String,
    /// Operating system of the engine: `linux`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub os: String,
    /// Architecture of the engine in Go's words: `arm64`, `amd64`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub arch: String,
    /// Kernel release of the engine's machine.
    #[serde(default, deserialize_with = "null_is_default")]
    pub kernel_version: String,
    /// The product the engine ships in.
    #[serde(default, deserialize_with = "null_is_default")]
    pub platform: Product,
    /// The programs behind the API.
    #[serde(default, deserialize_with = "null_is_default")]
    pub components: Vec<Component>,
}

/// The product an engine ships in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Product {
    /// Its name, such as `Docker Desktop 4.51.0 (210443)`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
}
