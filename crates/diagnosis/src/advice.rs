//! What can be done about an image that needs an emulator here, best first, each with what it costs and what it risks.
//!
//! Pure: of what is here, what the files build, and what registries said before. Nothing is asked, and nothing is done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    bench::meaning::lane_meaning,
    check::Context,
    platform::{Nativeness, Platform},
    reference::{is_id, is_kept, normalise},
    replacement::replacement,
    voices::voices,
    wayout::WayKind,
};

/// One thing that can be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Advice {
    /// Which kind; `unknown` is the advice to ask.
    pub kind: WayKind,
    /// As an order: "Pull redis:8 for linux/arm64".
    pub title: String,
    /// What it costs, in a sentence.
    pub cost: String,
    /// What it risks, in a sentence.
    pub risk: String,
    /// Command lines, an argument vector each. Nothing is run.
    pub commands: Vec<Vec<String>>,
}

/// The same for a reference that somebody names, whether or not anything of it is here: nothing where it needs no emulator,
/// and no emulator where it needs none but could have one.
pub fn advice_when_named(context: &Context<'_>, reference: &str) -> Vec<Advice> {
    let full = normalise(reference);
    let foreign_here = context.foreign_references().into_iter().any(|foreign| normalise(foreign) == full);
    let mut all = advice(context, reference);
    match all.first().map(|best| best.kind) {
        Some(WayKind::Here) if !foreign_here => all.clear(),
        Some(WayKind::Pull) if !foreign_here => all.retain(|one| one.kind != WayKind::Emulate),
        _ => {}
    }
    all
}

/// What can be done about a reference of which the engine has no native variant at work, best first; empty where the
/// engine's platform is not known.
pub fn advice(context: &Context<'_>, reference: &str) -> Vec<Advice> {
    let Some(engine) = context.inventory.engine.platform.known() else { return Vec::new() };
    let mut all = Vec::new();
    if !is_id(reference) && !is_kept(reference) {
        let same = same_tag(context, reference, engine);
        let ask = if same.is_none() { unasked(context, reference) } else { None };
        all.extend(same);
        all.extend(rebuild(context, reference, engine));
        all.extend(ask.map(|title| ask_registry(reference, title)));
        all.extend(newer(context, reference, engine));
        all.extend(other(reference));
    }
    all.extend(emulate(context, reference));
    all
}

