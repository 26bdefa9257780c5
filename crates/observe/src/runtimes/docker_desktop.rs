//! Docker Desktop's settings, which it keeps among files that macOS 15 and later guard, and what an administrator fixed.
//!
//! Only settings that differ from the default are written, and the documentation contradicts itself about the default of
//! Rosetta. So an absent key is unknown here, never off.

use std::path::Path;

use silidock_diagnosis::{
    fact::{Fact, Gap},
    finding::Confidence,
    runtime::{EmulatorChoice, RuntimeSettings, Setting, SettingLock, VmType, version_numbers},
};
use silidock_host::Host;

use super::{
    GuardedFiles, Mac, app_version, blank,
    document::{Document, Format, Opened, open},
    text, wrong_kind,
};

const APP: &str = "/Applications/Docker.app";
const FOLDER: &str = "Library/Group Containers/group.com.docker";
const ADMIN: &str = "/Library/Application Support/com.docker.docker/admin-settings.json";
const ADMIN_KEY: &str = "useVirtualizationFrameworkRosetta";
/// From here on there is no QEMU machine, and one without Apple's framework is Docker VMM.
const NO_QEMU_SINCE: [u32; 2] = [4, 44];

/// The keys, as the newer and the older file spell them.
struct Keys {
    framework: &'static str,
    rosetta: &'static str,
    libkrun: &'static str,
}
const NEWER: Keys = Keys {
    framework: "UseVirtualizationFramework",
    rosetta: "UseVirtualizationFrameworkRosetta",
    libkrun: "UseLibkrun",
};
const OLDER: Keys = Keys {
    framework: "useVirtualizationFramework",
    rosetta: "useVirtualizationFrameworkRosetta",
    libkrun: "useLibkrun",
};

pub(super) fn read(host: &dyn Host, mac: &Mac, guarded: GuardedFiles) -> Vec<RuntimeSettings> {
    let Some(home) = host.home() else { return Vec::new() };
    let run = home.join(".docker/run");
    // The guarded folder itself is not asked for: already that may bring up the question.
    if ![Path::new(APP), &home.join(&APP[1..]), &run].iter().any(|trace| host.exists(trace)) {
        return Vec::new();
    }
    let mut found = blank("docker-desktop", "Docker Desktop", None);
    found.version = app_version(host, APP);
    found.host_name = Some("docker-desktop".to_owned());
    found.sockets = vec![
        text(&run.join("docker.sock")),
        text(&home.join("Library/Containers/com.docker.docker/Data/docker-cli.sock")),
    ];
    let unguarded = mac.since(15) == Some(false);
    if guarded == GuardedFiles::Read || unguarded {
        read_user_settings(host, &home.join(FOLDER), unguarded, &mut found);
    } else {
        let why = "macOS guards the files of other apps, so they are read only when you say so: silidock emulator \
                   --read-guarded";
        say_everywhere(&mut found, &Gap::new("Docker Desktop's settings", why));
    }
    read_admin_settings(host, &mut found);
    vec![found]
}

/// Nothing can be said of anything.
fn say_everywhere(found: &mut RuntimeSettings, gap: &Gap) {
    found.vm_type = gap.clone().into();
    found.emulator = gap.clone().into();
    found.gaps.push(gap.clone());
}

fn read_user_settings(host: &dyn Host, folder: &Path, unguarded: bool, found: &mut RuntimeSettings) {
    for (name, keys) in [("settings-store.json", NEWER), ("settings.json", OLDER)] {
        match open(host, &folder.join(name), Format::Json) {
            Opened::Missing => {}
            Opened::Here(document) => return decode(&document, &keys, found),
            Opened::Unreadable(mut gap) => {
                if !unguarded && gap.why.contains("permission") {
                    gap.why.push_str("; macOS refuses it until you allow it under System Settings, Privacy & Security, Full Disk Access");
                }
                return say_everywhere(found, &gap);
            }
        }
    }
    say_everywhere(found, &Gap::new("Docker Desktop's settings", format!("there are none in {}", folder.display())));
}

