//! The whole program against real Docker engines: what it says of them is held against what tests/lab/fixtures.sh put
//! there, mirrored by each engine's own platform. Needs the file that `SILIDOCK_LAB` names; see tests/lab/README.md.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod common;

use std::collections::BTreeSet;

use common::{
    Ran, User, finding, fired,
    lab::{Lab, Project, engines, mode, on_each},
    list, one,
    proxy::Proxy,
    ran, text,
};
use serde_json::{Value, json};

/// The fixtures' containers; an engine may have others beside them.
fn is_fixture(name: &str) -> bool {
    name.starts_with("lab-") || name.starts_with("labshop-")
}

#[test]
fn a_scan_says_what_runs_emulated_and_a_fix_goes_there_and_back() {
    on_each("what a scan says, and the round trip of a fix", |engine| {
        let user = User::new();
        let project = engine.project();
        let capture = user.file("capture.json");
        let (status, scan) = user.json("scan", &["scan", "--engine", &engine.endpoint, "--capture", &capture]);
        if engine.ours() {
            assert_eq!(status, 0, "nothing there is broken");
        }
        assert!(project.untouched(), "looking changes nothing");
        about_the_engine(engine, &scan);
        about_containers(engine, &scan);
        about_images(engine, &scan);
        about_findings(engine, &scan, project.line_of("\"db\":"));
        replayed(engine, &user, &scan, &capture);
        fixed_and_undone(engine, &user, &project, finding(&scan, "pin-missing", "labshop/db"), &capture);
    });
}

fn about_the_engine(engine: &Lab, scan: &Value) {
    let said = &scan["engine"];
    assert_eq!(format!("{}/{}", text(said, "os"), text(said, "arch")), engine.native);
    assert_eq!(text(said, "endpoint"), engine.endpoint);
    let store = if engine.containerd_store() { "containerd" } else { "classic" };
    assert_eq!(text(said, "imageStore"), store);
    assert_eq!(text(said, "version"), engine.docker(&["version", "--format", "{{.Server.Version}}"]));
    let number = |api: &str| -> u32 { api.split_once('.').unwrap().1.parse().unwrap() };
    let spoken = number(text(said, "apiVersion"));
    match engine.name.as_str() {
        "v20" => assert_eq!(spoken, 41),
        "host" => assert!(spoken <= number(&engine.docker(&["version", "--format", "{{.Server.APIVersion}}"]))),
        _ => assert!(spoken >= 51, "API 1.{spoken}"),
    }
    match engine.name.as_str() {
        "arm64" => assert_eq!(text(&said["runtime"], "id"), "docker-desktop", "it says it is one"),
        "host" => assert_ne!(text(&said["runtime"], "evidence"), ""),
        _ => assert_eq!(text(&said["runtime"], "id"), "docker-engine"),
    }
    let effective = text(&said["emulation"]["effective"], "emulator");
    assert!(effective == "QEMU" || !engine.ours(), "{effective}");
    if engine.ours() {
        let whole = |total: usize| json!({ "seen": total, "total": total, "listed": true });
        let coverage = &scan["coverage"];
        assert_eq!(coverage["containers"], whole(list(scan, "containers").len()));
        assert_eq!(coverage["images"], whole(list(scan, "images").len()));
        assert_eq!(coverage["gaps"], json!([]));
        // A scan starts nothing and asks no registry; everything else was judged.
        let on_request = |n: &Value| {
            let why = text(&n["gap"], "why");
            why.ends_with(": silidock emulator") || why.ends_with(": silidock scan --ask-registry")
        };
        assert!(list(scan, "notJudged").iter().all(on_request), "{}", scan["notJudged"]);
    }
}

