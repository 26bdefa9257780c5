//! The things themselves: what of an inventory is foreign to its engine.

use std::collections::BTreeSet;

use crate::{
    advice::Advice,
    check::Context,
    checks::emulated_engine::emulated_machine,
    compose::{BuildStage, ComposeFile, ComposeProject, ComposeService, Pin, place},
    emulator::display_name,
    execution::{ContainerExecution, Execution, Expected, expected},
    fact::{Fact, Gap},
    finding::Evidence,
    inventory::{ComposeMembership, Container, Image},
    platform::{Nativeness, Platform},
    reference::{is_kept, short_id},
    text::{count, list},
};

use super::{Way, WayKind, WayOutItem, WayOutKind, native};

/// All of them.
pub(super) fn all(context: &Context<'_>, engine: &Platform) -> Vec<WayOutItem> {
    let inventory = context.inventory;
    let mut items = Vec::new();
    items.extend(machine(context));
    items.extend(context.containers.iter().filter_map(|(c, e)| container(context, c, e, engine)));
    for project in &inventory.projects {
        items.extend(services(context, project, engine));
        items.extend(stages(context, project, engine));
    }
    items.extend(inventory.images.items.iter().filter_map(|image| of_image(context, image, engine)));
    items
}

/// The platform needs translation on this engine.
fn foreign(context: &Context<'_>, platform: &Platform) -> bool {
    expected(&Fact::Known(platform.clone()), &context.inventory.engine) == Fact::Known(Expected::Emulated)
}

fn machine(context: &Context<'_>) -> Option<WayOutItem> {
    let platform = emulated_machine(context.inventory)?;
    let engine = &context.inventory.engine;
    let inside = context.containers.iter().filter(|(_, e)| e.expected == Fact::Known(Expected::Native)).count();
    Some(WayOutItem {
        advice: Vec::new(),
        kind: WayOutKind::Engine,
        name: engine.runtime.name.clone(),
        project: None,
        image: None,
        platform: Fact::Known(platform.clone()),
        now: format!("its whole machine is emulated, with {} of its own platform in it", count(inside, "container")),
        path: None,
        line: None,
        evidence: vec![Evidence::new("engine", format!("it says {platform}, on an ARM Mac"))],
        way: Way {
            kind: WayKind::NewMachine,
            title: "Make a machine for linux/arm64".to_owned(),
            why: "Containers that are built for both run native there; the others are emulated one by one.".to_owned(),
            commands: Vec::new(),
        },
    })
}

fn container(
    context: &Context<'_>,
    container: &Container,
    execution: &ContainerExecution,
    engine: &Platform,
) -> Option<WayOutItem> {
    let whole = execution.expected == Fact::Known(Expected::Emulated);
    let inside_only = !whole && execution.execution == Execution::Mixed;
    if !whole && !inside_only {
        return None;
    }
    let way = match (&container.compose, whole) {
        (_, false) => Way {
            kind: WayKind::Unknown,
            title: "Replace the foreign program in it".to_owned(),
            why:
                "The image is native; a program in it is not. The evidence names it; whether there is a native one is \
                  not known."
                    .to_owned(),
            commands: Vec::new(),
        },
        (Some(at), true) => native::of_service(context, at, &container.image, engine),
        (None, true) => native::of_reference(context, &container.image, engine),
    };
    Some(WayOutItem {
        advice: if inside_only { vec![program_inside(container)] } else { Vec::new() },
        kind: WayOutKind::Container,
        name: container.name.clone(),
        project: container.compose.as_ref().map(|at| at.project.clone()),
        image: Some(container.image.clone()),
        platform: if whole { container.platform.clone() } else { platform_inside(container) },
        now: now(execution),
        path: None,
        line: None,
        evidence: execution.evidence.clone(),
        way,
    })
}

/// The image is native already, so nothing of what gets an image off emulation helps.
fn program_inside(container: &Container) -> Advice {
    Advice {
        kind: WayKind::Unknown,
        title: "Find the foreign program in it, and replace it".to_owned(),
        cost: "A look inside; then a build or a download of that program, if there is a native one.".to_owned(),
        risk: "The look has none: nothing is started or changed. Another build of the program is for its owner to try."
            .to_owned(),
        commands: vec![["silidock", "inside", &container.name].map(str::to_owned).to_vec()],
    }
}

fn now(execution: &ContainerExecution) -> String {
    let by = execution.emulator.as_deref().map_or("an emulator", display_name);
    match execution.execution {
        Execution::Emulated => format!("runs under {by}"),
        Execution::Mixed => format!("runs partly under {by}"),
        Execution::NotRunning => "does not run now".to_owned(),
        Execution::Native | Execution::Unknown => "runs; under what is not known".to_owned(),
    }
}

