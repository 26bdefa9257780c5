//! Finch's settings, which count only for a machine that is made anew, and what its machine was made with.

use std::path::Path;

use silidock_diagnosis::{
    fact::Fact,
    finding::Confidence,
    runtime::{EmulatorChoice, RuntimeSettings, Setting, VmType},
};
use silidock_host::Host;

use super::{
    blank, default_setting,
    document::{Document, Format, Opened, open},
    lima, text, vm_type, wrong_kind,
};

const MACHINE: &str = "/Applications/Finch/lima/data/finch";

pub(super) fn read(host: &dyn Host) -> Vec<RuntimeSettings> {
    let Some(home) = host.home() else { return Vec::new() };
    let path = home.join(".finch/finch.yaml");
    let opened = open(host, &path, Format::Yaml);
    if matches!(opened, Opened::Missing) && !host.exists(Path::new("/Applications/Finch")) {
        return Vec::new();
    }
    let mut found = blank("finch", "Finch", None);
    found.sockets = vec![text(&Path::new(MACHINE).join("sock/finch.sock"))];
    match opened {
        Opened::Here(document) => decode(&document, &mut found),
        Opened::Missing => {
            found.emulator = Fact::Known(off(&text(&path)));
            found.vm_type = Fact::Known(vz(&text(&path)));
        }
        Opened::Unreadable(gap) => {
            found.vm_type = gap.clone().into();
            found.emulator = gap.clone().into();
            found.gaps.push(gap);
        }
    }
    found.started_with = lima::started_with(host, &Path::new(MACHINE).join("lima.yaml"));
    vec![found]
}

fn off(path: &str) -> Setting<EmulatorChoice> {
    default_setting(EmulatorChoice::Qemu, path, Some("rosetta"), "false", Confidence::Certain)
}

/// The default since Finch 1.2.
fn vz(path: &str) -> Setting<VmType> {
    default_setting(VmType::Vz, path, Some("vmType"), "vz", Confidence::Certain)
}

fn decode(document: &Document, found: &mut RuntimeSettings) {
    let choose = |on: bool| if on { EmulatorChoice::Rosetta } else { EmulatorChoice::Qemu };
    found.emulator = match document.switch(&["rosetta"]) {
        Ok(Some(set)) => Fact::Known(set.map(choose)),
        Ok(None) => Fact::Known(off(document.path())),
        Err(gap) => {
            found.gaps.push(gap.clone());
            gap.into()
        }
    };
    let forced = found.emulator.known().filter(|e| e.value == EmulatorChoice::Rosetta);
    found.vm_type = match (document.text(&["vmType"]), forced) {
        // With Rosetta on, Finch takes vz whatever is written.
        (_, Some(rosetta)) => Fact::Known(rosetta.clone().map(|_| VmType::Vz)),
        (Ok(Some(word)), None) => Fact::Known(word.map(|word| vm_type(&word))),
        (Ok(None), None) => Fact::Known(vz(document.path())),
        (Err(gap), None) => gap.into(),
    };
    found.obstacles.extend(found.vm_type.known().and_then(wrong_kind));
}
