//! Questions to registries over HTTP: bounded in time, size and number; asked again where that helps; redirects
//! followed by hand, so that a login never leaves the host it is for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use reqwest::{
    Client, Method, Response, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
    redirect::Policy,
};
use silidock_host::Host;
use tokio::sync::Semaphore;

use super::{RegistryError, reference::is_loopback};

/// More redirects than any registry needs: one to its storage.
const REDIRECTS: usize = 5;
/// A certificate bundle larger than this is none.
const CA_LIMIT: usize = 8 << 20;
/// Bytes of an error's body that are looked at.
const ERROR_BODY: usize = 64 << 10;
/// A registry that says nothing about when to come back is left alone for so long.
const REST: Duration = Duration::from_secs(60);
/// One that does not answer as well: a hundred images of it must not wait one after the other.
const SILENCE: Duration = Duration::from_secs(10);

/// How patiently registries are asked.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For one question and its answer.
    pub answer: Duration,
    /// How often a question is asked at most.
    pub attempts: u32,
    /// Pause before the second time; it doubles.
    pub pause: Duration,
    /// A registry that wants a longer pause than this is not waited for.
    pub longest_pause: Duration,
    /// Questions under way at once to one host.
    pub at_once: usize,
    /// For a credential helper: it may have to ask the person.
    pub helper: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(20),
            attempts: 3,
            pause: Duration::from_millis(400),
            longest_pause: Duration::from_secs(8),
            at_once: 4,
            helper: Duration::from_secs(10),
        }
    }
}

/// How many questions a registry still allows, as it said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Host and port.
    pub host: String,
    /// Allowed in a window.
    pub limit: u64,
    /// Left in it.
    pub remaining: u64,
    /// Its length in seconds.
    pub window: Option<u64>,
}

/// One question.
pub(super) struct Question<'a> {
    pub method: Method,
    pub url: Url,
    /// The media types that can be read.
    pub accept: &'a str,
    /// A login, for this host alone.
    pub authorization: Option<HeaderValue>,
    /// A form to post.
    pub form: Option<String>,
    /// Bytes of a good answer.
    pub limit: usize,
    /// What is asked for, in words.
    pub what: &'a str,
}

/// One answer, whatever its status.
pub(super) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// What is known of one host.
struct Lane {
    permits: Semaphore,
    /// Not to be asked again before, and why.
    resting: Mutex<Option<(Instant, Rest)>>,
    limit: Mutex<Option<RateLimit>>,
}

/// Why a host is left alone for a while.
#[derive(Clone)]
enum Rest {
    Limited,
    Unreachable(String),
    TimedOut(Duration),
}

pub(super) struct Transport {
    outside: Client,
    /// For this machine: a proxy could not reach it.
    loopback: Client,
    lanes: Mutex<HashMap<String, Arc<Lane>>>,
    patience: Patience,
}

