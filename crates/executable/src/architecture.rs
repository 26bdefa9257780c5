//! Names of architectures and C libraries, in the words of platforms (`amd64`, `arm64`, `ppc64le`).

use goblin::elf::header as h;
use serde::{Deserialize, Serialize};

/// A C library, told by the loader that a program names or by the libraries it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Libc {
    /// GNU: Debian, Ubuntu, Fedora.
    Glibc,
    /// musl: Alpine, Void, Chimera.
    Musl,
    /// Android's.
    Bionic,
    /// uClibc: small devices.
    Uclibc,
}

impl Libc {
    /// From the path of a loader: `/lib/ld-musl-x86_64.so.1`. None for a loader that is not known.
    #[must_use]
    pub fn of_loader(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.starts_with("ld-musl-") {
            Some(Self::Musl)
        } else if name.starts_with("ld-uClibc") || name.starts_with("ld64-uClibc") {
            Some(Self::Uclibc)
        } else if matches!(name, "linker" | "linker64" | "linker_asan" | "linker_asan64") {
            Some(Self::Bionic)
        } else if name.starts_with("ld-linux") || matches!(name, "ld.so.1" | "ld64.so.1" | "ld64.so.2" | "ld-lsb.so.3")
        {
            Some(Self::Glibc)
        } else {
            None
        }
    }
}

/// The operating system in an ELF head, by its ABI byte and loader. `linux` is what unmarked files are.
pub(crate) fn elf_os(abi: u8, loader: Option<&str>) -> &'static str {
    match (abi, loader) {
        (_, Some("/libexec/ld-elf.so.1" | "/usr/libexec/ld-elf.so.1")) | (h::ELFOSABI_FREEBSD, _) => "freebsd",
        (_, Some("/libexec/ld.elf_so" | "/usr/libexec/ld.elf_so")) | (h::ELFOSABI_NETBSD, _) => "netbsd",
        (_, Some("/usr/libexec/ld.so")) | (h::ELFOSABI_OPENBSD, _) => "openbsd",
        (_, Some("/usr/lib/ld.so.1" | "/usr/lib/amd64/ld.so.1" | "/lib/amd64/ld.so.1")) | (h::ELFOSABI_SOLARIS, _) => {
            "solaris"
        }
        (_, Some(path)) if Libc::of_loader(path) == Some(Libc::Bionic) => "android",
        _ => "linux",
    }
}

/// The architecture in an ELF head; none for a machine that is not in the table. 32-bit ARM without its variant.
pub(crate) fn elf_architecture(machine: u16, wide: bool, big: bool, flags: u32) -> Option<&'static str> {
    // A 64-bit processor with 32-bit addresses (the "n32" convention).
    const MIPS_ABI2: u32 = 0x20;
    Some(match (machine, wide, big) {
        (h::EM_X86_64, ..) => "amd64",
        (h::EM_386 | EM_486, ..) => "386",
        (h::EM_AARCH64, _, false) => "arm64",
        (h::EM_AARCH64, _, true) => "arm64be",
        (h::EM_ARM, _, false) => "arm",
        (h::EM_ARM, _, true) => "armbe",
        (h::EM_RISCV, true, _) => "riscv64",
        (h::EM_RISCV, false, _) => "riscv",
        (h::EM_PPC64, _, false) => "ppc64le",
        (h::EM_PPC64, _, true) => "ppc64",
        (h::EM_PPC, ..) => "ppc",
        (h::EM_S390 | EM_S390_OLD, true, _) => "s390x",
        (h::EM_S390 | EM_S390_OLD, false, _) => "s390",
        (h::EM_MIPS | EM_MIPS_RS3_LE, _, _) => match (wide || flags & MIPS_ABI2 != 0, big) {
            (true, true) => "mips64",
            (true, false) => "mips64le",
            (false, true) => "mips",
            (false, false) => "mipsle",
        },
        (EM_LOONGARCH, true, _) => "loong64",
        (EM_LOONGARCH, false, _) => "loong32",
        (h::EM_SPARCV9, ..) => "sparc64",
        (h::EM_SPARC | h::EM_SPARC32PLUS, ..) => "sparc",
        (h::EM_IA_64, ..) => "ia64",
        (h::EM_68K, ..) => "m68k",
        (h::EM_SH, ..) => "sh4",
        (h::EM_PARISC, ..) => "hppa",
        (EM_ALPHA, ..) => "alpha",
        (EM_BPF, ..) => "bpf",
        (EM_CUDA, ..) => "cuda",
        (EM_AMDGPU, ..) => "amdgpu",
        (EM_XTENSA, ..) => "xtensa",
        (EM_AVR, ..) => "avr",
        _ => return None,
    })
}