fn about_containers(engine: &Lab, scan: &Value) {
    let containers = list(scan, "containers");
    let mut expected = vec![
        ("lab-foreign", &engine.foreign, "emulated", "emulated"),
        ("labshop-db-1", &engine.foreign, "emulated", "emulated"),
        ("lab-stale", &engine.foreign, "emulated", "emulated"),
        ("lab-exited", &engine.foreign, "emulated", "notRunning"),
        ("lab-mixed", &engine.native, "native", "mixed"),
        ("lab-native", &engine.native, "native", "native"),
        ("labshop-web-1", &engine.native, "native", "native"),
    ];
    if engine.containerd_store() {
        expected.push(("lab-needless", &engine.foreign, "emulated", "emulated"));
    }
    let there: BTreeSet<&str> = containers.iter().map(|c| text(c, "name")).filter(|name| is_fixture(name)).collect();
    assert_eq!(there, expected.iter().map(|(name, ..)| *name).collect());
    for (name, platform, expects, execution) in expected {
        let container = one(containers, "name", name);
        assert_eq!(container["platform"], json!(platform), "{name}");
        assert_eq!(container["expected"], expects, "{name}");
        assert_eq!(container["execution"], execution, "{name}");
        match execution {
            "emulated" | "mixed" => shows_its_emulator(engine, container),
            _ => assert_eq!(container["emulator"], Value::Null, "{name}: nothing emulates it"),
        }
    }
    assert_eq!(one(containers, "name", "lab-exited")["state"], "exited");
    let db = &one(containers, "name", "labshop-db-1")["compose"];
    assert_eq!(*db, json!({ "project": "labshop", "service": "db" }));
}

/// Names the emulator, and quotes the interpreter in front of a process. Two are held against what the Docker client
/// shows of the same process; asking for all would only take a slow engine's time.
fn shows_its_emulator(engine: &Lab, container: &Value) {
    let name = text(container, "name");
    let emulator = text(container, "emulator");
    assert!(emulator == "qemu" || !engine.ours(), "{name}: {emulator}");
    let process = &list(container, "evidence")[0];
    let quoted = text(process, "text");
    let (interpreter, program) = quoted.split_once(' ').unwrap();
    assert!(["qemu", "binfmt-P", "rosetta"].iter().any(|part| interpreter.contains(part)), "{name}: {quoted}");
    if name != "lab-mixed" && name != "lab-foreign" {
        return;
    }
    let pid = text(process, "place").trim_start_matches("process ");
    let top = engine.docker(&["top", name, "-eo", "pid,args"]);
    let line = top.lines().find(|line| line.split_whitespace().next() == Some(pid));
    let line = line.unwrap_or_else(|| panic!("{name}: no process {pid} in\n{top}"));
    assert!(line.contains(interpreter) && line.contains(program), "{name}: {quoted} is not {line}");
}

fn about_images(engine: &Lab, scan: &Value) {
    let images = list(scan, "images");
    let tagged = |tag: &str| {
        let found: Vec<&Value> = images.iter().filter(|i| list(i, "tags").contains(&json!(tag))).collect();
        assert_eq!(found.len(), 1, "{tag}");
        found[0]
    };
    let (native, foreign) = (engine.native.as_str(), engine.foreign.as_str());
    let mut expected = vec![
        ("silidock-lab/bb:amd64", vec![("linux/amd64", true)]),
        ("silidock-lab/bb:arm64", vec![("linux/arm64", true)]),
        ("silidock-lab/both:1", vec![(native, true)]),
        ("silidock-lab/moved:1", vec![(native, true)]),
    ];
    if engine.containerd_store() {
        expected.push(("silidock-lab/multi:1", vec![(native, true), (foreign, true)]));
        expected.push(("silidock-lab/partial:1", vec![(native, false), (foreign, true)]));
    }
    for (tag, platforms) in expected {
        assert_eq!(platforms_of(tagged(tag)), platforms.iter().map(|(p, a)| ((*p).to_owned(), *a)).collect(), "{tag}");
        assert_eq!(tagged(tag)["native"], json!(platforms.contains(&(native, true))), "{tag}");
    }
    let stale: Vec<&Value> = images.iter().filter(|i| list(i, "usedBy").contains(&json!("lab-stale"))).collect();
    assert_eq!(stale.len(), 1, "the image that lost its tag is still listed");
    assert_eq!(stale[0]["tags"], json!([]));
    assert_eq!(platforms_of(stale[0]), BTreeSet::from([(foreign.to_owned(), true)]));
}

fn platforms_of(image: &Value) -> BTreeSet<(String, bool)> {
    let pair = |p: &Value| (text(p, "platform").to_owned(), p["available"].as_bool().unwrap());
    list(image, "platforms").iter().map(pair).collect()
}

