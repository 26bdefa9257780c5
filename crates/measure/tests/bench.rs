//! Benchmarks on real engines: lanes prove what runs them, both platforms compute the same, and nothing remains, whenever
//! it ends. Whether the numbers are right is tested in `bench_tools`. Needs the file that `SILIDOCK_LAB` names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]
#![allow(clippy::print_stderr, reason = "how long it took")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Handler, Home, Lab, alone, engines, shared, until};
use silidock_diagnosis::bench::judge::{About, judge};
use silidock_diagnosis::bench::{
    Bench, LaneWay, Limits, Machine, Measured, Mode, NATIVE, UnavailableLane, Warning, WarningKind,
};
use silidock_diagnosis::platform::Platform;
use silidock_measure::{Installation, MeasureError, Own, OwnBuild, Plan, Progress, Qemu, Stage, bench};
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(60);

/// Some workloads, quickly.
fn some(workloads: &[&str]) -> Plan {
    Plan {
        workloads: workloads.iter().map(|id| (*id).to_owned()).collect(),
        sample: Duration::from_millis(20),
        ..Plan::new(Mode::Quick, 7, 2)
    }
}

fn lab(name: &str) -> Option<Lab> {
    engines().into_iter().find(|lab| lab.name == name)
}

/// With the engines as they are.
fn on(name: &str, test: impl AsyncFnOnce(&Lab, &Installation)) {
    let _unchanged = shared();
    begun(name, test);
}

/// The same without others beside it, which take time.
fn on_alone(name: &str, test: impl AsyncFnOnce(&Lab, &Installation)) {
    let _alone = alone();
    begun(name, test);
}

fn begun(name: &str, test: impl AsyncFnOnce(&Lab, &Installation)) {
    let Some(lab) = lab(name) else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let home = Home::new();
        let run = home.open();
        test(&lab, &run).await;
        assert!(run.settled(PATIENCE).await);
        assert_eq!(lab.traces(&run), BTreeSet::new(), "{name}");
    });
}

async fn try_measure(lab: &Lab, run: &Installation, plan: Plan) -> Result<Measured, MeasureError> {
    let (_go_on, stop) = watch::channel(false);
    bench(&lab.engine().await, run, plan, stop, |_: Progress| {}).await
}

async fn measure(lab: &Lab, run: &Installation, plan: Plan) -> Measured {
    try_measure(lab, run, plan).await.unwrap()
}

fn judged(measured: Measured) -> Bench {
    let machine = Machine {
        endpoint: String::new(),
        runtime: String::new(),
        version: String::new(),
        platform: Platform::linux("amd64").unwrap(),
        kernel: None,
        cpu: None,
        cpus: Some(2),
        memory: None,
        started: None,
        emulators: Vec::new(),
        host_system: None,
        host_cpu: None,
    };
    let about = About {
        id: String::new(),
        taken_at: String::new(),
        seconds: 1.0,
        own: None,
        silidock: String::new(),
        mode: Mode::Quick,
        seed: 7,
        machine,
        limits: Limits { cpus: 2.0, memory: 1 },
    };
    judge(about, measured)
}

fn names(measured: &Measured) -> Vec<(&str, LaneWay)> {
    measured.lanes.iter().map(|lane| (lane.name.as_str(), lane.way)).collect()
}

fn series<'a>(measured: &'a Measured, workload: &str, lane: &str) -> &'a [f64] {
    let found = measured.series.iter().find(|series| series.workload == workload && series.lane == lane);
    found.map_or(&[], |series| &series.samples)
}

