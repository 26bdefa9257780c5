//! A Compose service has to be pulled, and its registry has nothing for the platform that it asks for here.

use crate::{
    check::{Check, Context, Example, Need, Verdict, Words, always},
    compose::{ComposeProject, ResolvedService},
    example::{index, inventory, project, upstream},
    finding::{Confidence, Evidence, Finding, Severity},
    inventory::{Inventory, Listing},
    prospect::{emulated_choice, pull_fails},
    text::list,
};

use super::no_native_manifest::instead;

/// The check.
pub static CHECK: Check = Check {
    id: "pull-fails",
    title: "A Compose service will not start here: there is nothing to pull for it",
    why: "An engine pulls its own platform, or the one that platform: or DOCKER_DEFAULT_PLATFORM asks for. Where the image has \
          others alone, the pull ends in \"no matching manifest\" and the service never starts. Pin it to a platform that its \
          registry has, and it is emulated knowingly; or move to an image that has the engine's own.",
    severity: Severity::Broken,
    needs: &[Need::EnginePlatform, Need::Images, Need::ComposeFiles, Need::DefaultPlatforms, Need::Upstream],
    applies: always,
    run,
    supersedes: &["no-native-manifest", "pin-contradicts-image"],
    examples: &[
        Example { name: "an index without the engine's platform", verdict: Verdict::Fires, inventory: index_without },
        Example { name: "a pin to a platform that a single image has not", verdict: Verdict::Fires, inventory: pinned },
        Example { name: "a pin that keeps the native variant away", verdict: Verdict::Fires, inventory: native_there },
        Example { name: "a single image, which is pulled whatever it is", verdict: Verdict::Silent, inventory: single },
        Example { name: "pinned to what its registry has", verdict: Verdict::Silent, inventory: knowingly },
        Example { name: "its image is here already", verdict: Verdict::Silent, inventory: here },
        Example { name: "nobody asked its registry", verdict: Verdict::Silent, inventory: not_asked },
    ],
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for project in &context.inventory.projects {
        let services = project.services.known().into_iter().flatten().filter(|service| service.gap.is_none());
        findings.extend(services.filter_map(|service| judge(context, project, service)));
    }
    findings
}

fn judge(context: &Context<'_>, project: &ComposeProject, service: &ResolvedService) -> Option<Finding> {
    let (asked, why) = pull_fails(context, project, service)?;
    let engine = context.inventory.engine.platform.known()?;
    let (name, reference) = (&service.name, &service.image.as_ref()?.value);
    let known = context.names.upstream(reference)?;
    let content = known.content.known()?;
    let has = list(&content.platforms.iter().map(ToString::to_string).collect::<Vec<_>>());
    let pin = service.platform.as_ref();
    let mut evidence = vec![Evidence::new(&known.reference, format!("{has}, digest {}", content.digest))];
    evidence.extend(pin.map(|pin| Evidence::new(pin.place(), format!("platform: {}", pin.value))));
    let words = Words {
        title: format!("{name} will not run here: {reference} cannot be pulled for {asked}"),
        why: format!("Nothing of it is here for {asked}, and {why}."),
        evidence,
    };
    let subject = context.service_subject(&project.name, service, pin);
    let mut finding = context.finding(&CHECK, Confidence::Certain, subject, words);
    let native = content.native(engine).known().copied().flatten();
    match (pin, native) {
        (Some(pin), Some(native)) => {
            let summary = format!("Docker then pulls {native}, which is native here.");
            finding = context.without_pin(finding, service, pin, &summary);
        }
        (None, Some(native)) => finding = context.with_pin(finding, service, native, None),
        (_, None) => {
            if let Some((platform, emulator)) = emulated_choice(context, &content.platforms) {
                finding = context.with_pin(finding, service, &platform, emulator.as_deref());
            }
            finding = instead(context, finding, reference, known, engine);
        }
    }
    Some(finding)
}

fn with(pin: Option<&str>, platforms: Option<&[&str]>) -> Inventory {
    let mut seen = inventory("arm64");
    seen.projects = vec![project("shop", "db", "db:1", pin)];
    seen.upstream.learn(platforms.map(|platforms| upstream("db:1", Ok(platforms), &[])));
    seen
}
fn index_without() -> Inventory {
    with(None, Some(&["linux/amd64", "linux/s390x"]))
}
fn pinned() -> Inventory {
    with(Some("linux/arm64"), Some(&["linux/amd64"]))
}
fn native_there() -> Inventory {
    with(Some("linux/s390x"), Some(&["linux/amd64", "linux/arm64"]))
}
fn single() -> Inventory {
    with(None, Some(&["linux/amd64"]))
}
fn knowingly() -> Inventory {
    with(Some("linux/amd64"), Some(&["linux/amd64", "linux/s390x"]))
}
fn here() -> Inventory {
    let mut seen = index_without();
    seen.images = Listing::of(vec![index("db:1", &[("linux/amd64", true)])]);
    seen
}
fn not_asked() -> Inventory {
    with(None, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        examination::examine,
        example::{foreign_to, shell_default},
        fact::Fact,
        fix::{Step, YamlEdit},
    };

    #[test]
    fn what_will_not_run_is_said_once_and_its_pin_is_the_first_way_out() {
        for arch in ["arm64", "amd64"] {
            let (native, foreign) = (format!("linux/{arch}"), foreign_to(arch));
            for (pin, there) in [(None, &[foreign, "linux/s390x"][..]), (Some(native.as_str()), &[foreign])] {
                let mut seen = inventory(arch);
                seen.projects = vec![project("shop", "db", "db:1", pin)];
                seen.upstream.learn([upstream("db:1", Ok(there), &[("2", &[&native])])]);
                let mut all = examine(&seen).findings;
                all.retain(|finding| finding.subject.id == "shop/db");
                let open: Vec<_> = all.iter().filter(|finding| finding.superseded_by.is_none()).collect();
                assert_eq!(open.len(), 1, "{open:?}");
                let finding = open[0];
                assert_eq!((finding.check.as_str(), finding.severity), ("pull-fails", Severity::Broken));
                assert!(finding.title.starts_with("db will not run here"), "{}", finding.title);
                assert!(all.iter().any(|finding| finding.check == "no-native-manifest"), "folded, and still there");
                let titles: Vec<&str> = finding.fixes.iter().map(|fix| fix.title.as_str()).collect();
                assert_eq!(titles, [format!("Pin db to {foreign}").as_str(), "Move to 2"]);
                let Step::EditYaml { edit, .. } = &finding.fixes[0].steps[0] else { unreachable!("{finding:?}") };
                assert_eq!(matches!(edit, YamlEdit::ChangePlatform { .. }), pin.is_some(), "{edit:?}");
                seen.projects = vec![project("shop", "db", "db:1", Some(foreign))];
                let after = examine(&seen).findings;
                assert!(after.iter().all(|finding| finding.check != CHECK.id), "its promise");
            }
        }
        let first = |seen: &Inventory| {
            let found = examine(seen).findings.into_iter().find(|finding| finding.check == CHECK.id);
            found.unwrap().fixes[0].title.clone()
        };
        assert_eq!(first(&native_there()), "Unpin db");
        let mut by_default = with(None, Some(&["linux/arm64", "linux/amd64"]));
        by_default.default_platforms = Fact::Known(vec![shell_default("linux/s390x")]);
        assert_eq!(first(&by_default), "Pin db to linux/arm64");
    }
}
