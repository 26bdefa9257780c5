//! What a Compose text means, by a strict parser, and whether a proposed text means exactly the asked change.
//!
//! Proposals come from `place`; nothing is edited here.

use std::collections::BTreeSet;

use serde::Deserialize;
use yaml_serde::{Mapping, Value};

use super::EditRefused;
use crate::line::split_ending;

/// How far `extends` and merges are followed; real files need two or three.
const DEPTH: usize = 32;

/// A single-document YAML text that parsed.
pub(super) struct Document {
    root: Value,
    text_is_json: bool,
}

impl Document {
    pub(super) fn parse(text: &str) -> Result<Self, EditRefused> {
        let mut documents = Vec::new();
        for deserializer in yaml_serde::Deserializer::from_str(text) {
            documents.push(Value::deserialize(deserializer).map_err(|e| unreadable(text, &e))?);
        }
        if documents.len() > 1 {
            return Err(EditRefused::MultipleDocuments { documents: documents.len() });
        }
        let root = documents.pop().unwrap_or(Value::Null);
        let document = Self { root, text_is_json: is_json(text) };
        if document.has_placeholders() {
            return Err(EditRefused::Template { line: template_line(text).unwrap_or(1) });
        }
        Ok(document)
    }

    fn services(&self) -> impl Iterator<Item = (String, &Value)> {
        let services = self.root.get("services").and_then(Value::as_mapping);
        services.into_iter().flatten().filter_map(|(k, v)| Some((key_text(k)?, v)))
    }

    fn service(&self, name: &str) -> Option<&Value> {
        // By hash first; a name that YAML takes for a number needs the long way.
        let direct = self.root.get("services").and_then(|s| s.get(name));
        direct.or_else(|| self.services().find(|(k, _)| k == name).map(|(_, v)| v))
    }

    pub(super) fn has_service(&self, name: &str) -> bool {
        self.service(name).is_some()
    }

    /// The meaning with one service more, which has a platform and nothing else.
    pub(super) fn with_new_service(&self, service: &str, platform: &str) -> Value {
        let mut root = self.root.as_mapping().cloned().unwrap_or_default();
        let mut services = root.get("services").and_then(Value::as_mapping).cloned().unwrap_or_default();
        let mut settings = Mapping::new();
        settings.insert("platform".into(), platform.into());
        services.insert(service.into(), Value::Mapping(settings));
        root.insert("services".into(), Value::Mapping(services));
        Value::Mapping(root)
    }

    fn settings(&self, name: &str) -> Option<&Mapping> {
        self.service(name)?.as_mapping()
    }

    /// There, a mapping, and not the base of another service.
    pub(super) fn require_editable(&self, service: &str) -> Result<(), EditRefused> {
        let name = || service.to_owned();
        match self.service(service) {
            None => {
                let services = self.services().map(|(k, _)| k).collect();
                return Err(EditRefused::NoSuchService { service: name(), services });
            }
            // Nothing under it is something to put a platform under; what a tag takes back is not.
            Some(Value::Null) => return Ok(()),
            Some(value) if untagged(value).is_null() => return Err(EditRefused::EmptyService { service: name() }),
            Some(value) if value.as_mapping().is_none() => return Err(EditRefused::NotAService { service: name() }),
            Some(_) => {}
        }
        let heirs = self.services().filter(|(other, value)| {
            let own = value.as_mapping().is_some_and(|m| platform_in(m, DEPTH).is_some());
            other != service && !own && self.ancestors(other).any(|a| a == service)
        });
        let by: Vec<String> = heirs.map(|(other, _)| other).collect();
        if by.is_empty() { Ok(()) } else { Err(EditRefused::Extended { service: name(), by }) }
    }

