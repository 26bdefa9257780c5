//! Why a registry could not answer. No variant holds a credential, a token, or an address with a query.

use std::time::Duration;

use thiserror::Error;

use super::reference::NotAReference;

/// Why a reference could not be looked up.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// The text is no reference; nobody was asked.
    #[error(transparent)]
    Reference(#[from] NotAReference),
    /// Nothing answered at the registry's address.
    #[error("{host} could not be reached: {why}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The cause, without addresses.
        why: String,
    },
    /// It did not answer in time.
    #[error("{host} did not answer within {} s", after.as_secs())]
    TimedOut {
        /// Host and port.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// There is no such repository or tag.
    #[error("{host} has no {what}")]
    NotFound {
        /// Host and port.
        host: String,
        /// Repository with tag or digest.
        what: String,
    },
    /// The registry wants a login, or refused the one there is. Registries say this of what does not exist, too.
    #[error("{host} does not show {what}: it does not exist there, or it wants a login ({login})")]
    Denied {
        /// Host and port.
        host: String,
        /// Repository with tag or digest.
        what: String,
        /// What was tried.
        login: String,
    },
    /// Too many questions for now.
    #[error("{host} answers no more questions for now{}", until(*.wait))]
    RateLimited {
        /// Host and port.
        host: String,
        /// How long to wait, where it says so.
        wait: Option<Duration>,
    },
    /// It answered with a status that is no answer.
    #[error("{host} answered {status}{}", said(.message))]
    Status {
        /// Host and port.
        host: String,
        /// HTTP status.
        status: u16,
        /// Its own words, shortened; empty where it has none.
        message: String,
    },
    /// A redirect that is not followed.
    #[error("{host} redirects {why}")]
    Redirect {
        /// Host and port.
        host: String,
        /// Where to, or how often.
        why: &'static str,
    },
    /// The registry wants its login sent where it could be read by others.
    #[error("{host} names {realm} for logging in, without TLS; nothing was sent there")]
    InsecureRealm {
        /// Host and port.
        host: String,
        /// The other host.
        realm: String,
    },
    /// It asks for a kind of login that is not known here.
    #[error("{host} wants a login of a kind that is not known here")]
    UnknownChallenge {
        /// Host and port.
        host: String,
    },
    /// What it answered cannot be read.
    #[error("what {host} answered for {what} cannot be read: {why}")]
    Malformed {
        /// Host and port.
        host: String,
        /// What was asked for.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// More bytes than any honest answer has.
    #[error("what {host} answered for {what} is larger than {limit} bytes")]
    TooLarge {
        /// Host and port.
        host: String,
        /// What was asked for.
        what: String,
        /// Bytes.
        limit: usize,
    },
    /// The content is not what its digest names.
    #[error("{host} sent something else than {digest} names; it was not used")]
    WrongDigest {
        /// Host and port.
        host: String,
        /// The digest asked for.
        digest: String,
    },
    /// The reference leads to something that no engine can run.
    #[error("{what} is no container image but {kind}")]
    NotAnImage {
        /// Repository with tag or digest.
        what: String,
        /// What it says it is.
        kind: String,
    },
    /// The client could not be made: a certificate file or a proxy setting is in the way.
    #[error("registries cannot be asked: {why}")]
    Client {
        /// What is wrong.
        why: String,
    },
}

impl RegistryError {
    /// What to do, in a sentence, where something can be done.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Denied { host, .. } => {
                let host = if host == "registry-1.docker.io" { "" } else { host };
                Some(format!("If it is private, log in first: docker login {host}").trim_end().to_owned())
            }
            Self::RateLimited { host, .. } if host == "registry-1.docker.io" => {
                Some("Docker Hub allows more questions after docker login.".to_owned())
            }
            Self::Unreachable { .. } | Self::TimedOut { .. } => {
                Some("Check the network, the proxy (HTTPS_PROXY) and the name.".to_owned())
            }
            _ => None,
        }
    }
}

fn until(wait: Option<Duration>) -> String {
    wait.map(|wait| format!("; it says to wait {} s", wait.as_secs().max(1))).unwrap_or_default()
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}
