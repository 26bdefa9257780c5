//! Replacing or removing one exact line of a text file, such as a shell start-up file or `.env`.
//!
//! Never searches for something similar: the caller has shown a line to the user, and that line is meant. The line
//! that stands there instead is never quoted, because these files hold secrets.

/// Why a line is left alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineRefused {
    /// The text of the line is not the one that was shown.
    #[error("line {line} no longer says what it said when it was looked at. Look again.")]
    Different {
        /// From 1.
        line: usize,
    },
    /// The expected text now stands on another line.
    #[error("the line moved from line {line} to line {now}. Look again.")]
    Moved {
        /// Where it was, from 1.
        line: usize,
        /// Where it is, from 1.
        now: usize,
    },
    /// The file is shorter than that.
    #[error("there is no line {line}; the file has {lines}. Look again.")]
    Beyond {
        /// From 1.
        line: usize,
        /// How many there are.
        lines: usize,
    },
    /// The new text is not one line.
    #[error("the new text of line {line} is not a single line")]
    NotOneLine {
        /// From 1.
        line: usize,
    },
}

/// Replaces line `line` (from 1), which must read exactly `expected` without its line ending, by `new`; removes it with
/// its ending where `new` is `None`. Every other byte, and the line's own ending, stay.
///
/// # Errors
/// See [`LineRefused`].
pub fn replace_line(text: &str, line: usize, expected: &str, new: Option<&str>) -> Result<String, LineRefused> {
    if new.is_some_and(|n| n.contains(['\n', '\r'])) {
        return Err(LineRefused::NotOneLine { line });
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(found) = line.checked_sub(1).and_then(|i| lines.get(i)) else {
        return Err(LineRefused::Beyond { line, lines: lines.len() });
    };
    let (body, ending) = split_ending(found);
    if body != expected {
        let mut elsewhere = lines.iter().enumerate().filter(|(_, l)| split_ending(l).0 == expected);
        return Err(match (elsewhere.next(), elsewhere.next()) {
            (Some((now, _)), None) => LineRefused::Moved { line, now: now + 1 },
            _ => LineRefused::Different { line },
        });
    }
    let before = lines[..line - 1].concat();
    let after = lines[line..].concat();
    Ok(match new {
        Some(new) => format!("{before}{new}{ending}{after}"),
        None => before + &after,
    })
}

/// Puts a line in front of line `before` (from 1), which must read exactly `expected` without its line ending. The new
/// line ends as that one does. Every other byte stays.
///
/// # Errors
/// See [`LineRefused`].
pub fn insert_line(text: &str, before: usize, expected: &str, new: &str) -> Result<String, LineRefused> {
    if new.contains(['\n', '\r']) {
        return Err(LineRefused::NotOneLine { line: before });
    }
    // Replaced by itself: it must be the line that was shown.
    replace_line(text, before, expected, Some(expected))?;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (earlier, later) = lines.split_at(before - 1);
    let ending = later.first().map(|line| split_ending(line).1).filter(|ending| !ending.is_empty()).unwrap_or("\n");
    Ok(format!("{}{new}{ending}{}", earlier.concat(), later.concat()))
}

/// Puts a line at the end, unless the text has it. It ends as the last line before it does; a text without a final line
/// ending gets one.
///
/// # Errors
/// [`LineRefused::NotOneLine`].
pub fn append_line(text: &str, new: &str) -> Result<String, LineRefused> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    if new.contains(['\n', '\r']) {
        return Err(LineRefused::NotOneLine { line: lines.len() + 1 });
    }
    if lines.iter().any(|line| split_ending(line).0 == new) {
        return Ok(text.to_owned());
    }
    let known = lines.iter().map(|line| split_ending(line).1).find(|ending| !ending.is_empty());
    let ending = known.unwrap_or("\n");
    let open = !text.is_empty() && !text.ends_with('\n');
    Ok(format!("{text}{}{new}{ending}", if open { ending } else { "" }))
}

/// A line and its ending: `"\r\n"`, `"\n"` or `""`.
pub(crate) fn split_ending(line: &str) -> (&str, &str) {
    let body = line.strip_suffix('\n').map_or(line, |l| l.strip_suffix('\r').unwrap_or(l));
    line.split_at(body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_exact_line_changes_and_nothing_else() {
        let gone = None;
        let cases = [
            ("a\nb\nc\n", 2, "b", Some("B"), Ok("a\nB\nc\n")),
            ("a\r\nb\r\nc", 2, "b", Some("B"), Ok("a\r\nB\r\nc")),
            ("a\r\nb\nc", 1, "a", gone, Ok("b\nc")),
            ("a\nb", 2, "b", gone, Ok("a\n")),
            ("a\nb", 2, "b", Some("B"), Ok("a\nB")),
            ("\u{feff}a\n", 1, "\u{feff}a", Some("x"), Ok("x\n")),
            ("a\nb \n", 2, "b", gone, Err(LineRefused::Different { line: 2 })),
            ("a\nb\n", 2, "a", gone, Err(LineRefused::Moved { line: 2, now: 1 })),
            ("a\nx\na\n", 2, "a", gone, Err(LineRefused::Different { line: 2 })),
            ("a\n", 2, "a", gone, Err(LineRefused::Beyond { line: 2, lines: 1 })),
            ("a\n", 0, "a", gone, Err(LineRefused::Beyond { line: 0, lines: 1 })),
            ("", 1, "", gone, Err(LineRefused::Beyond { line: 1, lines: 0 })),
            ("a\n", 1, "a", Some("x\ny"), Err(LineRefused::NotOneLine { line: 1 })),
        ];
        for (text, line, expected, new, want) in cases {
            assert_eq!(replace_line(text, line, expected, new), want.map(str::to_owned), "{text:?} line {line}");
        }
    }

    #[test]
    fn a_line_comes_in_and_nothing_else_changes() {
        let before = [
            ("a\nb\n", 2, "b", Ok("a\nx\nb\n")),
            ("a\r\nb", 1, "a", Ok("x\r\na\r\nb")),
            ("a", 1, "a", Ok("x\na")),
            ("a\nb\n", 2, "c", Err(LineRefused::Different { line: 2 })),
            ("a\n", 2, "", Err(LineRefused::Beyond { line: 2, lines: 1 })),
        ];
        for (text, line, expected, want) in before {
            assert_eq!(insert_line(text, line, expected, "x"), want.map(str::to_owned), "{text:?}");
        }
        let end = [
            ("", "x\n"),
            ("a", "a\nx\n"),
            ("a\r\n", "a\r\nx\r\n"),
            ("x\na\n", "x\na\n"),
            ("a\r\nb", "a\r\nb\r\nx\r\n"),
        ];
        for (text, want) in end {
            assert_eq!(append_line(text, "x").as_deref(), Ok(want), "{text:?}");
        }
        assert_eq!(append_line("a\n", "x\ny"), Err(LineRefused::NotOneLine { line: 2 }));
        assert_eq!(insert_line("a\n", 1, "a", "x\r"), Err(LineRefused::NotOneLine { line: 1 }));
    }

    #[test]
    fn a_refusal_never_quotes_the_file() {
        let text = "TOKEN=hunter2\n";
        let error = replace_line(text, 1, "DOCKER_DEFAULT_PLATFORM=x", None).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
