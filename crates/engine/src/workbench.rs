//! Throw-away containers that stay for a while: ones that are talked to line by line over their input and output, a
//! network of their own between two of them, and runs of the user's images. They are waited for and removed like the
//! others in `throwaway`; what is said to them is the caller's.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use bollard::container::LogOutput;
use futures_util::{Stream, StreamExt};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::client::Engine;
use crate::containers::kept_labels;
use crate::error::{Asked, EngineError, one_line};
use crate::json::{Listing, null_is_default, reason};
use crate::throwaway::{Created, PLATFORM_OF_CONTAINER, USER, filter, post_json};
use crate::wire::{Sent, Wire, escaped};

/// What a container printed to standard error is kept up to so many bytes.
const COMPLAINT: usize = 2000;

/// No line is longer.
const LONGEST_LINE: usize = 1024 * 1024;

/// A container that is talked to. It gets no capabilities, no health check and no network but the one named; its input
/// ends when nobody is attached any more.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Workbench {
    /// Its name.
    pub name: String,
    /// The image's reference.
    pub image: String,
    /// The image's platform: `linux/arm64`.
    pub platform: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// `NAME=value`
    pub environment: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The most memory it may use, in bytes; none is swapped.
    pub memory: u64,
    /// The most processor time it may use, in processors.
    pub cpus: f64,
    /// The most processes it may have.
    pub processes: u32,
    /// The network it is in; none at all without.
    pub network: Option<String>,
    /// Where a volume of its own is put, which goes with it.
    pub volume: Option<String>,
    /// Folders and files of the engine's machine and where they are put, and whether they may be written.
    pub binds: Vec<(String, String, bool)>,
}

impl Workbench {
    fn body(&self) -> Value {
        let volume = self
            .volume
            .iter()
            .map(|target| json!({ "Type": "volume", "Target": target, "VolumeOptions": { "Labels": self.labels } }));
        let binds = self.binds.iter().map(|(source, target, writable)| {
            json!({ "Type": "bind", "Source": source, "Target": target, "ReadOnly": !writable })
        });
        let mounts: Vec<Value> = volume.chain(binds).collect();
        json!({
            "Image": self.image, "Entrypoint": self.command, "Cmd": [], "User": USER, "WorkingDir": "/",
            "Env": self.environment, "Labels": self.labels, "Healthcheck": { "Test": ["NONE"] },
            "NetworkDisabled": self.network.is_none(), "AttachStdin": true, "AttachStdout": true, "AttachStderr": true,
            "OpenStdin": true, "StdinOnce": true, "Tty": false,
            "HostConfig": {
                "NetworkMode": self.network.as_deref().unwrap_or("none"), "CapDrop": ["ALL"],
                "SecurityOpt": ["no-new-privileges"], "Memory": self.memory, "MemorySwap": self.memory,
                "NanoCpus": nano(self.cpus), "PidsLimit": self.processes, "Mounts": mounts,
                "LogConfig": { "Type": "json-file", "Config": { "max-size": "1m", "max-file": "1" } }
            }
        })
    }
}

/// An image of the user's, run once with a command of the user's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OwnRun {
    /// The container's name.
    pub name: String,
    /// The image's reference.
    pub image: String,
    /// Which of the image's platforms.
    pub platform: String,
    /// What the image's entry point gets; the image's own words where there are none.
    pub command: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The most memory it may use, in bytes.
    pub memory: u64,
    /// The most processor time it may use, in processors.
    pub cpus: f64,
    /// Whether it gets the engine's default network, or none.
    pub network: bool,
}

impl OwnRun {
    fn body(&self) -> Value {
        let mut body = json!({
            "Image": self.image, "Labels": self.labels, "Healthcheck": { "Test": ["NONE"] },
            "HostConfig": {
                "Memory": self.memory, "MemorySwap": self.memory, "NanoCpus": nano(self.cpus),
                "LogConfig": { "Type": "json-file", "Config": { "max-size": "1m", "max-file": "1" } }
            }
        });
        if !self.command.is_empty() {
            body["Cmd"] = json!(self.command);
        }
        if !self.network {
            body["HostConfig"]["NetworkMode"] = json!("none");
        }
        body
    }
}

fn nano(cpus: f64) -> u64 {
    // At most some hundred processors.
    (cpus * 1e9) as u64
}

