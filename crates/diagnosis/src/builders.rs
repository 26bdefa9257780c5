//! Who can build for a platform: builders, their nodes, which of them run it natively, and the choice between them.
//! Where a node's own platform cannot be told, nothing is claimed of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::platform::{Nativeness, Platform};

/// A builder as buildx lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// Its name.
    pub name: String,
    /// `docker`, `docker-container`, `kubernetes`, `remote`, `cloud`.
    pub driver: String,
    /// buildx takes it when nobody names one.
    pub current: bool,
    /// It is the engine that is looked at.
    pub own: bool,
    /// It can build for several platforms at once. Unknown where that depends on another engine's image store.
    pub several: Option<bool>,
    /// Its nodes.
    pub nodes: Vec<BuilderNode>,
    /// Why it cannot be used, in buildx's words.
    pub error: Option<String>,
}

/// One machine of a builder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct BuilderNode {
    /// Its name.
    pub name: String,
    /// Address or context.
    pub endpoint: String,
    /// `running`, `inactive`, `stopped`.
    pub status: String,
    /// Version of its BuildKit.
    pub version: Option<String>,
    /// What it builds for, its own platform first.
    pub platforms: Vec<NodePlatform>,
    /// Why it cannot be used.
    pub error: Option<String>,
}

/// A platform of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct NodePlatform {
    /// Which.
    pub platform: Platform,
    /// It runs there without an emulator.
    pub native: bool,
    /// Somebody gave it to the node by hand.
    pub assigned: bool,
}

/// Which node would build for a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct BuildsOn {
    /// The platform.
    pub platform: Platform,
    /// The builder.
    pub builder: String,
    /// Its node; none where that is only known once it runs.
    pub node: Option<String>,
    /// Without an emulator; unknown where the node does not say.
    pub native: Option<bool>,
}

/// What a build needs of a builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needed<'a> {
    /// Only this one may be taken.
    pub named: Option<&'a str>,
    /// The result has to come to the engine that is looked at.
    pub load: bool,
}

impl BuilderNode {
    fn offers(&self, wanted: &Platform) -> Option<&NodePlatform> {
        // One that was given by hand comes first, as buildx sees it too.
        let mut offers: Vec<&NodePlatform> = self.platforms.iter().filter(|p| same(&p.platform, wanted)).collect();
        offers.sort_by_key(|offer| (!offer.assigned, !offer.native));
        offers.first().copied()
    }

    fn usable(&self) -> bool {
        self.error.is_none()
    }
}

impl Builder {
    /// Which node builds for each platform; what this builder lacks where it cannot.
    pub fn takes(&self, wanted: &[Platform]) -> Result<Vec<BuildsOn>, String> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        if wanted.len() > 1 && self.several == Some(false) {
            return Err("builds for one platform at a time, because the engine keeps one platform per tag".to_owned());
        }
        wanted.iter().map(|platform| self.takes_one(platform)).collect()
    }

    fn takes_one(&self, wanted: &Platform) -> Result<BuildsOn, String> {
        let usable = || self.nodes.iter().filter(|node| node.usable());
        let offers = usable().filter_map(|node| Some((node, node.offers(wanted)?)));
        let on = |node: Option<&BuilderNode>, native| BuildsOn {
            platform: wanted.clone(),
            builder: self.name.clone(),
            node: node.map(|node| node.name.clone()),
            native,
        };
        let best = offers.min_by_key(|(_, offer)| (!offer.native, !offer.assigned));
        match best {
            Some((node, offer)) => Ok(on(Some(node), Some(offer.native))),
            // One that sleeps says nothing yet; buildx starts it when it is used.
            None if usable().any(|node| node.platforms.is_empty() && node.status != "running") => Ok(on(None, None)),
            None => match self.nodes.iter().find_map(|node| node.error.clone()) {
                Some(error) => Err(error),
                None => Err(format!("has no node that builds for {wanted}")),
            },
        }
    }
}

/// The builder that runs most of the platforms natively; among equals the engine itself, then buildx's current one.
///
/// # Errors
/// What each builder lacks, with its name.
pub fn choose(
    builders: &[Builder],
    wanted: &[Platform],
    needed: Needed<'_>,
) -> Result<Vec<BuildsOn>, Vec<(String, String)>> {
    let mut lacking = Vec::new();
    let mut best: Option<(usize, &Builder, Vec<BuildsOn>)> = None;
    for builder in builders.iter().filter(|builder| needed.named.is_none_or(|name| builder.name == name)) {
        if needed.load && builder.driver == "docker" && !builder.own {
            lacking.push((builder.name.clone(), "keeps what it builds on another engine".to_owned()));
            continue;
        }
        let taken = match builder.takes(wanted) {
            Ok(taken) => taken,
            Err(why) => {
                lacking.push((builder.name.clone(), why));
                continue;
            }
        };
        let unsure = taken.iter().any(|on| on.native.is_none());
        if unsure && needed.named.is_none() {
            lacking.push((builder.name.clone(), "does not run, so what it can build is not known".to_owned()));
            continue;
        }
        let native = taken.iter().filter(|on| on.native == Some(true)).count();
        let rank = |native: usize, builder: &Builder| (native, builder.own, builder.current);
        if best.as_ref().is_none_or(|(than, known, _)| rank(native, builder) > rank(*than, known)) {
            best = Some((native, builder, taken));
        }
    }
    match (best, needed.named) {
        (Some((_, _, taken)), _) => Ok(taken),
        (None, Some(name)) if lacking.is_empty() => Err(vec![(name.to_owned(), "is not among them".to_owned())]),
        (None, _) => Err(lacking),
    }
}

