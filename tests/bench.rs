//! Benchmarks by the command line on a real engine: run, kept, compared, exported, and what they mean for a scan.
//! That the numbers are right is the tests' of `measure` and `diagnosis`; here it is the way they take.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod common;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use common::{
    User,
    lab::{Lab, engines},
    list, one, text,
};

/// What this user's installation has on the engine; others may be at work there.
fn left(user: &User, engine: &Lab) -> Vec<String> {
    let id = std::fs::read_to_string(user.home().with_file_name("data").join("installation")).unwrap();
    let owned = |list: &[&str]| {
        let labels = ["--filter", "label=dev.silidock.owner", "--format", "{{.Labels}}"];
        engine.docker(&[list, &labels].concat())
    };
    let lists = [owned(&["ps", "--all"]), owned(&["volume", "ls"]), owned(&["network", "ls"])].join("\n");
    lists.lines().filter(|labels| labels.contains(id.trim())).map(str::to_owned).collect()
}

fn engine() -> Option<Lab> {
    engines("benchmarks").into_iter().find(|engine| engine.name == "v28")
}

#[test]
fn a_run_is_kept_compared_exported_and_means_something() {
    let Some(engine) = engine() else { return };
    let user = User::new();
    let words =
        ["bench", "--engine", &engine.endpoint, "--quick", "--workloads", "integer,hash,interpreter,system-calls"];
    let (status, first) = user.json("bench", &words);
    assert_eq!((status, left(&user, &engine)), (0, Vec::new()), "nothing of ours is left");
    let qemu = one(list(&first, "lanes"), "name", "qemu");
    assert_eq!(text(qemu, "platform"), engine.foreign);
    assert!(!list(qemu, "evidence").is_empty(), "{qemu}");
    let results = list(&first, "results");
    let of = |lane: &'static str| results.iter().filter(move |r| r["lane"] == lane);
    assert_eq!((of("native").count(), of("qemu").count()), (4, 4), "{}", first["warnings"]);
    assert!(of("qemu").all(|r| r["ratio"]["median"].as_f64().is_some_and(|ratio| ratio > 0.0)), "{results:?}");
    assert!(results.iter().all(|r| list(r, "samples").len() >= 5));

    let (_, second) = user.json("bench", &[&words[..], &["--seed", "7"]].concat());
    assert_eq!(second["seed"], 7);
    let (one_id, two_id) = (text(&first, "id"), text(&second, "id"));
    let (_, compared) = user.json("bench-comparison", &["bench", "--compare", one_id, two_id]);
    assert_eq!((compared["comparable"].as_bool(), list(&compared, "rows").len()), (Some(true), 8), "{compared}");

    let nobody = user.run(&["bench", "--engine", &engine.endpoint, "--quick", "--lanes", "bogus"]);
    assert!(nobody.status == 2 && nobody.err.contains("There is no lane bogus"), "{nobody:?}");

    // What runs emulated there can now be put in numbers.
    let (_, scan) = user.json("scan", &["scan", "--engine", &engine.endpoint, "--cpu"]);
    assert_eq!(scan["benchmark"]["run"]["id"], second["id"], "{}", scan["benchmark"]);
    let measured = list(&scan, "findings").iter().filter(|f| f["confidence"] == "measured").count();
    assert!(measured > 0, "{}", scan["findings"]);

    for (format, holds) in
        [("html", "<svg"), ("markdown", "| Workload |"), ("csv", "workload,lane"), ("json", "silidock/1")]
    {
        let file = user.file(format);
        let ran = user.run(&["bench", "--show", one_id, "-o", &file, "--format", format, "--redact"]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        assert!(std::fs::read_to_string(&file).unwrap().contains(holds), "{format}");
    }

    let (_, history) = user.json("bench-history", &["bench", "--delete", one_id]);
    assert_eq!(list(&history, "runs").len(), 1);
    assert_eq!(user.run(&["bench", "--show", one_id]).status, 2);
}

#[test]
fn interrupted_it_leaves_nothing() {
    let Some(engine) = engine() else { return };
    let user = User::new();
    let mut command = user.command(&["bench", "--engine", &engine.endpoint, "--workloads", "integer"]);
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(running.stderr.take().unwrap()).lines();
    let seen = lines.map(Result::unwrap).find(|line| line.contains("measuring")).expect("it measures");
    assert!(seen.contains('%'), "{seen}");
    let id = running.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(running.wait().unwrap().code(), Some(130));
    assert_eq!(left(&user, &engine), Vec::<String>::new(), "nothing of ours is left");
}

#[test]
fn what_cannot_be_measured_is_refused_before_anything_starts() {
    let user = User::new();
    for (arguments, says) in [
        (&["bench", "--workloads", "tables"][..], "There is no workload tables"),
        (&["bench", "--show", "latest"], "No benchmark is kept yet"),
        (&["bench", "--compare", "a", "b"], "There is no benchmark a"),
        (&["bench", "--delete", "../installation"], "is no name of a benchmark"),
    ] {
        let ran = user.run(arguments);
        assert_eq!(ran.status, 2, "{arguments:?}");
        assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
    }
    assert!(user.run(&["bench", "--list"]).out.contains("memory-latency"));
    assert!(user.run(&["bench", "--history"]).out.contains("Nothing was measured so far"));
}
