//! Emulators, and how they show in a process list: the table everything else trusts.
//!
//! The kernel starts a foreign program through a registered interpreter, and the engine's process list shows that
//! interpreter in front of the program. Rules are rows of data; a new emulator is a new row and a new test row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The emulator that showed in front of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct EmulatorSign {
    /// `qemu`, `rosetta`, or another name as found (`fex`, `box64` ...).
    pub emulator: String,
    /// The interpreter as the process list shows it: `/run/rosetta/rosetta`.
    pub interpreter: String,
}

/// One row: how an interpreter's file name gives the emulator away.
struct Row {
    emulator: &'static str,
    matches: fn(name: &str) -> bool,
}

/// Targets that QEMU's user mode is built for. Needed because `qemu-img`, `qemu-ga` and `qemu-system-*` are ordinary programs.
const QEMU_TARGETS: [&str; 30] = [
    "aarch64",
    "aarch64_be",
    "alpha",
    "arm",
    "armeb",
    "hexagon",
    "hppa",
    "i386",
    "loongarch64",
    "m68k",
    "microblaze",
    "microblazeel",
    "mips",
    "mips64",
    "mips64el",
    "mipsel",
    "mipsn32",
    "mipsn32el",
    "or1k",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv32",
    "riscv64",
    "s390x",
    "sh4",
    "sh4eb",
    "sparc",
    "sparc64",
    "x86_64",
];

fn is_qemu(name: &str) -> bool {
    let target = name
        .strip_prefix("qemu-")
        .map(|rest| rest.trim_end_matches("-binfmt-P").trim_end_matches("-binfmt").trim_end_matches("-static"))
        // Debian names the argv[0]-preserving link after the target alone: qemu-binfmt/aarch64-binfmt-P
        .or_else(|| name.strip_suffix("-binfmt-P"));
    target.is_some_and(|t| QEMU_TARGETS.contains(&t)) || matches!(name, "[qemu]" | "[qemu32]")
}

const ROWS: [Row; 5] = [
    Row { emulator: "qemu", matches: is_qemu },
    Row { emulator: "rosetta", matches: |name| matches!(name, "rosetta" | "[rosetta]") },
    Row { emulator: "fex", matches: |name| matches!(name, "FEXInterpreter" | "FEXLoader" | "FEX") },
    Row { emulator: "box64", matches: |name| name == "box64" },
    Row { emulator: "blink", matches: |name| name == "blink" },
];

/// How an emulator's name is written for people.
pub fn display_name(emulator: &str) -> &str {
    match emulator {
        "qemu" => "QEMU",
        "rosetta" => "Rosetta",
        "fex" => "FEX",
        "box64" => "Box64",
        other => other,
    }
}

/// A process line with its arguments dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// The program itself, without the emulator in front of it and without arguments.
    pub program: String,
    /// The emulator in front of it.
    pub emulator: Option<EmulatorSign>,
    /// The engine's own init, which is native in every container.
    pub injected: bool,
}

/// Reads one command line of a process list. Only the interpreter and the program are kept: arguments carry passwords.
pub fn recognise(command_line: &str) -> Recognised {
    let line = strip_comm(command_line.trim());
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let second = words.next();
    let name = first.rsplit('/').next().unwrap_or(first);
    // A kernel thread or a process without a command line shows as "[name]" and nothing behind it.
    let bare_brackets = name.starts_with('[') && second.is_none();
    let row = if bare_brackets { None } else { ROWS.iter().find(|row| (row.matches)(name)) };
    match row {
        Some(row) => Recognised {
            program: second.unwrap_or(name).to_owned(),
            emulator: Some(EmulatorSign { emulator: row.emulator.to_owned(), interpreter: first.to_owned() }),
            injected: false,
        },
        None => Recognised {
            program: title(line, first),
            emulator: None,
            injected: matches!(first, "/sbin/docker-init" | "/dev/init" | "/run/podman-init" | "/.catatonit/catatonit"),
        },
    }
}

/// busybox's `ps` puts `{comm} ` in front of a program whose name is not its file's.
fn strip_comm(line: &str) -> &str {
    match line.strip_prefix('{').and_then(|rest| rest.split_once("} ")) {
        Some((comm, rest)) if comm.len() <= 16 => rest.trim_start(),
        _ => line,
    }
}

/// A program that rewrote its command line keeps its title's first words: "nginx: master process".
fn title(line: &str, first: &str) -> String {
    if first.ends_with(':') { line.split_whitespace().take(3).collect::<Vec<_>>().join(" ") } else { first.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (command line, emulator, program)
    const LINES: &[(&str, Option<&str>, &str)] = &[
        ("/bin/sh -c while :; do sleep 1; done", None, "/bin/sh"),
        ("/usr/bin/qemu-x86_64 /bin/sh /bin/sh -c x", Some("qemu"), "/bin/sh"),
        ("{sh} /usr/bin/qemu-x86_64 /bin/sh /bin/sh", Some("qemu"), "/bin/sh"),
        ("/usr/libexec/qemu-binfmt/aarch64-binfmt-P /bin/busybox sleep 60", Some("qemu"), "/bin/busybox"),
        ("/usr/bin/qemu-aarch64-static /bin/sleep 3", Some("qemu"), "/bin/sleep"),
        ("[qemu] /usr/bin/node node a.js", Some("qemu"), "/usr/bin/node"),
        ("{nginx} /run/rosetta/rosetta /usr/sbin/nginx nginx -g daemon off;", Some("rosetta"), "/usr/sbin/nginx"),
        ("/mnt/lima-rosetta/rosetta /bin/sh", Some("rosetta"), "/bin/sh"),
        ("/mnt/rosetta /bin/sh", Some("rosetta"), "/bin/sh"),
        ("[rosetta] /sbin/init /sbin/init", Some("rosetta"), "/sbin/init"),
        ("/mnt/rv/[rosetta] /sbin/init", Some("rosetta"), "/sbin/init"),
        ("/usr/bin/FEXInterpreter /bin/ls", Some("fex"), "/bin/ls"),
        ("/usr/bin/box64 /opt/game", Some("box64"), "/opt/game"),
        ("nginx: master process nginx -g daemon off;", None, "nginx: master process"),
        ("[kworker/0:1]", None, "[kworker/0:1]"),
        ("[rosetta]", None, "[rosetta]"),
        ("/usr/bin/qemu-img convert a b", None, "/usr/bin/qemu-img"),
        ("qemu-system-aarch64 -M virt", None, "qemu-system-aarch64"),
        ("mysqld --password=secret", None, "mysqld"),
        ("{a long brace that is no comm} x", None, "{a"),
        ("", None, ""),
    ];

    #[test]
    fn every_row_of_the_process_list_is_read() {
        for (line, emulator, program) in LINES {
            let seen = recognise(line);
            assert_eq!(seen.emulator.as_ref().map(|e| e.emulator.as_str()), *emulator, "{line}");
            assert_eq!(seen.program, *program, "{line}");
        }
    }

    #[test]
    fn arguments_are_never_kept() {
        for line in ["mysqld --password=hunter2", "/run/rosetta/rosetta /bin/app app --token hunter2"] {
            assert!(!format!("{:?}", recognise(line)).contains("hunter2"), "{line}");
        }
    }

    #[test]
    fn the_engines_own_init_is_no_evidence() {
        assert!(recognise("/sbin/docker-init -- /bin/app").injected);
        assert!(!recognise("/sbin/init").injected);
    }
}
