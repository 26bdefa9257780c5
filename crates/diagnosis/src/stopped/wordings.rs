//! How runtimes, shells and loaders say that a program could not be started, as a table: one row a wording, with who
//! writes it and since when. How sure a row is stands in the row; each has a line in `wordings/lines.rs`.
//!
//! What such a message means for a container is judged in the parent. Of a line only the words that matched are kept,
//! and no pattern reaches over blanks of a command line: arguments may hold secrets.

use std::sync::LazyLock;

use regex::{Regex, RegexSet, RegexSetBuilder};

use crate::{finding::Confidence, text::cut};

pub use rows::WORDINGS;

#[cfg(test)]
mod lines;
mod rows;

/// Longer lines are cut before they are looked at.
const LINE_LIMIT: usize = 8 * 1024;
/// Longer quotes are cut before they are kept.
const QUOTE_LIMIT: usize = 240;

/// What a message says, whoever wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Says {
    /// The kernel took the file for no program (ENOEXEC).
    ExecFormat,
    /// The file is not there, or what it names as its interpreter or loader is not (ENOENT).
    NoSuchFile,
    /// The file itself is not there.
    FileMissing,
    /// The name was looked up and not found.
    NotFound,
    /// It must not be executed (EACCES, EPERM).
    NotPermitted,
    /// It is a folder.
    IsDirectory,
    /// Its links lead in a circle.
    LinkLoop,
    /// Its first line ends with a carriage return.
    CarriageReturn,
    /// The interpreter of its first line is not there.
    InterpreterMissing,
    /// A shell read a binary program as if it were a script.
    ProgramAsScript,
    /// A shared library is not there.
    LibraryMissing,
    /// A shared library is for another architecture, or is none.
    LibraryForeign,
    /// The C library of the image is older than, or another than, the one the program was built for.
    LibcDiffers,
    /// The user of the container is not in its user list.
    UserMissing,
    /// Memory ran out before the program was started.
    StartedOutOfMemory,
    /// The engine could not set the container up: a folder, a mount, a port, a device.
    SetupRefused,
    /// The disk is full.
    DiskFull,
}

/// One wording.
#[derive(Debug)]
pub struct Wording {
    /// Stable id.
    pub id: &'static str,
    /// Regular expression over one line; group `path` is the file or name that it speaks of.
    pub pattern: &'static str,
    /// What it says.
    pub says: Says,
    /// Who writes it, and since or until when.
    pub by: &'static str,
    /// Where this is known from.
    pub source: &'static str,
    /// Whether words like these have other origins too.
    pub confidence: Confidence,
}

/// A wording found in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Row.
    pub id: &'static str,
    /// What it says.
    pub says: Says,
    /// The file or name it speaks of.
    pub path: Option<String>,
    /// The words that matched.
    pub quote: String,
    /// Who writes it.
    pub by: &'static str,
    /// How sure.
    pub confidence: Confidence,
}

/// Lines of every row, for tests of those who read before this does.
#[cfg(test)]
pub(crate) fn tests_lines() -> impl Iterator<Item = &'static str> {
    lines::LINES.iter().map(|(_, line, _)| *line)
}

struct Matcher {
    set: RegexSet,
    each: Vec<Regex>,
}

/// Built once. None only if a row is no regular expression, which a test rules out.
static MATCHER: LazyLock<Option<Matcher>> = LazyLock::new(|| {
    let patterns = WORDINGS.iter().map(|row| row.pattern);
    let set = RegexSetBuilder::new(patterns.clone()).size_limit(1 << 25).dfa_size_limit(1 << 25).build().ok()?;
    Some(Matcher { set, each: patterns.map(Regex::new).collect::<Result<_, _>>().ok()? })
});

/// What a line says about starting a program, if it says so.
pub fn recognise(line: &str) -> Option<Told> {
    let line = cut(line, LINE_LIMIT);
    let matcher = MATCHER.as_ref()?;
    let index = matcher.set.matches(line).into_iter().next()?;
    let (row, found) = (&WORDINGS[index], matcher.each[index].captures(line)?);
    let named = ["path", "other", "script", "zsh"];
    let path = named.iter().find_map(|name| Some(found.name(name)?.as_str().to_owned()));
    let quote = cut(found.get(0).map_or("", |m| m.as_str().trim()), QUOTE_LIMIT).to_owned();
    Some(Told { id: row.id, says: row.says, path, quote, by: row.by, confidence: row.confidence })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        lines::{LINES, OTHER_LINES},
        *,
    };

    #[test]
    fn every_wording_has_a_line_that_says_it() {
        let all: BTreeSet<&str> = WORDINGS.iter().map(|row| row.id).collect();
        assert_eq!(all.len(), WORDINGS.len(), "ids are unique");
        for row in WORDINGS {
            Regex::new(row.pattern).unwrap_or_else(|error| panic!("{}: {error}", row.id));
            assert!(!row.by.is_empty() && !row.source.is_empty(), "{}", row.id);
        }
        let tested: BTreeSet<&str> = LINES.iter().map(|(id, ..)| *id).collect();
        assert_eq!(tested, all);
        for (id, line, path) in LINES {
            let told = recognise(line).unwrap_or_else(|| panic!("{id}: {line}"));
            assert_eq!((told.id, told.path.as_deref()), (*id, *path), "{line}");
            assert!(line.contains(&told.quote) && !told.quote.is_empty(), "{line}");
        }
    }

    #[test]
    fn other_words_say_nothing_about_starting_a_program() {
        for line in OTHER_LINES {
            assert_eq!(recognise(line), None, "{line}");
        }
    }

    #[test]
    fn arguments_are_not_quoted() {
        let line = r#"OCI runtime create failed: exec: "sh -c TOKEN=hunter2 ./run": executable file not found in $PATH: unknown"#;
        let told = recognise(line).unwrap();
        assert_eq!((told.says, told.path, told.quote.contains("hunter2")), (Says::NotFound, None, false));
        assert!(recognise(&"x".repeat(1 << 20)).is_none());
    }
}
