//! Editing Compose files: a corpus of files with the one line that must appear, or the refusal that must come back.
//!
//! Every edit is also taken back (byte for byte), re-read by a strict parser, and checked to be the only difference.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail like tests")]

use std::path::Path;

use silidock_remedy::compose::{EditRefused, change_platform, override_platform, remove_platform, set_platform};
use yaml_serde::Value;

/// What pinning a service to linux/arm64 must do.
enum Want {
    /// This becomes the line with that number (from 1); the others move down.
    Line(usize, &'static str),
    /// The line with that number reads so afterwards; no line is added.
    Within(usize, &'static str),
    /// The kind of refusal, and words that it must say.
    Refused(&'static str, &'static str),
}
use Want::{Line, Refused, Within};

const CASES: &[(&str, &str, Want)] = &[
    ("two-spaces", "web", Line(7, "    platform: linux/arm64")),
    ("two-spaces", "db", Line(13, "    platform: linux/arm64")),
    ("four-spaces", "web", Line(5, "        platform: linux/arm64")),
    ("one-space", "web", Line(4, "  platform: linux/arm64")),
    ("crlf", "web", Line(7, "    platform: linux/arm64")),
    ("crlf", "db", Line(13, "    platform: linux/arm64")),
    ("mixed-endings", "web", Line(4, "    platform: linux/arm64")),
    ("mixed-endings", "db", Line(8, "    platform: linux/arm64")),
    ("crlf-no-final-newline", "web", Line(5, "    platform: linux/arm64")),
    ("byte-order-mark", "web", Line(4, "    platform: linux/arm64")),
    ("no-final-newline", "web", Line(4, "    platform: linux/arm64")),
    ("many-final-newlines", "web", Line(4, "    platform: linux/arm64")),
    ("quoted-keys", "web", Line(4, "    platform: linux/arm64")),
    ("dotted-names", "web.front-end_1", Line(4, "    platform: linux/arm64")),
    ("dotted-names", "web", Line(6, "    platform: linux/arm64")),
    ("dotted-names", "front-end_1", Refused("NoSuchService", "web.front-end_1, web")),
    ("numeric-name", "1", Line(4, "    platform: linux/arm64")),
    ("unicode", "größe-日本", Line(5, "    platform: linux/arm64")),
    ("flow-service", "web", Within(2, "  web: {image: nginx, platform: linux/arm64, ports: [80, 443]}   # short")),
    ("flow-service", "db", Within(3, "  db: { image: postgres, platform: linux/arm64 }")),
    (
        "flow-everything",
        "db",
        Within(1, "services: {web: {image: nginx}, db: {image: postgres, platform: linux/arm64}}"),
    ),
    ("flow-lines", "web", Line(4, "    platform: linux/arm64,")),
    ("flow-lines", "db", Line(7, "    platform: linux/arm64,")),
    ("json", "web", Line(5, "      \"platform\": \"linux/arm64\",")),
    ("json", "db", Line(8, "      \"platform\": \"linux/arm64\",")),
    (
        "json-one-line",
        "web",
        Within(
            1,
            r#"{"services":{"web":{"image":"nginx","platform": "linux/arm64", "ports":[]},"db":{"image":"postgres"}}}"#,
        ),
    ),
    ("block-scalar-last", "web", Line(4, "    platform: linux/arm64")),
    ("block-scalar-last", "db", Line(14, "    platform: linux/arm64")),
    ("keep-scalar-last", "web", Line(4, "    platform: linux/arm64")),
    ("image-is-block-scalar", "web", Line(5, "    platform: linux/arm64")),
    ("image-on-next-line", "web", Line(5, "    platform: linux/arm64")),
    ("plain-sequences", "web", Line(7, "    platform: linux/arm64")),
    ("plain-sequences", "db", Line(9, "    platform: linux/arm64")),
    ("build-only", "web", Line(8, "    platform: linux/arm64")),
    ("build-only", "short", Line(12, "    platform: linux/arm64")),
    ("override-file", "web", Line(3, "    platform: linux/arm64")),
    ("override-file", "pinned", Refused("AlreadyPinned", "linux/amd64")),
    ("merge-key", "web", Line(9, "    platform: linux/arm64")),
    ("merge-key", "job", Line(11, "    platform: linux/arm64")),
    ("merge-brings-platform", "web", Line(9, "    platform: linux/arm64")),
    ("merge-brings-platform", "deep", Line(12, "    platform: linux/arm64")),
    ("merge-brings-platform", "own", Refused("AlreadyPinned", "linux/arm64")),
    ("anchor-shared", "web", Refused("Shared", "shared with worker")),
    ("anchor-shared", "worker", Line(6, "    platform: linux/arm64")),
    ("anchor-shared", "lone", Line(9, "    platform: linux/arm64")),
    ("anchor-on-image", "web", Line(4, "    platform: linux/arm64")),
    ("alias-service", "web", Refused("Alias", "*base")),
    ("alias-services", "web", Refused("Uncertain", "not written out")),
    ("alias-unknown", "web", Refused("NotYaml", "line 2")),
    ("extends", "base", Refused("Extended", "web would change as well")),
    ("extends", "web", Line(6, "    platform: linux/arm64")),
    ("extends", "other", Line(14, "    platform: linux/arm64")),
    ("extends-pinned", "web", Line(8, "    platform: linux/arm64")),
    ("extends-loop", "web", Refused("Extended", "db")),
    ("reset-tag", "web", Line(4, "    platform: linux/arm64")),
    ("reset-tag", "db", Line(9, "    platform: linux/arm64")),
    ("reset-tag", "gone", Refused("EmptyService", "nothing under it")),
    ("multi-document", "web", Refused("MultipleDocuments", "2 YAML documents")),
    ("document-marks", "web", Line(7, "    platform: linux/arm64")),
    ("null-service", "db", Within(3, "  db: {platform: linux/arm64}")),
    ("null-service", "text", Refused("NotAService", "text")),
    ("null-service", "list", Refused("NotAService", "list")),
    ("tab-indent", "web", Refused("NotYaml", "line 2")),
    ("tab-after-colon", "web", Line(4, "    platform: linux/arm64")),
    ("duplicate-key", "web", Refused("NotYaml", "duplicate")),
    ("bad-indent", "web", Refused("NotYaml", "line 4")),
    ("not-yaml", "web", Refused("NotYaml", "line")),
    ("prose", "web", Refused("NoSuchService", "no service web")),
    ("empty", "web", Refused("NoSuchService", "no service web")),
    ("template-values", "web", Refused("Template", "line 3")),
    ("template-whole", "web", Refused("Template", "line 3")),
    ("template-blocks", "web", Refused("Template", "line 2")),
    ("template-quoted", "web", Refused("Template", "line 3")),
    ("go-format-is-fine", "web", Line(4, "    platform: linux/arm64")),
    ("variables", "web", Refused("AlreadyPinned", "${PLATFORM}")),
    ("variables", "db", Line(7, "    platform: linux/arm64")),
    ("pinned", "web", Refused("AlreadyPinned", "linux/amd64")),
    ("comments-everywhere", "web", Line(10, "    platform: linux/arm64")),
    ("comments-everywhere", "db", Line(18, "    platform: linux/arm64")),
    ("explicit-keys", "web", Line(5, "    platform: linux/arm64")),
    ("image-key-elsewhere", "web", Line(9, "    platform: linux/arm64")),
    ("image-key-elsewhere", "platform", Line(11, "    platform: linux/arm64")),
    ("trailing-spaces", "web", Line(4, "    platform: linux/arm64")),
    ("long-lines", "web", Line(4, "    platform: linux/arm64")),
    ("folded-quoted", "web", Line(5, "    platform: linux/arm64")),
];

fn corpus(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose").join(format!("{name}.yaml"));
    std::fs::read_to_string(path).expect(name)
}

fn kind(refused: &EditRefused) -> String {
    format!("{refused:?}").split([' ', '{']).next().unwrap_or_default().to_owned()
}

/// `before` with `line` as line `number`, ending as the line above it does (or as the last ended line, at the end of the file).
fn with_line(before: &str, number: usize, line: &str) -> Option<String> {
    let mut lines: Vec<String> = before.split_inclusive('\n').map(str::to_owned).collect();
    let ending = |l: &str| if l.ends_with("\r\n") { "\r\n" } else { "\n" };
    let above = lines.get(number - 2)?.clone();
    if above.ends_with('\n') {
        lines.insert(number - 1, format!("{line}{}", ending(&above)));
    } else {
        let ended = ending(&lines[number - 3]).to_owned();
        lines[number - 2].push_str(&ended);
        lines.push(line.to_owned());
    }
    Some(lines.concat())
}

fn expected_text(before: &str, want: &Want) -> Option<String> {
    match want {
        Line(number, line) => with_line(before, *number, line),
        Within(number, line) => {
            let mut lines: Vec<&str> = before.split('\n').collect();
            lines[number - 1] = line;
            Some(lines.join("\n"))
        }
        Refused(..) => None,
    }
}

#[test]
fn the_corpus_is_edited_or_refused_as_written_down() {
    let mut wrong = Vec::new();
    for (name, service, want) in CASES {
        let before = corpus(name);
        let got = set_platform(&before, service, "linux/arm64");
        let right = match (&got, want) {
            (Ok(after), Line(..) | Within(..)) => Some(after) == expected_text(&before, want).as_ref(),
            (Err(refused), Refused(expected, words)) => {
                kind(refused) == *expected && refused.to_string().contains(words)
            }
            _ => false,
        };
        if !right {
            wrong.push(format!("{name}/{service}:\n{}", got.unwrap_or_else(|e| format!("{e:?}\n{e}"))));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), CASES.len(), wrong.join("\n---\n"));
}

#[test]
fn taking_the_pin_back_gives_the_same_bytes() {
    for (name, service, want) in CASES {
        let before = corpus(name);
        if matches!(want, Refused(..)) {
            continue;
        }
        let after = set_platform(&before, service, "linux/arm64").unwrap();
        assert_eq!(remove_platform(&after, service).as_deref(), Ok(before.as_str()), "{name}/{service}");
    }
}

#[test]
fn exactly_one_value_differs() {
    let parse = |text: &str| yaml_serde::from_str::<Value>(text).unwrap();
    for (name, service, want) in CASES {
        let before = corpus(name);
        if matches!(want, Refused(..)) {
            continue;
        }
        let mut after = parse(&set_platform(&before, service, "linux/arm64").unwrap());
        let services = after["services"].as_mapping_mut().unwrap();
        let key = services.keys().find(|k| k.as_str() == Some(service) || k.as_i64().is_some()).cloned().unwrap();
        let removed = services[&key].as_mapping_mut().unwrap().remove("platform");
        assert_eq!(removed, Some("linux/arm64".into()), "{name}/{service}");
        assert_eq!(after, parse(&before), "{name}/{service}");
    }
}

#[test]
fn every_file_of_the_corpus_is_used() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".yaml") else { continue };
        assert!(CASES.iter().any(|(n, ..)| *n == name), "{name} has no case");
    }
}

