//! What a log line says about running under an emulator: known messages with cause and remedy, and the exit codes that
//! go with them.
//!
//! The messages are rows of data in `crash/rows.rs`; a new one is a new row and a new test row. Reading logs is not done
//! here, and of a log only the words that a row matched are kept: the rest may hold secrets.

#[cfg(test)]
mod lines;
mod rows;

use std::sync::LazyLock;

use regex::{Regex, RegexSet, RegexSetBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    emulator::display_name,
    finding::{Confidence, Evidence},
    text::cut,
};

pub use rows::ROWS;

/// Longer lines are cut before they are looked at.
const LINE_LIMIT: usize = 8 * 1024;
/// Longer quotes are cut before they are kept.
const QUOTE_LIMIT: usize = 240;

/// Whose message a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// QEMU's user mode.
    Qemu,
    /// Rosetta.
    Rosetta,
    /// Whichever emulator is there.
    AnyEmulator,
    /// There is no emulator, or a broken one.
    NoEmulator,
    /// Choosing an image's platform, before anything runs.
    Selection,
    /// The Mac or its runtime, outside of containers.
    Host,
}

/// What a line must share with the circumstances to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The words say by themselves what happened.
    Words,
    /// The same words have other causes too: they count under that emulator only, and never more than likely.
    Circumstances,
}

/// One known message.
#[derive(Debug)]
pub struct CrashRow {
    /// Stable id.
    pub id: &'static str,
    /// Regular expression over one line.
    pub pattern: &'static str,
    /// Whose message it is.
    pub belongs: Belongs,
    /// Whether the words are enough.
    pub proof: Proof,
    /// What happened, in a sentence.
    pub cause: &'static str,
    /// What to do about it, in a sentence.
    pub remedy: &'static str,
    /// Where this is known from.
    pub source: &'static str,
    /// How sure the connection is.
    pub confidence: Confidence,
    /// Features of the processor that the program asks for.
    pub features: &'static [&'static str],
    /// A sign of the emulator and no fault.
    pub harmless: bool,
}

/// How the program ran whose log this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RanUnder<'a> {
    /// On the engine's own processor.
    Native,
    /// Under this emulator: `qemu`, `rosetta` ..., or `none`.
    Emulator(&'a str),
    /// Not known.
    Unknown,
}

/// What one line, or the exit code, says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct CrashMatch {
    /// Id of the row.
    pub id: String,
    /// Emulator that the row belongs to, where it is one's own.
    pub emulator: Option<String>,
    /// It tells of emulation itself; otherwise of choosing a platform or of the Mac.
    pub about_emulation: bool,
    /// What happened.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
    /// Where this is known from.
    pub source: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where and what.
    pub evidence: Evidence,
    /// Features of the processor that the program asks for.
    pub features: Vec<String>,
    /// A sign of the emulator and no fault.
    pub harmless: bool,
}

/// A container that was looked at for why it stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ContainerCrash {
    /// Its name.
    pub container: String,
    /// Exit code; none while it runs.
    #[ts(type = "number | null")]
    pub exit_code: Option<i64>,
    /// What was recognised, in the log's order; the exit code last.
    pub matches: Vec<CrashMatch>,
}

/// Exit codes of signals that emulation raises, with the signal's name.
const SIGNALS: [(i64, &str, &str); 4] = [
    (132, "SIGILL", "an instruction that the emulator does not know"),
    (133, "SIGTRAP", "a failed assertion of the emulator, which is how Rosetta gives up"),
    (134, "SIGABRT", "the program or its emulator gave up"),
    (139, "SIGSEGV", "a memory fault, which is how programs under QEMU's user mode usually fall"),
];

/// The signal that an exit code stands for, if it is one that emulation raises: its name and what it means there.
pub fn signal(exit_code: i64) -> Option<(&'static str, &'static str)> {
    SIGNALS.iter().find(|(code, ..)| *code == exit_code).map(|(_, name, meaning)| (*name, *meaning))
}

/// Lines of every row, for tests of those who read before this does.
#[cfg(test)]
pub(crate) fn tests_lines() -> impl Iterator<Item = &'static str> {
    lines::LINES.iter().map(|(_, line)| *line)
}

struct Matcher {
    set: RegexSet,
    each: Vec<Regex>,
}

/// Built once. None only if a row is no regular expression, which a test rules out.
static MATCHER: LazyLock<Option<Matcher>> = LazyLock::new(|| {
    let patterns = ROWS.iter().map(|row| row.pattern);
    let set = RegexSetBuilder::new(patterns.clone()).size_limit(1 << 24).dfa_size_limit(1 << 25).build().ok()?;
    Some(Matcher { set, each: patterns.map(Regex::new).collect::<Result<_, _>>().ok()? })
});

