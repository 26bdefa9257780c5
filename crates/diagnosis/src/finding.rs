//! A finding: what is wrong with what, how sure, why, on what evidence, and what would fix it. Owned data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::fix::Fix;

/// How bad. A property of the check; ordered, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Will not run or build.
    Broken,
    /// Runs, at a cost.
    Slow,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The word of reports and of `--fail-on`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Slow => "slow",
            Self::Note => "note",
        }
    }
}

/// How sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Confidence {
    /// The signs point to it.
    Likely,
    /// Seen.
    Certain,
    /// Seen and put in numbers here.
    Measured,
}

impl Confidence {
    /// The word of reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Likely => "likely",
            Self::Certain => "certain",
            Self::Measured => "measured",
        }
    }
}

/// What kind of thing a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum SubjectKind {
    /// The engine.
    Engine,
    /// A container.
    Container,
    /// An image.
    Image,
    /// A service of a Compose project.
    Service,
    /// A setting of the environment or of a file.
    Setting,
}

/// The thing a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
pub struct Subject {
    /// What kind of thing.
    pub kind: SubjectKind,
    /// Its name as a person knows it, stable over a rescan: container name, `project/service`, tag.
    pub id: String,
    /// File it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<String>,
    /// Line there, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub line: Option<u32>,
    /// Column there, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub column: Option<u32>,
}

impl Subject {
    /// A thing without a place in a file.
    pub fn new(kind: SubjectKind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into(), path: None, line: None, column: None }
    }
    /// The same thing, placed.
    pub fn at(mut self, path: impl Into<String>, line: Option<u32>) -> Self {
        self.path = Some(path.into());
        self.line = line;
        self
    }
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Evidence {
    /// Where: `process 4711`, `/home/me/shop/compose.yaml:12`, `engine`.
    pub place: String,
    /// What stood there.
    pub text: String,
}

impl Evidence {
    /// From its two halves.
    pub fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into() }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Stable over rescans: made of check, engine and subject.
    pub id: String,
    /// Which check.
    pub check: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// About what.
    pub subject: Subject,
    /// What, in one line.
    pub title: String,
    /// Why it matters here, in a sentence or two.
    pub why: String,
    /// What was seen.
    pub evidence: Vec<Evidence>,
    /// What would fix it, best first.
    pub fixes: Vec<Fix>,
    /// Id of the more exact finding that says the same, if there is one. Such a finding is folded under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub superseded_by: Option<String>,
}

/// The stable id of a finding.
pub fn finding_id(check: &str, engine: &str, subject: &Subject) -> String {
    let mut hash = Fnv::new();
    for part in [check, engine, &format!("{:?}", subject.kind), &subject.id, subject.path.as_deref().unwrap_or("")] {
        hash.write(part.as_bytes());
        hash.write(&[0]);
    }
    format!("{check}-{:08x}", hash.fold())
}

/// FNV-1a: the standard library's hasher promises no stability between versions, and ids must survive an update.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    fn fold(&self) -> u32 {
        ((self.0 >> 32) ^ (self.0 & 0xffff_ffff)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_never_change() {
        let subject = Subject::new(SubjectKind::Container, "web");
        assert_eq!(finding_id("emulated-container", "unix:///x", &subject), "emulated-container-2e0fc381");
        let other = Subject::new(SubjectKind::Container, "web").at("/a", Some(3));
        let moved = Subject::new(SubjectKind::Container, "web").at("/a", Some(9));
        assert_eq!(finding_id("a", "e", &other), finding_id("a", "e", &moved), "a line that moved is the same finding");
        assert_ne!(finding_id("a", "e", &other), finding_id("a", "f", &other));
    }
}
