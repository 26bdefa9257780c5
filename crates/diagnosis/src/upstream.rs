//! What registries said: facts that need a network, and that somebody asked for. A reference nobody asked about is a
//! gap, and so is one whose registry did not answer.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    fact::{Fact, Gap},
    platform::{Nativeness, Platform},
    reference::normalise,
};

/// Everything registries were asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UpstreamFacts {
    /// One for each reference, in no order.
    pub references: Vec<UpstreamReference>,
}

/// What a registry said of one reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamReference {
    /// In full: `docker.io/library/nginx:latest`.
    pub reference: String,
    /// When it was asked, RFC 3339 in UTC.
    pub asked_at: String,
    /// What it leads to.
    pub content: Fact<UpstreamContent>,
    /// Newer tags of the repository that have the engine's platform, nearest first; none where nobody asked for them.
    pub newer: Option<Fact<Vec<NewerTag>>>,
}

/// What a reference leads to upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UpstreamContent {
    /// Digest of the index or manifest.
    pub digest: String,
    /// Which of the two.
    pub kind: UpstreamKind,
    /// Its platforms, attestations left out.
    pub platforms: Vec<Platform>,
    /// Parts whose platform could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Gap>>")]
    pub gaps: Vec<Gap>,
}

/// Whether a tag can hold several platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum UpstreamKind {
    /// A list of manifests.
    Index,
    /// One image for one platform.
    Manifest,
}

/// A tag of the same repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct NewerTag {
    /// Its name, without the repository.
    pub tag: String,
    /// All its platforms.
    pub platforms: Vec<Platform>,
}

impl UpstreamContent {
    /// A platform that the engine's processor runs by itself. A gap where none was read and not all could be.
    pub fn native(&self, engine: &Platform) -> Fact<Option<&Platform>> {
        let native = self.platforms.iter().find(|p| p.on(engine) == Nativeness::Native);
        match (native, self.gaps.first()) {
            (None, Some(gap)) => gap.clone().into(),
            (found, _) => Fact::Known(found),
        }
    }
}

impl UpstreamFacts {
    /// What is known of a reference, however it is spelled; none where nobody asked.
    pub fn of(&self, reference: &str) -> Option<&UpstreamReference> {
        let wanted = normalise(reference)?;
        self.references.iter().find(|known| known.reference == wanted)
    }

    /// What a reference leads to, or why that is not known.
    pub fn content(&self, reference: &str) -> Result<&UpstreamContent, Gap> {
        content_of(self.of(reference), reference)
    }

    /// Takes in what was learned; the later answer about a reference wins.
    pub fn learn(&mut self, said: impl IntoIterator<Item = UpstreamReference>) {
        let mut places: HashMap<String, usize> = HashMap::new();
        for (place, known) in self.references.iter().enumerate() {
            places.entry(known.reference.clone()).or_insert(place);
        }
        for new in said {
            let place = *places.entry(new.reference.clone()).or_insert(self.references.len());
            match self.references.get_mut(place) {
                Some(known) => {
                    let newer = new.newer.or_else(|| known.newer.take());
                    *known = UpstreamReference { newer, ..new };
                }
                None => self.references.push(new),
            }
        }
    }
}

/// What a reference leads to by what is known of it, or why that is not known.
pub(crate) fn content_of<'a>(
    known: Option<&'a UpstreamReference>,
    reference: &str,
) -> Result<&'a UpstreamContent, Gap> {
    match known.map(|known| &known.content) {
        Some(Fact::Known(content)) => Ok(content),
        Some(Fact::Unknown { unknown }) => Err(unknown.clone()),
        None => Err(nobody_asked(reference)),
    }
}

/// The gap of a reference that no registry was asked about.
pub fn nobody_asked(reference: &str) -> Gap {
    Gap::new(format!("the platforms of {reference} upstream"), "no registry was asked")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(reference: &str, platforms: &[&str], newer: Option<&str>) -> UpstreamReference {
        UpstreamReference {
            reference: reference.to_owned(),
            asked_at: "2026-11-20T09:00:00Z".to_owned(),
            content: Fact::Known(UpstreamContent {
                digest: "sha256:ab".to_owned(),
                kind: UpstreamKind::Index,
                platforms: platforms.iter().map(|p| p.parse().unwrap()).collect(),
                gaps: Vec::new(),
            }),
            newer: newer.map(|tag| Fact::Known(vec![NewerTag { tag: tag.to_owned(), platforms: Vec::new() }])),
        }
    }

    #[test]
    fn a_later_answer_wins_and_keeps_newer_tags() {
        let mut facts = UpstreamFacts::default();
        facts.learn([answer("docker.io/library/db:5", &["linux/amd64"], Some("8"))]);
        facts.learn([answer("docker.io/library/db:5", &["linux/amd64", "linux/arm64"], None)]);
        let known = facts.of("db:5").unwrap();
        assert_eq!(known.content.known().unwrap().platforms.len(), 2);
        assert_eq!(known.newer.as_ref().unwrap().known().unwrap()[0].tag, "8");
        assert_eq!(facts.content("db:6").unwrap_err().why, "no registry was asked");
    }

    #[test]
    fn none_is_not_native_while_a_part_is_unread() {
        let engine: Platform = "linux/arm64".parse().unwrap();
        let mut content = answer("a", &["linux/amd64"], None).content.known().unwrap().clone();
        assert_eq!(content.native(&engine), Fact::Known(None));
        content.gaps.push(Gap::new("a part", "odd"));
        assert!(content.native(&engine).gap().is_some());
        content.platforms.push(engine.clone());
        assert_eq!(content.native(&engine), Fact::Known(Some(&engine)));
    }
}
