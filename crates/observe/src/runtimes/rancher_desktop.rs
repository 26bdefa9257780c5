//! Rancher Desktop's settings under their newer and older keys, what a deployment profile fixed, and what its machine
//! was last started with.

use std::path::{Path, PathBuf};

use silidock_diagnosis::{
    fact::{Fact, Gap},
    finding::Confidence,
    runtime::{EmulatorChoice, RuntimeSettings, Setting, SettingLock, VmType},
};
use silidock_host::Host;

use super::{
    Mac, app_version, blank, default_setting,
    document::{Document, Format, Opened, open},
    lima, text, vm_type, wrong_kind,
};

const APP: &str = "/Applications/Rancher Desktop.app";
/// Before version 14 of the file (Rancher Desktop 1.19) the keys stood below `experimental`.
const NEWER: &[&str] = &["virtualMachine"];
const OLDER: &[&str] = &["experimental", "virtualMachine"];
const PROFILE: &str = "io.rancherdesktop.profile.locked.plist";

pub(super) fn read(host: &dyn Host, mac: &Mac) -> Vec<RuntimeSettings> {
    let Some(home) = host.home() else { return Vec::new() };
    let path = home.join("Library/Preferences/rancher-desktop/settings.json");
    let opened = open(host, &path, Format::Json);
    if matches!(opened, Opened::Missing) && !host.exists(Path::new(APP)) && !host.exists(&home.join(".rd")) {
        return Vec::new();
    }
    let mut found = blank("rancher-desktop", "Rancher Desktop", None);
    found.version = app_version(host, APP);
    found.host_name = Some("lima-rancher-desktop".to_owned());
    found.sockets = vec![text(&home.join(".rd/docker.sock"))];
    match opened {
        Opened::Here(document) => decode(&document, mac, &mut found),
        Opened::Missing => {
            found.gaps.push(Gap::new("Rancher Desktop's settings", format!("{} is not there", path.display())));
        }
        Opened::Unreadable(gap) => {
            found.vm_type = gap.clone().into();
            found.emulator = gap.clone().into();
            found.gaps.push(gap);
        }
    }
    let machine = home.join("Library/Application Support/rancher-desktop/lima/0/lima.yaml");
    found.started_with = lima::started_with(host, &machine);
    locks(host, &home, &mut found);
    vec![found]
}

/// The newer key where it is set, else the older one.
fn either<T>(read: impl Fn(&[&str]) -> Result<Option<Setting<T>>, Gap>, last: &str) -> Result<Option<Setting<T>>, Gap> {
    let newer = read(&[NEWER, &[last]].concat())?;
    match newer {
        Some(found) => Ok(Some(found)),
        None => read(&[OLDER, &[last]].concat()),
    }
}

fn decode(document: &Document, mac: &Mac, found: &mut RuntimeSettings) {
    let older = document.has(OLDER) && !document.has(NEWER);
    found.vm_type = match either(|key| document.text(key), "type") {
        Ok(Some(word)) => Fact::Known(word.map(|word| vm_type(&word))),
        Ok(None) => {
            let key = if older { "experimental.virtualMachine.type" } else { "virtualMachine.type" };
            let (kind, word) = match !older && mac.since(14) == Some(true) {
                true => (VmType::Vz, "vz"),
                false => (VmType::Qemu, "qemu"),
            };
            Fact::Known(default_setting(kind, document.path(), Some(key), word, Confidence::Likely))
        }
        Err(gap) => gap.into(),
    };
    found.obstacles.extend(found.vm_type.known().and_then(wrong_kind));
    let choose = |on: bool| if on { EmulatorChoice::Rosetta } else { EmulatorChoice::Qemu };
    found.emulator = match either(|key| document.switch(key), "useRosetta") {
        Ok(Some(set)) => Fact::Known(set.map(choose)),
        Ok(None) => {
            let key = if older { "experimental.virtualMachine.useRosetta" } else { "virtualMachine.useRosetta" };
            Fact::Known(default_setting(EmulatorChoice::Qemu, document.path(), Some(key), "false", Confidence::Certain))
        }
        Err(gap) => {
            found.gaps.push(gap.clone());
            gap.into()
        }
    };
}

/// Deployment profiles, in the folders of macOS for them.
fn locks(host: &dyn Host, home: &Path, found: &mut RuntimeSettings) {
    let folders = [
        PathBuf::from("/Library/Managed Preferences"),
        PathBuf::from("/Library/Preferences"),
        home.join("Library/Preferences"),
    ];
    for path in folders.map(|folder| folder.join(PROFILE)) {
        let document = match open(host, &path, Format::Plist) {
            Opened::Missing => continue,
            Opened::Unreadable(gap) => {
                found.gaps.push(gap);
                continue;
            }
            Opened::Here(document) => document,
        };
        let choose = |on: bool| if on { EmulatorChoice::Rosetta } else { EmulatorChoice::Qemu };
        match either(|key| document.switch(key), "useRosetta") {
            Ok(Some(fixed)) => {
                let key = fixed.key.clone().unwrap_or_default();
                let fixed = fixed.map(choose);
                found.locks.push(SettingLock { place: text(&path), key, value: Some(fixed.value) });
                found.emulator = Fact::Known(fixed);
                return;
            }
            Ok(None) => {}
            Err(gap) => found.gaps.push(gap),
        }
    }
}
