//! Building by the engine's own older builder, and the build cache. What is built, and why, is the caller's.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures_util::StreamExt;
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

/// A build of the user's own, by the engine's older builder.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct LocalBuild {
    /// The Dockerfile's name in the context.
    pub dockerfile: String,
    /// The platform to build for: `linux/arm64`.
    pub platform: String,
    /// What the image is called.
    pub tags: Vec<String>,
    /// Stage to build.
    pub target: Option<String>,
    /// Build arguments; their values may be secrets.
    pub arguments: BTreeMap<String, String>,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// Pull what it starts from even where it is here.
    pub pull: bool,
    /// Use nothing built before.
    pub no_cache: bool,
}

impl fmt::Debug for LocalBuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<&String> = self.arguments.keys().collect();
        f.debug_struct("LocalBuild")
            .field("platform", &self.platform)
            .field("tags", &self.tags)
            .field("arguments", &arguments)
            .finish_non_exhaustive()
    }
}

impl LocalBuild {
    fn path(&self) -> String {
        let flag = |wanted: bool| u8::from(wanted);
        let mut path = format!(
            "/build?version=1&rm=1&forcerm=1&dockerfile={}&platform={}&pull={}&nocache={}&buildargs={}&labels={}",
            escaped(&self.dockerfile),
            escaped(&self.platform),
            flag(self.pull),
            flag(self.no_cache),
            escaped(&json!(self.arguments).to_string()),
            escaped(&json!(self.labels).to_string()),
        );
        self.tags.iter().for_each(|tag| path.push_str(&format!("&t={}", escaped(tag))));
        if let Some(target) = &self.target {
            path.push_str(&format!("&target={}", escaped(target)));
        }
        path
    }
}

impl Engine {
    /// Builds a context, which is a whole tar file, and hands over each line that the builder says: a JSON object. That a
    /// step failed is among them. Steps may take as long as they do; dropping the future stops the build.
    ///
    /// # Errors
    /// As for any question.
    pub async fn build_here(
        &self,
        build: &LocalBuild,
        context: Vec<u8>,
        line: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), EngineError> {
        let asked = Asked("building", build.tags.first().map(String::as_str).unwrap_or_default());
        let sent = Sent { method: Method::POST, content_type: "application/x-tar", body: context, login: None };
        let mut body = std::pin::pin!(self.wire().exchange(&self.versioned(&build.path()), Some(sent)));
        let mut unread = Vec::new();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| self.wire().failed(asked, error))?;
            for part in piece.as_ref().split_inclusive(|byte| *byte == b'\n') {
                unread.extend_from_slice(part);
                if part.ends_with(b"\n") {
                    line(&String::from_utf8_lossy(&std::mem::take(&mut unread)));
                }
            }
        }
        if !unread.is_empty() {
            line(&String::from_utf8_lossy(&unread));
        }
        Ok(())
    }

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