/// A network that carries a label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LabelledNetwork {
    /// Its name.
    pub name: String,
    /// Our labels; others are dropped.
    #[serde(default, deserialize_with = "kept_labels")]
    pub labels: BTreeMap<String, String>,
}

impl Engine {
    /// Makes a container that is to be talked to; it does not run yet.
    ///
    /// # Errors
    /// As for any question; the engine's reason for refusing is in `Status`.
    pub async fn create_workbench(&self, wanted: &Workbench) -> Result<Created, EngineError> {
        self.create(&wanted.name, &wanted.platform, wanted.body()).await
    }

    /// Makes a container of a user's image; it does not run yet.
    ///
    /// # Errors
    /// As for any question; the engine's reason for refusing is in `Status`.
    pub async fn create_own(&self, wanted: &OwnRun) -> Result<Created, EngineError> {
        self.create(&wanted.name, &wanted.platform, wanted.body()).await
    }

    async fn create(&self, name: &str, platform: &str, body: Value) -> Result<Created, EngineError> {
        let asked = Asked("making container", name);
        let mut path = format!("/containers/create?name={}", escaped(name));
        if self.api_version() >= PLATFORM_OF_CONTAINER {
            path.push_str(&format!("&platform={}", escaped(platform)));
        }
        let answer = self.act(&path, post_json(body.to_string().into_bytes()), asked, self.options().list).await?;
        serde_json::from_slice(&answer).map_err(|error| self.wire().unreadable(asked, reason(&error)))
    }

    /// Opens the streams of a container that was made and does not run yet.
    ///
    /// # Errors
    /// As for any question.
    pub async fn attach(&self, container: &str) -> Result<Conversation, EngineError> {
        let path = format!("/containers/{}/attach?stream=1&stdin=1&stdout=1&stderr=1", escaped(container));
        let (asked, limit) = (Asked("attaching to container", container), self.options().call);
        let path = self.versioned(&path);
        let attached = timeout(limit, self.wire().attach(&path)).await;
        let streams = match attached {
            Ok(Ok(streams)) => streams,
            Ok(Err(error)) => return Err(self.wire().failed(asked, error)),
            Err(_) => return Err(self.wire().late(asked, limit)),
        };
        Ok(Conversation {
            wire: self.wire().clone(),
            container: container.to_owned(),
            output: streams.output,
            input: streams.input,
            unread: Vec::new(),
            complaint: Vec::new(),
        })
    }

    /// Makes a network without a way out.
    ///
    /// # Errors
    /// As for any question; the engine's reason for refusing is in `Status`.
    pub async fn create_network(&self, name: &str, labels: &BTreeMap<String, String>) -> Result<(), EngineError> {
        let body = json!({ "Name": name, "Driver": "bridge", "Internal": true, "Labels": labels });
        let asked = Asked("making network", name);
        self.act("/networks/create", post_json(body.to_string().into_bytes()), asked, self.options().list)
            .await
            .map(drop)
    }

    /// Removes a network. One that is not there is no error.
    ///
    /// # Errors
    /// As for any question.
    pub async fn remove_network(&self, name: &str) -> Result<(), EngineError> {
        self.remove(&format!("/networks/{}", escaped(name)), Asked("removing network", name)).await
    }

    /// All networks that carry a label.
    ///
    /// # Errors
    /// As for any question.
    pub async fn labelled_networks(&self, label: &str) -> Result<Listing<LabelledNetwork>, EngineError> {
        let path = format!("/networks?filters={}", filter(label));
        self.list(&path, Asked("the list of networks with label", label)).await
    }

    /// The address of a running container in a network; `None` while it has none.
    ///
    /// # Errors
    /// As for any question.
    pub async fn address_in(&self, container: &str, network: &str) -> Result<Option<String>, EngineError> {
        let path = self.versioned(&format!("/containers/{}/json", escaped(container)));
        let asked = Asked("the question for the address of container", container);
        let bytes = self.wire().get(&path, asked, self.options().call).await?;
        let details: Addresses =
            serde_json::from_slice(&bytes).map_err(|error| self.wire().unreadable(asked, reason(&error)))?;
        let found = details.network_settings.networks.get(network);
        Ok(found.map(|found| found.ip_address.clone()).filter(|address| !address.is_empty()))
    }

