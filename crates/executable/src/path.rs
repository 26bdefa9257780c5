//! Paths as text that loses nothing: names inside an image are bytes, and need not be UTF-8.

use std::{fmt, fmt::Write as _};

use serde::{Deserialize, Serialize};

/// A path, or a link's target. A path that is UTF-8 is itself, and in JSON a plain string. Of any other, each byte
/// that is no part of a character is written `\xNN` and each backslash `\\`; in JSON that is `{"escaped": "/a\\xff"}`, so that
/// the two cannot be taken for one another, and the bytes can be had back ([`PathText::to_bytes`]).
///
/// Displayed it is its text; control characters are *not* made visible here (that is the door's task, as for every name).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(untagged)]
pub enum PathText {
    /// The path itself.
    Plain(String),
    /// A path that is not UTF-8.
    Escaped {
        /// Its text, with escapes.
        escaped: String,
    },
}

impl PathText {
    /// From the bytes of a path.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        if let Ok(plain) = std::str::from_utf8(bytes) {
            return Self::Plain(plain.to_owned());
        }
        let mut escaped = String::with_capacity(bytes.len() + 8);
        for chunk in bytes.utf8_chunks() {
            escaped.extend(chunk.valid().chars().flat_map(|c| std::iter::repeat_n(c, if c == '\\' { 2 } else { 1 })));
            for byte in chunk.invalid() {
                let _ = write!(escaped, "\\x{byte:02x}");
            }
        }
        Self::Escaped { escaped }
    }

    /// The text to show, and to sort and search by.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Escaped { escaped: text } => text,
        }
    }

    /// The path's bytes. An escape that this module did not write stands for itself.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let escaped = match self {
            Self::Plain(text) => return text.as_bytes().to_vec(),
            Self::Escaped { escaped } => escaped.as_bytes(),
        };
        let mut bytes = Vec::with_capacity(escaped.len());
        let mut rest = escaped;
        while let Some((first, after)) = rest.split_first() {
            let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
            let (byte, used) = match after {
                [b'\\', ..] if *first == b'\\' => (b'\\', 1),
                [b'x', digits @ ..] if *first == b'\\' => match digits.get(..2).and_then(hex) {
                    Some(byte) => (byte, 3),
                    None => (b'\\', 0),
                },
                _ => (*first, 0),
            };
            bytes.push(byte);
            rest = &after[used..];
        }
        bytes
    }
}

impl fmt::Display for PathText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl From<&str> for PathText {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_survives_being_text() {
        for (bytes, text, json) in [
            (&b"/usr/bin/caf\xc3\xa9"[..], "/usr/bin/café", r#""/usr/bin/café""#),
            (b"/a\\x2d", r"/a\x2d", r#""/a\\x2d""#),
            (b"/caf\xe9", r"/caf\xe9", r#"{"escaped":"/caf\\xe9"}"#),
            (b"/\\\xff\xc3", r"/\\\xff\xc3", r#"{"escaped":"/\\\\\\xff\\xc3"}"#),
            (b"", "", r#""""#),
        ] {
            let path = PathText::from_bytes(bytes);
            assert_eq!((path.text(), path.to_bytes().as_slice()), (text, bytes));
            let written = serde_json::to_string(&path).unwrap();
            assert_eq!(written, json);
            assert_eq!(serde_json::from_str::<PathText>(&written).unwrap(), path);
        }
    }
}