#[test]
fn a_full_quick_run_proves_its_lanes_and_takes_less_than_a_minute() {
    on_alone("v28", async |lab, run| {
        let begun = Instant::now();
        let plan = Plan::new(Mode::Quick, 7, 2);
        let workloads = plan.workloads.clone();
        let measured = measure(lab, run, plan).await;
        let took = begun.elapsed();
        eprintln!("a full quick run took {:.1} s", took.as_secs_f32());
        assert!(took < Duration::from_secs(60), "{took:?}");
        assert_eq!(names(&measured), [(NATIVE, LaneWay::Native), ("qemu", LaneWay::Registered)]);
        let qemu = &measured.lanes[1];
        assert_eq!((qemu.platform.architecture.as_str(), qemu.children), (lab.foreign.as_str(), true));
        assert!(qemu.version.as_ref().is_some_and(|version| version.split('.').count() == 3), "{qemu:?}");
        let evidence: Vec<&str> = qemu.evidence.iter().map(|evidence| evidence.text.as_str()).collect();
        for expected in ["QEMU's own", "qemu-aarch64 version", "/proc/PID/exe"] {
            assert!(evidence.iter().any(|text| text.contains(expected)), "{expected}: {evidence:?}");
        }
        assert!(measured.lanes[0].evidence[0].text.contains("without an emulator"), "{:?}", measured.lanes[0]);
        assert_eq!(measured.unavailable, []);
        for id in &workloads {
            let lanes: Vec<_> = measured.series.iter().filter(|series| series.workload == *id).collect();
            assert_eq!(lanes.len(), 2, "{id}: {:?}", measured.warnings);
            assert!(lanes[0].checksum.is_some() && lanes[0].checksum == lanes[1].checksum, "{id}");
            assert!(lanes.iter().all(|series| series.samples.len() >= 5), "{id}: {lanes:?}");
        }
        let blocks = |lane| measured.series.iter().find(|s| s.workload == "spawn" && s.lane == lane).unwrap().blocks;
        assert!(blocks("qemu") < blocks(NATIVE), "a slow lane does less");
        assert!(measured.conditions.iter().all(|moment| moment.engine.as_ref().unwrap().load.is_some()));
        assert!(!measured.cut_short);
        let bench = judged(measured);
        let ratio = bench.result("interpreter", "qemu").unwrap().ratio.unwrap();
        assert!(ratio.median < 0.7, "{ratio:?}");
        let overhead = bench.result("empty", "qemu").unwrap();
        eprintln!("an empty block takes {:.1} ns under QEMU", 1e9 / overhead.median);
        assert!(overhead.median > 1e6, "more than a microsecond of overhead per block: {overhead:?}");
    });
}

#[test]
fn files_connections_and_volumes_work_on_old_and_new_engines() {
    for name in ["v20", "v28-overlay2"] {
        on(name, async |lab, run| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
            let workloads = ["files", "files-volume", "files-bind", "tcp-between"];
            let plan = Plan { bind: Some(folder.path().to_owned()), ..some(&workloads) };
            let measured = measure(lab, run, plan).await;
            for id in workloads {
                for lane in [NATIVE, "qemu"] {
                    assert!(series(&measured, id, lane).len() >= 5, "{name} {id} {lane}: {:?}", measured.warnings);
                }
            }
            let nowhere = Plan { bind: Some("/nowhere/at/all".into()), ..some(&["files-bind", "empty"]) };
            let measured = measure(lab, run, nowhere).await;
            assert_eq!(series(&measured, "files-bind", NATIVE), [0.0; 0]);
            assert!(series(&measured, "empty", NATIVE).len() >= 5);
            assert!(measured.warnings.iter().any(|warning| warning.text.contains("shared with the engine")));
        });
    }
}

#[test]
fn two_runs_agree() {
    on_alone("v28", async |lab, run| {
        let plan = Plan { sample: Duration::from_millis(60), ..some(&["integer", "hash", "simd"]) };
        let first = judged(measure(lab, run, plan.clone()).await);
        let second = judged(measure(lab, run, Plan { seed: 8, ..plan }).await);
        for id in ["integer", "hash", "simd"] {
            let [one, other] = [&first, &second].map(|bench| bench.result(id, "qemu").unwrap().ratio.unwrap());
            eprintln!("{id}: {one:?} {other:?}");
            // What drifts between two runs is in neither's interval.
            let apart = one.median / other.median;
            assert!((0.5..2.0).contains(&apart) && one.low.is_some() && other.low.is_some(), "{id}: {one:?} {other:?}");
        }
    });
}

