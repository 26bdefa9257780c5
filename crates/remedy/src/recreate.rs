//! Changes of an engine's containers and images: a platform pulled, a container made anew with the same configuration. Previewed,
//! recorded, carried out step by step, taken back when one step fails, and undone from what was saved.
//!
//! Why, and for which platform, arrives as data in the fix. Whether it helped is found out by whoever looks again.

pub(crate) mod after_build;
mod back;
mod belongings;
mod carry;
mod copies;
mod dependents;
mod last_words;
mod plan;
mod replacing;
mod same;
mod service;
mod typed;

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::fix::Step;
use silidock_diagnosis::text::capital;
use silidock_engine::{Engine, EngineError};
use silidock_host::Host;
use ts_rs::TS;

use crate::file::FileRefused;
use crate::preview::Refusal;
use crate::receipt::{Journal, JournalError};
use crate::runtime::Ran;

pub(crate) use back::stands;
pub use back::{undo, undo_preview};
pub use carry::apply;
pub(crate) use carry::tagged;
pub use plan::{preview, preview_after};
pub use replacing::Replacing;
pub(crate) use typed::typed;

/// Who hears how far a change is, and may stop it.
pub trait Course: Send + Sync {
    /// What is done now, in words.
    fn say(&self, words: &str);

    /// How far a pull is, in bytes.
    fn pulled(&self, done: u64, total: u64);

    /// Somebody wants it stopped. What was done is taken back then.
    fn stopped(&self) -> bool;
}

/// Where a change happens.
#[derive(Clone)]
pub struct Site<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// This machine: logins of registries, and the Docker client.
    pub host: &'a Arc<dyn Host>,
    /// Where it is recorded.
    pub journal: &'a Journal,
    /// Who hears of it.
    pub course: &'a dyn Course,
}

/// What a receipt keeps of a change of an engine. The containers' configurations hold secrets and are kept beside it, for the
/// owner's eyes only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct EngineRecord {
    /// Address of the engine.
    pub endpoint: String,
    /// Its Docker context, where it was reached by one.
    pub context: Option<String>,
    /// Folder of the certificates and the key that it was reached with, where that was by TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tls: Option<String>,
    /// What was to be done.
    pub steps: Vec<Step>,
    /// The step that was begun last, from 0; none before the first.
    pub reached: Option<u32>,
    /// All steps were done.
    pub done: bool,
    /// Its files were written.
    pub files_written: bool,
    /// The container it is about, as it was.
    pub old: Option<OldRecord>,
    /// What was pulled.
    pub pulled: Vec<PulledTag>,
    /// The new container in the old one's place.
    pub forward: Option<Replacing>,
    /// The old one, made again, in the new one's place.
    pub backward: Option<Replacing>,
    /// Commands that ran, in order.
    pub ran: Vec<Ran>,
    /// What stays although the change was taken back.
    #[serde(default, skip_serializing_if = "Left::is_empty")]
    #[ts(optional, as = "Option<Left>")]
    pub left: Left,
}

/// What was made for the way back and is not removed unasked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Left {
    /// Names of images.
    pub images: Vec<String>,
    /// Copies of volumes.
    pub volumes: Vec<String>,
}

impl Left {
    /// There is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.images.is_empty() && self.volumes.is_empty()
    }

    /// What it is and what removes it, each as a sentence behind a blank; nothing where there is nothing.
    #[must_use]
    pub fn words(&self) -> String {
        let images = "Images kept of it stay until you remove them: docker image rm";
        let volumes = "Copies of volumes stay until you remove them: docker volume rm";
        let of = |what: &str, names: &[String]| match names {
            [] => String::new(),
            names => format!(" {what} {}.", names.join(" ")),
        };
        of(images, &self.images) + &of(volumes, &self.volumes)
    }
}

/// A container as it was before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct OldRecord {
    /// Its full identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The reference it was made from.
    pub image: String,
    /// The image it ran.
    pub image_id: String,
    /// That image's platform, where it is known.
    pub platform: Option<String>,
    /// It ran.
    pub running: bool,
    /// The name under which its image is kept.
    pub kept: String,
    /// All containers of its Compose service.
    pub service: Vec<String>,
    /// Copies of its volumes.
    pub copies: Vec<VolumeCopy>,
    /// The name of the image that holds what it wrote outside of volumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub written: Option<String>,
}

/// A copy of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct VolumeCopy {
    /// The volume.
    pub volume: String,
    /// Its copy.
    pub copy: String,
    /// Where it is mounted.
    pub target: String,
    /// The copy is whole.
    pub whole: bool,
}

/// A tag that was pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PulledTag {
    /// The image, as it was pulled.
    pub reference: String,
    /// What it meant before; none where it was not there.
    pub before: Option<String>,
    /// What it meant after; none while it is not pulled yet.
    pub after: Option<String>,
}

