//! The rows: each runtime's commands for each change, in the safe order, with the way back. Nothing else knows them.

use super::{Back, Change, Line, Recipe};
use crate::{
    finding::Confidence,
    fix::CommandKind::{self, Register, Restart as Again, Set, Start, Stop},
    runtime::{ObstacleKind, RuntimeSettings, VmType, version_numbers},
};
use Change::{ContainerdStore, Restart, RosettaOff, RosettaOn};
use Confidence::{Certain, Likely};
use Line::{Edit, Run, Say};

pub(super) const STOPS: &str =
    "All containers of this engine stop and those with a restart policy come back. Images and volumes stay.";
const NEW_MACHINE: &str = "A new machine is made. The old one keeps its images, containers and volumes until you delete it; \
                           nothing is carried over by itself.";
const ANEW: &str = "The machine is made anew: look first at what of its containers, images and volumes you need.";

/// `docker desktop` is a command since then.
const DESKTOP_CLI: [u32; 2] = [4, 37];

fn any(_: &RuntimeSettings) -> bool {
    true
}
fn has(settings: &RuntimeSettings, kind: ObstacleKind) -> bool {
    settings.obstacles.iter().any(|o| o.kind == kind)
}
fn wrong_machine(settings: &RuntimeSettings) -> bool {
    has(settings, ObstacleKind::VmType) || has(settings, ObstacleKind::VmArchitecture)
}
fn wrong_type(settings: &RuntimeSettings) -> bool {
    has(settings, ObstacleKind::VmType)
}
fn not_activated(settings: &RuntimeSettings) -> bool {
    has(settings, ObstacleKind::NotActivated)
}
fn plain(settings: &RuntimeSettings) -> bool {
    has(settings, ObstacleKind::Mode)
}
fn docker_vmm(settings: &RuntimeSettings) -> bool {
    settings.vm_type.known().is_some_and(|vm| vm.value == VmType::DockerVmm)
}
fn without_commands(settings: &RuntimeSettings) -> bool {
    let numbers = settings.version.as_deref().map(version_numbers).filter(|numbers| !numbers.is_empty());
    numbers.is_some_and(|numbers| numbers.as_slice() < DESKTOP_CLI.as_slice())
}

const fn row(
    runtime: &'static str,
    change: Change,
    when: fn(&RuntimeSettings) -> bool,
    confidence: Confidence,
    lines: &'static [Line],
    back: &'static [Back],
    cost: &'static str,
) -> Recipe {
    Recipe { runtime, change, when, lines, back, cost, confidence, by_hand: None, in_background: false }
}

const fn by_hand(clicks: &'static str, recipe: Recipe) -> Recipe {
    Recipe { by_hand: Some(clicks), ..recipe }
}

const fn in_background(recipe: Recipe) -> Recipe {
    Recipe { in_background: true, ..recipe }
}

type Words = &'static [&'static str];

const fn run(does: CommandKind, text: &'static str, words: Words) -> Line {
    Run(does, text, words)
}

const TICK: &str = "Settings, General, Virtual Machine Options: tick \"Use Rosetta for x86_64/amd64 emulation on Apple \
                    Silicon\", Apply.";
const UNTICK: &str = "Settings, General, Virtual Machine Options: untick \"Use Rosetta for x86_64/amd64 emulation on Apple \
                      Silicon\", Apply.";
const LEAVE_VMM: &str = "Settings, General, Virtual Machine Options: choose Apple Virtualization framework instead of what is \
                         chosen, tick \"Use Rosetta for x86_64/amd64 emulation on Apple Silicon\", Apply.";
const QUIT: &str = "Choose Restart in the menu of the whale in the menu bar.";
const ROSETTA: &str = "UseVirtualizationFrameworkRosetta";
const FRAMEWORK: &str = "UseVirtualizationFramework";

const DESKTOP_STOP: Line =
    run(Stop, "Stop Docker Desktop, which writes its settings when it ends.", &["docker", "desktop", "stop"]);
const DESKTOP_START: Line = run(Start, "Start Docker Desktop.", &["docker", "desktop", "start"]);
const DESKTOP_BACK: &[Back] =
    &[Back(2, DESKTOP_STOP), Back(1, Edit(&[(FRAMEWORK, true), (ROSETTA, true)])), Back(0, DESKTOP_START)];
const STORE: &str = "UseContainerdSnapshotter";
const TICK_STORE: &str = "Settings, General: tick \"Use containerd for pulling and storing images\", Apply.";
pub(super) const HIDDEN: &str = "Each store has images and containers of its own: those of the store that is used now stay on the disk, take their space \
                      there, and are not shown until it is switched back. So images are pulled or built again, and containers \
                      made again. Volumes stay. The engine restarts, which ends every container that runs.";