#[test]
fn pins_are_removed_with_their_line_only() {
    let removed = |name: &str, service: &str| remove_platform(&corpus(name), service);
    let without = |name: &str, line: usize| {
        let text = corpus(name);
        let kept = text.split_inclusive('\n').enumerate().filter(|(i, _)| i + 1 != line).map(|(_, l)| l);
        Ok(kept.collect::<String>())
    };
    assert_eq!(removed("pinned", "web"), without("pinned", 4));
    assert_eq!(removed("pinned", "empty"), without("pinned", 9));
    assert_eq!(removed("pinned", "first"), without("pinned", 11));
    assert_eq!(removed("pinned", "last"), without("pinned", 15));
    assert_eq!(removed("variables", "web"), without("variables", 4));
    assert_eq!(removed("merge-brings-platform", "own"), without("merge-brings-platform", 15));
    let only = corpus("override-file").replace("  pinned:\n    platform: linux/amd64\n", "  pinned: {}\n");
    assert_eq!(removed("override-file", "pinned"), Ok(only));
    for (name, service, want) in [
        ("two-spaces", "web", "NotPinned"),
        ("merge-brings-platform", "web", "Inherited"),
        ("extends-pinned", "base", "Extended"),
        ("multi-document", "web", "MultipleDocuments"),
        ("two-spaces", "nobody", "NoSuchService"),
    ] {
        assert_eq!(kind(&removed(name, service).unwrap_err()), want, "{name}/{service}");
    }
}

