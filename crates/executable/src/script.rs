//! Scripts: the `#!` line as the kernel reads it, and what `env` makes of it. Whether the interpreter exists is not known here.

use serde::{Deserialize, Serialize};

/// How many bytes of a file Linux looks at for the `#!` line (128 before version 5.1).
pub const SHEBANG_LIMIT: usize = 256;

/// Text that names its interpreter in the first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Script {
    /// The interpreter's path as it is written, without the carriage return that the kernel would take for a part of
    /// it (see `carriage_return`). Empty where the line has none. Text that is not UTF-8 has replacement characters.
    pub interpreter: String,
    /// Everything after it: the kernel hands that over as *one* argument.
    pub argument: Option<String>,
    /// Where the interpreter is `env`: what that would start.
    pub env: Option<EnvCall>,
    /// Whether the `#!` line ends with a carriage return: `sh\r` is then looked for, and not found.
    pub carriage_return: bool,
    /// Whether later lines do, as far as was read.
    pub later_carriage_returns: bool,
    /// What stands before `#!`; the kernel takes nothing but [`Before::Nothing`] for a script.
    pub before: Before,
    /// Whether the line is longer than the kernel reads ([`SHEBANG_LIMIT`]): the argument is then cut, or the interpreter.
    pub too_long: bool,
}

/// A call of `env`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct EnvCall {
    /// The program that is looked up in `PATH`; none where no word names one. Without `-S` all words are one name:
    /// `env bash -e` looks for a program called `bash -e`.
    pub program: Option<String>,
    /// Its arguments; only `-S` makes any.
    pub arguments: Vec<String>,
    /// Whether `-S` is given.
    pub split: bool,
}

/// What stands before `#!`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Before {
    /// Nothing: as it must be.
    Nothing,
    /// The mark of UTF-8 (`EF BB BF`).
    Utf8Mark,
    /// The text is UTF-16, least significant byte first.
    Utf16Little,
    /// The text is UTF-16, most significant byte first.
    Utf16Big,
    /// Spaces or empty lines.
    Blanks,
}

impl Script {
    /// What runs in the end: the program that `env` looks up, else the interpreter's path. None where none is named.
    #[must_use]
    pub fn runs(&self) -> Option<&str> {
        match &self.env {
            Some(call) => call.program.as_deref(),
            None => Some(self.interpreter.as_str()).filter(|path| !path.is_empty()),
        }
    }
}

/// None where the text has no `#!` in front.
pub(crate) fn read(head: &[u8], size: u64) -> Option<Script> {
    let (before, decoded) = decode(head);
    let text = decoded.as_deref().unwrap_or(head);
    let skipped = match before {
        Before::Utf8Mark => 3,
        Before::Blanks => text.iter().position(|byte| !byte.is_ascii_whitespace())?,
        _ => 0,
    };
    let rest = text.get(skipped..)?.strip_prefix(b"#!")?;
    let (line, later, ended) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&rest[..end], &rest[end + 1..], true),
        None => (rest, &[][..], head.len() as u64 >= size),
    };
    let carriage_return = line.last() == Some(&b'\r');
    let too_long = line.len() + 2 >= SHEBANG_LIMIT || !ended;
    let line = String::from_utf8_lossy(&line[..line.len().min(SHEBANG_LIMIT * 4)]);
    let blank = [' ', '\t'];
    // Behind a zero byte the kernel reads nothing.
    let line = line.split('\0').next().unwrap_or_default().trim_end_matches('\r').trim_matches(blank);
    let (interpreter, argument) = line.split_once(blank).unwrap_or((line, ""));
    let argument = Some(argument.trim_start_matches(blank)).filter(|text| !text.is_empty());
    Some(Script {
        env: (interpreter.rsplit('/').next() == Some("env")).then(|| env(argument)),
        interpreter: interpreter.to_owned(),
        argument: argument.map(str::to_owned),
        carriage_return,
        later_carriage_returns: later.windows(2).any(|pair| pair == b"\r\n"),
        before,
        too_long,
    })
}

/// What stands before the text, and the text in bytes where it is UTF-16.
fn decode(head: &[u8]) -> (Before, Option<Vec<u8>>) {
    let narrow = |from_bytes: fn([u8; 2]) -> u16| {
        let units = head[2..].chunks_exact(2).map(|pair| from_bytes([pair[0], pair[1]]));
        Some(units.map(|unit| u8::try_from(unit).unwrap_or(b'?')).collect())
    };
    match head {
        [0xef, 0xbb, 0xbf, ..] => (Before::Utf8Mark, None),
        [0xff, 0xfe, b'#', 0, ..] => (Before::Utf16Little, narrow(u16::from_le_bytes)),
        [0xfe, 0xff, 0, b'#', ..] => (Before::Utf16Big, narrow(u16::from_be_bytes)),
        [first, ..] if first.is_ascii_whitespace() => (Before::Blanks, None),
        _ => (Before::Nothing, None),
    }
}

/// What `env` makes of the one argument that the kernel gives it.
fn env(argument: Option<&str>) -> EnvCall {
    let Some(argument) = argument else {
        return EnvCall { program: None, arguments: Vec::new(), split: false };
    };
    let split = ["--split-string=", "--split-string ", "-vS", "-iS", "-S"]
        .into_iter()
        .find_map(|option| argument.strip_prefix(option).map(|rest| rest.trim_start_matches([' ', '\t'])));
    let Some(text) = split else {
        let names_none = argument.starts_with('-') || argument.contains('=');
        let program = (!names_none).then(|| argument.to_owned());
        return EnvCall { program, arguments: Vec::new(), split: false };
    };
    let mut words = words(text).into_iter().peekable();
    while let Some(word) = words.peek() {
        let takes_next = matches!(word.as_str(), "-u" | "--unset" | "-C" | "--chdir");
        if !word.starts_with('-') && !word.contains('=') {
            break;
        }
        words.next();
        if takes_next {
            words.next();
        }
    }
    EnvCall { program: words.next(), arguments: words.collect(), split: true }
}

