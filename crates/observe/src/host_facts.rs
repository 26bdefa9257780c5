//! The machine's facts in the inventory's words.

use silidock_diagnosis::{fact::Fact, inventory::HostFacts};
use silidock_host::{Host, OsFamily};

/// Facts of the machine this program runs on. They judge only an engine of this machine.
pub fn host_facts(host: &dyn Host) -> HostFacts {
    let facts = host.facts();
    let mac_only = |value: Option<bool>, what: &str| match (value, facts.os) {
        (Some(value), _) => Fact::Known(value),
        (None, OsFamily::MacOs) => Fact::unknown(what, "sysctl did not answer"),
        (None, _) => Fact::Known(false),
    };
    HostFacts {
        os: match facts.os {
            OsFamily::MacOs => "macos",
            OsFamily::Linux => "linux",
            OsFamily::Other => "other",
        }
        .to_owned(),
        apple_silicon: mac_only(facts.apple_silicon, "whether this is an Apple processor"),
        translated: mac_only(facts.translated, "whether Silidock itself runs translated"),
        os_version: facts.os_version,
        arch: facts.arch.unwrap_or_else(|| "unknown".to_owned()),
        cpu: facts.cpu_brand,
        cores: facts.logical_cores.and_then(|n| u32::try_from(n).ok()),
        memory: facts.memory,
    }
}
