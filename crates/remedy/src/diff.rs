//! What changes in a file, as hunks for the window, the command line and reports.
//!
//! Only texts are compared here; nothing is read or written. Values of environment variables that merely stand near a
//! change are hidden, because a diff may be exported.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use similar::{ChangeTag, TextDiff};
use ts_rs::TS;

use crate::line::split_ending;

/// Unchanged lines shown around a change in a structured file.
pub const CONTEXT: usize = 3;

/// The change to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    /// The file that changes, after following links.
    pub path: String,
    /// The changed places, top to bottom; empty when nothing changes.
    pub hunks: Vec<Hunk>,
    /// Lines added in all hunks.
    pub added: u32,
    /// Lines removed in all hunks.
    pub removed: u32,
}

/// One changed place with its surroundings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Hunk {
    /// First line in the old text, from 1 (0 where the old text is empty).
    pub old_start: u32,
    /// First line in the new text, from 1 (0 where the new text is empty).
    pub new_start: u32,
    /// The lines in order.
    pub lines: Vec<DiffLine>,
}

/// One line of a hunk, without its line ending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct DiffLine {
    /// What happens to the line.
    pub kind: LineKind,
    /// Its number in the old text, from 1; absent for an added line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub old: Option<u32>,
    /// Its number in the new text, from 1; absent for a removed line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub new: Option<u32>,
    /// Its text. In a context line the value of an environment variable reads `…`.
    pub text: String,
    /// How it ends, where that is not by a line feed alone.
    #[serde(default, skip_serializing_if = "LineEnding::is_usual")]
    #[ts(optional, as = "Option<LineEnding>")]
    pub ending: LineEnding,
}

/// How a line ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum LineEnding {
    /// By a line feed.
    #[default]
    Lf,
    /// As on Windows.
    CrLf,
    /// The text ends with it.
    None,
}

impl LineEnding {
    fn is_usual(&self) -> bool {
        *self == Self::Lf
    }
}

/// What happens to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    /// Stays, shown for orientation.
    Context,
    /// New.
    Added,
    /// Goes away.
    Removed,
}

/// Compares two texts of the file at `path`, with `context` unchanged lines around each change.
#[must_use]
pub fn diff(path: &Path, before: &str, after: &str, context: usize) -> Diff {
    let compared = TextDiff::from_lines(before, after);
    let hidden = hidden_lines(before);
    let mut out = Diff { path: path.display().to_string(), hunks: Vec::new(), added: 0, removed: 0 };
    for group in compared.grouped_ops(context) {
        let Some(first) = group.first() else { continue };
        let mut hunk = Hunk {
            old_start: start(first.old_range().start, compared.old_len()),
            new_start: start(first.new_range().start, compared.new_len()),
            lines: Vec::new(),
        };
        for change in group.iter().flat_map(|op| compared.iter_changes(op)) {
            let (text, ending) = split_ending(change.value());
            let ending = match ending {
                "" => LineEnding::None,
                "\r\n" => LineEnding::CrLf,
                _ => LineEnding::Lf,
            };
            let (kind, text) = match change.tag() {
                ChangeTag::Insert => (LineKind::Added, text.to_owned()),
                ChangeTag::Delete => (LineKind::Removed, text.to_owned()),
                ChangeTag::Equal => {
                    let secret = change.old_index().and_then(|i| hidden.get(i).copied()).unwrap_or(false);
                    (LineKind::Context, if secret { without_value(text) } else { text.to_owned() })
                }
            };
            out.added += u32::from(kind == LineKind::Added);
            out.removed += u32::from(kind == LineKind::Removed);
            let (old, new) = (change.old_index().map(number), change.new_index().map(number));
            hunk.lines.push(DiffLine { kind, old, new, text, ending });
        }
        out.hunks.push(hunk);
    }
    out
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}

fn start(index: usize, length: usize) -> u32 {
    if length == 0 { 0 } else { number(index) }
}