/// Words as `env -S` splits them: quotes of both kinds, a backslash keeps the next character, `#` begins a comment.
fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut word, mut quote) = (None::<String>, None);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => quote = None,
            ('\\', _) => match characters.next() {
                Some('_') if quote.is_none() => found.extend(word.take()),
                Some('_') => word.get_or_insert_default().push(' '),
                Some('c') | None => break,
                Some(next) => word.get_or_insert_default().push(next),
            },
            (' ' | '\t' | '\r', None) => found.extend(word.take()),
            ('#', None) if word.is_none() => break,
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    found.extend(word);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Interpreter, argument, what runs; marks: `c`arriage return, `l`ater ones, `b`efore, too `t`all.
    #[test]
    fn shebang_lines_are_read_as_the_kernel_and_env_do() {
        let long = format!("#!/{}\n", "x".repeat(300));
        let argument = format!("#!/bin/sh {}\n", "y".repeat(300));
        for (text, interpreter, argument, runs, marks) in [
            (&b"#!/bin/sh\necho\n"[..], "/bin/sh", None, Some("/bin/sh"), ""),
            (b"#! /bin/sh -e", "/bin/sh", Some("-e"), Some("/bin/sh"), ""),
            (b"#!\t/bin/sh  -e -u \n", "/bin/sh", Some("-e -u"), Some("/bin/sh"), ""),
            (b"#!/bin/sh\r\necho\r\n", "/bin/sh", None, Some("/bin/sh"), "cl"),
            (b"#!/bin/sh -e\r\n", "/bin/sh", Some("-e"), Some("/bin/sh"), "c"),
            (b"#!/bin/sh\necho a\r\n", "/bin/sh", None, Some("/bin/sh"), "l"),
            (b"#!/usr/bin/env bash\r\n", "/usr/bin/env", Some("bash"), Some("bash"), "c"),
            (b"#!/usr/bin/env bash -e\n", "/usr/bin/env", Some("bash -e"), Some("bash -e"), ""),
            (b"#!/usr/bin/env -S bash -e\n", "/usr/bin/env", Some("-S bash -e"), Some("bash"), ""),
            (
                b"#!/usr/bin/env -S -i A=1 -u B node --x\n",
                "/usr/bin/env",
                Some("-S -i A=1 -u B node --x"),
                Some("node"),
                "",
            ),
            (b"#!/usr/bin/env -S\"deno\" run\n", "/usr/bin/env", Some("-S\"deno\" run"), Some("deno"), ""),
            (b"#!/usr/bin/env\n", "/usr/bin/env", None, None, ""),
            (b"#!/usr/bin/env -i\n", "/usr/bin/env", Some("-i"), None, ""),
            (b"#!\n", "", None, None, ""),
            (b"#!", "", None, None, ""),
            (b"\xef\xbb\xbf#!/bin/sh\n", "/bin/sh", None, Some("/bin/sh"), "b"),
            (b"\xff\xfe#\0!\0/\0s\0h\0\r\0\n\0", "/sh", None, Some("/sh"), "bc"),
            (b"\xfe\xff\0#\0!\0/\0s\0h\0\n", "/sh", None, Some("/sh"), "b"),
            (b"\n #!/bin/sh\n", "/bin/sh", None, Some("/bin/sh"), "b"),
            (b"#!python\xff\n", "python\u{fffd}", None, Some("python\u{fffd}"), ""),
            (b"#!/bin/sh\0junk\n", "/bin/sh", None, Some("/bin/sh"), ""),
            (long.as_bytes(), &long[2..long.len() - 1], None, Some(&long[2..long.len() - 1]), "t"),
            (argument.as_bytes(), "/bin/sh", Some(&argument[10..argument.len() - 1]), Some("/bin/sh"), "t"),
        ] {
            let script = read(text, text.len() as u64).unwrap();
            let seen: String = [
                (script.carriage_return, 'c'),
                (script.later_carriage_returns, 'l'),
                (script.before != Before::Nothing, 'b'),
                (script.too_long, 't'),
            ]
            .into_iter()
            .filter_map(|(holds, mark)| holds.then_some(mark))
            .collect();
            let mut expected: Vec<char> = marks.chars().collect();
            expected.sort_by_key(|mark| "clbt".find(*mark));
            let shown = String::from_utf8_lossy(text);
            assert_eq!(
                (script.interpreter.as_str(), script.argument.as_deref(), script.runs(), seen),
                (interpreter, argument, runs, expected.into_iter().collect()),
                "{shown:?}"
            );
        }
    }

    #[test]
    fn text_without_the_line_is_no_script() {
        for text in [&b"echo"[..], b"", b"#", b"\n\n", b"# comment\n#!/bin/sh\n", b"\xef\xbb\xbfecho"] {
            assert_eq!(read(text, text.len() as u64), None, "{text:?}");
        }
    }

    #[test]
    fn env_splits_words() {
        for (text, expected) in [
            ("a  b\tc", &["a", "b", "c"][..]),
            ("'a b' \"c d\"e", &["a b", "c de"]),
            (r"a\ b c\_d", &["a b", "c", "d"]),
            ("a # b", &["a"]),
            ("a#b ''", &["a#b", ""]),
            (r"a \c b", &["a"]),
            ("", &[]),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
        }
    }
}