#[test]
fn an_emulator_out_of_an_image_is_a_lane_of_its_own() {
    on("v28", async |lab, run| {
        // As the usual images of emulators are: one static program.
        let tree = Path::new(&std::env::var("SILIDOCK_LAB").unwrap()).with_file_name("bookworm-amd64");
        let program = tree.join("usr/bin/qemu-aarch64-static");
        let image = format!("bench-qemu:{}", run.run());
        lab.import(&program, "usr/bin/qemu-aarch64", &image);
        let lanes = |image: &str| Plan {
            lanes: Some(vec!["qemu-direct".to_owned()]),
            qemu: Qemu { image: Some(image.to_owned()), pull: false },
            ..some(&["integer"])
        };
        let measured = measure(lab, run, lanes(&image)).await;
        lab.docker(&["rmi", &image]);
        let expected = [(NATIVE, LaneWay::Native), ("qemu-direct", LaneWay::Direct)];
        assert_eq!(names(&measured), expected, "{:?}", measured.unavailable);
        let evidence = &measured.lanes[1].evidence;
        assert!(evidence.iter().any(|evidence| evidence.text.contains("/silidock-qemu")), "{evidence:?}");
        assert!(series(&measured, "integer", "qemu-direct").len() >= 5);

        let absent = measure(lab, run, lanes("silidock-lab/nowhere:1")).await;
        let told =
            |lane: &UnavailableLane| lane.name == "qemu-direct" && lane.why.contains("pulling it was not asked for");
        assert!(absent.unavailable.iter().any(told), "{:?}", absent.unavailable);
    });
}

#[test]
fn an_emulator_can_be_started_without_being_registered() {
    let _alone = alone();
    let Some(lab) = lab("arm64") else { return };
    let handler = Handler;
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let home = Home::new();
        let run = home.open();
        handler.set(&["none"]);
        let measured = measure(&lab, &run, some(&["integer", "spawn"])).await;
        assert_eq!(names(&measured), [(NATIVE, LaneWay::Native), ("qemu", LaneWay::Direct)], "{measured:?}");
        assert!(!measured.lanes[1].children, "what it starts is not run at all: {:?}", measured.lanes[1]);
        assert!(series(&measured, "integer", "qemu").len() >= 5 && series(&measured, "spawn", "qemu").is_empty());
        let missing = |warning: &&Warning| warning.kind == WarningKind::Missing;
        let mut missing = measured.warnings.iter().filter(missing);
        assert!(missing.any(|warning| warning.workload.as_deref() == Some("spawn")), "{:?}", measured.warnings);
        let lacks = |name: &str| measured.unavailable.iter().find(|lane| lane.name == name).unwrap();
        assert!(lacks("rosetta").why.contains("switched on"));
        assert!(lacks("linux/amd64").why.contains("exec format error"), "{:?}", measured.unavailable);
        assert_eq!(lab.traces(&run), BTreeSet::new());
    });
}

