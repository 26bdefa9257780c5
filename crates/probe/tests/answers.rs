//! The program itself, run on this machine. What it says on real engines is tested by `measure`.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::path::Path;
use std::process::{Command, Output};

use silidock_probe::{Answer, Cpu, Ended, SCHEMA, Seen, built_for};

fn probe(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_silidock-probe")).args(arguments).output().unwrap()
}

#[test]
fn it_answers_with_one_line_of_json() {
    let output = probe(&["identify", "own"]);
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1);
    let answer: Answer = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((answer.schema.as_str(), answer.built_for.as_str()), (SCHEMA, built_for()));
    assert_eq!(answer.stubs, []);
    match answer.cpu {
        Cpu::X86(cpu) => assert!(!cpu.vendor.is_empty() && (1..=4).contains(&cpu.level), "{cpu:?}"),
        Cpu::Arm(cpu) => assert!(cpu.features.iter().any(|name| name == "asimd"), "{cpu:?}"),
        Cpu::Other => {}
    }
}

#[test]
fn a_program_of_its_own_platform_runs_natively() {
    let output = probe(&["identify"]);
    let answer: Answer = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer.stubs.len(), silidock_probe::elf::MACHINES.len());
    // Elsewhere there is no ELF to run; the answer is whole all the same.
    if Path::new("/proc/self/exe").exists() {
        let own = answer.stubs.iter().find(|stub| stub.platform == format!("linux/{}", built_for())).unwrap();
        assert_eq!(own.seen, Seen::Native { ended: Ended::Well });
    }
}

#[test]
fn anything_else_is_misuse() {
    for arguments in [&[][..], &["scan"], &["identify", "everything"], &["identify", "own", "more"]] {
        let output = probe(arguments);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        assert!(output.stdout.is_empty() && output.stderr.starts_with(b"usage:"));
    }
}
