//! Logging in to a registry: what it wants (`WWW-Authenticate`), and the token that answers it. Reading only: no token
//! is asked for that could push.

use std::sync::{Arc, PoisonError};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    Method, Url,
    header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE},
};
use serde::Deserialize;
use silidock_host::{Credential, credential};
use tokio::sync::OnceCell;

use super::{
    Reference, Registries, RegistryError,
    http::{Question, host_of},
    reference::is_loopback,
};

const TOKEN_LIMIT: usize = 1 << 20;
const CLIENT: &str = "silidock";

/// What is kept for a host.
#[derive(Debug)]
pub(super) enum Login {
    Kept(Credential),
    None,
    /// There is one, and why it could not be had.
    Unreadable(String),
}

pub(super) type Logins = std::collections::HashMap<String, Arc<OnceCell<Login>>>;

/// What to send, and what to say should it not be enough.
pub(super) struct Access {
    pub authorization: Option<HeaderValue>,
    pub words: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
}

impl Registries {
    /// Answers a registry's 401.
    pub(super) async fn log_in(&self, reference: &Reference, headers: &HeaderMap) -> Result<Access, RegistryError> {
        let challenges: Vec<Challenge> =
            headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|h| h.to_str().ok()).flat_map(challenges).collect();
        let of = |scheme: &str| challenges.iter().find(|c| c.scheme == scheme);
        let login = self.login(reference).await;
        match (of("bearer"), of("basic")) {
            (Some(bearer), _) => self.token(reference, bearer, &login).await,
            (None, Some(_)) => basic(reference, &login),
            (None, None) => Err(RegistryError::UnknownChallenge { host: reference.host().to_owned() }),
        }
    }

    /// The login kept for a host, looked for once: a helper may ask the person.
    async fn login(&self, reference: &Reference) -> Arc<OnceCell<Login>> {
        let cell = {
            let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(logins.entry(reference.registry.clone()).or_default())
        };
        cell.get_or_init(|| async {
            match credential(self.host.as_ref(), &reference.registry, self.patience.helper).await {
                Ok(Some(credential)) => Login::Kept(credential),
                Ok(None) => Login::None,
                Err(error) => Login::Unreadable(error.to_string()),
            }
        })
        .await;
        cell
    }

    async fn token(
        &self,
        reference: &Reference,
        challenge: &Challenge,
        login: &OnceCell<Login>,
    ) -> Result<Access, RegistryError> {
        let host = reference.host().to_owned();
        let realm = challenge.get("realm").and_then(|realm| realm.parse::<Url>().ok());
        let realm = realm.ok_or_else(|| RegistryError::UnknownChallenge { host: host.clone() })?;
        // Docker Hub logs in on another host, so that is no reason to refuse; the open network is.
        let here = is_loopback(&host) && is_loopback(&host_of(&realm));
        if realm.scheme() != "https" && !(realm.scheme() == "http" && here) {
            return Err(RegistryError::InsecureRealm { host, realm: host_of(&realm) });
        }
        let credential = match login.get() {
            Some(Login::Kept(Credential::Registry { token })) => {
                return Ok(Access { authorization: bearer(token), words: refused(&host) });
            }
            Some(Login::Kept(credential)) => Some(credential),
            _ => None,
        };
        let form = Form { service: challenge.get("service").unwrap_or_default(), reference };
        if let Some(credential) = credential
            && let Some(token) = self.ask_token(&realm, &form, Some(credential)).await?
        {
            return Ok(Access { authorization: bearer(&token), words: refused(&host) });
        }
        // Public images are shown to anybody, also to somebody whose login has run out.
        let words = match login.get() {
            Some(Login::Kept(_)) => refused(&host),
            Some(Login::Unreadable(why)) => format!("the one kept for it cannot be had: {why}"),
            Some(Login::None) | None => format!("none is kept for {}", reference.registry),
        };
        match self.ask_token(&realm, &form, None).await? {
            Some(token) => Ok(Access { authorization: bearer(&token), words }),
            None => Err(denied(reference, words)),
        }
    }

    /// A token; none where the login was refused.
    async fn ask_token(
        &self,
        realm: &Url,
        form: &Form<'_>,
        credential: Option<&Credential>,
    ) -> Result<Option<String>, RegistryError> {
        let mut question = Question {
            method: Method::GET,
            url: realm.clone(),
            accept: "application/json",
            authorization: None,
            form: None,
            limit: TOKEN_LIMIT,
            what: "a token",
        };
        match credential {
            Some(Credential::Identity { token }) => {
                question.method = Method::POST;
                question.form = Some(form.refresh(token));
            }
            Some(Credential::Password { user, password }) => {
                form.query(&mut question.url, Some(user));
                question.authorization = Some(plain(user, password).ok_or_else(|| form.unusable())?);
            }
            Some(Credential::Registry { .. }) | None => form.query(&mut question.url, None),
        }
        let reply = self.transport.ask(&question).await?;
        let host = host_of(realm);
        match reply.status.as_u16() {
            200..=299 => {}
            400 | 401 | 403 => return Ok(None),
            _ => return Err(super::unexpected(&host, &reply)),
        }
        // The parser's words could quote the token.
        let answer = serde_json::from_slice::<Token>(&reply.body).ok();
        let token = answer.and_then(|a| a.token.filter(|t| !t.is_empty()).or(a.access_token)).filter(|t| !t.is_empty());
        let why = "it holds no token".to_owned();
        token.map(Some).ok_or_else(|| RegistryError::Malformed { host, what: "a token".to_owned(), why })
    }
}

