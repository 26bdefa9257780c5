//! What counts as private in a text, and what stands in its place.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use regex::{Captures, Regex, RegexBuilder};

use super::{Secrets, is_digest, is_platform};
use crate::ReportError;

/// Registries and hosts that everybody uses: naming them tells nothing of anyone.
const PUBLIC: [&str; 14] = [
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "auth.docker.io",
    "hub.docker.com",
    "docs.docker.com",
    "host.docker.internal",
    "ghcr.io",
    "quay.io",
    "mcr.microsoft.com",
    "public.ecr.aws",
    "gcr.io",
    "registry.k8s.io",
    "localhost",
];

/// Accounts and machines that thousands have: replacing these words would spoil texts and hide nobody.
const NOBODY: [&str; 42] = [
    "admin",
    "administrator",
    "app",
    "colima",
    "container",
    "core",
    "debian",
    "default",
    "docker",
    "docker-desktop",
    "ec2-user",
    "fedora",
    "finch",
    "git",
    "guest",
    "host",
    "lima",
    "linux",
    "linuxbrew",
    "linuxkit",
    "localhost",
    "mac",
    "node",
    "nobody",
    "orbstack",
    "podman",
    "podman-machine-default",
    "public",
    "qemu",
    "rancher-desktop",
    "registry",
    "root",
    "rosetta",
    "runner",
    "shared",
    "system",
    "test",
    "ubuntu",
    "user",
    "vagrant",
    "value",
    "www-data",
];

/// Last parts of names that have three parts or more and are files, not machines.
const FILE_ENDINGS: [&str; 27] = [
    "cfg", "conf", "dll", "dylib", "env", "exe", "gz", "jar", "tar", "html", "ini", "js", "json", "lock", "log", "md",
    "plist", "py", "service", "sh", "so", "sock", "socket", "toml", "txt", "yaml", "yml",
];

/// Endings only machines of a private network have, so that two parts are enough.
const PRIVATE_ENDINGS: [&str; 8] = ["corp", "home", "internal", "intranet", "lan", "local", "localdomain", "private"];

struct Patterns {
    url: Regex,
    email: Regex,
    home: Regex,
    assignment: Regex,
    labelled: Regex,
    token: Regex,
    reference: Regex,
    domain: Regex,
    ip6: Regex,
    ip4: Regex,
}