/// The same program: variants beyond the architecture's own are told apart only where both have one.
fn same(offered: &Platform, wanted: &Platform) -> bool {
    let variant = offered.variant == wanted.variant || (offered.variant.is_none() && wanted.variant.is_none());
    offered.os == wanted.os && offered.architecture == wanted.architecture && variant
}

/// What each listed platform is to a node: BuildKit lists the node's own first, then what is registered there; what was
/// given to a node by hand stands before both.
pub fn node_platforms(listed: &[(Platform, bool)]) -> Vec<NodePlatform> {
    let own = listed.iter().find(|(_, assigned)| !assigned).or(listed.first()).map(|(platform, _)| platform.clone());
    let native = |platform: &Platform| own.as_ref().is_some_and(|own| platform.on(own) == Nativeness::Native);
    let one = |(platform, assigned): &(Platform, bool)| NodePlatform {
        platform: platform.clone(),
        native: native(platform),
        assigned: *assigned,
    };
    listed.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platforms(texts: &[&str]) -> Vec<Platform> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// Nodes as their platforms in words, a star after those given by hand.
    fn builder(name: &str, driver: &str, several: Option<bool>, nodes: &[&str]) -> Builder {
        let node = |(number, listed): (usize, &&str)| {
            let listed: Vec<(Platform, bool)> = listed
                .split_whitespace()
                .map(|text| (text.trim_end_matches('*').parse().unwrap(), text.ends_with('*')))
                .collect();
            BuilderNode {
                name: format!("{name}{number}"),
                endpoint: String::new(),
                status: if listed.is_empty() { "inactive" } else { "running" }.to_owned(),
                version: None,
                platforms: node_platforms(&listed),
                error: None,
            }
        };
        Builder {
            name: name.to_owned(),
            driver: driver.to_owned(),
            current: false,
            own: name == "own",
            several,
            nodes: nodes.iter().enumerate().map(node).collect(),
            error: None,
        }
    }

    #[test]
    fn a_native_node_is_preferred_and_emulation_is_told() {
        let store = builder("own", "docker", Some(true), &["linux/amd64 linux/amd64/v2 linux/arm64"]);
        let classic = builder("own", "docker", Some(false), &["linux/amd64 linux/arm64 linux/386"]);
        let bare = builder("own", "docker", Some(false), &["linux/amd64"]);
        let farm = builder("farm", "kubernetes", Some(true), &["linux/arm64 linux/amd64", "linux/amd64"]);
        let asleep = builder("silidock", "docker-container", Some(true), &[""]);
        let given = builder("hand", "remote", Some(true), &["linux/arm64* linux/amd64"]);
        let other = builder("server", "docker", None, &["linux/arm64"]);
        let broken = Builder { error: Some("cannot be reached".to_owned()), ..farm.clone() };
        type Row<'a> = (Vec<&'a Builder>, &'a [&'a str], Needed<'a>, &'a str);
        let (any, load) = (Needed::default(), Needed { load: true, ..Needed::default() });
        let named = |name| Needed { named: Some(name), load: false };
        let rows: [Row<'_>; 16] = [
            (vec![&store], &["linux/amd64"], load, "own/own0 native"),
            (vec![&store], &["linux/arm64"], load, "own/own0 emulated"),
            (vec![&store], &["linux/amd64", "linux/arm64"], load, "own/own0 native, own/own0 emulated"),
            (vec![&store, &farm], &["linux/arm64"], load, "farm/farm0 native"),
            (vec![&store, &farm], &["linux/amd64", "linux/arm64"], any, "farm/farm1 native, farm/farm0 native"),
            (vec![&farm, &store], &["linux/amd64"], any, "own/own0 native"),
            (vec![&classic], &["linux/386"], load, "own/own0 native"),
            (
                vec![&classic],
                &["linux/amd64", "linux/arm64"],
                any,
                "own: builds for one platform at a time, because the engine keeps one platform per tag",
            ),
            (vec![&bare], &["linux/arm64"], load, "own: has no node that builds for linux/arm64"),
            (
                vec![&bare, &asleep],
                &["linux/arm64"],
                load,
                "own: has no node that builds for linux/arm64; silidock: does not run, so what it can build is not known",
            ),
            (vec![&bare, &asleep], &["linux/arm64"], named("silidock"), "silidock/? unknown"),
            (vec![&given], &["linux/arm64"], any, "hand/hand0 emulated"),
            (vec![&given], &["linux/amd64"], any, "hand/hand0 native"),
            (
                vec![&bare, &other],
                &["linux/arm64"],
                load,
                "own: has no node that builds for linux/arm64; server: keeps what it builds on another engine",
            ),
            (vec![&bare, &other], &["linux/arm64"], any, "server/server0 native"),
            (vec![&broken], &["linux/arm64"], named("farm"), "farm: cannot be reached"),
        ];
        for (builders, wanted, needed, expected) in rows {
            let builders: Vec<Builder> = builders.into_iter().cloned().collect();
            let word = |on: BuildsOn| {
                let how = on.native.map_or("unknown", |native| if native { "native" } else { "emulated" });
                format!("{}/{} {how}", on.builder, on.node.as_deref().unwrap_or("?"))
            };
            let seen = match choose(&builders, &platforms(wanted), needed) {
                Ok(taken) => taken.into_iter().map(word).collect::<Vec<_>>().join(", "),
                Err(why) => why.into_iter().map(|(who, why)| format!("{who}: {why}")).collect::<Vec<_>>().join("; "),
            };
            assert_eq!(seen, expected, "{wanted:?}");
        }
        assert_eq!(
            choose(&[store], &platforms(&["linux/arm64"]), named("gone")),
            Err(vec![("gone".to_owned(), "is not among them".to_owned())])
        );
    }
}