/// The platform of the foreign programs in a native container, where the emulator's name tells it.
fn platform_inside(container: &Container) -> Fact<Platform> {
    let signs = container.processes.known().into_iter().flatten().filter_map(|process| process.emulator.as_ref());
    let told = signs.into_iter().find_map(|sign| {
        let name = sign.interpreter.rsplit('/').next().unwrap_or_default();
        match sign.emulator.as_str() {
            "rosetta" | "box64" => Platform::linux("amd64").ok(),
            "qemu" => {
                let name = name.trim_end_matches("-binfmt-P").trim_end_matches("-binfmt").trim_end_matches("-static");
                name.strip_prefix("qemu-").or(Some(name)).and_then(|target| Platform::linux(target).ok())
            }
            _ => None,
        }
    });
    told.map_or_else(
        || {
            Fact::unknown(
                format!("the platform of the foreign program in {}", container.name),
                "its emulator does not tell it",
            )
        },
        Fact::Known,
    )
}

fn services(context: &Context<'_>, project: &ComposeProject, engine: &Platform) -> Vec<WayOutItem> {
    let known = project.files.iter().filter_map(|file| file.services.known().map(|services| (file, services)));
    let mut seen = BTreeSet::new();
    let mut items = Vec::new();
    for (file, services) in known {
        for service in services {
            if seen.insert(service.name.as_str()) {
                items.extend(of_service(context, project, file, service, engine));
            }
        }
    }
    items
}

/// Why a service needs translation, and where that stands.
struct Need {
    platform: Platform,
    evidence: Evidence,
    line: Option<u32>,
    path: String,
}

fn of_service(
    context: &Context<'_>,
    project: &ComposeProject,
    file: &ComposeFile,
    service: &ComposeService,
    engine: &Platform,
) -> Option<WayOutItem> {
    let at = ComposeMembership { project: project.name.clone(), service: service.name.clone() };
    let need = need(context, project, file, service)?;
    let image = service.image.clone().or_else(|| {
        let own = context.inventory.containers.items.iter().find(|c| c.compose.as_ref() == Some(&at));
        own.map(|container| container.image.clone())
    });
    let containers = context.inventory.containers.items.iter().filter(|c| c.compose.as_ref() == Some(&at)).count();
    Some(WayOutItem {
        advice: Vec::new(),
        kind: WayOutKind::Service,
        name: format!("{}/{}", project.name, service.name),
        project: Some(project.name.clone()),
        platform: Fact::Known(need.platform),
        now: match containers {
            0 => "has no container now".to_owned(),
            n => format!("has {}", count(n, "container")),
        },
        path: Some(need.path),
        line: need.line,
        evidence: vec![need.evidence],
        way: native::of_service(context, &at, image.as_deref().unwrap_or_default(), engine),
        image,
    })
}

fn need(context: &Context<'_>, project: &ComposeProject, file: &ComposeFile, service: &ComposeService) -> Option<Need> {
    if let Ok(Pin::Pinned { path, line, value }) = project.pin(&service.name) {
        let pinned = value.parse::<Platform>().ok()?;
        return foreign(context, &pinned).then(|| Need {
            evidence: Evidence::new(place(path, line), format!("platform: {value}")),
            platform: pinned,
            line,
            path: path.to_owned(),
        });
    }
    let here = |platform: Platform, evidence| Need { platform, evidence, line: service.line, path: file.path.clone() };
    let platforms = service.build.as_ref().map(|build| build.platforms.as_slice()).unwrap_or_default();
    let built: Vec<Platform> = platforms.iter().filter_map(|text| text.parse().ok()).collect();
    if !built.is_empty() && built.iter().all(|platform| foreign(context, platform)) {
        let text = format!("build.platforms: {}", platforms.join(", "));
        return Some(here(built[0].clone(), Evidence::new(place(&file.path, service.line), text)));
    }
    let member = |c: &&(&Container, ContainerExecution)| {
        c.0.compose.as_ref().is_some_and(|m| m.project == project.name && m.service == service.name)
    };
    let mut own = context.containers.iter().filter(member);
    let runs = own.find(|(_, execution)| execution.expected == Fact::Known(Expected::Emulated));
    if let Some((container, _)) = runs
        && let Fact::Known(platform) = &container.platform
    {
        let text = format!("the container's image is {platform}");
        return Some(here(platform.clone(), Evidence::new(container.name.clone(), text)));
    }
    let reference = service.image.as_deref()?;
    let (platform, _) = only_foreign(context, native::image_of(context, reference)?)?;
    let text = format!("{reference} is here for {platform} alone");
    Some(here(platform, Evidence::new(format!("image {reference}"), text)))
}

