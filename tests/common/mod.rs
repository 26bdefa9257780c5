//! What the black-box tests share: running the program in a home of its own, the published schemas, and small JSON
//! helpers. Nothing of the program's own code is used here.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail and speak like tests"
)]

pub mod buildkit;
pub mod guard;
pub mod images;
pub mod lab;
pub mod proxy;
pub mod registry;
pub mod scripted;
pub mod spare;
pub mod stage;
pub mod valve;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use lab::Lab;

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A user without history: home, temporary files and receipts in a folder that goes with it.
pub struct User {
    folder: TempDir,
}

/// What a run of the program left.
#[derive(Debug)]
pub struct Ran {
    /// Exit status.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl User {
    pub fn new() -> Self {
        let user = Self { folder: TempDir::new().unwrap() };
        for name in ["home", "tmp"] {
            std::fs::create_dir(user.folder.path().join(name)).unwrap();
        }
        user
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn tmp(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// A path for a file of the test.
    pub fn file(&self, name: &str) -> String {
        self.tmp().join(name).display().to_string()
    }

    /// The program, seeing nothing of the machine's own Docker settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_silidock")), arguments)
    }

    /// The same under another name.
    pub fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DOCKER_") || name.to_string_lossy().starts_with("SILIDOCK_") {
                command.env_remove(name);
            }
        }
        command
            .env("HOME", self.home())
            .env("TMPDIR", self.tmp())
            .env("USER", "ada")
            .env("SILIDOCK_DATA_DIR", self.folder.path().join("data"))
            .env_remove("XDG_RUNTIME_DIR")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments))
    }

    /// The program on an engine of the lab, with its client and plugins, and what they keep in a folder of the user's own.
    pub fn with_client(&self, lab: &Lab) -> impl Fn(&[&str]) -> Ran {
        let config = self.home().join("docker");
        std::fs::create_dir(&config).unwrap();
        std::os::unix::fs::symlink(format!("{}/cli-plugins", lab.docker_config()), config.join("cli-plugins")).unwrap();
        let (folder, endpoint) = (lab.client_folder(), lab.endpoint.clone());
        move |arguments| {
            let mut command = self.command(arguments);
            command.env("PATH", &folder).env("DOCKER_CONFIG", &config).env("DOCKER_HOST", &endpoint);
            ran(command)
        }
    }

    /// Runs with `--json` and gives the one document, which must keep to the schema.
    pub fn json(&self, schema: &str, arguments: &[&str]) -> (i32, Value) {
        let mut all = arguments.to_vec();
        all.push("--json");
        let ran = self.run(&all);
        (ran.status, ran.document(schema))
    }
}

/// Runs a command to its end.
pub fn ran(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8 text is printed");
    Ran { status: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

impl Ran {
    /// The document on standard output, which must keep to the schema.
    pub fn document(&self, schema: &str) -> Value {
        let document =
            serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("not one JSON document: {e}\n{self:?}"));
        keeps_to(schema, &document);
        document
    }
}

/// Fails where a document does not keep to `docs/schema/<name>.json`.
pub fn keeps_to(name: &str, document: &Value) {
    let path = root().join(format!("docs/schema/{name}.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).take(5).collect();
    assert!(wrong.is_empty(), "{} is broken:\n{}", path.display(), wrong.join("\n"));
    assert_eq!(document["schema"], "silidock/1");
    let first = document.as_object().and_then(|keys| keys.keys().next().cloned());
    assert_eq!(first.as_deref(), Some("schema"), "every document starts with its mark");
}

/// The entries of a list.
pub fn list<'a>(document: &'a Value, key: &str) -> &'a Vec<Value> {
    document[key].as_array().unwrap_or_else(|| panic!("{key} is no list: {}", document[key]))
}

/// The text at a key.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text: {value}"))
}

/// The one entry of a list whose key says so.
pub fn one<'a>(entries: &'a [Value], key: &str, says: &str) -> &'a Value {
    let found: Vec<&Value> = entries.iter().filter(|entry| entry[key] == says).collect();
    assert_eq!(found.len(), 1, "{} entries with {key} {says}", found.len());
    found[0]
}

/// The one finding of a check about a subject.
pub fn finding<'a>(document: &'a Value, check: &str, subject: &str) -> &'a Value {
    let found: Vec<&Value> =
        list(document, "findings").iter().filter(|f| f["check"] == check && f["subject"]["id"] == subject).collect();
    assert_eq!(found.len(), 1, "{check} of {subject}: {found:?}");
    found[0]
}

/// Every check that fired, with its subject.
pub fn fired(document: &Value) -> std::collections::BTreeSet<(String, String)> {
    let pair = |f: &Value| (text(f, "check").to_owned(), text(&f["subject"], "id").to_owned());
    list(document, "findings").iter().map(pair).collect()
}
