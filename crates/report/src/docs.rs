//! The catalogue of checks as a page of documentation. Generated, so that it cannot say something else than the checks do.

use std::fmt::Write;

use silidock_diagnosis::{check::Need, checks, text::count};

use crate::scan::{CheckInfo, catalogue};

/// The page, in Markdown: per check what it finds, why that matters, what it needs to know, when it fires and when not.
pub fn checks_markdown() -> String {
    let catalogue = catalogue();
    let mut out = String::from("# Checks\n\n");
    let _ = write!(
        out,
        "<!-- Generated from the catalogue in crates/diagnosis/src/checks.rs; edit the checks, not this page. -->\n\n\
         {}. Severity says how bad a finding is: **broken** will not run or build, **slow** runs at a cost, **note** is \
         worth knowing. A check that lacks a fact it needs says so and does not judge; it never counts as passed.\n\n\
         A finding that is there on purpose is allowed with a reason: by a comment `# silidock: allow check-id  reason` on the line \
         it is about, on the one above it, or above all else for a whole file; or in `.silidock.toml`, for a project under \
         `[allow]`, for a service under `[allow.services.NAME]`, for an image under `[allow.images.\"NAME\"]`, each as `check-id = \
         \"reason\"`. It is then counted and listed apart, and `--fail-on` no longer heeds it.\n\n\
         | Check | Finds | Severity |\n| --- | --- | --- |\n",
        count(catalogue.checks.len(), "check")
    );
    for check in &catalogue.checks {
        let _ = writeln!(out, "| [`{0}`](#{0}) | {1} | {2} |", check.id, check.title, check.severity.word());
    }
    for check in &catalogue.checks {
        section(&mut out, check);
    }
    out
}

fn section(out: &mut String, check: &CheckInfo) {
    let _ = write!(out, "\n## {}\n\n", check.id);
    let _ = write!(out, "**{}** ({})\n\n{}\n", check.title, check.severity.word(), check.why);
    let definition = checks::find(&check.id);
    let needs = definition.map(|c| c.needs).unwrap_or_default();
    bullets(out, "Needs to know", needs.iter().map(|need| need_words(*need).to_owned()));
    bullets(out, "Fires when", check.fires.iter().cloned());
    bullets(out, "Stays silent when", check.silent.iter().cloned());
    let supersedes = definition.map(|c| c.supersedes).unwrap_or_default();
    let better = supersedes.iter().map(|id| format!("[`{id}`](#{id}), whose finding about the same thing is folded"));
    bullets(out, "Says more exactly than", better);
}

fn bullets(out: &mut String, title: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    let _ = write!(out, "\n{title}:\n\n");
    for item in items {
        let _ = writeln!(out, "- {item}");
    }
}

fn need_words(need: Need) -> &'static str {
    match need {
        Need::EnginePlatform => "the engine's platform",
        Need::Containers => "the list of containers",
        Need::Execution => "how each running container runs, from its process list",
        Need::ContainerPlatform => "the platform of each container",
        Need::Images => "the list of images",
        Need::ImagePlatforms => "the platforms of each image",
        Need::ComposeFiles => "the Compose files of the projects seen",
        Need::DefaultPlatforms => "every place that sets `DOCKER_DEFAULT_PLATFORM`",
        Need::HostFacts => "what kind of machine this is",
        Need::EffectiveEmulator => "which emulator runs each foreign platform, proven by `silidock emulator`",
        Need::EffectiveIntel => "which emulator runs Intel programs, proven by `silidock emulator`",
        Need::ConfiguredEmulator => "the emulator that the engine's runtime is set to",
        Need::RosettaClaim => "whether a setting or a name says that Rosetta runs here",
        Need::KernelAndMacOs => "the engine's kernel and the version of macOS",
        Need::RosettaVersions => "the versions of the Rosetta that runs and of the Mac's own",
        Need::CpuFeatures => "the features of the processor that programs see, proven by `silidock emulator`",
        Need::Upstream => "what the registries of foreign images say, asked by `silidock scan --ask-registry`",
        Need::CrashLogs => "the last log lines of containers that ended badly under emulation",
        Need::DeployTargets => "where what is built here will run",
        Need::Contents => "what lies inside images, which is looked at only when asked for",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_and_every_example_is_on_the_page() {
        let page = checks_markdown();
        for check in checks::CATALOG {
            assert_eq!(page.matches(&format!("\n## {}\n", check.id)).count(), 1, "{}", check.id);
            for words in check.examples.iter().map(|e| e.name).chain([check.title, check.why]) {
                assert!(page.contains(words), "{}: {words}", check.id);
            }
            for need in check.needs {
                assert!(page.contains(need_words(*need)));
            }
        }
        assert!(page.contains("[`emulated-container`](#emulated-container), whose finding"), "supersession is told");
        assert_eq!(page, checks_markdown());
    }
}