const EM_486: u16 = 6;
const EM_S390_OLD: u16 = 0xa390;
const EM_MIPS_RS3_LE: u16 = 10;
const EM_LOONGARCH: u16 = 258;
const EM_ALPHA: u16 = 0x9026;
const EM_BPF: u16 = 247;
const EM_CUDA: u16 = 190;
const EM_AMDGPU: u16 = 224;
const EM_XTENSA: u16 = 94;
const EM_AVR: u16 = 83;

/// A Mach-O processor type.
pub(crate) fn mach_architecture(cpu: u32, subtype: u32) -> Option<&'static str> {
    Some(match (cpu, subtype & 0x00ff_ffff) {
        (0x0100_0007, _) => "amd64",
        (0x0100_000c, 2) => "arm64e",
        (0x0100_000c, _) => "arm64",
        (0x0200_000c, _) => "arm64_32",
        (0x7, _) => "386",
        (0xc, _) => "arm",
        (0x12, _) => "ppc",
        (0x0100_0012, _) => "ppc64",
        _ => return None,
    })
}

/// Platform of a PE machine number. .NET's ahead-of-time code marks the system by a mask over the machine.
pub(crate) fn pe_platform(machine: u16) -> Option<String> {
    [
        ("windows", 0),
        ("linux", 0x7b79),
        ("darwin", 0x4644),
        ("freebsd", 0xadc4),
        ("netbsd", 0x1993),
        ("solaris", 0x1992),
    ]
    .into_iter()
    .find_map(|(os, mask)| pe_architecture(machine ^ mask).map(|architecture| format!("{os}/{architecture}")))
}

fn pe_architecture(machine: u16) -> Option<&'static str> {
    Some(match machine {
        0x8664 => "amd64",
        0x014c => "386",
        0xaa64 | 0xa641 | 0xa64e => "arm64",
        0x01c0 | 0x01c2 | 0x01c4 => "arm",
        0x0200 => "ia64",
        0x5032 => "riscv",
        0x5064 => "riscv64",
        0x6264 => "loong64",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loader_tells_the_c_library() {
        for (path, expected) in [
            ("/lib64/ld-linux-x86-64.so.2", Some(Libc::Glibc)),
            ("/lib/ld-linux-armhf.so.3", Some(Libc::Glibc)),
            ("/lib64/ld64.so.2", Some(Libc::Glibc)),
            ("/nix/store/abc-glibc-2.40/lib/ld-linux-aarch64.so.1", Some(Libc::Glibc)),
            ("/lib/ld-musl-aarch64.so.1", Some(Libc::Musl)),
            ("/system/bin/linker64", Some(Libc::Bionic)),
            ("/lib/ld-uClibc.so.0", Some(Libc::Uclibc)),
            ("/libexec/ld-elf.so.1", None),
            ("", None),
        ] {
            assert_eq!(Libc::of_loader(path), expected, "{path}");
        }
    }

    #[test]
    fn dot_net_marks_the_system_in_the_machine() {
        for (machine, expected) in [
            (0x8664, Some("windows/amd64")),
            (0xaa64, Some("windows/arm64")),
            (0x8664 ^ 0x7b79, Some("linux/amd64")),
            (0xaa64 ^ 0x7b79, Some("linux/arm64")),
            (0xaa64 ^ 0x4644, Some("darwin/arm64")),
            (0x1234, None),
        ] {
            assert_eq!(pe_platform(machine).as_deref(), expected, "{machine:#x}");
        }
    }
}