#[test]
fn a_pin_is_changed_in_place_and_back_byte_for_byte() {
    for (name, service, _) in CASES {
        let Ok(pinned) = set_platform(&corpus(name), service, "linux/arm64") else { continue };
        let changed = change_platform(&pinned, service, "linux/amd64").unwrap();
        assert_eq!(changed.len(), pinned.len(), "{name}/{service}");
        assert_eq!(change_platform(&changed, service, "linux/arm64").unwrap(), pinned, "{name}/{service}");
        assert_eq!(kind(&change_platform(&changed, service, "linux/amd64").unwrap_err()), "AlreadyPinned");
    }
    let with =
        |value: &str| format!("services:\n  web:\n    image: a\n    platform: {value}   # why\n    ports: [1]\n");
    for (old, new) in [
        ("linux/amd64", "linux/arm/v7"),
        ("\"linux/amd64\"", "\"linux/arm/v7\""),
        ("'linux/amd64'", "'linux/arm/v7'"),
        ("${PLATFORM:-linux/amd64}", "linux/arm/v7"),
        ("&p linux/amd64", "&p linux/arm/v7"),
    ] {
        assert_eq!(change_platform(&with(old), "web", "linux/arm/v7"), Ok(with(new)), "{old}");
    }
    for (name, service, want) in [
        ("two-spaces", "web", "NotPinned"),
        ("merge-brings-platform", "web", "Inherited"),
        ("extends-pinned", "base", "Extended"),
        ("multi-document", "web", "MultipleDocuments"),
        ("two-spaces", "nobody", "NoSuchService"),
    ] {
        assert_eq!(
            kind(&change_platform(&corpus(name), service, "linux/s390x").unwrap_err()),
            want,
            "{name}/{service}"
        );
    }
}

