//! Building images again: what each reference meant before is kept under a tag, the build runs, and where it fails or is
//! stopped every reference means what it meant before. Undone by the tags that were kept.
//!
//! What is built by which command arrives worked out; whether the result is what was wanted is found out by whoever looks
//! again, and who then may have containers made anew from it as a part of the same change.

mod carry;
mod context;
mod renew;
mod take_back;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::platform::Platform;
use silidock_engine::{EngineError, LocalBuild};
use silidock_host::{RunError, ToolRun};
use ts_rs::TS;

use crate::receipt::JournalError;
use crate::recreate::{EngineRecord, Left};

pub use carry::apply;
pub use context::{ContextError, Dockerfile};
pub use renew::{renew, still_as_shown};
pub use take_back::{undo, undo_preview};

pub use crate::recreate::after_build::Renewal;

/// Under this name images from before are kept.
pub use silidock_diagnosis::reference::KEPT;

/// What a receipt keeps of builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct BuildRecord {
    /// Address of the engine that it was for.
    pub endpoint: String,
    /// Folder of the certificates and the key that it was reached with, where that was by TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tls: Option<String>,
    /// Every reference that the builds give to an image of that engine.
    pub images: Vec<BuiltImage>,
    /// The builds' commands, values of build arguments left out.
    pub commands: Vec<Vec<String>>,
    /// Containers that were made anew from what was built, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<EngineRecord>>")]
    pub containers: Vec<EngineRecord>,
}

/// A reference before and after a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct BuiltImage {
    /// The reference.
    pub reference: String,
    /// Platforms that were built.
    pub platforms: Vec<String>,
    /// Id of the image that it meant before; none where there was none.
    pub before: Option<String>,
    /// The tag under which that is kept.
    pub kept: Option<String>,
    /// Id of the image that it means since; none until the build has ended.
    pub after: Option<String>,
}

/// What is to be built, as it was shown.
#[derive(Debug, Clone)]
pub struct BuildOrder {
    /// In words, for the receipt.
    pub title: String,
    /// Id of the finding it is for.
    pub finding: Option<String>,
    /// The builds, in order.
    pub builds: Vec<OneBuild>,
}

/// One build.
#[derive(Debug, Clone)]
pub struct OneBuild {
    /// What the result is called.
    pub references: Vec<String>,
    /// For which platforms.
    pub platforms: Vec<Platform>,
    /// The result comes to the engine; else it goes to a registry alone.
    pub comes_here: bool,
    /// Its command as it was shown.
    pub command: Vec<String>,
    /// How it is carried out.
    pub by: Builds,
}

/// What carries a build out, with everything it needs.
#[derive(Debug, Clone)]
pub enum Builds {
    /// The Docker command's buildx; values of build arguments are in its environment.
    Buildx(Box<ToolRun>),
    /// The engine's older builder, asked directly.
    Engine {
        /// The folder.
        folder: PathBuf,
        /// Its Dockerfile.
        dockerfile: Dockerfile,
        /// The rest; the Dockerfile's name is filled in.
        build: Box<LocalBuild>,
    },
}

/// What happens while something is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildNews {
    /// A build begins, by its place from 0.
    Begun(usize),
    /// Steps that have ended, steps that are known of, and the one that was last heard of.
    Step {
        /// Ended.
        done: usize,
        /// Known of.
        total: usize,
        /// As the builder names it.
        name: String,
    },
    /// Something a step printed.
    Printed(String),
}

/// Why nothing was built, or why an undo was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The build itself failed.
    #[error("building {reference} failed{at}: {why}")]
    Failed {
        /// What was to be built.
        reference: String,
        /// The step, with words before it.
        at: String,
        /// The builder's reason.
        why: String,
        /// The lines of the Dockerfile it is about, and the end of what the step printed.
        log: Vec<String>,
    },
    /// Somebody stopped it.
    #[error("building {reference} was stopped")]
    Stopped {
        /// What was being built.
        reference: String,
    },
    /// The builder's command did not run to its end.
    #[error("building {reference} failed: {source}")]
    Run {
        /// What was to be built.
        reference: String,
        /// Why.
        source: RunError,
    },
    /// The folder could not be packed.
    #[error("building {reference} failed: {source}")]
    Context {
        /// What was to be built.
        reference: String,
        /// Why.
        source: ContextError,
    },
    /// The engine did not do it.
    #[error("{what}: {source}")]
    Engine {
        /// What it was asked for.
        what: String,
        /// Why not.
        source: EngineError,
    },
    /// Something failed, and a reference could not be brought back.
    #[error("{cause}. Then this could not be done either: {}. When the cause is gone, undo {receipt}.", .stuck.join("; "))]
    HalfDone {
        /// The receipt.
        receipt: String,
        /// What failed first.
        cause: String,
        /// What could not be brought back.
        stuck: Vec<String>,
        /// The end of what a new container printed, which may hold secrets.
        printed: Vec<String>,
    },
    /// A container is not as it was shown. Nothing was built.
    #[error("Nothing was built, because something is not as it was shown: {why}. Look at the preview again.")]
    NotAsShown {
        /// What is otherwise.
        why: String,
    },
    /// A container could not be made anew, and everything was brought back to how it was.
    #[error(
        "{cause}. What was done before was taken back: {}. What was built stays on the engine without a name.{}",
        .back.join(", "), .left.words()
    )]
    TakenBack {
        /// The receipt, in state [`crate::State::TakenBack`].
        receipt: String,
        /// What failed.
        cause: String,
        /// What was done on the way back.
        back: Vec<String>,
        /// What stays of what was kept for it.
        left: Box<Left>,
        /// The end of what the new container printed, which may hold secrets.
        printed: Vec<String>,
    },
    /// There is nothing to take back.
    #[error("{receipt}: {why}")]
    NothingToTakeBack {
        /// The receipt.
        receipt: String,
        /// Why.
        why: String,
    },
    /// A reference means something else by now.
    #[error(
        "{receipt} was not undone, and nothing was changed: {reference} was built or pulled again since, and that would be lost."
    )]
    ChangedSince {
        /// The receipt.
        receipt: String,
        /// Which reference.
        reference: String,
    },
    /// A container that was made anew is not as that left it. Nothing was touched.
    #[error("{receipt} was not undone, and nothing was changed: {cause}.")]
    ContainerChanged {
        /// The receipt.
        receipt: String,
        /// What changed, or is gone.
        cause: String,
    },
    /// The receipt cannot be used, or the change could not be recorded.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
