//! Something here is built for a platform that nothing on this engine runs.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always},
    emulation::{INTEL, asking_for, asking_words, configured},
    example::{container, foreign_to, inventory},
    example_emulation::{mac, proven},
    fact::Fact,
    finding::{Confidence, Finding, Severity, Subject, SubjectKind},
    fix::{Safety, Step},
    inventory::{Inventory, Listing},
    platform::Platform,
    runtime::EmulatorChoice,
    runtime_fix::{Change, offer, register},
    text::list,
};

/// The check.
pub static CHECK: Check = Check {
    id: "emulator-missing",
    title: "Nothing on this engine runs programs of a platform that is needed here",
    why: "Containers of that platform end at once with \"exec format error\". Usually the runtime had an emulator and lost it: \
          a privileged container displaced it, or an update did. Restart the runtime, or switch its emulation off and on.",
    severity: Severity::Broken,
    needs: &[Need::EnginePlatform, Need::Containers, Need::EffectiveEmulator],
    applies: always,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "a Mac's machine lost its Intel emulator", verdict: Verdict::Fires, inventory: lost },
        Example { name: "an Intel server without one for ARM", verdict: Verdict::Fires, inventory: server },
        Example { name: "QEMU is there", verdict: Verdict::Silent, inventory: there },
        Example { name: "nothing here needs one", verdict: Verdict::Silent, inventory: not_needed },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let inventory = context.inventory;
    let proven = inventory.emulation.effective.known().into_iter().flatten();
    let mut missing: Vec<(&Platform, Vec<String>)> = Vec::new();
    let mut evidence = Vec::new();
    for found in proven.filter(|found| !found.works()) {
        let names = asking_for(context, &found.platform.architecture);
        if names.is_empty() {
            continue;
        }
        evidence.extend(found.evidence.iter().cloned());
        evidence.push(asking_words(&names, &found.platform.to_string()));
        missing.push((&found.platform, names));
    }
    if missing.is_empty() {
        return Vec::new();
    }
    let platforms: Vec<String> = missing.iter().map(|(platform, _)| platform.to_string()).collect();
    let all: Vec<String> = missing.iter().flat_map(|(_, names)| names.clone()).collect();
    let finding = context.finding(
        &CHECK,
        Confidence::Certain,
        Subject::new(SubjectKind::Engine, &inventory.engine.endpoint),
        Words {
            title: format!("Nothing here runs {} programs", list(&platforms)),
            why: format!("What needs it ends with \"exec format error\": {}.", list(&all)),
            evidence,
        },
    );
    let architectures: Vec<&str> = missing.iter().map(|(platform, _)| platform.architecture.as_str()).collect();
    vec![with_fixes(context, finding, &architectures)]
}

/// The runtime's own ways first: what it brings back, it also keeps in order.
pub(crate) fn with_fixes(context: &Context<'_>, mut finding: Finding, architectures: &[&str]) -> Finding {
    let inventory = context.inventory;
    let engine = &inventory.engine;
    let runtime = &engine.runtime.name;
    if inventory.emulation.settings_of(engine).is_ok() {
        for (change, title) in [
            (Change::Restart, format!("Restart {runtime}, which brings its emulator back")),
            (Change::Toggle, format!("Switch Rosetta off and on in {runtime}")),
        ] {
            if let Ok(prepared) = offer(inventory, change) {
                finding = finding.with_recipe(title, prepared);
            }
        }
    } else if engine.runtime.mac_virtual_machine {
        let text =
            format!("Restart {runtime}. If that does not help, switch its emulation off and on in its settings.");
        let step = Step::Tell { text, commands: Vec::new() };
        let cost = "All containers of this engine stop. Images and volumes stay.";
        finding = finding.with_fix(format!("Restart {runtime}"), cost, Safety::ShowOnly, vec![step]);
    }
    // On a Mac, Intel programs may be Rosetta's, and a handler registered over it would displace it for everybody.
    let free = |architecture: &&&str| {
        let qemu_is_set = matches!(configured(inventory), Ok((_, EmulatorChoice::Qemu | EmulatorChoice::None)));
        **architecture != INTEL || !engine.runtime.mac_virtual_machine || qemu_is_set
    };
    let mine: Vec<&str> = architectures.iter().filter(free).copied().collect();
    match register(inventory, &mine) {
        Some(prepared) => {
            finding.with_recipe(format!("Register QEMU for {} on this engine", mine.join(", ")), prepared)
        }
        None => finding,
    }
}

fn lost() -> Inventory {
    mac(EmulatorChoice::Rosetta, "none")
}
fn server() -> Inventory {
    let mut seen = inventory("amd64");
    seen.engine.runtime.id = "docker-engine".to_owned();
    seen.engine.runtime.mac_virtual_machine = false;
    let foreign = foreign_to("amd64");
    seen.emulation.effective = Fact::Known(proven(foreign, "none").into_iter().collect());
    seen.containers = Listing::of(vec![container("db").platform(foreign).stopped().build()]);
    seen
}
fn there() -> Inventory {
    mac(EmulatorChoice::Qemu, "qemu")
}
fn not_needed() -> Inventory {
    let mut seen = lost();
    seen.containers = Listing::of(vec![container("web").build()]);
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(seen: &Inventory) -> Vec<String> {
        let fixes = crate::examine(seen).findings.into_iter().filter(|f| f.check == CHECK.id).flat_map(|f| f.fixes);
        let steps = fixes.flat_map(|fix| fix.steps).flat_map(|step| match step {
            Step::Tell { commands, .. } => commands,
            Step::RuntimeCommand { argv, .. } => vec![argv],
            _ => Vec::new(),
        });
        steps.map(|words| words.join(" ")).collect()
    }

    #[test]
    fn the_runtimes_own_way_comes_first_and_rosetta_is_never_displaced() {
        let found = commands(&lost());
        assert_eq!(found[0], "docker desktop restart");
        assert!(found.iter().all(|line| !line.contains("binfmt")), "{found:?}");
        let mut unknown = lost();
        unknown.emulation.runtimes = Fact::unknown("settings", "not read");
        assert_eq!(commands(&unknown), Vec::<String>::new(), "Rosetta may be set");
        assert!(commands(&server())[0].ends_with("tonistiigi/binfmt --install arm64"));
        assert!(commands(&mac(EmulatorChoice::Qemu, "none")).iter().any(|line| line.ends_with("--install amd64")));
    }
}
