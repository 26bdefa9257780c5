//! A throw-away container made from somebody's image, in which a program of ours looks at that image's files: made,
//! given the program, started, and its output followed while it runs. How it is locked in is fixed here; what the
//! program does, whose the container is and when it goes is the caller's. Waiting and removing are as for any other.

use std::collections::BTreeMap;

use bollard::errors::Error;
use futures_util::{Stream, StreamExt};
use http::Method;
use serde_json::{Value, json};

use crate::client::Engine;
use crate::error::{Asked, EngineError};
use crate::throwaway::Created;
use crate::wire::{Sent, escaped};

/// Root by number: the image may have no user list. It may read and search everything, and nothing else.
const USER: &str = "0:0";
const CAPABILITY: &str = "DAC_READ_SEARCH";

/// Output is kept whole up to this much, so that a reader who comes late misses nothing.
const LOG_SIZE: &str = "96m";

/// A container to be made from an image that is not ours. It gets no network, a read-only root, no capability but that
/// of reading every file, no health check, and one anonymous volume for the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// Its name.
    pub name: String,
    /// The image's reference or identifier.
    pub image: String,
    /// Which of the image's platforms; `None` takes the one that is here.
    pub platform: Option<String>,
    /// Where the anonymous volume lies: the one place that can be written to, from outside.
    pub volume: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The most memory it may use, in bytes; none is swapped.
    pub memory: u64,
    /// The most processes and threads it may have.
    pub processes: u32,
}

impl Carrier {
    fn body(&self) -> Value {
        let volume = &self.volume;
        json!({
            "Image": self.image, "Entrypoint": self.command, "Cmd": [], "User": USER, "WorkingDir": "/",
            "Labels": self.labels, "NetworkDisabled": true, "Healthcheck": { "Test": ["NONE"] },
            "Volumes": { volume: {} },
            "HostConfig": {
                "NetworkMode": "none", "ReadonlyRootfs": true, "CapDrop": ["ALL"], "CapAdd": [CAPABILITY],
                "SecurityOpt": ["no-new-privileges"], "Memory": self.memory, "MemorySwap": self.memory,
                "PidsLimit": self.processes, "RestartPolicy": { "Name": "no" },
                "LogConfig": { "Type": "json-file", "Config": { "max-size": LOG_SIZE, "max-file": "1" } }
            }
        })
    }
}

/// A piece of what a container prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Printed {
    /// On standard output.
    Out(Vec<u8>),
    /// On standard error.
    Err(Vec<u8>),
}

impl Engine {
    /// Makes a container; it does not run yet.
    ///
    /// # Errors
    /// As for any question; the engine's reason for refusing is in `Status`.
    pub async fn create_carrier(&self, wanted: &Carrier) -> Result<Created, EngineError> {
        let asked = Asked("making container", &wanted.name);
        self.make_container(&wanted.name, wanted.platform.as_deref(), &wanted.body(), asked).await
    }

    /// Unpacks a tar file below a folder of a container, running or not. A read-only root refuses; a volume does not.
    ///
    /// # Errors
    /// As for any question; the engine's reason for refusing is in `Status`.
    pub async fn upload(&self, container: &str, folder: &str, tar: Vec<u8>) -> Result<(), EngineError> {
        let path = format!("/containers/{}/archive?path={}", escaped(container), escaped(folder));
        let sent = Sent { method: Method::PUT, content_type: "application/x-tar", body: tar, login: None };
        self.act(&path, sent, Asked("filling container", container), self.options().list).await.map(drop)
    }

    /// What a container prints, from its start on and until it ends. Nothing is held back but a piece of the framing.
    pub fn follow(&self, container: &str) -> impl Stream<Item = Result<Printed, EngineError>> + Send + use<> {
        let path = self.versioned(&format!("/containers/{}/logs?follow=1&stdout=1&stderr=1", escaped(container)));
        let (wire, container) = (self.wire().clone(), container.to_owned());
        let body = self.wire().stream(&path);
        let failed = move |error: Error| wire.failed(Asked("the output of container", &container), error);
        let mut frames = Frames::default();
        body.flat_map(move |piece| {
            let printed = match piece {
                Ok(bytes) => frames.take(bytes.as_ref()).into_iter().map(Ok).collect(),
                Err(error) => vec![Err(failed(error))],
            };
            futures_util::stream::iter(printed)
        })
    }
}

/// Takes the two streams apart as they arrive: in front of each piece stand its stream, three zeros and its length.
#[derive(Debug, Default)]
struct Frames {
    /// The head, while it is not whole.
    head: Vec<u8>,
    /// What is still to come of the piece whose head was read, and whether it is of standard error.
    rest: usize,
    errors: bool,
}

const HEAD: usize = 8;

impl Frames {
    fn take(&mut self, mut bytes: &[u8]) -> Vec<Printed> {
        let mut printed = Vec::new();
        while !bytes.is_empty() {
            if self.rest == 0 {
                let (head, behind) = bytes.split_at(bytes.len().min(HEAD - self.head.len()));
                self.head.extend_from_slice(head);
                bytes = behind;
                if let [stream, _, _, _, a, b, c, d] = self.head[..] {
                    self.errors = stream == 2;
                    self.rest = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
                    self.head.clear();
                }
                continue;
            }
            let (piece, behind) = bytes.split_at(bytes.len().min(self.rest));
            self.rest -= piece.len();
            bytes = behind;
            printed.push(if self.errors { Printed::Err(piece.to_vec()) } else { Printed::Out(piece.to_vec()) });
        }
        printed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_taken_apart_wherever_it_is_cut() {
        let framed = |stream: u8, text: &str| {
            let length = u32::try_from(text.len()).unwrap().to_be_bytes();
            [&[stream, 0, 0, 0], &length[..], text.as_bytes()].concat()
        };
        let whole = [framed(1, "one "), framed(2, "oops"), framed(1, ""), framed(1, "two")].concat();
        for length in 1..=whole.len() {
            let mut frames = Frames::default();
            let (mut out, mut errors) = (Vec::new(), Vec::new());
            for printed in whole.chunks(length).flat_map(|piece| frames.take(piece)) {
                match printed {
                    Printed::Out(bytes) => out.extend(bytes),
                    Printed::Err(bytes) => errors.extend(bytes),
                }
            }
            assert_eq!((out.as_slice(), errors.as_slice()), (&b"one two"[..], &b"oops"[..]), "in pieces of {length}");
        }
    }
}
