//! What starting a container means: its program, where that is looked up, its user, mounts and limits. Of its
//! environment only `PATH` is read, of its arguments none: they hold secrets.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::client::Engine;
use crate::error::{Asked, EngineError};
use crate::json::{if_readable, null_is_default};
use crate::wire::escaped;

/// How a container is started, and how that went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRecord {
    /// The program, without its arguments: of the entry point, or of the command where there is none.
    pub program: String,
    /// The value of `PATH` in its environment, where it is set.
    pub search_path: Option<String>,
    /// The folder it is started in; may be empty.
    pub working_dir: String,
    /// The user it runs as, as written; empty for the image's default, root.
    pub user: String,
    /// The engine says that its memory ran out.
    pub oom_killed: bool,
    /// The most memory it may use, in bytes; none without a limit.
    pub memory_limit: Option<u64>,
    /// Its mounts.
    pub mounts: Vec<MountRecord>,
    /// Where the log of the container goes: `json-file`, `none` ...
    pub log_driver: String,
    /// Compose's labels and our own.
    pub labels: BTreeMap<String, String>,
}

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountRecord {
    /// Where in the container.
    pub destination: String,
    /// The folder or file on the engine's machine, for a bind mount.
    pub source: Option<String>,
    /// Nothing on it may be executed.
    pub noexec: bool,
    /// It lies in memory, so that nothing of it is left once the container has stopped.
    pub in_memory: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    #[serde(default, deserialize_with = "null_is_default")]
    path: String,
    #[serde(default, deserialize_with = "null_is_default")]
    state: RawState,
    #[serde(default, deserialize_with = "null_is_default")]
    config: RawConfig,
    #[serde(default, deserialize_with = "null_is_default")]
    host_config: RawHostConfig,
    #[serde(default, deserialize_with = "null_is_default")]
    mounts: Vec<RawMount>,
}

#[derive(Default, Deserialize)]
struct RawState {
    #[serde(rename = "OOMKilled", default, deserialize_with = "null_is_default")]
    oom_killed: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawConfig {
    #[serde(default, deserialize_with = "null_is_default")]
    working_dir: String,
    #[serde(default, deserialize_with = "null_is_default")]
    user: String,
    #[serde(rename = "Env", default, deserialize_with = "only_path")]
    search_path: Option<String>,
    #[serde(default, deserialize_with = "crate::containers::kept_labels")]
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawHostConfig {
    #[serde(default, deserialize_with = "if_readable")]
    memory: Option<u64>,
    #[serde(default, deserialize_with = "if_readable")]
    tmpfs: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "if_readable")]
    log_config: Option<RawLog>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawLog {
    #[serde(rename = "Type", default)]
    driver: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawMount {
    #[serde(rename = "Type", default, deserialize_with = "null_is_default")]
    kind: String,
    #[serde(default, deserialize_with = "null_is_default")]
    source: String,
    #[serde(default, deserialize_with = "null_is_default")]
    destination: String,
    #[serde(default, deserialize_with = "null_is_default")]
    mode: String,
}

impl<'de> Deserialize<'de> for StartRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        let option = |options: &str, wanted: &str| options.split(',').any(|option| option.trim() == wanted);
        // A temporary file system in memory is noexec unless somebody says otherwise.
        let tmpfs = raw.host_config.tmpfs.unwrap_or_default().into_iter().map(|(destination, options)| MountRecord {
            destination,
            source: None,
            noexec: !option(&options, "exec"),
            in_memory: true,
        });
        let mounts = raw.mounts.into_iter().map(|mount| MountRecord {
            destination: mount.destination,
            source: (mount.kind == "bind" && !mount.source.is_empty()).then_some(mount.source),
            noexec: option(&mount.mode, "noexec"),
            in_memory: mount.kind == "tmpfs",
        });
        Ok(Self {
            program: raw.path,
            search_path: raw.config.search_path,
            working_dir: raw.config.working_dir,
            user: raw.config.user,
            oom_killed: raw.state.oom_killed,
            memory_limit: raw.host_config.memory.filter(|limit| *limit > 0),
            mounts: mounts.chain(tmpfs).collect(),
            log_driver: raw.host_config.log_config.map(|log| log.driver).unwrap_or_default(),
            labels: raw.config.labels,
        })
    }
}

fn only_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let all: Option<Vec<String>> = Option::deserialize(deserializer)?;
    Ok(all.unwrap_or_default().into_iter().find_map(|entry| entry.strip_prefix("PATH=").map(str::to_owned)))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawLayer {
    #[serde(default, deserialize_with = "null_is_default")]
    created_by: String,
}

/// Only these lines of a history are kept: a RUN line may hold secrets.
const KEPT_INSTRUCTIONS: [&str; 3] = ["COPY ", "ADD ", "WORKDIR "];

impl Engine {
    /// The lines of an image's history that bring files into it, as BuildKit writes them, oldest first: `COPY`, `ADD` and
    /// the `WORKDIR` that relative paths are meant from.
    ///
    /// # Errors
    /// As for any question.
    pub async fn copied_into(&self, image: &str) -> Result<Vec<String>, EngineError> {
        let path = format!("/images/{}/history", escaped(image));
        let layers = self.list::<RawLayer>(&path, Asked("the history of image", image)).await?;
        let lines = layers.items.into_iter().map(|layer| layer.created_by.trim().to_owned());
        let mut kept: Vec<String> =
            lines.filter(|line| KEPT_INSTRUCTIONS.iter().any(|word| line.starts_with(word))).collect();
        kept.reverse();
        Ok(kept)
    }

    /// How a container is started.
    ///
    /// # Errors
    /// As for any question; [`EngineError::is_not_found`] for a container that vanished.
    pub async fn container_start(&self, container: &str) -> Result<StartRecord, EngineError> {
        let path = format!("/containers/{}/json", escaped(container));
        self.read(&path, Asked("the question about container", container)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_environment_and_arguments_only_the_search_path_is_kept() {
        let text = r#"{"Path": "run", "Args": ["--token=hunter2"], "State": {"OOMKilled": true},
            "Config": {"Env": ["TOKEN=hunter2", "PATH=/bin:/app"], "User": "1000", "WorkingDir": "/app",
                       "Labels": {"com.docker.compose.service": "web", "secret": "hunter2"}},
            "HostConfig": {"Memory": 1000, "Tmpfs": {"/tmp": "rw,size=1m", "/run": "exec"}, "LogConfig": {"Type": "none"}},
            "Mounts": [{"Type": "bind", "Source": "/home/me", "Destination": "/src", "Mode": "ro,noexec"},
                       {"Type": "volume", "Source": "/var/lib/x", "Destination": "/data", "Mode": "z"}]}"#;
        let record: StartRecord = serde_json::from_str(text).unwrap();
        assert_eq!((record.program.as_str(), record.search_path.as_deref()), ("run", Some("/bin:/app")));
        assert_eq!((record.memory_limit, record.oom_killed, record.log_driver.as_str()), (Some(1000), true, "none"));
        let mounts: Vec<_> =
            record.mounts.iter().map(|m| (m.destination.as_str(), m.source.as_deref(), m.noexec)).collect();
        let expected =
            [("/src", Some("/home/me"), true), ("/data", None, false), ("/run", None, false), ("/tmp", None, true)];
        assert_eq!(mounts, expected);
        assert!(!format!("{record:?}").contains("hunter2"));
        let bare: StartRecord = serde_json::from_str(r#"{"Path": null, "HostConfig": null}"#).unwrap();
        assert_eq!((bare.program.as_str(), bare.memory_limit), ("", None));
    }
}
