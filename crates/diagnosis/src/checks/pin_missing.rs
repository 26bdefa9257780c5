//! A Compose service runs emulated, and its file does not say so.

use crate::{
    anew::Anew,
    check::{Check, Context, Example, Need, Verdict, Words, always},
    compose::{Pin, place},
    example::{container, index, inventory, project, shell_default, upstream},
    execution::{ContainerExecution, Expected},
    fact::Fact,
    finding::{Confidence, Evidence, Finding, Severity, Subject, SubjectKind},
    fix::{Safety, Step, YamlEdit},
    inventory::{ComposeMembership, Container, Inventory, Listing},
    platform::Platform,
};

/// The check.
pub static CHECK: Check = Check {
    id: "pin-missing",
    title: "A Compose service runs emulated without a platform: line",
    why: "Nothing in the Compose file says that this service is for another processor, so it runs emulated by accident, and a \
          pull on another machine may bring something else. Say it with a platform: line, or move to a native image.",
    severity: Severity::Note,
    needs: &[
        Need::EnginePlatform,
        Need::Containers,
        Need::ContainerPlatform,
        Need::Images,
        Need::ImagePlatforms,
        Need::ComposeFiles,
        Need::DefaultPlatforms,
    ],
    applies: always,
    run,
    supersedes: &[],
    examples: &[
        Example { name: "a foreign image and no platform: line", verdict: Verdict::Fires, inventory: unpinned },
        Example {
            name: "its registry has the native image, which is no reason to pin",
            verdict: Verdict::Fires,
            inventory: upstream_has,
        },
        Example { name: "the file pins it", verdict: Verdict::Silent, inventory: pinned },
        Example { name: "the native variant is already here", verdict: Verdict::Silent, inventory: native_here },
        Example { name: "the platforms of its image could not be read", verdict: Verdict::Silent, inventory: unread },
        Example { name: "DOCKER_DEFAULT_PLATFORM asks for it", verdict: Verdict::Silent, inventory: by_default },
        Example { name: "a native service", verdict: Verdict::Silent, inventory: native },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (container, execution) in &context.containers {
        let Some(finding) = by_accident(context, container, execution).map(|seen| judge(context, container, &seen))
        else {
            continue;
        };
        // Several containers of one scaled service are one finding.
        if findings.iter().all(|known| known.id != finding.id) {
            findings.push(finding);
        }
    }
    findings
}

/// A service that runs emulated though nothing says so.
pub(crate) struct ByAccident<'a> {
    member: &'a ComposeMembership,
    platform: &'a Platform,
    path: &'a str,
    line: Option<u32>,
}

/// Whether that is so of a container's service.
pub(crate) fn by_accident<'a>(
    context: &Context<'a>,
    container: &'a Container,
    execution: &ContainerExecution,
) -> Option<ByAccident<'a>> {
    let (member, platform) = (container.compose.as_ref()?, container.platform.known()?);
    if execution.expected != Fact::Known(Expected::Emulated)
        || context.native_variant_here(container).is_some()
        || platforms_unread(context, container)
    {
        return None;
    }
    // Where the variable asks for this platform, it is the cause, and default-platform-env says so.
    let inventory = context.inventory;
    let by_variable = inventory.default_platforms.known().is_some_and(|settings| {
        settings.iter().any(|s| s.counts_for(Some(member)) && s.value.parse::<Platform>().as_ref() == Ok(platform))
    });
    let project = inventory.projects.iter().find(|p| p.name == member.project)?;
    match project.pin(&member.service) {
        Ok(Pin::Unpinned { path, line }) if !by_variable => Some(ByAccident { member, platform, path, line }),
        _ => None,
    }
}

/// A native variant may be here for all that was read, and then a pin would be the wrong advice.
fn platforms_unread(context: &Context<'_>, container: &Container) -> bool {
    context.image_of_reference(container).is_some_and(|image| match &image.platforms {
        Fact::Known(all) => all.iter().any(|p| p.available && p.platform.gap().is_some()),
        Fact::Unknown { .. } => true,
    })
}