/// What a token is asked for.
struct Form<'a> {
    service: &'a str,
    reference: &'a Reference,
}

impl Form<'_> {
    /// Always our own: a registry may name a wider scope, and that would be asked for with the person's login.
    fn scope(&self) -> String {
        format!("repository:{}:pull", self.reference.repository)
    }

    fn query(&self, url: &mut Url, account: Option<&str>) {
        let mut query = url.query_pairs_mut();
        query.append_pair("service", self.service).append_pair("scope", &self.scope());
        if let Some(account) = account {
            query.append_pair("account", account);
        }
    }

    fn refresh(&self, token: &str) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("service", self.service)
            .append_pair("scope", &self.scope())
            .append_pair("client_id", CLIENT)
            .append_pair("refresh_token", token)
            .finish()
    }

    fn unusable(&self) -> RegistryError {
        denied(self.reference, "the one kept for it cannot be sent".to_owned())
    }
}

fn basic(reference: &Reference, login: &OnceCell<Login>) -> Result<Access, RegistryError> {
    let authorization = match login.get() {
        Some(Login::Kept(Credential::Password { user, password })) => plain(user, password),
        Some(Login::Unreadable(why)) => {
            return Err(denied(reference, format!("the one kept for it cannot be had: {why}")));
        }
        Some(Login::Kept(_)) => return Err(denied(reference, "it wants a password, and a token is kept".to_owned())),
        Some(Login::None) | None => return Err(denied(reference, format!("none is kept for {}", reference.registry))),
    };
    Ok(Access { authorization, words: refused(reference.host()) })
}

fn refused(host: &str) -> String {
    format!("the one kept for {host} was refused")
}

pub(super) fn denied(reference: &Reference, login: String) -> RegistryError {
    RegistryError::Denied { host: reference.host().to_owned(), what: super::what(reference), login }
}

fn bearer(token: &str) -> Option<HeaderValue> {
    secret(&format!("Bearer {token}"))
}

fn plain(user: &str, password: &str) -> Option<HeaderValue> {
    secret(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

/// A header that is left out of everything that is printed.
fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The challenges of one header: `Bearer realm="...",service="...", Basic realm="..."`.
fn challenges(header: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = header.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let word_end = rest.find([' ', '=', ',']).unwrap_or(rest.len());
        let word = rest[..word_end].to_ascii_lowercase();
        let after = rest[word_end..].trim_start();
        if let (Some(value), Some(challenge)) = (after.strip_prefix('='), found.last_mut()) {
            let (value, left) = value_of(value.trim_start());
            challenge.parameters.push((word, value));
            rest = left;
        } else {
            found.push(Challenge { scheme: word, parameters: Vec::new() });
            rest = after.strip_prefix('=').unwrap_or(after);
        }
        rest = rest.trim_start_matches([' ', ',']);
    }
    found
}

/// A quoted or bare value, and what follows it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, letter) in quoted.char_indices() {
        match letter {
            _ if escaped => {
                value.push(letter);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (value, &quoted[at + 1..]),
            _ => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let one = |header: &str| {
            challenges(header)
                .into_iter()
                .map(|c| {
                    format!(
                        "{} {}",
                        c.scheme,
                        c.parameters.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ")
                    )
                })
                .collect::<Vec<_>>()
        };
        for (header, expected) in [
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull,push""#,
                vec![
                    "bearer realm=https://auth.docker.io/token service=registry.docker.io scope=repository:library/nginx:pull,push",
                ],
            ),
            (r#"Basic realm="Registry Realm""#, vec!["basic realm=Registry Realm"]),
            (
                r#"BEARER Realm=https://a/b , service = x, Basic realm="a \"b\"""#,
                vec!["bearer realm=https://a/b service=x", r#"basic realm=a "b""#],
            ),
            (r#"Negotiate, Basic realm="x"#, vec!["negotiate ", "basic realm=x"]),
            ("=", vec![" "]),
            ("", vec![]),
        ] {
            assert_eq!(one(header), expected, "{header}");
        }
    }
}
