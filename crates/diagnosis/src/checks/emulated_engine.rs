//! The engine itself is an Intel machine on an Apple-silicon Mac: everything in it is emulated.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always},
    example::inventory,
    fact::Fact,
    finding::{Confidence, Evidence, Finding, Severity, Subject, SubjectKind},
    fix::{Safety, Step},
    inventory::{Inventory, Locality},
    platform::Platform,
};

/// The check.
pub static CHECK: Check = Check {
    id: "emulated-engine",
    title: "The engine's whole virtual machine is emulated",
    why: "An Intel virtual machine on an Apple-silicon Mac is run by QEMU as a whole, kernel and all. That is the slowest way \
          there is, and native images run emulated too. Create an arm64 machine and let only single containers be emulated.",
    severity: Severity::Slow,
    needs: &[Need::HostFacts, Need::EnginePlatform],
    applies,
    run,
    supersedes: &[],
    examples: &[
        Example {
            name: "an Intel VM of a local runtime on Apple silicon",
            verdict: Verdict::Fires,
            inventory: intel_vm,
        },
        Example { name: "an ARM VM on Apple silicon", verdict: Verdict::Silent, inventory: arm_vm },
        Example { name: "a remote Intel server", verdict: Verdict::Silent, inventory: remote },
        Example { name: "an Intel Mac", verdict: Verdict::Silent, inventory: intel_mac },
    ],
};

fn applies(context: &Context<'_>) -> Result<(), String> {
    always(context)?;
    let engine = &context.inventory.engine;
    match engine.locality {
        Locality::Local => Ok(()),
        Locality::Remote => {
            Err(format!("{} is another machine; this one's processor says nothing about it", engine.endpoint))
        }
        Locality::Unknown => Err(format!("{} may lead to another machine", engine.endpoint)),
    }
}

/// The platform of a machine that is emulated as a whole.
pub(crate) fn emulated_machine(inventory: &Inventory) -> Option<&Platform> {
    let local = inventory.engine.locality == Locality::Local && inventory.host.apple_silicon == Fact::Known(true);
    inventory.engine.platform.known().filter(|platform| local && platform.architecture != "arm64")
}

fn run(context: &Context<'_>) -> Vec<Finding> {
    let inventory = context.inventory;
    let engine = &inventory.engine;
    let Some(platform) = emulated_machine(inventory) else { return Vec::new() };
    let name = &engine.runtime.name;
    let finding = context.finding(
        &CHECK,
        Confidence::Certain,
        Subject::new(SubjectKind::Engine, &engine.endpoint),
        Words {
            title: format!("The whole machine of {name} is emulated"),
            why: format!(
                "It is {platform} and this Mac is ARM, so its kernel and every container in it are translated."
            ),
            evidence: vec![
                Evidence::new("engine", format!("its architecture is {}", engine.arch)),
                Evidence::new(
                    "this machine",
                    inventory.host.cpu.clone().unwrap_or_else(|| "an Apple processor".to_owned()),
                ),
            ],
        },
    );
    let (text, commands) = way_out(&engine.runtime.id);
    vec![finding.with_fix(
        format!("Create an ARM machine for {name}"),
        "A virtual machine's architecture cannot be changed: images and volumes of the old one stay in it.",
        Safety::ShowOnly,
        vec![Step::Tell { text, commands }],
    )]
}

fn way_out(runtime: &str) -> (String, Vec<Vec<String>>) {
    let command = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    match runtime {
        "colima" => (
            "Start a second profile with the Mac's own architecture; the old profile stays until you delete it."
                .to_owned(),
            vec![command("colima start --profile arm --arch aarch64 --vm-type vz")],
        ),
        "lima" => (
            "Start a second instance with the Mac's own architecture; the old one stays until you delete it."
                .to_owned(),
            vec![command("limactl start --name docker-arm --arch aarch64 --vm-type vz template://docker")],
        ),
        _ => (
            "Install the Apple-silicon build of your Docker runtime and create a new machine with it.".to_owned(),
            vec![],
        ),
    }
}

fn intel_vm() -> Inventory {
    let mut seen = inventory("amd64");
    seen.engine.runtime.id = "colima".to_owned();
    seen.engine.runtime.name = "Colima".to_owned();
    seen
}
fn arm_vm() -> Inventory {
    inventory("arm64")
}
fn remote() -> Inventory {
    let mut seen = inventory("amd64");
    seen.engine.locality = Locality::Remote;
    "ssh://build@server".clone_into(&mut seen.engine.endpoint);
    seen
}
fn intel_mac() -> Inventory {
    let mut seen = inventory("amd64");
    seen.host.apple_silicon = Fact::Known(false);
    seen
}