fn about_findings(engine: &Lab, scan: &Value, line: usize) {
    let mut expected = vec![
        ("emulated-container", "lab-foreign"),
        ("emulated-container", "labshop-db-1"),
        ("emulated-container", "lab-stale"),
        ("mixed-container", "lab-mixed"),
        ("needless-emulation", "lab-stale"),
        ("stale-container-image", "lab-stale"),
        ("pin-missing", "labshop/db"),
    ];
    if engine.containerd_store() {
        expected.extend([("emulated-container", "lab-needless"), ("needless-emulation", "lab-needless")]);
    }
    let expected: BTreeSet<_> = expected.into_iter().map(|(c, s)| (c.to_owned(), s.to_owned())).collect();
    let fixtures = |(_, subject): &(String, String)| is_fixture(subject) || subject.starts_with("labshop/");
    assert_eq!(fired(scan).into_iter().filter(fixtures).collect::<BTreeSet<_>>(), expected);
    let pin = &finding(scan, "pin-missing", "labshop/db")["subject"];
    assert_eq!((text(pin, "path"), pin["line"].as_u64()), (engine.project.to_str().unwrap(), Some(line as u64)));
    let folded = finding(scan, "emulated-container", "lab-stale");
    assert_eq!(folded["supersededBy"], finding(scan, "needless-emulation", "lab-stale")["id"]);
}

/// A capture says elsewhere what the scan said here, and makes the same reports.
fn replayed(engine: &Lab, user: &User, scan: &Value, capture: &str) {
    common::keeps_to("inventory", &serde_json::from_str(&std::fs::read_to_string(capture).unwrap()).unwrap());
    let mut expected = scan.clone();
    expected["replayed"] = Value::Bool(true);
    let (_, again) = user.json("scan", &["scan", "--from", capture]);
    assert_eq!(again, expected, "the capture of {}", engine.name);
    assert!(user.run(&["scan", "--from", capture]).out.starts_with("RECORDING"), "marked as a recording");
    let report = |format: &str| {
        let ran = user.run(&["report", "--from", capture, "--format", format]);
        assert_eq!(ran.status, 0, "{ran:?}");
        ran
    };
    let mut json = report("json").document("scan");
    assert!(json["wayOut"]["items"].is_array(), "a report brings the way out list, too");
    json.as_object_mut().unwrap().remove("wayOut");
    assert_eq!(json, expected);
    for (format, begins) in [("html", "<!doctype html>"), ("markdown", "# ")] {
        let made = report(format).out;
        assert!(made.to_lowercase().starts_with(begins), "{format}: {}", &made[..60.min(made.len())]);
        for said in ["lab-foreign", "lab-mixed", text(&scan["verdict"], "headline"), engine.foreign.as_str()] {
            assert!(made.contains(said), "{format} of {} without {said}", engine.name);
        }
    }
    let refused = user.run(&[
        "fix",
        text(finding(scan, "pin-missing", "labshop/db"), "id"),
        "--from",
        capture,
        "--apply",
        "--yes",
    ]);
    assert_eq!(refused.status, 2, "a recording's files belong to another machine: {refused:?}");
}

/// A slow engine is not asked for a preview: that needs only the files.
fn fixed_and_undone(engine: &Lab, user: &User, project: &Project, found: &Value, capture: &str) {
    let (id, fix) = (text(found, "id"), &list(found, "fixes")[0]);
    assert_eq!(fix["safety"], "review");
    assert!(text(fix, "summary").contains("A native image may exist upstream"), "{fix}");
    let preview = user.run(&["fix", id, "--from", capture]);
    assert_eq!(preview.status, 0, "{preview:?}");
    let pin = format!("platform: {}", engine.foreign);
    assert!(preview.out.contains(&format!("+     {pin}")), "{preview:?}");
    assert!(project.untouched(), "a preview changes nothing");

    let at = ["--engine", &engine.endpoint];
    let (status, change) = user.json("change", &[&["fix", id, "--apply", "--yes"], &at[..]].concat());
    assert_eq!((status, text(&change, "verified")), (0, "verified"), "{change}");
    let before = std::str::from_utf8(&project.bytes).unwrap();
    let image = format!("    image:   silidock-lab/bb:{}   # no platform here\n", Lab::arch(&engine.foreign));
    assert!(before.contains(&image));
    let wanted = before.replace(&image, &format!("{image}    {pin}\n"));
    assert_eq!(std::fs::read_to_string(&project.path).unwrap(), wanted, "one line more, all else as it was");
    assert_eq!(mode(&project.path), project.mode);

    let (_, scan) = user.json("scan", &[&["scan"], &at[..]].concat());
    assert!(!fired(&scan).contains(&("pin-missing".to_owned(), "labshop/db".to_owned())));
    assert_eq!(finding(&scan, "emulated-container", "labshop-db-1")["severity"], "slow", "it runs as before");

    taken_back(user, text(&change, "receipt"));
    assert!(project.untouched(), "byte for byte, and its mode");
}