impl Transport {
    pub fn new(host: &dyn Host, patience: Patience) -> Result<Self, RegistryError> {
        let authorities = authorities(host)?;
        let client = |direct: bool| {
            let mut builder = Client::builder()
                .user_agent(concat!("silidock/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .referer(false)
                .connect_timeout(patience.connect)
                .timeout(patience.answer)
                .tls_certs_merge(authorities.iter().cloned());
            if direct {
                builder = builder.no_proxy();
            }
            builder.build().map_err(|error| RegistryError::Client { why: cause(&error) })
        };
        let (outside, loopback) = (client(false)?, client(true)?);
        Ok(Self { outside, loopback, lanes: Mutex::default(), patience })
    }

    /// What each host said of its limits.
    pub fn limits(&self) -> Vec<RateLimit> {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut limits: Vec<RateLimit> =
            lanes.values().filter_map(|l| l.limit.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect();
        limits.sort_by(|a, b| a.host.cmp(&b.host));
        limits
    }

    fn lane(&self, host: &str) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = || {
            Arc::new(Lane {
                permits: Semaphore::new(self.patience.at_once),
                resting: Mutex::new(None),
                limit: Mutex::new(None),
            })
        };
        Arc::clone(lanes.entry(host.to_owned()).or_insert_with(lane))
    }

    /// Asks, again where that may help, and follows redirects.
    pub async fn ask(&self, question: &Question<'_>) -> Result<Reply, RegistryError> {
        let host = host_of(&question.url);
        let lane = self.lane(&host);
        let mut pause = self.patience.pause;
        let mut attempt = 1;
        loop {
            let result = {
                // A semaphore that is never closed always gives.
                let _permit = lane.permits.acquire().await;
                lane.refuse_while_resting(&host)?;
                self.follow(question).await
            };
            if let Ok(reply) = &result {
                lane.note(&host, &reply.headers);
            }
            let last = attempt >= self.patience.attempts;
            let (again, wanted) = match &result {
                Ok(reply) => (asked_too_soon(reply.status), retry_after(&reply.headers)),
                Err(RegistryError::Unreachable { .. }) => (true, None),
                Err(_) => (false, None),
            };
            let wait = wanted.unwrap_or(pause);
            if !again || last || wait > self.patience.longest_pause {
                return match result {
                    Ok(reply) if reply.status == StatusCode::TOO_MANY_REQUESTS => Err(lane.limited(&host, wanted)),
                    other => lane.heard(other),
                };
            }
            tokio::time::sleep(wait).await;
            pause *= 2;
            attempt += 1;
        }
    }

    async fn follow(&self, question: &Question<'_>) -> Result<Reply, RegistryError> {
        let mut url = question.url.clone();
        for _ in 0..=REDIRECTS {
            let response = self.once(question, &url).await?;
            let refused = |why| RegistryError::Redirect { host: host_of(&question.url), why };
            let to = match response.headers().get(LOCATION) {
                Some(to) if response.status().is_redirection() => to,
                _ => return self.read(question, response).await,
            };
            if question.form.is_some() {
                return Err(refused("a login, which is not followed"));
            }
            let to = to.to_str().ok().and_then(|to| url.join(to).ok()).ok_or_else(|| refused("to no address"))?;
            let plain_is_fine = is_loopback(&host_of(&to)) && is_loopback(&host_of(&url));
            match to.scheme() {
                "https" => {}
                "http" if plain_is_fine => {}
                _ => return Err(refused("to a place without TLS, which is not followed")),
            }
            url = to;
        }
        Err(RegistryError::Redirect { host: host_of(&question.url), why: "in circles" })
    }

    async fn once(&self, question: &Question<'_>, url: &Url) -> Result<Response, RegistryError> {
        let host = host_of(url);
        let client = if is_loopback(&host) { &self.loopback } else { &self.outside };
        let mut request = client.request(question.method.clone(), url.clone()).header(ACCEPT, question.accept);
        // Scheme, host and port: the login is for no other.
        if let Some(login) = question.authorization.as_ref().filter(|_| url.origin() == question.url.origin()) {
            request = request.header(AUTHORIZATION, login.clone());
        }
        if let Some(form) = &question.form {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone());
        }
        request.send().await.map_err(|error| self.failed(&host, &error))
    }

    async fn read(&self, question: &Question<'_>, mut response: Response) -> Result<Reply, RegistryError> {
        let (status, headers) = (response.status(), response.headers().clone());
        let good = status.is_success();
        let limit = if good { question.limit } else { ERROR_BODY };
        let host = host_of(response.url());
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(piece)) if body.len() + piece.len() <= limit => body.extend_from_slice(&piece),
                // Of an error's words the beginning is enough.
                Ok(Some(_)) if !good => break,
                Ok(Some(_)) => {
                    return Err(RegistryError::TooLarge { host, what: question.what.to_owned(), limit });
                }
                Err(_) if !good => break,
                Err(error) => return Err(self.failed(&host, &error)),
            }
        }
        Ok(Reply { status, headers, body })
    }

    fn failed(&self, host: &str, error: &reqwest::Error) -> RegistryError {
        let host = host.to_owned();
        match error.is_timeout() {
            true if error.is_connect() => RegistryError::TimedOut { host, after: self.patience.connect },
            true => RegistryError::TimedOut { host, after: self.patience.answer },
            false => RegistryError::Unreachable { host, why: cause(error) },
        }
    }
}

