//! Explains a log: of a container, a pull or a build. Line by line, so that a log of any length needs no memory; only
//! the words that a row knows are kept, since the rest may hold secrets.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Regex, RegexSet, RegexSetBuilder};

use super::{
    Explanation,
    cause::{About, Cause},
    said::of_wording,
    wordings::{self, Told},
};
use crate::{
    crash::{CrashMatch, RanUnder, Reading},
    finding::{Confidence, Evidence},
    fix::{Fix, Safety, Step},
    text::cut,
};

#[cfg(test)]
mod lines;
mod rows;

pub use rows::LOG_ROWS;

/// Longer lines are cut before they are looked at.
const LINE_LIMIT: usize = 8 * 1024;
/// Longer quotes are cut before they are kept.
const QUOTE_LIMIT: usize = 240;
/// As many explanations are given beside the best.
const OTHERS: usize = 3;
/// One of these stands in every line that a row knows. Most lines of a log have none of them, and are passed over at once.
const HINTS: &str = r"(?i-u)error|fail|not |no |exec|kill|qemu|rosetta|denied|unable|cannot|can't|could not|memory|fatal|panic|traceback|exit|signal|oom|assert|elf|illegal|segmentation|conda|run |idealtree|determining|gcc|relocat|incompatible|wrong|invalid|bind|eaddrinuse|econnrefused|eacces|enoexec|gyp|spawn|architecture|support|wheel|bundle|toomany|manifest|platform|alloc|unknown|exception|missing|404|taken|mount|different|node_module|space left|sh:|stat |carriage|\^m|vdso|tracker|udev|libcrun|systemd|netlink|packing|ptrace|mapping|jemalloc|avx|asynchronous|registers|io_setup|bad record|core was|matching|invoke|sanitizer|remove_shared|undefined|getaddrinfo|resolution|linux-|needs|permitted";
/// What counts as the end of a log, in lines.
const END: usize = 12;

/// Where a row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In any line.
    Anywhere,
    /// In the last lines, of a log that speaks of another platform: work that never ended.
    AtTheEnd,
}

/// One known message.
#[derive(Debug)]
pub struct LogRow {
    /// Stable id.
    pub id: &'static str,
    /// Regular expression over one line.
    pub pattern: &'static str,
    /// Why.
    pub cause: Cause,
    /// Whether the architecture has to do with it.
    pub about: About,
    /// How much it explains: 3 the cause, 2 a failure, 1 an effect.
    pub rank: u8,
    /// How sure.
    pub confidence: Confidence,
    /// What, in one line.
    pub title: &'static str,
    /// Why, in a sentence or two.
    pub why: &'static str,
    /// What to do, in a sentence or two.
    pub remedy: &'static str,
    /// Where this is known from.
    pub source: &'static str,
    /// Where it counts.
    pub place: Place,
}

/// An explanation with how much it explains.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub rank: u8,
    pub line: usize,
    pub explanation: Explanation,
}

/// A log that is being read.
#[derive(Debug)]
pub struct LogReading<'a> {
    crashes: Reading<'a>,
    seen: Vec<bool>,
    told: Vec<(usize, Told)>,
    rows: Vec<(usize, usize, String)>,
    ends: Vec<(usize, usize, String)>,
    lines: usize,
    named: Named,
}

/// What a log says of platforms, wherever it does.
#[derive(Debug, Default)]
struct Named {
    /// Words of an emulator, or of a build for a named platform.
    foreign: Option<(usize, String)>,
    /// The architecture that packages were looked for.
    arm: Option<(usize, String)>,
}

struct Matcher {
    set: RegexSet,
    each: Vec<Regex>,
    hints: Regex,
    foreign: Regex,
    arm: Regex,
    escapes: Regex,
}

/// Built once. None only if a row is no regular expression, which a test rules out.
static MATCHER: LazyLock<Option<Matcher>> = LazyLock::new(|| {
    let patterns = LOG_ROWS.iter().map(|row| row.pattern);
    Some(Matcher {
        set: RegexSetBuilder::new(patterns.clone()).size_limit(1 << 25).dfa_size_limit(1 << 25).build().ok()?,
        each: patterns.map(Regex::new).collect::<Result<_, _>>().ok()?,
        hints: Regex::new(HINTS).ok()?,
        foreign: Regex::new(r"\[linux/[a-z0-9]+(/v\d)?[ \]]|--platform[= ]\S+|\bqemu-\w+|buildkit_qemu").ok()?,
        arm: Regex::new(r"linux[-_./]?(aarch64|arm64)|temp\.linux-aarch64|linux/arm64|manylinux\w*_aarch64|musllinux\w*_aarch64|aarch64-linux").ok()?,
        escapes: Regex::new("\x1b\\[[0-9;?]*[A-Za-z]|\x1b\\][^\x07]*\x07").ok()?,
    })
});

