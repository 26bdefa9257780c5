//! The numbers of benchmarks beside those of tools that know nothing of this program: Debian's `sysbench cpu` and
//! `openssl speed`, of both architectures, in the same engine at the same time. Needs the file that `SILIDOCK_LAB` names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]
#![allow(clippy::print_stderr, reason = "what was measured")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::{Home, Lab, engines, shared};
use silidock_diagnosis::bench::{Mode, NATIVE};
use silidock_diagnosis::statistics::median;
use silidock_measure::{Plan, Progress, bench};
use tokio::sync::watch;

/// Other programs do other work of the same kind; an emulator's share of native speed is of this order all the same.
const TOLERANCE: f64 = 3.0;

const ROUNDS: usize = 3;

/// What a tool prints as its speed, as a number.
type Reads = fn(&str) -> Option<f64>;

struct Tool {
    /// Workloads of ours between whose ratios the tool's is to be, the slower one under emulation first.
    between: [&'static str; 2],
    command: &'static [&'static str],
    reads: Reads,
}

const TOOLS: [Tool; 2] = [
    Tool {
        // Divisions of whole numbers, and with each a conversion to floating point and a comparison.
        between: ["float", "integer"],
        command: &["sysbench", "cpu", "--cpu-max-prime=2000", "--time=1", "--threads=1", "run"],
        reads: |output| {
            let line = output.lines().find(|line| line.contains("events per second:"))?;
            line.rsplit(' ').next()?.parse().ok()
        },
    },
    Tool {
        between: ["hash-hardware", "hash-hardware"],
        command: &["openssl", "speed", "-seconds", "1", "-bytes", "16384", "-evp", "sha256"],
        // `sha256  1234567.89k`, in thousands of bytes per second.
        reads: |output| {
            let line = output.lines().rfind(|line| line.to_lowercase().starts_with("sha256"))?;
            line.split_whitespace().last()?.strip_suffix('k')?.parse().ok()
        },
    },
];

#[test]
fn ratios_are_of_the_order_that_other_tools_find() {
    let _unchanged = shared();
    let Some(lab) = engines().into_iter().find(|lab| lab.name == "v28") else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lab/tools.sh");
    let loaded = Command::new(script).args(["load", "v28"]).output().unwrap();
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    let ours = ours(&lab);
    for tool in TOOLS {
        let name = tool.command[0];
        let speed = |arch: &str| {
            let platform = format!("linux/{arch}");
            let image = format!("silidock-lab/tools:{arch}");
            let start = ["run", "--rm", "--network", "none", "--platform", &platform, &image];
            let output = lab.docker(&[&start, tool.command].concat());
            (tool.reads)(&output).unwrap_or_else(|| panic!("{name}: {output}"))
        };
        let rounds = (0..ROUNDS).map(|_| (speed(&lab.native), speed(&lab.foreign)));
        let (native, foreign): (Vec<f64>, Vec<f64>) = rounds.unzip();
        let theirs = median(&foreign).unwrap() / median(&native).unwrap();
        let [low, high] = tool.between.map(|id| ours[id]);
        eprintln!("emulated/native: {theirs:.3} by {name}, here {:?} {low:.3} to {high:.3}", tool.between);
        assert!(low / TOLERANCE < theirs && theirs < high * TOLERANCE, "{name}: {theirs:.3}, {low:.3} to {high:.3}");
    }
}

/// The same by our own workloads.
fn ours(lab: &Lab) -> BTreeMap<&'static str, f64> {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let home = Home::new();
        let run = home.open();
        let ids = ["float", "integer", "hash-hardware"];
        let plan = Plan { workloads: ids.map(str::to_owned).to_vec(), ..Plan::new(Mode::Quick, 7, 2) };
        let (_go_on, stop) = watch::channel(false);
        let measured = bench(&lab.engine().await, &run, plan, stop, |_: Progress| {}).await.unwrap();
        assert!(run.settled(Duration::from_secs(60)).await);
        let ratio = |id: &'static str| {
            let middle = |lane: &str| {
                let found = measured.series.iter().find(|series| series.workload == id && series.lane == lane);
                median(&found.unwrap().samples).unwrap()
            };
            (id, middle("qemu") / middle(NATIVE))
        };
        ids.map(ratio).into()
    })
}