fn taken_back(user: &User, receipt: &str) {
    let (_, history) = user.json("history", &["history"]);
    let entry = one(list(&history, "receipts"), "id", receipt);
    assert_eq!((text(entry, "state"), text(entry, "verified")), ("applied", "verified"));
    let (status, shown) = user.json("undo-preview", &["undo", receipt]);
    assert_eq!((status, &shown["refused"]), (0, &Value::Null), "{shown}");
    let (status, undone) = user.json("change", &["undo", receipt, "--apply", "--yes"]);
    assert_eq!((status, text(&undone, "verified")), (0, "verified"), "{undone}");
    let (_, history) = user.json("history", &["history"]);
    assert_eq!(one(list(&history, "receipts"), "id", receipt)["state"], "undone");
    let again = user.run(&["undo", receipt, "--apply", "--yes"]);
    assert_eq!(again.status, 2, "undone once: {again:?}");
}

#[test]
fn looking_asks_and_changes_nothing() {
    on_each("that looking changes nothing", |engine| {
        let user = User::new();
        let _alone = engine.project();
        let before = engine.inventory();
        let proxy = Proxy::new(&engine.endpoint, usize::MAX);
        let made = user.run(&["report", "--engine", &proxy.endpoint(), "--redact"]);
        assert_eq!(made.status, 0, "{made:?}");
        assert!(made.out.contains("lab-foreign"), "{}", made.out);
        let asked = proxy.asked();
        assert!(asked.len() > 8 && asked.iter().all(|line| line.starts_with("GET ")), "{asked:#?}");
        if engine.ours() {
            assert_eq!(engine.inventory(), before);
        }
    });
}

/// After each number of answers the engine goes. What was read until then is told, and never as "fine".
#[test]
fn an_engine_that_stops_in_the_middle_of_a_scan() {
    let Some(engine) = engines("an engine that stops").into_iter().next() else { return };
    let _alone = engine.project();
    let user = User::new();
    let mut partly = 0;
    for answers in 0..=10 {
        let proxy = Proxy::new(&engine.endpoint, answers);
        let Ran { status, out, err } = user.run(&["scan", "--json", "--engine", &proxy.endpoint(), "--fail-on-gaps"]);
        let document: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{answers}: {e}: {out}{err}"));
        if status == 2 {
            common::keeps_to("failure", &document);
            assert!(text(&document["failure"], "message").contains("went away"), "{answers}: {document}");
            continue;
        }
        common::keeps_to("scan", &document);
        assert_eq!(status, 1, "{answers}: gaps make it fail when asked to");
        let gaps = &document["coverage"]["gaps"].to_string();
        assert!(gaps.contains("went away") || gaps.contains("nothing answers"), "{answers}: {gaps}");
        assert_ne!(document["notJudged"], json!([]), "{answers}");
        partly += 1;
    }
    assert!(partly >= 5, "after the engine's own facts the rest is partial, not lost: {partly}");
}

/// A container whose names, labels and arguments are as bad as an engine lets them be; gone when dropped.
struct Hostile<'a> {
    engine: &'a Lab,
    name: String,
}

const EVIL: &str = "<script>alert(1)</script>\u{1b}[31mred\nline two\u{202e}gnp.exe";

