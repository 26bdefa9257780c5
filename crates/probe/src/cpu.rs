//! The processor, asked with the instructions of the architecture this is built for.

use silidock_probe::Cpu;

use crate::proc::Auxiliary;

#[cfg(target_arch = "x86_64")]
pub fn cpu(_: &Auxiliary) -> Cpu {
    Cpu::X86(x86::ask())
}

#[cfg(target_arch = "aarch64")]
pub fn cpu(auxiliary: &Auxiliary) -> Cpu {
    Cpu::Arm(arm::ask(auxiliary))
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn cpu(_: &Auxiliary) -> Cpu {
    Cpu::Other
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::is_x86_feature_detected as has;
    use std::arch::x86_64::__cpuid;

    use silidock_probe::X86;

    const EXTENDED: u32 = 0x8000_0000;
    const BRAND: std::ops::RangeInclusive<u32> = 0x8000_0002..=0x8000_0004;
    const HYPERVISOR: u32 = 0x4000_0000;
    const HYPERVISOR_BIT: u32 = 1 << 31;

    pub fn ask() -> X86 {
        let basic = __cpuid(0);
        let brand = (__cpuid(EXTENDED).eax >= *BRAND.end()).then(|| {
            let words = BRAND.flat_map(|leaf| {
                let part = __cpuid(leaf);
                [part.eax, part.ebx, part.ecx, part.edx]
            });
            text(words)
        });
        let behind_hypervisor = basic.eax >= 1 && __cpuid(1).ecx & HYPERVISOR_BIT != 0;
        let hypervisor = behind_hypervisor.then(|| {
            let leaf = __cpuid(HYPERVISOR);
            text([leaf.ebx, leaf.ecx, leaf.edx])
        });
        let (level, features) = features();
        X86 { vendor: text([basic.ebx, basic.edx, basic.ecx]), brand, hypervisor, level, features }
    }

    /// The letters in these registers.
    fn text(words: impl IntoIterator<Item = u32>) -> String {
        let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).take_while(|byte| *byte != 0).collect();
        let text: String =
            bytes.iter().map(|byte| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '?' }).collect();
        text.trim().to_owned()
    }

    /// The features by level, as the x86-64 psABI draws them, and some that belong to none.
    fn features() -> (u8, Vec<String>) {
        let levels: [&[(&str, bool)]; 3] = [
            &[
                ("cx16", has!("cmpxchg16b")),
                ("popcnt", has!("popcnt")),
                ("pni", has!("sse3")),
                ("ssse3", has!("ssse3")),
                ("sse4_1", has!("sse4.1")),
                ("sse4_2", has!("sse4.2")),
            ],
            &[
                ("avx", has!("avx")),
                ("avx2", has!("avx2")),
                ("bmi1", has!("bmi1")),
                ("bmi2", has!("bmi2")),
                ("f16c", has!("f16c")),
                ("fma", has!("fma")),
                ("abm", has!("lzcnt")),
                ("movbe", has!("movbe")),
            ],
            &[
                ("avx512f", has!("avx512f")),
                ("avx512bw", has!("avx512bw")),
                ("avx512cd", has!("avx512cd")),
                ("avx512dq", has!("avx512dq")),
                ("avx512vl", has!("avx512vl")),
            ],
        ];
        let other = [
            ("adx", has!("adx")),
            ("aes", has!("aes")),
            ("pclmulqdq", has!("pclmulqdq")),
            ("rdrand", has!("rdrand")),
            ("rdseed", has!("rdseed")),
            ("sha_ni", has!("sha")),
            ("sse4a", has!("sse4a")),
        ];
        let complete = levels.iter().take_while(|level| level.iter().all(|(_, there)| *there)).count();
        let all = levels.into_iter().flatten().chain(&other);
        let names = all.filter(|(_, there)| *there).map(|(name, _)| (*name).to_owned()).collect();
        (u8::try_from(complete + 1).unwrap_or(u8::MAX), names)
    }
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::is_aarch64_feature_detected as has;

    use silidock_probe::Arm;

    use super::Auxiliary;

    /// The kernel lets programs read the identification registers (`HWCAP_CPUID`).
    const READABLE: u64 = 1 << 11;

    pub fn ask(auxiliary: &Auxiliary) -> Arm {
        let readable = auxiliary.hwcap.is_some_and(|bits| bits & READABLE != 0);
        let features = [
            ("aes", has!("aes")),
            ("asimd", has!("asimd")),
            ("bf16", has!("bf16")),
            ("crc", has!("crc")),
            ("dotprod", has!("dotprod")),
            ("fp16", has!("fp16")),
            ("i8mm", has!("i8mm")),
            ("lse", has!("lse")),
            ("paca", has!("paca")),
            ("sha2", has!("sha2")),
            ("sve", has!("sve")),
        ];
        Arm {
            midr: readable.then(midr),
            hwcap: auxiliary.hwcap,
            hwcap2: auxiliary.hwcap2,
            features: features.iter().filter(|(_, there)| *there).map(|(name, _)| (*name).to_owned()).collect(),
        }
    }

    /// The main identification register.
    #[allow(unsafe_code)]
    fn midr() -> u64 {
        let value: u64;
        // SAFETY: the register is only read, into one named operand, and nothing else is touched. A program may not
        // read it by itself; the kernel answers in its place where HWCAP_CPUID is set, which the caller has checked.
        unsafe { std::arch::asm!("mrs {}, midr_el1", out(reg) value, options(nomem, nostack, preserves_flags)) };
        value
    }
}
