//! What can be done about an image that needs an emulator here, best first, each with what it costs and what it risks.
//!
//! Pure: of what is here, what the files build, and what registries said before. Nothing is asked, and nothing is done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    bench::meaning::lane_meaning,
    check::Context,
    compose::ResolvedService,
    platform::{Nativeness, Platform},
    reference::{is_id, normalise},
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

/// What can be done about a reference of which the engine has no native variant at work, best first; empty where the
/// engine's platform is not known.
pub fn advice(context: &Context<'_>, reference: &str) -> Vec<Advice> {
    let Some(engine) = context.inventory.engine.platform.known() else { return Vec::new() };
    let mut all = Vec::new();
    if !is_id(reference) {
        let same = same_tag(context, reference, engine);
        let ask = same.is_none() && context.inventory.upstream.content(reference).is_err();
        all.extend(same);
        all.extend(rebuild(context, reference, engine));
        all.extend(ask.then(|| ask_registry(reference)));
        all.extend(newer(context, reference, engine));
        all.extend(other(reference));
    }
    all.extend(emulate(context, reference));
    all
}

fn command(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The native variant of the very tag: here, or to be pulled.
fn same_tag(context: &Context<'_>, reference: &str, engine: &Platform) -> Option<Advice> {
    let wanted = normalise(reference)?;
    let mut images = context.inventory.images.items.iter();
    let image = images.find(|image| image.tags.iter().any(|tag| normalise(tag).as_deref() == Some(&wanted)));
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
    let content = context.inventory.upstream.content(reference).ok();
    let upstream = content.and_then(|content| content.native(engine).known().copied().flatten());
    let platform = upstream.or_else(|| native.first().and_then(|p| p.platform.known()))?;
    let moved = match content.zip(image) {
        Some((content, image)) if image.is(&content.digest) => {
            "Little: it is the other half of the very index that is here."
        }
        _ => "The tag may have moved since it was pulled here, so its content may be newer, too.",
    };
    Some(Advice {
        kind: WayKind::Pull,
        title: format!("Pull {reference} for {platform}"),
        cost: "A download, and a stop while its container is made anew.".to_owned(),
        risk: moved.to_owned(),
        commands: vec![context.pull(reference, &platform.to_string())],
    })
}

/// A service whose build makes it.
fn rebuild(context: &Context<'_>, reference: &str, engine: &Platform) -> Option<Advice> {
    let wanted = normalise(reference)?;
    let makes = |service: &ResolvedService| {
        let image = service.image.as_ref().and_then(|image| normalise(&image.value));
        service.build.is_some() && image.as_deref() == Some(&wanted)
    };
    let (project, service) = context.services().find(|(_, service)| makes(service))?;
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

fn ask_registry(reference: &str) -> Advice {
    Advice {
        kind: WayKind::Unknown,
        title: "Ask its registry".to_owned(),
        cost: "A question over the network, with the logins of docker login.".to_owned(),
        risk: "None: nothing is pulled.".to_owned(),
        commands: vec![command(&["silidock", "registry", "--newer", reference])],
    }
}

/// The nearest newer tag that has the engine's platform.
fn newer(context: &Context<'_>, reference: &str, engine: &Platform) -> Option<Advice> {
    let known = context.inventory.upstream.of(reference)?;
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
    let emulator = voices(context, &foreign).last().map(|voice| voice.says.clone());
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
    let wanted = normalise(reference)?;
    let runs = context.inventory.containers.items.iter().filter(|c| normalise(&c.image).as_deref() == Some(&wanted));
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
        let id = "sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1";
        assert_eq!(kinds(&foreign_only("arm64", "a:1"), id), []);
    }
}