fn decode(document: &Document, keys: &Keys, found: &mut RuntimeSettings) {
    let mut switch = |key| match document.switch(&[key]) {
        Ok(value) => value,
        Err(gap) => {
            found.gaps.push(gap);
            None
        }
    };
    let (libkrun, framework, rosetta) = (switch(keys.libkrun), switch(keys.framework), switch(keys.rosetta));
    let unreadable = found.gaps.first().cloned();
    found.vm_type = match (libkrun, framework) {
        (Some(on), _) if on.value => Fact::Known(on.map(|_| VmType::DockerVmm)),
        (_, Some(off)) if !off.value => without_framework(off, found.version.as_deref(), document),
        (_, Some(on)) => Fact::Known(on.map(|_| VmType::Vz)),
        (_, None) => unreadable.clone().map_or_else(
            || {
                Fact::unknown(
                    "the kind of machine of Docker Desktop",
                    format!("{} is not in {}, and the default depends on its version", keys.framework, document.path()),
                )
            },
            Fact::from,
        ),
    };
    found.obstacles.extend(found.vm_type.known().and_then(wrong_kind));
    found.emulator = match (rosetta, found.vm_type.known()) {
        (Some(set), _) => Fact::Known(set.map(choice)),
        // Docker says that its own machine has no Rosetta, so there is nothing to be unsure of.
        (None, Some(vm)) if vm.value == VmType::DockerVmm => Fact::Known(vm.clone().map(|_| EmulatorChoice::Qemu)),
        (None, _) => unreadable.map_or_else(
            || {
                Fact::unknown(
                    "the emulator set in Docker Desktop",
                    format!(
                        "{} is not in {}, so the default counts: probably Rosetta, but Docker's documentation \
                         contradicts itself",
                        keys.rosetta,
                        document.path()
                    ),
                )
            },
            Fact::from,
        ),
    };
}

fn choice(rosetta: bool) -> EmulatorChoice {
    if rosetta { EmulatorChoice::Rosetta } else { EmulatorChoice::Qemu }
}

/// Without Apple's framework it is QEMU in older versions and Docker VMM in newer ones.
fn without_framework(off: Setting<bool>, version: Option<&str>, document: &Document) -> Fact<Setting<VmType>> {
    let numbers = version.map(version_numbers).filter(|numbers| !numbers.is_empty());
    match numbers {
        Some(numbers) if numbers.as_slice() >= NO_QEMU_SINCE.as_slice() => {
            Fact::Known(off.map(|_| VmType::DockerVmm).likely())
        }
        Some(_) => Fact::Known(off.map(|_| VmType::Qemu)),
        None if document.path().ends_with("/settings.json") => Fact::Known(off.map(|_| VmType::Qemu)),
        // Either way there is no Rosetta in it.
        None => Fact::Known(off.map(|_| VmType::DockerVmm).likely()),
    }
}

/// What an administrator fixed. It counts only for users who are signed in, which is not looked into.
fn read_admin_settings(host: &dyn Host, found: &mut RuntimeSettings) {
    let document = match open(host, Path::new(ADMIN), Format::Json) {
        Opened::Missing => return,
        Opened::Unreadable(gap) => return found.gaps.push(gap),
        Opened::Here(document) => document,
    };
    let (locked, value) = match (document.switch(&[ADMIN_KEY, "locked"]), document.switch(&[ADMIN_KEY, "value"])) {
        (Ok(locked), Ok(value)) => (locked, value),
        (Err(gap), _) | (_, Err(gap)) => return found.gaps.push(gap),
    };
    if !locked.is_some_and(|locked| locked.value) {
        return;
    }
    found.locks.push(SettingLock {
        place: ADMIN.to_owned(),
        key: ADMIN_KEY.to_owned(),
        value: value.as_ref().map(|value| choice(value.value)),
    });
    if let Some(value) = value {
        let mut fixed = value.map(choice);
        fixed.confidence = Confidence::Likely;
        found.emulator = Fact::Known(fixed);
    }
}
