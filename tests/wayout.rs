//! The way out list: from Compose files and Dockerfiles of a real folder, in every form, and on real engines, where it is
//! held against what a scan of them says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod common;

use std::collections::BTreeSet;

use common::{
    User,
    lab::{Lab, on_each},
    list, one,
    scripted::{container, image, mac, put},
    text,
};
use serde_json::Value;

const COMPOSE: &str = r#"services:
  app:
    image: acme/app:1
    platform: linux/amd64
    build: { context: ./src, args: { ARCH: amd64 } }
  legacy:
    image: acme/legacy:1
"#;

const DOCKERFILE: &str = "ARG ARCH=arm64\nFROM --platform=linux/$ARCH debian:13 AS tools\nRUN make\nFROM tools\n";

fn ways(document: &Value) -> BTreeSet<String> {
    let row = |item: &Value| format!("{} {} {}", text(item, "kind"), text(item, "name"), text(&item["way"], "kind"));
    list(document, "items").iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_engine_together_make_the_list_in_every_form() {
    let user = User::new();
    let folder = user.home().join("shop");
    std::fs::create_dir_all(folder.join("src")).unwrap();
    std::fs::write(folder.join("compose.yaml"), COMPOSE).unwrap();
    std::fs::write(folder.join("src/Dockerfile"), DOCKERFILE).unwrap();
    let files = [folder.join("compose.yaml").display().to_string()];
    let engine = mac().await;
    let app =
        container("shop-app-1", "acme/app:1", "linux/amd64").service("shop", "app", folder.to_str().unwrap(), &files);
    let both = [("linux/amd64", true), ("linux/arm64", false)];
    put(
        &engine,
        &[
            image("acme/app:1", &[("linux/amd64", true)]),
            image("debian:13", &both),
            image("=odd", &[("linux/amd64", true)]),
        ],
        &[app, container("web", "web:1", "linux/arm64")],
    );
    let asked = ["wayout", "--engine", engine.address()];
    let (status, document) = user.json("wayout", &asked);
    assert_eq!(status, 0);
    let expected = [
        "buildStage shop/app: tools rebuild",
        "container shop-app-1 rebuild",
        "image =odd unknown",
        "image acme/app:1 rebuild",
        "image debian:13 pull",
        "service shop/app rebuild",
    ];
    assert_eq!(ways(&document), expected.map(str::to_owned).into(), "{document}");
    let stage = one(list(&document, "items"), "kind", "buildStage");
    assert_eq!((text(stage, "path"), &stage["line"]), (folder.join("src/Dockerfile").to_str().unwrap(), &2.into()));
    assert_eq!(text(&stage["evidence"][0], "text"), "FROM --platform=linux/$ARCH debian:13 AS tools");

    let form = |more: &[&str]| {
        let ran = user.run(&[&asked, more].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        ran.out
    };
    let plain = form(&[]);
    for words in ["shop/app: tools", "No end is named", "What nobody knows", "docker pull --platform linux/arm64"] {
        assert!(plain.contains(words), "{words}: {plain}");
    }
    assert!(form(&["--format", "markdown"]).starts_with(&format!("# {}\n", text(&document, "headline"))));
    let csv = form(&["--format", "csv"]);
    assert_eq!(csv.lines().count(), 7, "{csv}");
    assert!(csv.contains("'=odd") && !csv.contains("\n=odd") && !csv.contains(",=odd"), "no cell is a formula: {csv}");
    let redacted = form(&["--format", "json", "--redact"]);
    assert!(!redacted.contains(user.home().to_str().unwrap()), "{redacted}");
    common::keeps_to("wayout", &serde_json::from_str(&redacted).unwrap());
    assert!(!form(&["--redact"]).contains(user.home().to_str().unwrap()));

    for (format, head) in [("html", "<h2>Way out</h2>"), ("markdown", "## Way out")] {
        let report = user.run(&["report", "--engine", engine.address(), "--format", format]);
        assert!(report.out.contains(head), "{format}");
    }
    let report = user.run(&["report", "--engine", engine.address(), "--format", "csv"]);
    assert!(report.out.starts_with("severity,") && report.out.contains("emulated-container"), "{report:?}");
    let (_, whole) = user.json("scan", &["report", "--engine", engine.address()]);
    assert_eq!(list(&whole["wayOut"], "items"), list(&document, "items"), "a report has the same list");
    assert!(user.json("scan", &["scan", "--engine", engine.address()]).1.get("wayOut").is_none());
}

#[test]
fn the_sample_and_a_capture_have_their_lists_and_say_what_they_are() {
    let user = User::new();
    let (status, document) = user.json("wayout", &["wayout", "--sample"]);
    assert_eq!((status, &document["sample"]), (0, &true.into()));
    let kinds: BTreeSet<&str> = list(&document, "items").iter().map(|item| text(item, "kind")).collect();
    assert_eq!(kinds, ["buildStage", "container", "image", "service"].into());
    assert!(user.run(&["wayout", "--sample"]).out.starts_with("SAMPLE"));
    let capture = user.file("c.json");
    assert_eq!(user.run(&["scan", "--sample", "--capture", &capture]).status, 0);
    let (_, again) = user.json("wayout", &["wayout", "--from", &capture]);
    assert_eq!((ways(&again), &again["replayed"]), (ways(&document), &true.into()));
}

#[test]
fn on_real_engines_it_lists_what_a_scan_calls_emulated_and_nothing_else() {
    on_each("the way out list", |engine| {
        let user = User::new();
        let capture = user.file("capture.json");
        let (_, scan) = user.json("scan", &["scan", "--engine", &engine.endpoint, "--capture", &capture]);
        let (_, document) = user.json("wayout", &["wayout", "--from", &capture]);
        let items = list(&document, "items");
        let named = |kind: &str| -> BTreeSet<&str> {
            items.iter().filter(|item| item["kind"] == kind).map(|item| text(item, "name")).collect()
        };
        let emulated = list(&scan, "containers").iter();
        let emulated = emulated.filter(|c| c["expected"] == "emulated" || c["execution"] == "mixed");
        assert_eq!(named("container"), emulated.map(|c| text(c, "name")).collect(), "{}", engine.name);
        if !engine.ours() {
            return;
        }
        assert_eq!(named("service"), ["labshop/db"].into(), "{}", engine.name);
        let way = |name: &str| text(&one(items, "name", name)["way"], "kind").to_owned();
        assert_eq!(way("lab-foreign"), "unknown");
        if engine.containerd_store() {
            assert_eq!((way("lab-needless"), way("silidock-lab/partial:1")), ("here".to_owned(), "pull".to_owned()));
        }
        let family = if Lab::arch(&engine.native) == "arm64" { "Intel" } else { "ARM" };
        assert!(text(&document, "headline").ends_with(&format!("need {family} translation")), "{document}");
        let about_macs = document["outlook"]["elsewhere"].is_null();
        assert_eq!(about_macs, engine.name == "arm64", "it says that it is Docker Desktop");
    });
}
