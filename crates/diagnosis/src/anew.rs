//! Fixes that make a container anew from its image: what is pulled first, by whom it is made, what is copied before, and whether
//! that can lose anything. Pure; carrying it out is `remedy`'s.

use crate::{
    check::Context,
    checks::{pin_missing::by_accident, stale_container_image::moved_on},
    compose::Pin,
    execution::{ContainerExecution, Expected},
    fact::Fact,
    finding::Finding,
    fix::{OldContainer, Safety, Step, YamlEdit},
    inventory::{Container, ContainerState, MountKind},
    platform::Platform,
    reference::is_id,
};

/// A container to be made anew.
pub(crate) struct Anew<'a> {
    pub container: &'a Container,
    /// The platform it is to run; none leaves that to the engine.
    pub platform: Option<Platform>,
    /// That is pulled first.
    pub pull: bool,
    /// Its content is known to be of the same version.
    pub same: bool,
    /// What the button says.
    pub title: String,
    /// What a person has to do, where it cannot be done for them.
    pub by_hand: Step,
}

impl Finding {
    /// Adds making an emulated container anew where a native variant of its image is here or, as its registry said, upstream.
    /// Where another finding offers that, it is named instead. Whether a native variant is known.
    pub(crate) fn with_native_variant(
        self,
        context: &Context<'_>,
        container: &Container,
        execution: &ContainerExecution,
    ) -> (Self, bool) {
        // What is of another processor than its label says is not helped by the label.
        if execution.expected == Fact::Known(Expected::Native) {
            return (self, false);
        }
        let here = context.native_variant_here(container);
        let upstream = context.native_upstream(container).filter(|_| here.is_none());
        let pull = upstream.is_some();
        let same = match &upstream {
            Some((content, _)) => context.same_as_upstream(container, content),
            None => moved_on(context, container).is_none(),
        };
        let Some(native) = here.or_else(|| upstream.map(|(_, native)| native)) else { return (self, false) };
        let (name, image) = (&container.name, &container.image);
        let elsewhere = match (&container.compose, pull) {
            (_, false) if !same => Some("stale-container-image"),
            (Some(_), true) if by_accident(context, container, execution).is_some() => Some("pin-missing"),
            _ => None,
        };
        if let Some(check) = elsewhere {
            let text = format!("{image} has {native}, and {check} offers to make {name} anew for it.");
            let tell = vec![Step::Tell { text, commands: Vec::new() }];
            return (self.with_fix("Take its native image", ELSEWHERE, Safety::ShowOnly, tell), true);
        }
        let title = match pull {
            true => format!("Pull {native} and start {name} for it"),
            false => format!("Start {name} for {native}"),
        };
        let mut commands: Vec<_> = container.compose.iter().map(|member| context.recreate(member)).collect();
        if pull {
            commands.insert(0, context.pull(image, &native));
        }
        let text = format!("{image} has {native}. Make {name} anew for it, without what asks for another platform.");
        let by_hand = Step::Tell { text, commands };
        let anew = Anew { container, platform: native.parse().ok(), pull, same, title, by_hand };
        (self.with_anew(context, anew), true)
    }

