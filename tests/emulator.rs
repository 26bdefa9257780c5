//! Which emulator really runs, proven by the program on real engines. Apart from the other tests of engines, because
//! those hold an engine's containers against what was there before.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod common;

use common::{
    User, finding,
    lab::{Lab, on_each},
    list, one, ran, text,
};
use serde_json::{Value, json};

#[test]
fn which_emulator_runs_is_proven_and_remembered() {
    on_each("which emulator runs foreign programs", |engine| {
        let user = User::new();
        // Minutes on that machine; the tests of measure build there with the older builder.
        let builds = engine.name != "arm64";
        let left = || (engine.inventory(), engine.build_cache());
        let before = left();
        let mut command = user.command(&["emulator", "--json", "--engine", &engine.endpoint]);
        if builds {
            let path = std::env::var("PATH").unwrap_or_default();
            command.arg("--builds").env("PATH", format!("{}:{path}", engine.client_folder()));
            command.env("DOCKER_CONFIG", engine.docker_config());
        }
        let crash = Crashed::on(engine);
        let run = ran(command);
        let proof = run.document("emulator");
        crash.is_explained(&proof);
        drop(crash);
        assert_eq!((run.status, text(&proof, "engineArch")), (0, Lab::arch(&engine.native)));
        let (objects, cached) = left();
        assert_eq!(objects, before.0, "nothing of ours is left on {}", engine.name);
        // An engine may throw away old records of its own.
        assert!(cached.is_subset(&before.1), "nothing of ours is cached on {}", engine.name);
        assert_eq!(std::fs::read_dir(user.tmp()).unwrap().count(), 0, "no file of ours is left");
        let target = one(list(&proof, "targets"), "platform", &engine.foreign);
        let effective = &target["effective"];
        assert!(list(effective, "evidence").len() >= 2, "{effective}");
        if engine.ours() {
            assert_eq!(text(effective, "emulator"), "QEMU");
            assert!(text(effective, "version").starts_with(|c: char| c.is_ascii_digit()), "{effective}");
            assert_eq!(list(&proof, "findings").len(), 1, "the lab's handlers work, and one program crashed: {proof}");
            assert_eq!((&target["agrees"], &target["disagreement"]), (&json!(true), &Value::Null));
        }
        if builds {
            assert_eq!(
                (text(&target["builds"], "builder"), &target["builds"]["emulator"]["emulator"]),
                ("BuildKit", &effective["emulator"])
            );
            assert!(list(target, "voices").iter().any(|voice| voice["who"] == "a build (BuildKit)"), "{target}");
        } else {
            assert!(text(&target["builds"]["unknown"], "why").ends_with("--builds"), "{target}");
        }
        if engine.docker(&["network", "ls", "--quiet", "--filter", "name=^bridge$"]).is_empty() {
            return; // an engine without its default network does not tell when it was started
        }
        let (_, scan) = user.json("scan", &["scan", "--engine", &engine.endpoint]);
        assert_eq!(scan["engine"]["emulation"]["effective"]["version"], effective["version"], "remembered");
        let unproven = |n: &&Value| text(&n["gap"], "why").ends_with(": silidock emulator");
        assert_eq!(list(&scan, "notJudged").iter().filter(unproven).count(), 0, "{}", scan["notJudged"]);
    });
}

/// A foreign container whose program fell under the emulator a moment ago; gone with this value.
struct Crashed<'a> {
    engine: &'a Lab,
    name: String,
}

impl<'a> Crashed<'a> {
    fn on(engine: &'a Lab) -> Self {
        let crashed = Self { engine, name: format!("silidock-crash-{}", std::process::id()) };
        let image = format!("silidock-lab/bb:{}", Lab::arch(&engine.foreign));
        let script = "sh -c 'kill -SEGV $$'; exit $?";
        let words = [
            "run",
            "--name",
            &crashed.name,
            "--network",
            "none",
            "--platform",
            &engine.foreign,
            &image,
            "sh",
            "-c",
            script,
        ];
        // A busy engine can lose what a program prints that ends at once, and here that is what matters.
        for _ in 0..3 {
            let ran = engine.client(&words).output().unwrap();
            assert_eq!(ran.status.code(), Some(139), "it fell on {}", engine.name);
            if !ran.stderr.is_empty() {
                return crashed;
            }
            engine.docker(&["rm", &crashed.name]);
        }
        panic!("{} shows nothing of what the emulator prints", engine.name)
    }

    fn is_explained(&self, proof: &Value) {
        let found = finding(proof, "crash-under-emulation", &self.name);
        let seen = found["evidence"].to_string();
        assert!(seen.contains("uncaught target signal 11"), "the line of its log on {}: {found}", self.engine.name);
    }
}

impl Drop for Crashed<'_> {
    fn drop(&mut self) {
        self.engine.docker(&["rm", "--force", &self.name]);
    }
}
