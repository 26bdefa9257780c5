//! `silidock explain` as people and jobs run it: a real container that stopped, a log from a file and from a pipe, and
//! what cannot be explained. Every cause has its own real container in crates/app/tests/explain.rs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod common;

use std::{io::Write, process::Stdio};

use common::{
    User,
    images::Images,
    lab::{Lab, on_each},
    list, text,
};
use serde_json::Value;

/// Image's start, the cause, whether it is the architecture.
const CASES: [(&str, &str, &str); 2] = [("crlf.sh", "crlf-script", "no"), ("foreign", "foreign-binary", "yes")];

#[test]
fn a_container_that_stopped_is_explained() {
    let starts = CASES.map(|(start, ..)| start);
    on_each("explain", |engine: &Lab| {
        // An emulated machine needs half a minute for each; crates/app/tests/explain.rs has it.
        if engine.name == "arm64" {
            return;
        }
        let user = User::new();
        let images = Images::new(engine, &starts);
        for ((start, cause, architecture), tag) in CASES.iter().zip(images.tags()) {
            let name = images.container(tag);
            let started = engine.client(&["start", "--attach", &name]).output().unwrap();
            assert!(!started.status.success(), "{start} on {}", engine.name);
            let (status, said) = user.json("explanation", &["explain", &name, "--engine", &engine.endpoint]);
            let answer = (status, text(&said, "cause"), text(&said, "architecture"));
            assert_eq!(answer, (0, *cause, *architecture), "{start} on {}: {said}", engine.name);
            assert!(!list(&said, "evidence").is_empty() && !list(&said, "fixes").is_empty(), "{said}");
            let words = user.run(&["explain", &name, "--engine", &engine.endpoint]).out;
            assert!(words.starts_with(text(&said, "title")) && words.contains("Seen"), "{words}");
        }
        let running = user.run(&["explain", "nobody", "--engine", &engine.endpoint]);
        assert!(running.status == 2 && running.err.contains("nobody"), "{running:?}");
    });
}

#[test]
fn a_log_is_explained_from_a_file_and_from_a_pipe() {
    let user = User::new();
    let log = "step 1\nexec /usr/local/bin/app: exec format error\n";
    let file = user.file("run.log");
    std::fs::write(&file, log).unwrap();
    let (status, from_file) = user.json("explanation", &["explain", "--log", &file]);
    assert_eq!((status, text(&from_file, "check")), (0, "exec-format-error"));
    assert_eq!(list(&from_file, "evidence")[0]["place"], "log line 2");

    let mut piped = user.command(&["explain", "--log", "-", "--json"]);
    let mut child = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(log.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let from_pipe: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(from_pipe, from_file);

    std::fs::write(&file, "all is well\n").unwrap();
    let nothing = user.run(&["explain", "--log", &file]);
    assert!(nothing.status == 0 && !nothing.out.is_empty(), "{nothing:?}");
    let missing = user.run(&["explain", "--log", &user.file("none.log")]);
    assert!(missing.status == 2 && missing.err.contains("none.log"), "{missing:?}");
}