    /// Adds making a container anew, and, where that could lose something, the same with copies made first.
    pub(crate) fn with_anew(self, context: &Context<'_>, anew: Anew<'_>) -> Self {
        let container = anew.container;
        let edit = match possible(context, &anew) {
            Ok(edit) => edit,
            Err(why) => {
                let summary = format!(
                    "Nothing is changed for you here, because {why}. Read the lines and run them yourself; what it wrote \
                     outside of volumes is lost then."
                );
                return self.with_fix(anew.title, summary, Safety::ShowOnly, vec![anew.by_hand]);
            }
        };
        let of =
            OldContainer { id: container.id.clone(), name: container.name.clone(), image: container.image.clone() };
        let pull = anew.platform.clone().filter(|_| anew.pull);
        let pull = pull.map(|platform| Step::PullPlatform { reference: container.image.clone(), platform });
        let make = match &container.compose {
            Some(member) => Step::RecreateService {
                of: of.clone(),
                project: member.project.clone(),
                service: member.service.clone(),
                platform: anew.platform.clone(),
            },
            None => Step::RecreateContainer { of: of.clone(), platform: anew.platform.clone() },
        };
        let edits = edit.is_some();
        let steps = |between: Vec<Step>| -> Vec<Step> {
            let first = pull.clone().into_iter().chain(edit.clone());
            first.chain(between).chain([make.clone()]).collect()
        };
        let scaled = scaled(context, container);
        let summary = format!("{}{}", summary(container), scaled.as_deref().unwrap_or_default());
        let safe = anew.same && !edits && scaled.is_none() && nothing_to_lose(container);
        let safety = if safe { Safety::Safe } else { Safety::Review };
        let mut finding = self.with_fix(&anew.title, &summary, safety, steps(Vec::new()));
        if has_volumes(container) {
            let title = format!("{}, and copy its volumes first", anew.title);
            let summary = format!(
                "{summary} Each of its volumes is copied into a new one while it is stopped; if the old container is taken back \
                 and refuses what the new one left, it gets the copies."
            );
            let between = vec![Step::CopyVolumes { of: of.clone() }];
            finding = finding.with_fix(title, summary, Safety::Review, steps(between));
        }
        if container.written != Fact::Known(0) {
            let title = format!("{}, and keep what it wrote first", anew.title);
            let summary = format!("{summary} What it wrote outside of volumes is kept as an image of its own.");
            finding = finding.with_fix(title, summary, Safety::Review, steps(vec![Step::KeepWritten { of }]));
        }
        finding
    }
}

const ELSEWHERE: &str = "Nothing is changed for you from here: another finding about the same container does it.";

/// What has to leave the Compose files first, or why it is for a person to do.
fn possible(context: &Context<'_>, anew: &Anew<'_>) -> Result<Option<Step>, String> {
    let container = anew.container;
    match container.state {
        ContainerState::Running | ContainerState::Restarting | ContainerState::Exited | ContainerState::Created => {}
        ContainerState::Paused => {
            return Err(format!("{0} is paused: let it go on first, by \"docker unpause {0}\"", container.name));
        }
        ContainerState::Removing | ContainerState::Dead => {
            return Err(format!("the engine is removing {}", container.name));
        }
        ContainerState::Other => return Err(format!("the state of {} is not known here", container.name)),
    }
    if is_id(&container.image) {
        return Err(format!("{} was made from an identifier, and not from a name", container.name));
    }
    edit(context, anew).ok_or_else(|| "the Compose files do not tell what pins it".to_owned())
}

/// What has to leave the Compose files first; none at all where the files do not tell.
fn edit(context: &Context<'_>, anew: &Anew<'_>) -> Option<Option<Step>> {
    let Some(member) = &anew.container.compose else { return Some(None) };
    let project = context.inventory.projects.iter().find(|p| p.name == member.project)?;
    match project.pin(&member.service).ok()? {
        Pin::Unpinned { .. } => Some(None),
        // Pinned to what is wanted, since the container was made.
        Pin::Pinned { value, .. } if anew.platform.is_some() && value.parse().ok() == anew.platform => Some(None),
        Pin::Pinned { path, .. } => Some(Some(Step::EditYaml {
            path: path.to_owned(),
            edit: YamlEdit::RemovePlatform { service: member.service.clone() },
        })),
    }
}

fn has_volumes(container: &Container) -> bool {
    container.mounts.known().is_none_or(|mounts| mounts.iter().any(|mount| mount.kind == MountKind::Volume))
}

/// It keeps nothing that a program of another platform or version could spoil, wrote nothing that goes with it, and can be
/// made anew without anything else.
fn nothing_to_lose(container: &Container) -> bool {
    let reads_only = container.mounts.known().is_some_and(|mounts| mounts.iter().all(|mount| !mount.writable));
    reads_only && container.written == Fact::Known(0) && container.ties == Fact::Known(Vec::new())
}

/// Its service has other containers, too. Which of them are copies and which single commands is asked when it is carried out.
fn scaled(context: &Context<'_>, container: &Container) -> Option<String> {
    let member = container.compose.as_ref()?;
    let all = context.inventory.containers.items.iter().filter(|other| other.compose.as_ref() == Some(member)).count();
    (all > 1).then(|| {
        format!(
            " {} has {all} containers: where it is scaled, this is refused, and the command that makes all of them anew is shown.",
            member.service
        )
    })
}