/// Which lines belong to a Compose `environment:`, by indentation alone: this must work on texts that do not parse.
fn hidden_lines(text: &str) -> Vec<bool> {
    let mut inside: Option<usize> = None;
    let lines = text.lines().map(|line| {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        // A list may stand at the indentation of its key.
        inside = inside.filter(|of| body.is_empty() || indent > *of || (indent == *of && body.starts_with('-')));
        let hidden = inside.is_some();
        let key = body.trim_start_matches(['"', '\'']);
        if !hidden
            && key.strip_prefix("environment").is_some_and(|r| r.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
        {
            inside = Some(indent);
            return !body.trim_end().ends_with([':', '{', '[']);
        }
        hidden || key.contains("environment:") || key.contains("environment\":")
    });
    lines.collect()
}

/// `A: b`, `- A=b` and `"A": "b",` without what follows the first separator; other lines hold no name to keep.
fn without_value(line: &str) -> String {
    if line.trim().is_empty() || line.trim_start().starts_with(['}', ']']) {
        return line.to_owned();
    }
    match line.find([':', '=']) {
        Some(at) if line[at + 1..].trim().is_empty() => line.to_owned(),
        Some(at) => format!("{}{}…", &line[..=at], if line[at..].starts_with(": ") { " " } else { "" }),
        None => format!("{}…", &line[..line.len() - line.trim_start().len()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(before: &str, after: &str, context: usize) -> Vec<String> {
        let made = diff(Path::new("f"), before, after, context);
        let counted = |kind| made.hunks.iter().flat_map(|h| &h.lines).filter(|l| l.kind == kind).count();
        assert_eq!(
            (made.added as usize, made.removed as usize),
            (counted(LineKind::Added), counted(LineKind::Removed))
        );
        let mut out = Vec::new();
        for hunk in &made.hunks {
            out.push(format!("@{},{}", hunk.old_start, hunk.new_start));
            out.extend(hunk.lines.iter().map(|l| {
                let n = |v: Option<u32>| v.map_or("-".to_owned(), |v| v.to_string());
                format!("{:?} {} {} {}", l.kind, n(l.old), n(l.new), l.text)
            }));
        }
        out
    }

    #[test]
    fn hunks_number_both_sides() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        assert_eq!(drawn(before, before, 3), Vec::<String>::new());
        assert_eq!(
            drawn(before, "1\n2\nx\n3\n4\n5\n6\n7\n9\n", 1),
            [
                "@2,2",
                "Context 2 2 2",
                "Added - 3 x",
                "Context 3 4 3",
                "@7,8",
                "Context 7 8 7",
                "Removed 8 - 8",
                "Context 9 9 9",
            ]
        );
        assert_eq!(drawn("", "a\r\n", 3), ["@0,1", "Added - 1 a"]);
        assert_eq!(drawn("a\n", "a", 0), ["@1,1", "Removed 1 - a", "Added - 1 a"]);
    }

    #[test]
    fn environment_values_near_a_change_are_hidden() {
        let cases = [
            "    environment:\n      KEY: hunter2\n      LIST:\n    image: x\n",
            "    environment:\n    - KEY=hunter2\n    image: x\n",
            "    environment: {KEY: hunter2}\n    image: x\n",
            "    \"environment\": {\n      \"KEY\": \"hunter2\"\n    },\n    image: x\n",
            "    environment:\n      KEY: |\n        hunter2\n    image: x\n",
            "  web: {image: y, environment: {KEY: hunter2}}\n    image: x\n",
        ];
        for before in cases {
            let made = drawn(before, &format!("{before}    platform: linux/amd64\n"), 9).join("\n");
            assert!(!made.contains("hunter2"), "{made}");
            assert!(made.contains("    image: x") && made.contains("platform: linux/amd64"), "{made}");
        }
    }

    #[test]
    fn the_wire_names_are_camel_case() {
        let json = serde_json::to_value(diff(Path::new("a/b"), "a\n", "b\n", 3)).unwrap();
        let hunk = &json["hunks"][0];
        assert_eq!((&json["path"], &hunk["oldStart"], &hunk["newStart"]), (&"a/b".into(), &1.into(), &1.into()));
        assert_eq!(hunk["lines"][0], serde_json::json!({"kind": "removed", "old": 1, "text": "a"}));
        assert_eq!(hunk["lines"][1], serde_json::json!({"kind": "added", "new": 1, "text": "b"}));
    }
}
