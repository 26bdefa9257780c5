//! On real engines: what runs foreign programs there is proven, whatever goes wrong is told in its own words, and
//! nothing of ours remains. Needs the file that `SILIDOCK_LAB` names; see tests/lab/README.md.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]
#![allow(clippy::print_stderr, reason = "what was left out, and how long it took")]

mod common;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use common::{Bad, Handler, Home, Lab, alone, engines, on_each, until};
use silidock_measure::{
    Builder, Cpu, Effective, Identification, MeasureError, Options, Probes, Says, Source, TargetEmulation, builds,
    identify, sweep,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn target<'a>(found: &'a Identification, platform: &str) -> &'a TargetEmulation {
    found.targets.iter().find(|target| target.platform.to_string() == platform).unwrap()
}

/// What each sign says, most telling first.
fn said<'a>(target: &'a TargetEmulation) -> Vec<(Source, &'a str)> {
    let name = |sign: &'a silidock_measure::Sign| match &sign.says {
        Says::Emulator { name } => name.as_str(),
        Says::Native => "native",
        Says::Nothing => "nothing",
    };
    target.signs.iter().map(|sign| (sign.source, name(sign))).collect()
}

fn is_qemu(target: &TargetEmulation) -> bool {
    matches!(&target.effective, Effective::Emulator { name, version: Some(version) }
        if name == "qemu" && version.split('.').count() == 3)
}

fn nothing_remains(lab: &Lab, home: &Home, run: &silidock_measure::Installation, when: &str) {
    assert_eq!(lab.objects(run), BTreeSet::new(), "{} after {when}", lab.name);
    assert!(home.mark(run.run()).exists(), "the run goes on");
}

#[test]
fn what_runs_foreign_programs_is_proven() {
    on_each(async |lab: std::sync::Arc<Lab>| {
        let (engine, home) = (lab.engine().await, Home::new());
        let run = home.open();
        let begun = Instant::now();
        let found = identify(&engine, &run, Options::default()).await.unwrap();
        eprintln!("{}: identified in {:.2} s", lab.name, begun.elapsed().as_secs_f32());
        nothing_remains(&lab, &home, &run, "identifying");
        assert_eq!(found.gaps, []);
        assert_eq!(found.platform.architecture, lab.native);
        assert_eq!(found.native.built_for, lab.native);
        assert_eq!(found.native.kernel.as_deref(), Some(engine.version().kernel_version.as_str()));
        assert!(found.native.page_size.is_some_and(|size| size >= 4096));
        assert!(found.targets.iter().all(|target| target.platform != found.platform), "native is not foreign");

        let foreign = target(&found, &format!("linux/{}", lab.foreign));
        assert!(is_qemu(foreign), "{foreign:?}");
        let signs = [(Source::Cpu, "qemu"), (Source::Program, "qemu"), (Source::Interpreter, "qemu")];
        assert_eq!(said(foreign), signs, "{foreign:?}");
        assert_eq!((foreign.agrees, &foreign.trouble), (Some(true), &None));
        assert!(foreign.signs[1].evidence.contains(" version "), "{foreign:?}");
        let feature = if lab.foreign == "amd64" { "sse4_2" } else { "asimd" };
        assert!(foreign.features.as_ref().unwrap().iter().any(|name| name == feature), "{foreign:?}");

        let unheard_of = target(&found, "linux/s390x");
        assert_eq!(unheard_of.effective, Effective::Nothing);
        assert!(unheard_of.signs[0].evidence.contains("exec format error"), "{unheard_of:?}");
        if lab.native == "amd64" {
            assert_eq!(target(&found, "linux/386").effective, Effective::Native);
            assert!(matches!(&found.native.cpu, Cpu::X86(cpu) if !cpu.vendor.is_empty()));
        } else {
            assert!(matches!(&found.native.cpu, Cpu::Arm(cpu) if cpu.midr.is_some()), "{:?}", found.native.cpu);
        }
    });
}

