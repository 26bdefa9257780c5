//! Apple's `container`: no Docker engine, one small machine per container. Running an Intel image takes Rosetta always;
//! only the builder has a switch.

use std::path::Path;

use silidock_diagnosis::{
    fact::Fact,
    finding::Confidence,
    runtime::{EmulatorChoice, RuntimeSettings, VmType},
};
use silidock_host::Host;

use super::{
    blank, default_setting,
    document::{Format, Opened, open},
    folder_of, text,
};

const TOOL: &str = "/usr/local/bin/container";
const KEY: [&str; 2] = ["build", "rosetta"];

pub(super) fn read(host: &dyn Host) -> Vec<RuntimeSettings> {
    let config = folder_of(host, "XDG_CONFIG_HOME").or_else(|| Some(host.home()?.join(".config")));
    let Some(path) = config.map(|folder| folder.join("container/config.toml")) else { return Vec::new() };
    let opened = open(host, &path, Format::Toml);
    if matches!(opened, Opened::Missing) && !host.exists(Path::new(TOOL)) {
        return Vec::new();
    }
    let vz = || Fact::Known(default_setting(VmType::Vz, TOOL, None, "Apple's framework", Confidence::Certain));
    let mut run = blank("apple-container", "container", None);
    run.vm_type = vz();
    run.emulator = Fact::Known(default_setting(
        EmulatorChoice::Rosetta,
        TOOL,
        None,
        "Rosetta for Intel images",
        Confidence::Certain,
    ));
    let mut builder = blank("apple-container", "container", Some("builder"));
    builder.vm_type = vz();
    let choose = |on: bool| if on { EmulatorChoice::Rosetta } else { EmulatorChoice::Qemu };
    let set = match opened {
        Opened::Missing => Ok(None),
        Opened::Here(document) => document.switch(&KEY),
        Opened::Unreadable(gap) => Err(gap),
    };
    builder.emulator = match set {
        Ok(Some(set)) => Fact::Known(set.map(choose)),
        // Before 1.0 the switch lay elsewhere, so what is not in the file may still be set.
        Ok(None) => Fact::Known(default_setting(
            EmulatorChoice::Rosetta,
            &text(&path),
            Some(&KEY.join(".")),
            "true",
            Confidence::Likely,
        )),
        Err(gap) => {
            builder.gaps.push(gap.clone());
            gap.into()
        }
    };
    vec![run, builder]
}
