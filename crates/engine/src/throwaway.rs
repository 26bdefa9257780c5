//! The life of a throw-away container: load its image, create, start, wait, read what it printed, remove, and find
//! what an earlier run left behind. How it is locked in is fixed here; what runs in it, whose it is and when it may be
//! removed is the caller's.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::Engine;
use crate::containers::{ContainerRecord, kept_labels};
use crate::error::{Asked, EngineError, one_line};
use crate::images::named;
use crate::json::{Listing, null_is_default, reason};
use crate::version::ApiVersion;
use crate::wire::{Sent, escaped};

/// From here on an engine can be told which platform a container is to have.
pub(crate) const PLATFORM_OF_CONTAINER: ApiVersion = ApiVersion::new(1, 41);

/// Nobody, by number: the image has no user list.
pub(crate) const USER: &str = "65534:65534";

/// The one writable place, in memory. Programs in it may be run, unlike the engine's default for such a place.
const SCRATCH: (&str, &str) = ("/tmp", "rw,exec,nosuid,nodev,size=1m,mode=1777");

/// A container to be made. It gets no network, no capabilities, no health check, a read-only root and a small `/tmp`
/// in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throwaway {
    /// Its name.
    pub name: String,
    /// The image's reference.
    pub image: String,
    /// The image's platform: `linux/arm64`.
    pub platform: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The most memory it may use, in bytes; none is swapped.
    pub memory: u64,
    /// The most processes it may have.
    pub processes: u32,
}

impl Throwaway {
    fn body(&self) -> Value {
        let (scratch, options) = SCRATCH;
        json!({
            "Image": self.image, "Entrypoint": self.command, "Cmd": [], "User": USER, "WorkingDir": "/",
            "Labels": self.labels, "NetworkDisabled": true, "Healthcheck": { "Test": ["NONE"] },
            "HostConfig": {
                "NetworkMode": "none", "ReadonlyRootfs": true, "CapDrop": ["ALL"],
                "SecurityOpt": ["no-new-privileges"], "Memory": self.memory, "MemorySwap": self.memory,
                "PidsLimit": self.processes, "Tmpfs": { scratch: options },
                // Whatever the engine's own choice is, this one can be read back.
                "LogConfig": { "Type": "json-file", "Config": { "max-size": "1m", "max-file": "1" } }
            }
        })
    }
}

/// A container that was made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Created {
    /// The full identifier.
    pub id: String,
    /// The engine's warnings, such as a platform that is not its own.
    #[serde(default, deserialize_with = "null_is_default")]
    pub warnings: Vec<String>,
}

/// What a container printed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Whether there was more than was asked for.
    pub cut: bool,
}

/// An image with one of our labels.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LabelledImage {
    /// `sha256:...`
    pub id: String,
    /// Tags.
    #[serde(default, deserialize_with = "named")]
    pub repo_tags: Vec<String>,
    /// Compose's labels and our own; others are dropped.
    #[serde(default, deserialize_with = "kept_labels")]
    pub labels: BTreeMap<String, String>,
}

/// Why an image could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The image store does not take it.
    #[error("the engine's image store refuses the image: {message}")]
    Refused {
        /// The engine's words.
        message: String,
    },
    /// The engine gave no usable answer at all.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

#[derive(Deserialize)]
struct Progress {
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Waited {
    status_code: i64,
}

impl Engine {
    /// Loads the images of a docker-archive, which is a whole tar file.
    ///
    /// # Errors
    /// Says whether the image store or the engine is the reason.
    pub async fn load_images(&self, archive: Vec<u8>) -> Result<(), LoadError> {
        let asked = Asked("loading an image", "");
        let sent = Sent { method: Method::POST, content_type: "application/x-tar", body: archive, login: None };
        let answer = match self.act("/images/load?quiet=1", sent, asked, self.options().list).await {
            // The engine's own failure; a proxy's refusal is told apart by its status.
            Err(EngineError::Status { code: 400 | 500, message, .. }) => return Err(LoadError::Refused { message }),
            answer => answer?,
        };
        // Once it has begun to answer, a failure can only be a line among the others.
        let mut failures = answer
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<Progress>(line).ok().and_then(|progress| progress.error));
        failures.next().map_or(Ok(()), |error| Err(LoadError::Refused { message: one_line(&error) }))
    }

