//! A program or library for another processor than the image's own.

use crate::{
    check::{Check, Example, Need, Verdict},
    contents::{Look, Odd},
    contents_findings::{Says, applies, findings},
    example_contents::{elf, inventory_of, native, scratch},
    finding::Severity,
    inventory::Inventory,
};

/// The check.
pub static CHECK: Check = Check {
    id: "foreign-binary",
    title: "An image holds programs for another processor",
    why: "They run only where an emulator does it for them, more slowly, and fail elsewhere. Usually a tool was downloaded for \
          the wrong architecture while the image was built. Files that are there on purpose (emulators, cross toolchains, packages \
          that bring every platform) are listed, but are no finding.",
    severity: Severity::Slow,
    needs: &[Need::Contents],
    applies,
    run: |context| findings(context, &CHECK, &SAYS),
    supersedes: &[],
    examples: &[
        Example { name: "an Intel tool in an ARM image", verdict: Verdict::Fires, inventory: tool },
        Example { name: "the only esbuild is Intel", verdict: Verdict::Fires, inventory: only_foreign_package },
        Example { name: "esbuild for both", verdict: Verdict::Silent, inventory: both_packages },
        Example { name: "a static QEMU", verdict: Verdict::Silent, inventory: emulator },
        Example { name: "a cross toolchain", verdict: Verdict::Silent, inventory: toolchain },
    ],
};

const SAYS: Says = Says {
    title: |image, files| {
        let all: u64 = files.iter().map(|file| file.count).sum();
        let noun = if all == 1 { "a program or library" } else { "programs and libraries" };
        let number = if all == 1 { String::new() } else { format!("{all} ") };
        format!("{} holds {number}{noun} for another processor", image.subject)
    },
    why: "Each runs under an emulator where there is one, and ends with exec format error where there is none.",
    fix: "Show where to look",
    advice: "Find the step that brought each file: a download with an architecture in its name, or a COPY of something built elsewhere. \
             Take the one for TARGETARCH instead.",
};

/// Machine code for a processor that the image does not name.
pub(crate) fn odd(look: &Look<'_, '_>) -> Option<Odd> {
    let platform = look.foreign_to_label()?;
    let label = look.label?;
    let sometimes = label.architecture == "arm64" && platform.starts_with("linux/arm");
    let note = if sometimes { "; few 64-bit ARM processors run that, Apple's do not" } else { "" };
    Some(Odd { arch: Some(platform.to_owned()), detail: format!("is {platform}, the image says {label}{note}") })
}

fn tool() -> Inventory {
    let image = scratch("arm64").with(native("/app/server")).with(elf("/usr/local/bin/tool", "linux/amd64"));
    inventory_of(image.entrypoint("/app/server"))
}
fn only_foreign_package() -> Inventory {
    let image = scratch("arm64").with(native("/usr/bin/node"));
    inventory_of(image.with(elf("/app/node_modules/@esbuild/linux-x64/bin/esbuild", "linux/amd64")))
}
fn both_packages() -> Inventory {
    let image = scratch("arm64").with(native("/app/node_modules/@esbuild/linux-arm64/bin/esbuild"));
    inventory_of(image.with(elf("/app/node_modules/@esbuild/linux-x64/bin/esbuild", "linux/amd64")))
}
fn emulator() -> Inventory {
    let image = scratch("arm64").with(native("/bin/sh")).with(native("/bin/ls"));
    inventory_of(image.with(elf("/usr/bin/qemu-x86_64-static", "linux/amd64")))
}
fn toolchain() -> Inventory {
    let image = scratch("arm64").with(native("/usr/bin/x86_64-linux-gnu-gcc"));
    inventory_of(image.with(elf("/usr/x86_64-linux-gnu/lib/libc.so.6", "linux/amd64")))
}
