//! Manifests and indexes, in OCI's and Docker's media types: just the keys that tell platforms.
//!
//! Our own few types instead of a library's whole ones: one odd entry must not lose the rest of an index.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest, Sha256, Sha512};
use silidock_diagnosis::platform::{Platform, PlatformError};

/// Everything that may be the answer for a reference.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";
/// What an image's configuration calls itself.
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
const MANIFESTS: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

/// An index or a manifest.
#[derive(Debug)]
pub(super) enum Document {
    Index(Vec<Entry>),
    /// The digest of its configuration.
    Manifest(String),
    /// Something else that registries keep, in its own words.
    Other(String),
}

/// One entry of an index.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(default)]
    media_type: Option<String>,
    pub digest: String,
    #[serde(default)]
    platform: Option<WrittenPlatform>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

/// A platform as an index or a configuration writes it.
#[derive(Debug, Deserialize)]
pub(super) struct WrittenPlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
}

/// What an entry of an index is.
pub(super) enum Part<'a> {
    /// For one platform.
    For(&'a WrittenPlatform),
    /// It does not say for which: its configuration does.
    Silent,
    /// Another index.
    Nested,
    /// Signatures, provenance, other things: no platform.
    Nothing,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(default)]
    schema_version: Option<u32>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    manifests: Option<Vec<Entry>>,
    #[serde(default)]
    config: Option<Config>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    media_type: String,
    digest: String,
}

impl Entry {
    pub fn part(&self) -> Part<'_> {
        let annotation = |name: &str| self.annotations.as_ref().and_then(|all| all.get(name));
        if annotation("vnd.docker.reference.type").is_some() {
            return Part::Nothing;
        }
        let is = |known: [&str; 2]| self.media_type.as_deref().is_some_and(|m| known.contains(&m));
        match &self.platform {
            _ if is(INDEXES) => Part::Nested,
            _ if self.media_type.is_some() && !is(MANIFESTS) => Part::Nothing,
            // Builders before the annotation existed mark attestations by this platform alone.
            Some(p) if p.os == "unknown" && p.architecture == "unknown" => Part::Nothing,
            Some(p) if p.os.is_empty() && p.architecture.is_empty() => Part::Silent,
            Some(platform) => Part::For(platform),
            None if self.artifact_type.is_some() => Part::Nothing,
            None => Part::Silent,
        }
    }
}

impl WrittenPlatform {
    pub fn read(&self) -> Result<Platform, PlatformError> {
        Platform::new(&self.os, &self.architecture, self.variant.as_deref())
    }
}

/// Reads an index or manifest; `header` is what the registry said it sends.
///
/// # Errors
/// In words: what is wrong with it.
pub(super) fn read(bytes: &[u8], header: Option<&str>) -> Result<Document, String> {
    let written: Written = serde_json::from_slice(bytes).map_err(|error| reason(&error))?;
    let media_type = written.media_type.as_deref().or(header).unwrap_or_default();
    match (written.manifests, written.config) {
        // One that could be read either way means different things to different readers.
        (Some(_), Some(_)) => Err("it is an index and a manifest at once".to_owned()),
        (Some(_), None) if MANIFESTS.contains(&media_type) => {
            Err("it calls itself a manifest and is an index".to_owned())
        }
        (None, Some(_)) if INDEXES.contains(&media_type) => {
            Err("it calls itself an index and is a manifest".to_owned())
        }
        (Some(entries), None) => Ok(Document::Index(entries)),
        (None, Some(config)) => Ok(match (written.artifact_type, config.media_type) {
            (Some(kind), _) if !kind.is_empty() => Document::Other(kind),
            (_, kind) if IMAGE_CONFIGS.contains(&kind.as_str()) || kind.is_empty() => Document::Manifest(config.digest),
            (_, kind) => Document::Other(kind),
        }),
        (None, None) if written.schema_version == Some(1) => {
            Err("it is in Docker's first format, which engines no longer pull".to_owned())
        }
        (None, None) => Err("it is neither an index nor a manifest".to_owned()),
    }
}

/// The platform in an image's configuration. The rest of it, with its environment, is not looked at.
pub(super) fn read_config(bytes: &[u8]) -> Result<WrittenPlatform, String> {
    serde_json::from_slice(bytes).map_err(|error| reason(&error))
}

/// The digest of some bytes by the algorithm of another digest.
pub(super) fn digest_like(bytes: &[u8], other: &str) -> String {
    let hex = |hash: &[u8]| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match other.starts_with("sha512:") {
        true => format!("sha512:{}", hex(&Sha512::digest(bytes))),
        false => format!("sha256:{}", hex(&Sha256::digest(bytes))),
    }
}

/// Where JSON stops making sense, without quoting it.
fn reason(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => "it ends in the middle".to_owned(),
        _ => format!("it is not JSON as expected, at line {} column {}", error.line(), error.column()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_apart() {
        const INDEX: &str = "application/vnd.oci.image.index.v1+json";
        let config = r#""config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:c"}"#;
        for (bytes, header, expected) in [
            (r#"{"schemaVersion":2,"manifests":[]}"#.to_owned(), None, "Ok(Index([]))"),
            (format!("{{{config}}}"), None, r#"Ok(Manifest("sha256:c"))"#),
            (format!("{{{config}}}"), Some(INDEX), "calls itself an index"),
            (format!(r#"{{{config},"manifests":[]}}"#), None, "at once"),
            (format!(r#"{{{config},"artifactType":"application/x-sbom"}}"#), None, r#"Other("application/x-sbom")"#),
            (
                r#"{"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"a"}}"#.to_owned(),
                None,
                "helm",
            ),
            (r#"{"schemaVersion":1,"name":"a"}"#.to_owned(), None, "first format"),
            (r#"{"errors":[]}"#.to_owned(), None, "neither"),
            (r#"{"manifests":"#.to_owned(), None, "ends in the middle"),
            ("<html>".to_owned(), None, "not JSON"),
        ] {
            let read = format!("{:?}", read(bytes.as_bytes(), header));
            assert!(read.contains(expected), "{bytes}: {read}");
        }
    }

    #[test]
    fn entries_that_are_no_image_have_no_platform() {
        let kind = |json: &str| match serde_json::from_str::<Entry>(json).unwrap().part() {
            Part::For(platform) => platform.read().map_or_else(|e| e.to_string(), |p| p.to_string()),
            Part::Silent => "silent".to_owned(),
            Part::Nested => "nested".to_owned(),
            Part::Nothing => "nothing".to_owned(),
        };
        for (rest, expected) in [
            (r#","platform":{"os":"linux","architecture":"arm64","variant":"v8"}"#, "linux/arm64"),
            (r#","platform":{"os":"linux","architecture":"arm"}"#, "linux/arm/v7"),
            (r#","platform":{"os":"unknown","architecture":"unknown"}"#, "nothing"),
            (
                r#","platform":{"os":"linux","architecture":"a64"},"annotations":{"vnd.docker.reference.type":"attestation-manifest"}"#,
                "nothing",
            ),
            (r#","artifactType":"application/x-sbom""#, "nothing"),
            (r#","mediaType":"application/vnd.oci.image.index.v1+json""#, "nested"),
            (r#","mediaType":"application/octet-stream""#, "nothing"),
            ("", "silent"),
        ] {
            assert_eq!(kind(&format!(r#"{{"digest":"sha256:a"{rest}}}"#)), expected, "{rest}");
        }
    }
}
