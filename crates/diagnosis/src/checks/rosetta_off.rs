//! Intel programs run under QEMU, and Rosetta could be had here.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words},
    emulation::{INTEL, asking_for, asking_words, configured, proven_intel, rosetta_matters},
    emulator::display_name,
    example_emulation::{mac, obstacle, setting},
    fact::Fact,
    finding::{Confidence, Finding, Severity, Subject, SubjectKind},
    inventory::{Inventory, Listing},
    runtime::{EmulatorChoice, ObstacleKind, VmType},
    runtime_fix::{Change, offer},
};

/// The check.
pub static CHECK: Check = Check {
    id: "rosetta-off",
    title: "Intel programs run under QEMU although Rosetta could run them",
    why: "Rosetta is many times faster than QEMU in programs that calculate. It is no gain for everybody: with it on, native \
          containers can become slower, programs that make code while they run may be faster under QEMU, and some programs run \
          under only one of the two. A native image beats both. Switch it on where Intel containers do real work, and measure.",
    severity: Severity::Slow,
    needs: &[Need::HostFacts, Need::EnginePlatform, Need::Containers, Need::EffectiveIntel, Need::ConfiguredEmulator],
    applies: rosetta_matters,
    run,
    supersedes: &[],
    examples: &[
        Example {
            name: "QEMU is set, it runs, and a container needs it",
            verdict: Verdict::Fires,
            inventory: qemu_set,
        },
        Example { name: "Docker VMM, which can be left", verdict: Verdict::Fires, inventory: docker_vmm },
        Example { name: "Rosetta is set and runs", verdict: Verdict::Silent, inventory: on },
        Example { name: "nothing here is for Intel", verdict: Verdict::Silent, inventory: nothing_to_gain },
        Example { name: "a lock forbids it", verdict: Verdict::Silent, inventory: locked },
        Example { name: "kernel and macOS do not fit", verdict: Verdict::Silent, inventory: kernel_too_new },
        Example { name: "Rosetta is not on this Mac", verdict: Verdict::Silent, inventory: not_installed },
        Example { name: "nobody has proven what runs", verdict: Verdict::Silent, inventory: unproven },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let inventory = context.inventory;
    let (Ok(proven), Ok((settings, choice))) = (proven_intel(inventory), configured(inventory)) else {
        return Vec::new();
    };
    // Without any emulator, and with one that is faster still, something else is to be said.
    if choice == EmulatorChoice::Rosetta || proven.emulator != "qemu" {
        return Vec::new();
    }
    let names = asking_for(context, INTEL);
    let (Ok(prepared), false) = (offer(inventory, Change::RosettaOn), names.is_empty()) else {
        return Vec::new();
    };
    let runtime = &inventory.engine.runtime.name;
    let mut evidence: Vec<_> = settings.emulator.known().map(crate::runtime::Setting::evidence).into_iter().collect();
    evidence.extend(settings.obstacles.iter().map(|o| o.evidence.clone()));
    evidence.extend(proven.evidence.iter().cloned());
    evidence.push(asking_words(&names, "linux/amd64"));
    let finding = context.finding(
        &CHECK,
        Confidence::Certain,
        Subject::new(SubjectKind::Engine, &inventory.engine.endpoint),
        Words {
            title: format!("{runtime} runs Intel programs under {}, and Rosetta is off", display_name(&proven.emulator)),
            why: "Rosetta would run most of them faster. It can slow native containers down, so measure before and after."
                .to_owned(),
            evidence,
        },
    );
    let title = format!("Switch Rosetta on in {runtime}");
    vec![finding.with_recipe(title, prepared.warned("Native containers can become slower: measure before and after."))]
}

fn qemu_set() -> Inventory {
    mac(EmulatorChoice::Qemu, "qemu")
}
fn docker_vmm() -> Inventory {
    changed(qemu_set(), |settings| {
        settings.vm_type = Fact::Known(setting(VmType::DockerVmm));
        settings.obstacles = vec![obstacle(ObstacleKind::VmType)];
    })
}
fn on() -> Inventory {
    mac(EmulatorChoice::Rosetta, "rosetta")
}
fn nothing_to_gain() -> Inventory {
    let mut seen = qemu_set();
    seen.containers = Listing::of(Vec::new());
    seen
}
fn locked() -> Inventory {
    changed(qemu_set(), |settings| {
        settings.locks = vec![crate::runtime::SettingLock {
            place: "/Library/Application Support/com.docker.docker/admin-settings.json".to_owned(),
            key: "useVirtualizationFrameworkRosetta".to_owned(),
            value: Some(EmulatorChoice::Qemu),
        }];
    })
}
fn kernel_too_new() -> Inventory {
    let mut seen = qemu_set();
    seen.host.os_version = Some("15.7.2".to_owned());
    seen
}
fn not_installed() -> Inventory {
    let mut seen = qemu_set();
    if let Fact::Known(rosetta) = &mut seen.emulation.rosetta {
        rosetta.present = false;
    }
    seen
}
fn unproven() -> Inventory {
    let mut seen = qemu_set();
    seen.emulation.effective = crate::runtime::not_proven_yet().into();
    seen
}
fn changed(mut seen: Inventory, change: impl Fn(&mut crate::runtime::RuntimeSettings)) -> Inventory {
    if let Fact::Known(all) = &mut seen.emulation.runtimes {
        all.iter_mut().for_each(change);
    }
    seen
}
