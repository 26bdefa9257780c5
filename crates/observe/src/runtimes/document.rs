//! A settings file of any of the four formats, read as one tree, with the line that a key stands in.
//!
//! Whatever is wrong with a file becomes a gap in plain words. Nothing of its content is repeated there: settings files
//! hold names of proxies and accounts.

use std::path::Path;

use serde_json::Value;
use silidock_diagnosis::{fact::Gap, finding::Confidence, runtime::Setting};
use silidock_host::Host;

/// No settings file comes near this.
const LIMIT: usize = 1 << 20;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
    Toml,
    /// In either of its two forms.
    Plist,
}

/// What is in the place of a file.
pub(super) enum Opened {
    Missing,
    Here(Document),
    Unreadable(Gap),
}

/// A file that could be read.
pub(super) struct Document {
    path: String,
    format: Format,
    source: String,
    root: Value,
}

/// Reads a file.
pub(super) fn open(host: &dyn Host, path: &Path, format: Format) -> Opened {
    let shown = path.display().to_string();
    let gap = |why: String| Opened::Unreadable(Gap::new(format!("the settings in {shown}"), why));
    let bytes = match host.read(path, LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.is_missing() => return Opened::Missing,
        Err(error) => return gap(error.to_string()),
    };
    match parse(&bytes, format) {
        // An empty YAML or TOML file leaves everything at its default.
        Ok((source, Value::Null)) if format != Format::Json => {
            Opened::Here(Document { path: shown, format, source, root: Value::Object(serde_json::Map::new()) })
        }
        Ok((source, root @ Value::Object(_))) => Opened::Here(Document { path: shown, format, source, root }),
        Ok((_, other)) => gap(format!("it holds {}, and a table of settings is expected", kind(&other))),
        Err(why) => gap(why),
    }
}

fn parse(bytes: &[u8], format: Format) -> Result<(String, Value), String> {
    if format == Format::Plist {
        let root = plist::from_bytes(bytes).map_err(|error| format!("it is not a readable property list: {error}"))?;
        return Ok((String::new(), root));
    }
    let source = String::from_utf8(bytes.to_vec()).map_err(|_| "it is not text in UTF-8".to_owned())?;
    let clean = source.strip_prefix('\u{feff}').unwrap_or(&source);
    let root = match format {
        Format::Json => serde_json::from_str(clean).map_err(|error| json_fault(clean, &error))?,
        Format::Yaml => yaml_serde::from_str(clean).map_err(|error| match error.location() {
            Some(at) => format!("it is not valid YAML at line {}", at.line()),
            None => "it is not valid YAML".to_owned(),
        })?,
        Format::Toml | Format::Plist => toml::from_str(clean).map_err(|error: toml::de::Error| match error.span() {
            Some(span) => format!("it is not valid TOML at line {}", 1 + clean[..span.start].matches('\n').count()),
            None => "it is not valid TOML".to_owned(),
        })?,
    };
    Ok((source, root))
}

fn json_fault(source: &str, error: &serde_json::Error) -> String {
    if source.trim().is_empty() {
        return "it is empty".to_owned();
    }
    if error.is_eof() {
        return "it ends in the middle, as if it were being written: try again".to_owned();
    }
    let line = source.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    if line.contains("//") || line.contains("/*") {
        return format!("line {} holds a comment, which JSON does not know", error.line());
    }
    format!("it is not valid JSON at line {}, column {}", error.line(), error.column())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

impl Document {
    /// The path, for words.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// A switch; none where it is not set. A value of another type is a gap.
    pub(super) fn switch(&self, key: &[&str]) -> Result<Option<Setting<bool>>, Gap> {
        self.value(key, "true or false", |value| value.as_bool().map(|on| (on, on.to_string())))
    }

    /// A word; none where it is not set.
    pub(super) fn text(&self, key: &[&str]) -> Result<Option<Setting<String>>, Gap> {
        self.value(key, "a text", |value| value.as_str().map(|word| (word.to_owned(), word.to_owned())))
    }

    /// Something stands there.
    pub(super) fn has(&self, key: &[&str]) -> bool {
        self.at(key).is_ok_and(|found| found.is_some())
    }

    fn value<T>(
        &self,
        key: &[&str],
        expected: &str,
        read: impl Fn(&Value) -> Option<(T, String)>,
    ) -> Result<Option<Setting<T>>, Gap> {
        let Some(value) = self.at(key)? else { return Ok(None) };
        let Some((read, written)) = read(value) else {
            let why = format!("{} is {}, and {expected} is expected", key.join("."), kind(value));
            return Err(Gap::new(format!("a setting in {}", self.path), why));
        };
        Ok(Some(Setting {
            value: read,
            place: self.path.clone(),
            key: Some(key.join(".")),
            line: self.line(key),
            default: false,
            written,
            confidence: Confidence::Certain,
        }))
    }

    /// What stands there; nothing and null are the same. A path through something that is no table is a gap.
    fn at(&self, key: &[&str]) -> Result<Option<&Value>, Gap> {
        let mut value = &self.root;
        for (depth, part) in key.iter().enumerate() {
            value = match value {
                Value::Object(table) => match table.get(*part) {
                    Some(Value::Null) | None => return Ok(None),
                    Some(inner) => inner,
                },
                other => {
                    let why = format!("{} is {}, and a table is expected", key[..depth].join("."), kind(other));
                    return Err(Gap::new(format!("a setting in {}", self.path), why));
                }
            };
        }
        Ok(Some(value))
    }

    /// The line of a key: its parts are looked for one after the other, which is right for files as runtimes write them.
    fn line(&self, key: &[&str]) -> Option<u32> {
        let lines: Vec<&str> = self.source.lines().collect();
        let mut at = 0;
        for part in key {
            at += lines.get(at..)?.iter().position(|line| self.names(line, part))?;
            // The rest of the path stands on the same line: `rosetta: {enabled: true}`.
            if self.format == Format::Yaml && lines[at].contains('{') {
                break;
            }
        }
        u32::try_from(at + 1).ok()
    }

    fn names(&self, line: &str, part: &str) -> bool {
        let line = line.trim_start();
        let after = |rest: &str, marks: &[char]| rest.trim_start().starts_with(marks);
        match self.format {
            Format::Json => {
                let quoted = format!("\"{part}\"");
                line.find(&quoted).is_some_and(|at| after(&line[at + quoted.len()..], &[':']))
            }
            Format::Yaml => line
                .trim_start_matches(['"', '\''])
                .strip_prefix(part)
                .is_some_and(|rest| after(rest.trim_start_matches(['"', '\'']), &[':'])),
            Format::Toml => {
                line.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(part))
                    || line.strip_prefix(part).is_some_and(|rest| after(rest, &['=', '.']))
            }
            Format::Plist => false,
        }
    }
}
