//! A running container whose processes run under an emulator.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always, container_subject, engine_platform_words},
    checks::emulated_engine::emulated_machine,
    example::{container, foreign_to, inventory},
    execution::{Execution, Expected},
    fact::Fact,
    finding::{Confidence, Finding, Severity},
    fix::{Safety, Step},
    inventory::{Container, Inventory, Listing},
    reference::is_id,
};

/// The check.
pub static CHECK: Check = Check {
    id: "emulated-container",
    title: "A container runs under an emulator",
    why: "Its image is built for another processor than the engine's, so every instruction is translated. It runs slower, \
          and some programs crash. Look for an image with the engine's platform, or build one.",
    severity: Severity::Slow,
    needs: &[Need::EnginePlatform, Need::Containers, Need::ContainerPlatform, Need::Execution],
    applies: always,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "an Intel image under Rosetta on an ARM engine", verdict: Verdict::Fires, inventory: rosetta },
        Example { name: "an ARM image under QEMU on an Intel engine", verdict: Verdict::Fires, inventory: qemu },
        Example {
            name: "an image labelled native whose programs are not",
            verdict: Verdict::Fires,
            inventory: mislabelled,
        },
        Example { name: "a native container", verdict: Verdict::Silent, inventory: native },
        Example { name: "a stopped container", verdict: Verdict::Silent, inventory: stopped },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let engine = engine_platform_words(context.inventory);
    let mut findings = Vec::new();
    for (container, execution) in &context.containers {
        // Where the whole machine is emulated, its containers are not the ones to fix: emulated-engine says so once.
        if execution.expected == Fact::Known(Expected::Native) && emulated_machine(context.inventory).is_some() {
            continue;
        }
        let confidence = match (execution.execution, &execution.expected) {
            (Execution::Emulated, _) => Confidence::Certain,
            // It must be emulated to run at all; only the emulator's name is missing.
            (Execution::Unknown, Fact::Known(Expected::Emulated)) => Confidence::Likely,
            _ => continue,
        };
        let platform = container.platform.known().map(ToString::to_string).unwrap_or_default();
        let by = execution.emulator_name();
        let image = &container.image;
        let why = match execution.expected {
            Fact::Known(Expected::Emulated) => {
                format!("{image} is {platform} and the engine is {engine}, so every instruction is translated.")
            }
            Fact::Known(Expected::Native) => format!(
                "{image} says {platform}, the engine's own, and its processes show {by} all the same: what is in it is of \
                 another processor than its label says."
            ),
            Fact::Unknown { .. } => format!("The platform of {image} is not known; its processes show {by}."),
        };
        let title = match execution.execution {
            Execution::Unknown => format!("{} must be emulated to run", container.name),
            _ => format!("{} runs under {by}", container.name),
        };
        let words = Words { title, why, evidence: execution.evidence.clone() };
        let finding = context
            .finding(&CHECK, confidence, container_subject(container), words)
            .measured(context, container, execution);
        let native = context.inventory.engine.platform.known();
        let (finding, known) = finding.with_native_variant(context, container, execution);
        let finding = finding.with_known_build(context, image, native);
        findings.push(if known { finding } else { look_for_one(finding, context, container, &engine) });
    }
    findings
}

fn look_for_one(finding: Finding, context: &Context<'_>, container: &Container, engine: &str) -> Finding {
    // A registry knows names; of an image that was named by its id, the engine may know one.
    let by_id = is_id(&container.image);
    let name = if by_id { context.name_of_id(container) } else { Some(container.image.as_str()) };
    let text = match name {
        Some(name) => format!(
            "List the platforms that {name} has in its registry. With {engine} among them, pull that one and make the \
             container anew; without it, or if its label is wrong, build the image for {engine} or look for another one."
        ),
        None => format!(
            "{} was made from an image's id, and no registry knows that. Build the image for {engine}, or find the name that it \
             was pulled by and look there.",
            container.name
        ),
    };
    let commands = name.map(|name| ["docker", "buildx", "imagetools", "inspect", name].map(str::to_owned).to_vec());
    let summary = match name {
        Some(_) => "Nothing is changed for you here, and no registry was asked: the command does, when you run it.",
        None => "Nothing is changed for you here, and no registry was asked.",
    };
    let tell = Step::Tell { text, commands: commands.into_iter().collect() };
    finding.with_fix("Look for a native image", summary, Safety::ShowOnly, vec![tell])
}

