//! A script whose first line no kernel understands as it was meant.

use silidock_executable::{Before, Kind, SHEBANG_LIMIT, Script};

use crate::{
    check::{Check, Example, Need, Verdict},
    contents::{Look, Odd},
    contents_findings::{Says, applies, findings},
    example_contents::{inventory_of, native, scratch},
    finding::Severity,
    inventory::Inventory,
};

/// The check.
pub static CHECK: Check = Check {
    id: "bad-shebang",
    title: "The first line of a script is not what a kernel understands",
    why: "The two characters #! must be the very first of the file, an absolute path must follow, and everything behind that is one \
          single argument. A mark of UTF-8, a blank or an empty line in front makes the file no script at all: exec format error. \
          This is not the architecture.",
    severity: Severity::Broken,
    needs: &[Need::Contents],
    applies,
    run: |context| findings(context, &CHECK, &SAYS),
    supersedes: &["exec-format-error"],
    examples: &[
        Example { name: "a mark of UTF-8 in front", verdict: Verdict::Fires, inventory: marked },
        Example { name: "an empty line in front", verdict: Verdict::Fires, inventory: blank },
        Example { name: "a relative interpreter", verdict: Verdict::Fires, inventory: relative },
        Example { name: "env with two words and no -S", verdict: Verdict::Fires, inventory: two_words },
        Example { name: "env -S with two words", verdict: Verdict::Silent, inventory: split },
        Example { name: "an interpreter with an argument", verdict: Verdict::Silent, inventory: right },
    ],
};

const SAYS: Says = Says {
    title: |image, files| match files {
        [only] if only.count == 1 => format!("{} cannot run {}: its first line is wrong", image.subject, only.path),
        _ => format!("{} holds scripts whose first line is wrong", image.subject),
    },
    why: "The kernel takes it for no script, or looks for an interpreter of another name.",
    fix: "Show what the line must be",
    advice: "Let the file begin with #! and the absolute path of an interpreter; use /usr/bin/env -S where it needs several words.",
};

/// What is wrong with a script's first line, other than that the interpreter is not there.
pub(crate) fn odd(look: &Look<'_, '_>) -> Option<Odd> {
    let Kind::Script(script) = look.kind()? else { return None };
    if !look.is_started() {
        return None;
    }
    before(script).or_else(|| line(script)).map(Odd::new)
}

fn before(script: &Script) -> Option<String> {
    Some(match script.before {
        Before::Nothing => return None,
        Before::Utf8Mark => "the mark of UTF-8 (a BOM) stands before #!, so it is no script to the kernel".to_owned(),
        Before::Utf16Little | Before::Utf16Big => "it is UTF-16 text, which is no script to the kernel".to_owned(),
        Before::Blanks => "blanks or empty lines stand before #!, so it is no script to the kernel".to_owned(),
    })
}

fn line(script: &Script) -> Option<String> {
    let interpreter = &script.interpreter;
    if interpreter.is_empty() {
        return Some("it names no interpreter behind #!".to_owned());
    }
    if script.too_long {
        return Some(format!("its first line is longer than the {SHEBANG_LIMIT} bytes that the kernel reads"));
    }
    if !interpreter.starts_with('/') {
        return Some(format!("it names {interpreter}, which is looked for in the folder it is started from"));
    }
    let call = script.env.as_ref().filter(|call| !call.split)?;
    let program = call.program.as_deref()?;
    program
        .contains(' ')
        .then(|| format!("env is handed one name, so it looks for a program called \"{program}\"; -S splits it"))
}

fn with(text: &str) -> Inventory {
    let image = scratch("arm64").with(native("/bin/sh")).with(native("/usr/bin/env")).with(native("/usr/bin/bash"));
    inventory_of(image.script("/entrypoint.sh", text).entrypoint("/entrypoint.sh"))
}
fn marked() -> Inventory {
    with("\u{feff}#!/bin/sh\n")
}
fn blank() -> Inventory {
    with("\n#!/bin/sh\n")
}
fn relative() -> Inventory {
    with("#!sh\n")
}
fn two_words() -> Inventory {
    with("#!/usr/bin/env bash -e\n")
}
fn split() -> Inventory {
    with("#!/usr/bin/env -S bash -e\n")
}
fn right() -> Inventory {
    with("#!/bin/sh -e\n")
}
