//! Registries: which platforms a reference has upstream, and which newer tags have a platform. Asked only where
//! somebody wants to know: it needs the network, and may use the person's logins.
//!
//! Deliberately not here: what the answers mean, pulling, and where answers are kept between runs (the caller brings
//! that, because this crate writes nothing).

mod auth;
mod error;
mod http;
mod manifest;
mod newer;
mod reference;
mod search;

use std::{
    collections::{HashMap, HashSet},
    fmt::{self, Debug},
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::Deserialize;
use silidock_diagnosis::{
    fact::Gap,
    platform::Platform,
    upstream::{UpstreamContent, UpstreamKind},
};
use silidock_host::Host;

use auth::{Logins, denied};
use http::{Question, Reply, Transport};
use manifest::{Document, Entry, Part, digest_like};

pub use error::RegistryError;
pub use http::{Patience, RateLimit};
pub use reference::{NotAReference, Reference};

/// The specification's own limit for manifests.
const MANIFEST_LIMIT: usize = 4 << 20;
const CONFIG_LIMIT: usize = 8 << 20;
/// Manifests fetched for one reference: an index of silent or nested entries must not send us on a journey.
const DOCUMENTS: usize = 32;
/// Indexes within indexes.
const DEPTH: usize = 3;

/// Answers from before, by digest: what a digest leads to never changes.
pub trait Answers: Send + Sync + Debug {
    /// What a digest leads to, if that is known.
    fn known(&self, digest: &str) -> Option<UpstreamContent>;
    /// Keeps an answer. That it cannot be kept is no failure.
    fn keep(&self, content: &UpstreamContent);
}

/// A client for all registries, with the logins and connections they share.
pub struct Registries {
    host: Arc<dyn Host>,
    transport: Transport,
    patience: Patience,
    answers: Arc<dyn Answers>,
    logins: Mutex<Logins>,
    /// What opened a repository last time.
    access: Mutex<HashMap<(String, String), HeaderValue>>,
    /// Registries of this machine that speak TLS.
    tls_here: Mutex<HashSet<String>>,
}

impl Debug for Registries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Logins and tokens are nobody's to print.
        f.debug_struct("Registries").field("host", &self.host).finish_non_exhaustive()
    }
}

/// A manifest as it came.
struct Fetched {
    digest: String,
    media_type: Option<String>,
    body: Vec<u8>,
}

/// What is gathered while an index is walked.
#[derive(Default)]
struct Walk {
    platforms: Vec<Platform>,
    gaps: Vec<Gap>,
    fetched: usize,
}

impl Registries {
    /// A client that has asked nobody yet.
    ///
    /// # Errors
    /// A certificate file that the environment names cannot be used.
    pub fn new(host: Arc<dyn Host>, answers: Arc<dyn Answers>, patience: Patience) -> Result<Self, RegistryError> {
        let transport = Transport::new(host.as_ref(), patience)?;
        Ok(Self {
            host,
            transport,
            patience,
            answers,
            logins: Mutex::default(),
            access: Mutex::default(),
            tls_here: Mutex::default(),
        })
    }

    /// What each registry said of its limits, by host.
    pub fn limits(&self) -> Vec<RateLimit> {
        self.transport.limits()
    }

    /// What a reference leads to.
    ///
    /// # Errors
    /// See [`RegistryError`]. Parts of an index that cannot be read are gaps of the answer instead.
    pub async fn content(&self, reference: &Reference) -> Result<UpstreamContent, RegistryError> {
        // Without a body, so it costs little, and at Docker Hub does not count.
        let digest = self.digest(reference).await?;
        if let Some(known) = digest.as_deref().and_then(|digest| self.answers.known(digest)) {
            return Ok(known);
        }
        let fetched = self.manifest(reference, digest.as_deref()).await?;
        let mut walk = Walk { fetched: 1, ..Walk::default() };
        let kind = match self.document(reference, &fetched)? {
            Document::Index(entries) => {
                self.walk(reference, entries, &mut walk).await?;
                UpstreamKind::Index
            }
            Document::Manifest(config) => {
                walk.platforms.push(self.config(reference, &config).await?);
                UpstreamKind::Manifest
            }
            Document::Other(kind) => return Err(RegistryError::NotAnImage { what: what(reference), kind }),
        };
        if walk.platforms.is_empty() && walk.gaps.is_empty() {
            let kind = "an index without images".to_owned();
            return Err(RegistryError::NotAnImage { what: what(reference), kind });
        }
        let content = UpstreamContent { digest: fetched.digest, kind, platforms: walk.platforms, gaps: walk.gaps };
        if content.gaps.is_empty() {
            self.answers.keep(&content);
        }
        Ok(content)
    }