fn with(arch: &str, interpreter: &str) -> Inventory {
    let mut seen = inventory(arch);
    let line = format!("{interpreter} /bin/app");
    seen.containers = Listing::of(vec![container("web").platform(foreign_to(arch)).processes(&[&line]).build()]);
    seen
}
fn rosetta() -> Inventory {
    with("arm64", "/run/rosetta/rosetta")
}
fn qemu() -> Inventory {
    with("amd64", "/usr/bin/qemu-aarch64")
}
fn mislabelled() -> Inventory {
    let mut seen = inventory("arm64");
    seen.containers = Listing::of(vec![container("web").processes(&["/usr/bin/qemu-x86_64 /bin/app"]).build()]);
    seen
}
fn native() -> Inventory {
    let mut seen = inventory("arm64");
    seen.containers = Listing::of(vec![container("web").build()]);
    seen
}
fn stopped() -> Inventory {
    let mut seen = inventory("arm64");
    seen.containers = Listing::of(vec![container("web").platform("linux/amd64").stopped().build()]);
    seen
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        checks::CATALOG,
        examination::examine,
        example::{index, project, upstream},
    };

    /// A foreign container whose processes show no emulator, with what is known of its image.
    fn hidden(service: bool, here: &[(&str, bool)], there: &[&str], runs: Option<&str>) -> Inventory {
        let mut seen = inventory("arm64");
        seen.images = Listing::of(vec![index("web:1", here)]);
        seen.upstream.learn((!there.is_empty()).then(|| upstream("web:1", Ok(there), &[])));
        let mut web = container("web").image("web:1").platform("linux/amd64").processes(&["/bin/app"]);
        if let Some(runs) = runs {
            web = web.runs(runs);
        }
        if service {
            web = web.service("shop", "web");
            seen.projects = vec![project("shop", "web", "web:1", None)];
        }
        seen.containers = Listing::of(vec![web.build()]);
        seen
    }

    /// Containers that a finding makes anew, by identifier.
    fn anew(finding: &Finding) -> BTreeSet<String> {
        let of = |step: &Step| match step {
            Step::RecreateContainer { of, .. } | Step::RecreateService { of, .. } => Some(of.id.clone()),
            _ => None,
        };
        finding.fixes.iter().flat_map(|fix| &fix.steps).filter_map(of).collect()
    }

    #[test]
    fn a_known_native_variant_is_offered_once() {
        let both: &[(&str, bool)] = &[("linux/amd64", true), ("linux/arm64", true)];
        let (foreign, listed): (&[_], &[_]) = (&both[..1], &["linux/amd64", "linux/arm64"]);
        let rows = [
            ("here", hidden(false, both, &[], None), "Start web for linux/arm64"),
            ("here, in a project", hidden(true, both, &[], None), "Start web for linux/arm64"),
            ("upstream", hidden(false, foreign, listed, None), "Pull linux/arm64 and start web for it"),
            ("upstream, said by pin-missing", hidden(true, foreign, listed, None), "Take its native image"),
            ("here, under another image", hidden(false, both, &[], Some("sha256:older")), "Take its native image"),
            ("nowhere", hidden(false, foreign, &["linux/amd64"], None), "Look for a native image"),
            ("nobody asked", hidden(false, foreign, &[], None), "Look for a native image"),
            ("in the label alone", mislabelled(), "Look for a native image"),
        ];
        for (name, seen, title) in rows {
            let examination = examine(&seen);
            let finding = examination.findings.iter().find(|f| f.check == CHECK.id).unwrap();
            assert_eq!(finding.fixes[0].title, title, "{name}");
            offered_once(name, &examination.findings);
        }
        for (check, example) in CATALOG.iter().flat_map(|check| check.examples.iter().map(move |e| (check, e))) {
            let name = format!("{}: {}", check.id, example.name);
            offered_once(&name, &examine(&(example.inventory)()).findings);
        }
    }

    #[test]
    fn an_id_is_no_name_that_a_registry_knows() {
        let id = format!("sha256:{}", "4b".repeat(32));
        for (tag, commands) in [(Some("web:1"), vec!["docker buildx imagetools inspect web:1"]), (None, vec![])] {
            let mut seen = rosetta();
            let mut image = index("web:1", &[("linux/amd64", true)]);
            image.id.clone_from(&id);
            image.tags = tag.into_iter().map(str::to_owned).collect();
            seen.images = Listing::of(vec![image]);
            seen.containers.items[0].image = "4b4b4b4b4b4b".to_owned();
            seen.containers.items[0].image_id = Some(id.clone());
            let examination = examine(&seen);
            let finding = examination.findings.iter().find(|f| f.check == CHECK.id).unwrap();
            let Step::Tell { commands: told, .. } = &finding.fixes[0].steps[0] else { panic!("{finding:?}") };
            let told: Vec<String> = told.iter().map(|command| command.join(" ")).collect();
            assert_eq!(told, commands, "{tag:?}");
        }
    }

    fn offered_once(name: &str, findings: &[Finding]) {
        let (plain, others): (Vec<_>, Vec<_>) =
            findings.iter().filter(|f| f.superseded_by.is_none()).partition(|f| f.check == CHECK.id);
        let others: BTreeSet<String> = others.into_iter().flat_map(anew).collect();
        for finding in plain {
            assert!(anew(finding).is_disjoint(&others), "{name}: {} is offered twice", finding.title);
        }
    }
}