pub(super) const DAEMON: &str =
    "set \"features\": { \"containerd-snapshotter\": true }, and leave every other key as it is.";
const ORB_ON: Line = run(Set, "Switch Rosetta on.", &["orb", "config", "set", "rosetta", "true"]);
const ORB_OFF: Line = run(Set, "Switch Rosetta off.", &["orb", "config", "set", "rosetta", "false"]);
const ORB_STOP: Line = run(Stop, "Stop OrbStack with all its machines.", &["orb", "stop"]);
const ORB_START: Line = run(Start, "Start OrbStack.", &["orb", "start"]);
const COLIMA_STOP: Line = run(Stop, "Stop the profile {instance}.", &["colima", "stop", "--profile", "{instance}"]);
const COLIMA_ON: Line = run(
    Start,
    "Start {instance} with Rosetta; Colima keeps that in its settings.",
    &["colima", "start", "--profile", "{instance}", "--vz-rosetta"],
);
const COLIMA_OFF: Line = run(
    Start,
    "Start {instance} without Rosetta; Colima keeps that in its settings.",
    &["colima", "start", "--profile", "{instance}", "--vz-rosetta=false"],
);
const LIMA_STOP: Line =
    run(Stop, "Stop the instance {instance}: a running one cannot be edited.", &["limactl", "stop", "{instance}"]);
const LIMA_START: Line = run(Start, "Start {instance}.", &["limactl", "start", "{instance}"]);
const LIMA_ON: Line = run(Set, "Switch Rosetta on.", &["limactl", "edit", "{instance}", "--rosetta"]);
const LIMA_OFF: Line = run(Set, "Switch Rosetta off.", &["limactl", "edit", "{instance}", "--rosetta=false"]);
const RANCHER_ON: Line = run(
    Set,
    "Switch Rosetta on; Rancher Desktop restarts its machine by itself.",
    &["rdctl", "set", "--virtual-machine.use-rosetta"],
);
const RANCHER_OFF: Line = run(
    Set,
    "Switch Rosetta off; Rancher Desktop restarts its machine by itself.",
    &["rdctl", "set", "--virtual-machine.use-rosetta=false"],
);
const PODMAN_STOP: Line = run(Stop, "Stop the machine {instance}.", &["podman", "machine", "stop", "{instance}"]);
const PODMAN_START: Line = run(Start, "Start {instance}.", &["podman", "machine", "start", "{instance}"]);
const FINCH_STOP: Line = run(Stop, "Stop the machine.", &["finch", "vm", "stop"]);
const FINCH_ANEW: [Line; 3] = [
    FINCH_STOP,
    run(Register, "Remove it.", &["finch", "vm", "remove"]),
    run(Start, "Make it anew.", &["finch", "vm", "init"]),
];