fn judge(context: &Context<'_>, container: &Container, seen: &ByAccident<'_>) -> Finding {
    let &ByAccident { member, platform, path, line } = seen;
    let subject = Subject::new(SubjectKind::Service, format!("{}/{}", member.project, member.service)).at(path, line);
    let finding = context.finding(
        &CHECK,
        Confidence::Certain,
        subject,
        Words {
            title: format!("{} runs emulated, and its Compose file does not say so", member.service),
            why: format!(
                "{} is {platform} here. The file has no platform: for it, so another machine may get something else.",
                container.image
            ),
            evidence: vec![
                Evidence::new(place(path, line), format!("service {} has no platform:", member.service)),
                Evidence::new(format!("container {}", container.name), format!("its image is {platform}")),
            ],
        },
    );
    if let Some((_, native)) = context.native_upstream(container) {
        return instead_of_a_pin(context, finding, container, member, &native);
    }
    let upstream = match context.inventory.upstream.content(&container.image) {
        Ok(_) => "Its registry has no native image of it.".to_owned(),
        Err(gap) => format!("A native image may exist upstream: {}.", gap.why),
    };
    finding.with_fix(
        format!("Pin {} to {platform}", member.service),
        format!(
            "Writes down what runs today: {} stays emulated, on every machine alike. {upstream} The running container is \
             not touched.",
            member.service
        ),
        Safety::Review,
        vec![Step::EditYaml {
            path: path.to_owned(),
            edit: YamlEdit::SetPlatform { service: member.service.clone(), platform: platform.clone() },
        }],
    )
}

/// A native image exists, and a pin would keep the service from it.
fn instead_of_a_pin(
    context: &Context<'_>,
    mut finding: Finding,
    container: &Container,
    member: &ComposeMembership,
    native: &str,
) -> Finding {
    let image = &container.image;
    finding.why.push_str(&format!(" Its registry has {native}, so do not pin it: pull that instead."));
    finding.evidence.push(Evidence::new(format!("registry, {image}"), format!("{native} is there")));
    let title = format!("Pull {native} for {}", member.service);
    // Whether the version is the same is said by needless-emulation, which knows what runs.
    let text = format!("Pull {native} of {image}, then make the service {} anew.", member.service);
    let commands = vec![context.pull(image, native), context.recreate(member)];
    let by_hand = Step::Tell { text, commands };
    let anew = Anew { container, platform: native.parse().ok(), pull: true, same: false, title, by_hand };
    finding.with_anew(context, anew)
}

fn with(pin: Option<&str>, image: &[(&str, bool)], platform: &str) -> Inventory {
    let mut seen = inventory("arm64");
    seen.images = Listing::of(vec![index("db:1", image)]);
    seen.containers =
        Listing::of(vec![container("shop-db-1").image("db:1").platform(platform).service("shop", "db").build()]);
    seen.projects = vec![project("shop", "db", "db:1", pin)];
    seen
}
fn unpinned() -> Inventory {
    with(None, &[("linux/amd64", true)], "linux/amd64")
}
fn upstream_has() -> Inventory {
    let mut seen = unpinned();
    seen.upstream.learn([upstream("db:1", Ok(&["linux/amd64", "linux/arm64"]), &[])]);
    seen
}
fn pinned() -> Inventory {
    with(Some("linux/amd64"), &[("linux/amd64", true)], "linux/amd64")
}
fn native_here() -> Inventory {
    with(None, &[("linux/amd64", true), ("linux/arm64", true)], "linux/amd64")
}
fn unread() -> Inventory {
    let mut seen = unpinned();
    seen.images.items[0].platforms = Fact::unknown("platforms of db:1", "the image was removed while it was looked at");
    seen
}
fn by_default() -> Inventory {
    let mut seen = unpinned();
    seen.default_platforms = Fact::Known(vec![shell_default("linux/amd64")]);
    seen
}
fn native() -> Inventory {
    with(None, &[("linux/arm64", true)], "linux/arm64")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examination::examine;

    #[test]
    fn a_pin_is_offered_only_where_no_native_image_is_known_upstream() {
        let fix = |seen: &Inventory| {
            let finding = examine(seen).findings.into_iter().find(|f| f.check == CHECK.id).unwrap();
            let fix = finding.fixes.into_iter().next().unwrap();
            (fix.title, fix.summary)
        };
        let mut seen = unpinned();
        assert!(fix(&seen).1.contains("may exist upstream: no registry was asked."), "{:?}", fix(&seen));
        seen.upstream.learn([upstream("db:1", Ok(&["linux/amd64"]), &[])]);
        assert!(fix(&seen).1.contains("Its registry has no native image of it."));
        assert_eq!(fix(&seen).0, "Pin db to linux/amd64");
        assert_eq!(fix(&upstream_has()).0, "Pull linux/arm64 for db");
    }
}