#[test]
fn a_build_without_a_probe_says_so() {
    on_each(async |lab: std::sync::Arc<Lab>| {
        let (engine, home) = (lab.engine().await, Home::new());
        let run = home.open();
        let half = Options { probes: Probes::embedded().without(&lab.foreign), ..Options::default() };
        let found = identify(&engine, &run, half).await.unwrap();
        let platform = format!("linux/{}", lab.foreign);
        let foreign = target(&found, &platform);
        assert!(is_qemu(foreign), "the native probe alone proves it: {foreign:?}");
        assert_eq!(said(foreign), [(Source::Program, "qemu"), (Source::Interpreter, "qemu")]);
        assert_eq!(found.gaps.len(), 1);
        assert!(found.gaps[0].what.contains(&platform) && found.gaps[0].why.contains("no probe"), "{:?}", found.gaps);
        let none = Options { probes: Probes::embedded().without(&lab.native), ..Options::default() };
        let error = identify(&engine, &run, none).await.unwrap_err();
        assert!(matches!(&error, MeasureError::NoProbe { arch } if *arch == lab.native), "{error}");
        nothing_remains(&lab, &home, &run, "half a build");
    });
}

#[test]
fn a_bad_probe_is_told_and_leaves_nothing_behind() {
    type Expected = fn(&MeasureError) -> bool;
    let table: [(Bad, Duration, Expected); 6] = [
        (
            Bad::Hang,
            Duration::from_secs(2),
            |error| matches!(error, MeasureError::Hangs { after, .. } if after.as_secs() == 2),
        ),
        (Bad::Garbage, PATIENCE, |error| matches!(error, MeasureError::Garbage { .. })),
        (Bad::Flood, Duration::from_secs(2), |error| matches!(error, MeasureError::Hangs { .. })),
        (Bad::Crash, PATIENCE, |error| matches!(error, MeasureError::Killed { signal: 4, .. })),
        (
            Bad::Silent,
            PATIENCE,
            |error| matches!(error, MeasureError::Failed { status: 42, complaint, .. } if complaint.is_empty()),
        ),
        (Bad::Text, PATIENCE, MeasureError::is_exec_format_error),
    ];
    on_each(async |lab: std::sync::Arc<Lab>| {
        let (engine, home) = (lab.engine().await, Home::new());
        let run = home.open();
        for (program, limit, expected) in &table {
            let options = Options { run: *limit, ..lab.carrying(*program) };
            let error = identify(&engine, &run, options).await.unwrap_err();
            assert!(expected(&error), "{program:?} on {}: {error:?}", lab.name);
            nothing_remains(&lab, &home, &run, &format!("{program:?}"));
        }
        // A foreign probe that fails is a gap; what the native one saw stands.
        let machine_code = lab.carrying(Bad::Silent).probes.get(&lab.native).unwrap().to_vec();
        let options = Options { probes: Probes::embedded().with(&lab.foreign, machine_code), ..Options::default() };
        let found = identify(&engine, &run, options).await.unwrap();
        let foreign = target(&found, &format!("linux/{}", lab.foreign));
        assert!(is_qemu(foreign), "{foreign:?}");
        assert!(found.gaps.iter().any(|gap| gap.why.contains("status 42")), "{:?}", found.gaps);
        nothing_remains(&lab, &home, &run, "a foreign probe that fails");
    });
}

#[test]
fn a_container_is_locked_in_and_a_killed_probe_is_told() {
    on_each(async |lab: std::sync::Arc<Lab>| {
        let (engine, home) = (lab.engine().await, Home::new());
        let run = home.open();
        let watching = async {
            until("the container runs", || !lab.running(&run).is_empty()).await;
            let container = lab.running(&run).remove(0);
            let format = "{{.HostConfig.NetworkMode}} {{.HostConfig.CapDrop}} {{.HostConfig.ReadonlyRootfs}} \
                          {{.HostConfig.SecurityOpt}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} \
                          {{.HostConfig.Privileged}} {{.Config.User}} {{len .Mounts}} {{len .Config.Labels}}";
            let seen = lab.docker(&["inspect", "--format", format, &container]);
            assert_eq!(seen, "none [ALL] true [no-new-privileges] 134217728 32 false 65534:65534 0 2", "{}", lab.name);
            lab.docker(&["kill", &container]);
        };
        let (error, ()) = tokio::join!(identify(&engine, &run, lab.carrying(Bad::Hang)), watching);
        let error = error.unwrap_err();
        assert!(matches!(&error, MeasureError::Killed { signal: 9, .. }), "{error:?}");
        nothing_remains(&lab, &home, &run, "a kill");
    });
}

