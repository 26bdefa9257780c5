//! How each runtime's emulator is turned on, off and over: rows of data in the safe order, and the rules that refuse.
//!
//! This is the one place that knows commands of runtimes. Nothing is carried out here. What a row costs is said with it,
//! because every change restarts a machine and with it all its containers.

use crate::{
    finding::Confidence,
    fix::{Safety, Step},
    runtime::{ObstacleKind, RuntimeSettings, VmType},
};

/// What is asked of a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Let Rosetta run Intel programs.
    RosettaOn,
    /// Let QEMU run them.
    RosettaOff,
    /// Start the machine anew and change nothing.
    Restart,
}

impl Change {
    /// What takes it back.
    pub fn reverse(self) -> Option<Self> {
        match self {
            Self::RosettaOn => Some(Self::RosettaOff),
            Self::RosettaOff => Some(Self::RosettaOn),
            Self::Restart => None,
        }
    }
}

/// One line of a row. `{instance}` stands for the profile, instance or machine, `{file}` for the settings file.
#[derive(Debug, Clone, Copy)]
pub enum Line {
    /// A command, as its words.
    Run(&'static str, &'static [&'static str]),
    /// Something a person does by hand.
    Say(&'static str),
}

use Line::{Run, Say};

/// How one runtime does one change.
#[derive(Debug)]
pub struct Recipe {
    /// Runtime id.
    pub runtime: &'static str,
    /// Which change.
    pub change: Change,
    /// Whether the row is for settings like these. The first row that is, is taken.
    when: fn(&RuntimeSettings) -> bool,
    /// What is done, in order.
    pub lines: &'static [Line],
    /// What stops meanwhile, and what is lost.
    pub cost: &'static str,
    /// How sure it is that this is the way.
    pub confidence: Confidence,
}

/// Why a change cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In a sentence.
    pub why: String,
}

const STOPS: &str =
    "All containers of this engine stop and those with a restart policy come back. Images and volumes stay.";
const NEW_MACHINE: &str = "A new machine is made. The old one keeps its images, containers and volumes until you delete it; \
                           nothing is carried over by itself.";

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
fn docker_vmm(settings: &RuntimeSettings) -> bool {
    settings.vm_type.known().is_some_and(|vm| vm.value == VmType::DockerVmm)
}

const fn recipe(
    runtime: &'static str,
    change: Change,
    when: fn(&RuntimeSettings) -> bool,
    confidence: Confidence,
    lines: &'static [Line],
    cost: &'static str,
) -> Recipe {
    Recipe { runtime, change, when, lines, cost, confidence }
}

const DESKTOP_STOP: Line =
    Run("Stop Docker Desktop, which writes its settings when it ends.", &["docker", "desktop", "stop"]);
const DESKTOP_START: Line = Run("Start it again.", &["docker", "desktop", "start"]);
const PODMAN_STOP: Line = Run("Stop the machine.", &["podman", "machine", "stop", "{instance}"]);
const PODMAN_START: Line = Run("Start it again.", &["podman", "machine", "start", "{instance}"]);
const COLIMA_STOP: Line = Run("Stop the profile.", &["colima", "stop", "--profile", "{instance}"]);
const LIMA_STOP: Line = Run("Stop the instance: a running one cannot be edited.", &["limactl", "stop", "{instance}"]);
const LIMA_START: Line = Run("Start it again.", &["limactl", "start", "{instance}"]);

use Change::{Restart, RosettaOff, RosettaOn};
use Confidence::{Certain, Likely};

/// All rows.
pub const RECIPES: &[Recipe] = &[
    recipe(
        "docker-desktop",
        RosettaOn,
        docker_vmm,
        Likely,
        &[
            Say(
                "By hand: Settings, General, Virtual Machine Options: choose Apple Virtualization framework instead of \
                 Docker VMM, tick \"Use Rosetta for x86_64/amd64 emulation on Apple Silicon\", Apply. Or in this order:",
            ),
            DESKTOP_STOP,
            Say("In {file} set \"UseLibkrun\": false, \"UseVirtualizationFramework\": true and \
                 \"UseVirtualizationFrameworkRosetta\": true, and leave every other key as it is."),
            DESKTOP_START,
        ],
        "Docker VMM is left for Apple's framework, which can be slower with files. All containers stop. Images and volumes \
         stay, as far as is known.",
    ),
    recipe(
        "docker-desktop",
        RosettaOn,
        any,
        Likely,
        &[
            Say(
                "By hand: Settings, General, Virtual Machine Options: tick \"Use Rosetta for x86_64/amd64 emulation on \
                 Apple Silicon\", Apply. Or in this order:",
            ),
            DESKTOP_STOP,
            Say(
                "In {file} set \"UseVirtualizationFramework\": true and \"UseVirtualizationFrameworkRosetta\": true, and \
                 leave every other key as it is.",
            ),
            DESKTOP_START,
        ],
        STOPS,
    ),
    recipe(
        "docker-desktop",
        RosettaOff,
        any,
        Likely,
        &[
            Say(
                "By hand: Settings, General, Virtual Machine Options: untick \"Use Rosetta for x86_64/amd64 emulation on \
                 Apple Silicon\", Apply. Or in this order:",
            ),
            DESKTOP_STOP,
            Say("In {file} set \"UseVirtualizationFrameworkRosetta\": false, and leave every other key as it is."),
            DESKTOP_START,
        ],
        STOPS,
    ),
    recipe(
        "docker-desktop",
        Restart,
        any,
        Certain,
        &[Run("Restart Docker Desktop.", &["docker", "desktop", "restart"])],
        STOPS,
    ),
    recipe(
        "orbstack",
        RosettaOn,
        any,
        Likely,
        &[
            Run("Set it.", &["orb", "config", "set", "rosetta", "true"]),
            Run("Stop OrbStack with all its machines.", &["orb", "stop"]),
            Run("Start it again.", &["orb", "start"]),
        ],
        STOPS,
    ),
    recipe(
        "orbstack",
        RosettaOff,
        any,
        Likely,
        &[
            Run("Set it.", &["orb", "config", "set", "rosetta", "false"]),
            Run("Stop OrbStack with all its machines.", &["orb", "stop"]),
            Run("Start it again.", &["orb", "start"]),
        ],
        STOPS,
    ),
    recipe(
        "orbstack",
        Restart,
        any,
        Likely,
        &[Run("Stop OrbStack with all its machines.", &["orb", "stop"]), Run("Start it again.", &["orb", "start"])],
        STOPS,
    ),
    recipe(
        "colima",
        RosettaOn,
        wrong_machine,
        Certain,
        &[Run(
            "Make a second profile: the kind and architecture of a machine cannot be changed.",
            &["colima", "start", "--profile", "rosetta", "--arch", "aarch64", "--vm-type", "vz", "--vz-rosetta"],
        )],
        NEW_MACHINE,
    ),
    recipe(
        "colima",
        RosettaOn,
        any,
        Certain,
        &[
            COLIMA_STOP,
            Run(
                "Start it with Rosetta; Colima keeps that in its settings.",
                &["colima", "start", "--profile", "{instance}", "--vz-rosetta"],
            ),
        ],
        STOPS,
    ),
    recipe(
        "colima",
        RosettaOff,
        any,
        Certain,
        &[
            COLIMA_STOP,
            Run(
                "Start it without Rosetta; Colima keeps that in its settings.",
                &["colima", "start", "--profile", "{instance}", "--vz-rosetta=false"],
            ),
        ],
        STOPS,
    ),
    recipe(
        "colima",
        Restart,
        any,
        Certain,
        &[Run("Restart the profile.", &["colima", "restart", "--profile", "{instance}"])],
        STOPS,
    ),
    recipe(
        "lima",
        RosettaOn,
        wrong_machine,
        Certain,
        &[Run(
            "Make a second instance: the kind and architecture of a machine cannot be changed.",
            &["limactl", "start", "--name", "docker-rosetta", "--vm-type=vz", "--rosetta", "template://docker"],
        )],
        NEW_MACHINE,
    ),
    recipe(
        "lima",
        RosettaOn,
        any,
        Certain,
        &[LIMA_STOP, Run("Set it.", &["limactl", "edit", "{instance}", "--rosetta"]), LIMA_START],
        STOPS,
    ),
    recipe(
        "lima",
        RosettaOff,
        any,
        Likely,
        &[LIMA_STOP, Run("Set it.", &["limactl", "edit", "{instance}", "--rosetta=false"]), LIMA_START],
        STOPS,
    ),
    recipe("lima", Restart, any, Certain, &[LIMA_STOP, LIMA_START], STOPS),
    recipe(
        "rancher-desktop",
        RosettaOn,
        any,
        Certain,
        &[Run(
            "Set both; Rancher Desktop restarts its machine by itself.",
            &["rdctl", "set", "--virtual-machine.type", "vz", "--virtual-machine.use-rosetta"],
        )],
        "The machine restarts, Kubernetes with it. Images and volumes stay; leaving QEMU as the kind of machine makes a new \
         disk if it was never vz before.",
    ),
    recipe(
        "rancher-desktop",
        RosettaOff,
        any,
        Certain,
        &[Run(
            "Set it; Rancher Desktop restarts its machine by itself.",
            &["rdctl", "set", "--virtual-machine.use-rosetta=false"],
        )],
        "The machine restarts, Kubernetes with it. Images and volumes stay.",
    ),
    recipe(
        "rancher-desktop",
        Restart,
        any,
        Likely,
        &[Run("Stop Rancher Desktop.", &["rdctl", "shutdown"]), Run("Start it again.", &["rdctl", "start"])],
        STOPS,
    ),
    recipe(
        "podman",
        RosettaOn,
        wrong_type,
        Likely,
        &[
            Say(
                "In ~/.config/containers/containers.conf set, below [machine], provider = \"applehv\" and rosetta = true. \
                 An existing machine keeps its provider.",
            ),
            Run("Make a new machine.", &["podman", "machine", "init", "rosetta"]),
            PODMAN_STOP,
            Run("Start the new one.", &["podman", "machine", "start", "rosetta"]),
        ],
        NEW_MACHINE,
    ),
    recipe(
        "podman",
        RosettaOn,
        not_activated,
        Certain,
        &[
            Run(
                "Leave the mark that this machine's image looks for (macOS 26 and later).",
                &["podman", "machine", "ssh", "{instance}", "sudo", "touch", "/etc/containers/enable-rosetta"],
            ),
            PODMAN_STOP,
            PODMAN_START,
        ],
        STOPS,
    ),
    recipe(
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
        STOPS,
    ),
    recipe(
        "podman",
        RosettaOff,
        any,
        Likely,
        &[
            Say("In ~/.config/containers/containers.conf set, below [machine], rosetta = false."),
            PODMAN_STOP,
            PODMAN_START,
        ],
        STOPS,
    ),
    recipe("podman", Restart, any, Certain, &[PODMAN_STOP, PODMAN_START], STOPS),
    recipe(
        "finch",
        RosettaOn,
        any,
        Certain,
        &[
            Say(
                "In {file} set rosetta: true; Finch then takes vz as the kind of machine. It counts only for a new machine.",
            ),
            Run("Stop the machine.", &["finch", "vm", "stop"]),
            Run("Remove it.", &["finch", "vm", "remove"]),
            Run("Make it anew.", &["finch", "vm", "init"]),
        ],
        "The machine is made anew: look first at what of its containers, images and volumes you need.",
    ),
    recipe(
        "finch",
        RosettaOff,
        any,
        Certain,
        &[
            Say("In {file} set rosetta: false. It counts only for a new machine."),
            Run("Stop the machine.", &["finch", "vm", "stop"]),
            Run("Remove it.", &["finch", "vm", "remove"]),
            Run("Make it anew.", &["finch", "vm", "init"]),
        ],
        "The machine is made anew: look first at what of its containers, images and volumes you need.",
    ),
    recipe(
        "finch",
        Restart,
        any,
        Certain,
        &[Run("Stop the machine.", &["finch", "vm", "stop"]), Run("Start it again.", &["finch", "vm", "start"])],
        STOPS,
    ),
];

/// The row for this change under these settings.
///
/// # Errors
/// A lock, a Mac or a runtime that cannot have it, or a runtime without a row.
pub fn find(settings: &RuntimeSettings, change: Change) -> Result<&'static Recipe, Refusal> {
    let refuse = |why: String| Err(Refusal { why });
    if change != Change::Restart
        && let Some(lock) = settings.locks.first()
    {
        return refuse(format!("{} fixes {}; whoever manages this Mac has to change it", lock.place, lock.key));
    }
    if change == Change::RosettaOn {
        let hard = [ObstacleKind::Processor, ObstacleKind::MacOs];
        if let Some(obstacle) = settings.obstacles.iter().find(|o| hard.contains(&o.kind)) {
            return refuse(obstacle.text.clone());
        }
    }
    let mut rows = RECIPES.iter().filter(|row| row.runtime == settings.runtime && row.change == change);
    match rows.find(|row| (row.when)(settings)) {
        Some(row) => Ok(row),
        None => refuse(format!("{} has no switch for it that is known here", settings.name)),
    }
}

impl Recipe {
    /// The row as steps, for these settings.
    pub fn steps(&self, settings: &RuntimeSettings) -> Vec<Step> {
        let fill = |text: &str| {
            let instance = settings.instance.as_deref().unwrap_or("default");
            let file = settings.emulator.known().map(|s| s.place.as_str());
            let file = file.filter(|place| place.starts_with('/')).unwrap_or("its settings file");
            text.replace("{instance}", instance).replace("{file}", file)
        };
        let step = |line: &Line| match line {
            Run(text, words) => {
                Step::Tell { text: fill(text), commands: vec![words.iter().map(|word| fill(word)).collect()] }
            }
            Say(text) => Step::Tell { text: fill(text), commands: Vec::new() },
        };
        self.lines.iter().map(step).collect()
    }