impl Patterns {
    fn new() -> Result<Self, regex::Error> {
        Ok(Self {
            // scheme://user:password@host:port/path?query; a path without a host (unix:///...) has no match.
            url: Regex::new(
                r#"\b([A-Za-z][A-Za-z0-9+.-]*)://(?:[^\s/@'"<>]*@)?(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)(:\d+)?([^\s?#'"<>]*)(\?[^\s#'"<>]*)?(#[^\s'"<>]*)?"#,
            )?,
            email: Regex::new(r"[\w.+%-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b")?,
            home: Regex::new(
                r#"(?i)(^|.)(?:[A-Z]:)?(?:[/\\](?:Users|home)[/\\]{1,2}(?:([^\\/:*?"'<>|\r\n]+)\\|([^\\/\s:*?"'<>|,;)]+))|[/\\](?:var[/\\])?(root)\b)"#,
            )?,
            assignment: Regex::new(r#"([A-Za-z_][A-Za-z0-9_.-]*)=("[^"]*"?|'[^']*'?|[^\s&,;)]+)"#)?,
            labelled: Regex::new(
                r#"(?i)((?:\b(?:[a-z0-9]+[_-])*(?:password|passwd|passphrase|secret|token|api[_-]?key|authorization)["']?\s*[:=]\s*["']?|--?(?:[a-z0-9]+-)*(?:password|passwd|token|secret)\s+)(?:(?:bearer|basic)\s+)?|\bbearer\s+)([^\s"',;]{3,})"#,
            )?,
            token: Regex::new(
                r"\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|dckr_(?:pat|oat)_[\w-]{8,}|npm_[A-Za-z0-9]{16,}|xox[a-z]-[\w-]{8,}|sk-[\w-]{16,}|A[KS]IA[A-Z0-9]{12,}|eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?)",
            )?,
            reference: Regex::new(
                r"(^|[^A-Za-z0-9_./\\~@-])((?:[A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+)(:\d{1,5})?/[A-Za-z0-9_]",
            )?,
            domain: Regex::new(r"(^|[^A-Za-z0-9_./\\:~-])((?:[A-Za-z0-9_-]+\.)+[A-Za-z][A-Za-z0-9-]*)\b")?,
            ip6: Regex::new(r"(^|[^0-9A-Za-z:.])([0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*)")?,
            ip4: Regex::new(r"(^|[^0-9A-Za-z.])((?:\d{1,3}\.){3}\d{1,3})")?,
        })
    }
}

/// Learns first, then replaces, so that a name found in one field is replaced in all.
pub(super) struct Rules {
    patterns: Patterns,
    homes: Vec<String>,
    users: BTreeSet<String>,
    hosts: Vec<String>,
    registries: Vec<String>,
    /// What stands for each host, by its name in small letters.
    labels: BTreeMap<String, String>,
    /// Every name with what stands for it, the longest first.
    names: Vec<(Regex, String)>,
}

impl Rules {
    pub(super) fn new(secrets: &Secrets) -> Result<Self, ReportError> {
        let mut homes: Vec<String> =
            secrets.home_paths.iter().map(|p| p.trim_end_matches(['/', '\\']).to_owned()).collect();
        homes.retain(|path| !path.is_empty());
        homes.sort_by_key(|path| std::cmp::Reverse(path.len()));
        let mut rules = Self {
            patterns: Patterns::new()?,
            homes,
            users: BTreeSet::new(),
            hosts: Vec::new(),
            registries: Vec::new(),
            labels: BTreeMap::new(),
            names: Vec::new(),
        };
        secrets.user_names.iter().for_each(|name| rules.learn_user(name, 1));
        secrets.host_names.iter().for_each(|name| rules.learn_host(name));
        Ok(rules)
    }

    fn learn_user(&mut self, name: &str, shortest: usize) {
        let name = name.trim().to_lowercase();
        let number = name.bytes().all(|b| b.is_ascii_digit());
        if name.chars().count() >= shortest && !number && !NOBODY.contains(&name.as_str()) {
            self.users.insert(name);
        }
    }

    /// A machine's name, and its first part alone.
    pub(super) fn learn_host(&mut self, name: &str) {
        let name = name.trim().trim_end_matches('.').to_lowercase();
        let short = name.split('.').next().unwrap_or_default();
        for name in [name.as_str(), short] {
            let numbered = name.parse::<IpAddr>().is_ok() || name.bytes().all(|b| b.is_ascii_digit());
            if !numbered && is_private_host(name) && !self.hosts.iter().any(|known| known == name) {
                self.hosts.push(name.to_owned());
            }
        }
    }

    /// Notes every private name that a text gives away by its form.
    pub(super) fn learn(&mut self, text: &str) {
        let mut hosts = Vec::new();
        let mut users = Vec::new();
        for found in self.patterns.url.captures_iter(text) {
            hosts.extend(found.get(2).map(|host| host.as_str().to_owned()));
        }
        for found in self.patterns.home.captures_iter(text) {
            users.extend(found.get(2).or(found.get(3)).map(|user| user.as_str().to_owned()));
        }
        for found in self.patterns.domain.captures_iter(text) {
            hosts.extend(found.get(2).map(|host| host.as_str().to_owned()).filter(|host| is_machine(host)));
        }
        for found in self.patterns.reference.captures_iter(text) {
            let Some(host) = registry(&found) else { continue };
            if is_private_host(&host) && !self.registries.contains(&host) {
                self.registries.push(host);
            }
        }
        // Names of one or two letters from a path would hit ordinary words; given ones were taken as they are.
        users.iter().for_each(|name| self.learn_user(name, 3));
        for host in hosts {
            let host = host.to_lowercase();
            if is_private_host(&host) && host.parse::<IpAddr>().is_err() && !self.hosts.contains(&host) {
                self.hosts.push(host);
            }
        }
    }

