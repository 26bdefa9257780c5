//! Podman's machines: the switch in `containers.conf`, the provider of each machine, and what the machine's own record
//! says. That record only repeats a setting, and the default of the switch went back and forth between versions.

use std::path::{Path, PathBuf};

use silidock_diagnosis::{
    fact::{Fact, Gap},
    finding::{Confidence, Evidence},
    runtime::{EmulatorChoice, Obstacle, ObstacleKind, RuntimeSettings, Setting, version_numbers},
};
use silidock_host::{Host, ToolRun};

use super::{
    blank, default_setting,
    document::{Format, Opened, open},
    folder_of, text, vm_type, wrong_kind,
};

const KEY: [&str; 2] = ["machine", "rosetta"];
/// From here on the switch is off by default.
const OFF_SINCE: [u32; 2] = [6, 0];
/// The first version with the switch.
const KNOWN_SINCE: [u32; 2] = [5, 1];
/// From here until `OFF_SINCE` the machine's image wants a mark in itself before it uses Rosetta.
const MARK_SINCE: [u32; 2] = [5, 6];
const MARK: &str = "/etc/containers/enable-rosetta";

pub(super) async fn read(host: &dyn Host) -> Vec<RuntimeSettings> {
    let Some(config) = folder_of(host, "XDG_CONFIG_HOME").or_else(|| Some(host.home()?.join(".config"))) else {
        return Vec::new();
    };
    let config = config.join("containers");
    let machines = machines(host, &config.join("podman/machine"));
    let tool = host.find_tool("podman");
    if machines.is_empty() && (tool.is_none() || !host.exists(&config)) {
        return Vec::new();
    }
    let version = match &tool {
        Some(tool) => asked_version(host, tool).await,
        None => None,
    };
    let set = switch(host, &config);
    if machines.is_empty() {
        let mut found = blank("podman", "Podman", None);
        found.version = version;
        found.gaps.push(Gap::new("the machine of Podman", "none has been made"));
        found.emulator = emulator(set, found.version.as_deref(), &config);
        return vec![found];
    }
    let mut all = Vec::new();
    for (provider, name, record) in machines {
        let mut found = blank("podman", "Podman", Some(&name));
        found.version.clone_from(&version);
        found.vm_type = Fact::Known(Setting {
            value: vm_type(&provider),
            place: text(&record),
            key: None,
            line: None,
            default: false,
            written: format!("the machine lies among those of {provider}"),
            confidence: Confidence::Certain,
        });
        found.obstacles.extend(found.vm_type.known().and_then(wrong_kind));
        found.emulator = emulator(set.clone(), version.as_deref(), &config);
        found.gaps.extend(found.emulator.gap().cloned());
        found.obstacles.extend(wants_mark(&found));
        found.sockets = vec![text(&host.temp_dir().join("podman").join(format!("{name}-api.sock")))];
        if let Some(tool) = &tool {
            inspect(host, tool, &name, &mut found).await;
        }
        all.push(found);
    }
    all
}

/// Provider, name and record of every machine.
fn machines(host: &dyn Host, folder: &Path) -> Vec<(String, String, PathBuf)> {
    let mut found = Vec::new();
    for provider in ["applehv", "libkrun", "qemu"] {
        let folder = folder.join(provider);
        for entry in host.list_dir(&folder).unwrap_or_default() {
            let name = entry.name.to_string_lossy().into_owned();
            if let Some(machine) = name.strip_suffix(".json").filter(|_| !entry.is_dir) {
                found.push((provider.to_owned(), machine.to_owned(), folder.join(&name)));
            }
        }
    }
    found
}

async fn asked_version(host: &dyn Host, tool: &Path) -> Option<String> {
    let output = host.run(&ToolRun::new(tool, &["--version"])).await.ok()?;
    let said = output.text();
    let word = said.split_whitespace().last()?;
    (output.success() && !version_numbers(word).is_empty()).then(|| word.to_owned())
}