fn stages(context: &Context<'_>, project: &ComposeProject, engine: &Platform) -> Vec<WayOutItem> {
    let mut items: Vec<WayOutItem> = Vec::new();
    let services = project.files.iter().filter_map(|file| file.services.known()).flatten();
    for (service, build) in services.filter_map(|service| Some((service, service.build.as_ref()?))) {
        for (number, stage) in build.stages.iter().enumerate() {
            let Some(Fact::Known(platform)) = &stage.platform else { continue };
            if !foreign(context, platform) {
                continue;
            }
            let known =
                |item: &&WayOutItem| item.path == build.dockerfile && item.line.is_some() && item.line == stage.line;
            // Services that share a Dockerfile share its stages.
            if items.iter().any(|item| known(&item)) {
                continue;
            }
            let path = build.dockerfile.clone();
            items.push(WayOutItem {
                advice: Vec::new(),
                kind: WayOutKind::BuildStage,
                name: format!("{}/{}: {}", project.name, service.name, stage_name(stage, number)),
                project: Some(project.name.clone()),
                image: (!stage.internal).then(|| stage.image.clone()),
                platform: Fact::Known(platform.clone()),
                now: "needs translation whenever it is built".to_owned(),
                evidence: vec![Evidence::new(
                    match (&path, stage.line) {
                        (Some(path), Some(line)) => format!("{path}:{line}"),
                        (Some(path), None) => path.clone(),
                        (None, _) => service.name.clone(),
                    },
                    stage.text.clone(),
                )],
                path,
                line: stage.line,
                way: native::of_stage(context, &stage.image, stage.internal, engine),
            });
        }
    }
    items
}

fn stage_name(stage: &BuildStage, number: usize) -> String {
    stage.name.clone().unwrap_or_else(|| format!("stage {}", number + 1))
}

/// The foreign platform of an image that has nothing native here, Intel's first, and all that are here.
fn only_foreign(context: &Context<'_>, image: &Image) -> Option<(Platform, Vec<Platform>)> {
    let engine = context.inventory.engine.platform.known()?;
    let here = image.platforms.known()?.iter().filter(|p| p.available);
    let here: Vec<Platform> = here.filter_map(|p| p.platform.known()).cloned().collect();
    if here.iter().any(|p| p.on(engine) == Nativeness::Native) {
        return None;
    }
    let mut needs: Vec<Platform> = here.iter().filter(|p| foreign(context, p)).cloned().collect();
    needs.sort_by_key(|p| p.architecture != "amd64");
    Some((needs.first()?.clone(), here))
}

fn of_image(context: &Context<'_>, image: &Image, engine: &Platform) -> Option<WayOutItem> {
    let (platform, here) = only_foreign(context, image)?;
    let users = context.inventory.containers.items.iter();
    let users = users.filter(|container| container.image_id.as_deref().is_some_and(|id| image.is(id)));
    let users: Vec<String> = users.map(|container| container.name.clone()).collect();
    let tag = image.tags.iter().find(|tag| !is_kept(tag)).or(image.tags.first()).cloned();
    let listed: Vec<String> = here.iter().map(ToString::to_string).collect();
    Some(WayOutItem {
        advice: Vec::new(),
        kind: WayOutKind::Image,
        name: tag.clone().unwrap_or_else(|| short_id(&image.id).to_owned()),
        project: None,
        way: native::of_image(context, tag.as_deref().unwrap_or_default(), engine),
        image: tag,
        platform: Fact::Known(platform),
        now: if users.is_empty() { "no container uses it".to_owned() } else { format!("used by {}", list(&users)) },
        path: None,
        line: None,
        evidence: vec![Evidence::new("image list", format!("here for {}", super::and(&listed)))],
    })
}

/// What could not be told: any of it may need translation.
pub(super) fn gaps(context: &Context<'_>) -> Vec<Gap> {
    let inventory = context.inventory;
    let mut gaps: Vec<Gap> = inventory.containers.gaps.iter().chain(&inventory.images.gaps).cloned().collect();
    let containers = context.containers.iter().filter_map(|(_, execution)| execution.expected.gap());
    gaps.extend(containers.cloned());
    for image in &inventory.images.items {
        gaps.extend(image.platforms.gap().cloned());
        let inner = image.platforms.known().into_iter().flatten().filter(|p| p.available);
        gaps.extend(inner.filter_map(|p| p.platform.gap()).cloned());
    }
    for project in &inventory.projects {
        for file in &project.files {
            match &file.services {
                Fact::Unknown { unknown } => gaps.push(unknown.clone()),
                Fact::Known(services) => gaps.extend(services.iter().flat_map(service_gaps)),
            }
        }
    }
    let mut once: Vec<Gap> = Vec::with_capacity(gaps.len());
    for gap in gaps {
        if !once.contains(&gap) {
            once.push(gap);
        }
    }
    once
}

fn service_gaps(service: &ComposeService) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if let Some(declared) = &service.platform
        && let Err(error) = declared.value.parse::<Platform>()
    {
        gaps.push(Gap::new(format!("the platform of service {}", service.name), error.to_string()));
    }
    if let Some(build) = &service.build {
        gaps.extend(build.gap.clone());
        gaps.extend(build.stages.iter().filter_map(|stage| stage.platform.as_ref()?.gap()).cloned());
    }
    gaps
}
