//! Why a measurement gave no answer, each with its own words.

use std::io;
use std::time::Duration;

use silidock_engine::{EngineError, LoadError};

/// Why a measurement gave no answer. `arch` is the architecture of the probe.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The engine runs no Linux containers, or does not say what it runs.
    #[error("{endpoint} runs containers of {platform}; the probe is for Linux")]
    NotLinux {
        /// Address of the engine.
        endpoint: String,
        /// What it says it runs.
        platform: String,
    },
    /// This program was built without the probe that the engine needs.
    #[error("this build of Silidock has no probe for {arch}")]
    NoProbe {
        /// The architecture needed.
        arch: String,
    },
    /// The image could not be put together.
    #[error("the probe's image for {arch} could not be put together: {source}")]
    Archive {
        /// The probe.
        arch: String,
        /// What the system said.
        source: io::Error,
    },
    /// The engine does not take the image.
    #[error("the probe for {arch} could not be brought in: {source}")]
    ImageRefused {
        /// The probe.
        arch: String,
        /// What the engine said.
        source: LoadError,
    },
    /// The engine does not make a container.
    #[error("the engine makes no container for the probe ({arch}): {source}")]
    ContainerRefused {
        /// The probe.
        arch: String,
        /// What the engine said.
        source: EngineError,
    },
    /// The engine does not take the probe into a container.
    #[error("the engine does not take the probe for {arch} into its container: {source}")]
    UploadRefused {
        /// The probe.
        arch: String,
        /// What the engine said.
        source: EngineError,
    },
    /// The container does not start.
    #[error("the container with the probe ({arch}) does not start: {source}")]
    StartRefused {
        /// The probe.
        arch: String,
        /// What the engine said.
        source: EngineError,
    },
    /// The probe did not end by itself.
    #[error("the probe for {arch} did not end within {} s and was removed", after.as_secs_f32())]
    Hangs {
        /// The probe.
        arch: String,
        /// The time limit.
        after: Duration,
    },
    /// Somebody or a limit ended the probe.
    #[error("the probe for {arch} was killed by signal {signal}")]
    Killed {
        /// The probe.
        arch: String,
        /// The signal: 9 is a limit or somebody, 4 an instruction that is not known, 11 a crash.
        signal: i64,
    },
    /// The probe ended with an error.
    #[error("the probe for {arch} ended with status {status}{}", said(complaint))]
    Failed {
        /// The probe.
        arch: String,
        /// Exit status.
        status: i64,
        /// What was printed, on one line; may be empty.
        complaint: String,
    },
    /// What the probe printed is not an answer.
    #[error("the answer of the probe for {arch} cannot be read: {why}")]
    Garbage {
        /// The probe.
        arch: String,
        /// What is wrong with it.
        why: String,
    },
    /// The builder refuses.
    #[error("the engine does not build for {arch}: {source}")]
    BuildRefused {
        /// The probe.
        arch: String,
        /// What the engine said.
        source: EngineError,
    },
    /// The step of the build failed.
    #[error("the step of the build for {arch} failed: {message}")]
    BuildFailed {
        /// The probe.
        arch: String,
        /// What the builder said, on one line.
        message: String,
    },
    /// The engine itself cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Nobody waits for the answer any more.
    #[error("the measurement was stopped")]
    Stopped,
}

fn said(complaint: &str) -> String {
    if complaint.is_empty() { String::new() } else { format!(": {complaint}") }
}

/// The kernel's words for a program that nobody is registered for.
const FOREIGN: &str = "exec format error";

impl MeasureError {
    /// Whether it says that programs of this architecture do not run at all.
    #[must_use]
    pub fn is_exec_format_error(&self) -> bool {
        let text = match self {
            Self::StartRefused { source: EngineError::Status { message, .. }, .. } => message,
            Self::Failed { complaint, .. } => complaint,
            Self::BuildFailed { message, .. } => message,
            _ => return false,
        };
        text.to_lowercase().contains(FOREIGN)
    }

    /// What the user can do, in one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotLinux { .. } => "Switch the engine to Linux containers, or choose another engine.",
            Self::NoProbe { .. } => "Use a released Silidock, or run scripts/probe.sh and build it again.",
            Self::Archive { .. } => "Try again; if it persists, report it with the version of Silidock.",
            Self::ImageRefused { .. } => "See whether the engine's disk is full, and look at its log.",
            Self::ContainerRefused { .. } | Self::UploadRefused { .. } | Self::StartRefused { .. } => {
                "Read the engine's reason: a policy may forbid new containers, or the engine may be short of something."
            }
            Self::Hangs { .. } => "The engine may be busy; try again, and restart it if the probe hangs again.",
            Self::BuildRefused { .. } => "Read the engine's reason: it may have no builder of its own.",
            Self::Killed { .. } | Self::Failed { .. } | Self::BuildFailed { .. } | Self::Garbage { .. } => {
                "Try again; if it persists, restart the container runtime and look at its log."
            }
            Self::Engine(error) => error.hint(),
            Self::Stopped => "Start it again when you want the answer.",
        }
    }
}
