//! The house stays as docs/architecture.md draws it: dependency edges between the crates, one door to Tauri, no
//! `cfg(target_os)` outside the shell.

#![allow(clippy::unwrap_used)] // a test's way to fail

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Which crate may use which of ours, normal dependencies only. Exactly these edges exist.
const EDGES: &[(&str, &[&str])] = &[
    ("host", &[]),
    ("diagnosis", &["executable"]),
    ("engine", &["host"]),
    ("executable", &[]),
    ("probe", &["executable"]),
    ("measure", &["diagnosis", "engine", "executable", "host", "probe"]),
    ("observe", &["diagnosis", "engine", "executable", "host"]),
    ("remedy", &["diagnosis", "engine", "host"]),
    ("report", &["diagnosis"]),
    ("app", &["diagnosis", "engine", "host", "measure", "observe", "remedy", "report"]),
    ("testkit", &[]),
    ("silidock", &["app"]),
    ("desktop", &["app"]),
];

#[test]
fn crates_depend_on_each_other_exactly_as_drawn() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let short = |name: &str| name.strip_prefix("silidock-").unwrap_or(name).to_owned();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let edges = found.entry(short(package["name"].as_str().unwrap())).or_default();
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            if dependency["kind"].is_null() && name.starts_with("silidock") {
                edges.insert(short(name));
            }
        }
    }
    let drawn: BTreeMap<String, BTreeSet<String>> = EDGES
        .iter()
        .map(|(name, edges)| ((*name).to_owned(), edges.iter().map(|e| (*e).to_owned()).collect()))
        .collect();
    assert_eq!(found, drawn);
}

#[test]
fn only_one_file_of_the_window_knows_tauri() {
    let doors: Vec<PathBuf> = files("ui/src", &["ts", "svelte", "js"])
        .into_iter()
        .filter(|path| std::fs::read_to_string(path).unwrap().contains("@tauri-apps/"))
        .collect();
    assert_eq!(doors, [root().join("ui/src/host/tauri.ts")]);
}

#[test]
fn macos_knowledge_is_found_at_run_time() {
    let conditional = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().any(|line| line.trim_start().starts_with("#[cfg") && line.contains("target_os"))
    };
    let offenders: Vec<PathBuf> = files("crates", &["rs"]).into_iter().filter(conditional).collect();
    assert_eq!(offenders, Vec::<PathBuf>::new());
}

#[test]
fn every_file_says_what_it_is() {
    let silent = |path: &PathBuf| !std::fs::read_to_string(path).unwrap().starts_with("//!");
    let offenders: Vec<PathBuf> = ["crates", "src-tauri/src", "tests"]
        .into_iter()
        .flat_map(|folder| files(folder, &["rs"]))
        .filter(silent)
        .collect();
    assert_eq!(offenders, Vec::<PathBuf>::new());
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut waiting = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|e| endings.contains(&e.to_string_lossy().as_ref())) {
            found.push(path);
        }
    }
    assert!(!found.is_empty(), "{folder} has no files to look at");
    found.sort();
    found
}
