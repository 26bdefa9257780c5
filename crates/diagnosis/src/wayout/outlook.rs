//! What is announced about the translation of Intel programs on Macs, and what is not known: rows of data, each with its
//! date, its source and what it rests on. Nothing here is judged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{check::Context, emulation::INTEL, fact::Fact, inventory::Locality};

/// What is announced, and what nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Outlook {
    /// Why none of this is about this engine; none where it is.
    pub elsewhere: Option<String>,
    /// What was said, oldest first.
    pub announced: Vec<Statement>,
    /// What nobody has said.
    pub open: Vec<Statement>,
}

/// One statement with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// In a sentence or two.
    pub text: String,
    /// When it was said, `2026-09-01`; none where the source has no date.
    pub date: Option<String>,
    /// Where it stands.
    pub source: String,
    /// What it rests on.
    pub grounds: Grounds,
}

/// What a statement rests on, surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum Grounds {
    /// Apple's own words.
    Maker,
    /// Somebody reported it.
    Report,
    /// It follows from what is known; nobody said it.
    Inference,
}

impl Grounds {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Maker => "Apple says so",
            Self::Report => "one report",
            Self::Inference => "inferred",
        }
    }
}

struct Row {
    text: &'static str,
    date: Option<&'static str>,
    source: &'static str,
    grounds: Grounds,
}

const ANNOUNCED: &[Row] = &[
    Row {
        text: "macOS 27 is the final release with Rosetta for Mac apps; apps for Intel alone no longer run after it, some \
               games excepted. From macOS 26.4 on the system warns of such apps. This is about apps of the Mac, not about \
               Linux containers.",
        date: Some("2026-09-01"),
        source: "https://developer.apple.com/news/?id=w5ngl9k2",
        grounds: Grounds::Maker,
    },
    Row {
        text: "A later post words it differently: macOS 26 is the final release that supports Intel Macs and Rosetta.",
        date: Some("2026-09-09"),
        source: "https://developer.apple.com/news/?id=k1mtkt1k",
        grounds: Grounds::Maker,
    },
    Row {
        text: "macOS 27 has the translation of Intel programs built in, with nothing to install: Intel Linux programs \
               run in ARM virtual machines, and so do Intel Linux containers. No end is named for that.",
        date: None,
        source: "https://developer.apple.com/documentation/apple-silicon/about-the-rosetta-translation-environment",
        grounds: Grounds::Maker,
    },
    Row {
        text: "On macOS 27 the interface by which virtual machines get Rosetta always says that it is installed; it is \
               not marked as deprecated.",
        date: None,
        source: "https://developer.apple.com/documentation/virtualization/running-intel-binaries-in-linux-vms",
        grounds: Grounds::Maker,
    },
    Row {
        text: "Rosetta translates 64-bit Intel programs. 32-bit ones (linux/386) run under QEMU, where the runtime has it.",
        date: None,
        source: "https://developer.apple.com/documentation/virtualization/running-intel-binaries-in-linux-vms",
        grounds: Grounds::Maker,
    },
];

const OPEN: &[Row] = &[
    Row {
        text: "Whether and when the translation of Intel programs in Linux virtual machines ends: Apple has announced no \
               end, and has not promised that there is none.",
        date: None,
        source: "https://developer.apple.com/documentation/apple-silicon/about-the-rosetta-translation-environment",
        grounds: Grounds::Inference,
    },
    Row {
        text: "What Apple's support says of it: nothing beyond the public documents, but that Linux is \"not the same use \
               case\" as Mac apps.",
        date: None,
        source: "Apple Developer Forums",
        grounds: Grounds::Report,
    },
    Row {
        text: "How each runtime behaves on macOS 27 without Rosetta for Mac apps: some look for that one and then start \
               with QEMU. What runs here is proven by silidock emulator.",
        date: None,
        source: "source of Colima 0.10 (util/macos.go); colima#1069",
        grounds: Grounds::Inference,
    },
    Row {
        text: "QEMU does not come from Apple and does not end with Rosetta; it is the slower way.",
        date: None,
        source: "QEMU is free software that the runtimes bring along",
        grounds: Grounds::Inference,
    },
];

/// The statements, and whether they are about this engine.
pub(super) fn outlook(context: &Context<'_>) -> Outlook {
    let said = |rows: &[Row]| {
        let statement = |row: &Row| Statement {
            text: row.text.to_owned(),
            date: row.date.map(str::to_owned),
            source: row.source.to_owned(),
            grounds: row.grounds,
        };
        rows.iter().map(statement).collect()
    };
    Outlook { elsewhere: elsewhere(context), announced: said(ANNOUNCED), open: said(OPEN) }
}

fn elsewhere(context: &Context<'_>) -> Option<String> {
    let (engine, host) = (&context.inventory.engine, &context.inventory.host);
    if engine.platform.known().is_some_and(|platform| platform.architecture == INTEL) {
        let whole = crate::checks::emulated_engine::emulated_machine(context.inventory).is_some();
        return (!whole)
            .then(|| format!("This engine is linux/{INTEL} itself and needs no translation of Intel programs."));
    }
    if engine.locality == Locality::Local && host.apple_silicon == Fact::Known(true) {
        return None;
    }
    (!engine.runtime.mac_virtual_machine)
        .then(|| format!("This is about Macs, and {} is not known to run on one.", engine.runtime.name))
}
