//! Proposals for the edited text: where the `platform:` line could go, or be taken from.
//!
//! Mostly a lossless YAML editor's work. It is told the place and its result is judged by `oracle`, so a wrong proposal
//! costs nothing but a refusal. Splices cover what the editor does right but not nicely: braces over several lines, and
//! comments above the first key.

use std::str::FromStr;

use yaml_edit::{Mapping, MappingEntry, YamlFile};

use super::{EditRefused, oracle};

/// A parsed text with the service in it. Edits of `settings` show in `file`.
struct Located {
    file: YamlFile,
    settings: Mapping,
    /// Byte offset at which the service's key starts.
    key_at: usize,
}

/// Texts with the platform added to `service`, best first.
pub(super) fn insertions(text: &str, service: &str, platform: &str) -> Result<Vec<String>, EditRefused> {
    let Located { file, settings, key_at } = locate(text, service)?;
    let after = ["image", "build", "extends", "<<"].into_iter().find(|k| settings.contains_key(*k));
    let mut out = Vec::new();
    if settings.is_flow_style() {
        out.extend(line_in_braces(text, &settings, after, platform));
    } else if after.is_none() {
        out.extend(line_under_key(text, &settings, key_at, platform));
    }
    match after {
        Some(key) => {
            settings.insert_after(key, "platform", platform);
        }
        None => settings.insert_at_index(0, "platform", platform),
    }
    out.push(oracle::with_local_ending(text, file.to_string()));
    Ok(out)
}

/// Texts with another value for the platform of `service`, in the quotes and behind the anchor of the old one.
pub(super) fn replacements(text: &str, service: &str, platform: &str) -> Result<Vec<String>, EditRefused> {
    let Located { settings, .. } = locate(text, service)?;
    let entry = settings.entries().find(|e| e.key_matches("platform"));
    let range =
        entry.and_then(|entry| Some((entry.value_node()?.byte_range().start as usize, value_end(text, &entry)?)));
    let Some((start, end)) = range else { return Ok(Vec::new()) };
    let old = &text[start..end];
    // An anchor or a tag stands before the value and stays.
    let value = start + old.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let quote = ["\"", "'"].into_iter().find(|quote| text[value..].starts_with(quote)).unwrap_or_default();
    Ok(vec![format!("{}{quote}{platform}{quote}{}", &text[..value], &text[end..])])
}

/// Texts with a value behind a `platform:` that has none.
pub(super) fn fillings(text: &str, service: &str, platform: &str) -> Result<Vec<String>, EditRefused> {
    let Located { settings, .. } = locate(text, service)?;
    let entry = settings.entries().find(|e| e.key_matches("platform"));
    let key_end = entry.and_then(|entry| Some(entry.key_node()?.byte_range().end as usize));
    let behind = key_end.and_then(|end| open_value(text, end));
    let mut out: Vec<String> =
        behind.map(|at| format!("{} {platform}{}", &text[..at], &text[at..])).into_iter().collect();
    // `""`, and other ways to write nothing.
    out.extend(replacements(text, service, platform)?);
    Ok(out)
}

/// Texts with a platform under a service that has nothing under it.
pub(super) fn under_nothing(text: &str, service: &str, platform: &str) -> Vec<String> {
    let Some(services) = YamlFile::from_str(text).ok().and_then(|file| services_in(&file)) else { return Vec::new() };
    let proposal = || {
        let key = entry_named(&services, service)?.key_node()?.byte_range();
        let (_, indent) = opening_of_line(text, key.start as usize)?;
        let after = open_value(text, key.end as usize)?;
        let step = if indent.is_empty() { "  " } else { indent };
        let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let line = format!("{indent}{step}platform: {platform}");
        Some(match text[after..].find('\n').map(|end| after + end + 1) {
            Some(at) => format!("{}{line}{ending}{}", &text[..at], &text[at..]),
            None => format!("{text}{ending}{line}"),
        })
    };
    proposal().into_iter().collect()
}

/// Behind the colon of a key that ends at `key_end`, if nothing but a comment follows on its line.
fn open_value(text: &str, key_end: usize) -> Option<usize> {
    let colon = key_end + text.get(key_end..)?.find(':')? + 1;
    let gap = &text[key_end..colon - 1];
    let rest = text[colon..].lines().next().unwrap_or_default().trim();
    (gap.trim().is_empty() && (rest.is_empty() || rest.starts_with('#'))).then_some(colon)
}

