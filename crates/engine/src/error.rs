//! Every way in which an engine can fail to answer, each with its own words. How the failures are told apart
//! is decided in `wire`.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::version::ApiVersion;

/// Why an engine gave no usable answer. `endpoint` is its address.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The socket file is not there.
    #[error("there is no engine socket at {}", path.display())]
    NoSocket {
        /// Address of the engine.
        endpoint: String,
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// This user may not open the socket.
    #[error("no permission to use {endpoint}")]
    Permission {
        /// Address of the engine.
        endpoint: String,
        /// What the system said.
        source: io::Error,
    },
    /// The address is there, but nobody listens.
    #[error("nothing answers at {endpoint}: the connection was refused")]
    Refused {
        /// Address of the engine.
        endpoint: String,
        /// What the system said.
        source: io::Error,
    },
    /// The address cannot be reached: an unknown host, no route.
    #[error("{endpoint} cannot be reached: {source}")]
    Unreachable {
        /// Address of the engine.
        endpoint: String,
        /// What the system said.
        source: io::Error,
    },
    /// No answer within the time limit.
    #[error("{endpoint} did not answer within {} s ({during})", after.as_secs_f32())]
    TimedOut {
        /// Address of the engine.
        endpoint: String,
        /// What was asked.
        during: String,
        /// The limit.
        after: Duration,
    },
    /// Encryption failed: a certificate is missing, damaged or not trusted, or only one side wants it.
    #[error("TLS with {endpoint} failed: {why}")]
    Tls {
        /// Address of the engine.
        endpoint: String,
        /// What exactly.
        why: String,
    },
    /// Somebody answers, but not with an Engine API.
    #[error("{endpoint} answers, but not as a Docker engine: {why}")]
    NotDocker {
        /// Address of the engine.
        endpoint: String,
        /// What it did instead.
        why: String,
    },
    /// The engine's API is older than Silidock understands.
    #[error("the engine at {endpoint} is too old: its API is {api}, at least {oldest} is needed", oldest = ApiVersion::OLDEST)]
    TooOld {
        /// Address of the engine.
        endpoint: String,
        /// The newest version it offers.
        api: ApiVersion,
    },
    /// The engine no longer serves any version Silidock speaks.
    #[error("the engine at {endpoint} is too new: it wants API {minimum} or later, Silidock speaks up to {newest}", newest = ApiVersion::NEWEST)]
    TooNew {
        /// Address of the engine.
        endpoint: String,
        /// The oldest version it serves.
        minimum: ApiVersion,
    },
    /// The ssh connection could not be made.
    #[error("ssh to {endpoint} failed: {source}")]
    Ssh {
        /// Address of the engine.
        endpoint: String,
        /// What exactly.
        source: SshFailure,
    },
    /// The connection broke in the middle of an answer: the engine stopped or restarts.
    #[error("the engine at {endpoint} went away ({during})")]
    Gone {
        /// Address of the engine.
        endpoint: String,
        /// What was asked.
        during: String,
    },
    /// The engine answered with an error of its own.
    #[error("the engine answered {code} to {during}: {message}")]
    Status {
        /// Address of the engine.
        endpoint: String,
        /// What was asked.
        during: String,
        /// HTTP status.
        code: u16,
        /// The engine's words, on one line.
        message: String,
    },
    /// The engine answered with something that cannot be read.
    #[error("the engine's answer to {during} cannot be read: {why}")]
    BadAnswer {
        /// Address of the engine.
        endpoint: String,
        /// What was asked.
        during: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Why ssh gave no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshFailure {
    /// There is no ssh program here.
    #[error("there is no ssh program")]
    NoProgram,
    /// The other machine did not let us in without a password.
    #[error("login was denied: {message}")]
    Authentication {
        /// What ssh printed.
        message: String,
    },
    /// The other machine's key is unknown or has changed.
    #[error("the host key is not trusted: {message}")]
    HostKey {
        /// What ssh printed.
        message: String,
    },
    /// The login works, but there is no docker program or no running engine.
    #[error("the login works, but docker does not answer there: {message}")]
    NoDocker {
        /// What was printed there.
        message: String,
    },
    /// The other machine could not be reached.
    #[error("{message}")]
    Unreachable {
        /// What ssh printed.
        message: String,
    },
}

impl EngineError {
    /// What the user can do, in one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoSocket { .. } | Self::Refused { .. } => {
                "Start the container runtime that owns this address, or choose another engine."
            }
            Self::Permission { .. } => {
                "Check who owns the socket: on Linux join the docker group and log in again, on a Mac start the runtime as yourself."
            }
            Self::Unreachable { .. } => "Check the host name and the network, or choose another engine.",
            Self::TimedOut { .. } => {
                "The engine may be starting or overloaded: try again, and restart it if it stays silent."
            }
            Self::Tls { .. } => {
                "Check ca.pem, cert.pem and key.pem: those of its Docker context, or in the folder that DOCKER_CERT_PATH names."
            }
            Self::NotDocker { .. } => "Check the address: another program listens there.",
            Self::TooOld { .. } => "Update the container runtime to one with Docker Engine 19.03 or later.",
            Self::TooNew { .. } => "Update Silidock.",
            Self::Ssh { source, .. } => source.hint(),
            Self::Gone { .. } => "The engine stopped or restarted: wait until it runs and look again.",
            Self::Status { code: 401 | 403, .. } => {
                "A proxy in front of the engine forbids this question; allow it there."
            }
            Self::Status { .. } => "Look at the engine's own message and log, then try again.",
            Self::BadAnswer { .. } => {
                "Restart the container runtime; if it persists, report the runtime and its version."
            }
        }
    }

    /// Address of the engine.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        match self {
            Self::NoSocket { endpoint, .. }
            | Self::Permission { endpoint, .. }
            | Self::Refused { endpoint, .. }
            | Self::Unreachable { endpoint, .. }
            | Self::TimedOut { endpoint, .. }
            | Self::Tls { endpoint, .. }
            | Self::NotDocker { endpoint, .. }
            | Self::TooOld { endpoint, .. }
            | Self::TooNew { endpoint, .. }
            | Self::Ssh { endpoint, .. }
            | Self::Gone { endpoint, .. }
            | Self::Status { endpoint, .. }
            | Self::BadAnswer { endpoint, .. } => endpoint,
        }
    }

    /// Whether the object asked for does not exist (any more): it vanished during a scan.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { code: 404, .. })
    }

    /// Whether the engine itself cannot be used now, so that further questions are pointless.
    #[must_use]
    pub fn is_engine_lost(&self) -> bool {
        !matches!(self, Self::Status { .. } | Self::BadAnswer { .. } | Self::TimedOut { .. })
    }
}

impl SshFailure {
    fn hint(&self) -> &'static str {
        match self {
            Self::NoProgram => "Install an OpenSSH client.",
            Self::Authentication { .. } => "Make `ssh` to this host work without a password, for example with ssh-add.",
            Self::HostKey { .. } => "Connect once with `ssh` in a terminal and check the host key it shows.",
            Self::NoDocker { .. } => "Install docker on that machine, start it, and make sure this login may use it.",
            Self::Unreachable { .. } => "Check the host name and the network, or choose another engine.",
        }
    }
}

/// An engine's message as one line of text without control characters.
pub(crate) fn one_line(message: &str) -> String {
    let words: Vec<&str> =
        message.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(MESSAGE_LENGTH) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

const MESSAGE_LENGTH: usize = 500;

/// What was asked, for messages: `the image list`, `container 1a2b...`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a>(pub &'static str, pub &'a str);

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        if self.1.is_empty() { Ok(()) } else { write!(f, " {}", self.1) }
    }
}