    /// Gives out the labels and builds the one pattern for all names learned.
    pub(super) fn settle(&mut self) -> Result<(), ReportError> {
        for (n, name) in self.registries.iter().enumerate() {
            self.labels.insert(name.clone(), format!("registry-{}", n + 1));
        }
        let mut n = 0;
        for name in &self.hosts {
            if self.labels.contains_key(name) {
                continue;
            }
            // "mac" and "mac.corp.example" are one machine.
            let whole = self.hosts.iter().find(|other| other.split('.').next() == Some(name) && *other != name);
            let label = whole.and_then(|other| self.labels.get(other)).cloned().unwrap_or_else(|| {
                n += 1;
                format!("host-{n}")
            });
            self.labels.insert(name.clone(), label);
        }
        let users = self.users.iter().map(|name| (name.clone(), "[user]".to_owned()));
        let mut names: Vec<(String, String)> = self.labels.clone().into_iter().chain(users).collect();
        names.sort_by(|a, b| (b.0.len(), &a.0).cmp(&(a.0.len(), &b.0)));
        for (name, label) in names {
            self.names.push((RegexBuilder::new(&regex::escape(&name)).case_insensitive(true).build()?, label));
        }
        Ok(())
    }

    /// What stands for a machine.
    pub(super) fn host_label(&self, name: &str) -> String {
        let known = self.labels.get(&name.trim().trim_end_matches('.').to_lowercase());
        known.cloned().unwrap_or_else(|| "host".to_owned())
    }

    /// The text with everything private replaced.
    pub(super) fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for home in &self.homes {
            text = replace_path(&text, home);
        }
        let p = &self.patterns;
        text = p.url.replace_all(&text, |c: &Captures<'_>| self.url(c)).into_owned();
        text = p.email.replace_all(&text, "[email]").into_owned();
        text = p.home.replace_all(&text, |c: &Captures<'_>| home(&text, c)).into_owned();
        text = self.assignments(&text);
        text = p.labelled.replace_all(&text, "$1[value]").into_owned();
        text = p.token.replace_all(&text, "[token]").into_owned();
        text = p.ip6.replace_all(&text, address).into_owned();
        text = p.ip4.replace_all(&text, address).into_owned();
        for (name, label) in &self.names {
            text = replace_name(text, name, label);
        }
        text
    }

    fn url(&self, found: &Captures<'_>) -> String {
        let part = |n: usize| found.get(n).map_or("", |m| m.as_str());
        let query = if part(5).is_empty() { "" } else { "?[query]" };
        let fragment = if part(6).is_empty() { "" } else { "#[fragment]" };
        format!("{}://{}{}{}{query}{fragment}", part(1), self.host(part(2)), part(3), part(4))
    }

    fn host(&self, host: &str) -> String {
        let bare = host.trim_matches(['[', ']']);
        match bare.parse::<IpAddr>() {
            Ok(ip) if ip.is_loopback() || ip.is_unspecified() => host.to_owned(),
            Ok(_) => "[address]".to_owned(),
            Err(_) => self.labels.get(&host.to_lowercase()).cloned().unwrap_or_else(|| host.to_owned()),
        }
    }

    /// `NAME=value`: a text that is nothing else is one value to its end, spaces and all.
    fn assignments(&self, text: &str) -> String {
        let keeps = |name: &str, value: &str| {
            name.trim_start_matches('-').to_ascii_lowercase().ends_with("platform")
                && is_platform(value.trim_matches(['"', '\'']))
        };
        let bare = text.trim_start().strip_prefix("export ").unwrap_or(text.trim_start());
        if let Some((name, value)) = bare.split_once('=') {
            let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if is_name && !value.is_empty() && !keeps(name, value.trim()) {
                let head = &text[..text.len() - value.len()];
                return match value.split_once(char::is_whitespace) {
                    Some((first, rest)) if keeps(name, first) => format!("{head}{first} {}", self.assignments(rest)),
                    _ => format!("{head}[value]"),
                };
            }
        }
        let replaced = self.patterns.assignment.replace_all(text, |c: &Captures<'_>| {
            if keeps(&c[1], &c[2]) { c[0].to_owned() } else { format!("{}=[value]", &c[1]) }
        });
        replaced.into_owned()
    }
}

/// A name where it stands alone. A long one is a name inside a longer word as well: "johndoe" in "johndoes-mac".
fn replace_name(text: String, name: &Regex, label: &str) -> String {
    if !name.is_match(&text) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for found in name.find_iter(&text) {
        let before = text[..found.start()].chars().next_back();
        let after = text[found.end()..].chars().next();
        let alone = !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric);
        if alone || found.len() >= 6 {
            out.push_str(&text[at..found.start()]);
            out.push_str(label);
            at = found.end();
        }
    }
    out.push_str(&text[at..]);
    out
}

