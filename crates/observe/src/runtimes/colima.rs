//! Colima's profiles: the file that a person edits, the file that the machine was last started with, and the test by
//! which Colima decides whether it may use Rosetta at all.

use std::path::{Path, PathBuf};

use silidock_diagnosis::{
    fact::Fact,
    finding::{Confidence, Evidence},
    runtime::{EmulatorChoice, Obstacle, ObstacleKind, RuntimeSettings, Setting, VmType},
};
use silidock_host::{Host, ToolRun};

use super::{
    Mac, architecture, blank, default_setting,
    document::{Document, Format, Opened, open},
    folder_of, instances, lima, text, vm_type, wrong_architecture, wrong_kind,
};

pub(super) async fn read(host: &dyn Host, mac: &Mac) -> Vec<RuntimeSettings> {
    let Some(base) = base(host) else { return Vec::new() };
    let names = match instances(host, &base, "Colima") {
        Ok(names) => names,
        Err(gap) => {
            let mut found = blank("colima", "Colima", None);
            found.gaps.push(gap);
            return vec![found];
        }
    };
    let machines = folder_of(host, "LIMA_HOME").unwrap_or_else(|| base.join("_lima"));
    let mut all = Vec::new();
    for name in names {
        let id = if name == "default" { "colima".to_owned() } else { format!("colima-{name}") };
        let machine = machines.join(&id);
        if let Some(mut found) = profile(host, mac, &base.join(&name), &machine, &name) {
            found.host_name = Some(id);
            all.push(found);
        }
    }
    let asked = all.iter().any(|s| s.emulator.known().is_some_and(|e| e.value == EmulatorChoice::Rosetta));
    if asked && let Some(obstacle) = looks_for_process(host, mac).await {
        let wants = |s: &&mut RuntimeSettings| s.emulator.known().is_some_and(|e| e.value == EmulatorChoice::Rosetta);
        all.iter_mut().filter(wants).for_each(|settings| settings.obstacles.push(obstacle.clone()));
    }
    all
}

/// Colima's own order.
fn base(host: &dyn Host) -> Option<PathBuf> {
    if let Some(folder) = folder_of(host, "COLIMA_HOME") {
        return Some(folder);
    }
    let home = host.home()?;
    let (classic, config) = (home.join(".colima"), home.join(".config/colima"));
    if host.exists(&classic) {
        return Some(classic);
    }
    match folder_of(host, "XDG_CONFIG_HOME") {
        Some(folder) => Some(folder.join("colima")),
        None if host.exists(&config) => Some(config),
        None => Some(classic),
    }
}

/// None for a folder that is no profile.
fn profile(host: &dyn Host, mac: &Mac, folder: &Path, machine: &Path, name: &str) -> Option<RuntimeSettings> {
    let mut found = blank("colima", "Colima", Some(name));
    found.sockets = vec![text(&folder.join("docker.sock"))];
    let edited = folder.join("colima.yaml");
    match open(host, &edited, Format::Yaml) {
        Opened::Here(document) => decode(&document, mac, &mut found),
        Opened::Unreadable(gap) => {
            found.vm_type = gap.clone().into();
            found.emulator = gap.clone().into();
            found.gaps.push(gap);
        }
        Opened::Missing if !host.exists(machine) => return None,
        // Without its file a profile starts with the defaults.
        Opened::Missing => {
            let off =
                default_setting(EmulatorChoice::Qemu, &text(&edited), Some("rosetta"), "false", Confidence::Certain);
            found.emulator = Fact::Known(off);
            found.vm_type = Fact::Known(default_machine(&text(&edited), mac));
        }
    }
    found.started_with = lima::started_with(host, &machine.join("lima.yaml"));
    Some(found)
}

/// vz since Colima 0.8 on macOS 13 and later; which Colima this is, nothing says.
fn default_machine(path: &str, mac: &Mac) -> Setting<VmType> {
    let (kind, word) = if mac.since(13) == Some(false) { (VmType::Qemu, "qemu") } else { (VmType::Vz, "vz") };
    default_setting(kind, path, Some("vmType"), word, Confidence::Likely)
}

fn decode(document: &Document, mac: &Mac, found: &mut RuntimeSettings) {
    let filled = |word: &Setting<String>| !word.value.is_empty();
    found.vm_type = match document.text(&["vmType"]) {
        Ok(word) => Fact::Known(
            word.filter(filled)
                .map_or_else(|| default_machine(document.path(), mac), |word| word.map(|word| vm_type(&word))),
        ),
        Err(gap) => gap.into(),
    };
    found.obstacles.extend(found.vm_type.known().and_then(wrong_kind));
    match document.text(&["arch"]) {
        Ok(arch) => found.vm_arch = arch.filter(filled).map(|arch| arch.map(architecture)),
        Err(gap) => found.gaps.push(gap),
    }
    found.obstacles.extend(found.vm_arch.as_ref().and_then(|arch| wrong_architecture(arch, mac)));
    let handlers = document.switch(&["binfmt"]).map(|set| set.is_none_or(|set| set.value));
    let off = match handlers {
        Ok(true) => EmulatorChoice::Qemu,
        Ok(false) => EmulatorChoice::None,
        Err(gap) => {
            found.gaps.push(gap);
            EmulatorChoice::Qemu
        }
    };
    let choose = |on: bool| if on { EmulatorChoice::Rosetta } else { off };
    found.emulator = match document.switch(&["rosetta"]) {
        Ok(Some(set)) => Fact::Known(set.map(choose)),
        Ok(None) => Fact::Known(default_setting(off, document.path(), Some("rosetta"), "false", Confidence::Certain)),
        Err(gap) => {
            found.gaps.push(gap.clone());
            gap.into()
        }
    };
}

/// Colima asks `pgrep oahd` whether Rosetta is here, and goes on with QEMU where that process does not run.
async fn looks_for_process(host: &dyn Host, mac: &Mac) -> Option<Obstacle> {
    let tool = host.find_tool("pgrep")?;
    let output = host.run(&ToolRun::new(tool, &["oahd"])).await.ok()?;
    // 1 is "none found"; anything above is a fault of the question.
    (output.status == Some(1)).then(|| Obstacle {
        kind: ObstacleKind::NotActivated,
        text: "Colima uses Rosetta only where the process oahd runs on the Mac, and it does not run now".to_owned(),
        evidence: Evidence::new("pgrep oahd", "found nothing"),
        // It may not have run when the machine was started, and on macOS 27 nobody has reported what happens.
        confidence: if mac.since(27) == Some(false) { Confidence::Certain } else { Confidence::Likely },
    })
}
