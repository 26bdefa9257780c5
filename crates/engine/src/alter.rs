//! Calls that change a user's containers, images and volumes, one for each thing that is done: make, start, stop, rename,
//! remove, tag, pull, keep, copy. In which order, why, and the way back are the caller's. What an engine says of a container is
//! handed on whole, because a container is made again from it: it holds secrets, so it must not be logged or shown.

use std::collections::BTreeMap;
use std::time::Duration;

use bollard::query_parameters::{CreateImageOptionsBuilder, UploadToContainerOptionsBuilder};
use futures_util::{StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::client::Engine;
use crate::error::{Asked, EngineError, one_line};
use crate::json::null_is_default;
use crate::throwaway::{Created, post_json};
use crate::version::ApiVersion;
use crate::wire::{Sent, escaped};

/// From here on an image's configuration can be asked for by platform.
const PLATFORM_OF_INSPECT: ApiVersion = ApiVersion::new(1, 49);

/// Between two pieces of an answer that goes on for long: pulling, copying.
const SILENCE: Duration = Duration::from_secs(120);

/// A path that differs from the container's image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChangedPath {
    /// Absolute.
    pub path: String,
    /// 0: changed, 1: added, 2: removed.
    pub kind: u8,
}

/// How far a pull is, as the engine counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulling {
    /// Bytes of the layers that are under way or done.
    pub done: u64,
    /// Bytes of the layers whose size is known.
    pub total: u64,
}

/// A pull to be made.
#[derive(Debug, Clone, Copy)]
pub struct Pull<'a> {
    /// The image with its tag or digest.
    pub reference: &'a str,
    /// `linux/arm64`
    pub platform: &'a str,
    /// What goes into `X-Registry-Auth`.
    pub login: Option<&'a str>,
}

impl Engine {
    /// Everything the engine says of a container. It holds secrets.
    ///
    /// # Errors
    /// As for any question; [`EngineError::is_not_found`] for one that is not there.
    pub async fn container_json(&self, container: &str) -> Result<Value, EngineError> {
        let path = format!("/containers/{}/json", escaped(container));
        self.read(&path, Asked("the question about container", container)).await
    }

    /// Everything the engine says of an image; of one of its platforms where the engine can tell them apart.
    ///
    /// # Errors
    /// As for any question; [`EngineError::is_not_found`] for one that is not there.
    pub async fn image_json(&self, image: &str, platform: Option<&str>) -> Result<Value, EngineError> {
        let mut path = format!("/images/{}/json", escaped(image));
        if let Some(platform) = platform.filter(|_| self.api_version() >= PLATFORM_OF_INSPECT) {
            path.push_str(&format!("?platform={}", escaped(&platform_json(platform))));
        }
        self.read(&path, Asked("the question about image", image)).await
    }

