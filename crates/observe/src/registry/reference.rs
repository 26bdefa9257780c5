//! An image reference taken apart for asking a registry: which host, which repository, which tag or digest. Stricter
//! than `diagnosis::reference`, which only compares spellings: what is no reference is never sent anywhere.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use thiserror::Error;

/// Docker Hub's name in references, and the host that answers for it.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// A reference: registry, repository, and a tag or digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// As in full spellings: `docker.io`, `ghcr.io`, `localhost:5000`.
    pub registry: String,
    /// `library/nginx`.
    pub repository: String,
    /// The tag, if it has one.
    pub tag: Option<String>,
    /// The digest, if it has one; then the tag is only decoration.
    pub digest: Option<String>,
}

/// Text that is no reference.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{text}\" is not an image reference: {why}")]
pub struct NotAReference {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Reference {
    /// What the registry calls it: the digest, else the tag.
    pub fn target(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }

    /// Host and port to ask.
    pub fn host(&self) -> &str {
        if self.registry == HUB.0 { HUB.1 } else { &self.registry }
    }

    /// The same repository with another tag.
    #[must_use]
    pub fn with_tag(&self, tag: &str) -> Self {
        Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() }
    }
}

/// Whether a host (with or without a port) is this very machine, the only place that is asked without TLS.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl FromStr for Reference {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |why| NotAReference { text: text.chars().take(300).collect(), why };
        if text.contains("://") {
            return Err(bad("write it without the protocol, as registry/name:tag"));
        }
        if silidock_diagnosis::reference::is_id(text) {
            return Err(bad("this is an image id of one engine, which no registry knows"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|d| !is_digest(d)) {
            return Err(bad("the digest is not sha256: and 64 hexadecimal digits"));
        }
        let (registry, path) = match rest.split_once('/') {
            Some((first, path)) if names_host(first) => (first, path.to_owned()),
            Some(_) => (HUB.0, rest.to_owned()),
            None => (HUB.0, format!("library/{rest}")),
        };
        let registry = if registry == "index.docker.io" || registry == HUB.1 { HUB.0 } else { registry };
        if !is_host(registry) {
            return Err(bad("the registry's name is no host name"));
        }
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository.to_owned(), Some(tag.to_owned())),
            None => (path, None),
        };
        let repository = match (registry == HUB.0, repository.contains('/')) {
            (true, false) => format!("library/{repository}"),
            _ => repository,
        };
        if repository.is_empty() || repository.len() + registry.len() > 254 || !repository.split('/').all(is_component)
        {
            return Err(bad("a name has lower-case letters, digits and single . _ - / between them"));
        }
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(bad("a tag has letters, digits, . _ - and at most 128 of them"));
        }
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Ok(Self { registry: registry.to_ascii_lowercase(), repository, tag, digest: digest.map(str::to_owned) })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        match (&self.digest, &self.tag) {
            (Some(digest), _) => write!(f, "@{digest}"),
            (None, Some(tag)) => write!(f, ":{tag}"),
            (None, None) => Ok(()),
        }
    }
}

fn names_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':', '[']) || first.chars().any(|c| c.is_ascii_uppercase())
}

fn is_host(host: &str) -> bool {
    let port = |text: &str| text.parse::<u16>().is_ok_and(|number| number > 0);
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, after)) = rest.split_once(']') else { return false };
        return address.parse::<Ipv6Addr>().is_ok() && (after.is_empty() || after.strip_prefix(':').is_some_and(port));
    }
    let (name, number) = match host.split_once(':') {
        Some((name, number)) => (name, Some(number)),
        None => (host, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    name.split('.').all(label) && number.is_none_or(port)
}

fn is_component(component: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators: Vec<&str> = component.split(alphanumeric).filter(|s| !s.is_empty()).collect();
    let plain = |s: &&str| matches!(*s, "." | "_" | "__") || s.chars().all(|c| c == '-');
    component.starts_with(alphanumeric) && component.ends_with(alphanumeric) && separators.iter().all(plain)
}

pub(super) fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=128).contains(&tag.len()) && tag.starts_with(word) && tag.chars().all(|c| word(c) || matches!(c, '.' | '-'))
}

/// A digest of an algorithm that can be checked here.
pub(super) fn is_digest(digest: &str) -> bool {
    let hex = |text: &str, length| text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match digest.split_once(':') {
        Some(("sha256", text)) => hex(text, 64),
        Some(("sha512", text)) => hex(text, 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let sha = format!("sha256:{}", "a".repeat(64));
        for (given, full, host) in [
            ("nginx", "docker.io/library/nginx:latest", "registry-1.docker.io"),
            ("docker.io/nginx", "docker.io/library/nginx:latest", "registry-1.docker.io"),
            ("index.docker.io/acme/web:2", "docker.io/acme/web:2", "registry-1.docker.io"),
            ("ghcr.io/acme/web/api:2.1_x-y", "ghcr.io/acme/web/api:2.1_x-y", "ghcr.io"),
            ("GHCR.io/acme/web", "ghcr.io/acme/web:latest", "ghcr.io"),
            ("localhost/web", "localhost/web:latest", "localhost"),
            ("registry:5000/app:1", "registry:5000/app:1", "registry:5000"),
            ("[::1]:5000/a__b/c--d:1", "[::1]:5000/a__b/c--d:1", "[::1]:5000"),
            (&format!("127.0.0.1:5000/a:1@{sha}"), &format!("127.0.0.1:5000/a@{sha}"), "127.0.0.1:5000"),
        ] {
            let reference: Reference = given.parse().unwrap();
            assert_eq!((reference.to_string().as_str(), reference.host()), (full, host), "{given}");
            assert_eq!(
                silidock_diagnosis::reference::normalise(full).as_deref(),
                Some(full),
                "one spelling everywhere"
            );
        }
    }

    #[test]
    fn what_is_no_reference_says_why() {
        let long = "a".repeat(300);
        for (given, why) in [
            ("", "lower-case"),
            ("https://ghcr.io/acme/web", "without the protocol"),
            ("Acme", "lower-case"),
            ("acme//web", "lower-case"),
            ("acme/web:", "a tag"),
            ("acme/web:a b", "a tag"),
            ("acme/../etc", "lower-case"),
            ("acme/web?x=1", "lower-case"),
            ("acme/web@sha256:12", "digest"),
            ("bad_host.io:x/web", "host name"),
            ("ghcr.io:99999/web", "host name"),
            ("user@ghcr.io/web", "digest"),
            ("sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1", "image id"),
            (long.as_str(), "lower-case"),
        ] {
            let error = given.parse::<Reference>().unwrap_err().to_string();
            assert!(error.contains(why), "{given:?}: {error}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (host, expected) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.9.9.9", true),
            ("[::1]:5000", true),
            ("localhost.example.com", false),
            ("127.0.0.1.example.com:80", false),
            ("10.0.0.1:5000", false),
            ("registry:5000", false),
        ] {
            assert_eq!(is_loopback(host), expected, "{host}");
        }
    }
}
