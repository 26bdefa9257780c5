//! The processes of a running container, as the engine's machine sees them.

use std::fmt;

use serde::Deserialize;

use crate::error::EngineError;

/// A process. Its arguments may hold secrets, so they are neither printed nor written by this type.
#[derive(Clone, PartialEq, Eq)]
pub struct Process {
    /// Number on the engine's machine.
    pub pid: u32,
    /// The command line, from which the caller takes the program and drops the rest.
    pub args: String,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// Why the processes of a container are not known.
#[derive(Debug, thiserror::Error)]
pub enum TopError {
    /// The container was removed meanwhile.
    #[error("the container is gone")]
    Gone,
    /// The container does not run (any more).
    #[error("the container is not running")]
    NotRunning,
    /// The engine's machine has no `ps`.
    #[error("the engine's machine has no ps program: {message}")]
    NoPs {
        /// The engine's words.
        message: String,
    },
    /// The engine or its `ps` does not answer this question.
    #[error("the engine cannot list processes: {message}")]
    Refused {
        /// The engine's words.
        message: String,
    },
    /// The engine gave no usable answer at all.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl TopError {
    /// Tells the engine's refusals apart. Its status alone does not: a missing `ps` is a 500 like any other failure.
    pub(crate) fn of(error: EngineError) -> Self {
        let EngineError::Status { code, message, .. } = &error else {
            return Self::Engine(error);
        };
        let lower = message.to_lowercase();
        // The last one is Podman's.
        let not_running = ["not running", "is restarting", "running containers"];
        if not_running.iter().any(|words| lower.contains(words)) {
            return Self::NotRunning;
        }
        match code {
            404 => Self::Gone,
            409 => Self::NotRunning,
            _ if lower.contains("executable file not found") || lower.contains("ps: not found") => {
                Self::NoPs { message: message.clone() }
            }
            _ => Self::Refused { message: message.clone() },
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawTop {
    titles: Vec<String>,
    #[serde(default, deserialize_with = "crate::json::null_is_default")]
    processes: Vec<Vec<String>>,
}

/// Reads the answer by its titles: engines differ in what they add. `None` is Podman's answer for a container that
/// does not run: 200 and an empty body.
///
/// # Errors
/// A text that says what is missing.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Vec<Process>>, String> {
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    let raw: RawTop = serde_json::from_slice(bytes).map_err(|error| crate::json::reason(&error))?;
    let column = |names: &[&str]| raw.titles.iter().position(|title| names.contains(&title.as_str()));
    let pid = column(&["PID"]).ok_or("it has no PID column")?;
    let args = column(&["COMMAND", "ARGS", "CMD"]).ok_or("it has no command column")?;
    let mut processes = Vec::with_capacity(raw.processes.len());
    for row in &raw.processes {
        let (Some(pid), Some(args)) = (row.get(pid), row.get(args)) else {
            return Err("a row is shorter than its titles".to_owned());
        };
        let pid = pid.trim().parse().map_err(|_| "a PID is not a number")?;
        processes.push(Process { pid, args: args.clone() });
    }
    Ok(Some(processes))
}