    /// What pressing the button means: for now every row is read and run by a person.
    pub fn safety(&self) -> Safety {
        Safety::ShowOnly
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        example_emulation::{obstacle, settings},
        runtime::SettingLock,
    };

    fn commands(settings: &RuntimeSettings, change: Change) -> Vec<String> {
        let steps = find(settings, change).unwrap().steps(settings);
        let lines = steps.into_iter().flat_map(|step| match step {
            Step::Tell { commands, .. } => commands,
            _ => Vec::new(),
        });
        lines.map(|words| words.join(" ")).collect()
    }

    #[test]
    fn each_runtime_is_changed_in_its_safe_order() {
        let work = settings("colima", Some("work"));
        assert_eq!(
            commands(&work, Change::RosettaOn),
            ["colima stop --profile work", "colima start --profile work --vz-rosetta"]
        );
        let box1 = settings("lima", Some("box"));
        assert_eq!(
            commands(&box1, Change::RosettaOn),
            ["limactl stop box", "limactl edit box --rosetta", "limactl start box"]
        );
        let desktop = settings("docker-desktop", None);
        assert_eq!(commands(&desktop, Change::RosettaOff), ["docker desktop stop", "docker desktop start"]);
        let Step::Tell { text, .. } = &find(&desktop, Change::RosettaOn).unwrap().steps(&desktop)[2] else { panic!() };
        assert!(text.contains("/Users/sam/settings") && text.contains("every other key"), "{text}");
    }