    /// Makes a container; it does not run yet.
    ///
    /// # Errors
    /// As for any question; the engine's reason for refusing is in `Status`.
    pub async fn create_throwaway(&self, wanted: &Throwaway) -> Result<Created, EngineError> {
        let asked = Asked("making container", &wanted.name);
        self.make_container(&wanted.name, Some(&wanted.platform), &wanted.body(), asked).await
    }

    /// Makes a container of this name and platform, as the body says.
    pub(crate) async fn make_container(
        &self,
        name: &str,
        platform: Option<&str>,
        body: &Value,
        asked: Asked<'_>,
    ) -> Result<Created, EngineError> {
        let mut path = format!("/containers/create?name={}", escaped(name));
        if let Some(platform) = platform.filter(|_| self.api_version() >= PLATFORM_OF_CONTAINER) {
            path.push_str(&format!("&platform={}", escaped(platform)));
        }
        let body = body.to_string().into_bytes();
        let answer = self.act(&path, post_json(body), asked, self.options().list).await?;
        serde_json::from_slice(&answer).map_err(|error| self.wire().unreadable(asked, reason(&error)))
    }

    /// Starts a container.
    ///
    /// # Errors
    /// As for any question; the engine's reason for refusing is in `Status`.
    pub async fn start_throwaway(&self, container: &str) -> Result<(), EngineError> {
        let path = format!("/containers/{}/start", escaped(container));
        let asked = Asked("starting container", container);
        self.act(&path, post_json(Vec::new()), asked, self.options().list).await.map(drop)
    }

    /// Waits until a container has ended and tells its exit status.
    ///
    /// # Errors
    /// As for any question; `TimedOut` when it still runs after the limit.
    pub async fn wait_throwaway(&self, container: &str, limit: Duration) -> Result<i64, EngineError> {
        let path = format!("/containers/{}/wait", escaped(container));
        let asked = Asked("waiting for container", container);
        let answer = self.act(&path, post_json(Vec::new()), asked, limit).await?;
        let waited: Waited =
            serde_json::from_slice(&answer).map_err(|error| self.wire().unreadable(asked, reason(&error)))?;
        Ok(waited.status_code)
    }

    /// What a container printed, up to so many bytes altogether.
    ///
    /// # Errors
    /// As for any question.
    pub async fn throwaway_output(&self, container: &str, longest: usize) -> Result<Output, EngineError> {
        self.output(container, "", longest).await
    }

    /// The last lines that any container printed, up to so many bytes. They may hold secrets.
    ///
    /// # Errors
    /// As for any question.
    pub async fn log_tail(&self, container: &str, lines: u32, longest: usize) -> Result<Output, EngineError> {
        self.output(container, &format!("&tail={lines}"), longest).await
    }

    /// The same of what was printed at or after a time, in seconds since 1970: of the last run, for example.
    ///
    /// # Errors
    /// As for any question.
    pub async fn log_tail_since(
        &self,
        container: &str,
        since: i64,
        lines: u32,
        longest: usize,
    ) -> Result<Output, EngineError> {
        self.output(container, &format!("&tail={lines}&since={since}"), longest).await
    }

    async fn output(&self, container: &str, query: &str, longest: usize) -> Result<Output, EngineError> {
        let path = self.versioned(&format!("/containers/{}/logs?stdout=1&stderr=1{query}", escaped(container)));
        let asked = Asked("the output of container", container);
        let limit = self.options().call;
        let reading = async {
            let mut body = std::pin::pin!(self.wire().stream(&path));
            let mut bytes = Vec::new();
            while let Some(piece) = body.next().await {
                bytes.extend_from_slice(piece.map_err(|error| self.wire().failed(asked, error))?.as_ref());
                if bytes.len() > longest {
                    bytes.truncate(longest);
                    return Ok(Output { cut: true, ..unframed(&bytes) });
                }
            }
            Ok(unframed(&bytes))
        };
        timeout(limit, reading).await.unwrap_or_else(|_| Err(self.wire().late(asked, limit)))
    }