    /// The digest a reference leads to; none where the registry does not tell without sending all of it.
    async fn digest(&self, reference: &Reference) -> Result<Option<String>, RegistryError> {
        let path = format!("manifests/{}", reference.target());
        let reply = self.ask(reference, Method::HEAD, &path, manifest::ACCEPT, MANIFEST_LIMIT).await?;
        let told = reply.headers.get("docker-content-digest").and_then(|value| value.to_str().ok());
        match (reply.status.as_u16(), told, &reference.digest) {
            (405 | 501, ..) => Ok(None),
            (200..=299, Some(told), Some(wanted)) if told != wanted => {
                Err(RegistryError::WrongDigest { host: reference.host().to_owned(), digest: wanted.clone() })
            }
            (200..=299, Some(told), _) if reference::is_digest(told) => Ok(Some(told.to_owned())),
            (200..=299, _, wanted) => Ok(wanted.clone()),
            _ => Err(failed(reference, &reply)),
        }
    }

    async fn manifest(&self, reference: &Reference, digest: Option<&str>) -> Result<Fetched, RegistryError> {
        let path = format!("manifests/{}", digest.unwrap_or_else(|| reference.target()));
        let reply = self.ask(reference, Method::GET, &path, manifest::ACCEPT, MANIFEST_LIMIT).await?;
        if !reply.status.is_success() {
            return Err(failed(reference, &reply));
        }
        let header = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let told = digest.map(str::to_owned).or_else(|| header("docker-content-digest"));
        let found = digest_like(&reply.body, told.as_deref().unwrap_or_default());
        if let Some(digest) = told.filter(|told| *told != found) {
            return Err(RegistryError::WrongDigest { host: reference.host().to_owned(), digest });
        }
        let media_type = header(CONTENT_TYPE.as_str())
            .map(|text| text.split(';').next().unwrap_or_default().trim().to_owned())
            .filter(|text| !text.is_empty());
        Ok(Fetched { digest: found, media_type, body: reply.body })
    }

    fn document(&self, reference: &Reference, fetched: &Fetched) -> Result<Document, RegistryError> {
        manifest::read(&fetched.body, fetched.media_type.as_deref()).map_err(|why| malformed(reference, why))
    }

    /// The platform of a configuration.
    async fn config(&self, reference: &Reference, digest: &str) -> Result<Platform, RegistryError> {
        if !reference::is_digest(digest) {
            return Err(malformed(reference, "its configuration has no digest".to_owned()));
        }
        let reply = self.ask(reference, Method::GET, &format!("blobs/{digest}"), "*/*", CONFIG_LIMIT).await?;
        if !reply.status.is_success() {
            return Err(failed(reference, &reply));
        }
        if digest_like(&reply.body, digest) != digest {
            let digest = digest.to_owned();
            return Err(RegistryError::WrongDigest { host: reference.host().to_owned(), digest });
        }
        let written = manifest::read_config(&reply.body).map_err(|why| malformed(reference, why))?;
        written.read().map_err(|error| malformed(reference, error.to_string()))
    }

    /// Goes through an index and those within it.
    async fn walk(&self, reference: &Reference, top: Vec<Entry>, into: &mut Walk) -> Result<(), RegistryError> {
        let mut waiting: Vec<(Entry, usize)> = top.into_iter().rev().map(|entry| (entry, 1)).collect();
        while let Some((entry, depth)) = waiting.pop() {
            let gap = |why: String| Gap::new(format!("a part of {reference}"), why);
            match entry.part() {
                Part::Nothing => {}
                Part::For(written) => match written.read() {
                    Ok(platform) => into.add(platform),
                    Err(error) => into.gaps.push(gap(error.to_string())),
                },
                Part::Silent | Part::Nested if into.fetched >= DOCUMENTS || depth > DEPTH => {
                    into.gaps.push(gap("it leads too far to be followed".to_owned()));
                }
                Part::Silent | Part::Nested => {
                    into.fetched += 1;
                    match self.within(reference, &entry.digest).await {
                        Ok(Within::Platform(platform)) => into.add(platform),
                        Ok(Within::Index(entries)) => {
                            waiting.extend(entries.into_iter().rev().map(|entry| (entry, depth + 1)));
                        }
                        Ok(Within::Nothing) => {}
                        Err(error @ RegistryError::RateLimited { .. }) => return Err(error),
                        Err(error) => into.gaps.push(gap(error.to_string())),
                    }
                }
            }
        }
        Ok(())
    }

