//! Files that are made from the code and kept in the repository: each must be what the code makes today.
//!
//! `SILIDOCK_WRITE=1 cargo test --test generated` writes them.

#![allow(clippy::unwrap_used)] // a test's way to fail

use std::path::Path;

use silidock_app::{report::checks_markdown, schemas::schemas, typescript::typescript};

fn fresh(path: &str, content: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("SILIDOCK_WRITE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, content).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == content, "{path} is stale: run SILIDOCK_WRITE=1 cargo test --test generated");
}

#[test]
fn the_catalogue_of_checks() {
    fresh("docs/checks.md", &checks_markdown());
}

#[test]
fn the_schemas_of_every_document() {
    for (name, schema) in schemas() {
        fresh(&format!("docs/schema/{name}.json"), &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
    }
}

#[test]
fn the_window_s_types_and_commands() {
    fresh("ui/src/host/generated.ts", &typescript());
}