    /// Compose gives up a key that is tagged `!reset`, whatever its value.
    pub(super) fn refuse_taken_back(&self, service: &str) -> Result<(), EditRefused> {
        match self.settings(service).and_then(|settings| settings.get("platform")) {
            Some(Value::Tagged(tagged)) if tagged.tag == "!reset" => {
                Err(EditRefused::TakenBack { service: service.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// `web:` with nothing under it.
    pub(super) fn is_empty_service(&self, service: &str) -> bool {
        self.service(service) == Some(&Value::Null)
    }

    /// The value of the service's own `platform:`, as text.
    pub(super) fn own_platform(&self, service: &str) -> Option<String> {
        self.settings(service)?.get("platform").map(scalar_text)
    }

    /// The platform that reaches the service through `<<` or `extends` in the same file, and through which.
    pub(super) fn inherited_platform(&self, service: &str) -> Option<(String, String)> {
        if let Some(platform) = platform_in(self.settings(service)?, DEPTH) {
            return Some((platform, "a merge (<<)".to_owned()));
        }
        self.ancestors(service).find_map(|base| {
            let platform = platform_in(self.settings(&base)?, DEPTH)?;
            Some((platform, format!("extends: {base}")))
        })
    }

    /// The services of this file that `service` extends, nearest first.
    fn ancestors(&self, service: &str) -> impl Iterator<Item = String> {
        let base_of = |name: &String| {
            let extends = self.settings(name)?.get("extends")?;
            match extends.as_mapping() {
                Some(from) if from.contains_key("file") => None,
                Some(from) => from.get("service")?.as_str().map(str::to_owned),
                None => extends.as_str().map(str::to_owned),
            }
        };
        // Bounded, because nothing forbids a file to say that a extends b extends a.
        std::iter::successors(base_of(&service.to_owned()), base_of).take(DEPTH)
    }

    /// The meaning that an edit must have.
    pub(super) fn with_platform(&self, service: &str, platform: Option<&str>) -> Value {
        let mut root = self.root.clone();
        let service = root
            .get_mut("services")
            .and_then(Value::as_mapping_mut)
            .and_then(|m| m.iter_mut().find(|(k, _)| key_text(k).as_deref() == Some(service)));
        if let Some((_, value)) = service {
            if value.is_null() && platform.is_some() {
                *value = Value::Mapping(Mapping::new());
            }
            match (value.as_mapping_mut(), platform) {
                (Some(settings), Some(platform)) => match settings.get_mut("platform") {
                    // A tag stands before the value and stays.
                    Some(Value::Tagged(tagged)) => tagged.value = platform.into(),
                    _ => drop(settings.insert("platform".into(), platform.into())),
                },
                (Some(settings), None) => drop(settings.remove("platform")),
                (None, _) => {}
            }
        }
        root
    }

    /// `{{ name }}` where a value is wanted parses as a mapping with a mapping for a key, which Compose never has; quoted it
    /// survives as text, which no image reference may hold. Elsewhere (`--format '{{.ID}}'`) it is legitimate.
    fn has_placeholders(&self) -> bool {
        let references = self.services().filter_map(|(_, v)| v.as_mapping());
        has_mapping_key(&self.root)
            || references
                .flat_map(|m| [m.get("image"), m.get("platform")])
                .flatten()
                .filter_map(Value::as_str)
                .any(|s| s.contains("{{") || s.contains("{%"))
    }

    /// What has another value in `new` than in `expected`: services by name, else top-level keys.
    fn differences(expected: &Value, new: &Value) -> BTreeSet<String> {
        let section = |v: &Value, key: &str| v.get(key).and_then(Value::as_mapping).cloned().unwrap_or_default();
        let differing = |a: &Mapping, b: &Mapping| -> BTreeSet<String> {
            let keys = a.keys().chain(b.keys()).filter(|k| a.get(*k) != b.get(*k));
            keys.map(|k| key_text(k).unwrap_or_else(|| "a key that is not text".to_owned())).collect()
        };
        let top = |v: &Value| v.as_mapping().cloned().unwrap_or_default();
        let mut out = differing(&top(expected), &top(new));
        if out.remove("services") {
            out.extend(differing(&section(expected, "services"), &section(new, "services")));
        }
        out
    }
}

/// The first proposal that means `expected` and passes `place`, the check of the text itself.
pub(super) fn choose(
    document: &Document,
    service: &str,
    expected: &Value,
    proposals: Vec<String>,
    place: impl Fn(&str) -> Result<(), &'static str>,
) -> Result<String, EditRefused> {
    let mut refusal = EditRefused::Uncertain { why: "no place for the line was found".to_owned() };
    for new in proposals {
        let judged = judge(document, service, expected, &new)
            .and_then(|()| place(&new).map_err(|why| EditRefused::Uncertain { why: why.to_owned() }));
        match judged {
            Ok(()) => return Ok(new),
            // Sharing is a property of the file, so no other proposal can do better.
            Err(shared @ EditRefused::Shared { .. }) => return Err(shared),
            Err(other) => refusal = other,
        }
    }
    Err(refusal)
}

fn judge(document: &Document, service: &str, expected: &Value, new: &str) -> Result<(), EditRefused> {
    let uncertain = |why: String| EditRefused::Uncertain { why };
    let after = Document::parse(new).map_err(|e| uncertain(format!("the edited text would not be right: {e}")))?;
    if document.text_is_json && !after.text_is_json {
        return Err(uncertain("the edited text would no longer be JSON".to_owned()));
    }
    if after.root == *expected {
        return Ok(());
    }
    let mut others = Document::differences(expected, &after.root);
    if others.remove(service) || others.is_empty() {
        return Err(uncertain("the edited text would mean something else".to_owned()));
    }
    Err(EditRefused::Shared { service: service.to_owned(), others: others.into_iter().collect() })
}

/// Whether `after` is `before` with nothing but the platform put into one place.
pub(super) fn only_inserted(before: &str, after: &str, platform: &str) -> Result<(), &'static str> {
    if before.ends_with('\n') != after.ends_with('\n') {
        return Err("the end of the file would change");
    }
    let wanted = format!("platform:{platform}");
    let fits = insertions(before, after).any(|(_, piece)| {
        let bare: String = piece.chars().filter(|c| !c.is_whitespace() && !matches!(c, ',' | '"')).collect();
        bare == wanted && piece.matches('\n').count() <= 1
    });
    if fits { Ok(()) } else { Err("other parts of the text would change") }
}

/// Whether `after` differs from `before` in one place of one line.
pub(super) fn only_value_changed(before: &str, after: &str) -> Result<(), &'static str> {
    let same_above = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    let rest = before.len().min(after.len()) - same_above;
    let same_below = before.bytes().rev().zip(after.bytes().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let piece = |text: &str| text.as_bytes()[same_above..text.len() - same_below].contains(&b'\n');
    if piece(before) || piece(after) { Err("other lines would change") } else { Ok(()) }
}

/// Whether `after` is `before` with something put in, and nothing else.
pub(super) fn only_put_in(before: &str, after: &str) -> Result<(), &'static str> {
    if insertions(before, after).next().is_some() { Ok(()) } else { Err("other parts of the text would change") }
}

/// Whether `after` is `before` without the platform's line, at most with the line above it adapted.
pub(super) fn only_removed(before: &str, after: &str) -> Result<(), &'static str> {
    if before.ends_with('\n') != after.ends_with('\n') {
        return Err("the end of the file would change");
    }
    let comments = |text: &str| -> Vec<String> {
        text.lines().map(str::trim).filter(|l| l.starts_with('#')).map(str::to_owned).collect()
    };
    if comments(before) != comments(after) {
        return Err("a comment would be lost");
    }
    // A comment may go with the line that it stands on, no other.
    let own_comments = |piece: &str| piece.lines().all(|l| l.contains("platform") || !l.contains('#'));
    let mut pieces = insertions(after, before).filter(|(_, piece)| piece.contains("platform")).peekable();
    if pieces.peek().is_some() {
        return if pieces.any(|(_, p)| own_comments(p)) { Ok(()) } else { Err("a comment would be lost") };
    }
    if before.matches('#').count() > after.matches('#').count() {
        return Err("a comment would be lost");
    }
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let same_above = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - same_above;
    let same_below = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    if old.len() - same_above - same_below <= 2 { Ok(()) } else { Err("other parts of the text would change") }
}

/// Every way to see `after` as `before` with one piece inserted: the same bytes can often be read as several pieces
/// (`a|a b|b`), so all of them are given, with their offsets.
pub(super) fn insertions<'a>(before: &str, after: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let length = after.len().checked_sub(before.len());
    let same = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    let possible = length.filter(|n| before.as_bytes()[same..] == after.as_bytes()[same + n..]);
    possible.into_iter().flat_map(move |length| {
        let bytes = after.as_bytes();
        let slides = (0..same).rev().take_while(move |at| bytes[*at] == bytes[at + length]);
        std::iter::once(same).chain(slides).filter_map(move |at| Some((at, after.get(at..at + length)?)))
    })
}

/// Gives an inserted line the ending of the line above it, for files that mix endings.
pub(super) fn with_local_ending(before: &str, after: String) -> String {
    let Some((at, piece)) =
        insertions(before, &after).find(|(at, p)| p.ends_with('\n') && after[..*at].ends_with('\n'))
    else {
        return after;
    };
    let above = after[..at].split_inclusive('\n').next_back().unwrap_or_default();
    let line = split_ending(piece).0;
    format!("{}{line}{}{}", &after[..at], split_ending(above).1, &after[at + piece.len()..])
}

fn platform_in(settings: &Mapping, depth: usize) -> Option<String> {
    if let Some(own) = settings.get("platform") {
        return Some(scalar_text(own));
    }
    let merged = settings.get("<<").filter(|_| depth > 0)?;
    let sources = merged.as_sequence().map_or(std::slice::from_ref(merged), Vec::as_slice);
    sources.iter().filter_map(Value::as_mapping).find_map(|m| platform_in(m, depth - 1))
}

fn untagged(value: &Value) -> &Value {
    match value {
        Value::Tagged(tagged) => untagged(&tagged.value),
        other => other,
    }
}

fn key_text(key: &Value) -> Option<String> {
    match key {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

fn scalar_text(value: &Value) -> String {
    match untagged(value) {
        Value::Null => String::new(),
        other => key_text(other).unwrap_or_else(|| "a value that is not text".to_owned()),
    }
}

fn has_mapping_key(value: &Value) -> bool {
    match value {
        Value::Mapping(m) => m.iter().any(|(k, v)| k.is_mapping() || has_mapping_key(v)),
        Value::Sequence(s) => s.iter().any(has_mapping_key),
        Value::Tagged(t) => has_mapping_key(&t.value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn unreadable(text: &str, error: &yaml_serde::Error) -> EditRefused {
    if let Some(line) = template_line(text) {
        return EditRefused::Template { line };
    }
    let location = error.location();
    let what = error.to_string();
    EditRefused::NotYaml {
        line: location.as_ref().map(yaml_serde::Location::line),
        column: location.as_ref().map(yaml_serde::Location::column),
        // The place is said once, by us.
        what: what.split(" at line ").next().unwrap_or(&what).to_owned(),
    }
}

fn template_line(text: &str) -> Option<usize> {
    text.lines().position(|l| l.contains("{{") || l.contains("{%")).map(|i| i + 1)
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}