/// The switch, from the file that counts last. None where it is set nowhere.
fn switch(host: &dyn Host, config: &Path) -> Result<Option<Setting<bool>>, Gap> {
    let mut files = vec![
        PathBuf::from("/usr/share/containers/containers.conf"),
        PathBuf::from("/etc/containers/containers.conf"),
        config.join("containers.conf"),
    ];
    let extra = config.join("containers.conf.d");
    let entries = host.list_dir(&extra).unwrap_or_default();
    let names = entries.into_iter().map(|entry| extra.join(entry.name));
    files.extend(names.filter(|path| path.extension().is_some_and(|e| e == "conf")));
    if let Some(only) = folder_of(host, "CONTAINERS_CONF") {
        files = vec![only];
    }
    let mut last = None;
    for path in files {
        match open(host, &path, Format::Toml) {
            Opened::Missing => {}
            Opened::Here(document) => last = document.switch(&KEY)?.or(last),
            Opened::Unreadable(gap) => return Err(gap),
        }
    }
    Ok(last)
}

fn emulator(
    set: Result<Option<Setting<bool>>, Gap>,
    version: Option<&str>,
    config: &Path,
) -> Fact<Setting<EmulatorChoice>> {
    let choose = |on: bool| if on { EmulatorChoice::Rosetta } else { EmulatorChoice::Qemu };
    let path = text(&config.join("containers.conf"));
    let by_default = |on: bool| {
        Fact::Known(default_setting(choose(on), &path, Some(&KEY.join(".")), &on.to_string(), Confidence::Certain))
    };
    match (set, version.map(version_numbers)) {
        (Ok(Some(set)), _) => Fact::Known(set.map(choose)),
        (Ok(None), Some(version)) if version.as_slice() >= OFF_SINCE.as_slice() => by_default(false),
        (Ok(None), Some(version)) if version.as_slice() >= KNOWN_SINCE.as_slice() => by_default(true),
        (Ok(None), Some(_)) => by_default(false),
        (Ok(None), None) => Fact::unknown(
            "the emulator set in Podman",
            format!("{} is not set in {path}, and the default depends on Podman's version", KEY.join(".")),
        ),
        (Err(gap), _) => gap.into(),
    }
}

/// The mark lies inside the machine, where nobody looks from here.
fn wants_mark(found: &RuntimeSettings) -> Option<Obstacle> {
    let version = version_numbers(found.version.as_deref()?);
    let asks = found.emulator.known().is_some_and(|e| e.value == EmulatorChoice::Rosetta);
    let in_range = version.as_slice() >= MARK_SINCE.as_slice() && version.as_slice() < OFF_SINCE.as_slice();
    (asks && in_range && found.obstacles.is_empty()).then(|| Obstacle {
        kind: ObstacleKind::NotActivated,
        text: format!(
            "Machines of Podman 5.6 to 5.8 use Rosetta only where {MARK} exists inside them, which is not so by itself"
        ),
        evidence: Evidence::new("podman --version", found.version.clone().unwrap_or_default()),
        confidence: Confidence::Likely,
    })
}

/// The machine's own record, which repeats what was set when it was made or started.
async fn inspect(host: &dyn Host, tool: &Path, name: &str, found: &mut RuntimeSettings) {
    let place = format!("podman machine inspect {name}");
    let gap = |why: String| Gap::new(format!("the answer of {place}"), why);
    let output = match host.run(&ToolRun::new(tool, &["machine", "inspect", name])).await {
        Ok(output) if output.success() => output,
        Ok(_) => return found.gaps.push(gap("it failed".to_owned())),
        Err(error) => return found.gaps.push(gap(error.to_string())),
    };
    let answer: serde_json::Value = match serde_json::from_slice(&output.stdout) {
        Ok(answer) => answer,
        Err(_) => return found.gaps.push(gap("it is not JSON".to_owned())),
    };
    let machine = &answer[0];
    if let Some(socket) = machine["ConnectionInfo"]["PodmanSocket"]["Path"].as_str() {
        found.sockets.insert(0, socket.to_owned());
        found.sockets.dedup();
    }
    if let Some(on) = machine["Rosetta"].as_bool() {
        found.started_with = Some(Fact::Known(Setting {
            value: if on { EmulatorChoice::Rosetta } else { EmulatorChoice::Qemu },
            place,
            key: Some("Rosetta".to_owned()),
            line: None,
            default: false,
            written: on.to_string(),
            confidence: Confidence::Likely,
        }));
    }
}