#[test]
fn what_is_empty_is_filled_and_nothing_else_is_touched() {
    for (before, after) in [
        ("services:\n  web:\n  db: {}\n", Some("services:\n  web:\n    platform: linux/arm64\n  db: {}\n")),
        ("services:\n    web:   # later", Some("services:\n    web:   # later\n        platform: linux/arm64")),
        ("services:\r\n  web:\r\n", Some("services:\r\n  web:\r\n    platform: linux/arm64\r\n")),
        ("services:\n  web: ~\n", None),
        ("services:\n  web: !reset null\n", None),
        (
            "services:\n  web:\n    platform:   # which?\n    image: a\n",
            Some("services:\n  web:\n    platform: linux/arm64   # which?\n    image: a\n"),
        ),
        (
            "services:\n  web:\n    platform: \"\"\n    image: a\n",
            Some("services:\n  web:\n    platform: \"linux/arm64\"\n    image: a\n"),
        ),
        ("services:\n  web: {image: a, platform: }\n", Some("services:\n  web: {image: a, platform: linux/arm64}\n")),
    ] {
        let got = set_platform(before, "web", "linux/arm64");
        assert_eq!(got.as_deref().ok(), after, "{before:?}: {got:?}");
    }
    for same in ["merge-brings-platform", "extends-pinned"] {
        assert_eq!(kind(&set_platform(&corpus(same), "web", "linux/amd64").unwrap_err()), "Inherited", "{same}");
    }
    for reset in ["!reset null", "!reset", "!reset linux/amd64"] {
        let text = format!("services:\n  web:\n    image: a\n    platform: {reset}\n");
        for edit in [set_platform, change_platform] {
            assert_eq!(kind(&edit(&text, "web", "linux/arm64").unwrap_err()), "TakenBack", "{reset}");
        }
    }
    let tagged = |value: &str| format!("services:\n  web:\n    image: a\n    platform: !override {value}\n");
    let changed = change_platform(&tagged("linux/amd64"), "web", "linux/arm64");
    assert_eq!(changed, Ok(tagged("linux/arm64")), "the tag stays");
}

