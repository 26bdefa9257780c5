//! The three forms of a report, read back: nothing is lost, nothing becomes markup, nothing private is left.

#![allow(clippy::unwrap_used)] // Helpers of tests, which clippy does not take for tests.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use dom_query::Document;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use silidock_diagnosis::{
    example::{container, everything, index, inventory, shell_default},
    example_emulation,
    fact::{Fact, Gap},
    inventory::{Inventory, Listing},
};
use silidock_report::{Format, Scan, Secrets, file_name, redact, render};

const FORMS: [Format; 3] = [Format::Html, Format::Markdown, Format::Json];

fn text(scan: &Scan, format: Format) -> String {
    render(scan, format).unwrap()
}

/// Everything the catalogue fires on, with gaps, a judgement that cannot be made and a setting.
fn full() -> Inventory {
    let mut seen = everything("arm64");
    seen.default_platforms = Fact::Known(vec![shell_default("linux/amd64")]);
    seen.containers.items[0].processes = Fact::unknown("processes of both", "its machine has no ps");
    seen.containers.items.push(container("done").stopped().build());
    seen.images.items.push(index("half:1", &[("linux/arm64", false), ("unknown/unknown", true)]));
    seen.containers.total += 1;
    seen.images.total = 5;
    seen.images.gaps.push(Gap::new("image sha256:gone", "it vanished during the scan"));
    seen
}

/// What a page shows, without markup and with its spaces evened out.
fn shown(html: &str) -> String {
    let text = Document::from(html).select("body").text().to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A Markdown text as a forge makes a page of it.
fn page_of(markdown: &str) -> Document {
    let options = pulldown_cmark::Options::ENABLE_TABLES | pulldown_cmark::Options::ENABLE_STRIKETHROUGH;
    let mut html = String::from("<body>");
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new_ext(markdown, options));
    Document::from(html)
}

/// The kinds of elements on a page.
fn kinds(page: &Document) -> BTreeSet<String> {
    page.select("*").nodes().iter().filter_map(|n| Some(n.node_name()?.to_string())).collect()
}

