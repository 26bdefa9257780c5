//! The same image on every real engine, old and new, and as the file it was loaded from: read by stream, it has the same
//! files, layers and lines. Needs the engines that `SILIDOCK_LAB` names.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // a test's way to fail and to tell

mod archives;

use std::{
    collections::HashMap,
    io::{Cursor, Write},
    process::{Command, Stdio},
    sync::{Arc, Mutex, atomic::Ordering},
};

use archives::{Image, Packing, Tar, elf};
use serde_json::Value;
use silidock_engine::{ConnectOptions, Engine, EngineError};
use silidock_host::FixtureHost;
use silidock_observe::contents::{
    Contents, ContentsError, LayerCache, Request, read_container, read_image, read_stream,
};

const NAME: &str = "silidock-contents-test:1";

struct Lab {
    name: String,
    endpoint: String,
    client: String,
    config: String,
}

fn engines() -> Vec<Lab> {
    let file = std::env::var("SILIDOCK_LAB").unwrap_or_default();
    assert!(!file.is_empty(), "this needs real engines: `make test`, or tests/lab/lab.sh up and SILIDOCK_LAB");
    if file == "skip" {
        eprintln!("SKIPPED, because SILIDOCK_LAB=skip");
        return Vec::new();
    }
    let all: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let lab = |(name, engine): (&String, &Value)| {
        let text = |key: &str| engine[key].as_str().unwrap().to_owned();
        Lab { name: name.clone(), endpoint: text("endpoint"), client: text("client"), config: text("dockerConfig") }
    };
    all.as_object().unwrap().iter().map(lab).collect()
}

impl Lab {
    fn docker(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut command = Command::new(&self.client);
        command.args(arguments).env("DOCKER_HOST", &self.endpoint).env("DOCKER_CONFIG", &self.config);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).env_remove("DOCKER_CONTEXT");
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}: docker {arguments:?}", self.name);
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    async fn engine(&self) -> Engine {
        let nowhere = tempfile::tempdir().unwrap();
        let host = FixtureHost::new(nowhere.path()).with_home("/Users/ada");
        Engine::find(&host, Some(&self.endpoint), ConnectOptions::default()).await.unwrap()
    }
}

/// Removes what the test made, however it ends.
struct Made<'a>(&'a Lab, Option<String>);

impl Drop for Made<'_> {
    fn drop(&mut self) {
        if let Some(container) = &self.1 {
            self.0.docker(&["rm", "-f", container], b"");
        }
        self.0.docker(&["rmi", "-f", NAME], b"");
    }
}

fn image() -> Image {
    let base = Tar::new()
        .folder("bin")
        .file("bin/tool", 0o755, &elf(62))
        .file("bin/gone", 0o755, &elf(183))
        .folder("old")
        .file("old/a", 0o755, &elf(62))
        .link("link", "bin/tool")
        .hard_link("bin/second", "bin/tool");
    let upper = Tar::new()
        .file("bin/.wh.gone", 0o644, b"")
        .folder("old")
        .file("old/.wh..wh..opq", 0o644, b"")
        .file("old/new", 0o755, b"#!/bin/bash\r\n")
        .folder("app")
        .file("app/run", 0o755, &elf(183));
    Image::new(NAME, "amd64").layer(base, Packing::Plain, "ADD rootfs.tar /").layer(upper, Packing::Plain, "COPY . /")
}

/// What must be the same everywhere.
fn same(contents: &Contents) -> String {
    assert_eq!(contents.gaps, []);
    let layers: Vec<_> =
        contents.layers.iter().map(|layer| (&layer.digest, &layer.created_by, layer.counts.whiteouts)).collect();
    format!("{:?} {layers:?} {:#?}", contents.image, contents.files)
}

#[derive(Default)]
struct Remembering(Mutex<HashMap<String, Vec<u8>>>);

impl LayerCache for Remembering {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(key).cloned()
    }
    fn put(&self, key: &str, bytes: &[u8]) {
        self.0.lock().unwrap().insert(key.to_owned(), bytes.to_vec());
    }
}

async fn on(lab: &Lab) {
    let saved = image().saved_tar();
    lab.docker(&["load", "-q"], &saved);
    let mut made = Made(lab, None);
    let engine = lab.engine().await;
    let cache = Arc::new(Remembering::default());
    let request = || Request { cache: Some(cache.clone()), ..Request::default() };
    let expected = read_stream(Cursor::new(saved), "the file", &Request::default()).unwrap();
    let first = request();
    let contents = read_image(&engine, NAME, &first).await.unwrap();
    assert_eq!(same(&contents), same(&expected), "{}", lab.name);
    // An image that is known is not asked for again.
    let second = request();
    assert_eq!(read_image(&engine, NAME, &second).await.unwrap(), contents, "{}", lab.name);
    let bytes = |request: &Request| request.watch.bytes.load(Ordering::Relaxed);
    assert!(bytes(&first) > 0 && bytes(&second) == 0, "{}: {} {}", lab.name, bytes(&first), bytes(&second));
    // A container's file system has no layers, and is what the image's layers make.
    let container = lab.docker(&["create", "--platform", "linux/amd64", NAME, "x"], b"");
    made.1 = Some(container.clone());
    let exported = read_container(&engine, &container, &Request::default()).await.unwrap();
    let records = |contents: &Contents| -> Vec<String> {
        let ours = contents.files.iter().filter(|found| {
            !matches!(found.record.path.text().split('/').nth(1), Some("etc" | "dev" | "proc" | "sys" | ".dockerenv"))
        });
        ours.map(|found| format!("{:?}", found.record)).collect()
    };
    assert_eq!(records(&exported), records(&contents), "{}", lab.name);
    assert!(exported.image.is_none() && exported.layers.len() == 1, "{}", lab.name);
    let missing = read_image(&engine, "silidock-contents-test:none", &Request::default()).await.unwrap_err();
    assert!(matches!(&missing, ContentsError::Engine(EngineError::Status { code: 404, .. })), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_engine_gives_the_same_by_stream() {
    let labs = engines();
    futures_util::future::join_all(labs.iter().map(on)).await;
}