fn summary(container: &Container) -> String {
    let how = match container.compose {
        Some(_) => "Compose makes it anew from its files",
        None => "It is made anew with the same configuration",
    };
    let old = match container.compose {
        Some(_) => "one like the old is made again if the new one does not come up",
        None => "the old one is brought back if the new one does not come up",
    };
    let tied = container.ties.known().and_then(|ties| ties.first());
    let tied = tied.map(|tie| format!(" It is refused as it is now: {}.", tie.words())).unwrap_or_default();
    let keeps = match &container.mounts {
        Fact::Known(mounts) if mounts.iter().all(|mount| mount.kind != MountKind::Volume) => "It has no volumes.",
        Fact::Known(_) | Fact::Unknown { .. } => "Volumes are kept and used again.",
    };
    format!("{how}, so it stops for a moment; {old}. {keeps}{tied}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        examine,
        example::{container, foreign_to, index, inventory, project},
        fact::Fact,
        inventory::{Listing, Mount},
        ties::{Part, Tie},
    };

    #[test]
    fn a_fix_is_safe_only_where_nothing_is_lost_and_nothing_stands_in_its_way() {
        type Change = fn(&mut Container);
        type Row = (Box<dyn Fn(&mut Container)>, Safety, &'static str);
        let shared = |part| Tie::Shared { by: "side".to_owned(), part };
        let volume = Mount { kind: MountKind::Volume, target: "/data".to_owned(), writable: true };
        let (mount, ties) =
            (volume, [vec![Tie::RemovedOnStop], vec![shared(Part::Network)], vec![shared(Part::Processes)]]);
        let mut rows: Vec<Row> = vec![
            (Box::new((|_| {}) as Change), Safety::Safe, "It has no volumes."),
            (Box::new((|c| c.written = Fact::Known(1)) as Change), Safety::Review, "It has no volumes."),
            (Box::new(move |c| c.mounts = Fact::Known(vec![mount.clone()])), Safety::Review, "Volumes are kept"),
            (Box::new((|c| c.ties = Fact::unknown("", "")) as Change), Safety::Review, "It has no volumes."),
            (Box::new((|c| c.state = ContainerState::Paused) as Change), Safety::ShowOnly, "web is paused"),
        ];
        for (tie, said) in
            ties.into_iter().zip(["with --rm", "side lives in its network", "side lives among its processes"])
        {
            rows.push((Box::new(move |c| c.ties = Fact::Known(tie.clone())), Safety::Review, said));
        }
        for arch in ["arm64", "amd64"] {
            let (native, foreign) = (format!("linux/{arch}"), foreign_to(arch));
            for (change, safety, said) in &rows {
                let mut seen = inventory(arch);
                seen.images = Listing::of(vec![index("web:1", &[(foreign, true), (&native, true)])]);
                let emulator = if arch == "arm64" { "/usr/bin/qemu-x86_64" } else { "/usr/bin/qemu-aarch64" };
                let mut web = container("web").platform(foreign).processes(&[&format!("{emulator} /bin/web")]).build();
                change(&mut web);
                seen.containers = Listing::of(vec![web]);
                let findings = examine(&seen).findings;
                let finding = findings.iter().find(|finding| finding.check == "needless-emulation");
                let fix = finding.and_then(|finding| finding.fixes.first()).unwrap();
                assert_eq!((fix.safety, fix.summary.contains(said)), (*safety, true), "{said}: {}", fix.summary);
            }
            for (count, safety) in [(1, Safety::Safe), (2, Safety::Review)] {
                let mut seen = inventory(arch);
                seen.images = Listing::of(vec![index("web:1", &[(foreign, true), (&native, true)])]);
                seen.projects = vec![project("shop", "web", "web:1", None)];
                let emulator = if arch == "arm64" { "/usr/bin/qemu-x86_64" } else { "/usr/bin/qemu-aarch64" };
                let line = format!("{emulator} /bin/web");
                let web = |number| {
                    let web = container(&format!("shop-web-{number}")).image("web:1").platform(foreign);
                    web.processes(&[&line]).service("shop", "web").build()
                };
                seen.containers = Listing::of((1..=count).map(web).collect());
                let findings = examine(&seen).findings;
                let finding = findings.iter().find(|finding| finding.check == "needless-emulation");
                let fix = finding.and_then(|finding| finding.fixes.first()).unwrap();
                let told = fix.summary.contains("web has 2 containers: where it is scaled, this is refused");
                assert_eq!((fix.safety, told), (safety, count == 2), "{arch} {count}: {}", fix.summary);
            }
        }
    }
}