#[test]
fn an_override_file_takes_services_it_does_not_know() {
    let alone = "services:\n  web:\n    platform: linux/arm64\n";
    for (before, after) in [
        ("", Some(alone.to_owned())),
        ("# ours\n", Some(format!("# ours\n{alone}"))),
        ("# ours", Some(format!("# ours\n{alone}"))),
        ("services:\n", Some(alone.to_owned())),
        ("volumes: {}\n", Some(format!("volumes: {{}}\n{alone}"))),
        (
            "services:\n    # team\n    db: &a\n        image: x\n",
            Some(
                "services:\n    web:\n        platform: linux/arm64\n    # team\n    db: &a\n        image: x\n"
                    .to_owned(),
            ),
        ),
        (
            "services:\r\n  db:\r\n    image: x\r\n",
            Some("services:\r\n  web:\r\n    platform: linux/arm64\r\n  db:\r\n    image: x\r\n".to_owned()),
        ),
        (
            "services:\n  web:\n    ports: [1]\n",
            Some("services:\n  web:\n    platform: linux/arm64\n    ports: [1]\n".to_owned()),
        ),
        (
            "services:\n  web:\n    platform: linux/amd64 # x\n",
            Some("services:\n  web:\n    platform: linux/arm64 # x\n".to_owned()),
        ),
        ("services: {}\n", Some("services: {web: {platform: linux/arm64}}\n".to_owned())),
        ("services: { } # none yet\n", Some("services: {web: {platform: linux/arm64} } # none yet\n".to_owned())),
        ("services: {db: {image: x}}\n", Some("services: {web: {platform: linux/arm64}, db: {image: x}}\n".to_owned())),
        ("services:\n  web:\n", Some(alone.to_owned())),
        (
            "services:\n  web: # ours\n  db:\n    image: x\n",
            Some("services:\n  web: # ours\n    platform: linux/arm64\n  db:\n    image: x\n".to_owned()),
        ),
        ("services: [web]\n", None),
        ("- 1\n", None),
        ("a: 1\n---\nb: 2\n", None),
    ] {
        assert_eq!(override_platform(before, "web", "linux/arm64").ok(), after, "{before:?}");
    }
}

#[test]
fn pins_in_braces_are_removed_with_their_comma_only() {
    let start = "services:\n  web: {";
    for (braces, want) in [
        ("platform: a/b}", "}"),
        ("platform: a/b, image: x}", "image: x}"),
        ("image: x, platform: a/b}", "image: x}"),
        ("image: x, platform: a/b, ports: [1]}", "image: x, ports: [1]}"),
        ("\n    image: x,\n    platform: a/b, # why\n    ports: [1]\n  }", "\n    image: x,\n    ports: [1]\n  }"),
        ("\n    image: x,\n    platform: a/b\n  }", "\n    image: x\n  }"),
        ("\n    image: x, # keep\n    platform: a/b\n  }", "\n    image: x # keep\n  }"),
    ] {
        let got = remove_platform(&format!("{start}{braces}\n"), "web");
        assert_eq!(got, Ok(format!("{start}{want}\n")), "{braces}");
    }
}

