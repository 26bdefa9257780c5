//! Small judged runs for tests: an ARM engine, its native lane and QEMU.

use super::{
    Bench, Lane, LaneWay, Limits, Machine, Measured, Mode, NATIVE, PlatformEmulator, Series, Workload,
    judge::{About, judge},
    workload::{offered_by_id, own},
};
use crate::platform::Platform;

fn linux(architecture: &str) -> Platform {
    Platform { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: None }
}

/// Samples within one per cent of a number.
pub fn around(middle: f64) -> Vec<f64> {
    [0.99, 1.0, 1.01, 0.995, 1.005].map(|x| x * middle).to_vec()
}

/// Where the examples ran.
pub fn machine() -> Machine {
    Machine {
        endpoint: "unix:///x".to_owned(),
        runtime: "Docker Engine".to_owned(),
        version: "28.5.1".to_owned(),
        platform: linux("arm64"),
        kernel: Some("6.12.1".to_owned()),
        cpu: None,
        cpus: Some(4),
        memory: Some(8 << 30),
        started: None,
        emulators: vec![PlatformEmulator { platform: linux("amd64"), emulator: "qemu".to_owned(), version: None }],
        host_system: None,
        host_cpu: None,
    }
}

/// What the examples are called.
pub fn about() -> About {
    About {
        id: "run".to_owned(),
        taken_at: "2026-11-20T20:00:00Z".to_owned(),
        seconds: 41.0,
        silidock: "0.1.0".to_owned(),
        mode: Mode::Quick,
        seed: 7,
        machine: machine(),
        limits: Limits { cpus: 2.0, memory: 1 << 30 },
        own: None,
    }
}

/// A lane of the examples' engine.
pub fn lane(name: &str, architecture: &str) -> Lane {
    let emulator = (name != NATIVE).then(|| name.to_owned());
    Lane {
        name: name.to_owned(),
        platform: linux(architecture),
        way: if emulator.is_some() { LaneWay::Registered } else { LaneWay::Native },
        emulator,
        version: None,
        children: true,
        evidence: Vec::new(),
    }
}

/// These series in a native lane and QEMU.
pub fn measured(series: Vec<Series>) -> Measured {
    let mut ids: Vec<&str> = series.iter().map(|s| s.workload.as_str()).collect();
    ids.dedup();
    let workload = |id: &str| offered_by_id(id).map_or_else(|| own("web:1"), super::workload::Offered::workload);
    let workloads: Vec<Workload> = ids.iter().map(|id| workload(id)).collect();
    let lanes = vec![lane(NATIVE, "arm64"), lane("qemu", "amd64")];
    Measured { lanes, workloads, series, ..Measured::default() }
}

/// A run with a native and an emulated number for each workload.
pub fn bench(rows: &[(&str, f64, f64)]) -> Bench {
    let series = rows.iter().flat_map(|(id, native, emulated)| {
        [Series::new(*id, NATIVE, around(*native)), Series::new(*id, "qemu", around(*emulated))]
    });
    judge(about(), measured(series.collect()))
}

/// The same run with Rosetta in QEMU's place.
pub fn rosetta(mut run: Bench) -> Bench {
    let name = |name: &mut String| {
        if name == "qemu" {
            "rosetta".clone_into(name);
        }
    };
    run.machine.emulators.iter_mut().for_each(|e| name(&mut e.emulator));
    for lane in &mut run.lanes {
        name(&mut lane.name);
        lane.emulator.iter_mut().for_each(name);
    }
    run.results.iter_mut().for_each(|result| name(&mut result.lane));
    run.overall.iter_mut().for_each(|overall| name(&mut overall.lane));
    run
}
