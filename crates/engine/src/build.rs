//! Building by the engine's own builder, and the build cache: as much as it takes to build something small and leave
//! nothing of it behind. What is built, and why, is the caller's.

use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::client::Engine;
use crate::error::{Asked, EngineError};
use crate::json::{null_is_default, reason};
use crate::version::ApiVersion;
use crate::wire::{Sent, escaped};

/// From here on an engine can be asked for its build cache alone.
const CACHE_ALONE: ApiVersion = ApiVersion::new(1, 42);

/// A record of the build cache.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CacheRecord {
    /// Its identifier.
    #[serde(rename = "ID")]
    pub id: String,
    /// What made it: `mount / from exec /bin/sh`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub description: String,
    /// A build uses it now.
    #[serde(default)]
    pub in_use: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Used {
    #[serde(default, deserialize_with = "null_is_default")]
    build_cache: Vec<CacheRecord>,
}

/// A build by the engine's older builder, whose steps are containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build<'a> {
    /// The context as a whole tar file, with its Dockerfile.
    pub context: Vec<u8>,
    /// The platform to build for: `linux/arm64`.
    pub platform: &'a str,
    /// The tag to give to the image.
    pub tag: &'a str,
    /// Labels of the image, so that it can be found again.
    pub labels: &'a std::collections::BTreeMap<String, String>,
    /// The most memory a step may use, in bytes.
    pub memory: u64,
}

impl Engine {
    /// Builds without cache and without a network, and gives everything the builder said: a JSON object on each line.
    /// That a step failed is among it.
    ///
    /// # Errors
    /// As for any question; `TimedOut` when it still builds after the limit.
    pub async fn build(&self, build: Build<'_>, limit: Duration) -> Result<Vec<u8>, EngineError> {
        let path = format!(
            "/build?version=1&nocache=1&rm=1&forcerm=1&networkmode=none&platform={}&t={}&memory={}&memswap={}&labels={}",
            escaped(build.platform),
            escaped(build.tag),
            build.memory,
            build.memory,
            escaped(&json!(build.labels).to_string()),
        );
        let sent = Sent { method: Method::POST, content_type: "application/x-tar", body: build.context, login: None };
        self.act(&path, sent, Asked("building", build.tag), limit).await
    }

    /// Everything in the build cache.
    ///
    /// # Errors
    /// As for any question.
    pub async fn build_cache(&self) -> Result<Vec<CacheRecord>, EngineError> {
        let asked = Asked("the question for the build cache", "");
        let path = if self.api_version() >= CACHE_ALONE { "/system/df?type=build-cache" } else { "/system/df" };
        let bytes = self.get(path, asked, self.options().list).await?;
        let used: Used =
            serde_json::from_slice(&bytes).map_err(|error| self.wire().unreadable(asked, reason(&error)))?;
        Ok(used.build_cache)
    }

    /// Removes one record of the build cache. One that is not there, or that another record still needs, is no error.
    ///
    /// # Errors
    /// As for any question.
    pub async fn forget_cache_record(&self, id: &str) -> Result<(), EngineError> {
        let path = format!("/build/prune?all=1&filters={}", escaped(&json!({ "id": [id] }).to_string()));
        let sent = Sent { method: Method::POST, content_type: "application/json", body: Vec::new(), login: None };
        self.act(&path, sent, Asked("removing a record of the build cache", id), self.options().list).await.map(drop)
    }
}