fn command(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

const DOWNLOAD: &str = "A download, and a stop while its container is made anew.";

/// What a registry could still say: what the reference has, or which newer tags have what it has not.
fn unasked(context: &Context<'_>, reference: &str) -> Option<&'static str> {
    match (context.upstream(reference), context.names.upstream(reference)) {
        (Ok(_), Some(known)) if known.newer.is_some() => None,
        (Ok(_), _) => Some("Look for newer tags"),
        (Err(_), _) => Some("Ask its registry"),
    }
}

/// The native variant of the very tag: here, or to be pulled.
fn same_tag(context: &Context<'_>, reference: &str, engine: &Platform) -> Option<Advice> {
    let image = context.names.tagged(reference);
    let listed = image.and_then(|image| image.platforms.known()).into_iter().flatten();
    let mut native = listed.filter(|p| p.platform.known().is_some_and(|p| p.on(engine) == Nativeness::Native));
    let native: Vec<_> = native.by_ref().collect();
    if native.iter().any(|p| p.available) {
        return Some(Advice {
            kind: WayKind::Here,
            title: format!("Start it for {engine}"),
            cost: "Its container is made anew, so it stops for as long as that takes.".to_owned(),
            risk: "None for the version: it is the same tag; data in volumes stays.".to_owned(),
            commands: Vec::new(),
        });
    }
    let content = context.upstream(reference).ok();
    let upstream = content.and_then(|content| content.native(engine).known().copied().flatten());
    let platform = upstream.or_else(|| native.first().and_then(|p| p.platform.known()))?;
    let (cost, risk) = match (content, image) {
        (_, None) => ("A download.", "None that is known: nothing of it is here yet."),
        (Some(content), Some(image)) if image.is(&content.digest) => {
            (DOWNLOAD, "Little: it is the other half of the very index that is here.")
        }
        _ if reference.contains('@') => (DOWNLOAD, "None for the version: a digest means the same content always."),
        _ => (DOWNLOAD, "The tag may have moved since it was pulled here, so its content may be newer, too."),
    };
    Some(Advice {
        kind: WayKind::Pull,
        title: format!("Pull {reference} for {platform}"),
        cost: cost.to_owned(),
        risk: risk.to_owned(),
        commands: vec![context.pull(reference, &platform.to_string())],
    })
}

/// A service whose build makes it.
fn rebuild(context: &Context<'_>, reference: &str, engine: &Platform) -> Option<Advice> {
    let (project, service) = context.names.built(reference)?;
    let files = context.inventory.projects.iter().find(|p| p.name == project).map(|p| p.files.as_slice());
    let files = files.unwrap_or_default().iter().flat_map(|file| ["-f", file.path.as_str()]);
    let words = ["docker", "compose"].into_iter().chain(files).chain(["-p", project, "build", &service.name]);
    Some(Advice {
        kind: WayKind::Rebuild,
        title: format!("Build {} for {engine}", service.name),
        cost: format!("A build on this engine, and its base images for {engine}."),
        risk: "Its Dockerfile may fetch or copy programs of one architecture; look inside the result.".to_owned(),
        commands: vec![words.map(str::to_owned).collect()],
    })
}

fn ask_registry(reference: &str, title: &str) -> Advice {
    Advice {
        kind: WayKind::Unknown,
        title: title.to_owned(),
        cost: "A question over the network, with the logins of docker login.".to_owned(),
        risk: "None: nothing is pulled.".to_owned(),
        commands: vec![command(&["silidock", "registry", "--newer", reference])],
    }
}

/// The nearest newer tag that has the engine's platform.
fn newer(context: &Context<'_>, reference: &str, engine: &Platform) -> Option<Advice> {
    let known = context.names.upstream(reference)?;
    let tag = known.newer.as_ref()?.known()?.first()?;
    let repository = known.reference.rsplit_once(':').map_or(known.reference.as_str(), |(name, _)| name);
    let image = format!("{repository}:{}", tag.tag);
    Some(Advice {
        kind: WayKind::Newer,
        title: format!("Move to {}", tag.tag),
        cost: "It is another version: what uses it has to be tried with it.".to_owned(),
        risk: "A program that keeps data may change its files and refuse the way back, so try it on a copy.".to_owned(),
        commands: vec![context.pull(&image, &engine.to_string())],
    })
}

/// Another image that is known to replace it.
fn other(reference: &str) -> Option<Advice> {
    let row = replacement(reference)?;
    Some(Advice {
        kind: WayKind::Replace,
        title: format!("Replace it with {}", row.instead.as_ref()?),
        cost: format!("{} Source: {}", row.words, row.source),
        risk: "It is another program: settings and interfaces may differ.".to_owned(),
        commands: Vec::new(),
    })
}

/// Keeping it, and saying so.
fn emulate(context: &Context<'_>, reference: &str) -> Option<Advice> {
    let foreign = foreign_platform(context, reference)?;
    let says = || voices(context, &foreign).pop().map(|voice| voice.says);
    let emulator = context.names.emulator(&foreign, says);
    let measured = context.inventory.benchmark.known().and_then(|fitting| {
        let lane = fitting.run.lanes.iter().find(|lane| lane.platform == foreign)?;
        lane_meaning(&fitting.run, lane)
    });
    let by = emulator.as_deref().unwrap_or("an emulator that was not proven yet");
    if by == "no emulator" {
        return None;
    }
    let cost = match measured {
        Some(lane) => format!("Measured here: {}.", lane.words),
        None => format!("Every instruction is translated by {by}; how much that costs here, a benchmark says."),
    };
    Some(Advice {
        kind: WayKind::Emulate,
        title: format!("Emulate it knowingly: pin it to {foreign}, which {by} runs"),
        cost,
        risk: "Programs can fail under an emulator that run elsewhere, and an update of the runtime may change it."
            .to_owned(),
        commands: Vec::new(),
    })
}

/// The foreign platform that a reference stands for here.
fn foreign_platform(context: &Context<'_>, reference: &str) -> Option<Platform> {
    let engine = context.inventory.engine.platform.known()?;
    let foreign = |platform: &&Platform| platform.on(engine) == Nativeness::Foreign;
    let runs = context.names.containers(reference).iter();
    let of_containers = runs.filter_map(|c| c.platform.known()).find(foreign).cloned();
    of_containers.or_else(|| context.platforms_of(reference)?.0.iter().find(foreign).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        example::{built_for, container, foreign_to, index, inventory, project, upstream},
        inventory::{Inventory, Listing},
    };

    fn kinds(seen: &Inventory, reference: &str) -> Vec<WayKind> {
        advice(&Context::new(seen), reference).into_iter().map(|advice| advice.kind).collect()
    }

    fn foreign_only(arch: &str, image: &str) -> Inventory {
        let foreign = foreign_to(arch);
        let mut seen = inventory(arch);
        seen.images = Listing::of(vec![index(image, &[(foreign, true)])]);
        let runs = container("db").image(image).platform(foreign).processes(&["/usr/bin/qemu-x86_64 /bin/db"]);
        seen.containers = Listing::of(vec![runs.build()]);
        seen
    }

    #[test]
    fn ways_are_ranked_and_each_says_what_it_costs_and_risks() {
        use WayKind::{Emulate, Here, Newer, Pull, Rebuild, Replace, Unknown};
        for arch in ["arm64", "amd64"] {
            let (native, foreign) = (format!("linux/{arch}"), foreign_to(arch));
            let both: &[&str] = &[foreign, &native];
            let mut seen = foreign_only(arch, "mailhog/mailhog:v1");
            assert_eq!(kinds(&seen, "mailhog/mailhog:v1"), [Unknown, Replace, Emulate]);
            seen.upstream.learn([upstream("mailhog/mailhog:v1", Ok(&[foreign]), &[("v2", both)])]);
            assert_eq!(kinds(&seen, "mailhog/mailhog:v1"), [Newer, Replace, Emulate]);
            let built = project("shop", "mail", "mailhog/mailhog:v1", None);
            seen.projects = vec![built_for(built, &[])];
            assert_eq!(kinds(&seen, "mailhog/mailhog:v1"), [Rebuild, Newer, Replace, Emulate]);
            seen.upstream.learn([upstream("mailhog/mailhog:v1", Ok(both), &[])]);
            assert_eq!(kinds(&seen, "mailhog/mailhog:v1")[0], Pull);
            seen.images = Listing::of(vec![index("mailhog/mailhog:v1", &[(foreign, true), (&native, true)])]);
            assert_eq!(kinds(&seen, "mailhog/mailhog:v1")[0], Here);
            for advice in advice(&Context::new(&seen), "mailhog/mailhog:v1") {
                let sentence = |text: &str| text.ends_with('.') || text.contains("Source: https://");
                assert!(sentence(&advice.cost) && sentence(&advice.risk), "{advice:?}");
            }
            let last = advice(&Context::new(&seen), "mailhog/mailhog:v1").pop().unwrap();
            assert!(last.title.contains("QEMU") && last.title.contains(foreign), "{last:?}");
        }
        let named = |seen: &Inventory| {
            advice_when_named(&Context::new(seen), "new/one:1").into_iter().map(|a| a.kind).collect::<Vec<_>>()
        };
        let mut seen = inventory("arm64");
        assert_eq!(named(&seen), [Unknown], "nothing is known of it");
        seen.upstream.learn([upstream("new/one:1", Ok(&["linux/amd64", "linux/arm64"]), &[])]);
        assert_eq!(named(&seen), [Pull]);
        let pull = advice_when_named(&Context::new(&seen), "new/one:1").remove(0);
        assert!(pull.risk.contains("nothing of it is here"), "{pull:?}");
        seen.images = Listing::of(vec![index("new/one:1", &[("linux/arm64", true)])]);
        assert_eq!(named(&seen), [], "it needs no emulator");
        let mut seen = foreign_only("arm64", "new/one:1");
        seen.upstream.learn([upstream("new/one:1", Ok(&["linux/amd64", "linux/arm64"]), &[])]);
        assert_eq!(named(&seen), [Pull, Emulate]);
        let digest = format!("new/one@sha256:{:064x}", 77);
        seen.upstream.learn([upstream(&digest, Ok(&["linux/amd64", "linux/arm64"]), &[])]);
        for (reference, moves) in [("new/one:1", true), (&digest, false)] {
            let mut seen = seen.clone();
            seen.images.items[0].digests = vec![digest.clone()];
            let pull = advice(&Context::new(&seen), reference).remove(0);
            assert_eq!((pull.kind, pull.risk.contains("may have moved")), (Pull, moves), "{reference}: {pull:?}");
        }
        let mut asked = upstream("new/one:1", Ok(&["linux/amd64"]), &[]);
        asked.newer = None;
        seen.upstream = Default::default();
        seen.upstream.learn([asked]);
        let ways = advice_when_named(&Context::new(&seen), "new/one:1");
        assert_eq!(ways[0].title, "Look for newer tags", "{ways:?}");
        let id = "sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1";
        assert_eq!(kinds(&foreign_only("arm64", "a:1"), id), []);
        let kept = "silidock-kept/db:20261120-000000-abcd";
        assert_eq!(kinds(&foreign_only("arm64", kept), kept), [WayKind::Emulate], "no registry is to be asked for it");
    }
}
