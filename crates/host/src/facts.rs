//! Which machine this is. What that means for an engine is not decided here: it may be a remote one.

use serde::{Deserialize, Serialize};

use crate::Host;
use crate::os::{self, OsFamily};

/// The machine, as far as it could be told. `None` means "could not find out", never "no".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostFacts {
    /// The operating system family.
    pub os: OsFamily,
    /// Its version as users know it.
    pub os_version: Option<String>,
    /// The machine's own architecture in the system's words (`arm64`, `x86_64`), also when this program is translated.
    pub arch: Option<String>,
    /// Whether the processor is Apple's; asked on macOS only.
    pub apple_silicon: Option<bool>,
    /// Whether this very program runs translated by Rosetta; asked on macOS only.
    pub translated: Option<bool>,
    /// The processor's name.
    pub cpu_brand: Option<String>,
    /// Logical processor cores.
    pub logical_cores: Option<usize>,
    /// Memory in bytes.
    pub memory: Option<u64>,
}

/// What the operating system tells about the hardware without `sysctl`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hardware {
    /// As `uname -m` prints it; this process's view, so translated under Rosetta.
    pub arch: Option<String>,
    /// The processor's name.
    pub cpu_brand: Option<String>,
    /// Logical processor cores.
    pub logical_cores: Option<usize>,
    /// Memory in bytes.
    pub memory: Option<u64>,
}

/// How busy a machine is. `None` means "could not find out".
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Load {
    /// Programs that ran or waited, over the last minute.
    pub load: Option<f64>,
    /// Memory in bytes.
    pub memory: Option<u64>,
    /// Of that, what programs can still have.
    pub available: Option<u64>,
}

pub(crate) fn gather<H: Host + ?Sized>(host: &H, hardware: Hardware) -> HostFacts {
    let os = os::family(host);
    let mut facts = HostFacts {
        os,
        os_version: os::version(host),
        arch: hardware.arch,
        apple_silicon: None,
        translated: None,
        cpu_brand: hardware.cpu_brand,
        logical_cores: hardware.logical_cores,
        memory: hardware.memory,
    };
    if os != OsFamily::MacOs {
        return facts;
    }
    // An Intel Mac has neither key, so a missing one means no - but only where sysctl answers at all.
    let flag = |key| host.sysctl(key).map(|value| value == "1");
    let answers = host.sysctl("kern.ostype").is_some();
    facts.apple_silicon = flag("hw.optional.arm64").or(answers.then_some(false));
    facts.translated = flag("sysctl.proc_translated").or(answers.then_some(false));
    if facts.apple_silicon == Some(true) {
        facts.arch = Some("arm64".to_owned());
    } else if let Some(machine) = host.sysctl("hw.machine") {
        facts.arch = Some(machine);
    }
    facts.cpu_brand = host.sysctl("machdep.cpu.brand_string").or(facts.cpu_brand);
    facts.logical_cores = number(host, "hw.logicalcpu").or(facts.logical_cores);
    facts.memory = number(host, "hw.memsize").or(facts.memory);
    facts
}

fn number<H: Host + ?Sized, N: std::str::FromStr>(host: &H, key: &str) -> Option<N> {
    host.sysctl(key)?.parse().ok()
}