/// All rows. Of those for one runtime and change, the first that fits the settings counts.
pub const RECIPES: &[Recipe] = &[
    by_hand(
        LEAVE_VMM,
        row(
            "docker-desktop",
            RosettaOn,
            docker_vmm,
            Likely,
            &[
                DESKTOP_STOP,
                Say("In {file} set \"UseLibkrun\": false, \"UseVirtualizationFramework\": true and \
                     \"UseVirtualizationFrameworkRosetta\": true, and leave every other key as it is."),
                DESKTOP_START,
            ],
            &[],
            "Docker VMM is left for Apple's framework, which can be slower with files, so that is yours to decide. All \
             containers stop. Images and volumes stay, as far as is known.",
        ),
    ),
    row("docker-desktop", RosettaOn, wrong_machine, Likely, &[Say(LEAVE_VMM)], &[], STOPS),
    row("docker-desktop", RosettaOn, without_commands, Certain, &[Say(TICK)], &[], STOPS),
    by_hand(
        TICK,
        row(
            "docker-desktop",
            RosettaOn,
            any,
            Likely,
            &[DESKTOP_STOP, Edit(&[(FRAMEWORK, true), (ROSETTA, true)]), DESKTOP_START],
            DESKTOP_BACK,
            STOPS,
        ),
    ),
    row("docker-desktop", RosettaOff, without_commands, Certain, &[Say(UNTICK)], &[], STOPS),
    by_hand(
        UNTICK,
        row(
            "docker-desktop",
            RosettaOff,
            any,
            Likely,
            &[DESKTOP_STOP, Edit(&[(ROSETTA, false)]), DESKTOP_START],
            &[Back(2, DESKTOP_STOP), Back(1, Edit(&[(ROSETTA, false)])), Back(0, DESKTOP_START)],
            STOPS,
        ),
    ),
    row("docker-desktop", Restart, without_commands, Certain, &[Say(QUIT)], &[], STOPS),
    row(
        "docker-desktop",
        Restart,
        any,
        Certain,
        &[run(Again, "Restart Docker Desktop.", &["docker", "desktop", "restart"])],
        &[Back(0, DESKTOP_START)],
        STOPS,
    ),
    row("docker-desktop", ContainerdStore, without_commands, Certain, &[Say(TICK_STORE)], &[], HIDDEN),
    by_hand(
        TICK_STORE,
        row(
            "docker-desktop",
            ContainerdStore,
            any,
            Likely,
            &[DESKTOP_STOP, Edit(&[(STORE, true)]), DESKTOP_START],
            &[Back(2, DESKTOP_STOP), Back(1, Edit(&[(STORE, true)])), Back(0, DESKTOP_START)],
            HIDDEN,
        ),
    ),
    row(
        "orbstack",
        ContainerdStore,
        any,
        Likely,
        &[
            Say("In ~/.orbstack/config/docker.json, the engine's configuration, set \"features\": \
                 { \"containerd-snapshotter\": true }, and leave every other key as it is."),
            ORB_STOP,
            ORB_START,
        ],
        &[],
        HIDDEN,
    ),
    row(
        "colima",
        ContainerdStore,
        any,
        Likely,
        &[
            Say(
                "In colima.yaml of the profile {instance} set, below docker:, features: {containerd-snapshotter: true}.",
            ),
            run(Again, "Restart the profile {instance}.", &["colima", "restart", "--profile", "{instance}"]),
        ],
        &[],
        HIDDEN,
    ),
    // It is set while OrbStack runs: asking a stopped one would start it with the old setting.
    row(
        "orbstack",
        RosettaOn,
        any,
        Likely,
        &[ORB_ON, ORB_STOP, ORB_START],
        &[Back(0, ORB_OFF), Back(2, ORB_STOP), Back(1, ORB_START)],
        STOPS,
    ),
    row(
        "orbstack",
        RosettaOff,
        any,
        Likely,
        &[ORB_OFF, ORB_STOP, ORB_START],
        &[Back(0, ORB_ON), Back(2, ORB_STOP), Back(1, ORB_START)],
        STOPS,
    ),
    row("orbstack", Restart, any, Likely, &[ORB_STOP, ORB_START], &[Back(0, ORB_START)], STOPS),
    row(
        "colima",
        RosettaOn,
        wrong_machine,
        Certain,
        &[
            Say("The kind and architecture of a machine cannot be changed: make a second profile."),
            run(
                Start,
                "Make a second profile.",
                &["colima", "start", "--profile", "rosetta", "--arch", "aarch64", "--vm-type", "vz", "--vz-rosetta"],
            ),
        ],
        &[],
        NEW_MACHINE,
    ),
    row(
        "colima",
        RosettaOn,
        not_activated,
        Likely,
        &[
            Say("Install Rosetta for the Mac's own programs, which starts the process that Colima looks for."),
            run(Set, "Install Rosetta.", &["softwareupdate", "--install-rosetta"]),
            run(Again, "Restart the profile.", &["colima", "restart", "--profile", "{instance}"]),
        ],
        &[],
        "Apple asks you to agree to its licence. All containers of this engine stop.",
    ),
    row(
        "colima",
        RosettaOn,
        any,
        Certain,
        &[COLIMA_STOP, COLIMA_ON],
        &[Back(1, COLIMA_STOP), Back(0, COLIMA_OFF)],
        STOPS,
    ),
    row(
        "colima",
        RosettaOff,
        any,
        Certain,
        &[COLIMA_STOP, COLIMA_OFF],
        &[Back(1, COLIMA_STOP), Back(0, COLIMA_ON)],
        STOPS,
    ),
    row(
        "colima",
        Restart,
        any,
        Certain,
        &[run(Again, "Restart the profile {instance}.", &["colima", "restart", "--profile", "{instance}"])],
        &[Back(0, run(Start, "Start {instance}.", &["colima", "start", "--profile", "{instance}"]))],
        STOPS,
    ),
    row(
        "lima",
        RosettaOn,
        wrong_machine,
        Certain,
        &[
            Say("The kind and architecture of a machine cannot be changed: make a second instance."),
            run(
                Start,
                "Make a second instance.",
                &["limactl", "start", "--name", "docker-rosetta", "--vm-type=vz", "--rosetta", "template://docker"],
            ),
        ],
        &[],
        NEW_MACHINE,
    ),
    row(
        "lima",
        RosettaOn,
        plain,
        Certain,
        &[LIMA_STOP, Say("In {file} set plain: false, which makes Lima set the machine up further."), LIMA_START],
        &[],
        STOPS,
    ),
    row(
        "lima",
        RosettaOn,
        any,
        Certain,
        &[LIMA_STOP, LIMA_ON, LIMA_START],
        &[Back(2, LIMA_STOP), Back(1, LIMA_OFF), Back(0, LIMA_START)],
        STOPS,
    ),
    row(
        "lima",
        RosettaOff,
        any,
        Likely,
        &[LIMA_STOP, LIMA_OFF, LIMA_START],
        &[Back(2, LIMA_STOP), Back(1, LIMA_ON), Back(0, LIMA_START)],
        STOPS,
    ),
    row("lima", Restart, any, Certain, &[LIMA_STOP, LIMA_START], &[Back(0, LIMA_START)], STOPS),
    row(
        "rancher-desktop",
        RosettaOn,
        wrong_machine,
        Certain,
        &[
            Say("Leaving QEMU as the kind of machine may make a new disk, so that is yours to decide."),
            run(Set, "Set both.", &["rdctl", "set", "--virtual-machine.type", "vz", "--virtual-machine.use-rosetta"]),
        ],
        &[],
        "The machine restarts, Kubernetes with it. Images and volumes may stay behind on the old machine's disk.",
    ),
    in_background(row(
        "rancher-desktop",
        RosettaOn,
        any,
        Certain,
        &[RANCHER_ON],
        &[Back(0, RANCHER_OFF)],
        "The machine restarts, Kubernetes with it. Images and volumes stay.",
    )),
    in_background(row(
        "rancher-desktop",
        RosettaOff,
        any,
        Certain,
        &[RANCHER_OFF],
        &[Back(0, RANCHER_ON)],
        "The machine restarts, Kubernetes with it. Images and volumes stay.",
    )),
    in_background(row(
        "rancher-desktop",
        Restart,
        any,
        Likely,
        &[
            run(Stop, "Stop Rancher Desktop.", &["rdctl", "shutdown"]),
            run(Start, "Start Rancher Desktop.", &["rdctl", "start"]),
        ],
        &[Back(0, run(Start, "Start Rancher Desktop.", &["rdctl", "start"]))],
        STOPS,
    )),
    row(
        "podman",
        RosettaOn,
        wrong_type,
        Likely,
        &[
            Say(
                "In ~/.config/containers/containers.conf set, below [machine], provider = \"applehv\" and rosetta = true. \
                 An existing machine keeps its provider.",
            ),
            run(Start, "Make a new machine.", &["podman", "machine", "init", "rosetta"]),
            PODMAN_STOP,
            run(Start, "Start the new one.", &["podman", "machine", "start", "rosetta"]),
        ],
        &[],
        NEW_MACHINE,
    ),
    row(
        "podman",
        RosettaOn,
        not_activated,
        Certain,
        &[
            run(
                Set,
                "Leave the mark that this machine's image looks for (macOS 26 and later).",
                &["podman", "machine", "ssh", "{instance}", "sudo", "touch", "/etc/containers/enable-rosetta"],
            ),
            PODMAN_STOP,
            PODMAN_START,
        ],
        &[
            Back(
                0,
                run(
                    Set,
                    "Take the mark away.",
                    &["podman", "machine", "ssh", "{instance}", "sudo", "rm", "-f", "/etc/containers/enable-rosetta"],
                ),
            ),
            Back(2, PODMAN_STOP),
            Back(1, PODMAN_START),
        ],
        STOPS,
    ),
    row(
        "podman",
        RosettaOn,
        any,
        Likely,
        &[
            Say("In ~/.config/containers/containers.conf set, below [machine], rosetta = true."),
            PODMAN_STOP,
            PODMAN_START,
            Say("If it then still runs under QEMU, the machine has to be made anew with podman machine init."),
        ],
        &[],
        STOPS,
    ),
    row(
        "podman",
        RosettaOff,
        any,
        Likely,
        &[
            Say("In ~/.config/containers/containers.conf set, below [machine], rosetta = false."),
            PODMAN_STOP,
            PODMAN_START,
        ],
        &[],
        STOPS,
    ),
    row("podman", Restart, any, Certain, &[PODMAN_STOP, PODMAN_START], &[Back(0, PODMAN_START)], STOPS),
    row(
        "finch",
        RosettaOn,
        any,
        Certain,
        &[
            Say(
                "In {file} set rosetta: true; Finch then takes vz as the kind of machine. It counts only for a new machine.",
            ),
            FINCH_ANEW[0],
            FINCH_ANEW[1],
            FINCH_ANEW[2],
        ],
        &[],
        ANEW,
    ),
    row(
        "finch",
        RosettaOff,
        any,
        Certain,
        &[
            Say("In {file} set rosetta: false. It counts only for a new machine."),
            FINCH_ANEW[0],
            FINCH_ANEW[1],
            FINCH_ANEW[2],
        ],
        &[],
        ANEW,
    ),
    row(
        "finch",
        Restart,
        any,
        Certain,
        &[FINCH_STOP, run(Start, "Start the machine.", &["finch", "vm", "start"])],
        &[Back(0, run(Start, "Start the machine.", &["finch", "vm", "start"]))],
        STOPS,
    ),
];
