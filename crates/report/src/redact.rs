//! A report that can be given away: names of machines, people, folders and private registries are replaced, and so are
//! addresses, passwords, tokens and values of environment variables.
//!
//! Works on the finished document, string by string, whatever field it stands in, so that a field that is added later
//! cannot leak. What a document needs to stay one (its enumerated words, platforms, ids of findings, digests) stays.
//! What stays as well: names of containers, images and Compose projects, which the report is about.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use silidock_diagnosis::{bench::Bench, checks::CATALOG, platform::Platform};

use crate::{ReportError, Scan};

mod rules;

use rules::Rules;

/// What is known to be private here, besides what shows in the document itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Account names: of the user, and others found.
    pub user_names: Vec<String>,
    /// Names of this machine, with and without domain.
    pub host_names: Vec<String>,
    /// Home folders, absolute.
    pub home_paths: Vec<String>,
}

/// The same scan with everything private replaced, marked as redacted. Machines and registries get numbers, so that two
/// mentions of one stay recognisable as such.
///
/// # Errors
/// [`ReportError::Json`] and [`ReportError::Redaction`]; nothing is given out then.
pub fn redact(scan: &Scan, secrets: &Secrets) -> Result<Scan, ReportError> {
    let mut rules = Rules::new(secrets)?;
    if let Some(name) = &scan.engine.host_name {
        rules.learn_host(name);
    }
    let mut redacted = replaced(scan, &mut rules)?;
    redacted.engine.host_name = scan.engine.host_name.as_deref().map(|name| rules.host_label(name));
    redacted.redacted = true;
    if let Some(bench) = &mut redacted.bench {
        bench.redacted = true;
    }
    Ok(redacted)
}

/// The same for a benchmark by itself.
///
/// # Errors
/// As [`redact`].
pub fn redact_bench(bench: &Bench, secrets: &Secrets) -> Result<Bench, ReportError> {
    let mut redacted = replaced(bench, &mut Rules::new(secrets)?)?;
    redacted.redacted = true;
    Ok(redacted)
}

fn replaced<T: Serialize + DeserializeOwned>(whole: &T, rules: &mut Rules) -> Result<T, ReportError> {
    let mut document = serde_json::to_value(whole)?;
    let fixed = Fixed::new()?;
    // Each text once: a thousand images repeat most of theirs.
    let mut replaced = BTreeMap::new();
    walk(&document, None, &fixed, &mut |text| {
        if !replaced.contains_key(text) {
            rules.learn(text);
            replaced.insert(text.to_owned(), String::new());
        }
    });
    rules.settle()?;
    for (text, instead) in &mut replaced {
        *instead = rules.apply(text);
    }
    replace(&mut document, None, &fixed, &|text| replaced.get(text).cloned().unwrap_or_default());
    Ok(serde_json::from_value(document)?)
}

/// The words a document cannot do without.
struct Fixed(BTreeSet<String>);

impl Fixed {
    /// Enumerated words, constants and property names of the scan's schema, which holds that of a benchmark: a new field
    /// brings its words along.
    fn new() -> Result<Self, ReportError> {
        let mut words = BTreeSet::new();
        collect(&serde_json::to_value(schemars::schema_for!(Scan))?, &mut words);
        words.extend(CATALOG.iter().map(|check| check.id.to_owned()));
        Ok(Self(words))
    }

    /// The whole text is part of the document's form, so it tells nothing of a person.
    fn is_form(&self, key: Option<&str>, text: &str) -> bool {
        match key {
            Some("takenAt") => text.parse::<jiff::Timestamp>().is_ok(),
            Some("id" | "supersededBy") if is_finding_id(text) || is_digest(text) => true,
            Some("digest") => is_digest(text),
            _ => self.0.contains(text) || is_platform(text),
        }
    }
}

fn collect(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("enum", Value::Array(all)) => {
                        words.extend(all.iter().filter_map(Value::as_str).map(str::to_owned))
                    }
                    ("const", Value::String(word)) => {
                        words.insert(word.clone());
                    }
                    ("properties", Value::Object(all)) => words.extend(all.keys().cloned()),
                    _ => {}
                }
                collect(value, words);
            }
        }
        Value::Array(all) => all.iter().for_each(|value| collect(value, words)),
        _ => {}
    }
}

/// `emulated-container-2e0fc381`.
fn is_finding_id(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(check, hash)| {
        hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()) && CATALOG.iter().any(|known| known.id == check)
    })
}

fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    hex.len() >= 12 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A platform of the kinds there are. `some/thing` parses as one too, and may be anything.
fn is_platform(text: &str) -> bool {
    const SYSTEMS: [&str; 6] = ["linux", "windows", "darwin", "freebsd", "wasi", "wasip1"];
    const ARCHITECTURES: [&str; 15] = [
        "amd64", "arm64", "arm", "386", "ppc64le", "ppc64", "ppc", "s390x", "s390", "riscv64", "mips64", "mips64le",
        "loong64", "wasm", "wasm32",
    ];
    text.parse::<Platform>().is_ok_and(|p| {
        SYSTEMS.contains(&p.os.as_str())
            && ARCHITECTURES.contains(&p.architecture.as_str())
            && p.variant.is_none_or(|v| v.len() <= 4 && v.starts_with('v'))
    })
}

fn walk(value: &Value, key: Option<&str>, fixed: &Fixed, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) if !fixed.is_form(key, text) => see(text),
        Value::Array(all) => all.iter().for_each(|value| walk(value, key, fixed, see)),
        Value::Object(map) => {
            for (name, value) in map {
                if !fixed.0.contains(name) {
                    see(name);
                }
                walk(value, Some(name), fixed, see);
            }
        }
        _ => {}
    }
}

