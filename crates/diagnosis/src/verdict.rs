//! The one sentence a person reads first, and the numbers beside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    check::Context,
    emulator::display_name,
    examination::Examination,
    execution::Execution,
    fact::Fact,
    finding::Severity,
    inventory::{Container, Inventory},
    text::count,
};

/// The verdict on one inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct VerdictWords {
    /// "3 of 14 containers run emulated".
    pub headline: String,
    /// A sentence or two more.
    pub detail: String,
    /// How it is coloured and marked.
    pub tone: Tone,
}

/// How bad it looks, as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Tone {
    /// All that runs was seen, and none of it emulated.
    Native,
    /// Some is slow.
    Slow,
    /// Some is broken.
    Broken,
    /// Not enough was seen to say.
    Unclear,
}

/// How the containers run, counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Running or paused.
    pub running: usize,
    /// Of these, native.
    pub native: usize,
    /// Of these, under one emulator, by its name, most first.
    pub emulated: Vec<EmulatorCount>,
    /// Of these, mixed.
    pub mixed: usize,
    /// Of these, not known.
    pub unknown: usize,
    /// Not running.
    pub stopped: usize,
    /// Share of containers' processor time that emulated and mixed ones used, 0 to 1. None while not known.
    pub emulated_cpu_share: Option<f64>,
}

/// Containers under one emulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct EmulatorCount {
    /// As people write it: "QEMU".
    pub name: String,
    /// How many containers.
    pub count: usize,
}

impl Tally {
    /// Containers that run emulated in whole or in part.
    pub fn touched(&self) -> usize {
        self.emulated.iter().map(|e| e.count).sum::<usize>() + self.mixed
    }
}

/// Counts how the containers run.
pub fn tally(context: &Context<'_>) -> Tally {
    let mut tally = Tally::default();
    let (mut all, mut emulated) = (0u64, 0u64);
    let mut cpu_complete = true;
    for (container, execution) in &context.containers {
        match execution.execution {
            Execution::NotRunning => {
                tally.stopped += 1;
                continue;
            }
            Execution::Native => tally.native += 1,
            Execution::Mixed => tally.mixed += 1,
            Execution::Unknown => tally.unknown += 1,
            Execution::Emulated => {
                let name = execution.emulator.as_deref().map_or("an emulator", display_name);
                match tally.emulated.iter_mut().find(|e| e.name == name) {
                    Some(known) => known.count += 1,
                    None => tally.emulated.push(EmulatorCount { name: name.to_owned(), count: 1 }),
                }
            }
        }
        tally.running += 1;
        match cpu(container) {
            Some(used) => {
                all = all.saturating_add(used);
                if execution.is_emulated() {
                    emulated = emulated.saturating_add(used);
                }
            }
            None => cpu_complete = false,
        }
    }
    tally.emulated.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    if cpu_complete && all > 0 {
        tally.emulated_cpu_share = Some(emulated as f64 / all as f64);
    }
    tally
}

fn cpu(container: &Container) -> Option<u64> {
    match container.cpu_nanoseconds {
        Fact::Known(used) => Some(used),
        Fact::Unknown { .. } => None,
    }
}

/// The verdict.
pub fn verdict(inventory: &Inventory, examination: &Examination, tally: &Tally) -> VerdictWords {
    let broken = examination.findings.iter().filter(|f| f.severity == Severity::Broken).count();
    let touched = tally.touched();
    let running = tally.running;
    let tone = if broken > 0 {
        Tone::Broken
    } else if touched > 0 || examination.findings.iter().any(|f| f.severity == Severity::Slow) {
        Tone::Slow
    } else if !inventory.containers.complete || !inventory.containers.gaps.is_empty() || tally.unknown > 0 {
        Tone::Unclear
    } else {
        Tone::Native
    };
    let headline = if !inventory.containers.complete {
        "The containers could not be listed".to_owned()
    } else if running == 0 && !emulated_engine(examination) {
        "No container is running".to_owned()
    } else if emulated_engine(examination) {
        "The whole engine is emulated".to_owned()
    } else if touched > 0 {
        match (touched, running) {
            (1, 1) => "The one running container runs emulated".to_owned(),
            (1, _) => format!("1 of {running} containers runs emulated"),
            _ => format!("{touched} of {running} containers run emulated"),
        }
    } else if tally.unknown > 0 {
        match running {
            1 => "How the one running container runs is not known".to_owned(),
            n => format!("How {} of {n} containers run is not known", tally.unknown),
        }
    } else if !inventory.containers.gaps.is_empty() {
        match running {
            1 => "The one running container that could be read runs natively".to_owned(),
            n => format!("The {n} containers that could be read run natively"),
        }
    } else if running == 1 {
        "The one running container runs natively".to_owned()
    } else {
        format!("All {running} containers run natively")
    };
    VerdictWords { headline, detail: detail(inventory, examination, tally), tone }
}

fn emulated_engine(examination: &Examination) -> bool {
    examination.findings.iter().any(|f| f.check == "emulated-engine")
}