/// The registry of something that looks like an image reference: before the first slash, with a dot or a port.
fn registry(found: &Captures<'_>) -> Option<String> {
    let host = found.get(2)?.as_str().to_lowercase();
    let ending = host.rsplit('.').next().unwrap_or_default();
    let named = ending.starts_with(|c: char| c.is_ascii_alphabetic()) && !FILE_ENDINGS.contains(&ending);
    let marked = found.get(3).is_some() || (host.contains('.') && named);
    (marked && host.parse::<IpAddr>().is_err() && !is_digest(&host)).then_some(host)
}

fn is_private_host(host: &str) -> bool {
    let numbered = ["host-", "registry-"]
        .iter()
        .any(|label| host.strip_prefix(label).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())));
    !host.is_empty() && !numbered && !PUBLIC.contains(&host) && !NOBODY.contains(&host)
}

/// A name with dots that is a machine's, not a file's, a version's or a label's (`com.docker.compose.project`).
fn is_machine(name: &str) -> bool {
    let name = name.to_lowercase();
    let parts: Vec<&str> = name.split('.').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    let reversed = ["com", "org", "io", "net", "dev", "sh"].contains(first);
    let version = first.bytes().all(|b| b.is_ascii_digit());
    let enough = parts.len() > 2 || PRIVATE_ENDINGS.contains(last);
    enough && !reversed && !version && !FILE_ENDINGS.contains(last) && is_private_host(&name)
}

fn is_path_letter(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// The home folder at a place where a path can begin and end.
fn replace_path(text: &str, home: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(home) {
        let after = &rest[at + home.len()..];
        let ends = !after.starts_with(|c: char| is_path_letter(c) && c != '.');
        out.push_str(&rest[..at]);
        let inside = out.ends_with(is_path_letter);
        out.push_str(match (ends, inside) {
            (true, false) => "~",
            (true, true) if home != "/root" => "/[home]",
            _ => home,
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

fn home(text: &str, found: &Captures<'_>) -> String {
    let whole = &found[0];
    let goes_on = found.get(4).is_some_and(|root| text[root.end()..].starts_with('-'));
    let before = found.get(1).map_or("", |m| m.as_str());
    let user = found.get(2).or(found.get(3)).or(found.get(4)).map_or("", |m| m.as_str());
    // "/Users/Shared" is nobody's, "/data/root" and "/root-ca" are no homes.
    let inside = before.starts_with(is_path_letter);
    if user.eq_ignore_ascii_case("shared") || (found.get(4).is_some() && inside) || goes_on {
        return whole.to_owned();
    }
    let end = if found.get(2).is_some() { "\\" } else { "" };
    let mark = if inside { "/[home]" } else { "~" };
    format!("{before}{mark}{end}")
}

fn address(found: &Captures<'_>) -> String {
    let text = &found[2];
    // A sentence may end behind an address.
    let bare = text.trim_end_matches(['.', ':']);
    let bare = if bare.parse::<IpAddr>().is_ok() { bare } else { text };
    let hardware = bare.len() == 17 && bare.split(':').count() == 6;
    match bare.parse::<IpAddr>() {
        Ok(ip) if !ip.is_loopback() && !ip.is_unspecified() => {
            format!("{}[address]{}", &found[1], &text[bare.len()..])
        }
        Err(_) if hardware => format!("{}[address]", &found[1]),
        _ => found[0].to_owned(),
    }
}
