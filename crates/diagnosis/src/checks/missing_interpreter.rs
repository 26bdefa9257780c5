//! A script whose interpreter is not in the image.

use crate::{
    check::{Check, Example, Need, Verdict},
    contents::{Look, Lookup, Odd},
    contents_findings::{Says, applies, findings},
    example_contents::{inventory_of, native, scratch},
    finding::Severity,
    inventory::Inventory,
};
use silidock_executable::Kind;

/// The check.
pub static CHECK: Check = Check {
    id: "missing-interpreter",
    title: "A script names an interpreter that is not in the image",
    why: "The kernel then says \"no such file or directory\" of the script itself, which is there. Mostly a script written for bash \
          in an image that has only sh, or for a Python or Perl that was never installed. This is not the architecture.",
    severity: Severity::Broken,
    needs: &[Need::Contents],
    applies,
    run: |context| findings(context, &CHECK, &SAYS),
    supersedes: &["exec-format-error"],
    examples: &[
        Example { name: "bash is named, and only sh is there", verdict: Verdict::Fires, inventory: bash },
        Example { name: "env looks for a Python that is not there", verdict: Verdict::Fires, inventory: python },
        Example { name: "sh through a link", verdict: Verdict::Silent, inventory: sh },
        Example { name: "a helper inside a package", verdict: Verdict::Silent, inventory: helper },
    ],
};

const SAYS: Says = Says {
    title: |image, files| match files {
        [only] if only.count == 1 => format!("{} cannot run {}: its interpreter is missing", image.subject, only.path),
        _ => format!("{} holds scripts whose interpreter is missing", image.subject),
    },
    why: "Starting one ends with \"no such file or directory\", although the file is there.",
    fix: "Show the two ways out",
    advice: "Install the interpreter in the image (apk add bash, apt-get install python3 ...), or name one in the first line that is there.",
};

/// An interpreter, or what `env` is to find, that is nowhere.
pub(crate) fn odd(look: &Look<'_, '_>) -> Option<Odd> {
    let Kind::Script(script) = look.kind()? else { return None };
    if !look.is_started() || script.interpreter.is_empty() {
        return None;
    }
    let search_path = look.start.search_path.as_deref();
    let missing = |name: &str| {
        matches!(look.tree.program(name, search_path, &look.start.working_dir), Lookup::Missing | Lookup::Folder)
    };
    if missing(&script.interpreter) {
        return Some(Odd::new(format!("its first line names {}, which is not in the image", script.interpreter)));
    }
    let program = script.env.as_ref()?.program.as_deref()?;
    missing(program)
        .then(|| Odd::new(format!("its first line has env look for {program}, which is in no folder of PATH")))
}

fn bash() -> Inventory {
    let image = scratch("arm64").with(native("/bin/sh"));
    inventory_of(image.script("/entrypoint.sh", "#!/bin/bash\n").entrypoint("/entrypoint.sh"))
}
fn python() -> Inventory {
    let image = scratch("arm64").with(native("/usr/bin/env"));
    inventory_of(image.script("/usr/local/bin/report", "#!/usr/bin/env python3\n"))
}
fn sh() -> Inventory {
    let image = scratch("arm64").with(native("/bin/busybox")).link("/bin/sh", "/bin/busybox");
    inventory_of(image.script("/entrypoint.sh", "#!/bin/sh\n").entrypoint("/entrypoint.sh"))
}
fn helper() -> Inventory {
    let image = scratch("arm64").with(native("/bin/sh"));
    inventory_of(image.script("/app/node_modules/x/gyp", "#!/usr/bin/python\n"))
}