/// Something that is saved while a container is replaced.
pub(crate) trait Record {
    /// Writes down how far it got.
    fn save(&mut self) -> Result<(), JournalError>;
}

/// Why a step was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AlterFailed {
    /// The engine refused, or does not answer.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The new container does not stay up.
    #[error("{name} ended{how}")]
    Ended {
        /// Its name.
        name: String,
        /// Exit status, and why as far as it is known; or that it was started again.
        how: String,
        /// The end of what it printed, which may hold secrets.
        printed: Vec<String>,
    },
    /// Its health check fails.
    #[error("{name} runs, and its health check fails")]
    Unhealthy {
        /// Its name.
        name: String,
        /// The end of what it and the check printed, which may hold secrets.
        printed: Vec<String>,
    },
    /// Its health check says neither.
    #[error("the health check of {name} did not succeed within {} s", after.as_secs())]
    NeverHealthy {
        /// Its name.
        name: String,
        /// How long was waited.
        after: Duration,
        /// The end of what it and the check printed, which may hold secrets.
        printed: Vec<String>,
    },
    /// A command failed.
    #[error("{command} {how}")]
    Command {
        /// As one line.
        command: String,
        /// How it ended and the last line it printed.
        how: String,
    },
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileRefused),
    /// It could not be recorded.
    #[error("it could not be recorded: {0}")]
    Journal(#[from] JournalError),
    /// What the step is about is not in the record.
    #[error("the record does not say which container it is about")]
    Lost,
    /// The container is not there any more, and cannot be made again.
    #[error("{0}")]
    Gone(String),
    /// The step is none of an engine's.
    #[error("\"{title}\" is for a person to do")]
    ByHand {
        /// The step.
        title: String,
    },
    /// Somebody stopped it.
    #[error("it was stopped")]
    Stopped,
}

impl AlterFailed {
    /// What a container that did not come up printed last: for the person who waits, and to be kept nowhere.
    pub(crate) fn printed(&self) -> Vec<String> {
        match self {
            Self::Ended { printed, .. } | Self::Unhealthy { printed, .. } | Self::NeverHealthy { printed, .. } => {
                printed.clone()
            }
            _ => Vec::new(),
        }
    }

    /// As the beginning of a sentence.
    pub(crate) fn sentence(&self) -> String {
        match self {
            // These begin with a name or a command, or say nothing of their own.
            Self::Ended { .. }
            | Self::Unhealthy { .. }
            | Self::Command { .. }
            | Self::Gone(_)
            | Self::File(_)
            | Self::ByHand { .. } => self.to_string(),
            Self::Engine(_) | Self::NeverHealthy { .. } | Self::Journal(_) | Self::Lost | Self::Stopped => {
                capital(&self.to_string())
            }
        }
    }
}

/// Why an engine was not changed, or is not as it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It cannot be done; the same answer as in the preview. Nothing was changed.
    #[error("{}", .0.why)]
    Refused(Refusal),
    /// Something is not as it was in the preview. Nothing was changed.
    #[error("{what} changed since the preview. Nothing was changed; look at the preview again.")]
    Changed {
        /// What.
        what: String,
    },
    /// A step failed, and everything was brought back to how it was.
    #[error("{cause}. What was done before was taken back: {}.{}", .back.join(", "), .left.words())]
    TakenBack {
        /// The receipt, in state [`crate::State::TakenBack`].
        receipt: String,
        /// What failed.
        cause: String,
        /// What was done on the way back.
        back: Vec<String>,
        /// What stays.
        left: Box<Left>,
        /// The end of what the new container printed, which may hold secrets.
        printed: Vec<String>,
    },
    /// A step failed, and so did a part of the way back.
    #[error("{cause}. Then this could not be done either: {}. When the cause is gone, undo {receipt}.", .stuck.join("; "))]
    HalfDone {
        /// The receipt, in state [`crate::State::Started`].
        receipt: String,
        /// What failed first.
        cause: String,
        /// What could not be done.
        stuck: Vec<String>,
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
    /// It is not as the change left it. Nothing was changed.
    #[error("{receipt} was not undone, and nothing was changed: {cause}.")]
    ChangedSince {
        /// The receipt.
        receipt: String,
        /// What changed, or is gone.
        cause: String,
    },
    /// An undo failed; what the change left is in its place again where that could be done.
    #[error("{receipt} was not undone: {cause}.{}", told(.stuck))]
    UndoFailed {
        /// The receipt.
        receipt: String,
        /// What failed.
        cause: String,
        /// What could not be put back.
        stuck: Vec<String>,
    },
    /// The engine does not answer. Nothing was changed.
    #[error(transparent)]
    Engine(EngineError),
    /// The receipt cannot be used, or the change could not be recorded.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

fn told(stuck: &[String]) -> String {
    if stuck.is_empty() { String::new() } else { format!(" Then this could not be done either: {}.", stuck.join("; ")) }
}
