//! What a container runs first is no program at all.

use silidock_executable::{Archive, Kind, Role, Wording};

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
    id: "exec-format-error",
    title: "What the container runs first is no program",
    why: "The kernel starts machine code and scripts that begin with #!, and refuses everything else with exec format error, \
          whatever the architecture. Mostly a script without its first line, a web page or a pointer of Git LFS in a program's place, \
          or an archive that was never unpacked.",
    severity: Severity::Broken,
    needs: &[Need::Contents],
    applies,
    run: |context| findings(context, &CHECK, &SAYS),
    supersedes: &[],
    examples: &[
        Example { name: "a script without #!", verdict: Verdict::Fires, inventory: text },
        Example { name: "a web page instead of a download", verdict: Verdict::Fires, inventory: page },
        Example { name: "an archive that was not unpacked", verdict: Verdict::Fires, inventory: archive },
        Example { name: "a program", verdict: Verdict::Silent, inventory: program },
        Example { name: "a script without #! that is handed to sh", verdict: Verdict::Silent, inventory: handed },
    ],
};

const SAYS: Says = Says {
    title: |image, files| format!("{} does not start: {} is no program", image.subject, files[0].path),
    why: "The kernel refuses it with exec format error, on every processor.",
    fix: "Show where to look",
    advice: "Give a script its first line (#!/bin/sh); look at the step that brought any other file, and build the image again.",
};

/// Bytes in the place of a program that no kernel starts.
pub(crate) fn odd(look: &Look<'_, '_>) -> Option<Odd> {
    if !look.is_run_first() {
        return None;
    }
    let what = match look.kind()? {
        Kind::Text(text) => match text.wording {
            Wording::Html => "a web page: a download brought an error message",
            Wording::GitLfsPointer => "a pointer of Git LFS: the file itself was not fetched",
            Wording::Plain => "text without a first line that names an interpreter (#!)",
        },
        Kind::Archive(Archive::Zip) => "a zip archive",
        Kind::Archive(Archive::Ar) => "an ar archive: a static library or a Debian package",
        Kind::Archive(_) => "a compressed file that was not unpacked",
        Kind::JavaClass => "a Java class, which only java runs",
        Kind::WebAssembly => "WebAssembly, which only its runtime runs",
        Kind::Elf(elf) if elf.role == Role::Object => "an object file that was not linked",
        Kind::Other | Kind::Zeros => "neither machine code nor a script",
        _ => return None,
    };
    Some(Odd::new(format!("is {what}")))
}

fn with(bytes: &[u8]) -> Inventory {
    inventory_of(scratch("arm64").with(raw("/app/run", bytes)).entrypoint("/app/run"))
}
fn text() -> Inventory {
    with(b"echo hello\n")
}
fn page() -> Inventory {
    with(b"<!DOCTYPE html><html>Not Found</html>")
}
fn archive() -> Inventory {
    with(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0])
}
fn program() -> Inventory {
    inventory_of(scratch("arm64").with(native("/app/run")).entrypoint("/app/run"))
}
fn handed() -> Inventory {
    let image = scratch("arm64").with(native("/bin/sh")).with(raw("/app/run", b"echo hello\n"));
    inventory_of(image.entrypoint("/bin/sh /app/run"))
}
