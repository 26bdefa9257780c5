//! The command line without a real engine: exit statuses, choice of the engine, failures in words and as documents,
//! the sample's round trip, the plugin. Every document is held against its published schema.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod common;

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Stdio},
};

use common::{
    User, finding, fired, list, one, ran,
    scripted::{container, image, mac, put},
    text,
};
use serde_json::{Value, json};
use silidock_testkit::{Answer, ScriptedEngine};

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_status_says_what_was_found() {
    let user = User::new();
    let engine = mac().await;
    let status = |more: &[&str]| user.run(&[&["scan", "--engine", engine.address()], more].concat()).status;
    assert_eq!(status(&["--fail-on", "note"]), 0, "an engine with nothing on it");
    assert_eq!(status(&["--fail-on-gaps"]), 1, "which emulator runs was not proven yet");
    put(&engine, &[image("db:1", &[("linux/amd64", true)])], &[container("db", "db:1", "linux/amd64")]);
    let table: [(&[&str], i32); 5] = [
        (&[], 0),
        (&["--fail-on", "broken"], 0),
        (&["--fail-on", "slow"], 1),
        (&["--fail-on", "note"], 1),
        (&["--fail-on", "slow", "--json"], 1),
    ];
    for (more, expected) in table {
        assert_eq!(status(more), expected, "an emulated container: {more:?}");
    }
    engine.answer("/images/json", Answer::Error { status: 500, message: "the store is locked".to_owned() });
    assert_eq!(status(&[]), 0, "a list that cannot be read is a gap");
    for wrong in
        [&["scan", "--fail-on", "all"][..], &["fix"], &["scan", "--from", "x", "--sample"], &["fix", "x", "--yes"]]
    {
        assert_eq!(user.run(wrong).status, 2, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_it_at_once() {
    let user = User::new();
    let engine = ScriptedEngine::blank().await.unwrap();
    engine.answer("/version", Answer::Silent);
    let mut child = user.command(&["scan", "--engine", engine.address()]).stdout(Stdio::null()).spawn().unwrap();
    engine.asked("/version", 1).await;
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// What a scan fails with, as text and as a document.
fn fails(user: &User, environment: &[(&str, &str)], arguments: &[&str]) -> Value {
    let with = |more: &[&str]| {
        let mut command = user.command(&[arguments, more].concat());
        command.envs(environment.iter().copied());
        ran(command)
    };
    let plain = with(&[]);
    assert_eq!((plain.status, plain.out.as_str()), (2, ""), "{plain:?}");
    let ran = with(&["--json"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    let failure = ran.document("failure")["failure"].clone();
    assert!(plain.err.contains(text(&failure, "message")), "{plain:?}");
    for line in list(&failure, "detail").iter().chain(Some(&failure["hint"])).filter_map(Value::as_str) {
        assert!(plain.err.contains(line), "{line} is missing in {plain:?}");
    }
    failure
}

#[test]
fn without_an_engine_it_says_where_it_looked() {
    let user = User::new();
    if Path::new("/var/run/docker.sock").exists() || Path::new("/run/podman/podman.sock").exists() {
        eprintln!("SKIPPED: this machine has an engine in a place that no variable moves");
        return;
    }
    let failure = fails(&user, &[], &["scan"]);
    assert_eq!(failure["code"], "noEngine");
    let looked = failure["detail"].to_string();
    for place in
        ["/var/run/docker.sock", ".orbstack/run/docker.sock", ".colima", ".docker/run/docker.sock", ".rd/docker.sock"]
    {
        assert!(looked.contains(place), "{place} is missing: {looked}");
    }
    assert!(text(&failure, "hint").contains("--engine"), "{failure}");
    let (_, engines) = user.json("engines", &["engines"]);
    assert!(list(&engines, "engines").iter().all(|e| e["present"] == false && e["current"] == false), "{engines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_cannot_be_used_is_told_in_its_own_words() {
    let user = User::new();
    let stopped = ScriptedEngine::start("1.51").await.unwrap();
    stopped.stop().await;
    let old = ScriptedEngine::blank().await.unwrap();
    old.answer_version("1.30", "1.12");
    let other = ScriptedEngine::blank().await.unwrap();
    other.answer("/version", Answer::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()));
    let cut = ScriptedEngine::blank().await.unwrap();
    cut.answer("/version", Answer::HangUp);
    let missing = format!("unix://{}", user.file("none.sock"));
    let table = [
        (missing.as_str(), "no engine socket"),
        (stopped.address(), "refused"),
        (old.address(), "too old"),
        (other.address(), "not as a Docker engine"),
        (cut.address(), "went away"),
        ("ftp://somewhere", "ftp"),
        ("no-such-context", "no-such-context"),
    ];
    for (address, words) in table {
        let failure = fails(&user, &[], &["scan", "--engine", address]);
        assert_eq!(failure["code"], "engine", "{address}");
        assert!(text(&failure, "message").contains(words), "{address}: {failure}");
        assert!(text(&failure, "hint").ends_with('.'), "{address}: {failure}");
    }
}

/// A Docker context for an engine, below a Docker configuration folder.
fn context(config: &Path, name: &str, folder: &str, endpoint: &str) {
    let meta = config.join("contexts/meta").join(folder);
    std::fs::create_dir_all(&meta).unwrap();
    let document = json!({ "Name": name, "Metadata": {}, "Endpoints": { "docker": { "Host": endpoint, "SkipTLSVerify": false } } });
    std::fs::write(meta.join("meta.json"), document.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_is_chosen_as_docker_does() {
    let user = User::new();
    let engines = [mac().await, mac().await, mac().await];
    let [alpha, beta, gamma] = engines.each_ref().map(|engine| engine.address().to_owned());
    let config = user.home().join("docker-config");
    // Docker names a context's folder after the SHA-256 of its name.
    context(&config, "alpha", "8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8", &alpha);
    context(&config, "beta", "f44e64e75f3948e9f73f8dfa94721c4ce8cbb4f265c4790c702b2d41cfbf2753", &beta);
    std::fs::write(config.join("config.json"), r#"{"currentContext": "alpha"}"#).unwrap();
    let chosen = |environment: &[(&str, &str)], arguments: &[&str]| {
        let mut command = user.command(&[&["scan", "--json"], arguments].concat());
        command.env("DOCKER_CONFIG", &config).envs(environment.iter().copied());
        let ran = ran(command);
        assert_eq!(ran.status, 0, "{ran:?}");
        let engine = ran.document("scan")["engine"].clone();
        (text(&engine, "endpoint").to_owned(), engine["context"].clone(), text(&engine, "chosenBy").to_owned())
    };
    let (host, current) = (("DOCKER_HOST", gamma.as_str()), ("DOCKER_CONTEXT", "beta"));
    let none = Value::Null;
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str, Value, &'a str);
    let table: [Case<'_>; 6] = [
        (&[], &[], &alpha, json!("alpha"), "current"),
        (&[current], &[], &beta, json!("beta"), "DOCKER_CONTEXT"),
        (&[host], &[], &gamma, none.clone(), "DOCKER_HOST"),
        (&[host, current], &[], &gamma, none.clone(), "DOCKER_HOST"),
        (&[host, current], &["--engine", "alpha"], &alpha, json!("alpha"), "alpha"),
        (&[current], &["--engine", &gamma], &gamma, none, &gamma),
    ];
    for (environment, arguments, endpoint, context, why) in table {
        let (seen, named, by) = chosen(environment, arguments);
        assert_eq!((seen.as_str(), &named), (endpoint, &context), "{environment:?} {arguments:?}");
        assert!(by.contains(why), "{environment:?} {arguments:?}: {by}");
    }
    for broken in [("DOCKER_HOST", "unix:///nowhere.sock"), ("DOCKER_CONTEXT", "gone")] {
        let config = ("DOCKER_CONFIG", config.to_str().unwrap());
        let failure = fails(&user, &[config, broken], &["scan"]);
        assert_eq!(failure["code"], "engine", "a broken choice is no reason to take another engine: {failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_engine_is_looked_at_and_one_that_fails_hides_no_other() {
    let user = User::new();
    let engines = [mac().await, mac().await];
    put(&engines[0], &[image("db:1", &[("linux/amd64", true)])], &[container("db", "db:1", "linux/amd64")]);
    let stopped = ScriptedEngine::start("1.51").await.unwrap();
    stopped.stop().await;
    let config = user.home().join("docker-config");
    context(&config, "alpha", "8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8", engines[0].address());
    context(&config, "beta", "f44e64e75f3948e9f73f8dfa94721c4ce8cbb4f265c4790c702b2d41cfbf2753", engines[1].address());
    let run = |host: &str, more: &[&str]| {
        let mut command = user.command(&[&["scan", "--all-engines"], more].concat());
        command.env("DOCKER_CONFIG", &config).env("DOCKER_HOST", host);
        ran(command)
    };
    // A TCP address is taken to be there until somebody connects.
    let dead = "tcp://127.0.0.1:1";
    let all = run(dead, &["--json"]);
    assert_eq!(all.status, 0, "{all:?}");
    let document = all.document("all-engines");
    let seen: Vec<&str> = list(&document, "engines").iter().map(|scan| text(&scan["engine"], "endpoint")).collect();
    assert_eq!(seen, [engines[0].address(), engines[1].address()]);
    let failed = one(list(&document, "failed"), "endpoint", dead);
    assert!(text(&failed["failure"], "message").contains("refused"), "{failed}");
    let plain = run(dead, &[]);
    for words in ["=== Docker Desktop", "1 of 1 container", "could not be looked at", dead] {
        assert!(plain.out.contains(words), "{words}: {plain:?}");
    }
    for (host, more, status) in [
        (dead, &["--fail-on", "slow"][..], 1),
        (dead, &["--fail-on-gaps"], 1),
        (engines[0].address(), &["--fail-on", "broken"], 0),
        (dead, &["--engine", "alpha"], 2),
    ] {
        assert_eq!(run(host, more).status, status, "{host} {more:?}");
    }
    std::fs::remove_dir_all(&config).unwrap();
    std::fs::create_dir_all(&config).unwrap();
    assert_eq!(run(dead, &["--json"]).document("all-engines")["engines"], json!([]));
    assert_eq!(run(dead, &[]).status, 2, "nothing was looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_answers_nonsense_costs_only_what_it_answers_so() {
    let user = User::new();
    let engine = mac().await;
    let good = [container("db", "db:1", "linux/amd64"), container("web", "web:1", "linux/arm64")];
    let images = [image("db:1", &[("linux/amd64", true)]), image("web:1", &[("linux/arm64", true)])];
    let bad = [
        Answer::Json(json!("text")),
        Answer::Body { status: 200, body: b"<html>".to_vec() },
        Answer::Error { status: 500, message: "boom \u{1b}[31m".to_owned() },
        Answer::Cut { sent: b"[{\"Id\"".to_vec(), promised: 9000 },
        Answer::HangUp,
    ];
    for (path, part, seen) in [("/images/json", "images", 0), ("/containers/json", "containers", 0)] {
        for answer in &bad {
            put(&engine, &images, &good);
            engine.answer(path, answer.clone());
            let (status, scan) = user.json("scan", &["scan", "--engine", engine.address()]);
            assert_eq!(status, 0, "{path} {answer:?}");
            assert_eq!(scan["coverage"][part], json!({ "seen": seen, "total": 0, "listed": false }), "{answer:?}");
            assert_ne!(scan["notJudged"], json!([]), "{path} {answer:?}");
            let other = if part == "images" { "containers" } else { "images" };
            assert_eq!(list(&scan, other).len(), 2, "the other list is kept: {path} {answer:?}");
            assert!(!text(&scan["verdict"], "headline").to_lowercase().contains("nothing runs emulated"), "{scan}");
        }
    }
    put(&engine, &images, &good);
    engine.answer(&format!("/containers/{}/top", good[0].id()), Answer::Json(json!({ "Titles": ["UID"] })));
    let (_, scan) = user.json("scan", &["scan", "--engine", engine.address()]);
    let db = one(list(&scan, "containers"), "name", "db");
    assert_eq!((text(db, "expected"), text(db, "execution")), ("emulated", "unknown"), "expected, but not seen");
    assert_eq!(one(list(&scan, "containers"), "name", "web")["execution"], "native");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_images_are_listed() {
    let user = User::new();
    let engine = mac().await;
    let tag = |n: usize| format!("acme/app-{n:04}:1");
    let mut images: Vec<Value> =
        (0..997).map(|n| image(&tag(n), &[("linux/arm64", true), ("linux/amd64", false)])).collect();
    images.extend([
        image("odd:1", &[("unknown/unknown", true), ("linux/arm64", true)]),
        image("odd:2", &[("/", true)]),
        json!({}),
    ]);
    let containers: Vec<_> = (0..200).map(|n| container(&format!("app-{n}"), &tag(n), "linux/arm64")).collect();
    put(&engine, &images, &containers);
    let (status, scan) = user.json("scan", &["scan", "--engine", engine.address()]);
    assert_eq!(status, 0);
    assert_eq!(scan["coverage"]["images"], json!({ "seen": 998, "total": 1000, "listed": true }));
    assert_eq!(scan["coverage"]["containers"], json!({ "seen": 200, "total": 200, "listed": true }));
    assert_eq!(
        list(&scan["coverage"], "gaps").len(),
        2,
        "each image that could not be read is named: {}",
        scan["coverage"]
    );
}

#[test]
fn the_sample_shows_every_check_and_its_fixes_work() {
    let user = User::new();
    let (status, scan) = user.json("scan", &["scan", "--sample"]);
    assert_eq!((status, &scan["sample"]), (0, &Value::Bool(true)));
    let mut found = fired(&scan);
    for other in ["colima", "podman", "lima", "rancher-desktop", "finch"] {
        found.extend(fired(&user.json("scan", &["scan", "--sample", "--engine", other]).1));
    }
    let checks: BTreeSet<String> = found.into_iter().map(|(check, _)| check).collect();
    let (_, catalogue) = user.json("checks", &["checks"]);
    let all: BTreeSet<String> = list(&catalogue, "checks").iter().map(|c| text(c, "id").to_owned()).collect();
    assert_eq!(checks, all);
    assert!(user.run(&["scan", "--sample"]).out.starts_with("SAMPLE"), "marked as sample");
    for format in ["html", "markdown", "json"] {
        let report = user.run(&["report", "--sample", "--format", format]);
        assert!(report.status == 0 && report.out.to_lowercase().contains("sample"), "{format}");
    }

    let (_, fixable) = user.json("fix-list", &["fix", "--list", "--sample"]);
    let changing: Vec<&Value> = list(&fixable, "findings")
        .iter()
        .filter(|f| !f["subject"]["path"].is_null() && list(f, "fixes").iter().any(promises))
        .collect();
    assert!(changing.len() >= 2, "a Compose file and an .env file: {changing:?}");
    for found in changing {
        there_and_back(&user, found);
    }
    let (_, own) = user.json("history", &["history"]);
    assert_eq!(own["receipts"], json!([]), "trying the sample leaves the history alone");
    assert!(user.run(&["history"]).out.contains("Nothing was changed"));
}

/// A fix that its finding goes away with; a pin that says what is emulated anyway promises nothing.
fn promises(fix: &Value) -> bool {
    fix["safety"] == "review" && !fix["promise"].is_null()
}

fn there_and_back(user: &User, found: &Value) {
    let (id, path) = (text(found, "id"), text(&found["subject"], "path"));
    assert!(path.starts_with(user.tmp().to_str().unwrap()), "{path}");
    let before = std::fs::read(path).unwrap();
    let changing = list(found, "fixes").iter().find(|fix| promises(fix)).unwrap();
    let option = changing["option"].to_string();
    let (status, preview) = user.json("preview", &["fix", id, "--option", &option, "--sample"]);
    assert_eq!((status, list(&preview["preview"], "diffs").len()), (0, 1), "{preview}");
    let nobody = user.run(&["fix", id, "--option", &option, "--sample", "--apply"]);
    assert!(nobody.status == 2 && nobody.err.contains("--yes"), "nobody is there to ask: {nobody:?}");
    for several in ["--all-safe", "--list"] {
        let unheeded = user.run(&["fix", several, "--option", &option, "--sample"]);
        assert!(unheeded.status == 2 && unheeded.err.contains("cannot be used with"), "{unheeded:?}");
    }
    assert_eq!(std::fs::read(path).unwrap(), before);

    let (status, change) = user.json("change", &["fix", id, "--option", &option, "--sample", "--apply", "--yes"]);
    assert_eq!((status, text(&change, "verified")), (0, "verified"), "{change}");
    assert_ne!(std::fs::read(path).unwrap(), before);
    let (_, scan) = user.json("scan", &["scan", "--sample"]);
    assert!(list(&scan, "findings").iter().all(|f| f["id"] != id), "it stays fixed");
    let again = user.run(&["fix", id, "--sample", "--apply", "--yes"]);
    assert!(again.status == 2 && again.err.contains(id), "{again:?}");

    let receipt = text(&change, "receipt");
    let (_, history) = user.json("history", &["history", "--sample"]);
    assert_eq!(one(list(&history, "receipts"), "id", receipt)["state"], "applied");
    user.json("undo-preview", &["undo", receipt, "--sample"]);
    let (status, undone) = user.json("change", &["undo", receipt, "--sample", "--apply", "--yes"]);
    assert_eq!((status, text(&undone, "verified")), (0, "verified"), "{undone}");
    assert_eq!(std::fs::read(path).unwrap(), before, "byte for byte");
}

#[test]
fn what_is_not_there_is_told() {
    let user = User::new();
    let (garbage, other) = (user.file("garbage.json"), user.file("other.json"));
    std::fs::write(&garbage, "{ not json").unwrap();
    std::fs::write(&other, r#"{"schema": "silidock/2"}"#).unwrap();
    let capture = format!("{}/none/capture.json", user.tmp().display());
    let table: [(&[&str], &str, &str); 8] = [
        (&["fix", "no-such", "--sample"], "notFound", "no-such"),
        (&["fix", "emulated", "--sample"], "notFound", "could mean"),
        (&["undo", "20200101-000000", "--apply", "--yes"], "notFound", "20200101-000000"),
        (&["checks", "no-such"], "notFound", "no-such"),
        (&["scan", "--from", "/none.json"], "file", "/none.json"),
        (&["scan", "--from", &garbage], "file", "garbage.json"),
        (&["scan", "--from", &other], "file", "silidock/2"),
        (&["scan", "--sample", "--capture", &capture], "file", "capture.json"),
    ];
    for (arguments, code, words) in table {
        let failure = fails(&user, &[], arguments);
        assert_eq!(failure["code"], code, "{arguments:?}: {failure}");
        assert!(failure.to_string().contains(words), "{arguments:?}: {failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redacted_report_hides_who_and_where() {
    let user = User::new();
    let engine = mac().await;
    let folder = user.home().join("work/shop");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("compose.yaml").display().to_string();
    std::fs::write(&file, "services:\n  db:\n    image: registry.acme-internal.example:5000/team/db:1\n").unwrap();
    let tag = "registry.acme-internal.example:5000/team/db:1";
    let db = container("shop-db-1", tag, "linux/amd64").service("shop", "db", folder.to_str().unwrap(), &[file]);
    put(&engine, &[image(tag, &[("linux/amd64", true)])], &[db]);
    let report = |format: &str, redact: &[&str]| {
        let arguments = [&["report", "--engine", engine.address(), "--format", format], redact].concat();
        let mut command = user.command(&arguments);
        command.env("USER", "zoltan-secret").env("LOGNAME", "zoltan-secret");
        let made = ran(command);
        assert_eq!(made.status, 0, "{made:?}");
        made
    };
    let home = user.home().display().to_string();
    for format in ["html", "markdown", "json"] {
        let (open, hidden) = (report(format, &[]), report(format, &["--redact"]));
        for secret in [home.as_str(), "registry.acme-internal.example"] {
            assert!(open.out.contains(secret), "{format}: {secret} is there before");
            assert!(!hidden.out.contains(secret), "{format}: {secret} is hidden");
        }
        assert!(!hidden.out.contains("zoltan-secret"), "{format}");
        assert!(
            hidden.out.contains("pin-missing") || hidden.out.contains("does not say so"),
            "{format}: the rest stays"
        );
    }
    let redacted = report("json", &["--redact"]).document("scan");
    assert_eq!(redacted["redacted"], true);
    assert_eq!(fired(&redacted).into_iter().map(|(c, _)| c).collect::<Vec<_>>(), ["emulated-container", "pin-missing"]);
}

#[test]
fn the_catalogue_and_the_shells_words() {
    let user = User::new();
    let (_, catalogue) = user.json("checks", &["checks"]);
    let screen = user.run(&["checks"]).out;
    for check in list(&catalogue, "checks") {
        let id = text(check, "id");
        assert!(screen.contains(id), "{id}");
        let (_, alone) = user.json("checks", &["checks", id]);
        assert_eq!(alone["checks"], json!([check]), "{id}");
        let explained = user.run(&["checks", id]).out;
        assert!(explained.contains(text(check, "why")) && explained.contains("Fires on"), "{explained}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(user.run(&["completions", shell]).out.contains("silidock"), "{shell}");
    }
    assert!(user.run(&["--version"]).out.starts_with("silidock "));
}

#[test]
fn under_its_plugin_name_it_keeps_the_docker_commands_rules() {
    let user = User::new();
    let plugin = user.tmp().join("docker-silidock");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_silidock"), &plugin).unwrap();
    let run = |arguments: &[&str]| ran(user.command_of(&plugin, arguments));
    let metadata: Value = serde_json::from_str(&run(&["docker-cli-plugin-metadata"]).out).unwrap();
    assert_eq!(metadata["SchemaVersion"], "0.1.0");
    for key in ["Vendor", "Version", "ShortDescription"] {
        assert_ne!(text(&metadata, key), "", "{key}");
    }
    assert_eq!(run(&["silidock", "checks"]).out, user.run(&["checks"]).out);
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let user = User::new();
    for arguments in
        [&["report", "--sample"][..], &["scan", "--sample", "--json"], &["checks"], &["completions", "bash"]]
    {
        let mut command = user.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        let err = String::from_utf8(ended.stderr).unwrap();
        assert_eq!((ended.status.code(), err.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn text_for_people_is_plain_where_nobody_sees_colours() {
    let user = User::new();
    let screen = user.run(&["scan", "--sample"]);
    assert!(!screen.out.contains('\u{1b}') && !screen.err.contains('\u{1b}'), "{screen:?}");
    let (_, scan) = user.json("scan", &["scan", "--sample"]);
    for found in list(&scan, "findings").iter().filter(|f| f["supersededBy"].is_null()) {
        assert!(screen.out.contains(text(found, "title")), "{found}");
        for evidence in list(found, "evidence") {
            assert!(screen.out.contains(text(evidence, "text")), "{evidence}");
        }
    }
    let pin = finding(&scan, "pin-missing", "shop/db");
    assert!(screen.out.contains(&format!("silidock fix {}", text(pin, "id"))), "what to type next");
}
