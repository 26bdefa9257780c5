//! The sample's machines: commands of runtimes are taken note of and never run, and what was changed shows at the next
//! look, as it would on a Mac.

use std::path::{Path, PathBuf};

use silidock_diagnosis::{
    emulator::EmulatorSign,
    fact::Fact,
    inventory::Inventory,
    runtime::{EmulatorChoice, ProvenEmulator, ProvenSign},
    runtime_fix::Change,
};
use silidock_host::{Output, RunError, ToolRun};
use silidock_remedy::runtime::Tools;

use super::Sample;
use crate::failure::{Failure, FailureCode};

/// Tools that are all there and do nothing.
#[derive(Debug)]
pub(crate) struct SampleTools {
    folder: PathBuf,
}

impl SampleTools {
    /// The tools of a sample.
    pub(crate) fn of(sample: &Sample) -> Self {
        Self { folder: sample.root.join("opt/homebrew/bin") }
    }
}

impl Tools for SampleTools {
    fn find(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.join(name))
    }

    fn run(&self, tool: &ToolRun) -> Result<Output, RunError> {
        // What the container that registers emulators prints.
        let after = |flag: &str| {
            tool.args.iter().skip_while(|word| *word != flag).nth(1).map(|what| (flag[2..].to_owned(), what))
        };
        let said =
            after("--install").or_else(|| after("--uninstall")).map(|(done, what)| format!("{done}ing: {what} OK\n"));
        Ok(Output { status: Some(0), stdout: said.unwrap_or_default().into_bytes(), stderr: Vec::new() })
    }
}

impl Sample {
    /// Takes note of a change of the machine, or of its being taken back. What leaves no setting behind is forgotten with
    /// the program, so that it can be tried again.
    pub(crate) fn changed(&self, change: Option<Change>) -> Result<(), Failure> {
        let file = self.machine_file();
        let failed = |error: std::io::Error| {
            Failure::new(FailureCode::File, format!("{} could not be written: {error}.", file.display()))
        };
        *self.restarted.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = change.filter(|c| !c.lasts());
        match change.filter(|change| change.lasts()).and_then(|change| serde_json::to_string(&change).ok()) {
            Some(json) => {
                std::fs::create_dir_all(self.data()).and_then(|()| std::fs::write(&file, json)).map_err(failed)
            }
            None if change.is_none() && file.exists() => std::fs::remove_file(&file).map_err(failed),
            None => Ok(()),
        }
    }

    fn machine_file(&self) -> PathBuf {
        self.data().join(format!("machine-{}.json", self.name))
    }

    /// The recording as the changes have left it.
    pub(super) fn as_changed(&self, seen: &mut Inventory) {
        let lasting = read(&self.machine_file());
        let passing = *self.restarted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for change in lasting.into_iter().chain(passing) {
            show(seen, change);
        }
    }
}

fn read(file: &Path) -> Option<Change> {
    serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()
}

fn show(seen: &mut Inventory, change: Change) {
    let set = seen.emulation.settings_of(&seen.engine).ok().and_then(|s| s.emulator.known()).map(|s| s.value);
    let runs = match change {
        Change::Register => EmulatorChoice::Qemu,
        // Neither changes what runs containers.
        Change::Builder | Change::ContainerdStore => return,
        Change::RosettaOn | Change::RosettaOff | Change::Toggle | Change::Restart => {
            change.emulator().or(set).unwrap_or(EmulatorChoice::Qemu)
        }
    };
    if let (Some(choice), Fact::Known(all)) = (change.emulator(), &mut seen.emulation.runtimes) {
        for settings in all {
            if let Fact::Known(set) = &mut settings.emulator {
                set.value = choice;
                set.written = (choice == EmulatorChoice::Rosetta).to_string();
            }
        }
    }
    let version = if runs == EmulatorChoice::Rosetta { "367.9" } else { "10.0.13" };
    if let Fact::Known(all) = &mut seen.emulation.effective {
        all.iter_mut()
            .filter(|proven| proven.platform.architecture == "amd64")
            .for_each(|p| run_under(p, runs, version));
    }
    for container in &mut seen.containers.items {
        let Fact::Known(processes) = &mut container.processes else { continue };
        for sign in processes.iter_mut().filter_map(|process| process.emulator.as_mut()) {
            // Rosetta has no 32-bit programs.
            if sign.interpreter.ends_with("i386") {
                continue;
            }
            let path = if runs == EmulatorChoice::Rosetta { "/run/rosetta/rosetta" } else { "/usr/bin/qemu-x86_64" };
            *sign = EmulatorSign { emulator: runs.id().to_owned(), interpreter: path.to_owned() };
        }
    }
}

fn run_under(proven: &mut ProvenEmulator, runs: EmulatorChoice, version: &str) {
    let seen = match runs {
        EmulatorChoice::Rosetta => "the processor calls itself VirtualApple",
        EmulatorChoice::Qemu | EmulatorChoice::None => "the processor calls itself QEMU TCG CPU",
    };
    let evidence = silidock_diagnosis::finding::Evidence::new("probe", seen);
    runs.id().clone_into(&mut proven.emulator);
    proven.version = Some(version.to_owned());
    proven.features = Fact::Known(["sse4_2", "avx", "avx2"].map(str::to_owned).to_vec());
    proven.signs =
        vec![ProvenSign { sign: "cpu".to_owned(), emulator: runs.id().to_owned(), evidence: evidence.clone() }];
    proven.evidence = vec![evidence];
}