#[test]
fn whoever_stops_leaves_nothing_behind() {
    on("v28", async |lab, run| {
        // Long ones, with everything that can remain.
        let workloads = Plan { sample: Duration::from_secs(2), ..some(&["integer", "files-volume", "tcp-between"]) };
        // A sleep that nobody else sleeps.
        let asleep = format!("3{}", std::process::id());
        let own = Own {
            image: "silidock-lab/multi:1".to_owned(),
            command: vec!["/bin/sleep".to_owned(), asleep.clone()],
            platforms: None,
            network: false,
            limit: PATIENCE,
        };
        let folder = tempfile::tempdir().unwrap();
        let steps = format!("FROM silidock-lab/multi:1\nRUN sleep {asleep}\n");
        std::fs::write(folder.path().join("Dockerfile"), steps).unwrap();
        let build = |tool| Plan {
            build: Some(OwnBuild { context: folder.path().to_owned(), file: None, rounds: 1, limit: PATIENCE, tool }),
            ..some(&[])
        };
        let mut classic = lab.build_tool();
        classic.environment.push(("DOCKER_CONFIG".to_owned(), folder.path().to_str().unwrap().to_owned()));
        let sleeps = || lab.docker(&["ps", "--all", "--no-trunc", "--format", "{{.Command}}"]).contains(&asleep);
        for (plan, stage) in [
            (workloads.clone(), None),
            (workloads.clone(), Some(Stage::Preparing)),
            (workloads.clone(), Some(Stage::WarmingUp)),
            (workloads, Some(Stage::Measuring)),
            (Plan { own: Some(own), ..some(&[]) }, Some(Stage::Own)),
            (build(lab.build_tool()), Some(Stage::Building)),
            (build(classic), Some(Stage::Building)),
        ] {
            let by_classic = plan.build.as_ref().is_some_and(|build| build.tool.environment.len() > 2);
            let (seen, reached) = watch::channel(None);
            let (_go_on, stop) = watch::channel(false);
            let (engine, installation) = (lab.engine().await, run.clone());
            let measuring = tokio::spawn(async move {
                let tell = move |progress: Progress| {
                    seen.send_replace(Some(progress.stage));
                };
                bench(&engine, &installation, plan, stop, tell).await
            });
            tokio::task::yield_now().await;
            until("the stage", || stage.is_none() || *reached.borrow() == stage).await;
            if stage == Some(Stage::Preparing) {
                until("something is there", || !lab.traces(run).is_empty()).await;
            }
            if stage == Some(Stage::Own) || by_classic {
                until("it sleeps", sleeps).await;
            }
            measuring.abort();
            assert!(measuring.await.unwrap_err().is_cancelled());
            assert!(run.settled(PATIENCE).await, "{stage:?}");
            assert_eq!(lab.traces(run), BTreeSet::new(), "{stage:?}");
            until("nobody sleeps", || !sleeps()).await;
        }
    });
}

#[test]
fn a_run_that_is_stopped_gives_what_there_is() {
    on("v28", async |lab, run| {
        let (stopping, stop) = watch::channel(false);
        let last: Arc<Mutex<Option<Progress>>> = Arc::default();
        let told = Arc::clone(&last);
        let plan = Plan { mode: Mode::Normal, ..some(&["integer", "hash"]) };
        let engine = lab.engine().await;
        let measured = bench(&engine, run, plan, stop, move |progress: Progress| {
            if progress.stage == Stage::Measuring && progress.done >= 6 {
                stopping.send_replace(true);
            }
            if progress.stage == Stage::Measuring {
                *told.lock().unwrap() = Some(progress);
            }
        });
        let measured = measured.await.unwrap();
        assert!(measured.cut_short);
        let taken: usize = measured.series.iter().map(|series| series.samples.len()).sum();
        assert!((6..40).contains(&taken), "{taken}");
        let last = last.lock().unwrap().clone().unwrap();
        assert_eq!((last.total, last.lane.is_some(), last.left.is_some()), (40, true, true), "{last:?}");
    });
}

#[test]
fn too_little_is_told() {
    on("v28", async |lab, run| {
        let mut plan = some(&["integer", "memory-latency"]);
        plan.sample = Duration::from_millis(100);
        plan.limits = Limits { cpus: 0.1, memory: 24 << 20 };
        plan.lanes = Some(Vec::new());
        let measured = measure(lab, run, plan).await;
        let told = |kind, words: &str| {
            assert!(
                measured.warnings.iter().any(|warning| warning.kind == kind && warning.text.contains(words)),
                "{words}: {:?}",
                measured.warnings
            );
        };
        told(WarningKind::Processors, "held back by its processor limit");
        told(WarningKind::Missing, "memory-latency could not be measured in native: it was killed by signal 9");
        assert!(series(&measured, "integer", NATIVE).len() >= 5, "the lane is started anew: {:?}", measured.warnings);
        let unknown = measure(lab, run, Plan { lanes: Some(vec!["fex".to_owned()]), ..some(&["nonsense"]) }).await;
        assert!(unknown.warnings.iter().any(|warning| warning.text.contains("nonsense")));
        assert!(unknown.unavailable.iter().any(|lane| lane.name == "fex"), "{:?}", unknown.unavailable);
    });
}