impl<'a> Hostile<'a> {
    fn start(engine: &'a Lab, folder: &str) -> Self {
        let name = format!("silidock-hostile-{}", std::process::id());
        let made = Self { engine, name };
        let long = "x".repeat(4096);
        let labels = [
            format!("com.docker.compose.project={EVIL}"),
            format!("com.docker.compose.service=db-{EVIL}"),
            format!("com.docker.compose.project.working_dir={folder}"),
            format!("com.docker.compose.project.config_files={folder}/compose.yaml"),
            format!("dev.silidock.long={long}"),
            format!("{long}={EVIL}"),
        ];
        let platform = format!("--platform={}", engine.foreign);
        let image = format!("silidock-lab/bb:{}", Lab::arch(&engine.foreign));
        let mut words =
            vec!["run", "-d", "--name", &made.name, "--network=none", "--pull=never", "--stop-signal=SIGKILL"];
        words.extend([platform.as_str(), "-e", "TOKEN=hunter2"]);
        words.extend(labels.iter().flat_map(|label| ["--label", label.as_str()]));
        words.extend([
            image.as_str(),
            "/bin/sh",
            "-c",
            "while :; do /bin/busybox sleep 600; done",
            EVIL,
            "--password=hunter2",
        ]);
        engine.docker(&words);
        made
    }
}

impl Drop for Hostile<'_> {
    fn drop(&mut self) {
        self.engine.docker(&["rm", "-f", &self.name]);
    }
}

#[test]
fn hostile_names_are_text_everywhere() {
    let Some(engine) = engines("hostile names").into_iter().next() else { return };
    let _alone = engine.project();
    let user = User::new();
    let folder = user.tmp().join("evil \u{1b}[2J<b>\u{202e}");
    std::fs::create_dir(&folder).unwrap();
    let service = json!(format!("db-{EVIL}"));
    std::fs::write(folder.join("compose.yaml"), format!("services:\n  {service}:\n    image: x\n")).unwrap();
    let hostile = Hostile::start(&engine, folder.to_str().unwrap());
    let capture = user.file("capture.json");

    let (_, scan) = user.json("scan", &["scan", "--engine", &engine.endpoint, "--capture", &capture]);
    let container = one(list(&scan, "containers"), "name", &hostile.name);
    assert_eq!(container["compose"]["project"], EVIL, "JSON keeps what the engine said");
    assert_eq!(container["execution"], "emulated");
    let pin = finding(&scan, "pin-missing", &format!("{EVIL}/db-{EVIL}"));
    assert!(text(&pin["subject"], "path").starts_with(folder.to_str().unwrap()));

    let captured = std::fs::read_to_string(&capture).unwrap();
    assert!(!captured.contains("hunter2") && !scan.to_string().contains("hunter2"), "no secret is kept");

    let screen = user.run(&["scan", "--from", &capture]);
    let preview = user.run(&["fix", text(pin, "id"), "--engine", &engine.endpoint]);
    let reports = ["html", "markdown"].map(|format| user.run(&["report", "--from", &capture, "--format", format]));
    for ran in [&screen, &preview, &reports[0], &reports[1]] {
        assert_eq!(ran.status, 0, "{ran:?}");
        let control = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        let bad: Vec<char> = ran.out.chars().chain(ran.err.chars()).filter(|c| control(*c)).collect();
        assert!(bad.is_empty(), "{bad:?} in {}", ran.out);
        assert!(ran.out.contains("alert(1)"), "it is shown, harmless: {}", ran.out);
    }
    assert!(!reports[0].out.contains("<script>alert"), "never markup");
    assert!(!screen.out.contains("\nline two"), "a name cannot begin a line of its own");
}

#[test]
fn the_docker_command_finds_its_plugin() {
    let Some(engine) = engines("the plugin under a real Docker client").into_iter().next() else { return };
    let _alone = engine.project();
    let user = User::new();
    let plugins = user.home().join(".docker/cli-plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_silidock"), plugins.join("docker-silidock")).unwrap();
    let mut command = engine.client(&["silidock", "scan", "--json"]);
    command.env("HOME", user.home()).env("DOCKER_CONFIG", user.home().join(".docker"));
    let ran = ran(command);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.document("scan")["engine"]["endpoint"], engine.endpoint.as_str());
}