/// Explains a log. Every row counts once, at its first line. The exit code speaks only where no line told of emulation.
pub fn explain<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    under: RanUnder<'_>,
    exit_code: Option<i64>,
) -> Vec<CrashMatch> {
    let mut reading = Reading::new(under);
    for line in lines {
        reading.line(line);
    }
    let mut found = reading.found;
    if !found.iter().any(|m| m.about_emulation && !m.harmless) {
        found.extend(exit_code.and_then(|code| by_exit_code(code, under)));
    }
    found
}

/// A log that is read line by line, so that it need not be held.
#[derive(Debug)]
pub struct Reading<'a> {
    under: RanUnder<'a>,
    seen: Vec<bool>,
    number: usize,
    /// What was recognised so far, in the log's order.
    pub found: Vec<CrashMatch>,
}

impl<'a> Reading<'a> {
    /// The log of a program that ran so.
    pub fn new(under: RanUnder<'a>) -> Self {
        Self { under, seen: vec![false; ROWS.len()], number: 0, found: Vec::new() }
    }

    /// A line that is known to say nothing.
    pub fn skip(&mut self) {
        self.number += 1;
    }

    /// The next line.
    pub fn line(&mut self, line: &str) {
        self.number += 1;
        let Some(matcher) = &*MATCHER else { return };
        let line = cut(line, LINE_LIMIT);
        for index in matcher.set.matches(line) {
            let row = &ROWS[index];
            if std::mem::replace(&mut self.seen[index], true) || !counts(row, self.under) {
                continue;
            }
            let quote = matcher.each[index].find(line).map_or("", |m| m.as_str());
            let evidence = Evidence::new(format!("log line {}", self.number), cut(quote, QUOTE_LIMIT));
            self.found.push(said(row, self.under, evidence));
        }
    }
}

fn counts(row: &CrashRow, under: RanUnder<'_>) -> bool {
    let own = match row.belongs {
        Belongs::Qemu => "qemu",
        Belongs::Rosetta => "rosetta",
        Belongs::Selection | Belongs::Host | Belongs::NoEmulator => return true,
        Belongs::AnyEmulator => return under != RanUnder::Native,
    };
    match (row.proof, under) {
        // A native container may start a foreign program, and then the words name the emulator.
        (Proof::Words, _) | (Proof::Circumstances, RanUnder::Unknown) => true,
        (Proof::Circumstances, RanUnder::Emulator(emulator)) => emulator == own,
        (Proof::Circumstances, RanUnder::Native) => false,
    }
}

fn said(row: &CrashRow, under: RanUnder<'_>, evidence: Evidence) -> CrashMatch {
    let emulator = match row.belongs {
        Belongs::Qemu => Some("qemu"),
        Belongs::Rosetta => Some("rosetta"),
        Belongs::NoEmulator => Some(crate::runtime::NO_EMULATOR),
        Belongs::AnyEmulator | Belongs::Selection | Belongs::Host => None,
    };
    // Words that need circumstances say little while the circumstances are not known.
    let unsure = row.proof == Proof::Circumstances && under == RanUnder::Unknown;
    CrashMatch {
        id: row.id.to_owned(),
        emulator: emulator.map(str::to_owned),
        about_emulation: !matches!(row.belongs, Belongs::Selection | Belongs::Host),
        cause: row.cause.to_owned(),
        remedy: row.remedy.to_owned(),
        source: row.source.to_owned(),
        confidence: if unsure { Confidence::Likely } else { row.confidence },
        evidence,
        features: row.features.iter().map(|f| (*f).to_owned()).collect(),
        harmless: row.harmless,
    }
}