/// What a log comes to.
#[derive(Debug, Clone)]
pub struct LogExplained {
    /// The best explanation.
    pub best: Explanation,
    /// What else was found, most telling first.
    pub others: Vec<Explanation>,
    /// Lines read.
    pub lines: usize,
}

impl<'a> LogReading<'a> {
    /// The log of something that ran so.
    pub fn new(under: RanUnder<'a>) -> Self {
        Self {
            crashes: Reading::new(under),
            seen: vec![false; LOG_ROWS.len()],
            told: Vec::new(),
            rows: Vec::new(),
            ends: Vec::new(),
            lines: 0,
            named: Named::default(),
        }
    }

    /// The next line, with or without its ending. Colours are ignored.
    pub fn line(&mut self, line: &str) {
        self.lines += 1;
        let Some(matcher) = &*MATCHER else { return };
        let line = cut(line, LINE_LIMIT);
        let plain: Cow<'_, str> =
            if line.contains('\x1b') { matcher.escapes.replace_all(line, "") } else { line.into() };
        let line = plain.trim_end_matches('\n');
        if matcher.hints.is_match(line) {
            self.known_words(matcher, line);
        } else {
            self.crashes.skip();
        }
        // The last lines are all that matters of these.
        let from = self.lines.saturating_sub(END);
        self.ends.retain(|(number, ..)| *number > from);
        for (known, pattern) in [(&mut self.named.foreign, &matcher.foreign), (&mut self.named.arm, &matcher.arm)] {
            if known.is_none() {
                *known = pattern.find(line).map(|found| (self.lines, found.as_str().trim().to_owned()));
            }
        }
    }

    fn known_words(&mut self, matcher: &Matcher, line: &str) {
        self.crashes.line(line);
        if let Some(told) = wordings::recognise(line)
            && !self.told.iter().any(|(_, known)| known.says == told.says)
        {
            self.told.push((self.lines, told));
        }
        for index in matcher.set.matches(line) {
            let quote =
                || cut(matcher.each[index].find(line).map_or("", |m| m.as_str().trim()), QUOTE_LIMIT).to_owned();
            match LOG_ROWS[index].place {
                Place::AtTheEnd => self.ends.push((self.lines, index, quote())),
                Place::Anywhere if !std::mem::replace(&mut self.seen[index], true) => {
                    self.rows.push((self.lines, index, quote()));
                }
                Place::Anywhere => {}
            }
        }
    }

    /// What it comes to.
    pub fn explain(self) -> LogExplained {
        let lines = self.lines;
        let mut found = self.candidates();
        found.sort_by_key(|c| (std::cmp::Reverse((c.rank, c.explanation.confidence)), c.line));
        let mut causes = Vec::new();
        found.retain(|c| {
            let known = causes.contains(&c.explanation.cause);
            causes.push(c.explanation.cause);
            !known
        });
        let mut found = found.into_iter();
        match found.next() {
            Some(best) => {
                // Effects of a cause that was found say nothing more.
                let worth = |c: &Candidate| c.rank > 1 || best.rank == 1;
                let others = found.filter(worth).take(OTHERS).map(|c| c.explanation).collect();
                LogExplained { best: best.explanation, others, lines }
            }
            None => LogExplained { best: nothing(lines), others: Vec::new(), lines },
        }
    }

    /// Everything that was found, unordered.
    pub(crate) fn candidates(self) -> Vec<Candidate> {
        let Self { crashes, told, rows, ends, named, .. } = self;
        let mut found: Vec<Candidate> = Vec::new();
        found.extend(crashes.found.iter().filter_map(of_crash));
        found.extend(told.iter().map(|(line, told)| of_wording(told, *line)));
        let ends = ends.into_iter().filter(|_| named.foreign.is_some());
        found.extend(rows.into_iter().chain(ends).map(|(line, index, quote)| of_row(&LOG_ROWS[index], line, quote)));
        for candidate in &mut found {
            named.add_to(&mut candidate.explanation);
        }
        found
    }
}

