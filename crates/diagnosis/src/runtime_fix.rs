//! How each runtime's emulator is turned on, off and over: which row of commands fits, the rules that refuse, and the
//! way back. What the commands are stands in `rows`; registering an emulator on an engine, in `register`.
//!
//! Nothing is carried out here. What a row costs is said with it, because every change restarts a machine and with it
//! all its containers.

mod image_store;
mod register;
mod rows;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    emulation::kernel_rule,
    fact::Fact,
    finding::Confidence,
    fix::{BackStep, CommandKind, RuntimeChange, Safety, SettingValue, Step},
    inventory::Inventory,
    runtime::{EmulatorChoice, ObstacleKind, RuntimeSettings, Setting, SettingLock},
};

pub use image_store::image_store;
pub use register::register;
pub use rows::RECIPES;

/// What is asked of a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Let Rosetta run Intel programs.
    RosettaOn,
    /// Let QEMU run them.
    RosettaOff,
    /// Switch Rosetta off and on again.
    Toggle,
    /// Start the machine anew and change nothing.
    Restart,
    /// Register QEMU on the engine.
    Register,
    /// Make a builder of buildx.
    Builder,
    /// Keep images in containerd's store, where a tag holds several platforms.
    ContainerdStore,
}

impl Change {
    /// The emulator that is set, and is to run, afterwards.
    pub fn emulator(self) -> Option<EmulatorChoice> {
        match self {
            Self::RosettaOn | Self::Toggle => Some(EmulatorChoice::Rosetta),
            Self::RosettaOff => Some(EmulatorChoice::Qemu),
            Self::Restart | Self::Register | Self::Builder | Self::ContainerdStore => None,
        }
    }

    /// A setting that somebody has fixed stands in its way.
    fn concerned_by(self, lock: &SettingLock) -> bool {
        let of_store = lock.key.to_ascii_lowercase().contains("snapshotter");
        of_store == (self == Self::ContainerdStore)
    }

    /// Something is other than before, and can be taken back.
    pub fn lasts(self) -> bool {
        matches!(self, Self::RosettaOn | Self::RosettaOff | Self::Register | Self::Builder | Self::ContainerdStore)
    }
}

/// One line of a row. `{instance}` stands for the profile, instance or machine, `{file}` for the settings file.
#[derive(Debug, Clone, Copy)]
pub enum Line {
    /// A command, as its words.
    Run(CommandKind, &'static str, &'static [&'static str]),
    /// Switches of the settings file, as its newer form spells them.
    Edit(&'static [(&'static str, bool)]),
    /// Something only a person does.
    Say(&'static str),
}

/// A line of the way back, needed once this line of the row was begun.
#[derive(Debug, Clone, Copy)]
pub struct Back(u32, Line);

/// How one runtime does one change.
#[derive(Debug)]
pub struct Recipe {
    /// Runtime id.
    pub runtime: &'static str,
    /// Which change.
    pub change: Change,
    /// Whether the row is for settings like these. The first row that is, is taken.
    when: fn(&RuntimeSettings) -> bool,
    /// What is done, in order. A row with something that only a person does is shown and never run.
    pub lines: &'static [Line],
    /// What brings back how it was.
    pub back: &'static [Back],
    /// What stops meanwhile, and what is lost.
    pub cost: &'static str,
    /// How sure it is that this is the way.
    pub confidence: Confidence,
    /// The clicks that do the same.
    pub by_hand: Option<&'static str>,
    /// The restart goes on after the last command has returned.
    pub in_background: bool,
}

/// A recipe made out for one runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// What it costs.
    pub summary: String,
    /// What pressing the button means.
    pub safety: Safety,
    /// What is done.
    pub steps: Vec<Step>,
    /// Which change it is, where it is run.
    pub runtime: Option<RuntimeChange>,
}

impl Prepared {
    /// With a further cost.
    #[must_use]
    pub fn warned(mut self, warning: &str) -> Self {
        self.summary = format!("{} {warning}", self.summary);
        self
    }
}

/// Why a change cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In a sentence.
    pub why: String,
}

fn refuse<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { why: why.into() })
}

