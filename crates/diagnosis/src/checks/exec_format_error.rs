//! What a container runs first is no program at all, or none that the kernel takes: seen inside its image, or told by how it
//! ended.

use silidock_executable::{Archive, Kind, Role, Wording};

use crate::{
    check::{Check, Context, Example, Need, Verdict, always},
    contents::{Look, Odd},
    contents_findings::{Says, findings},
    example::{container, foreign_to},
    example_contents::{inventory_of, native, raw, scratch},
    example_emulation::stopped,
    fact::Fact,
    finding::{Finding, Severity},
    inventory::{Inventory, Listing},
    stopped::unstarted,
};

/// The check.
pub static CHECK: Check = Check {
    id: "exec-format-error",
    title: "What the container runs first is no program",
    why: "The kernel starts machine code and scripts that begin with #!, and refuses everything else with exec format error, \
          whatever the architecture. Mostly a script without its first line, a web page or a pointer of Git LFS in a program's place, \
          or an archive that was never unpacked. Of a container that has ended only its exit code and the engine's words are looked \
          at; silidock explain reads its files and says which reason it is.",
    severity: Severity::Broken,
    needs: &[Need::Containers, Need::ContainerPlatform, Need::Contents],
    applies: always,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "a script without #!", verdict: Verdict::Fires, inventory: text },
        Example { name: "a web page instead of a download", verdict: Verdict::Fires, inventory: page },
        Example { name: "an archive that was not unpacked", verdict: Verdict::Fires, inventory: archive },
        Example { name: "a program", verdict: Verdict::Silent, inventory: program },
        Example { name: "a script without #! that is handed to sh", verdict: Verdict::Silent, inventory: handed },
        Example {
            name: "an Intel container ended with 255 and nothing runs Intel",
            verdict: Verdict::Fires,
            inventory: no_emulator,
        },
        Example {
            name: "an Intel container ended with 255, and nobody proved the emulator",
            verdict: Verdict::Fires,
            inventory: not_proven,
        },
        Example { name: "the engine says so of a native container", verdict: Verdict::Fires, inventory: said },
        Example { name: "the engine says that the file is not there", verdict: Verdict::Silent, inventory: not_there },
        Example {
            name: "an Intel container ended with 255 under an emulator that works",
            verdict: Verdict::Silent,
            inventory: works,
        },
        Example { name: "a native container ended with 255", verdict: Verdict::Silent, inventory: native_255 },
        Example { name: "an Intel container ended with an error of its own", verdict: Verdict::Silent, inventory: own },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut found = findings(context, &CHECK, &SAYS);
    // What was seen inside says more.
    let told = unstarted::findings(context, &CHECK).into_iter();
    let more: Vec<Finding> = told.filter(|told| found.iter().all(|seen| seen.subject.id != told.subject.id)).collect();
    found.extend(more);
    found
}

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

fn holding(bytes: &[u8]) -> Inventory {
    inventory_of(scratch("arm64").with(raw("/app/run", bytes)).entrypoint("/app/run"))
}
fn text() -> Inventory {
    holding(b"echo hello\n")
}
fn page() -> Inventory {
    holding(b"<!DOCTYPE html><html>Not Found</html>")
}
fn archive() -> Inventory {
    holding(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0])
}
fn program() -> Inventory {
    inventory_of(scratch("arm64").with(native("/app/run")).entrypoint("/app/run"))
}
fn handed() -> Inventory {
    let image = scratch("arm64").with(native("/bin/sh")).with(raw("/app/run", b"echo hello\n"));
    inventory_of(image.entrypoint("/bin/sh /app/run"))
}
fn no_emulator() -> Inventory {
    stopped("arm64", "Exited (255) 2 minutes ago", None, "none")
}
fn not_proven() -> Inventory {
    let mut seen = stopped("amd64", "Restarting (255) 2 seconds ago", None, "none");
    seen.emulation.effective = Fact::unknown("which emulator really runs", "not proven yet");
    seen
}
fn works() -> Inventory {
    stopped("arm64", "Exited (255) 2 minutes ago", None, "qemu")
}
fn own() -> Inventory {
    stopped("arm64", "Exited (1) 2 minutes ago", None, "none")
}
fn with(error: Option<&str>, status: &str, foreign: bool) -> Inventory {
    let mut seen = own();
    let mut made = container("db").stopped().build();
    if foreign && let Fact::Known(platform) = crate::example::platform(foreign_to("arm64")) {
        made.platform = Fact::Known(platform);
    }
    status.clone_into(&mut made.status);
    made.start_error = error.map(str::to_owned);
    seen.containers = Listing::of(vec![made]);
    seen
}
fn said() -> Inventory {
    with(Some("exec container process `/app`: Exec format error"), "Exited (126) 2 minutes ago", false)
}
fn not_there() -> Inventory {
    with(Some(r#"exec: "/app": stat /app: no such file or directory"#), "Created", true)
}
fn native_255() -> Inventory {
    with(None, "Exited (255) 2 minutes ago", false)
}