#[test]
fn whoever_stops_waiting_leaves_nothing_behind() {
    on_each(async |lab: std::sync::Arc<Lab>| {
        let (engine, home) = (lab.engine().await, Home::new());
        let run = home.open();
        type Reached = fn(&Lab, &silidock_measure::Installation) -> bool;
        let moments: [(&str, Reached); 3] = [
            ("at once", |_, _| true),
            ("with something there", |lab, run| !lab.objects(run).is_empty()),
            ("with the container running", |lab, run| !lab.running(run).is_empty()),
        ];
        for (when, reached) in moments {
            let measuring = tokio::spawn({
                let (engine, run, options) = (engine.clone(), run.clone(), lab.carrying(Bad::Hang));
                async move { identify(&engine, &run, options).await }
            });
            tokio::task::yield_now().await;
            until(when, || reached(&lab, &run)).await;
            measuring.abort();
            assert!(measuring.await.unwrap_err().is_cancelled());
            assert!(run.settled(PATIENCE).await, "{when}");
            nothing_remains(&lab, &home, &run, when);
        }
    });
}

#[test]
fn a_crashed_run_is_swept_and_everybody_else_is_left_alone() {
    on_each(async |lab: std::sync::Arc<Lab>| {
        let engine = lab.engine().await;
        let (home, neighbour) = (Home::new(), Home::new());
        let crashed = crash(&lab, &home).await;
        let foreign = crash(&lab, &neighbour).await;
        // A run of the same installation that is busy.
        let busy = home.open();
        let measuring = tokio::spawn({
            let (engine, busy, options) = (engine.clone(), busy.clone(), lab.carrying(Bad::Hang));
            async move { identify(&engine, &busy, options).await }
        });
        until("the busy run", || !lab.running(&busy).is_empty()).await;

        let here = home.open();
        let swept = sweep(&engine, &here).await.unwrap();
        assert_eq!((swept.containers.len(), swept.images.len(), swept.gaps.len()), (1, 1, 0), "{swept:?}");
        assert!(swept.containers[0].contains(&crashed) && swept.images[0].contains(&crashed), "{swept:?}");
        assert!(!home.mark(&crashed).exists());
        assert_eq!(lab.running(&busy).len(), 1, "a busy run goes on");
        assert_eq!(sweep(&engine, &here).await.unwrap(), silidock_measure::Swept::default(), "once is enough");

        let theirs = sweep(&engine, &neighbour.open()).await.unwrap();
        assert_eq!((theirs.containers.len(), theirs.images.len()), (1, 1), "it was still there: {theirs:?}");
        assert!(theirs.containers[0].contains(&foreign));
        measuring.abort();
        assert!(busy.settled(PATIENCE).await);
        nothing_remains(&lab, &home, &busy, "everything");
    });
}

/// Begins to measure, and ends the whole machinery in the middle; the run's identifier.
async fn crash(lab: &Lab, home: &Home) -> String {
    let run = home.open();
    let identifier = run.run().to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (there, installation, options) = (lab.clone(), run.clone(), lab.carrying(Bad::Hang));
    runtime.spawn(async move { identify(&there.engine().await, &installation, options).await });
    until("the run that is to crash", || !lab.running(&run).is_empty()).await;
    runtime.shutdown_background();
    drop(run);
    let mark = home.mark(&identifier);
    until("the crash", || !mark.exists()).await;
    // A real crash leaves it.
    std::fs::write(&mark, "").unwrap();
    identifier
}