/// The row for this change under these settings.
fn find(settings: &RuntimeSettings, change: Change) -> Result<&'static Recipe, Refusal> {
    if change != Change::Restart
        && let Some(lock) = settings.locks.iter().find(|lock| change.concerned_by(lock))
    {
        return refuse(format!("{} fixes {}; whoever manages this Mac has to change it", lock.place, lock.key));
    }
    if change == Change::RosettaOn {
        let hard = [ObstacleKind::Processor, ObstacleKind::MacOs];
        if let Some(obstacle) = settings.obstacles.iter().find(|o| hard.contains(&o.kind)) {
            return refuse(obstacle.text.clone());
        }
    }
    if settings.instance.as_ref().is_some_and(|name| name.starts_with('-')) {
        return refuse(format!("{} would be taken for an option", settings.name));
    }
    let mut rows = RECIPES.iter().filter(|row| row.runtime == settings.runtime && row.change == change);
    match rows.find(|row| (row.when)(settings)) {
        Some(row) => Ok(row),
        None => refuse(format!("{} has no switch for it that is known here", settings.name)),
    }
}

/// A change made out for these settings.
///
/// # Errors
/// A lock, a Mac or a runtime that cannot have it, or a runtime without a row.
pub fn prepare(settings: &RuntimeSettings, change: Change) -> Result<Prepared, Refusal> {
    if change == Change::Toggle {
        return toggle(settings);
    }
    let recipe = find(settings, change)?;
    Ok(match recipe.runs(settings) {
        true => Prepared {
            summary: recipe.cost.to_owned(),
            safety: Safety::Review,
            steps: recipe.lines.iter().map(|line| step(line, settings)).collect(),
            runtime: Some(recipe.runtime_change(settings, change)),
        },
        false => Prepared {
            summary: recipe.cost.to_owned(),
            safety: Safety::ShowOnly,
            steps: recipe.shown(settings),
            runtime: None,
        },
    })
}

/// Off and on again. If that fails in between, the way back from "off" leads to "on".
fn toggle(settings: &RuntimeSettings) -> Result<Prepared, Refusal> {
    let (off, on) = (find(settings, Change::RosettaOff)?, find(settings, Change::RosettaOn)?);
    if off.in_background {
        return refuse(format!("{} restarts by itself, and would be asked again in the middle of it", settings.name));
    }
    if !off.runs(settings) || !on.runs(settings) {
        let mut steps = off.shown(settings);
        steps.extend(on.shown(settings));
        return Ok(Prepared { summary: on.cost.to_owned(), safety: Safety::ShowOnly, steps, runtime: None });
    }
    let lines = off.lines.iter().chain(on.lines);
    Ok(Prepared {
        summary: format!("It restarts twice. {}", on.cost),
        safety: Safety::Review,
        steps: lines.map(|line| step(line, settings)).collect(),
        runtime: Some(RuntimeChange { change: Change::Toggle, ..off.runtime_change(settings, Change::Toggle) }),
    })
}

/// A change of this engine's runtime, where the Mac, the engine's kernel and the settings allow it.
///
/// # Errors
/// What forbids it.
pub fn offer(inventory: &Inventory, change: Change) -> Result<Prepared, Refusal> {
    let settings = match inventory.emulation.settings_of(&inventory.engine) {
        Ok(settings) => settings,
        Err(gap) => return refuse(format!("{}: {}", gap.what, gap.why)),
    };
    if change.emulator() == Some(EmulatorChoice::Rosetta) {
        if inventory.emulation.rosetta.known().is_some_and(|rosetta| !rosetta.present) {
            return refuse("Rosetta is not installed on this Mac");
        }
        if let Ok(Some(rule)) = kernel_rule(inventory) {
            return refuse(format!("this kernel needs the Rosetta of macOS {}", rule.macos));
        }
        let known = settings.emulator.known().map(|set| set.value);
        // Asking for what is set already changes nothing, unless something is in its way.
        if change == Change::RosettaOn && known == Some(EmulatorChoice::Rosetta) && settings.obstacles.is_empty() {
            return refuse("Rosetta is set already");
        }
        if change == Change::Toggle && (known != Some(EmulatorChoice::Rosetta) || !settings.obstacles.is_empty()) {
            return refuse("Rosetta is not set, or something is in its way");
        }
    }
    prepare(settings, change)
}

/// The settings file: a place that is a file, of the emulator's or the machine's setting.
fn settings_file(settings: &RuntimeSettings) -> Option<&str> {
    let places = [place(&settings.emulator), place(&settings.vm_type)];
    places.into_iter().flatten().find(|place| place.starts_with('/'))
}

