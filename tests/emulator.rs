//! Which emulator really runs, proven by the program on real engines. Apart from the other tests of engines, because
//! those hold an engine's containers against what was there before.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod common;

use common::{
    User,
    lab::{Lab, on_each},
    list, one, text,
};
use serde_json::{Value, json};

#[test]
fn which_emulator_runs_is_proven_and_remembered() {
    on_each("which emulator runs foreign programs", |engine| {
        let user = User::new();
        let before = engine.inventory();
        let (status, proof) = user.json("emulator", &["emulator", "--engine", &engine.endpoint]);
        assert_eq!((status, text(&proof, "engineArch")), (0, Lab::arch(&engine.native)));
        assert_eq!(engine.inventory(), before, "nothing of ours is left on {}", engine.name);
        let target = one(list(&proof, "targets"), "platform", &engine.foreign);
        let effective = &target["effective"];
        assert!(list(effective, "evidence").len() >= 2, "{effective}");
        if engine.ours() {
            assert_eq!(text(effective, "emulator"), "QEMU");
            assert!(text(effective, "version").starts_with(|c: char| c.is_ascii_digit()), "{effective}");
            assert_eq!(proof["findings"], json!([]), "the lab's handlers work");
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
