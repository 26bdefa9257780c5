//! The marks of a report: each a sign and a word, and what the words mean.

use silidock_diagnosis::{
    finding::{Confidence, Severity},
    fix::Safety,
    verdict::Tone,
};

/// A word with a sign, so that colour is never the only difference.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub sign: &'static str,
    pub word: &'static str,
    /// Name of its colours in the style sheet.
    pub class: &'static str,
}

const BROKEN: Mark = Mark { sign: "●", word: "Broken", class: "broken" };
const SLOW: Mark = Mark { sign: "▲", word: "Slow", class: "slow" };
const NOTE: Mark = Mark { sign: "■", word: "Note", class: "note" };
pub(crate) const NATIVE: Mark = Mark { sign: "✓", word: "Native", class: "native" };
pub(crate) const EMULATED: Mark = Mark { sign: "▲", word: "Emulated", class: "slow" };
pub(crate) const MIXED: Mark = Mark { sign: "◆", word: "Partly emulated", class: "slow" };
pub(crate) const UNKNOWN: Mark = Mark { sign: "?", word: "Not known", class: "note" };
pub(crate) const STOPPED: Mark = Mark { sign: "–", word: "Not running", class: "note" };
const SAFE: Mark = Mark { sign: "✓", word: "Safe", class: "native" };
const REVIEW: Mark = Mark { sign: "▲", word: "Review", class: "slow" };
const SHOW_ONLY: Mark = Mark { sign: "■", word: "By hand", class: "note" };
const LIKELY: Mark = Mark { sign: "", word: "Likely", class: "plain" };
const CERTAIN: Mark = Mark { sign: "", word: "Certain", class: "plain" };
const MEASURED: Mark = Mark { sign: "", word: "Measured", class: "plain" };

pub(crate) const WORDS: &[(Mark, &str)] = &[
    (BROKEN, "It will not run or will not build."),
    (SLOW, "It runs, at a cost."),
    (NOTE, "Worth knowing; nothing is wrong yet."),
    (LIKELY, "The signs point to it, and something else could explain them."),
    (CERTAIN, "It was seen; the evidence says where."),
    (MEASURED, "It was seen and put in numbers on this machine."),
    (SAFE, "A fix that cannot make anything worse."),
    (REVIEW, "A fix that is right in most cases; its preview shows every change first."),
    (SHOW_ONLY, "Silidock changes nothing here: a person has to do it."),
    (EMULATED, "Every program of the container is translated for the engine's processor."),
    (MIXED, "Native and emulated programs, or two emulators, run in one container."),
    (UNKNOWN, "It could not be read or could not be told. That is not a good sign and not a bad one."),
];

pub(crate) fn tone(tone: Tone) -> Mark {
    match tone {
        Tone::Native => Mark { word: "No emulation found", ..NATIVE },
        Tone::Slow => SLOW,
        Tone::Broken => BROKEN,
        Tone::Unclear => Mark { word: "Not enough was seen to say", ..UNKNOWN },
    }
}

pub(crate) fn severity(severity: Severity) -> Mark {
    match severity {
        Severity::Broken => BROKEN,
        Severity::Slow => SLOW,
        Severity::Note => NOTE,
    }
}

pub(crate) fn safety(safety: Safety) -> Mark {
    match safety {
        Safety::Safe => SAFE,
        Safety::Review => REVIEW,
        Safety::ShowOnly => SHOW_ONLY,
    }
}

pub(crate) fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Likely => LIKELY.word,
        Confidence::Certain => CERTAIN.word,
        Confidence::Measured => MEASURED.word,
    }
}
