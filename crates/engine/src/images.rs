//! What an engine tells about its images, in its own words: nothing is normalised, and an odd manifest does not lose
//! its image. Labels and configuration beyond the platform are not read.

use serde::{Deserialize, Deserializer};

use crate::json::{Listing, if_readable, null_is_default};
use crate::records::{Descriptor, PlatformRecord};

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

/// Older engines write `<none>:<none>` where there is no name.
pub(crate) fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names: Option<Vec<String>> = Option::deserialize(deserializer)?;
    Ok(names.unwrap_or_default().into_iter().filter(|name| !name.contains("<none>")).collect())
}
