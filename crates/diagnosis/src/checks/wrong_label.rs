//! An image says that it is for one processor, and holds programs for another.

use std::collections::BTreeMap;

use crate::{
    check::{Check, Example, Need, Verdict},
    contents::{OddFile, StartRole, StartStep},
    contents_findings::{Says, applies, findings},
    example_contents::{elf, inventory_of, loader, native, scratch},
    finding::Severity,
    inventory::Inventory,
    platform::Platform,
};

/// The check.
pub static CHECK: Check = Check {
    id: "wrong-label",
    title: "An image holds programs for another processor than it says",
    why: "The label is what engines, registries and schedulers go by. Where an emulator is at hand the image works all the \
          same, and slowly; where there is none it ends with exec format error. Usually a base image or a downloaded program \
          was taken for the machine that built, not for the platform that was asked for.",
    severity: Severity::Broken,
    needs: &[Need::Contents],
    applies,
    run: |context| findings(context, &CHECK, &SAYS),
    supersedes: &[],
    examples: &[
        Example { name: "labelled for ARM, the entry point is Intel", verdict: Verdict::Fires, inventory: entrypoint },
        Example { name: "a shell's line starts an Intel program", verdict: Verdict::Fires, inventory: line },
        Example { name: "a whole Intel user land below a script", verdict: Verdict::Fires, inventory: userland },
        Example { name: "one foreign tool in a right image", verdict: Verdict::Silent, inventory: tool },
        Example { name: "everything as labelled", verdict: Verdict::Silent, inventory: right },
    ],
};

const SAYS: Says = Says {
    title: |image, files| {
        let really = files[0].arch.as_deref().unwrap_or("something else");
        let label = image.platform.known().map_or_else(String::new, ToString::to_string);
        format!("{} says {label} and is {really}", image.subject)
    },
    why: "It runs only where an emulator stands in, and its label keeps everybody from noticing.",
    fix: "Show how to build it for what it says",
    advice: "Look at the FROM lines and the downloads of its Dockerfile: each has to follow TARGETARCH. Build it again with --platform, \
             and look inside once more.",
};

/// Programs and libraries that are not there for other platforms.
#[derive(Debug, Default)]
pub(crate) struct Userland {
    own: u64,
    foreign: BTreeMap<String, (u64, String, Option<u32>)>,
}

impl Userland {
    pub(crate) fn add(&mut self, platform: &str, path: &str, layer: Option<u32>, own: bool) {
        if own {
            self.own += 1;
        } else {
            self.foreign.entry(platform.to_owned()).or_insert_with(|| (0, path.to_owned(), layer)).0 += 1;
        }
    }
}

/// Says that a label is wrong: by machine code that is run first, also by a shell's line; else by most of what there is.
pub(crate) fn odd(label: &Platform, userland: &Userland, start: &[StartStep]) -> Option<OddFile> {
    let mut code = start.iter().filter(|step| step.role != StartRole::Library && step.arch.is_some()).peekable();
    let by_start = code.peek().is_some();
    let step = code.find(|step| step.arch.as_deref().is_some_and(|arch| userland.foreign.contains_key(arch)));
    let (arch, path, detail, layer) = match step {
        None if by_start => return None,
        Some(step) => {
            let arch = step.arch.as_deref()?;
            let (_, _, layer) = userland.foreign.get(arch)?;
            let path = step.path.as_deref().unwrap_or(&step.name);
            let detail = format!("the {} is {arch}, the image says {label}", step.role.word());
            (arch, path, detail, *layer)
        }
        None => {
            let (arch, (count, path, layer)) = userland.foreign.iter().max_by_key(|(_, (count, ..))| *count)?;
            let all = userland.own + userland.foreign.values().map(|(count, ..)| count).sum::<u64>();
            if count * 2 <= all {
                return None;
            }
            let detail = format!("{count} of {all} programs and libraries are {arch}, the image says {label}");
            (arch.as_str(), path.as_str(), detail, *layer)
        }
    };
    Some(OddFile {
        check: CHECK.id.to_owned(),
        path: path.to_owned(),
        arch: Some(arch.to_owned()),
        detail,
        first: step.is_some(),
        intended: None,
        count: 1,
        examples: Vec::new(),
        layer,
    })
}

fn entrypoint() -> Inventory {
    inventory_of(scratch("arm64").with(elf("/app/server", "linux/amd64")).entrypoint("/app/server"))
}
fn line() -> Inventory {
    let image = scratch("arm64").with(native("/bin/sh")).with(elf("/app/server", "linux/amd64"));
    inventory_of(image.entrypoint("/bin/sh -c /app/server"))
}
fn userland() -> Inventory {
    let image = scratch("arm64").with(elf("/bin/sh", "linux/amd64")).with(elf("/lib/libc.so", "linux/amd64"));
    inventory_of(image.script("/start.sh", "#!/bin/sh\n").entrypoint("/start.sh"))
}
fn tool() -> Inventory {
    let image = scratch("arm64").with(native("/app/server")).with(elf("/opt/tool", "linux/amd64"));
    inventory_of(image.entrypoint("/app/server"))
}
fn right() -> Inventory {
    inventory_of(
        scratch("arm64")
            .with(native("/app/server"))
            .with(loader("/lib/ld-musl-aarch64.so.1"))
            .entrypoint("/app/server"),
    )
}