#[test]
fn only_platforms_are_written() {
    let text = corpus("two-spaces");
    for good in ["linux/amd64", "linux/arm/v7", "windows/amd64", "wasi/wasm32"] {
        assert!(set_platform(&text, "web", good).unwrap().contains(&format!("platform: {good}\n")), "{good}");
    }
    for bad in
        ["", "amd64", "linux/", "linux/amd64\nprivileged: true", "linux/a b", "a/b/c/d", "linux/*x", "linux/amd64 # x"]
    {
        assert_eq!(kind(&set_platform(&text, "web", bad).unwrap_err()), "NotAPlatform", "{bad:?}");
    }
}

#[test]
fn a_refusal_says_what_to_type_where_typing_helps() {
    let lines = |name: &str, service: &str| {
        let refused = set_platform(&corpus(name), service, "linux/amd64").unwrap_err();
        refused.lines_to_type(service, Some("linux/amd64")).join("\n")
    };
    let pinned = "services:\n  web:\n    platform: linux/amd64";
    assert_eq!(lines("anchor-shared", "web"), pinned);
    assert_eq!(lines("template-whole", "web"), pinned);
    assert_eq!(lines("multi-document", "web"), pinned);
    assert_eq!(lines("reset-tag", "gone"), pinned.replace("web", "gone"));
    assert_eq!(lines("alias-service", "web"), "services:\n  web:\n    <<: *base\n    platform: linux/amd64");
    assert_eq!(lines("two-spaces", "nobody"), "");
    assert_eq!(lines("pinned", "web"), "");
    let odd = EditRefused::EmptyService { service: "a: b".to_owned() };
    assert_eq!(odd.lines_to_type("a: b", Some("linux/amd64"))[1], "  \"a: b\":");
}

#[test]
fn ten_thousand_services_are_edited_in_the_middle() {
    let mut text = String::from("services:\n");
    for n in 0..10_000 {
        text += &format!("  s{n}:\n    image: example/{n}\n    restart: always\n");
    }
    let after = set_platform(&text, "s5000", "linux/amd64").unwrap();
    assert_eq!(Some(after), with_line(&text, 15_004, "    platform: linux/amd64"));
}

#[test]
fn mutilated_files_never_panic_and_never_change_anything_else() {
    let mut seed = 0x5111_d0c4_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    let pieces = [
        "\n",
        "\r\n",
        " ",
        "  ",
        "#",
        ":",
        "- ",
        "&a ",
        "*a",
        "<<: *a",
        "{",
        "}",
        "\"",
        "'",
        "|",
        ",",
        "\t",
        "platform: x",
        "é",
    ];
    let mut edited = 0;
    for (name, service, _) in CASES.iter().filter(|(n, ..)| *n != "long-lines") {
        for _ in 0..25 {
            let mut text: Vec<char> = corpus(name).chars().collect();
            for _ in 0..=random(2) {
                let at = random(text.len() + 1);
                let piece = pieces[random(pieces.len())];
                text.splice(at..at.max((at + random(3)).min(text.len())), piece.chars());
            }
            let before: String = text.into_iter().collect();
            let Ok(after) = set_platform(&before, service, "linux/arm64") else { continue };
            edited += 1;
            // What was there is still there, in order; the added piece says nothing else.
            let added = after.len() - before.len();
            let at = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
            assert_eq!(before.as_bytes()[at..], after.as_bytes()[at + added..], "{before:?}\n{after:?}");
            assert_eq!(after.matches("platform").count(), before.matches("platform").count() + 1, "{before:?}");
        }
    }
    assert!(edited > 300, "only {edited} mutilated files could be edited");
}
