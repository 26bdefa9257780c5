//! Emulation facts for the catalogue's examples, beside the inventories of [`crate::example`].

use crate::{
    crash::{ContainerCrash, RanUnder, explain},
    example::{container, foreign_to, inventory, platform},
    fact::Fact,
    finding::{Confidence, Evidence},
    inventory::{Inventory, Listing},
    platform::Platform,
    runtime::{
        EmulatorChoice, Obstacle, ObstacleKind, ProvenEmulator, ProvenSign, RosettaOnHost, RuntimeSettings, Setting,
        VmType,
    },
};

/// Healthy settings of a runtime with Rosetta on.
pub fn settings(runtime: &str, instance: Option<&str>) -> RuntimeSettings {
    RuntimeSettings {
        runtime: runtime.to_owned(),
        name: runtime.to_owned(),
        instance: instance.map(str::to_owned),
        version: None,
        sockets: Vec::new(),
        host_name: None,
        vm_type: Fact::Known(setting(VmType::Vz)),
        vm_arch: None,
        emulator: Fact::Known(setting(EmulatorChoice::Rosetta)),
        started_with: None,
        locks: Vec::new(),
        obstacles: Vec::new(),
        gaps: Vec::new(),
    }
}

/// A value as if read from a file.
pub fn setting<T>(value: T) -> Setting<T> {
    Setting {
        value,
        place: "/Users/sam/settings-store.json".to_owned(),
        key: Some("UseVirtualizationFrameworkRosetta".to_owned()),
        line: Some(12),
        default: false,
        written: "true".to_owned(),
        confidence: Confidence::Certain,
    }
}

/// An obstacle of a kind.
pub fn obstacle(kind: ObstacleKind) -> Obstacle {
    Obstacle {
        kind,
        text: "Docker VMM has no Rosetta".to_owned(),
        evidence: Evidence::new("/Users/sam/settings-store.json:9", "UseLibkrun: true"),
        confidence: Confidence::Certain,
    }
}

/// What the probe found for one platform, all signs agreeing.
pub fn proven(text: &str, emulator: &str) -> Option<ProvenEmulator> {
    let Fact::Known(platform): Fact<Platform> = platform(text) else { return None };
    let seen = match emulator {
        "qemu" => "the processor calls itself QEMU TCG CPU",
        "rosetta" => "the processor calls itself VirtualApple",
        "none" => "exec format error",
        other => other,
    };
    Some(ProvenEmulator {
        platform,
        emulator: emulator.to_owned(),
        version: None,
        evidence: vec![Evidence::new("probe", seen)],
        signs: vec![sign("cpu", emulator)],
        features: Fact::Known(["sse4_2", "avx", "avx2"].map(str::to_owned).to_vec()),
    })
}

/// One sign.
pub fn sign(sign: &str, emulator: &str) -> ProvenSign {
    ProvenSign {
        sign: sign.to_owned(),
        emulator: emulator.to_owned(),
        evidence: Evidence::new(sign, format!("it says {emulator}")),
    }
}

/// A Mac on which linux/amd64 was proven to run under `emulator` while its settings say `choice`, with one Intel
/// container that asks for it.
pub fn mac(choice: EmulatorChoice, emulator: &str) -> Inventory {
    let mut seen = inventory("arm64");
    let mut settings = settings("docker-desktop", None);
    let mut set = setting(choice);
    set.written = (choice == EmulatorChoice::Rosetta).to_string();
    settings.emulator = Fact::Known(set);
    seen.emulation.runtimes = Fact::Known(vec![settings]);
    seen.emulation.effective = Fact::Known(proven("linux/amd64", emulator).into_iter().collect());
    seen.emulation.rosetta = Fact::Known(RosettaOnHost {
        present: true,
        integrated: true,
        version: Some("367.9".to_owned()),
        evidence: Evidence::new("macOS", "27.1 has it built in"),
    });
    let processes: &[&str] = match emulator {
        "qemu" => &["/usr/bin/qemu-x86_64 /bin/db"],
        "rosetta" => &["/run/rosetta/rosetta /bin/db"],
        _ => &["/bin/db"],
    };
    seen.containers = Listing::of(vec![container("db").platform("linux/amd64").processes(processes).build()]);
    seen
}

/// An inventory with one stopped foreign container, its status, and its log if it was read.
pub fn stopped(arch: &str, status: &str, log: Option<&str>, emulator: &str) -> Inventory {
    let mut seen = inventory(arch);
    let foreign = foreign_to(arch);
    let mut made = container("db").platform(foreign).stopped().build();
    status.clone_into(&mut made.status);
    seen.emulation.effective = Fact::Known(proven(foreign, emulator).into_iter().collect());
    let code = crate::emulation::exit_code(status);
    let read = |text: &str| ContainerCrash {
        container: "db".to_owned(),
        exit_code: code,
        matches: explain(text.lines(), RanUnder::Emulator(emulator), code),
    };
    seen.emulation.crashes = log.map(read).into_iter().collect();
    seen.containers = Listing::of(vec![made]);
    seen
}