fn replace(value: &mut Value, key: Option<&str>, fixed: &Fixed, instead: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) if !fixed.is_form(key, text) => *text = instead(text),
        Value::Array(all) => all.iter_mut().for_each(|value| replace(value, key, fixed, instead)),
        Value::Object(map) => {
            let fields = std::mem::take(map);
            for (name, mut value) in fields {
                replace(&mut value, Some(&name), fixed, instead);
                let name = if fixed.0.contains(&name) { name } else { instead(&name) };
                map.insert(name, value);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_things_go_and_the_rest_stays() {
        let secrets = Secrets {
            user_names: vec!["sam".to_owned(), "root".to_owned()],
            host_names: vec!["sams-mac.acme.example".to_owned()],
            home_paths: vec!["/srv/people/sam".to_owned()],
        };
        let rows = [
            // Folders.
            ("/Users/sam/shop/compose.yaml:12", "~/shop/compose.yaml:12"),
            ("unix:///Users/sam/.docker/run/docker.sock", "unix://~/.docker/run/docker.sock"),
            ("/home/kim", "~"),
            (r"C:\Users\Kim Lee\shop", r"~\shop"),
            (r"in C:\Users\kim", "in ~"),
            ("/root/.docker/config.json", "~/.docker/config.json"),
            ("/rootfs /data/root /root-ca", "/rootfs /data/root /root-ca"),
            ("/host_mnt/Users/kim/a", "/host_mnt/[home]/a"),
            ("/srv/people/sam/a /srv/people/samba", "~/a /srv/people/samba"),
            ("/Users/Shared/a", "/Users/Shared/a"),
            // People and machines.
            ("Sam's db, sam_db, same, kim-db", "[user]'s db, [user]_db, same, [user]-db"),
            ("the root of it", "the root of it"),
            ("sams-mac is sams-mac.acme.example", "host-1 is host-1"),
            ("write to kim@acme.example.", "write to [email]."),
            ("ssh://deploy@build7.acme.example:22/run", "ssh://host-2:22/run"),
            ("https://u:pw@127.0.0.1/x?sig=abc", "https://127.0.0.1/x?[query]"),
            ("lookup git.acme.example: no such host", "lookup host-3: no such host"),
            // Registries.
            ("reg.acme.example:5000/team/app:1", "registry-1:5000/team/app:1"),
            ("image reg.acme.example/x, hub2:5000/x", "image registry-1/x, registry-2:5000/x"),
            ("ghcr.io/o/x docker.io/o/x o/x:1 localhost:5000/x", "ghcr.io/o/x docker.io/o/x o/x:1 localhost:5000/x"),
            ("compose.yaml/x linux/arm64 29.7.2/x", "compose.yaml/x linux/arm64 29.7.2/x"),
            // Values.
            ("export API_KEY=two words", "export API_KEY=[value]"),
            ("run with A='x y' B=2 now", "run with A=[value] B=[value] now"),
            ("DOCKER_DEFAULT_PLATFORM=linux/amd64", "DOCKER_DEFAULT_PLATFORM=linux/amd64"),
            ("DOCKER_DEFAULT_PLATFORM=hunter/two", "DOCKER_DEFAULT_PLATFORM=[value]"),
            ("up --platform=linux/arm64 --password hunter2", "up --platform=linux/arm64 --password [value]"),
            ("Authorization: Bearer abc.def and bearer xyz123", "Authorization: Bearer [value] and bearer [value]"),
            ("password: hunter2; the password is wrong", "password: [value]; the password is wrong"),
            ("pushed with ghp_0123456789abcdefABCD", "pushed with [token]"),
            // Addresses.
            ("tcp://10.1.2.3:2376", "tcp://[address]:2376"),
            ("dial tcp:10.1.2.3:80, fe80::1ff:fe23:4567:890a.", "dial tcp:[address]:80, [address]."),
            ("on 0.0.0.0:80 and ::1 at 09:00:00, 7.0.12", "on 0.0.0.0:80 and ::1 at 09:00:00, 7.0.12"),
            ("02:42:ac:11:00:02", "[address]"),
            // What a report is about.
            ("5.14.0-503.el9.aarch64", "5.14.0-503.el9.aarch64"),
            (
                "qemu-x86_64 com.docker.compose.project docker.sock",
                "qemu-x86_64 com.docker.compose.project docker.sock",
            ),
            ("postgres:v16.3.alpine", "postgres:v16.3.alpine"),
        ];
        // As in a document: learned from all of it before anything is replaced.
        let mut rules = Rules::new(&secrets).unwrap();
        rows.iter().for_each(|(given, _)| rules.learn(given));
        rules.settle().unwrap();
        for (given, expected) in rows {
            let once = rules.apply(given);
            assert_eq!(once, expected, "{given}");
            assert_eq!(rules.apply(&once), once, "a second time changes nothing: {given}");
        }
    }

    #[test]
    fn form_is_told_from_content() {
        let fixed = Fixed::new().unwrap();
        for (key, text, form) in [
            ("state", "running", true),
            ("kind", "editYaml", true),
            ("schema", "silidock/1", true),
            ("platform", "linux/arm/v7", true),
            ("platform", "hunter/two", false),
            ("id", "pin-missing-f83e8200", true),
            ("id", "my-own-f83e8200", false),
            ("id", "sha256:4bcff63911fcb4448bd4fdacec207030", true),
            ("takenAt", "2026-11-20T09:00:00Z", true),
            ("takenAt", "sam", false),
            ("text", "sam", false),
        ] {
            assert_eq!(fixed.is_form(Some(key), text), form, "{key}: {text}");
        }
    }
}
