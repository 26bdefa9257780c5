//! Text without a `#!` line: what lies in a program's place after a failed download.

use serde::{Deserialize, Serialize};

/// Text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Text {
    /// What kind of text.
    pub wording: Wording,
    /// Whether lines end with carriage returns, as far as was read.
    pub carriage_returns: bool,
}

/// A kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Wording {
    /// A web page: a download's error message.
    Html,
    /// The stand-in for a large file that Git LFS did not fetch.
    GitLfsPointer,
    /// Anything else.
    Plain,
}

/// None where the bytes are no text: not UTF-8, or with control characters that no text has.
pub(crate) fn read(head: &[u8]) -> Option<Text> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The head may end within a character.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}');
    if text.is_empty() || text.chars().any(odd) {
        return None;
    }
    let start: String = text.trim_start_matches('\u{feff}').trim_start().chars().take(40).collect();
    let start = start.to_ascii_lowercase();
    let wording = if start.starts_with("<!doctype html") || start.starts_with("<html") {
        Wording::Html
    } else if start.starts_with("version https://git-lfs.") {
        Wording::GitLfsPointer
    } else {
        Wording::Plain
    };
    Some(Text { wording, carriage_returns: text.contains("\r\n") })
}
