//! What mends a cause: the existing ways for emulators, and words where the cause is in the user's own files.

use super::{cause::Cause, facts::Looked, judge::Judge};
use crate::{
    checks::emulator_missing,
    finding::{Finding, Severity, Subject, SubjectKind},
    fix::{Fix, Safety, Step},
    platform::Platform,
};

/// A fix that is words, with commands to copy.
pub(super) fn tell(title: &str, text: &str, commands: Vec<Vec<String>>) -> Fix {
    Fix {
        option: 1,
        title: title.to_owned(),
        summary: "Nothing is changed here.".to_owned(),
        safety: Safety::ShowOnly,
        steps: vec![Step::Tell { text: text.to_owned(), commands }],
        promise: None,
        runtime: None,
    }
}

/// For a cause that lies in a file.
pub(super) fn of_file(_judge: &Judge<'_>, _cause: Cause, _file: &Looked, remedy: &str) -> Vec<Fix> {
    vec![tell("Show the way out", remedy, Vec::new())]
}

/// For a foreign program in a native image.
pub(super) fn foreign_binary(_judge: &Judge<'_>, file: &str, platform: &Platform) -> Vec<Fix> {
    let text = format!(
        "{file} is {platform}. Let its download follow the platform that is built: ARG TARGETARCH in the Dockerfile and \
         $TARGETARCH in the address; or build the whole image with --platform {platform}."
    );
    vec![tell("Show the way out", &text, Vec::new())]
}

/// The runtime's own ways to bring its emulator back.
pub(super) fn emulator_missing(judge: &Judge<'_>, platform: Option<&Platform>) -> Vec<Fix> {
    let Some(platform) = platform else { return Vec::new() };
    let finding = Finding {
        id: String::new(),
        check: emulator_missing::CHECK.id.to_owned(),
        severity: Severity::Broken,
        confidence: crate::finding::Confidence::Certain,
        subject: Subject::new(SubjectKind::Container, &judge.stopped.name),
        title: String::new(),
        why: String::new(),
        evidence: Vec::new(),
        fixes: Vec::new(),
        superseded_by: None,
    };
    let mut fixes = emulator_missing::with_fixes(judge.context, finding, &[platform.architecture.as_str()]).fixes;
    let text = format!(
        "If the image has a variant for this engine, it needs no emulator: pull it without --platform {platform}."
    );
    fixes.push(tell("Look for a native variant", &text, Vec::new()));
    for (option, fix) in (1..).zip(&mut fixes) {
        fix.option = option;
    }
    fixes
}