#[test]
fn a_handler_that_is_gone_or_disguised_shows() {
    let _alone = alone();
    let Some(lab) = engines().into_iter().find(|lab| lab.name == "arm64") else { return };
    let handler = Handler;
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (engine, home) = (lab.engine().await, Home::new());
        let run = home.open();
        let find = async || identify(&engine, &run, Options::default()).await.unwrap();

        handler.set(&["none"]);
        let found = find().await;
        let amd64 = target(&found, "linux/amd64");
        assert_eq!((&amd64.effective, amd64.agrees), (&Effective::Nothing, Some(true)), "{amd64:?}");
        assert!(amd64.signs.iter().all(|sign| sign.evidence.contains("exec format error")), "{amd64:?}");
        assert_eq!(found.gaps, []);

        for flags in ["POCF", "OCF", "F"] {
            handler.set(&["rosetta", flags]);
            let amd64 = find().await.targets.into_iter().find(|t| t.platform.to_string() == "linux/amd64").unwrap();
            let signs = [(Source::Cpu, "qemu"), (Source::Program, "qemu"), (Source::Interpreter, "rosetta")];
            assert_eq!(said(&amd64), signs, "{flags}: {amd64:?}");
            assert!(is_qemu(&amd64), "the processor decides: {amd64:?}");
            assert_eq!(amd64.agrees, Some(false), "and the name does not fit");
            assert!(amd64.signs[0].evidence.contains("QEMU TCG CPU"), "{amd64:?}");
            assert!(amd64.signs[2].evidence.contains("/run/rosetta/rosetta"), "{amd64:?}");
        }
        nothing_remains(&lab, &home, &run, "the handlers");
    });
}

/// A machine without a Docker client, so that the engine's older builder builds.
fn without_a_client(home: &tempfile::TempDir) -> std::sync::Arc<silidock_host::FixtureHost> {
    std::sync::Arc::new(silidock_host::FixtureHost::new(home.path()).with_home("/Users/ada"))
}

#[test]
fn the_steps_of_builds_are_proven_and_nothing_of_a_bad_one_stays() {
    on_each(async |lab: std::sync::Arc<Lab>| {
        let (engine, home, machine) = (lab.engine().await, Home::new(), tempfile::tempdir().unwrap());
        let run = home.open();
        let build = async |options: Options| builds(&engine, &run, options, without_a_client(&machine)).await.unwrap();
        let found = build(Options::default()).await;
        nothing_remains(&lab, &home, &run, "a build");
        let [(builder, target)] = found.targets.as_slice() else { panic!("{found:?}") };
        assert_eq!((builder, target.platform.architecture.as_str()), (&Builder::Classic, lab.foreign.as_str()));
        assert!(is_qemu(target), "{target:?}");
        assert!(
            found.gaps.iter().any(|gap| gap.why.contains("docker command is not on this machine")),
            "BuildKit was not tried: {:?}",
            found.gaps
        );
        if lab.native == "arm64" {
            return; // a slow machine, and the rest is the same everywhere
        }
        let (patient, short) = (Duration::from_secs(60), Duration::from_secs(4));
        let table = [
            (Bad::Garbage, patient, "cannot be read"),
            (Bad::Silent, patient, "42"),
            (Bad::Hang, short, "did not end within 4 s"),
        ];
        for (bad, limit, why) in table {
            let mut options = lab.carrying_foreign(bad);
            options.run = limit;
            let found = build(options).await;
            let [(_, target)] = found.targets.as_slice() else { panic!("{found:?}") };
            assert!(
                matches!(&target.effective, Effective::Unknown { why: said } if said.contains(why)),
                "{bad:?}: {target:?}"
            );
            until("the builder has let go", || lab.objects(&run).is_empty()).await;
            nothing_remains(&lab, &home, &run, "a bad probe in a build");
        }
    });
}
