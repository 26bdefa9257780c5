//! A command without a single byte.

use silidock_executable::{Kind, is_dull};

use crate::{
    check::{Check, Example, Need, Verdict},
    contents::{Look, Odd},
    contents_findings::{Says, applies, findings},
    example_contents::{inventory_of, native, raw, scratch},
    finding::Severity,
    inventory::Inventory,
};

/// The check.
pub static CHECK: Check = Check {
    id: "empty-executable",
    title: "A command is an empty file",
    why: "It may be executed and holds nothing: a download that failed without stopping the build, or a disk that was full. The kernel \
          says exec format error; a shell takes it for an empty script and says nothing at all. This is not the architecture.",
    severity: Severity::Broken,
    needs: &[Need::Contents],
    applies,
    run: |context| findings(context, &CHECK, &SAYS),
    supersedes: &["exec-format-error"],
    examples: &[
        Example { name: "an empty entry point", verdict: Verdict::Fires, inventory: entrypoint },
        Example { name: "an empty command in PATH", verdict: Verdict::Fires, inventory: command },
        Example { name: "an empty file elsewhere", verdict: Verdict::Silent, inventory: elsewhere },
    ],
};

const SAYS: Says = Says {
    title: |image, files| match files {
        [only] if only.count == 1 => format!("{} cannot run {}: it is empty", image.subject, only.path),
        _ => format!("{} holds commands that are empty files", image.subject),
    },
    why: "The kernel refuses it with exec format error; a shell runs it and nothing happens.",
    fix: "Show where to look",
    advice: "Look at the step that made the file: let downloads fail loudly (curl --fail, set -o pipefail), and build the image again.",
};

/// An empty file that somebody means to start.
pub(crate) fn odd(look: &Look<'_, '_>) -> Option<Odd> {
    let path = look.record.path.text();
    let name = path.rsplit('/').next().unwrap_or(path);
    let empty = matches!(look.kind()?, Kind::Empty) && look.is_started() && look.is_a_command();
    let marker = name.starts_with('.') || is_dull(name.as_bytes());
    (empty && (look.is_run_first() || !marker)).then(|| Odd::new("is an empty file that may be executed"))
}

fn entrypoint() -> Inventory {
    inventory_of(scratch("arm64").with(raw("/app/server", b"")).entrypoint("/app/server"))
}
fn command() -> Inventory {
    inventory_of(scratch("arm64").with(native("/bin/sh")).with(raw("/usr/local/bin/tool", b"")))
}
fn elsewhere() -> Inventory {
    inventory_of(scratch("arm64").with(native("/bin/sh")).with(raw("/app/src/__init__.py", b"")))
}
