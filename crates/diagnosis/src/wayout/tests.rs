//! Tests of the way out list, on engines of both kinds.

use super::*;
use crate::{
    compose::{BuildStage, ComposeBuild},
    example::{container, foreign_to, index, inventory, platform, project},
    fact::Fact,
    inventory::{Inventory, Listing, Locality},
};

fn listed(seen: &Inventory) -> WayOut {
    way_out(&Context::new(seen))
}

/// "container db: unknown", one for each thing.
fn words(list: &WayOut) -> Vec<String> {
    list.items.iter().map(|item| format!("{} {}: {}", item.kind.word(), item.name, item.way.kind.words())).collect()
}

/// Everything that a list can hold, on an engine of this architecture.
fn everything(arch: &str) -> Inventory {
    let (foreign, native) = (foreign_to(arch), format!("linux/{arch}"));
    let mut seen = inventory(arch);
    seen.host.apple_silicon = Fact::Known(arch == "arm64");
    seen.images = Listing::of(vec![
        index("both:1", &[(foreign, true), (&native, true)]),
        index("listed:1", &[(foreign, true), (&native, false)]),
        index("only:1", &[(foreign, true)]),
        index("made:1", &[(foreign, true)]),
        index("base:1", &[(foreign, true), (&native, true)]),
    ]);
    let runs = |name: &str, image: &str| container(name).image(image).platform(foreign);
    seen.containers = Listing::of(vec![
        runs("both", "both:1").build(),
        runs("listed", "listed:1").build(),
        runs("only", "only:1").stopped().build(),
        runs("shop-pinned-1", "both:1").service("shop", "pinned").build(),
        runs("made-app-1", "made:1").service("made", "app").build(),
        container("tools").platform(&native).processes(&["/bin/sh", "/usr/bin/qemu-riscv64 /opt/tool"]).build(),
        container("fine").platform(&native).build(),
    ]);
    let mut made = project("made", "app", "made:1", None);
    if let Fact::Known(services) = &mut made.files[0].services {
        let stage = |name: Option<&str>, image: &str, fixed: Option<&str>, line| BuildStage {
            name: name.map(str::to_owned),
            image: image.to_owned(),
            internal: false,
            text: format!("FROM {image}"),
            platform: fixed.map(platform),
            line: Some(line),
        };
        services[0].builds = true;
        services[0].build = Some(ComposeBuild {
            dockerfile: Some("/made/Dockerfile".to_owned()),
            platforms: vec![foreign.to_owned()],
            stages: vec![
                stage(Some("tools"), "base:1", Some(foreign), 1),
                stage(None, "only:1", Some(foreign), 4),
                stage(None, "base:1", None, 9),
            ],
            gap: None,
        });
    }
    seen.projects = vec![project("shop", "pinned", "both:1", Some(foreign)), made];
    seen
}

#[test]
fn every_kind_of_thing_is_listed_with_its_way_on_engines_of_both_kinds() {
    for arch in ["arm64", "amd64"] {
        let list = listed(&everything(arch));
        let mixed = list.items.iter().find(|item| item.name == "tools").unwrap();
        assert_eq!(mixed.advice.len(), 1, "a native image is not to be started for its own platform: {mixed:?}");
        assert_eq!(mixed.advice[0].commands, [["silidock", "inside", "tools"]]);
        assert_eq!(
            words(&list),
            [
                "container both: native here",
                "container listed: native to pull",
                "container made-app-1: build it native",
                "container only: not known",
                "container shop-pinned-1: pin in the way",
                "container tools: not known",
                "Compose service made/app: build it native",
                "Compose service shop/pinned: pin in the way",
                "build stage made/app: stage 2: not known",
                "build stage made/app: tools: build it native",
                "image listed:1: native to pull",
                "image made:1: build it native",
                "image only:1: not known",
            ],
            "{arch}"
        );
        let family = if arch == "arm64" { "Intel and riscv64" } else { "ARM and riscv64" };
        let counted = "6 containers, 2 Compose services, 2 build stages and 3 images need";
        assert_eq!(list.headline, format!("{counted} {family} translation"));
        assert!(list.detail.starts_with("A way out is known for 9 of 13."), "{}", list.detail);
        assert_eq!(list.gaps, []);
        let pull = list.items.iter().find(|item| item.name == "listed").unwrap();
        assert_eq!(pull.way.commands[0][..4], ["docker", "pull", "--platform", &format!("linux/{arch}")]);
        let built = list.items.iter().find(|item| item.name == "made/app").unwrap();
        for said in ["/made/Dockerfile:1 and /made/Dockerfile:4", "build.platforms lists", "Whether only:1 has"] {
            assert!(built.way.why.contains(said), "{said}: {}", built.way.why);
        }
        let pinned = list.items.iter().find(|item| item.name == "shop/pinned").unwrap();
        assert_eq!((pinned.path.as_deref(), pinned.line), (Some("/Users/sam/shop/compose.yaml"), Some(4)));
        assert!(list.items.iter().all(|item| !item.evidence.is_empty() && !item.way.why.is_empty()));
    }
}

