//! Changes that run a runtime's own tools: previewed, recorded, carried out in order, taken back when one step fails, and
//! undone by the reverse.
//!
//! Which commands, in which order, and what brings them back, arrives as data in the fix. Whether the engine answers
//! again and what runs on it then is found out by whoever looks again.

mod carry;
mod change;
mod switches;
mod take_back;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::fix::{CommandKind, RuntimeChange};
use silidock_host::{Host, Output, RunError, ToolRun};
use ts_rs::TS;

use crate::file::FileRefused;
use crate::json::JsonRefused;
use crate::preview::Refusal;
use crate::receipt::JournalError;

pub(crate) use carry::{last_line, printed};
pub use change::{apply, preview};
pub use take_back::{undo, undo_preview};

/// The runtimes' tools, as the machine has them.
pub trait Tools {
    /// Where a tool is.
    fn find(&self, name: &str) -> Option<PathBuf>;

    /// Runs it to its end.
    ///
    /// # Errors
    /// It did not run to its end.
    fn run(&self, tool: &ToolRun) -> Result<Output, RunError>;
}

/// The tools of a [`Host`]. To be used on a thread that may wait.
#[derive(Debug)]
pub struct HostTools {
    host: Arc<dyn Host>,
    executor: tokio::runtime::Handle,
}

impl HostTools {
    /// The tools of this machine; `executor` runs them.
    #[must_use]
    pub fn new(host: Arc<dyn Host>, executor: tokio::runtime::Handle) -> Self {
        Self { host, executor }
    }
}

impl Tools for HostTools {
    fn find(&self, name: &str) -> Option<PathBuf> {
        self.host.find_tool(name)
    }

    fn run(&self, tool: &ToolRun) -> Result<Output, RunError> {
        self.executor.block_on(self.host.run(tool))
    }
}

/// As long as a machine that starts slowly may take.
fn limit(does: CommandKind) -> Duration {
    Duration::from_secs(match does {
        CommandKind::Set => 60,
        CommandKind::Stop => 180,
        CommandKind::Register => 300,
        CommandKind::Start | CommandKind::Restart => 600,
    })
}

/// What a receipt keeps of a change of a runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeRecord {
    /// Address of the engine that it was for.
    pub endpoint: String,
    /// What was asked, and the way back.
    pub change: RuntimeChange,
    /// The last step that was begun, from 0; the number of steps once all were done; none before the first.
    pub reached: Option<u32>,
    /// All steps were done.
    pub done: bool,
    /// Switches of settings files.
    pub switches: Vec<Switch>,
    /// Commands that ran, in order, those of the way back too.
    pub ran: Vec<Ran>,
}

/// A switch of a settings file that a change sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Switch {
    /// The file, after following links.
    pub path: String,
    /// Key at its top.
    pub key: String,
    /// What it was; none where the key was not there.
    pub before: Option<bool>,
    /// What it was set to last.
    pub after: bool,
    /// It was set, or was about to be. Else whatever it says now is not ours.
    pub written: bool,
}

/// A command that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Ran {
    /// The tool by its name, and its arguments.
    pub argv: Vec<String>,
    /// Its exit status; none where it did not run to its end.
    pub status: Option<i32>,
    /// The end of what it printed.
    pub printed: String,
}

/// Why a step was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum StepFailed {
    /// The tool is not there.
    #[error("{name} was not found in PATH or where runtimes install it")]
    NoTool {
        /// Its name.
        name: String,
    },
    /// The tool did not run to its end.
    #[error("{command} failed: {source}")]
    Run {
        /// As one line.
        command: String,
        /// Why.
        source: RunError,
    },
    /// The tool says that it failed.
    #[error("{command} ended with {status}{said}")]
    Ended {
        /// As one line.
        command: String,
        /// Exit status, in words.
        status: String,
        /// The last line it printed, with a colon before it.
        said: String,
    },
    /// The tool ended well and did not say what it says when it is done.
    #[error("{command} did not do it{said}")]
    Unsaid {
        /// As one line.
        command: String,
        /// The last telling line it printed, with a colon before it.
        said: String,
    },
    /// The settings file cannot be written.
    #[error(transparent)]
    File(#[from] FileRefused),
    /// The settings file cannot be edited safely.
    #[error("{path}: {source}")]
    Json {
        /// The file.
        path: String,
        /// Why.
        source: JsonRefused,
    },
    /// A switch is neither as before nor as it was set.
    #[error("{key} in {path} was changed by something else")]
    SwitchChanged {
        /// The file.
        path: String,
        /// The key.
        key: String,
    },
    /// The step is none of a runtime's.
    #[error("\"{title}\" is for a person to do")]
    ByHand {
        /// The step.
        title: String,
    },
    /// It could not be recorded, so it was not begun.
    #[error("it could not be recorded: {0}")]
    Journal(#[from] JournalError),
}

/// Why a runtime was not changed, or is not as it was.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// It cannot be done; the same answer as in the preview. Nothing was run.
    #[error("{}", .0.why)]
    Refused(Refusal),
    /// Files or commands are not those of the preview. Nothing was run.
    #[error("{what} changed since the preview. Nothing was run; look at the preview again.")]
    Changed {
        /// A file, or "what would be run".
        what: String,
    },
    /// There is nothing to take back.
    #[error("{receipt}: {why}")]
    NothingToTakeBack {
        /// The receipt.
        receipt: String,
        /// Why.
        why: String,
    },
    /// The settings are not as the change left them. Nothing was run.
    #[error("{cause}, so taking {receipt} back would lose that. Nothing was run; change it by hand.")]
    ChangedSince {
        /// The receipt.
        receipt: String,
        /// What changed.
        cause: String,
    },
    /// A step failed, and everything was brought back to how it was.
    #[error("{cause}. What was done before it was taken back: {back}.")]
    TakenBack {
        /// The receipt, in state [`crate::State::TakenBack`].
        receipt: String,
        /// What failed.
        cause: String,
        /// What was done on the way back.
        back: String,
    },
    /// A step failed, and so did a part of the way back, or of an undo.
    #[error("{cause}. Then this could not be done either: {}. When the cause is gone, undo {receipt}.", .stuck.join("; "))]
    HalfDone {
        /// The receipt.
        receipt: String,
        /// What failed first.
        cause: String,
        /// What could not be done.
        stuck: Vec<String>,
    },
    /// An undo stopped in the middle.
    #[error("{cause}. Still to do: {}. When the cause is gone, undo {receipt} again.", .left.join("; "))]
    UndoStopped {
        /// The receipt.
        receipt: String,
        /// What failed.
        cause: String,
        /// What was not done.
        left: Vec<String>,
    },
    /// A settings file cannot be read or written.
    #[error("nothing was run: {0}")]
    File(#[source] FileRefused),
    /// The receipt cannot be used, or the change could not be recorded.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
