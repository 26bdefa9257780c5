//! A program whose loader or libraries are not in the image: glibc's on musl, and the reverse.

use silidock_executable::{Entry, Libc, Linkage, Role};

use crate::{
    check::{Check, Example, Need, Verdict},
    contents::{Look, Lookup, Odd},
    contents_findings::{Says, applies, findings},
    example_contents::{asking, inventory_of, library, loaded_by, loader, scratch},
    finding::Severity,
    inventory::Inventory,
    text::list,
};

/// The check.
pub static CHECK: Check = Check {
    id: "missing-loader",
    title: "A program needs a loader or a library that is not in the image",
    why: "A program built for glibc (Debian, Ubuntu) names another loader than one built for musl (Alpine), and neither is in the \
          other's images. The kernel then says \"no such file or directory\" of the program itself, which is there. Take the build \
          for the image's own C library, a static one, or another base image. This is not the architecture.",
    severity: Severity::Broken,
    needs: &[Need::Contents],
    applies,
    run: |context| findings(context, &CHECK, &SAYS),
    supersedes: &["exec-format-error"],
    examples: &[
        Example { name: "a glibc program on Alpine", verdict: Verdict::Fires, inventory: glibc_on_musl },
        Example { name: "a Node module for glibc on Alpine", verdict: Verdict::Fires, inventory: module },
        Example { name: "a library of the entry point is nowhere", verdict: Verdict::Fires, inventory: no_library },
        Example { name: "a musl program on Alpine", verdict: Verdict::Silent, inventory: right },
    ],
};

const SAYS: Says = Says {
    title: |image, files| match files {
        [only] if only.count == 1 => format!("{} cannot run {}: what it needs is missing", image.subject, only.path),
        _ => format!("{} holds programs whose loader or libraries are missing", image.subject),
    },
    why: "Starting it ends with \"no such file or directory\" or an error of the loader, although the file is there.",
    fix: "Show the ways out",
    advice: "Take the build for the image's C library (musl for Alpine), a static one, or a base image with the library it was built for.",
};

/// Machine code of the image's own platform whose loader, C library or libraries are nowhere.
pub(crate) fn odd(look: &Look<'_, '_>) -> Option<Odd> {
    let elf = look.elf().filter(|elf| elf.linkage != Linkage::Static)?;
    let path = elf.interpreter.as_deref().filter(|_| look.is_started());
    if let Some(path) = path.filter(|path| matches!(look.tree.at(path), Lookup::Missing | Lookup::Folder)) {
        let (of, has) = (of(elf.libc), has(look));
        return Some(Odd::new(format!("needs the loader {path}{of}, which is not in the image{has}")));
    }
    if let Some(wants) =
        wants(look).filter(|wants| elf.role == Role::Library && !look.libcs.is_empty() && !look.libcs.contains(wants))
    {
        return Some(Odd::new(format!("is built for {}, which is not in the image{}", name(wants), has(look))));
    }
    let missing = look.missing;
    (!missing.is_empty()).then(|| Odd::new(format!("needs {}, which is nowhere in the image", list(missing))))
}

/// The C library that a file asks for by name.
fn wants(look: &Look<'_, '_>) -> Option<Libc> {
    match &look.record.entry {
        Entry::File { libraries: Some(libraries), .. } => libraries.libc(),
        _ => None,
    }
}

fn of(libc: Option<Libc>) -> String {
    libc.map_or_else(String::new, |libc| format!(" of {}", name(libc)))
}

fn has(look: &Look<'_, '_>) -> String {
    let names: Vec<String> = look.libcs.iter().map(|libc| name(*libc).to_owned()).collect();
    if names.is_empty() { String::new() } else { format!("; that has {}", list(&names)) }
}

fn name(libc: Libc) -> &'static str {
    match libc {
        Libc::Glibc => "glibc",
        Libc::Musl => "musl",
        Libc::Bionic => "Android's C library",
        Libc::Uclibc => "uClibc",
    }
}

const MUSL: &str = "/lib/ld-musl-aarch64.so.1";

fn glibc_on_musl() -> Inventory {
    let image = scratch("arm64").with(loader(MUSL)).with(loaded_by("/app/server", "/lib/ld-linux-aarch64.so.1"));
    inventory_of(image.entrypoint("/app/server"))
}
fn module() -> Inventory {
    let image = scratch("arm64").with(loader(MUSL)).with(loaded_by("/usr/bin/node", MUSL));
    inventory_of(image.with(asking(library("/app/node_modules/sharp/sharp.node"), &["libc.so.6"])))
}
fn no_library() -> Inventory {
    let image = scratch("arm64").with(loader(MUSL));
    inventory_of(image.with(asking(loaded_by("/app/server", MUSL), &["libpq.so.5"])).entrypoint("/app/server"))
}
fn right() -> Inventory {
    let image = scratch("arm64").with(loader(MUSL)).with(library("/usr/lib/libpq.so.5"));
    let server = asking(loaded_by("/app/server", MUSL), &["libpq.so.5", "libc.musl-aarch64.so.1"]);
    inventory_of(image.with(server).entrypoint("/app/server"))
}
