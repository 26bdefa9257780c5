//! The answer of `silidock-probe identify`, as it goes over the wire. A value that could not be had is absent.

use serde::{Deserialize, Serialize};

/// The first key of every answer.
pub const SCHEMA: &str = "silidock-probe/1";

/// What the probe found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// [`SCHEMA`]; another one is another program's answer.
    pub schema: String,
    /// The architecture the probe is built for: `amd64`, `arm64`.
    pub built_for: String,
    /// Kernel release.
    pub kernel: Option<String>,
    /// Size of a memory page in bytes.
    pub page_size: Option<u64>,
    /// The processor as the probe's own instructions see it.
    pub cpu: Cpu,
    /// Telling lines of `/proc/cpuinfo`, the first of each kind: `model name: VirtualApple @ 2.50GHz`.
    pub cpuinfo: Vec<String>,
    /// The probe's own process.
    pub own: Own,
    /// How a program of each known platform fares when started as a child; empty when not asked for.
    pub stubs: Vec<Stub>,
}

/// A processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Cpu {
    /// An x86 one, asked by CPUID.
    X86(X86),
    /// An ARM one, asked by its identification register and the kernel's capability bits.
    Arm(Arm),
    /// Another one, which cannot be asked.
    Other,
}

/// What CPUID says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct X86 {
    /// Vendor: `GenuineIntel`, `AuthenticAMD`, `VirtualApple`.
    pub vendor: String,
    /// Brand: `QEMU TCG CPU version 2.5+`, `VirtualApple @ 2.50GHz`.
    pub brand: Option<String>,
    /// Vendor of the hypervisor leaf: `KVMKVMKVM`, `TCGTCGTCGTCG`; absent without hypervisor.
    pub hypervisor: Option<String>,
    /// The x86-64 level, 1 to 4.
    pub level: u8,
    /// Features that the processor has and the kernel allows, in Linux's words: `avx2`, `bmi1`, `sse4_2`.
    pub features: Vec<String>,
}

/// What an ARM processor says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Arm {
    /// The main identification register; absent where the kernel does not let programs read it.
    pub midr: Option<u64>,
    /// Capability bits of the auxiliary vector.
    pub hwcap: Option<u64>,
    /// The second word of them.
    pub hwcap2: Option<u64>,
    /// Features by name: `lse`, `sve`, `aes`.
    pub features: Vec<String>,
}

impl Arm {
    /// Implementer (`0x61` is Apple, 0 is reserved for software) and part number of the identification register.
    #[must_use]
    pub fn implementer_and_part(&self) -> Option<(u8, u16)> {
        let midr = self.midr?;
        Some((u8::try_from((midr >> 24) & 0xff).ok()?, u16::try_from((midr >> 4) & 0xfff).ok()?))
    }
}

/// The probe's own process.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Own {
    /// Where `/proc/self/exe` leads, which an emulator answers with the program it runs.
    pub claimed: Option<String>,
    /// The same asked for by a name that emulators leave to the kernel.
    pub exe: Option<Exe>,
}

/// The program that a process really runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exe {
    /// Where its link leads.
    pub link: String,
    /// Its length in bytes; absent where it may not be opened.
    pub length: Option<u64>,
    /// Emulators' marks in its bytes.
    pub marks: Vec<Mark>,
}

/// Bytes by which an emulator can be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// The emulator: `qemu`.
    pub emulator: String,
    /// The text found: `qemu-aarch64 version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)`.
    pub text: String,
}

/// How a program of one platform fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stub {
    /// The platform: `linux/arm/v7`.
    pub platform: String,
    /// What was seen.
    pub seen: Seen,
}

/// What was seen of a started program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "how")]
pub enum Seen {
    /// The kernel ran it itself.
    Native {
        /// How it ended.
        ended: Ended,
    },
    /// The kernel started another program for it.
    #[serde(rename_all = "camelCase")]
    Interpreted {
        /// That program.
        exe: Exe,
        /// How it ended.
        ended: Ended,
        /// The first of what it complained about; mostly empty.
        complaint: String,
    },
    /// The kernel would not start it.
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// It could not be tried, or nothing could be seen of it.
    Unknown {
        /// Why.
        why: String,
    },
}

/// Why the kernel would not start a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "reason")]
pub enum Refusal {
    /// `ENOEXEC`, "exec format error": nobody is registered for this kind of program.
    NoHandler,
    /// `ENOENT` although the program is there: what is registered for it is not.
    HandlerMissing,
    /// Something else.
    Errno {
        /// The system's number.
        number: i32,
    },
}

/// How a started program ended. It is to read to the end of its input and then end with [`crate::STUB_STATUS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "end")]
pub enum Ended {
    /// As it should.
    Well,
    /// With another exit status.
    Status {
        /// The status.
        status: i32,
    },
    /// By a signal.
    Signal {
        /// Its number.
        signal: i32,
    },
    /// Not within the time limit; it was killed.
    Never,
}
