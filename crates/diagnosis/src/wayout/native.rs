//! What is known of doing without translation: from what is on the engine and in the files, and from what registries
//! said where somebody asked them before. Nobody is asked here.

use crate::{
    check::Context,
    compose::{ComposeProject, ComposeService, Pin, place},
    fact::Fact,
    inventory::{ComposeMembership, Image},
    platform::{Nativeness, Platform},
    reference::{is_id, is_kept, normalise},
    replacement::replacement,
    upstream::UpstreamReference,
};

use super::{Way, WayKind};

/// A native platform that an image lists, here or not.
pub(super) fn native_of(image: &Image, engine: &Platform, here: bool) -> Option<Platform> {
    let listed = image.platforms.known()?.iter().filter(|p| p.available == here);
    listed.filter_map(|p| p.platform.known()).find(|p| p.on(engine) == Nativeness::Native).cloned()
}

/// The image that a reference means today.
pub(super) fn image_of<'a>(context: &Context<'a>, reference: &str) -> Option<&'a Image> {
    let wanted = normalise(reference)?;
    let means = |text: &String| normalise(text).as_deref() == Some(&wanted);
    context.inventory.images.items.iter().find(|image| image.tags.iter().chain(&image.digests).any(means))
}

/// The way of something made from an image reference.
pub(super) fn of_reference(context: &Context<'_>, reference: &str, engine: &Platform) -> Way {
    let Some(image) = image_of(context, reference) else { return of_registry(context, reference, engine, None) };
    if let Some(native) = native_of(image, engine, true) {
        return Way {
            kind: WayKind::Here,
            title: format!("Start it for {native}"),
            why: format!("{reference} is here for {native} too."),
            commands: Vec::new(),
        };
    }
    if let Some(native) = native_of(image, engine, false) {
        return Way {
            kind: WayKind::Pull,
            title: format!("Pull {reference} for {native}"),
            why: format!("The index of {reference}, which is here, lists {native}; its content is not here yet."),
            commands: vec![command(&["docker", "pull", "--platform", &native.to_string(), reference])],
        };
    }
    of_registry(context, reference, engine, Some(image))
}

/// The way that its registry knows, where somebody asked.
fn of_registry(context: &Context<'_>, reference: &str, engine: &Platform, image: Option<&Image>) -> Way {
    let Some(known) = context.inventory.upstream.of(reference) else { return not_asked(reference, engine, image) };
    let native = match &known.content {
        Fact::Known(content) => content.native(engine),
        Fact::Unknown { unknown } => unknown.clone().into(),
    };
    match native {
        Fact::Known(Some(native)) => Way {
            kind: WayKind::Pull,
            title: format!("Pull {reference} for {native}"),
            why: format!("Its registry has {reference} for {native}; that is not here yet."),
            commands: vec![command(&["docker", "pull", "--platform", &native.to_string(), reference])],
        },
        Fact::Known(None) => without_native(reference, engine, known),
        Fact::Unknown { unknown } => Way {
            kind: WayKind::Unknown,
            title: "Ask its registry again".to_owned(),
            why: format!("Its registry was asked for {reference}: {}.", unknown.why),
            commands: vec![command(&["silidock", "registry", "--newer", reference])],
        },
    }
}

/// The registry has no native variant of this very reference: what is nearest to it.
fn without_native(reference: &str, engine: &Platform, known: &UpstreamReference) -> Way {
    let newer = known.newer.as_ref().and_then(|newer| newer.known()).and_then(|tags| tags.first());
    let none = format!("Its registry has no {engine} for {reference}.");
    if let Some(newer) = newer {
        let repository = known.reference.rsplit_once(':').map_or(known.reference.as_str(), |(name, _)| name);
        let image = format!("{repository}:{}", newer.tag);
        return Way {
            kind: WayKind::Newer,
            title: format!("Move to {}", newer.tag),
            why: format!("{none} {image} has it; that is another version, so try it on a copy of the data."),
            commands: vec![command(&["docker", "pull", "--platform", &engine.to_string(), &image])],
        };
    }
    match replacement(reference) {
        Some(row) => Way {
            kind: WayKind::Replace,
            title: row
                .instead
                .as_ref()
                .map_or_else(|| "Emulate it knowingly".to_owned(), |instead| format!("Replace it with {instead}")),
            why: format!("{none} {} Source: {}", row.words, row.source),
            commands: Vec::new(),
        },
        None => Way {
            kind: WayKind::Emulate,
            title: "Emulate it knowingly, or have it built".to_owned(),
            why: format!("{none} No newer tag with it was found, and no replacement is known."),
            commands: Vec::new(),
        },
    }
}

/// Nobody knows without asking.
fn not_asked(reference: &str, engine: &Platform, image: Option<&Image>) -> Way {
    let unknown =
        |title: &str, why: String, commands| Way { kind: WayKind::Unknown, title: title.to_owned(), why, commands };
    if is_kept(reference) {
        return unknown(
            "Leave it, or remove it",
            "Silidock keeps it so that a change can be taken back; no registry has it.".to_owned(),
            Vec::new(),
        );
    }
    if is_id(reference) || reference.is_empty() {
        return unknown(
            "Find out where it came from",
            "It is named by its id alone, so no registry can be asked for another platform of it.".to_owned(),
            Vec::new(),
        );
    }
    let listed = image.and_then(|image| image.platforms.known()).into_iter().flatten();
    let listed: Vec<String> = listed.filter_map(|p| p.platform.known()).map(ToString::to_string).collect();
    let here = match listed.is_empty() {
        true => format!("{reference} is not on this engine"),
        false => format!("What is here of {reference} lists {} alone", super::and(&listed)),
    };
    unknown(
        "Ask its registry",
        format!("{here}, and no registry was asked for {engine}. A newer tag may have it."),
        vec![command(&["docker", "buildx", "imagetools", "inspect", reference])],
    )
}