    #[test]
    fn another_kind_of_machine_takes_another_way() {
        let mut podman = settings("podman", Some("podman-machine-default"));
        podman.obstacles = vec![obstacle(ObstacleKind::NotActivated)];
        assert!(commands(&podman, Change::RosettaOn)[0].ends_with("sudo touch /etc/containers/enable-rosetta"));
        podman.obstacles = vec![obstacle(ObstacleKind::VmType)];
        assert!(commands(&podman, Change::RosettaOn).contains(&"podman machine init rosetta".to_owned()));
        let mut colima = settings("colima", Some("work"));
        colima.obstacles = vec![obstacle(ObstacleKind::VmArchitecture)];
        assert_eq!(commands(&colima, Change::RosettaOn).len(), 1);
    }

    #[test]
    fn locks_and_hard_limits_refuse() {
        let mut desktop = settings("docker-desktop", None);
        desktop.locks =
            vec![SettingLock { place: "/admin.json".to_owned(), key: "useRosetta".to_owned(), value: None }];
        for change in [Change::RosettaOn, Change::RosettaOff] {
            assert!(find(&desktop, change).unwrap_err().why.contains("/admin.json"));
        }
        assert!(find(&desktop, Change::Restart).is_ok(), "a lock forbids no restart");
        let mut old = settings("orbstack", None);
        old.obstacles = vec![obstacle(ObstacleKind::MacOs)];
        assert!(find(&old, Change::RosettaOn).is_err());
        assert!(find(&old, Change::RosettaOff).is_ok());
        assert!(find(&settings("apple-container", None), Change::RosettaOn).is_err());
    }

    #[test]
    fn every_runtime_with_a_switch_can_be_turned_both_ways_and_over() {
        for row in RECIPES {
            for change in [Change::RosettaOn, Change::RosettaOff, Change::Restart] {
                assert!(find(&settings(row.runtime, Some("x")), change).is_ok(), "{} {change:?}", row.runtime);
            }
            assert!(row.lines.iter().all(|line| !matches!(line, Run(_, words) if words.is_empty())));
        }
    }
}