#[test]
fn what_is_not_known_is_never_nothing() {
    let mut seen = inventory("arm64");
    assert_eq!(listed(&seen).headline, "Nothing here needs translation");
    let mut unread = container("odd").build();
    unread.platform = Fact::unknown("platform of odd", "its image is gone");
    seen.containers = Listing::of(vec![unread]);
    let mut torn = project("shop", "db", "db:1", Some("$ARCH"));
    torn.files.push(crate::compose::ComposeFile {
        path: "/x.yaml".to_owned(),
        services: Fact::unknown("services of /x.yaml", "it is not valid YAML"),
    });
    seen.projects = vec![torn];
    let list = listed(&seen);
    assert_eq!(list.headline, "Nothing that could be read needs translation");
    assert_eq!(list.gaps.len(), 3, "{:?}", list.gaps);
    assert!(list.detail.contains("3 things"), "{}", list.detail);
    seen.engine.platform = Fact::unknown("the engine's platform", "it does not say");
    assert!(listed(&seen).gaps[0].what.contains("platform"));
    seen = everything("arm64");
    seen.images = Listing::missing(Gap::new("the list of images", "the engine went away"));
    let list = listed(&seen);
    assert!(list.gaps.iter().any(|gap| gap.why.contains("went away")));
    assert!(list.items.iter().filter(|item| item.name == "both").all(|item| !item.way.kind.known()));
}

#[test]
fn an_intel_machine_on_an_arm_mac_is_the_first_thing_to_leave() {
    let mut seen = inventory("amd64");
    seen.containers = Listing::of(vec![container("web").platform("linux/amd64").build()]);
    let list = listed(&seen);
    assert_eq!(words(&list), ["engine Docker Desktop: native machine"]);
    assert!(list.items[0].now.contains("1 container"), "{}", list.items[0].now);
    assert_eq!(list.outlook.elsewhere, None);
}

#[test]
fn what_apple_says_is_about_macs_alone_and_each_statement_has_its_source() {
    let (mut seen, elsewhere) = (inventory("arm64"), |seen: &Inventory| listed(seen).outlook.elsewhere);
    assert_eq!(elsewhere(&seen), None);
    seen.engine.runtime.mac_virtual_machine = false;
    seen.engine.locality = Locality::Remote;
    assert!(elsewhere(&seen).is_some_and(|why| why.contains("Macs")));
    let mut seen = inventory("amd64");
    seen.host.apple_silicon = Fact::Known(false);
    assert!(elsewhere(&seen).is_some_and(|why| why.contains("linux/amd64 itself")));
    let outlook = listed(&seen).outlook;
    for said in outlook.announced.iter().chain(&outlook.open) {
        assert!(!said.source.is_empty() && said.text.ends_with('.'), "{said:?}");
        let apple = said.source.starts_with("https://developer.apple.com/");
        assert!(said.grounds != Grounds::Maker || apple, "{said:?}");
    }
    let dates: Vec<_> = outlook.announced.iter().filter_map(|said| said.date.as_deref()).collect();
    assert!(dates.len() >= 2 && dates.is_sorted(), "{dates:?}");
}
