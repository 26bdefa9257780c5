//! A container failed in a way that its emulator is known for.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always, container_subject},
    crash::{CrashMatch, signal},
    emulation::ended_badly,
    emulator::display_name,
    example::container,
    example_emulation::stopped,
    execution::{ContainerExecution, Expected},
    fact::Fact,
    finding::{Confidence, Evidence, Finding, Severity},
    fix::{Safety, Step},
    inventory::{Container, Inventory, Listing},
    runtime::NO_EMULATOR,
};

/// The check.
pub static CHECK: Check = Check {
    id: "crash-under-emulation",
    title: "A container failed in a way that emulation is known for",
    why: "The log holds words that this emulator prints when it gives up, or the container ended with a signal that emulation \
          raises. The program itself may be in order. A native image is the way out; else the other emulator, where it can be \
          had.",
    severity: Severity::Broken,
    needs: &[Need::EnginePlatform, Need::Containers, Need::ContainerPlatform, Need::CrashLogs],
    applies: always,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "QEMU says it caught a fault", verdict: Verdict::Fires, inventory: fault },
        Example { name: "ended with 139 and the log was not read", verdict: Verdict::Fires, inventory: code_only },
        Example { name: "an Intel tool in an ARM image finds no loader", verdict: Verdict::Fires, inventory: tool },
        Example { name: "ended with 1 and says why", verdict: Verdict::Silent, inventory: own_fault },
        Example { name: "a native container ended with 139", verdict: Verdict::Silent, inventory: native },
        Example { name: "stopped by somebody", verdict: Verdict::Silent, inventory: killed },
        Example { name: "a harmless note of jemalloc", verdict: Verdict::Silent, inventory: harmless },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    context.containers.iter().filter_map(|(container, execution)| judge(context, container, execution)).collect()
}

fn judge(context: &Context<'_>, container: &Container, execution: &ContainerExecution) -> Option<Finding> {
    let foreign = execution.expected == Fact::Known(Expected::Emulated);
    match context.inventory.emulation.crash_of(&container.name) {
        Some(crash) => {
            // Words that name an emulator tell of a foreign program, also in a native image.
            let counts = |m: &&CrashMatch| {
                let named = m.emulator.as_deref().is_some_and(|name| name != NO_EMULATOR);
                m.about_emulation && !m.harmless && (named || (foreign && m.emulator.is_none()))
            };
            let matches: Vec<&CrashMatch> = crash.matches.iter().filter(counts).collect();
            by_log(context, container, &matches)
        }
        None if foreign => by_exit_code(context, container),
        None => None,
    }
}

fn by_log(context: &Context<'_>, container: &Container, matches: &[&CrashMatch]) -> Option<Finding> {
    let best = matches.iter().max_by_key(|m| m.confidence)?;
    let by = best.emulator.as_deref().map_or("emulation", display_name);
    let mut evidence: Vec<Evidence> = matches.iter().map(|m| m.evidence.clone()).collect();
    evidence.push(Evidence::new("known from", &best.source));
    let finding = context.finding(
        &CHECK,
        best.confidence,
        container_subject(container),
        Words { title: format!("{} failed under {by}", container.name), why: best.cause.clone(), evidence },
    );
    let steps = matches.iter().map(|m| Step::Tell { text: m.remedy.clone(), commands: Vec::new() }).collect();
    Some(finding.with_fix(
        "Show the way out",
        "Nothing is changed here: which way fits depends on the image.",
        Safety::ShowOnly,
        steps,
    ))
}

fn by_exit_code(context: &Context<'_>, container: &Container) -> Option<Finding> {
    let code = ended_badly(container.state, &container.status)?;
    let (name, meaning) = signal(code)?;
    let platform = container.platform.known()?;
    let emulation = &context.inventory.emulation;
    let proven = emulation.proven(&platform.architecture).filter(|p| p.works());
    let by = proven.map_or("an emulator", |p| display_name(&p.emulator));
    let finding = context.finding(
        &CHECK,
        Confidence::Likely,
        container_subject(container),
        Words {
            title: format!("{} ended with {name} under {by}", container.name),
            why: format!("That can be its own fault. Under emulation it usually means: {meaning}."),
            evidence: vec![
                Evidence::new("engine", &container.status),
                Evidence::new("engine", format!("its image is {platform}, which is emulated here")),
            ],
        },
    );
    let command = ["silidock", "explain", &container.name].map(str::to_owned).to_vec();
    Some(finding.with_fix(
        "Look into its log",
        "The log is read on this machine and only the words that are recognised are shown.",
        Safety::ShowOnly,
        vec![Step::Tell { text: "Its log may name the cause.".to_owned(), commands: vec![command] }],
    ))
}

const FAULT: &str = "qemu: uncaught target signal 11 (Segmentation fault) - core dumped";

fn fault() -> Inventory {
    stopped("arm64", "Exited (139) 2 minutes ago", Some(FAULT), "qemu")
}
fn code_only() -> Inventory {
    stopped("amd64", "Restarting (139) 2 seconds ago", None, "qemu")
}
fn tool() -> Inventory {
    let log = "rosetta error: failed to open elf at /lib64/ld-linux-x86-64.so.2";
    with_native(stopped("arm64", "Exited (133) 2 minutes ago", Some(log), "rosetta"))
}
fn own_fault() -> Inventory {
    stopped("arm64", "Exited (1) 2 minutes ago", Some("fatal: no such table: users"), "qemu")
}
fn native() -> Inventory {
    with_native(stopped("arm64", "Exited (139) 2 minutes ago", None, "qemu"))
}
fn killed() -> Inventory {
    stopped("arm64", "Exited (137) 2 minutes ago", None, "qemu")
}
fn harmless() -> Inventory {
    let note = "<jemalloc>: (This is the expected behaviour if you are running under QEMU)";
    stopped("arm64", "Exited (1) 2 minutes ago", Some(note), "qemu")
}
fn with_native(mut seen: Inventory) -> Inventory {
    let status = seen.containers.items.first().map(|c| c.status.clone()).unwrap_or_default();
    let mut made = container("db").stopped().build();
    made.status = status;
    seen.containers = Listing::of(vec![made]);
    seen
}
