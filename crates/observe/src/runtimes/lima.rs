//! Lima's instances, and the keys of a `lima.yaml`, which Colima, Rancher Desktop and Finch write as well.

use std::path::Path;

use silidock_diagnosis::{
    fact::{Fact, Gap},
    finding::Confidence,
    runtime::{EmulatorChoice, ObstacleKind, RuntimeSettings, Setting, VmType},
};
use silidock_host::Host;

use super::{
    Mac, architecture, blank, default_setting,
    document::{Document, Format, Opened, open},
    folder_of, instances, obstacle, text, vm_type, wrong_architecture, wrong_kind,
};

/// Since Lima 2.0, and before it. Where both are set, the newer one counts.
const NEWER: [&str; 4] = ["vmOpts", "vz", "rosetta", "enabled"];
const OLDER: [&str; 2] = ["rosetta", "enabled"];

pub(super) fn read(host: &dyn Host, mac: &Mac) -> Vec<RuntimeSettings> {
    let Some(folder) = folder_of(host, "LIMA_HOME").or_else(|| Some(host.home()?.join(".lima"))) else {
        return Vec::new();
    };
    let names = match instances(host, &folder, "Lima") {
        Ok(names) => names,
        Err(gap) => {
            let mut found = blank("lima", "Lima", None);
            found.gaps.push(gap);
            return vec![found];
        }
    };
    names.into_iter().filter_map(|name| instance(host, mac, &folder.join(&name), &name)).collect()
}

/// None for a folder that holds no instance.
fn instance(host: &dyn Host, mac: &Mac, folder: &Path, name: &str) -> Option<RuntimeSettings> {
    let mut found = blank("lima", "Lima", Some(name));
    found.sockets = vec![text(&folder.join("sock/docker.sock"))];
    found.host_name = Some(format!("lima-{name}"));
    match open(host, &folder.join("lima.yaml"), Format::Yaml) {
        Opened::Here(document) => decode(&document, mac, &mut found),
        Opened::Unreadable(gap) => {
            found.vm_type = gap.clone().into();
            found.emulator = gap.clone().into();
            found.gaps.push(gap);
        }
        Opened::Missing => return None,
    }
    Some(found)
}

fn decode(document: &Document, mac: &Mac, found: &mut RuntimeSettings) {
    found.vm_type = match document.text(&["vmType"]) {
        Ok(Some(word)) => Fact::Known(word.map(|word| vm_type(&word))),
        // vz is the default of Lima 1.0 and later on macOS 13.5 and later; of which version this is, nothing is written.
        Ok(None) => Fact::Known(default_setting(VmType::Vz, document.path(), Some("vmType"), "vz", Confidence::Likely)),
        Err(gap) => gap.into(),
    };
    found.obstacles.extend(found.vm_type.known().and_then(wrong_kind));
    match document.text(&["arch"]) {
        Ok(arch) => found.vm_arch = arch.map(|arch| arch.map(architecture)),
        Err(gap) => found.gaps.push(gap),
    }
    found.obstacles.extend(found.vm_arch.as_ref().and_then(|arch| wrong_architecture(arch, mac)));
    match document.switch(&["plain"]) {
        Ok(Some(plain)) if plain.value => {
            let text = "In plain mode Lima leaves Rosetta out, whatever is set";
            found.obstacles.push(obstacle(ObstacleKind::Mode, text, plain.evidence()));
        }
        Ok(_) => {}
        Err(gap) => found.gaps.push(gap),
    }
    // What runs Intel programs without Rosetta is no setting of Lima's: somebody may have registered QEMU in it.
    found.emulator = rosetta(document, EmulatorChoice::None);
    found.gaps.extend(found.emulator.gap().cloned());
}

/// What a `lima.yaml` says of Rosetta; `off` is what runs otherwise.
pub(super) fn rosetta(document: &Document, off: EmulatorChoice) -> Fact<Setting<EmulatorChoice>> {
    let choose = |on: bool| if on { EmulatorChoice::Rosetta } else { off };
    let set: Result<Option<Setting<bool>>, Gap> = match document.switch(&NEWER) {
        Ok(None) => document.switch(&OLDER),
        found => found,
    };
    match set {
        Ok(Some(set)) => Fact::Known(set.map(choose)),
        Ok(None) => {
            Fact::Known(default_setting(off, document.path(), Some(&NEWER.join(".")), "false", Confidence::Certain))
        }
        Err(gap) => gap.into(),
    }
}

/// What a runtime built on Lima last started its machine with; none where it never did.
pub(super) fn started_with(host: &dyn Host, path: &Path) -> Option<Fact<Setting<EmulatorChoice>>> {
    match open(host, path, Format::Yaml) {
        Opened::Missing => None,
        Opened::Here(document) => Some(rosetta(&document, EmulatorChoice::Qemu)),
        Opened::Unreadable(gap) => Some(gap.into()),
    }
}