fn place<T>(fact: &Fact<Setting<T>>) -> Option<&str> {
    fact.known().map(|setting| setting.place.as_str())
}

fn fill(text: &str, settings: &RuntimeSettings) -> String {
    let instance = settings.instance.as_deref().unwrap_or("default");
    text.replace("{instance}", instance).replace("{file}", settings_file(settings).unwrap_or("its settings file"))
}

/// Docker Desktop's older settings file spells the same keys with a small first letter.
fn spelled(key: &str, file: &str) -> String {
    if file.ends_with("/settings-store.json") {
        return key.to_owned();
    }
    let mut letters = key.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn step(line: &Line, settings: &RuntimeSettings) -> Step {
    match line {
        Line::Run(does, text, words) => Step::RuntimeCommand {
            text: fill(text, settings),
            argv: words.iter().map(|word| fill(word, settings)).collect(),
            does: *does,
            says: None,
        },
        Line::Edit(switches) => {
            let path = settings_file(settings).unwrap_or_default().to_owned();
            let value = |(key, value): &(&str, bool)| SettingValue { key: spelled(key, &path), value: *value };
            Step::EditSettings { values: switches.iter().map(value).collect(), path }
        }
        Line::Say(text) => Step::Tell { text: fill(text, settings), commands: Vec::new() },
    }
}

impl Recipe {
    /// Every line can be carried out here.
    fn runs(&self, settings: &RuntimeSettings) -> bool {
        self.lines.iter().all(|line| match line {
            Line::Run(..) => true,
            Line::Edit(_) => settings_file(settings).is_some(),
            Line::Say(_) => false,
        })
    }

    fn runtime_change(&self, settings: &RuntimeSettings, change: Change) -> RuntimeChange {
        RuntimeChange {
            runtime: settings.runtime.clone(),
            name: settings.name.clone(),
            instance: settings.instance.clone(),
            change,
            in_background: self.in_background,
            back: self
                .back
                .iter()
                .map(|Back(from, line)| BackStep { from: *from, step: step(line, settings) })
                .collect(),
        }
    }

    /// The row for a person to carry out.
    fn shown(&self, settings: &RuntimeSettings) -> Vec<Step> {
        let tell = |text: String, commands| Step::Tell { text, commands };
        let clicks = self.by_hand.map(|text| tell(format!("By hand: {text} Or in this order:"), Vec::new()));
        let lines = self.lines.iter().map(|line| match step(line, settings) {
            Step::RuntimeCommand { text, argv, .. } => tell(text, vec![argv]),
            Step::EditSettings { values, .. } => {
                let each = |v: &SettingValue| format!("\"{}\": {}", v.key, v.value);
                let values: Vec<String> = values.iter().map(each).collect();
                let file = fill("{file}", settings);
                tell(format!("In {file} set {}, and leave every other key as it is.", values.join(" and ")), Vec::new())
            }
            other => other,
        });
        clicks.into_iter().chain(lines).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        example_emulation::{mac, obstacle, settings},
        runtime::VmType,
    };

    /// Commands as lines; an edit of a settings file in brackets.
    fn line(step: &Step) -> Option<String> {
        match step {
            Step::RuntimeCommand { argv, .. } => Some(argv.join(" ")),
            Step::EditSettings { values, .. } => Some(format!(
                "[{}]",
                values.iter().map(|v| format!("{}={}", v.key, v.value)).collect::<Vec<_>>().join(" ")
            )),
            Step::Tell { commands, .. } => commands.first().map(|argv| argv.join(" ")),
            _ => None,
        }
    }

    fn lines(prepared: &Prepared) -> Vec<String> {
        prepared.steps.iter().filter_map(line).collect()
    }

    /// What brings it back when the first `reached` steps were begun.
    fn back(prepared: &Prepared, reached: u32) -> Vec<String> {
        let all = &prepared.runtime.as_ref().unwrap().back;
        all.iter().filter(|b| b.from < reached).filter_map(|b| line(&b.step)).collect()
    }

    fn of(runtime: &str, change: Change) -> Prepared {
        prepare(&settings(runtime, Some("work")), change).unwrap()
    }

    #[test]
    fn each_runtime_is_changed_in_its_safe_order_and_back() {
        let (on, off, over) = (Change::RosettaOn, Change::RosettaOff, Change::Restart);
        let rosetta = "[UseVirtualizationFramework=true UseVirtualizationFrameworkRosetta=true]";
        for (runtime, change, forward, whole_back) in [
            (
                "docker-desktop",
                on,
                vec!["docker desktop stop", rosetta, "docker desktop start"],
                vec!["docker desktop stop", rosetta, "docker desktop start"],
            ),
            ("docker-desktop", over, vec!["docker desktop restart"], vec!["docker desktop start"]),
            (
                "orbstack",
                on,
                vec!["orb config set rosetta true", "orb stop", "orb start"],
                vec!["orb config set rosetta false", "orb stop", "orb start"],
            ),
            ("orbstack", over, vec!["orb stop", "orb start"], vec!["orb start"]),
            (
                "colima",
                on,
                vec!["colima stop --profile work", "colima start --profile work --vz-rosetta"],
                vec!["colima stop --profile work", "colima start --profile work --vz-rosetta=false"],
            ),
            ("colima", over, vec!["colima restart --profile work"], vec!["colima start --profile work"]),
            (
                "lima",
                off,
                vec!["limactl stop work", "limactl edit work --rosetta=false", "limactl start work"],
                vec!["limactl stop work", "limactl edit work --rosetta", "limactl start work"],
            ),
            (
                "rancher-desktop",
                on,
                vec!["rdctl set --virtual-machine.use-rosetta"],
                vec!["rdctl set --virtual-machine.use-rosetta=false"],
            ),
            (
                "podman",
                over,
                vec!["podman machine stop work", "podman machine start work"],
                vec!["podman machine start work"],
            ),
            ("finch", over, vec!["finch vm stop", "finch vm start"], vec!["finch vm start"]),
        ] {
            let prepared = of(runtime, change);
            assert_eq!(
                (prepared.safety, lines(&prepared)),
                (Safety::Review, forward.iter().map(|l| (*l).to_owned()).collect()),
                "{runtime} {change:?}"
            );
            assert_eq!(back(&prepared, u32::MAX), whole_back, "{runtime} {change:?}");
        }
        // Nothing is stopped on the way back that was not started.
        let first = |runtime, reached| back(&of(runtime, on), reached);
        assert_eq!(first("docker-desktop", 1), ["docker desktop start"]);
        assert_eq!(first("docker-desktop", 2), [rosetta, "docker desktop start"]);
        assert_eq!(first("orbstack", 1), ["orb config set rosetta false"]);
        assert_eq!(first("colima", 1), ["colima start --profile work --vz-rosetta=false"]);
    }

    #[test]
    fn off_and_on_again_ends_on_whatever_happens() {
        let toggled = of("lima", Change::Toggle);
        assert_eq!(lines(&toggled).len(), 6);
        assert_eq!(lines(&toggled)[4], "limactl edit work --rosetta");
        assert_eq!(back(&toggled, 2), ["limactl edit work --rosetta", "limactl start work"]);
        assert!(prepare(&settings("rancher-desktop", None), Change::Toggle).is_err(), "it restarts by itself");
        assert_eq!(of("finch", Change::Toggle).safety, Safety::ShowOnly);
    }

    #[test]
    fn another_kind_of_machine_takes_another_way_and_a_person() {
        let mut podman = settings("podman", Some("podman-machine-default"));
        podman.obstacles = vec![obstacle(ObstacleKind::NotActivated)];
        let marked = prepare(&podman, Change::RosettaOn).unwrap();
        assert!(lines(&marked)[0].ends_with("sudo touch /etc/containers/enable-rosetta"));
        assert_eq!(marked.safety, Safety::Review);
        for (runtime, kind, says) in [
            ("podman", ObstacleKind::VmType, "podman machine init rosetta"),
            (
                "colima",
                ObstacleKind::VmArchitecture,
                "colima start --profile rosetta --arch aarch64 --vm-type vz --vz-rosetta",
            ),
            ("colima", ObstacleKind::NotActivated, "softwareupdate --install-rosetta"),
            ("lima", ObstacleKind::Mode, "limactl stop x"),
            (
                "rancher-desktop",
                ObstacleKind::VmType,
                "rdctl set --virtual-machine.type vz --virtual-machine.use-rosetta",
            ),
        ] {
            let mut settings = settings(runtime, Some("x"));
            settings.obstacles = vec![obstacle(kind)];
            let shown = prepare(&settings, Change::RosettaOn).unwrap();
            assert_eq!((shown.safety, shown.runtime.is_none()), (Safety::ShowOnly, true), "{runtime}");
            assert!(lines(&shown).iter().any(|line| line == says), "{runtime}: {:?}", lines(&shown));
        }
        let mut vmm = settings("docker-desktop", None);
        vmm.vm_type = Fact::Known(crate::example_emulation::setting(VmType::DockerVmm));
        vmm.obstacles = vec![obstacle(ObstacleKind::VmType)];
        let shown = prepare(&vmm, Change::RosettaOn).unwrap();
        let Step::Tell { text, .. } = &shown.steps[0] else { panic!("{shown:?}") };
        assert!(text.starts_with("By hand: Settings, General"), "{text}");
        assert_eq!(shown.safety, Safety::ShowOnly, "leaving Docker VMM is the user's to decide");
    }

    #[test]
    fn an_unread_or_older_settings_file_is_minded() {
        let mut desktop = settings("docker-desktop", None);
        desktop.version = Some("4.36.0".to_owned());
        assert_eq!(prepare(&desktop, Change::RosettaOn).unwrap().safety, Safety::ShowOnly, "no docker desktop command");
        desktop.version = Some("4.91.0".to_owned());
        if let Fact::Known(set) = &mut desktop.emulator {
            set.place = "/Users/sam/settings.json".to_owned();
        }
        let older = prepare(&desktop, Change::RosettaOff).unwrap();
        assert_eq!(lines(&older)[1], "[useVirtualizationFrameworkRosetta=false]");
        desktop.emulator = Fact::unknown("the emulator", "not read");
        desktop.vm_type = Fact::unknown("the machine", "not read");
        let unread = prepare(&desktop, Change::RosettaOff).unwrap();
        assert_eq!(unread.safety, Safety::ShowOnly);
        assert!(unread.steps.iter().any(|s| s.title().contains("In its settings file set")), "{unread:?}");
    }

    #[test]
    fn locks_and_hard_limits_refuse() {
        let mut desktop = settings("docker-desktop", None);
        desktop.locks =
            vec![SettingLock { place: "/admin.json".to_owned(), key: "useRosetta".to_owned(), value: None }];
        for change in [Change::RosettaOn, Change::RosettaOff, Change::Toggle] {
            assert!(prepare(&desktop, change).unwrap_err().why.contains("/admin.json"));
        }
        assert!(prepare(&desktop, Change::Restart).is_ok(), "a lock forbids no restart");
        let mut old = settings("orbstack", None);
        old.obstacles = vec![obstacle(ObstacleKind::MacOs)];
        assert!(prepare(&old, Change::RosettaOn).is_err());
        assert!(prepare(&old, Change::RosettaOff).is_ok());
        assert!(prepare(&settings("apple-container", None), Change::RosettaOn).is_err());
        assert!(prepare(&settings("lima", Some("--all")), Change::Restart).is_err(), "a name is no option");
    }

    #[test]
    fn what_the_mac_and_the_kernel_cannot_do_is_not_offered() {
        let qemu = mac(EmulatorChoice::Qemu, "qemu");
        assert!(offer(&qemu, Change::RosettaOn).is_ok());
        assert!(offer(&qemu, Change::Toggle).is_err(), "it is off");
        let mut old = qemu.clone();
        old.host.os_version = Some("15.7.2".to_owned());
        assert!(offer(&old, Change::RosettaOn).unwrap_err().why.contains("macOS 26"));
        assert!(offer(&old, Change::RosettaOff).is_ok());
        let mut without = qemu;
        if let Fact::Known(rosetta) = &mut without.emulation.rosetta {
            rosetta.present = false;
        }
        assert!(offer(&without, Change::RosettaOn).is_err());
        let on = mac(EmulatorChoice::Rosetta, "none");
        assert!(offer(&on, Change::RosettaOn).unwrap_err().why.contains("already"));
        assert!(offer(&on, Change::Toggle).is_ok());
    }

    #[test]
    fn every_runtime_with_a_switch_can_be_turned_both_ways_and_over() {
        for row in RECIPES {
            for change in [Change::RosettaOn, Change::RosettaOff, Change::Restart] {
                assert!(prepare(&settings(row.runtime, Some("x")), change).is_ok(), "{} {change:?}", row.runtime);
            }
            let runs = !row.lines.iter().any(|line| matches!(line, Line::Say(_)));
            assert_eq!(runs, !row.back.is_empty(), "{} {:?}: what runs has a way back", row.runtime, row.change);
        }
    }
}