#[test]
fn an_image_of_the_users_runs_on_every_platform_it_has() {
    on("v28", async |lab, run| {
        let own = |image: &str, script: &str| Plan {
            own: Some(Own {
                image: image.to_owned(),
                command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
                platforms: None,
                network: false,
                limit: PATIENCE,
            }),
            ..some(&[])
        };
        let count = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done";
        let measured = measure(lab, run, own("silidock-lab/multi:1", count)).await;
        let median = |lane: &str| {
            let series = measured.series.iter().find(|series| series.lane == lane).unwrap();
            assert_eq!((series.samples.len(), series.start_up.len()), (5, 5));
            assert!(series.start_up.iter().all(|seconds| (0.0..30.0).contains(seconds)), "{series:?}");
            silidock_diagnosis::statistics::median(&series.samples).unwrap()
        };
        let (native, emulated) = (median(NATIVE), median("qemu"));
        assert!(emulated > native, "{native} {emulated}");
        let seen = &measured.lanes[1].evidence;
        assert!(seen.iter().any(|evidence| evidence.place.starts_with("process ")), "seen while it ran: {seen:?}");

        let failed = measure(lab, run, own("silidock-lab/bb:amd64", "echo no such luck; exit 3")).await;
        assert!(failed.series.is_empty());
        let told = |words: &str| failed.warnings.iter().any(|warning| warning.text.contains(words));
        assert!(told("it ended with status 3; run it by hand"), "{:?}", failed.warnings);
        assert!(told("is here for linux/amd64 alone"), "{:?}", failed.warnings);
        let absent = measure(lab, run, own("silidock-lab/nowhere:1", "true")).await;
        assert!(absent.warnings.iter().any(|warning| warning.text.contains("No such image")), "{absent:?}");
    });
}

#[test]
fn a_dockerfile_is_built_for_each_platform_step_by_step() {
    on("v28", async |lab, run| {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(folder.path().join("Dockerfile"), text).unwrap();
        // The Docker command of a folder without plugins has no buildx.
        let bare = tempfile::tempdir().unwrap();
        let mut classic = lab.build_tool();
        classic.environment.push(("DOCKER_CONFIG".to_owned(), bare.path().to_str().unwrap().to_owned()));
        for tool in [lab.build_tool(), classic] {
            let build = OwnBuild {
                context: folder.path().to_owned(),
                file: None,
                rounds: 2,
                limit: PATIENCE,
                tool: tool.clone(),
            };
            let plan = Plan { build: Some(build), ..some(&[]) };
            write("FROM silidock-lab/multi:1\nRUN i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done\n");
            let measured = measure(lab, run, plan.clone()).await;
            for lane in [NATIVE, "qemu"] {
                let found = measured.series.iter().find(|series| series.lane == lane);
                let found = found.unwrap_or_else(|| panic!("{tool:?} {lane}: {:?}", measured.warnings));
                assert_eq!(found.samples.len(), 2);
                let step = found.steps.iter().find(|step| step.name.starts_with("RUN i=0")).unwrap();
                assert!(step.samples.iter().all(|seconds| *seconds > 0.0), "{found:?}");
            }
            write("FROM silidock-lab/multi:1\nRUN exit 7\n");
            let measured = measure(lab, run, plan).await;
            let told = |words: &str| measured.warnings.iter().any(|warning| warning.text.contains(words));
            assert!(measured.series.is_empty() && told("exit 7"), "{:?}", measured.warnings);
        }
    });
}