/// The way of an image: a service that builds it here, else what its reference has.
pub(super) fn of_image(context: &Context<'_>, reference: &str, engine: &Platform) -> Way {
    let way = of_reference(context, reference, engine);
    let wanted = normalise(reference);
    let makes = |service: &&ComposeService| {
        service.builds && wanted.is_some() && service.image.as_deref().and_then(normalise) == wanted
    };
    let builder = context.inventory.projects.iter().find_map(|project| {
        let mut services = project.files.iter().filter_map(|file| file.services.known()).flatten();
        Some((project, services.find(makes)?))
    });
    match builder.filter(|_| !way.kind.same_tag()) {
        Some((project, service)) => {
            let at = ComposeMembership { project: project.name.clone(), service: service.name.clone() };
            of_build(context, &at, service, engine)
        }
        None => way,
    }
}

/// The way of a Compose service: what its image has, what its build can, and what a pin forbids.
pub(super) fn of_service(context: &Context<'_>, at: &ComposeMembership, reference: &str, engine: &Platform) -> Way {
    let project = context.inventory.projects.iter().find(|p| p.name == at.project);
    let mut way = match project.and_then(|project| built(project, &at.service)) {
        Some(service) => of_build(context, at, service, engine),
        None => of_reference(context, reference, engine),
    };
    let pin = project.map(|project| project.pin(&at.service));
    let foreign_pin = match &pin {
        Some(Ok(Pin::Pinned { path, line, value })) => {
            let native = value.parse::<Platform>().is_ok_and(|p| p.on(engine) == Nativeness::Native);
            (!native).then(|| (place(path, *line), *value))
        }
        _ => None,
    };
    if let Some((place, value)) = foreign_pin {
        if way.kind == WayKind::Here {
            way.kind = WayKind::Unpin;
            way.title = format!("Take platform: {value} out of {}", at.service);
        }
        way.why = format!("{} {place} pins it to {value}.", way.why);
    }
    if matches!(way.kind, WayKind::Here | WayKind::Unpin) {
        way.commands = vec![context.recreate(at)];
    }
    way
}

/// The service as the file declares it that builds it.
fn built<'a>(project: &'a ComposeProject, name: &str) -> Option<&'a ComposeService> {
    let mut services = project.files.iter().filter_map(|file| file.services.known()).flatten();
    services.rfind(|service| service.name == name && service.builds)
}

fn of_build(context: &Context<'_>, at: &ComposeMembership, service: &ComposeService, engine: &Platform) -> Way {
    let build = service.build.as_ref();
    let from = build.and_then(|build| build.dockerfile.as_deref()).unwrap_or("its Dockerfile");
    let foreign = |text: &str| text.parse::<Platform>().is_ok_and(|p| p.on(engine) != Nativeness::Native);
    let platforms = build.map(|build| build.platforms.as_slice()).unwrap_or_default();
    let fixed = build.into_iter().flat_map(|build| &build.stages).filter(|stage| {
        let platform = stage.platform.as_ref().and_then(|platform| platform.known());
        platform.is_some_and(|platform| platform.on(engine) != Nativeness::Native)
    });
    let lines: Vec<String> = fixed.filter_map(|stage| stage.line).map(|line| format!("{from}:{line}")).collect();
    let mut why = format!("It is built here from {from}, so it can be built for {engine}.");
    if !lines.is_empty() {
        why.push_str(&format!(" First take --platform= out of {}.", super::and(&lines)));
    }
    if !platforms.is_empty() && platforms.iter().all(|text| foreign(text)) {
        why.push_str(&format!(" Its build.platforms lists {} alone; add {engine} to it.", super::and(platforms)));
    }
    let bases = build.into_iter().flat_map(|build| &build.stages).filter(|stage| !stage.internal);
    let missing: Vec<String> = bases
        .filter(|stage| {
            let listed = image_of(context, &stage.image)
                .is_some_and(|i| native_of(i, engine, true).or_else(|| native_of(i, engine, false)).is_some());
            let upstream = context.inventory.upstream.content(&stage.image).ok();
            let there = upstream.is_some_and(|content| matches!(content.native(engine), Fact::Known(Some(_))));
            !listed && !there
        })
        .map(|stage| stage.image.clone())
        .collect();
    if !missing.is_empty() {
        why.push_str(&format!(" Whether {} has {engine} is not known: no registry was asked.", super::and(&missing)));
    }
    let project = context.inventory.projects.iter().find(|p| p.name == at.project);
    let files = project.into_iter().flat_map(|p| &p.files).flat_map(|file| ["-f", file.path.as_str()]);
    let words = ["docker", "compose"].into_iter().chain(files).chain(["-p", &at.project, "build", &at.service]);
    Way {
        kind: WayKind::Rebuild,
        title: format!("Build {} for {engine}", at.service),
        why,
        commands: vec![words.map(str::to_owned).collect()],
    }
}

/// The way of a build stage that is fixed to a foreign platform.
pub(super) fn of_stage(context: &Context<'_>, image: &str, internal: bool, engine: &Platform) -> Way {
    match (!internal).then(|| of_reference(context, image, engine)) {
        Some(base) if !base.kind.known() => base,
        base => Way {
            kind: WayKind::Rebuild,
            title: "Take --platform= out of its FROM and build".to_owned(),
            why: base.map_or_else(|| "It starts from nothing or from another stage.".to_owned(), |base| base.why),
            commands: Vec::new(),
        },
    }
}

fn command(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
