//! Logins of registries from the docker command's settings: kept in the file, or by a credential helper, which is
//! asked over its own protocol. A login is only ever read for the host it is kept for, and never printed.

use std::{fmt, path::PathBuf, time::Duration};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

use crate::{Host, ReadError, RunError, ToolRun};

const FILE_LIMIT: usize = 4 << 20;
const ANSWER_LIMIT: usize = 256 << 10;
/// Under this name the docker command keeps the login of Docker Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// A helper that answers with this name gives an identity token instead of a password.
const TOKEN_USER: &str = "<token>";

/// A login. `Debug` says which kind it is and nothing more.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and its password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// Exchanged for tokens.
    Identity {
        /// The token.
        token: String,
    },
    /// Sent to the registry as it is.
    Registry {
        /// The token.
        token: String,
    },
}

impl Credential {
    /// What an engine wants in the header `X-Registry-Auth` to log in at `registry`.
    #[must_use]
    pub fn for_engine(&self, registry: &str) -> String {
        let server = if registry == "docker.io" { HUB_KEY } else { registry };
        let login = match self {
            Self::Password { user, password } => {
                json!({ "username": user, "password": password, "serveraddress": server })
            }
            Self::Identity { token } => json!({ "identitytoken": token, "serveraddress": server }),
            Self::Registry { token } => json!({ "registrytoken": token, "serveraddress": server }),
        };
        URL_SAFE.encode(login.to_string())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password",
            Self::Identity { .. } => "Identity",
            Self::Registry { .. } => "Registry",
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    auths: std::collections::BTreeMap<String, Option<Kept>>,
    creds_store: Option<String>,
    cred_helpers: std::collections::BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Kept {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// The folder of the docker command's settings: `DOCKER_CONFIG` or `~/.docker`.
#[must_use]
pub fn docker_config_dir(host: &dyn Host) -> Option<PathBuf> {
    host.env("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(host.home()?.join(".docker")))
}

/// The login for a registry (`docker.io`, `ghcr.io`, `localhost:5000`); none where the settings have none. A helper gets
/// `helper_time` to answer: it may ask the person.
///
/// # Errors
/// The settings name a login that cannot be had.
pub async fn credential(
    host: &dyn Host,
    registry: &str,
    helper_time: Duration,
) -> Result<Option<Credential>, CredentialError> {
    let Some(path) = docker_config_dir(host).map(|folder| folder.join("config.json")) else { return Ok(None) };
    let bytes = match host.read(&path, FILE_LIMIT) {
        Err(error) if error.is_missing() => return Ok(None),
        result => result?,
    };
    // The parser's words could quote a secret.
    let settings: Settings =
        serde_json::from_slice(&bytes).map_err(|_| CredentialError::Damaged { path: path.display().to_string() })?;
    let key = if registry == "docker.io" { HUB_KEY } else { registry };
    let helper = settings.cred_helpers.iter().find(|(kept_for, _)| same_host(kept_for, registry));
    if let Some(helper) = helper.map(|(_, name)| name).or(settings.creds_store.as_ref()).filter(|n| !n.is_empty()) {
        return ask_helper(host, helper, key, helper_time).await;
    }
    let kept = settings.auths.into_iter().find(|(kept_for, _)| same_host(kept_for, registry));
    let Some(kept) = kept.and_then(|(_, kept)| kept) else { return Ok(None) };
    kept.credential().ok_or_else(|| CredentialError::Damaged { path: path.display().to_string() })
}

/// `https://ghcr.io/v1/` and `ghcr.io` are kept for the same host; Docker Hub has three names.
fn same_host(kept_for: &str, registry: &str) -> bool {
    let bare = kept_for.strip_prefix("https://").or_else(|| kept_for.strip_prefix("http://")).unwrap_or(kept_for);
    let host = bare.split('/').next().unwrap_or_default().to_ascii_lowercase();
    match host.as_str() {
        "index.docker.io" | "registry-1.docker.io" => registry == "docker.io",
        host => host == registry,
    }
}

impl Kept {
    /// None: unreadable. An entry without content says that a helper has it, and so is no login.
    fn credential(self) -> Option<Option<Credential>> {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        if let Some(token) = some(self.registrytoken) {
            return Some(Some(Credential::Registry { token }));
        }
        if let Some(token) = some(self.identitytoken) {
            return Some(Some(Credential::Identity { token }));
        }
        if let Some(encoded) = some(self.auth) {
            let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
            let (user, password) = text.split_once(':')?;
            let password = password.trim_end_matches('\0').to_owned();
            return Some(Some(Credential::Password { user: user.to_owned(), password }));
        }
        Some(
            some(self.username)
                .zip(some(self.password))
                .map(|(user, password)| Credential::Password { user, password }),
        )
    }
}

async fn ask_helper(
    host: &dyn Host,
    name: &str,
    key: &str,
    time: Duration,
) -> Result<Option<Credential>, CredentialError> {
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return Err(CredentialError::BadHelper);
    }
    let helper = format!("docker-credential-{name}");
    let tool = host.find_tool(&helper).ok_or_else(|| CredentialError::NoHelper { helper: helper.clone() })?;
    let run = ToolRun::new(tool, &["get"]).input(key).timeout(time).output_limit(ANSWER_LIMIT);
    let output = match host.run(&run).await {
        Ok(output) => output,
        Err(source) => return Err(CredentialError::Helper { helper, source }),
    };
    if !output.success() {
        // The protocol's own words for "none here", on standard output.
        let none = output.text().contains("credentials not found") || output.text().contains("no credentials");
        return if none { Ok(None) } else { Err(CredentialError::HelperFailed { helper }) };
    }
    let answer: Answer =
        serde_json::from_slice(&output.stdout).map_err(|_| CredentialError::HelperFailed { helper })?;
    Ok(match (answer.username, answer.secret) {
        (_, secret) if secret.is_empty() => None,
        (user, token) if user == TOKEN_USER => Some(Credential::Identity { token }),
        (user, password) => Some(Credential::Password { user, password }),
    })
}

/// Why a login that the settings name could not be had.
#[derive(Debug, Error)]
pub enum CredentialError {
    /// The settings cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The settings hold something else than they should.
    #[error("{path} is not as the docker command writes it")]
    Damaged {
        /// The file.
        path: String,
    },
    /// The helper's name is no program's name.
    #[error("the settings name a credential helper that is no program's name")]
    BadHelper,
    /// The helper is not on this machine.
    #[error("{helper} is not installed")]
    NoHelper {
        /// Its name.
        helper: String,
    },
    /// The helper did not run to its end.
    #[error("{helper} did not answer: {source}")]
    Helper {
        /// Its name.
        helper: String,
        /// Why.
        source: RunError,
    },
    /// The helper ended badly, or answered something unreadable. What it said is not kept: it may be a secret.
    #[error("{helper} failed")]
    HelperFailed {
        /// Its name.
        helper: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_gets_a_login_as_it_wants_it() {
        let password = Credential::Password { user: "ada".to_owned(), password: "s3cret?>".to_owned() };
        let token = Credential::Identity { token: "t".to_owned() };
        for (credential, registry, expected) in [
            (
                &password,
                "docker.io",
                r#"{"username":"ada","password":"s3cret?>","serveraddress":"https://index.docker.io/v1/"}"#,
            ),
            (&token, "ghcr.io", r#"{"identitytoken":"t","serveraddress":"ghcr.io"}"#),
        ] {
            let header = credential.for_engine(registry);
            assert_eq!(String::from_utf8(URL_SAFE.decode(header).unwrap()).unwrap(), expected);
            assert!(!format!("{credential:?}").contains("s3cret"));
        }
    }
}