impl Named {
    /// Packages that were looked for by an ARM system are missing because of it.
    fn add_to(&self, explanation: &mut Explanation) {
        let packages = matches!(explanation.cause, Cause::WheelMissingCompiles | Cause::WheelMissingFails);
        let (named, about) = match explanation.cause {
            _ if packages => (&self.arm, Some(About::Yes)),
            Cause::HangUnderEmulation => (&self.foreign, None),
            _ => return,
        };
        if let Some((line, words)) = named {
            explanation.evidence.push(Evidence::new(format!("log line {line}"), words.clone()));
            if let Some(about) = about {
                explanation.architecture = about;
            }
        }
    }
}

fn of_row(row: &LogRow, line: usize, quote: String) -> Candidate {
    let explanation = Explanation {
        cause: row.cause,
        check: row.cause.check().map(str::to_owned),
        confidence: row.confidence,
        architecture: row.about,
        title: row.title.to_owned(),
        why: row.why.to_owned(),
        evidence: vec![Evidence::new(format!("log line {line}"), quote), Evidence::new("known from", row.source)],
        fixes: vec![told(row.remedy)],
    };
    Candidate { rank: row.rank, line, explanation }
}

/// A fix that is words only.
pub(crate) fn told(text: &str) -> Fix {
    Fix {
        option: 1,
        title: "Show the way out".to_owned(),
        summary: "Nothing is changed here.".to_owned(),
        safety: Safety::ShowOnly,
        steps: vec![Step::Tell { text: text.to_owned(), commands: Vec::new() }],
        promise: None,
        runtime: None,
    }
}

/// None for rows that the wordings say more exactly, and for harmless notes.
fn of_crash(found: &CrashMatch) -> Option<Candidate> {
    let cause = match found.id.as_str() {
        "exec-format-error" | "arm-loader-missing" => return None,
        _ if found.harmless => return None,
        "platform-differs" | "other-platform-here" | "platform-moved" | "base-image-platform" => Cause::PlatformDiffers,
        "no-matching-manifest" => Cause::NoNativeManifest,
        "platform-not-emulated" => Cause::EmulatorMissing,
        "rosetta-no-intel-loader" | "qemu-no-loader" => Cause::MissingLoader,
        _ if !found.features.is_empty() => Cause::CpuFeatureMissing,
        _ if !found.about_emulation => Cause::EmulatorSettings,
        _ => Cause::CrashUnderEmulation,
    };
    // A warning that goes before everything else that is emulated explains nothing by itself.
    let rank = if found.id == "platform-differs" { 1 } else { 3 };
    let line = found.evidence.place.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let explanation = Explanation {
        cause,
        check: cause.check().map(str::to_owned),
        confidence: found.confidence,
        architecture: About::Yes,
        title: title_of(cause, found.emulator.as_deref()),
        why: found.cause.clone(),
        evidence: vec![found.evidence.clone(), Evidence::new("known from", &found.source)],
        fixes: vec![told(&found.remedy)],
    };
    Some(Candidate { rank, line, explanation })
}

fn title_of(cause: Cause, emulator: Option<&str>) -> String {
    let by = emulator.filter(|name| *name != crate::runtime::NO_EMULATOR).map(crate::emulator::display_name);
    match (cause, by) {
        (Cause::PlatformDiffers, _) => "An image is here for another platform".to_owned(),
        (Cause::NoNativeManifest, _) => "The image has no variant for this platform".to_owned(),
        (Cause::EmulatorMissing, _) => "Nothing here runs programs of that platform".to_owned(),
        (Cause::MissingLoader, _) => "A program for another architecture found no loader in the image".to_owned(),
        (Cause::CpuFeatureMissing, _) => "The program asks for more than the emulated processor has".to_owned(),
        (Cause::EmulatorSettings, _) => "Emulation is not set up as it should be".to_owned(),
        (_, Some(by)) => format!("A program fell under {by}"),
        (_, None) => "A program fell under emulation".to_owned(),
    }
}