    /// A file out of a container, which need not run, as the tar archive that holds it.
    ///
    /// # Errors
    /// As for any question; [`EngineError::is_not_found`] where there is no such file.
    pub async fn file_of(&self, container: &str, file: &str) -> Result<Vec<u8>, EngineError> {
        let path = format!("/containers/{}/archive?path={}", escaped(container), escaped(file));
        self.wire().get(&self.versioned(&path), Asked("a file of container", container), self.options().list).await
    }

    /// Brings an image of a platform from its registry. Only on request: this uses the network and the engine's disk.
    ///
    /// # Errors
    /// The registry's or engine's reason is in `Status`.
    pub async fn pull(&self, image: &str, platform: &str, limit: Duration) -> Result<(), EngineError> {
        #[derive(Deserialize)]
        struct Line {
            error: Option<String>,
        }
        let asked = Asked("pulling image", image);
        let path = format!("/images/create?fromImage={}&platform={}", escaped(image), escaped(platform));
        let sent = Sent { method: Method::POST, content_type: "application/json", body: Vec::new(), login: None };
        let answer = self.act(&path, sent, asked, limit).await?;
        let lines = answer.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        match lines.filter_map(|line| line.error).next() {
            Some(error) => Err(EngineError::Status {
                endpoint: self.wire().endpoint().to_owned(),
                during: asked.to_string(),
                code: 500,
                message: one_line(&error),
            }),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Addresses {
    network_settings: Settings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    #[serde(default, deserialize_with = "null_is_default")]
    networks: BTreeMap<String, Connected>,
}

#[derive(Deserialize)]
struct Connected {
    #[serde(rename = "IPAddress", default, deserialize_with = "null_is_default")]
    ip_address: String,
}

/// The streams of one container. When it is dropped, the container's input ends.
pub struct Conversation {
    wire: Wire,
    container: String,
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>,
    input: Pin<Box<dyn AsyncWrite + Send>>,
    unread: Vec<u8>,
    complaint: Vec<u8>,
}

impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation").field("container", &self.container).finish_non_exhaustive()
    }
}

impl Conversation {
    /// Says one line and waits for one in answer.
    ///
    /// # Errors
    /// `Gone` when the container has ended or the engine is gone; `TimedOut` when it says nothing.
    pub async fn ask(&mut self, line: &str, limit: Duration) -> Result<Vec<u8>, EngineError> {
        let container = self.container.clone();
        let asked = Asked("talking to container", &container);
        let said = [line.as_bytes(), b"\n"].concat();
        let talking = async {
            let written = async {
                self.input.write_all(&said).await?;
                self.input.flush().await
            };
            match written.await {
                Ok(()) => self.line().await,
                Err(_) => Err(self.wire.gone(asked)),
            }
        };
        match timeout(limit, talking).await {
            Ok(answer) => answer,
            Err(_) => Err(self.wire.late(asked, limit)),
        }
    }

    /// The next line the container says by itself.
    ///
    /// # Errors
    /// As for [`Conversation::ask`].
    pub async fn listen(&mut self, limit: Duration) -> Result<Vec<u8>, EngineError> {
        match timeout(limit, self.line()).await {
            Ok(answer) => answer,
            Err(_) => Err(self.wire.late(Asked("talking to container", &self.container), limit)),
        }
    }

    async fn line(&mut self) -> Result<Vec<u8>, EngineError> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let rest = self.unread.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.unread, rest);
                line.pop();
                return Ok(line);
            }
            let asked = Asked("talking to container", &self.container);
            match self.output.next().await {
                Some(Ok(LogOutput::StdErr { message })) => {
                    let room = COMPLAINT.saturating_sub(self.complaint.len());
                    self.complaint.extend_from_slice(&message[..message.len().min(room)]);
                }
                Some(Ok(LogOutput::StdOut { message } | LogOutput::Console { message })) => {
                    self.unread.extend_from_slice(&message);
                    if self.unread.len() > LONGEST_LINE {
                        return Err(self.wire.unreadable(asked, format!("a line is longer than {LONGEST_LINE} bytes")));
                    }
                }
                Some(Ok(LogOutput::StdIn { .. })) => {}
                Some(Err(error)) => return Err(self.wire.failed(asked, error)),
                None => return Err(self.wire.gone(asked)),
            }
        }
    }

    /// What the container has printed to standard error so far, on one line.
    #[must_use]
    pub fn complaint(&self) -> String {
        one_line(&String::from_utf8_lossy(&self.complaint))
    }
}