/// Texts with a service that is not there yet, best first: below the others, or with the list of services itself.
pub(super) fn new_services(text: &str, key: &str, platform: &str) -> Vec<String> {
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let service = |indent: &str| format!("{indent}{key}:{ending}{indent}{indent}platform: {platform}{ending}");
    let line = |at: usize| text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
    let mut out = Vec::new();
    let below = text.split_inclusive('\n').scan(0, |at, line| {
        *at += line.len();
        Some((*at, line))
    });
    for (at, _) in below.filter(|(_, line)| line.starts_with("services:")) {
        // In braces, in front of the others.
        let line_start = text[..at].trim_end_matches(['\r', '\n']).rfind('\n').map_or(0, |end| end + 1);
        let rest = &text[line_start + "services:".len()..at];
        if let Some(inside) = rest.trim_start().strip_prefix('{') {
            let at = at - inside.len();
            let comma = if inside.trim_start().starts_with('}') { "" } else { ", " };
            out.push(format!("{}{key}: {{platform: {platform}}}{comma}{}", &text[..at], &text[at..]));
        }
        // Indented as the first one is.
        let next = &text[at..line(at)];
        let indent = &next[..next.len() - next.trim_start_matches(' ').len()];
        let indent = if indent.is_empty() || next.trim().is_empty() { "  " } else { indent };
        out.push(format!("{}{}{}", &text[..at], service(indent), &text[at..]));
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { ending };
    out.push(format!("{text}{gap}services:{ending}{}", service("  ")));
    out
}

/// Texts without the platform of `service`, best first.
pub(super) fn removals(text: &str, service: &str) -> Result<Vec<String>, EditRefused> {
    let Located { file, settings, .. } = locate(text, service)?;
    let mut out = Vec::new();
    if settings.is_flow_style() {
        out.extend(without_entry_in_braces(text, &settings));
    }
    settings.remove("platform");
    out.push(file.to_string());
    Ok(out)
}

fn locate(text: &str, service: &str) -> Result<Located, EditRefused> {
    let uncertain = |why: &str| EditRefused::Uncertain { why: why.to_owned() };
    let file = YamlFile::from_str(text).map_err(|e| uncertain(&format!("the YAML editor says: {e}")))?;
    let services = services_in(&file).ok_or_else(|| uncertain("the list of services is not written out in place"))?;
    let entry = entry_named(&services, service).ok_or_else(|| uncertain("the service was not found in the text"))?;
    let key_at = entry.byte_range().start as usize;
    let value = entry.value_node().ok_or_else(|| uncertain("the service has no value in the text"))?;
    if let Some(alias) = value.as_alias() {
        return Err(EditRefused::Alias { service: service.to_owned(), alias: alias.name() });
    }
    let tagged = value.as_tagged().and_then(yaml_edit::TaggedNode::as_mapping);
    let settings = value.as_mapping().cloned().or(tagged);
    let settings = settings.ok_or_else(|| uncertain("the service's settings are not written out in place"))?;
    Ok(Located { file, settings, key_at })
}

fn services_in(file: &YamlFile) -> Option<Mapping> {
    file.document()?.as_mapping()?.get_mapping("services")
}

/// By meaning, else by text: a service named `1` is a number to YAML.
fn entry_named(services: &Mapping, name: &str) -> Option<MappingEntry> {
    services.find_entry_by_key(name).or_else(|| {
        services.entries().find(|e| e.key_node().is_some_and(|k| k.as_scalar().is_some_and(|s| s.as_string() == name)))
    })
}

/// `{` over several lines: a whole line in front of the entry after `after`, or of `after` itself where it is the last
/// one, so that no comma of an existing line changes.
fn line_in_braces(text: &str, settings: &Mapping, after: Option<&str>, platform: &str) -> Option<String> {
    let entries: Vec<MappingEntry> = settings.entries().collect();
    let wanted = after.and_then(|a| entries.iter().position(|e| e.key_matches(a)));
    let next = wanted.map_or(0, |i| i + 1);
    [Some(next), wanted].into_iter().flatten().filter_map(|i| entries.get(i)).find_map(|entry| {
        let start = key_start(entry)?;
        let (line_start, indent) = opening_of_line(text, start)?;
        let ending = ending_above(text, line_start);
        let quote = if text[start..].starts_with('"') { "\"" } else { "" };
        let line = format!("{indent}{quote}platform{quote}: {quote}{platform}{quote},{ending}");
        Some(format!("{}{line}{}", &text[..line_start], &text[line_start..]))
    })
}

/// First under the service's key, above the comments that belong to the key which was first so far.
fn line_under_key(text: &str, settings: &Mapping, key_at: usize, platform: &str) -> Option<String> {
    let first = key_start(&settings.entries().next()?)?;
    let (_, indent) = opening_of_line(text, first)?;
    let line_start = key_at + text[key_at..].find('\n')? + 1;
    let ending = ending_above(text, line_start);
    Some(format!("{}{indent}platform: {platform}{ending}{}", &text[..line_start], &text[line_start..]))
}

/// In braces the commas belong to the entries: the whole line where it ends in one, else the comma before goes too.
fn without_entry_in_braces(text: &str, settings: &Mapping) -> Option<String> {
    let entries: Vec<MappingEntry> = settings.entries().collect();
    let index = entries.iter().position(|e| e.key_matches("platform"))?;
    let entry = entries.get(index)?;
    let end = value_end(text, entry)?;
    if text[end..].trim_start().starts_with(',') {
        let (line_start, _) = opening_of_line(text, key_start(entry)?)?;
        let line_end = end + text[end..].find('\n')? + 1;
        return Some(format!("{}{}", &text[..line_start], &text[line_end..]));
    }
    let previous = value_end(text, entries.get(index.checked_sub(1)?)?)?;
    Some(format!("{}{}", &text[..previous], &text[end..]))
}

/// Without the white space that the editor counts to a plain value.
fn value_end(text: &str, entry: &MappingEntry) -> Option<usize> {
    let range = entry.value_node()?.byte_range();
    let value = text.get(range.start as usize..range.end as usize)?;
    Some(range.start as usize + value.trim_end().len())
}

fn key_start(entry: &MappingEntry) -> Option<usize> {
    Some(entry.key_node()?.byte_range().start as usize)
}

/// Where the line of `at` starts, and its indentation, if nothing else stands before `at`.
fn opening_of_line(text: &str, at: usize) -> Option<(usize, &str)> {
    let line_start = text[..at].rfind('\n')? + 1;
    let indent = &text[line_start..at];
    indent.trim().is_empty().then_some((line_start, indent))
}

fn ending_above(text: &str, line_start: usize) -> &'static str {
    if text[..line_start].ends_with("\r\n") { "\r\n" } else { "\n" }
}