    /// Removes a container, running or not, with its anonymous volumes. One that is not there is no error.
    ///
    /// # Errors
    /// As for any question.
    pub async fn remove_throwaway(&self, container: &str) -> Result<(), EngineError> {
        let path = format!("/containers/{}?v=1&force=1", escaped(container));
        self.remove(&path, Asked("removing container", container)).await
    }

    /// Removes an image, or one of its tags where it has more. One that is not there is no error; one that a
    /// container still uses is.
    ///
    /// # Errors
    /// As for any question.
    pub async fn remove_image(&self, image: &str) -> Result<(), EngineError> {
        self.remove(&format!("/images/{}", escaped(image)), Asked("removing image", image)).await
    }

    /// All containers that carry a label, running or not.
    ///
    /// # Errors
    /// As for any question.
    pub async fn labelled_containers(&self, label: &str) -> Result<Listing<ContainerRecord>, EngineError> {
        let path = format!("/containers/json?all=1&filters={}", filter(label));
        self.list(&path, Asked("the list of containers with label", label)).await
    }

    /// All images that carry a label.
    ///
    /// # Errors
    /// As for any question.
    pub async fn labelled_images(&self, label: &str) -> Result<Listing<LabelledImage>, EngineError> {
        let path = format!("/images/json?filters={}", filter(label));
        self.image_list(&path, Asked("the list of images with label", label)).await
    }

    pub(crate) async fn remove(&self, path: &str, asked: Asked<'_>) -> Result<(), EngineError> {
        let sent = Sent { method: Method::DELETE, content_type: "application/json", body: Vec::new(), login: None };
        match self.act(path, sent, asked, self.options().list).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    pub(crate) async fn act(
        &self,
        path: &str,
        sent: Sent,
        asked: Asked<'_>,
        limit: Duration,
    ) -> Result<Vec<u8>, EngineError> {
        self.wire().send(&self.versioned(path), Some(sent), asked, limit).await
    }
}

pub(crate) fn post_json(body: Vec<u8>) -> Sent {
    Sent { method: Method::POST, content_type: "application/json", body, login: None }
}

pub(crate) fn filter(label: &str) -> String {
    escaped(&json!({ "label": [label] }).to_string())
}

/// Takes the two streams apart: in front of each piece stand its stream, three zeros and its length. A container with a
/// terminal has one stream without any of that.
fn unframed(bytes: &[u8]) -> Output {
    let mut output = Output::default();
    if bytes.len() >= 8 && !matches!(bytes, [0..=2, 0, 0, 0, ..]) {
        output.stdout = bytes.to_vec();
        return output;
    }
    let mut rest = bytes;
    while let Some((head, behind)) = rest.split_at_checked(8) {
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(behind.len());
        let (piece, next) = behind.split_at(length);
        if head[0] == 2 { &mut output.stderr } else { &mut output.stdout }.extend_from_slice(piece);
        rest = next;
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_taken_apart() {
        let framed = |stream: u8, text: &str| {
            let mut bytes = vec![stream, 0, 0, 0];
            bytes.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
            bytes
        };
        let whole = [framed(1, "one "), framed(2, "oops"), framed(1, ""), framed(1, "two")].concat();
        let table: [(&[u8], &str, &str); 5] = [
            (b"of a terminal\r\n", "of a terminal\r\n", ""),
            (&whole, "one two", "oops"),
            (&whole[..whole.len() - 2], "one t", "oops"),
            (&whole[..5], "", ""),
            (&[], "", ""),
        ];
        for (bytes, stdout, stderr) in table {
            let output = unframed(bytes);
            assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (stdout.as_bytes(), stderr.as_bytes()));
        }
    }
}