/// What that page shows, without the marks that end a mention.
fn read(markdown: &str) -> String {
    let text = page_of(markdown).select("body").text().replace('\u{200b}', "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_form_says_everything() {
    let scan = Scan::new(&full());
    let (html, markdown) = (text(&scan, Format::Html), text(&scan, Format::Markdown));
    let forms = [("HTML", shown(&html)), ("Markdown", read(&markdown))];
    let mut wanted: Vec<String> = vec![scan.verdict.headline.clone(), scan.verdict.detail.clone()];
    wanted.extend(["Docker Desktop", "29.7.2", "API 1.55", "linux/arm64", "7.0.12-linuxkit"].map(str::to_owned));
    wanted
        .extend(["settings of runtimes are not read by a scan", "Rosetta and QEMU", "How to read"].map(str::to_owned));
    wanted.extend(["20 November 2026, 09:00 UTC", "docker-desktop", "containerd", "docker.sock"].map(str::to_owned));
    wanted.extend(["Likely", "Certain", "Measured", "Broken", "Slow", "Note", "listed, not here"].map(str::to_owned));
    wanted.extend(["Made by Silidock", "at least 50 %", "8 GiB", "on this machine"].map(str::to_owned));
    for f in &scan.findings {
        wanted.extend([f.title.clone(), f.why.clone(), f.id.clone()]);
        wanted.extend(f.evidence.iter().flat_map(|e| [e.place.clone(), e.text.clone()]));
        wanted.extend(f.fixes.iter().flat_map(|x| [x.title.clone(), x.summary.clone()]));
        wanted.extend(f.fixes.iter().flat_map(|x| x.steps.iter().map(|s| s.title())));
    }
    wanted.push("export DOCKER_DEFAULT_PLATFORM=linux/amd64".to_owned());
    wanted.extend(scan.containers.iter().flat_map(|c| [c.name.clone(), c.image.clone(), c.status.clone()]));
    wanted.extend(scan.containers.iter().flat_map(|c| c.evidence.iter().map(|e| e.text.clone())));
    wanted.extend(scan.images.iter().flat_map(|i| i.tags.clone()));
    wanted.extend(scan.coverage.gaps.iter().flat_map(|g| [g.what.clone(), g.why.clone()]));
    wanted.extend(scan.not_judged.iter().flat_map(|n| [n.check.clone(), n.gap.what.clone(), n.gap.why.clone()]));
    wanted.extend(scan.not_applicable.iter().flat_map(|n| [n.check.clone(), n.why.clone()]));
    assert!(scan.findings.len() > 4 && !scan.coverage.gaps.is_empty() && !scan.not_judged.is_empty());
    for (form, text) in &forms {
        for words in &wanted {
            assert!(text.contains(words.as_str()), "{form} lacks {words:?}");
        }
    }
    let again: Scan = serde_json::from_str(&text(&scan, Format::Json)).unwrap();
    assert_eq!(again, scan);
    assert!(text(&scan, Format::Json).starts_with("{\n  \"schema\": \"silidock/1\""));
}

#[test]
fn findings_stand_worst_first_and_the_less_exact_ones_under_the_exact() {
    let scan = Scan::new(&full());
    let page = Document::from(text(&scan, Format::Html));
    let top = |f: &&silidock_diagnosis::finding::Finding| f.superseded_by.is_none();
    let titles: Vec<String> = scan.findings.iter().filter(top).map(|f| f.title.clone()).collect();
    let articles = page.select("article");
    let first = |n: &dom_query::NodeRef<'_>| dom_query::Selection::from(*n).select("h3").nodes()[0].text().to_string();
    assert_eq!(articles.nodes().iter().map(first).collect::<Vec<_>>(), titles);
    let folded = page.select("article details.folded .f").length();
    assert_eq!(folded, scan.findings.len() - titles.len());
    assert_eq!(page.select("article > .tag").length(), titles.len(), "each has a word for its severity");
}

#[test]
fn what_could_not_be_checked_never_reads_as_fine() {
    let mut blind = inventory("arm64");
    blind.containers = Listing::missing(Gap::new("the list of containers", "the engine stopped answering"));
    blind.images = Listing::missing(Gap::new("the list of images", "timed out after 10 s"));
    let mut partly = inventory("arm64");
    partly.containers = Listing::of(vec![container("web").build()]);
    partly.containers.items[0].cpu_nanoseconds = Fact::unknown("processor time of web", "not asked yet");
    partly.images.gaps.push(Gap::new("image x", "gone"));
    for (seen, wanted) in [
        (&blind, vec!["The containers could not be listed", "the engine stopped answering", "timed out after 10 s"]),
        (&blind, vec!["No check found anything in what could be read", "no container, because the list of them is"]),
        (&partly, vec!["No check found anything in what could be read", "web: not asked yet", "One thing could not"]),
    ] {
        let scan = Scan::new(seen);
        for form in [shown(&text(&scan, Format::Html)), read(&text(&scan, Format::Markdown))] {
            for words in &wanted {
                assert!(form.contains(words), "{words} is missing in {form}");
            }
            assert!(!form.contains("Nothing that was looked for is missing"));
        }
    }
    let mut server = inventory("arm64");
    server.engine.runtime.mac_virtual_machine = false;
    server.emulation.effective = Fact::Known(example_emulation::proven("linux/amd64", "qemu").into_iter().collect());
    let clean = Scan::new(&server);
    assert_eq!(clean.not_judged, []);
    assert!(shown(&text(&clean, Format::Html)).contains("No check found anything. "));
}

#[test]
fn sample_and_redaction_are_marked_on_top_and_in_the_name() {
    for (sample, hidden, name) in [
        (false, false, "silidock-2026-11-20-0900"),
        (true, false, "silidock-sample-2026-11-20-0900"),
        (true, true, "silidock-sample-redacted-2026-11-20-0900"),
    ] {
        let mut scan = Scan::new(&full());
        scan.sample = sample;
        let scan = if hidden { redact(&scan, &Secrets::default()).unwrap() } else { scan };
        for form in [Format::Html, Format::Markdown] {
            let said = text(&scan, form);
            let before_findings = &said[..said.find("Findings").unwrap()];
            assert_eq!(before_findings.contains("embedded sample"), sample, "{form:?}");
            assert_eq!(before_findings.contains("Redacted: "), hidden, "{form:?}");
        }
        assert_eq!(file_name(&scan, Format::Html), format!("{name}.html"));
        assert_eq!(file_name(&scan, Format::Markdown), format!("{name}.md"));
    }
    let mut scan = Scan::new(&inventory("arm64"));
    scan.taken_at = "../../etc".to_owned();
    assert_eq!(file_name(&scan, Format::Json), "silidock.json", "a time that is none makes no path");
}

/// (a name as an engine could give it, how every form shows it)
fn hostile() -> Vec<(String, String)> {
    let same = |s: &str| (s.to_owned(), s.to_owned());
    vec![
        same("<script>alert(1)</script>"),
        same("\"><img src=x onerror=alert(1)>"),
        same("</td></tr></table></details><style>*{display:none}"),
        same("{{ view }} {% raw %} &lt;b&gt; &#60;"),
        same("a|b`c``d|e\\|f \\` @octocat #1 GH-1 [x](javascript:alert(1)) ![i](http://evil.test/i.png)"),
        same("_em_ *strong* ~~gone~~ $x^2$ <!-- --> https://evil.test www.evil.test"),
        same("- list\u{301} 1. 日本 🐳"),
        ("\u{1b}[31mred\u{7}\u{9b}".to_owned(), r"\u{1b}[31mred\u{7}\u{9b}".to_owned()),
        ("one\ntwo\r\n| three |\n\n# four\ttab".to_owned(), r"one\ntwo\r\n| three |\n\n# four\ttab".to_owned()),
        ("safe\u{202e}gpj.exe\u{200f}\u{2066}\u{0}".to_owned(), r"safe\u{202e}gpj.exe\u{200f}\u{2066}\u{0}".to_owned()),
        same(&"4k<b>|`".repeat(600)),
    ]
}

fn hostile_scan() -> Scan {
    let mut seen = full();
    for (name, _) in hostile() {
        let evil = container(&name).image(&name).platform("linux/amd64").processes(&["/run/rosetta/rosetta /bin/app"]);
        let mut evil = evil.service(&name, &name).build();
        evil.status.clone_from(&name);
        if let Fact::Known(all) = &mut evil.processes {
            all[0].program.clone_from(&name);
        }
        seen.containers.items.push(evil);
        seen.images.items.push(index(&name, &[("linux/amd64", true)]));
        seen.images.gaps.push(Gap::new(&name, &name));
    }
    let all: String = hostile().into_iter().map(|(name, _)| name).collect();
    for text in [&mut seen.engine.version, &mut seen.engine.endpoint, &mut seen.engine.runtime.name] {
        text.clone_from(&all);
    }
    seen.containers.total = seen.containers.items.len();
    seen.images.total = seen.images.items.len() + seen.images.gaps.len();
    Scan::new(&seen)
}

#[test]
fn hostile_names_are_text_in_html() {
    let html = text(&hostile_scan(), Format::Html);
    let page = Document::from(html.as_str());
    let plain = Document::from(text(&Scan::new(&full()), Format::Html));
    let seen = page.select("body").text().to_string();
    for (name, visible) in hostile() {
        assert!(seen.contains(&visible), "{name:?} is not shown");
    }
    for forbidden in ["script", "img", "iframe", "object", "link", "base", "form", "svg", "a", "input"] {
        assert_eq!(page.select(forbidden).length(), 0, "<{forbidden}>");
    }
    assert_eq!(kinds(&page), kinds(&plain), "a name brought an element along");
    for node in page.select("*").nodes() {
        for attribute in node.attrs() {
            let name = attribute.name.local.to_string();
            assert!(!name.starts_with("on") && name != "src" && name != "href", "{name}={}", attribute.value);
        }
    }
    let hidden =
        html.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{200f}' | '\u{202e}' | '\u{2066}'));
    assert_eq!(hidden, None);
    let policy = page.select("meta[http-equiv]").attr("content").unwrap().to_string();
    assert!(policy.starts_with("default-src 'none'; style-src 'unsafe-inline'; img-src data:"), "{policy}");
    assert!(!html.contains("url(") && !html.contains("@import"), "nothing is loaded");
}

#[test]
fn hostile_names_are_text_in_markdown() {
    let markdown = text(&hostile_scan(), Format::Markdown);
    let seen = read(&markdown);
    for (name, visible) in hostile() {
        assert!(seen.contains(&visible), "{name:?} is not shown");
    }
    let page = page_of(&markdown);
    assert_eq!(kinds(&page), kinds(&page_of(&text(&Scan::new(&full()), Format::Markdown))), "a name became markup");
    for forbidden in ["a", "img", "script", "del", "pre"] {
        assert_eq!(page.select(forbidden).length(), 0, "<{forbidden}>");
    }
    for forbidden in ["@octocat", "](", "\u{1b}", "\u{202e}", "\r", "~~", "$x", "http://"] {
        assert!(!markdown.contains(forbidden), "{forbidden:?}");
    }
    let folds = |what: &str| markdown.matches(what).count();
    assert_eq!(folds("<details>"), folds("</details>"));
}

#[test]
fn tables_keep_their_columns() {
    for scan in [Scan::new(&full()), hostile_scan()] {
        let markdown = text(&scan, Format::Markdown);
        let mut columns = None;
        let mut tables = 0;
        for line in markdown.lines() {
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            let here = line.matches('|').count();
            tables += usize::from(columns.is_none());
            assert_eq!(*columns.get_or_insert(here), here, "{line}");
            // With no escaped pipe on the line, each pipe is the edge of a cell for every reader of Markdown.
            assert!(line.ends_with(" |") && !line.contains("\\|"), "{line}");
        }
        assert!(tables >= 8, "{tables}");
        let rows = Document::from(text(&scan, Format::Html));
        for table in rows.select("table").nodes() {
            let table = dom_query::Selection::from(*table);
            let head = table.select("thead th").length();
            for row in table.select("tbody tr").nodes() {
                assert_eq!(dom_query::Selection::from(*row).select("th, td").length(), head);
            }
        }
    }
}

#[test]
fn the_same_scan_gives_the_same_bytes() {
    for format in FORMS {
        assert_eq!(text(&hostile_scan(), format), text(&hostile_scan(), format));
        assert!(text(&hostile_scan(), format).ends_with('\n'));
    }
    let hidden = || redact(&hostile_scan(), &Secrets::default()).unwrap();
    assert_eq!(hidden(), hidden());
}

#[test]
fn a_thousand_images_are_no_work() {
    let mut seen = full();
    let image =
        |n: usize| index(&format!("registry{}.acme.example:5000/team/app-{n}:1", n % 7), &[("linux/amd64", true)]);
    seen.images = Listing::of((0..1000).map(image).collect());
    let scan = Scan::new(&seen);
    // The best of three: other tests run at the same time.
    let rendered = (0..3).map(|_| {
        let start = Instant::now();
        for format in FORMS {
            assert!(text(&scan, format).contains("app-999"));
        }
        start.elapsed()
    });
    let rendered = rendered.min().unwrap();
    assert!(rendered < Duration::from_secs(1), "{rendered:?}");
    let hidden = redact(&scan, &Secrets::default()).unwrap();
    assert!(!text(&hidden, Format::Json).contains("acme"));
    assert!(text(&hidden, Format::Json).contains("registry-7:5000/team/app-"));
}

/// Private things, each in a form that must not survive, and the words that give them away.
const PLANTED: &str = "sam.rivers and kim on rivers-laptop.zurich.acme.example, in /Users/sam.rivers/shop, /home/kim/x, \
                       C:\\Users\\kim\\y and /srv/homes/rivers/z, from vault.zurich.acme.example:5000/team/app:1 and \
                       https://bob:hunter2@git.zurich.acme.example/x?token=hunter3, mail ada@zurich.acme.example, at \
                       10.20.30.40 and fe80::dead:beef, ssh://ops@jump.zurich.acme.example:22, DB_PASSWORD=hunter4 \
                       API='hunter5 hunter6' password: hunter7, Bearer hunter8, ghp_hunter9hunter9hunter9";
const GIVEAWAYS: [&str; 16] = [
    "rivers",
    "kim",
    "zurich",
    "acme",
    "vault",
    "bob",
    "ada@",
    "10.20.30",
    "beef",
    "ops@",
    "jump",
    "hunter",
    "/Users/",
    "/home/",
    "laptop",
    "/srv/homes",
];

/// Plants into one string after the other, wherever the document still reads.
fn planted<T: Serialize + DeserializeOwned>(document: &T) -> (T, usize) {
    fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
        match value {
            Value::String(_) => into.push(at.to_owned()),
            Value::Array(all) => all.iter().enumerate().for_each(|(n, v)| pointers(v, &format!("{at}/{n}"), into)),
            Value::Object(map) => map.iter().for_each(|(k, v)| pointers(v, &format!("{at}/{k}"), into)),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(document).unwrap();
    let mut all = Vec::new();
    pointers(&value, "", &mut all);
    let mut count = 0;
    for pointer in &all {
        let before = value.pointer(pointer).unwrap().clone();
        *value.pointer_mut(pointer).unwrap() = Value::String(format!("{} {PLANTED}", before.as_str().unwrap()));
        if serde_json::from_value::<T>(value.clone()).is_ok() {
            count += 1;
        } else {
            *value.pointer_mut(pointer).unwrap() = before;
        }
    }
    (serde_json::from_value(value).unwrap(), count)
}

#[test]
fn nothing_planted_survives_redaction() {
    let secrets = Secrets {
        user_names: vec!["sam.rivers".to_owned(), "rivers".to_owned()],
        host_names: vec!["rivers-laptop".to_owned()],
        home_paths: vec!["/srv/homes/rivers".to_owned()],
    };
    let (seen, fields) = planted(&full());
    assert!(fields > 60, "{fields}");
    let (scan, more) = planted(&Scan::new(&full()));
    assert!(more > 150, "{more}");
    for scan in [Scan::new(&seen), scan] {
        let hidden = redact(&scan, &secrets).unwrap();
        assert!(hidden.redacted);
        for format in FORMS {
            let said = text(&hidden, format);
            let said = if format == Format::Markdown { read(&said) } else { said };
            for giveaway in GIVEAWAYS {
                if let Some(at) = said.find(giveaway) {
                    let around: String = said[..at + giveaway.len()].chars().rev().take(160).collect();
                    panic!("{format:?} gives {giveaway} away: {}", around.chars().rev().collect::<String>());
                }
            }
        }
    }
}

#[test]
fn a_redacted_report_still_says_the_same() {
    for inventory in [everything("arm64"), everything("amd64"), full()] {
        let mut inventory = inventory;
        let app = inventory.containers.items.len();
        for n in 0..2 {
            let image = format!("vault.acme.example/team/app-{n}:1");
            inventory.containers.items.push(container(&format!("app-{n}")).image(&image).build());
        }
        inventory.engine.host_name = Some("build7.acme.example".to_owned());
        inventory.engine.endpoint = "tcp://build7.acme.example:2376".to_owned();
        let scan = Scan::new(&inventory);
        let hidden = redact(&scan, &Secrets { user_names: vec!["sam".to_owned()], ..Secrets::default() }).unwrap();
        assert_eq!((&hidden.verdict, &hidden.tally), (&scan.verdict, &scan.tally));
        assert_eq!(hidden.engine.emulation.effective, scan.engine.emulation.effective);
        assert_eq!(hidden.engine.endpoint, "tcp://host-1:2376");
        assert_eq!(hidden.engine.host_name.as_deref(), Some("host-1"));
        assert_eq!(hidden.engine.runtime, scan.engine.runtime);
        assert_eq!(hidden.engine.kernel, scan.engine.kernel);
        assert_eq!(hidden.containers.len(), scan.containers.len());
        for (a, b) in hidden.containers.iter().zip(&scan.containers) {
            assert_eq!(
                (&a.name, &a.platform, &a.expected, a.execution, &a.emulator, &a.evidence, &a.processes),
                (&b.name, &b.platform, &b.expected, b.execution, &b.emulator, &b.evidence, &b.processes)
            );
        }
        let platforms = |s: &Scan| s.images.iter().map(|i| (i.platforms.clone(), i.native.clone())).collect::<Vec<_>>();
        assert_eq!(platforms(&hidden), platforms(&scan));
        let ids = |s: &Scan| s.findings.iter().map(|f| (f.id.clone(), f.superseded_by.clone())).collect::<Vec<_>>();
        assert_eq!(ids(&hidden), ids(&scan));
        let registries = hidden.containers.iter().filter(|c| c.image.starts_with("registry-1/team/app-")).count();
        assert_eq!((app, registries), (app, 2), "two images of one registry stay recognisable as such");
        let again: Scan = serde_json::from_str(&text(&hidden, Format::Json)).unwrap();
        assert_eq!(again, hidden);
        assert_eq!(redact(&hidden, &Secrets::default()).unwrap().findings, hidden.findings, "twice is as once");
    }
}