/// What need not be emulated: where the native image is decides how much there is to do.
fn needless(inventory: &Inventory, examination: &Examination) -> Vec<String> {
    let needless: Vec<_> = examination.findings.iter().filter(|f| f.check == "needless-emulation").collect();
    if needless.is_empty() {
        return Vec::new();
    }
    let context = Context::new(inventory);
    let is_here = |c: &Container| context.native_variant_here(c).is_some();
    let named = |name: &str| inventory.containers.items.iter().find(|c| c.name == name);
    let here = needless.iter().filter(|f| named(&f.subject.id).is_some_and(is_here)).count();
    let words = |(number, one, several): (usize, &str, &str)| match number {
        0 => None,
        1 => Some(format!("One of them has a native image {one} and need not be emulated at all.")),
        n => Some(format!("{n} of them have a native image {several} and need not be emulated at all.")),
    };
    let upstream = (needless.len() - here, "in its registry", "in their registries");
    [(here, "here", "here"), upstream].into_iter().filter_map(words).collect()
}

fn detail(inventory: &Inventory, examination: &Examination, tally: &Tally) -> String {
    let mut sentences = Vec::new();
    if emulated_engine(examination) {
        let name = &inventory.engine.runtime.name;
        let running = count(tally.running, "running container");
        sentences.push(format!(
            "The machine of {name} is an Intel one on an ARM Mac, so its kernel and {running} are translated."
        ));
    }
    let names: Vec<String> = tally.emulated.iter().map(|e| format!("{} under {}", e.count, e.name)).collect();
    let mut ways = names;
    if tally.mixed > 0 {
        ways.push(format!("{} partly", tally.mixed));
    }
    if !ways.is_empty() {
        sentences.push(format!("{}.", crate::text::list(&ways)));
    }
    sentences.extend(needless(inventory, examination));
    if tally.unknown > 0 && tally.touched() > 0 {
        sentences.push(match tally.unknown {
            1 => "How one more runs is not known.".to_owned(),
            n => format!("How {n} more run is not known."),
        });
    }
    let waiting = inventory
        .containers
        .items
        .iter()
        .filter(|c| !c.state.has_processes())
        .filter(|c| {
            crate::execution::expected(&c.platform, &inventory.engine)
                == Fact::Known(crate::execution::Expected::Emulated)
        })
        .count();
    match waiting {
        0 => {}
        1 => sentences.push("One stopped container would run emulated.".to_owned()),
        n => sentences.push(format!("{n} stopped containers would run emulated.")),
    }
    let whole = inventory.containers.complete && inventory.containers.gaps.is_empty() && tally.unknown == 0;
    if sentences.is_empty() && !whole {
        sentences.push("What was not read is listed under coverage.".to_owned());
    } else if sentences.is_empty() {
        let engine = &inventory.engine;
        sentences.push(format!(
            "{} is {} and nothing in it needs an emulator now.",
            engine.runtime.name,
            crate::check::engine_platform_words(inventory)
        ));
    }
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        examine,
        example::{container, everything, inventory},
        fact::Gap,
        inventory::Listing,
    };

    fn words(inventory: &Inventory) -> VerdictWords {
        verdict(inventory, &examine(inventory), &tally(&Context::new(inventory)))
    }

    #[test]
    fn the_sentence_follows_what_was_seen() {
        let mut seen = inventory("arm64");
        let row = |seen: &Inventory, headline: &str, tone: Tone| {
            let found = words(seen);
            assert_eq!((found.headline.as_str(), found.tone), (headline, tone), "{found:?}");
        };
        row(&seen, "No container is running", Tone::Native);
        seen.containers = Listing::of(vec![container("a").build()]);
        row(&seen, "The one running container runs natively", Tone::Native);
        seen.containers = Listing::of(vec![container("a").build(), container("b").build()]);
        row(&seen, "All 2 containers run natively", Tone::Native);
        let mut intel = inventory("amd64");
        intel.containers = Listing::of(vec![container("a").platform("linux/amd64").build()]);
        row(&intel, "The whole engine is emulated", Tone::Slow);
        row(&everything("arm64"), "3 of 4 containers run emulated", Tone::Slow);
        let mut unread = container("a").platform("linux/amd64").build();
        unread.processes = Fact::unknown("processes", "no ps");
        seen.containers = Listing::of(vec![unread]);
        assert_eq!(words(&seen).headline, "How the one running container runs is not known");
        seen.containers = Listing::missing(Gap::new("containers", "gone"));
        row(&seen, "The containers could not be listed", Tone::Unclear);
        assert_eq!(words(&seen).detail, "What was not read is listed under coverage.");
        seen.containers = Listing::of(vec![container("a").build(), container("b").build()]);
        seen.containers.gaps = vec![Gap::new("container 3", "its Id is missing")];
        row(&seen, "The 2 containers that could be read run natively", Tone::Unclear);
        assert!(!words(&seen).detail.contains("nothing in it"), "a gap is never fine");
    }

    #[test]
    fn a_share_of_processor_time_needs_every_container() {
        let mut seen = everything("arm64");
        assert_eq!(tally(&Context::new(&seen)).emulated_cpu_share, Some(0.75));
        seen.containers.items[0].cpu_nanoseconds = Fact::unknown("cpu", "not asked");
        assert_eq!(tally(&Context::new(&seen)).emulated_cpu_share, None);
    }
}