impl Lane {
    fn refuse_while_resting(&self, host: &str) -> Result<(), RegistryError> {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let left = |until: Instant| until.checked_duration_since(Instant::now());
        let Some((left, why)) = resting.and_then(|(until, why)| Some((left(until)?, why))) else { return Ok(()) };
        let host = host.to_owned();
        Err(match why {
            Rest::Limited => RegistryError::RateLimited { host, wait: Some(left) },
            Rest::Unreachable(why) => RegistryError::Unreachable { host, why },
            Rest::TimedOut(after) => RegistryError::TimedOut { host, after },
        })
    }

    fn rest(&self, pause: Duration, why: Rest) {
        *self.resting.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now() + pause, why));
    }

    fn limited(&self, host: &str, wait: Option<Duration>) -> RegistryError {
        // An hour is long enough for any program, and an absurd wish cannot overflow the clock.
        self.rest(wait.unwrap_or(REST).min(Duration::from_secs(3600)), Rest::Limited);
        RegistryError::RateLimited { host: host.to_owned(), wait }
    }

    /// A host that did not answer is not asked again at once.
    fn heard(&self, result: Result<Reply, RegistryError>) -> Result<Reply, RegistryError> {
        match &result {
            Err(RegistryError::Unreachable { why, .. }) => self.rest(SILENCE, Rest::Unreachable(why.clone())),
            Err(RegistryError::TimedOut { after, .. }) => self.rest(SILENCE, Rest::TimedOut(*after)),
            _ => {}
        }
        result
    }

    fn note(&self, host: &str, headers: &HeaderMap) {
        if let Some(limit) = rate_limit(host, headers) {
            *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = Some(limit);
        }
    }
}

/// Host and port, as in references.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn asked_too_soon(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

/// `Retry-After` in either of its forms.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    SystemTime::from(at).duration_since(SystemTime::now()).ok()
}

/// Docker Hub's `ratelimit-limit: 100;w=21600`. Its third header names the asker and is not kept.
fn rate_limit(host: &str, headers: &HeaderMap) -> Option<RateLimit> {
    let value = |name: &str| headers.get(name)?.to_str().ok();
    let count = |text: &str| text.split(';').next().unwrap_or_default().trim().parse::<u64>().ok();
    let (limit, remaining) = (value("ratelimit-limit")?, value("ratelimit-remaining")?);
    let window = limit.split(';').find_map(|part| part.trim().strip_prefix("w=")?.parse().ok());
    Some(RateLimit { host: host.to_owned(), limit: count(limit)?, remaining: count(remaining)?, window })
}

/// The innermost words of an error, without the address it happened at: that may hold a signature.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    // The outermost one names the address; alone it says too little as well.
    match std::ptr::addr_eq(inner, error) {
        true => "the connection failed".to_owned(),
        false => inner.to_string(),
    }
}

/// A company's own authorities, from where other tools look for them; the system's are used anyway.
fn authorities(host: &dyn Host) -> Result<Vec<reqwest::Certificate>, RegistryError> {
    let Some(path) = host.env("SSL_CERT_FILE") else { return Ok(Vec::new()) };
    let broken = |why: String| RegistryError::Client { why: format!("SSL_CERT_FILE: {why}") };
    let bytes = host.read(path.as_ref(), CA_LIMIT).map_err(|error| broken(error.to_string()))?;
    reqwest::Certificate::from_pem_bundle(&bytes).map_err(|_| broken(format!("{path} holds no certificates")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn limits_are_read_as_docker_hub_writes_them() {
        let limit = |limit, remaining| {
            rate_limit("h", &headers(&[("ratelimit-limit", limit), ("ratelimit-remaining", remaining)]))
        };
        let known = limit("100;w=21600", "76;w=21600").unwrap();
        assert_eq!((known.limit, known.remaining, known.window), (100, 76, Some(21_600)));
        assert_eq!(limit("100", "76").unwrap().window, None);
        assert_eq!(limit("many", "76"), None);
    }

    #[test]
    fn retry_after_has_two_forms() {
        let wait = |text| retry_after(&headers(&[("retry-after", text)]));
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert!(wait("Fri, 31 Dec 2100 23:59:59 GMT").unwrap() > Duration::from_secs(1 << 30));
        assert_eq!(wait("Fri, 31 Dec 1999 23:59:59 GMT"), None);
        assert_eq!(wait("soon"), None);
    }
}