/// Nothing was recognised: that is said, and nothing else.
fn nothing(lines: usize) -> Explanation {
    let why = match lines {
        0 => "The log is empty.".to_owned(),
        _ => format!(
            "None of its {} says something that is known here, so it is not known whether it is the architecture.",
            crate::text::count(lines, "line")
        ),
    };
    Explanation {
        cause: Cause::Unknown,
        check: None,
        confidence: Confidence::Likely,
        architecture: About::Unknown,
        title: "The log names no known cause".to_owned(),
        why,
        evidence: Vec::new(),
        fixes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        lines::{LINES, LOGS},
        *,
    };

    fn explained(text: &str) -> LogExplained {
        let mut reading = LogReading::new(RanUnder::Unknown);
        text.lines().for_each(|line| reading.line(line));
        reading.explain()
    }

    fn word(value: impl serde::Serialize) -> String {
        serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
    }

    #[test]
    fn every_row_has_a_line_that_it_matches() {
        let all: BTreeSet<&str> = LOG_ROWS.iter().map(|row| row.id).collect();
        assert_eq!(all.len(), LOG_ROWS.len(), "ids are unique");
        for row in LOG_ROWS {
            Regex::new(row.pattern).unwrap_or_else(|error| panic!("{}: {error}", row.id));
        }
        // Rows of the end need a whole log.
        let at_the_end = LOG_ROWS.iter().filter(|row| row.place == Place::AtTheEnd).map(|row| row.id);
        let tested: BTreeSet<&str> = LINES.iter().map(|(id, _)| *id).chain(at_the_end).collect();
        assert_eq!(tested, all);
        for (id, line) in LINES {
            let mut reading = LogReading::new(RanUnder::Unknown);
            reading.line(line);
            let mine = reading.rows.iter().find(|(_, index, _)| LOG_ROWS[*index].id == *id);
            let (_, _, quote) = mine.unwrap_or_else(|| panic!("{id}: {line}: {:?}", reading.rows));
            assert!(line.contains(quote.as_str()) && !quote.is_empty(), "{line}");
        }
    }

    #[test]
    fn no_line_that_a_row_knows_is_passed_over() {
        let hints = Regex::new(HINTS).unwrap();
        let wordings = crate::stopped::wordings::tests_lines().map(|line| ("wording", line));
        let crashes = crate::crash::tests_lines().map(|line| ("crash", line));
        for (kind, text) in LINES.iter().copied().chain(wordings).chain(crashes) {
            assert!(text.lines().any(|line| hints.is_match(line)), "{kind}: {text}");
        }
        for line in ["#12 [2/5] COPY go.mod .", "compiling module 7 into build/7.o", "GET /index.html 200"] {
            assert!(!hints.is_match(line), "{line}");
        }
    }

    #[test]
    fn whole_logs_come_to_one_cause() {
        for (what, log, cause, about) in LOGS {
            let found = explained(log);
            let best = &found.best;
            assert_eq!(
                (word(best.cause).as_str(), word(best.architecture).as_str()),
                (*cause, *about),
                "{what}: {found:#?}"
            );
            assert_eq!(best.cause == Cause::Unknown, best.evidence.is_empty(), "{what}");
            assert!(!best.title.is_empty() && !best.why.is_empty());
        }
    }

    #[test]
    fn what_follows_from_the_cause_is_not_listed_beside_it() {
        let log = "qemu: uncaught target signal 11 (Segmentation fault) - core dumped\nSegmentation fault\n\
                   ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 139";
        assert_eq!(explained(log).others, []);
        let two = "error: command 'gcc' failed: No such file or directory\nError: Cannot find module '@rollup/rollup-linux-x64-gnu'";
        assert_eq!(explained(two).others.len(), 1, "two causes are two");
    }

    #[test]
    fn nothing_else_of_a_log_is_kept_however_long_it_is() {
        let mut reading = LogReading::new(RanUnder::Unknown);
        for _ in 0..2_000 {
            reading.line("PASSWORD=hunter2 Determining projects to restore on linux/arm64");
        }
        reading
            .line(&format!("PASSWORD=hunter2 rosetta error: Unimplemented syscall number 282 {}", "x".repeat(1 << 20)));
        assert!(reading.ends.len() <= END);
        let text = format!("{:?}", reading.explain());
        assert!(text.contains("Unimplemented") && !text.contains("hunter2"), "{text}");
    }
}
