//! A script with the line endings of Windows.

use silidock_executable::{Before, Kind};

use crate::{
    check::{Check, Example, Need, Verdict},
    contents::{Look, Odd, StartRole},
    contents_findings::{Says, applies, findings},
    example_contents::{inventory_of, native, scratch},
    finding::Severity,
    inventory::Inventory,
};

/// The check.
pub static CHECK: Check = Check {
    id: "crlf-script",
    title: "A script has the line endings of Windows",
    why: "The carriage return at the end of the first line becomes a part of the interpreter's name: the kernel looks for \
          \"sh\\r\" and says \"no such file or directory\" of the script, which is there. Save it with LF endings, and keep them with \
          a .gitattributes line. This is not the architecture.",
    severity: Severity::Broken,
    needs: &[Need::Contents],
    applies,
    run: |context| findings(context, &CHECK, &SAYS),
    supersedes: &["exec-format-error"],
    examples: &[
        Example { name: "an entry point saved on Windows", verdict: Verdict::Fires, inventory: entrypoint },
        Example { name: "a script that is handed to sh", verdict: Verdict::Fires, inventory: handed },
        Example { name: "LF endings", verdict: Verdict::Silent, inventory: right },
        Example { name: "inside somebody's package", verdict: Verdict::Silent, inventory: package },
    ],
};

const SAYS: Says = Says {
    title: |image, files| match files {
        [only] if only.count == 1 => {
            format!("{} cannot run {}: it has the line endings of Windows", image.subject, only.path)
        }
        _ => format!("{} holds scripts with the line endings of Windows", image.subject),
    },
    why: "Starting one ends with \"no such file or directory\", although the file is there.",
    fix: "Show how to save it right",
    advice: "Save the file with LF endings, add \"*.sh text eol=lf\" to .gitattributes, and build the image again.",
};

/// A carriage return where the kernel, or the shell that reads the script, stumbles over it.
pub(crate) fn odd(look: &Look<'_, '_>) -> Option<Odd> {
    let handed = look.role == Some(StartRole::Script);
    match look.kind()? {
        Kind::Script(script) if look.is_started() && script.carriage_return && script.before == Before::Nothing => {
            let interpreter = &script.interpreter;
            Some(Odd::new(format!("its first line ends with a carriage return, so {interpreter}\\r is looked for")))
        }
        Kind::Script(script) if handed && script.later_carriage_returns => Some(shell()),
        Kind::Text(text) if handed && text.carriage_returns => Some(shell()),
        _ => None,
    }
}

fn shell() -> Odd {
    Odd::new("its lines end with carriage returns, which the shell takes for a part of each command")
}

fn with(text: &str) -> Inventory {
    let image = scratch("arm64").with(native("/bin/sh"));
    inventory_of(image.script("/entrypoint.sh", text).entrypoint("/entrypoint.sh"))
}
fn entrypoint() -> Inventory {
    with("#!/bin/sh\r\necho\r\n")
}
fn handed() -> Inventory {
    let image = scratch("arm64").with(native("/bin/sh"));
    inventory_of(image.script("/start.sh", "echo\r\nls\r\n").entrypoint("/bin/sh /start.sh"))
}
fn right() -> Inventory {
    with("#!/bin/sh\necho\n")
}
fn package() -> Inventory {
    inventory_of(scratch("arm64").with(native("/bin/sh")).script("/app/node_modules/x/cli", "#!/bin/sh\r\n"))
}
