//! A program that is not whole.

use silidock_executable::{Defect, Format, Kind};

use crate::{
    check::{Check, Example, Need, Verdict},
    contents::{Look, Odd},
    contents_findings::{Says, applies, findings},
    example_contents::{inventory_of, native, raw, scratch, truncated},
    finding::Severity,
    inventory::Inventory,
};

/// The check.
pub static CHECK: Check = Check {
    id: "truncated-executable",
    title: "A program or library is not whole",
    why: "Its head promises more bytes than the file has, or it is nothing but zeros: a download, a copy or a write to disk broke off. \
          It ends with exec format error, a bus error, or an error of the loader. This is not the architecture.",
    severity: Severity::Broken,
    needs: &[Need::Contents],
    applies,
    run: |context| findings(context, &CHECK, &SAYS),
    supersedes: &["exec-format-error"],
    examples: &[
        Example { name: "half a download", verdict: Verdict::Fires, inventory: half },
        Example { name: "only a beginning", verdict: Verdict::Fires, inventory: beginning },
        Example { name: "zeros in a program's place", verdict: Verdict::Fires, inventory: zeros },
        Example { name: "a whole program", verdict: Verdict::Silent, inventory: whole },
    ],
};

const SAYS: Says = Says {
    title: |image, files| match files {
        [only] if only.count == 1 => format!("{} holds {}, which is not whole", image.subject, only.path),
        _ => format!("{} holds programs that are not whole", image.subject),
    },
    why: "It cannot be loaded, or ends as soon as a missing part is touched.",
    fix: "Show where to look",
    advice: "Look at the step that brought the file, compare its size and checksum with the original, and build the image again.",
};

/// Machine code of which a part is missing, or that no kernel loads.
pub(crate) fn odd(look: &Look<'_, '_>) -> Option<Odd> {
    let detail = match look.kind()? {
        Kind::Cut(format) => format!("ends within the head of {}", name(*format)),
        Kind::Zeros if look.is_started() && look.is_a_command() => "is nothing but zeros as far as was read".to_owned(),
        Kind::Elf(elf) => match elf.defect? {
            Defect::ProgramHeadersCut { needs, has } | Defect::SegmentsCut { needs, has } => {
                format!("has {has} bytes and must have {needs}")
            }
            Defect::NothingToLoad if look.is_started() => "holds nothing that could be loaded".to_owned(),
            Defect::BadHead | Defect::BadProgramHeaders | Defect::BadInterpreter if look.is_started() => {
                "has a head that no kernel takes".to_owned()
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(Odd::new(detail))
}

fn name(format: Format) -> &'static str {
    match format {
        Format::Elf => "an ELF file",
        Format::MachO => "a Mach-O file",
        Format::Pe => "a PE file",
    }
}

fn with(file: silidock_executable::FileRecord) -> Inventory {
    inventory_of(scratch("arm64").with(file).entrypoint("/app/server"))
}
fn half() -> Inventory {
    with(truncated("/app/server"))
}
fn beginning() -> Inventory {
    with(raw("/app/server", b"\x7fELF\x02\x01"))
}
fn zeros() -> Inventory {
    with(raw("/app/server", &[0; 4096]))
}
fn whole() -> Inventory {
    with(native("/app/server"))
}