fn by_exit_code(code: i64, under: RanUnder<'_>) -> Option<CrashMatch> {
    let RanUnder::Emulator(emulator) = under else { return None };
    let (name, meaning) = signal(code).filter(|_| emulator != crate::runtime::NO_EMULATOR)?;
    Some(CrashMatch {
        id: format!("exit-{code}"),
        emulator: Some(emulator.to_owned()),
        about_emulation: true,
        cause: format!("It ended with {name} under {}: {meaning}.", display_name(emulator)),
        remedy:
            "Run a native image of it, or try it under another emulator, before looking for a fault in the program."
                .to_owned(),
        source: "exit codes above 128 name the signal; reports of each are with the messages of the emulator"
            .to_owned(),
        confidence: Confidence::Likely,
        evidence: Evidence::new("exit code", code.to_string()),
        features: Vec::new(),
        harmless: false,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        lines::{LINES, NOT_ARCHITECTURE},
        *,
    };

    fn ids(line: &str, under: RanUnder<'_>) -> Vec<String> {
        explain([line], under, None).into_iter().map(|m| m.id).collect()
    }

    #[test]
    fn every_row_has_a_line_that_it_matches() {
        let all: BTreeSet<&str> = ROWS.iter().map(|row| row.id).collect();
        assert_eq!(all.len(), ROWS.len(), "ids are unique");
        let tested: BTreeSet<&str> = LINES.iter().map(|(id, _)| *id).collect();
        assert_eq!(tested, all);
        for row in ROWS {
            Regex::new(row.pattern).unwrap_or_else(|error| panic!("{}: {error}", row.id));
        }
        for (id, line) in LINES {
            let row = ROWS.iter().find(|row| row.id == *id).unwrap();
            let under = match row.belongs {
                Belongs::Rosetta => RanUnder::Emulator("rosetta"),
                Belongs::NoEmulator => RanUnder::Emulator("none"),
                _ => RanUnder::Emulator("qemu"),
            };
            let found = explain([*line], under, None);
            let mine = found.iter().find(|m| m.id == *id).unwrap_or_else(|| panic!("{id} in {line}: {found:?}"));
            assert!(line.contains(&mine.evidence.text) && !mine.evidence.text.is_empty());
            assert_eq!((mine.confidence, mine.source.is_empty()), (row.confidence, false), "{id}");
        }
    }

    #[test]
    fn other_causes_are_left_alone() {
        for line in NOT_ARCHITECTURE {
            for under in
                [RanUnder::Native, RanUnder::Emulator("qemu"), RanUnder::Emulator("rosetta"), RanUnder::Unknown]
            {
                assert_eq!(ids(line, under), Vec::<String>::new(), "{line}");
            }
        }
    }

    #[test]
    fn words_with_other_causes_need_their_emulator() {
        let inotify = "Error: Function not implemented (os error 38)";
        assert_eq!(ids(inotify, RanUnder::Emulator("qemu")), ["qemu-not-implemented"]);
        assert_eq!(ids(inotify, RanUnder::Native), Vec::<String>::new());
        assert_eq!(ids(inotify, RanUnder::Emulator("rosetta")), Vec::<String>::new());
        let unsure = explain([inotify], RanUnder::Unknown, None);
        assert_eq!(unsure[0].confidence, Confidence::Likely);
        let fault = "qemu: uncaught target signal 11 (Segmentation fault) - core dumped";
        assert_eq!(ids(fault, RanUnder::Native), ["qemu-segmentation-fault"], "the words name the emulator");
    }

    #[test]
    fn the_exit_code_speaks_only_under_an_emulator_and_when_no_line_does() {
        let by =
            |under, line: &str, code| explain([line], under, Some(code)).into_iter().map(|m| m.id).collect::<Vec<_>>();
        assert_eq!(by(RanUnder::Emulator("qemu"), "bye", 139), ["exit-139"]);
        assert_eq!(by(RanUnder::Emulator("rosetta"), "bye", 133), ["exit-133"]);
        for (under, code) in [
            (RanUnder::Native, 139),
            (RanUnder::Unknown, 139),
            (RanUnder::Emulator("none"), 139),
            (RanUnder::Emulator("qemu"), 137),
            (RanUnder::Emulator("qemu"), 1),
        ] {
            assert_eq!(by(under, "bye", code), Vec::<String>::new(), "{under:?} {code}");
        }
        let line = "qemu: uncaught target signal 4 (Illegal instruction) - core dumped";
        assert_eq!(by(RanUnder::Emulator("qemu"), line, 132), ["qemu-illegal-instruction"]);
    }

    #[test]
    fn only_the_matched_words_are_kept() {
        let line = "PASSWORD=hunter2 rosetta error: futex(FUTEX_LOCK_PI_PRIVATE) failure: 35 token=abc";
        let found = explain([line, line], RanUnder::Unknown, None);
        assert_eq!(found.len(), 1, "a row counts once");
        assert_eq!(
            found[0].evidence,
            Evidence::new("log line 1", "rosetta error: futex(FUTEX_LOCK_PI_PRIVATE) failure: 35")
        );
        let long = "ä".repeat(LINE_LIMIT);
        assert_eq!(ids(&long, RanUnder::Unknown), Vec::<String>::new());
    }
}
