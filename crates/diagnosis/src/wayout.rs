//! The way out list: everything of an engine that needs translation, and what is known of doing without, for a team that
//! plans ahead. Pure judgement; how the list is printed is not here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    advice::{Advice, advice},
    check::Context,
    fact::{Fact, Gap},
    finding::Evidence,
    platform::Platform,
    text::count,
};

mod native;
mod outlook;
mod things;

pub use outlook::{Grounds, Outlook, Statement};

/// Everything that needs translation on one engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct WayOut {
    /// "3 containers, 4 images and 1 Compose service need Intel translation".
    pub headline: String,
    /// How far a way out is known.
    pub detail: String,
    /// What is native here.
    pub native: Fact<Platform>,
    /// The things, by kind and name.
    pub items: Vec<WayOutItem>,
    /// What could not be told: any of it may belong to the list.
    pub gaps: Vec<Gap>,
    /// What is announced about the translation itself.
    pub outlook: Outlook,
}

/// One thing that needs translation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct WayOutItem {
    /// What kind of thing.
    pub kind: WayOutKind,
    /// Its name as its owner gave it: a container's, `project/service`, a tag.
    pub name: String,
    /// Compose project it belongs to.
    pub project: Option<String>,
    /// Image it is made from.
    pub image: Option<String>,
    /// The foreign platform that it needs.
    pub platform: Fact<Platform>,
    /// What it does with it now: "runs under QEMU", "used by db".
    pub now: String,
    /// File it stands in.
    pub path: Option<String>,
    /// Line there, from 1.
    pub line: Option<u32>,
    /// What was seen.
    pub evidence: Vec<Evidence>,
    /// What is known of doing without translation.
    pub way: Way,
    /// Everything that can be done about its image, best first, with costs and risks. Older documents have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Advice>>")]
    pub advice: Vec<Advice>,
}

/// Kinds of things that need translation, in the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum WayOutKind {
    /// The engine's whole machine.
    Engine,
    /// A container.
    Container,
    /// A service of a Compose project.
    Service,
    /// A stage of a Dockerfile.
    BuildStage,
    /// An image.
    Image,
}

impl WayOutKind {
    /// For people, one of them.
    pub fn word(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Container => "container",
            Self::Service => "Compose service",
            Self::BuildStage => "build stage",
            Self::Image => "image",
        }
    }
}

/// What is known of doing without translation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Way {
    /// How far it is known.
    pub kind: WayKind,
    /// What to do, as an order: "Take the pin out".
    pub title: String,
    /// Why that is so here, and what it leaves open.
    pub why: String,
    /// Command lines, an argument vector each. Nothing is run.
    pub commands: Vec<Vec<String>>,
}

/// How far a way out is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub enum WayKind {
    /// The native variant is on the engine: start it.
    Here,
    /// A pin to the foreign platform is all that is in the way.
    Unpin,
    /// The image's index, which is here, lists the native platform: pull it.
    Pull,
    /// It is built from files that are known: build it for the native platform.
    Rebuild,
    /// A newer tag has the native platform: another version.
    Newer,
    /// Another image replaces it.
    Replace,
    /// A native machine is needed.
    NewMachine,
    /// Its registry was asked and has none, nor is anything else known: it stays emulated.
    Emulate,
    /// Not known until somebody asks a registry, or looks inside.
    Unknown,
}

impl WayKind {
    /// There is a way out, and it is known.
    pub fn known(self) -> bool {
        !matches!(self, Self::Unknown | Self::Emulate)
    }
    /// The same tag is native here or upstream: nothing comes nearer.
    pub fn same_tag(self) -> bool {
        matches!(self, Self::Here | Self::Unpin | Self::Pull)
    }
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Here => "native here",
            Self::Unpin => "pin in the way",
            Self::Pull => "native to pull",
            Self::Rebuild => "build it native",
            Self::Newer => "newer tag",
            Self::Replace => "replace it",
            Self::NewMachine => "native machine",
            Self::Emulate => "stays emulated",
            Self::Unknown => "not known",
        }
    }
}

/// Makes the list.
pub fn way_out(context: &Context<'_>) -> WayOut {
    let inventory = context.inventory;
    let native = inventory.engine.platform.clone();
    let mut gaps = things::gaps(context);
    let mut items = match &native {
        Fact::Known(engine) => things::all(context, engine),
        Fact::Unknown { unknown } => {
            gaps.insert(0, unknown.clone());
            Vec::new()
        }
    };
    // A native image with a foreign program in it has advice of its own.
    for item in items.iter_mut().filter(|item| item.advice.is_empty()) {
        item.advice = item.image.as_deref().map(|image| advice(context, image)).unwrap_or_default();
    }
    items.sort_by(|a, b| (a.kind, &a.name, a.line).cmp(&(b.kind, &b.name, b.line)));
    let outlook = outlook::outlook(context);
    let (headline, detail) = (headline(&items, &gaps), detail(&items, &gaps));
    WayOut { headline, detail, native, items, gaps, outlook }
}

/// "Intel", or "Intel and riscv64".
fn families(items: &[WayOutItem]) -> Vec<String> {
    let mut families: Vec<String> = Vec::new();
    for platform in items.iter().filter_map(|item| item.platform.known()) {
        if !families.iter().any(|known| known == platform.family()) {
            families.push(platform.family().to_owned());
        }
    }
    // Intel is what people come for.
    families.sort_by_key(|family| (family != "Intel", family.clone()));
    families
}

fn headline(items: &[WayOutItem], gaps: &[Gap]) -> String {
    if items.is_empty() {
        return match gaps.is_empty() {
            true => "Nothing here needs translation".to_owned(),
            false => "Nothing that could be read needs translation".to_owned(),
        };
    }
    let kinds =
        [WayOutKind::Engine, WayOutKind::Container, WayOutKind::Service, WayOutKind::BuildStage, WayOutKind::Image];
    let counts: Vec<String> = kinds
        .into_iter()
        .map(|kind| (kind, items.iter().filter(|item| item.kind == kind).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(kind, n)| count(n, kind.word()))
        .collect();
    let needs = if items.len() == 1 { "needs" } else { "need" };
    let families = and(&families(items));
    let what = if families.is_empty() { "translation".to_owned() } else { format!("{families} translation") };
    format!("{} {needs} {what}", and(&counts))
}

/// "a", "a and b", "a, b and c": every one named.
fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

fn detail(items: &[WayOutItem], gaps: &[Gap]) -> String {
    let known = items.iter().filter(|item| item.way.kind.known()).count();
    let mut detail = match (items.len(), known) {
        (0, _) => String::new(),
        (n, known) if n == known => "A way out is known for all of it. ".to_owned(),
        (n, 0) => format!("A way out is known for none of the {n}: no registry was asked, and nobody looked inside. "),
        (n, known) => {
            format!(
                "A way out is known for {known} of {n}. For the rest no registry was asked, and nobody looked inside. "
            )
        }
    };
    if !gaps.is_empty() {
        detail.push_str(&format!(
            "{} could not be read or told, and may belong to the list.",
            count(gaps.len(), "thing")
        ));
    }
    detail.trim_end().to_owned()
}

#[cfg(test)]
mod tests;
