//! What keeps a container from being made anew as it is: it goes as soon as it stops, or another one lives in a part of it. Pure;
//! who lives where is told by the engine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A part of a container that another one can live in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// Its network.
    Network,
    /// Its processes: whoever sees them ends with the first of them.
    Processes,
    /// Its shared memory.
    Memory,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Tie {
    /// It was started with `--rm`.
    RemovedOnStop,
    /// Another container lives in a part of it.
    Shared {
        /// That one's name.
        by: String,
        /// In which part.
        part: Part,
    },
}

impl Tie {
    /// As the end of "web is left alone: ".
    pub fn words(&self) -> String {
        match self {
            Self::RemovedOnStop => {
                "it was started with --rm, so the engine removes it as soon as it stops and nothing \
                                    could be kept of it"
                    .to_owned()
            }
            Self::Shared { by, part: Part::Network } => format!("{by} lives in its network and would lose it"),
            Self::Shared { by, part: Part::Processes } => {
                format!("{by} lives among its processes and would end with them")
            }
            Self::Shared { by, part: Part::Memory } => format!("{by} uses its shared memory and would lose it"),
        }
    }
}

/// A container, and in whom it lives.
#[derive(Debug, Clone, Copy)]
pub struct Lives<'a> {
    /// Its full identifier.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// It runs.
    pub up: bool,
    /// The engine's words for its network, its processes and its shared memory: `container:<identifier or name>` for another's.
    pub modes: [&'a str; 3],
}

/// Those of `all` that would be hurt if the container with this identifier made way for another of the same name, and in
/// which parts of it they live. One that does not run and joined it by name finds the new one.
pub fn shared<'a>(own: &str, all: &[Lives<'a>]) -> Vec<(Lives<'a>, Vec<Part>)> {
    let parts_of = |other: &Lives<'a>| -> Vec<Part> {
        let joined = [Part::Network, Part::Processes, Part::Memory].into_iter().zip(other.modes);
        let of_own = joined.filter(|(_, mode)| {
            let reference = mode.strip_prefix("container:");
            reference
                .and_then(|reference| Some((reference, meant(reference, all)?)))
                .is_some_and(|(reference, meant)| meant.id == own && (other.up || reference != meant.name))
        });
        of_own.map(|(part, _)| part).collect()
    };
    let others = all.iter().filter(|other| other.id != own);
    others.map(|other| (*other, parts_of(other))).filter(|(_, parts)| !parts.is_empty()).collect()
}

/// An identifier comes before a name, and a name before the beginning of an identifier, as engines have it.
fn meant<'s, 'a>(reference: &str, all: &'s [Lives<'a>]) -> Option<&'s Lives<'a>> {
    let by_id = all.iter().find(|container| container.id == reference);
    let by_name = || all.iter().find(|container| container.name == reference);
    by_id.or_else(by_name).or_else(|| all.iter().find(|container| container.id.starts_with(reference)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lives_in_a_container() {
        let of = |id, name, up, modes| Lives { id, name, up, modes };
        // (of the other: it runs, its modes; parts of web that it lives in)
        let rows: [(bool, [&str; 3], &[Part]); 8] = [
            (true, ["bridge", "", "private"], &[]),
            (true, ["container:abcdef", "", ""], &[Part::Network]),
            (
                true,
                ["container:web", "container:abc", "container:abcdef"],
                &[Part::Network, Part::Processes, Part::Memory],
            ),
            (false, ["", "container:abcdef", ""], &[Part::Processes]),
            (false, ["", "container:web", "container:web"], &[]),
            (true, ["container:other", "host", "shareable"], &[]),
            // A name, though an identifier begins like it.
            (true, ["container:ab", "", ""], &[]),
            (true, ["container:gone", "", ""], &[]),
        ];
        for (up, modes, expected) in rows {
            let all = [
                of("abcdef", "web", true, ["bridge", "", "private"]),
                of("fedcba", "other", up, modes),
                of("012345", "ab", true, ["bridge", "", ""]),
            ];
            let found = shared("abcdef", &all);
            let parts: Vec<Part> = found.iter().flat_map(|(_, parts)| parts.clone()).collect();
            assert_eq!(parts, expected, "{modes:?}");
            assert!(found.iter().all(|(other, _)| other.name == "other"), "{modes:?}");
        }
    }
}
