//! Machine code for macOS or Windows in a Linux image: copied in from the machine that built it.

use silidock_executable::{Kind, Role};

use crate::{
    check::{Check, Example, Need, Verdict},
    contents::{Look, Odd},
    contents_findings::{Says, applies, findings},
    example_contents::{inventory_of, mach, native, scratch},
    finding::Severity,
    inventory::Inventory,
};

/// The check.
pub static CHECK: Check = Check {
    id: "host-binary",
    title: "An image holds programs or modules of the machine that built it",
    why: "A folder with installed packages, mostly node_modules, was copied into the image. Its machine code is for macOS or \
          Windows and cannot be loaded in a container. Keep the folder out with .dockerignore, and install in the image.",
    severity: Severity::Broken,
    needs: &[Need::Contents],
    applies,
    run: |context| findings(context, &CHECK, &SAYS),
    supersedes: &[],
    examples: &[
        Example { name: "a node_modules folder of a Mac", verdict: Verdict::Fires, inventory: modules },
        Example { name: "a Mac's program as entry point", verdict: Verdict::Fires, inventory: entrypoint },
        Example { name: "a package that brings every platform", verdict: Verdict::Silent, inventory: prebuilds },
    ],
};

const SAYS: Says = Says {
    title: |image, _| format!("{} holds machine code of the computer that built it", image.subject),
    why: "It cannot be loaded in a Linux container, under no emulator.",
    fix: "Show how to keep it out",
    advice: "Add the folder (node_modules, .venv, target ...) to .dockerignore, and let the Dockerfile install the packages itself.",
};

/// Mach-O always; PE where a Linux program would load it, for other PE files are .NET's or harmless.
pub(crate) fn odd(look: &Look<'_, '_>) -> Option<Odd> {
    let name = look.record.path.text();
    let (system, platform) = match look.kind()? {
        Kind::MachO(mach) if mach.role != Role::Object => ("macOS", mach.platforms.first().map(String::as_str)),
        Kind::Pe(pe) if !pe.managed && (name.ends_with(".node") || look.is_run_first()) => {
            ("Windows", pe.platform.as_deref())
        }
        _ => return None,
    };
    let arch = platform.unwrap_or(if system == "macOS" { "darwin" } else { "windows" });
    Some(Odd { arch: Some(arch.to_owned()), detail: format!("is a file of {system} ({arch})") })
}

fn modules() -> Inventory {
    let image = scratch("arm64").with(native("/usr/bin/node"));
    inventory_of(image.with(mach("/app/node_modules/bcrypt/lib/binding/bcrypt_lib.node")).entrypoint("/usr/bin/node"))
}
fn entrypoint() -> Inventory {
    inventory_of(scratch("arm64").with(mach("/app/server")).entrypoint("/app/server"))
}
fn prebuilds() -> Inventory {
    let image = scratch("arm64").with(native("/app/node_modules/x/prebuilds/linux-arm64/x.node"));
    inventory_of(image.with(mach("/app/node_modules/x/prebuilds/darwin-arm64/x.node")))
}