    async fn within(&self, reference: &Reference, digest: &str) -> Result<Within, RegistryError> {
        if !reference::is_digest(digest) {
            return Err(malformed(reference, "a part of it has no digest".to_owned()));
        }
        let fetched = self.manifest(reference, Some(digest)).await?;
        Ok(match self.document(reference, &fetched)? {
            Document::Index(entries) => Within::Index(entries),
            Document::Manifest(config) => Within::Platform(self.config(reference, &config).await?),
            Document::Other(_) => Within::Nothing,
        })
    }

    /// Asks a repository, logging in where it wants that.
    async fn ask(
        &self,
        reference: &Reference,
        method: Method,
        path: &str,
        accept: &str,
        limit: usize,
    ) -> Result<Reply, RegistryError> {
        let key = (reference.registry.clone(), reference.repository.clone());
        let mut authorization = self.access.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let mut words = format!("none is kept for {}", reference.registry);
        let what = what(reference);
        for logged_in in [false, true] {
            let url = self.address(reference, path)?;
            let question =
                Question { method: method.clone(), url, accept, authorization, form: None, limit, what: &what };
            let reply = self.over_tls_if_wanted(reference, path, question).await?;
            match reply.status.as_u16() {
                401 if !logged_in => {
                    let access = self.log_in(reference, &reply.headers).await?;
                    words = access.words;
                    authorization = access.authorization;
                    let mut kept = self.access.lock().unwrap_or_else(PoisonError::into_inner);
                    match &authorization {
                        Some(value) => kept.insert(key.clone(), value.clone()),
                        None => kept.remove(&key),
                    };
                }
                401 | 403 => {
                    self.access.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
                    return Err(denied(reference, words));
                }
                _ => return Ok(reply),
            }
        }
        Err(denied(reference, words))
    }

    /// A registry on this machine may speak TLS: then it answers plain questions with 400.
    async fn over_tls_if_wanted(
        &self,
        reference: &Reference,
        path: &str,
        question: Question<'_>,
    ) -> Result<Reply, RegistryError> {
        let reply = self.transport.ask(&question).await?;
        if reply.status.as_u16() != 400 || question.url.scheme() != "http" {
            return Ok(reply);
        }
        let host = reference.host().to_owned();
        self.tls_here.lock().unwrap_or_else(PoisonError::into_inner).insert(host.clone());
        let url = self.address(reference, path)?;
        match self.transport.ask(&Question { url, ..question }).await {
            Ok(reply) => Ok(reply),
            Err(_) => {
                self.tls_here.lock().unwrap_or_else(PoisonError::into_inner).remove(&host);
                Ok(reply)
            }
        }
    }

    fn address(&self, reference: &Reference, path: &str) -> Result<Url, RegistryError> {
        let host = reference.host();
        let plain = reference::is_loopback(host)
            && !self.tls_here.lock().unwrap_or_else(PoisonError::into_inner).contains(host);
        let scheme = if plain { "http" } else { "https" };
        let address = format!("{scheme}://{host}/v2/{}/{path}", reference.repository);
        address.parse().map_err(|_| malformed(reference, "its name makes no address".to_owned()))
    }
}

/// What an entry of an index leads to.
enum Within {
    Platform(Platform),
    Index(Vec<Entry>),
    Nothing,
}

impl Walk {
    fn add(&mut self, platform: Platform) {
        if !self.platforms.contains(&platform) {
            self.platforms.push(platform);
        }
    }
}

fn what(reference: &Reference) -> String {
    let mark = if reference.digest.is_some() { '@' } else { ':' };
    format!("{}{mark}{}", reference.repository, reference.target())
}

fn malformed(reference: &Reference, why: String) -> RegistryError {
    RegistryError::Malformed { host: reference.host().to_owned(), what: what(reference), why }
}

fn failed(reference: &Reference, reply: &Reply) -> RegistryError {
    match reply.status.as_u16() {
        404 => RegistryError::NotFound { host: reference.host().to_owned(), what: what(reference) },
        _ => unexpected(reference.host(), reply),
    }
}

/// A status that is no answer, with the registry's own words where it has some.
fn unexpected(host: &str, reply: &Reply) -> RegistryError {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<Said>,
    }
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        message: String,
    }
    let said = serde_json::from_slice::<Errors>(&reply.body).ok().and_then(|all| all.errors.into_iter().next());
    let message: String = said.map(|said| said.message.chars().take(200).collect()).unwrap_or_default();
    RegistryError::Status { host: host.to_owned(), status: reply.status.as_u16(), message }
}