    /// The engine's name for its machine, and the folder there in which it keeps its data.
    ///
    /// # Errors
    /// As for any question.
    pub async fn data_folder(&self) -> Result<(String, String), EngineError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Kept {
            #[serde(default, deserialize_with = "null_is_default")]
            name: String,
            #[serde(default, deserialize_with = "null_is_default")]
            docker_root_dir: String,
        }
        let kept: Kept = self.read("/info", Asked("the question about the engine", "")).await?;
        Ok((kept.name, kept.docker_root_dir))
    }

    /// The list of all containers as the engine gives it.
    ///
    /// # Errors
    /// As for any question.
    pub async fn containers_json(&self) -> Result<Vec<Value>, EngineError> {
        self.read("/containers/json?all=1", Asked("the container list", "")).await
    }

    /// What a container has written outside of volumes.
    ///
    /// # Errors
    /// As for any question.
    pub async fn changed_paths(&self, container: &str) -> Result<Vec<ChangedPath>, EngineError> {
        let path = format!("/containers/{}/changes", escaped(container));
        let changed: Option<Vec<ChangedPath>> =
            self.read(&path, Asked("the question about what was written in container", container)).await?;
        Ok(changed.unwrap_or_default())
    }

    /// Makes a container as `body` says; it does not run yet.
    ///
    /// # Errors
    /// As for any question; the engine's reason for refusing is in `Status`.
    pub async fn create_container(
        &self,
        name: &str,
        platform: Option<&str>,
        body: &Value,
    ) -> Result<Created, EngineError> {
        self.make_container(name, platform, body, Asked("making container", name)).await
    }

    /// Puts a container into a further network.
    ///
    /// # Errors
    /// As for any question.
    pub async fn connect_network(&self, network: &str, container: &str, settings: &Value) -> Result<(), EngineError> {
        let body = json!({ "Container": container, "EndpointConfig": settings });
        let path = format!("/networks/{}/connect", escaped(network));
        self.post(&path, &body, Asked("connecting network", network)).await
    }

    /// Starts a container. One that runs already is no error.
    ///
    /// # Errors
    /// As for any question; the engine's reason for refusing is in `Status`.
    pub async fn start_container(&self, container: &str) -> Result<(), EngineError> {
        let path = format!("/containers/{}/start", escaped(container));
        self.post(&path, &Value::Null, Asked("starting container", container)).await
    }

    /// Stops a container as its own settings say. One that does not run is no error.
    ///
    /// # Errors
    /// As for any question; `TimedOut` after `limit`, which must be longer than the container may take.
    pub async fn stop_container(&self, container: &str, limit: Duration) -> Result<(), EngineError> {
        let path = format!("/containers/{}/stop", escaped(container));
        self.act(&path, post_json(Vec::new()), Asked("stopping container", container), limit).await.map(drop)
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// As for any question; 409 where the name is taken.
    pub async fn rename_container(&self, container: &str, name: &str) -> Result<(), EngineError> {
        let path = format!("/containers/{}/rename?name={}", escaped(container), escaped(name));
        self.post(&path, &Value::Null, Asked("renaming container", container)).await
    }

    /// Removes a container and none of its volumes. One that is not there is no error; one that runs is, unless `force`.
    ///
    /// # Errors
    /// As for any question.
    pub async fn remove_container(&self, container: &str, force: bool) -> Result<(), EngineError> {
        let path = format!("/containers/{}?v=0&force={}", escaped(container), u8::from(force));
        self.remove(&path, Asked("removing container", container)).await
    }

    /// Makes an image of the files of a container, without its volumes and without its configuration: what it was given in its
    /// environment stays out of it, as a commit would not.
    ///
    /// # Errors
    /// As for any question; `TimedOut` after `limit`.
    pub async fn keep_files(
        &self,
        container: &str,
        (repository, tag): (&str, &str),
        platform: Option<&str>,
        limit: Duration,
    ) -> Result<(), EngineError> {
        let asked = Asked("keeping container", container);
        let body = self.wire().stream(&self.versioned(&format!("/containers/{}/export", escaped(container))));
        let pieces = body
            .map_ok(|piece| bytes_of(piece.as_ref()))
            .map_err(|error| std::io::Error::other(one_line(&error.to_string())));
        let options = CreateImageOptionsBuilder::default().from_src("-").repo(repository).tag(tag);
        let options = platform.map_or(options.clone(), |platform| options.platform(platform)).build();
        let docker = self.wire().docker_of(&format!("/v{}", self.api_version()));
        let import = docker.create_image(Some(options), Some(bollard::body_try_stream(pieces)), None);
        match timeout(limit, import.try_for_each(|_| std::future::ready(Ok(())))).await {
            Ok(kept) => kept.map_err(|error| self.wire().failed(asked, error)),
            Err(_) => Err(self.wire().late(asked, limit)),
        }
    }

    /// Makes a volume.
    ///
    /// # Errors
    /// As for any question.
    pub async fn create_volume(&self, name: &str, labels: &BTreeMap<String, String>) -> Result<(), EngineError> {
        let body = json!({ "Name": name, "Driver": "local", "Labels": labels });
        self.post("/volumes/create", &body, Asked("making volume", name)).await
    }

    /// Whether there is a volume of this name.
    ///
    /// # Errors
    /// As for any question.
    pub async fn has_volume(&self, name: &str) -> Result<bool, EngineError> {
        let path = format!("/volumes/{}", escaped(name));
        match self.read::<Value>(&path, Asked("the question about volume", name)).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Copies a folder of one container into a folder of another; neither need run. Both folders exist.
    ///
    /// # Errors
    /// As for any question; `TimedOut` when nothing moves for two minutes.
    pub async fn copy_folder(&self, from: (&str, &str), to: (&str, &str)) -> Result<(), EngineError> {
        let asked = Asked("copying out of container", from.0);
        // With the dot the folder's content is meant, not the folder.
        let source =
            format!("/containers/{}/archive?path={}/.", escaped(from.0), escaped(from.1.trim_end_matches('/')));
        let body = self.wire().stream(&self.versioned(&source));
        let pieces = body
            .map_ok(|piece| bytes_of(piece.as_ref()))
            .map_err(|error| std::io::Error::other(one_line(&error.to_string())));
        let docker = self.wire().docker_of(&format!("/v{}", self.api_version()));
        let options = UploadToContainerOptionsBuilder::default().path(to.1).build();
        let copied = docker.upload_to_container(to.0, Some(options), bollard::body_try_stream(pieces));
        match timeout(SILENCE * 30, copied).await {
            Ok(copied) => copied.map_err(|error| self.wire().failed(asked, error)),
            Err(_) => Err(self.wire().late(asked, SILENCE * 30)),
        }
    }

    /// Brings one platform of an image from its registry, and tells on the way how far it is. Dropping the future stops it.
    ///
    /// # Errors
    /// The registry's or engine's reason is in `Status`; `TimedOut` when nothing is heard for two minutes.
    pub async fn pull_platform(&self, pull: Pull<'_>, tell: &dyn Fn(Pulling)) -> Result<(), EngineError> {
        let asked = Asked("pulling image", pull.reference);
        let (name, tag) = name_and_tag(pull.reference);
        let path = format!(
            "/images/create?fromImage={}&tag={}&platform={}",
            escaped(name),
            escaped(tag),
            escaped(pull.platform)
        );
        let login = pull.login.map(str::to_owned);
        let sent = Sent { login, ..post_json(Vec::new()) };
        let mut body = std::pin::pin!(self.wire().exchange(&self.versioned(&path), Some(sent)));
        let (mut line, mut layers) = (Vec::new(), BTreeMap::new());
        loop {
            let piece = match timeout(SILENCE, body.next()).await {
                Ok(Some(piece)) => piece.map_err(|error| self.wire().failed(asked, error))?,
                Ok(None) => return self.pull_line(&line, &mut layers, asked, tell),
                Err(_) => return Err(self.wire().late(asked, SILENCE)),
            };
            for byte in piece.as_ref() {
                match byte {
                    b'\n' => self.pull_line(&std::mem::take(&mut line), &mut layers, asked, tell)?,
                    byte => line.push(*byte),
                }
            }
        }
    }

    fn pull_line(
        &self,
        line: &[u8],
        layers: &mut BTreeMap<String, (u64, u64)>,
        asked: Asked<'_>,
        tell: &dyn Fn(Pulling),
    ) -> Result<(), EngineError> {
        // A line that is no report says nothing about the pull.
        let Ok(report) = serde_json::from_slice::<Report>(line) else { return Ok(()) };
        if let Some(error) = report.error {
            return Err(EngineError::Status {
                endpoint: self.wire().endpoint().to_owned(),
                during: asked.to_string(),
                code: 500,
                message: one_line(&error),
            });
        }
        let bytes = |key: &str| report.detail.get(key).and_then(Value::as_u64);
        if let (Some(done), Some(total), "Downloading") = (bytes("current"), bytes("total"), report.status.as_str()) {
            layers.insert(report.id, (done, total));
        } else if let (Some(layer), "Download complete" | "Pull complete") =
            (layers.get_mut(&report.id), report.status.as_str())
        {
            layer.0 = layer.1;
        } else {
            return Ok(());
        }
        tell(Pulling {
            done: layers.values().map(|(done, _)| done).sum(),
            total: layers.values().map(|(_, total)| total).sum(),
        });
        Ok(())
    }

    async fn post(&self, path: &str, body: &Value, asked: Asked<'_>) -> Result<(), EngineError> {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.act(path, post_json(bytes), asked, self.options().list).await.map(drop)
    }
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    error: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    id: String,
    #[serde(default, deserialize_with = "null_is_default")]
    status: String,
    #[serde(default, rename = "progressDetail", deserialize_with = "null_is_default")]
    detail: Map<String, Value>,
}

fn bytes_of(piece: &[u8]) -> hyper::body::Bytes {
    hyper::body::Bytes::copy_from_slice(piece)
}

/// `{"os":"linux","architecture":"arm64"}`, as the engine wants a platform in a question.
fn platform_json(platform: &str) -> String {
    let mut parts = platform.split('/');
    let mut written = Map::new();
    for key in ["os", "architecture", "variant"] {
        if let Some(part) = parts.next() {
            written.insert(key.to_owned(), json!(part));
        }
    }
    Value::Object(written).to_string()
}

/// A reference as the engine's pull wants it: without a tag it would bring all tags of the repository.
fn name_and_tag(reference: &str) -> (&str, &str) {
    if let Some((name, digest)) = reference.split_once('@') {
        let name = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(name, |(name, _)| name);
        return (name, digest);
    }
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tag_is_pulled_and_never_all_of_them() {
        for (reference, expected) in [
            ("nginx", ("nginx", "latest")),
            ("nginx:1", ("nginx", "1")),
            ("localhost:5000/web", ("localhost:5000/web", "latest")),
            ("localhost:5000/web:2", ("localhost:5000/web", "2")),
            ("localhost:5000/web:2@sha256:ab", ("localhost:5000/web", "sha256:ab")),
            ("web@sha256:ab", ("web", "sha256:ab")),
        ] {
            assert_eq!(name_and_tag(reference), expected, "{reference}");
        }
        assert_eq!(platform_json("linux/arm/v7"), r#"{"os":"linux","architecture":"arm","variant":"v7"}"#);
    }
}
