//! What lies inside images, on real engines: every trouble is found, and it is the one that the engine really has when
//! the image is run. Both ways of looking say the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod common;

use std::collections::BTreeSet;

use common::{
    User,
    images::{BROUGHT_BY, Images, NOBODYS},
    lab::{Lab, on_each},
    list, text,
};
use serde_json::{Value, json};

const NO_FORMAT: &str = "exec format error";
const NO_FILE: &str = "no such file or directory";

/// What an image starts, the check that must find it, and what the engine says when it is run.
const CASES: [(&str, &str, &str); 10] = [
    ("foreign", "wrong-label", NO_FORMAT),
    ("crlf.sh", "crlf-script", NO_FILE),
    ("good.sh", "", ""),
    ("bash.sh", "missing-interpreter", NO_FILE),
    ("marked.sh", "bad-shebang", NO_FORMAT),
    ("empty", "empty-executable", NO_FORMAT),
    ("half", "truncated-executable", NO_FORMAT),
    ("text", "exec-format-error", NO_FORMAT),
    ("mac", "host-binary", NO_FORMAT),
    ("loaderless", "missing-loader", NO_FILE),
];

/// An emulated machine needs half a minute for each.
const SLOW: usize = 3;

fn inside(user: &User, engine: &Lab, subject: &str, more: &[&str]) -> (i32, Value) {
    let arguments = [&["inside", subject, "--engine", &engine.endpoint, "--json"], more].concat();
    let ran = user.run(&arguments);
    assert!(ran.status < 2, "{subject} on {}: {ran:?}", engine.name);
    (ran.status, ran.document("inside"))
}

fn first(document: &Value) -> BTreeSet<(String, String)> {
    let first = list(document, "problems").iter().filter(|problem| problem["first"] == true);
    first.map(|problem| (text(problem, "check").to_owned(), text(problem, "path").to_owned())).collect()
}

#[test]
fn every_trouble_is_found_and_is_the_engines_own() {
    let starts = CASES.map(|(start, ..)| start);
    on_each("what lies inside images", |engine| {
        let user = User::new();
        let images = Images::new(engine, &starts);
        let cases = if engine.name == "arm64" { &CASES[..SLOW] } else { &CASES };
        for ((start, check, fails), tag) in cases.iter().zip(images.tags()) {
            let (status, document) = inside(&user, engine, tag, &[]);
            let expected: BTreeSet<_> = match *check {
                "" => BTreeSet::new(),
                check => BTreeSet::from([(check.to_owned(), format!("/app/{start}"))]),
            };
            assert_eq!(first(&document), expected, "{start} on {}", engine.name);
            // The other troubles are in each of the images, and two of them are broken wherever they lie.
            assert_eq!((status, text(&document, "platform")), (1, engine.native.as_str()), "{start}");
            assert_eq!(
                (text(&document, "via"), &document["gaps"]),
                ("engine", &json!([])),
                "{start} on {}",
                engine.name
            );
            let output = engine.client(&["run", "--rm", "--network", "none", tag]).output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).to_lowercase();
            match *fails {
                "" => assert_eq!(output.status.code(), Some(42), "{start} on {}: {said}", engine.name),
                fails => assert!(said.contains(fails), "{start} on {}: {said}", engine.name),
            }
        }
    });
}

/// What both ways must say alike.
fn judged(document: &Value) -> Value {
    let keys = ["check", "path", "arch", "detail", "first", "count", "intended", "severity"];
    let problem = |problem: &Value| keys.map(|key| problem[key].clone());
    let problems: Vec<_> = list(document, "problems").iter().map(problem).collect();
    json!([problems, document["executables"], document["start"], document["platform"]])
}

#[test]
fn both_ways_say_the_same_and_the_stream_names_the_layer() {
    on_each("both ways of looking inside", |engine| {
        let user = User::new();
        let images = Images::new(engine, &["crlf.sh"]);
        let tag = &images.tags()[0];
        let (_, within) = inside(&user, engine, tag, &["--via", "engine"]);
        let (_, streamed) = inside(&user, engine, tag, &["--via", "stream"]);
        let file = user.file("image.tar");
        engine.docker(&["save", "--output", &file, tag]);
        let (_, from_file) = user.json("inside", &["inside", &file]);
        assert_eq!(judged(&within), judged(&streamed), "{}", engine.name);
        assert_eq!(judged(&within), judged(&from_file), "{}", engine.name);
        let crlf = list(&streamed, "problems").iter().find(|problem| problem["check"] == "crlf-script").unwrap();
        assert_eq!(text(crlf, "createdBy"), BROUGHT_BY);
        let meant = list(&within, "problems").iter().find(|problem| problem["intended"] == true).unwrap();
        assert_eq!(
            (text(&meant["rule"], "id"), text(meant, "arch")),
            ("prebuilt-for-all", &*format!("linux/{NOBODYS}"))
        );

        // A container's own files: what was replaced in it counts, not what its image has.
        let name = images.container(tag);
        let good = user.file("crlf.sh");
        std::fs::write(&good, "#!/app/good\n").unwrap();
        engine.docker(&["cp", &good, &format!("{name}:/app/crlf.sh")]);
        let (_, container) = inside(&user, engine, &name, &[]);
        assert_eq!((text(&container, "kind"), text(&container, "via")), ("container", "stream"));
        assert_eq!(first(&container), BTreeSet::new(), "{}", engine.name);
    });
}

#[test]
fn a_scan_judges_what_lies_inside_when_asked() {
    on_each("a scan that looks inside", |engine| {
        if engine.name != "v28" {
            return;
        }
        let user = User::new();
        let images = Images::new(engine, &["foreign"]);
        let tag = &images.tags()[0];
        images.container(tag);
        let asked = user.json("scan", &["scan", "--inside", "--engine", &engine.endpoint]).1;
        let unasked = user.json("scan", &["scan", "--engine", &engine.endpoint]).1;
        let wrong = |scan: &Value| common::fired(scan).contains(&("wrong-label".to_owned(), tag.clone()));
        assert!(wrong(&asked), "{}", asked["findings"]);
        assert!(!wrong(&unasked));
        let said = list(&unasked, "notApplicable").iter().find(|check| check["check"] == "wrong-label").unwrap();
        assert!(text(said, "why").contains("--inside"), "{said}");
    });
}
