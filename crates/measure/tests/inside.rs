//! Looking inside images on real engines: images for either platform, from nothing but a few files, are walked by the
//! native probe; the container is locked in; nothing remains, whatever happens. Needs what `SILIDOCK_LAB` names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]
#![allow(clippy::print_stderr, reason = "what was left out, and how long it took")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::image::{Image, Loaded, stub};
use common::{Bad, Home, Lab, on_each, until};
use silidock_executable::{Entry, FileRecord, Kind};
use silidock_measure::{
    InsideNews, InsideOptions, InsideSummary, InsideTarget, Installation, MeasureError, Probes, inside_news,
    look_inside, sweep,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Looks inside and gathers everything.
async fn look(
    engine: &silidock_engine::Engine,
    run: &Installation,
    options: InsideOptions,
    image: &str,
    names: &[&str],
) -> Result<(BTreeMap<String, FileRecord>, InsideSummary), MeasureError> {
    let (sender, mut receiver) = inside_news();
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let target = InsideTarget { image: image.to_owned(), platform: None, names };
    let gathering = async {
        let mut found = BTreeMap::new();
        while let Some(news) = receiver.recv().await {
            if let InsideNews::Found(records) = news {
                found.extend(records.into_iter().map(|record| (record.path.to_string(), record)));
            }
        }
        found
    };
    let (summary, found) = tokio::join!(look_inside(engine, run, options, target, sender), gathering);
    Ok((found, summary?))
}

#[test]
fn every_file_that_matters_is_found_in_an_image_of_either_platform() {
    on_each(async |lab: Arc<Lab>| {
        let (engine, home) = (lab.engine().await, Home::new());
        let run = home.open();
        for arch in [&lab.native, &lab.foreign] {
            let image = Image::new("inside-kinds", arch)
                .file("app/start", 0o755, &stub(arch))
                .file("app/again.sh", 0o755, b"#!/bin/sh\r\necho\n")
                .file("app/empty", 0o755, b"")
                .file("app/text", 0o755, b"no program\n")
                .file("app/notes", 0o644, b"no program\n")
                .file("app/asked", 0o644, b"no program\n")
                .file("app/data.py", 0o644, b"#!/usr/bin/python3\n")
                .file("app/library", 0o644, &stub("arm64"))
                .file("app/secret", 0o600, &stub("amd64"))
                .link("bin", "app")
                .hard_link("app/second", "app/start")
                .bytes_name(b"app/caf\xe9", 0o755, &stub(arch))
                .volume("/data", "data/tool", &stub(arch));
            let loaded = Loaded::new(&lab, &engine, image).await;
            let begun = Instant::now();
            let (found, summary) =
                look(&engine, &run, InsideOptions::default(), &loaded.reference, &["asked"]).await.unwrap();
            eprintln!("{}: a {arch} image in {:.2} s", lab.name, begun.elapsed().as_secs_f32());
            assert_eq!(
                (summary.gaps.len(), summary.totals.unreadable, summary.totals.dropped),
                (0, 0, 0),
                "{summary:?}"
            );
            let told: Vec<(&str, String)> = found.values().map(|record| (record.path.text(), what(record))).collect();
            let machine = |arch: &str| format!("linux/{arch}");
            let expected = [
                ("/app/again.sh", "script /bin/sh".to_owned()),
                ("/app/asked", "not looked at".to_owned()),
                ("/app/caf\\xe9", machine(arch)),
                ("/app/empty", "empty".to_owned()),
                ("/app/library", machine("arm64")),
                ("/app/second", machine(arch)),
                ("/app/secret", machine("amd64")),
                ("/app/start", machine(arch)),
                ("/app/text", "text".to_owned()),
                ("/bin", "link to app".to_owned()),
                ("/data/tool", machine(arch)),
            ];
            let told: Vec<_> = told.into_iter().filter(|(path, _)| !path.starts_with("/etc/")).collect();
            assert_eq!(told, expected, "{arch} on {}", lab.name);
            assert_eq!(lab.objects(&run), BTreeSet::new());
        }
    });
}

fn what(record: &FileRecord) -> String {
    match (&record.entry, record.kind()) {
        (Entry::Link { target }, _) => format!("link to {target}"),
        (_, Some(Kind::Elf(elf))) => elf.platform.clone().unwrap(),
        (_, Some(Kind::Script(script))) => format!("script {}", script.interpreter),
        (_, Some(Kind::Empty)) => "empty".to_owned(),
        (_, Some(Kind::Text(_))) => "text".to_owned(),
        (_, None) => "not looked at".to_owned(),
        (_, Some(other)) => format!("{other:?}"),
    }
}

fn hanging(lab: &Lab) -> InsideOptions {
    InsideOptions { probes: lab.carrying(Bad::Hang).probes, ..InsideOptions::default() }
}

#[test]
fn the_container_is_locked_in_and_goes_with_whoever_waits() {
    on_each(async |lab: Arc<Lab>| {
        let (engine, home) = (lab.engine().await, Home::new());
        let run = home.open();
        let image = Image::new("inside-locked", &lab.foreign).file("app/start", 0o755, &stub(&lab.foreign));
        let loaded = Loaded::new(&lab, &engine, image).await;
        let looking = tokio::spawn({
            let (engine, run, options, image) = (engine.clone(), run.clone(), hanging(&lab), loaded.reference.clone());
            async move { look(&engine, &run, options, &image, &[]).await.map(drop) }
        });
        until("the container runs", || !lab.running(&run).is_empty()).await;
        let container = lab.running(&run).remove(0);
        let format = "{{.HostConfig.NetworkMode}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} \
                      {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Privileged}} \
                      {{.Config.User}} {{len .Mounts}} {{range .Mounts}}{{.Name}}{{end}}";
        let seen = lab.docker(&["inspect", "--format", format, &container]);
        let (seen, volume) = seen.rsplit_once(' ').unwrap();
        let capability = seen.replace("CAP_DAC_READ_SEARCH", "DAC_READ_SEARCH");
        assert_eq!(capability, "none [ALL] [DAC_READ_SEARCH] true [no-new-privileges] false 0:0 1", "{}", lab.name);
        looking.abort();
        assert!(looking.await.unwrap_err().is_cancelled());
        assert!(run.settled(PATIENCE).await);
        assert_eq!(lab.objects(&run), BTreeSet::new());
        let volumes = lab.docker(&["volume", "ls", "--quiet"]);
        assert!(!volumes.lines().any(|name| name == volume), "its volume went with it");
    });
}

#[test]
fn refusals_and_bad_probes_are_told_and_a_crashed_run_is_swept() {
    type Expected = fn(&MeasureError) -> bool;
    let table: [(Bad, Expected); 4] = [
        (Bad::Garbage, |error| matches!(error, MeasureError::Garbage { .. })),
        (Bad::Flood, |error| matches!(error, MeasureError::Garbage { .. })),
        (Bad::Crash, |error| matches!(error, MeasureError::Killed { signal: 4, .. })),
        (Bad::Silent, |error| matches!(error, MeasureError::Failed { status: 42, .. })),
    ];
    on_each(async |lab: Arc<Lab>| {
        let (engine, home) = (lab.engine().await, Home::new());
        let run = home.open();
        let image = Image::new("inside-refused", &lab.native).file("app/start", 0o755, &stub(&lab.native));
        let loaded = Loaded::new(&lab, &engine, image).await;
        for (program, expected) in &table {
            let options = InsideOptions { probes: lab.carrying(*program).probes, ..InsideOptions::default() };
            let error = look(&engine, &run, options, &loaded.reference, &[]).await.unwrap_err();
            assert!(expected(&error), "{program:?} on {}: {error:?}", lab.name);
        }
        let options = InsideOptions { run: Duration::from_secs(2), ..hanging(&lab) };
        let error = look(&engine, &run, options, &loaded.reference, &[]).await.unwrap_err();
        assert!(matches!(&error, MeasureError::Hangs { .. }), "{error:?}");
        let error = look(&engine, &run, InsideOptions::default(), "silidock-inside/none:1", &[]).await.unwrap_err();
        assert!(matches!(&error, MeasureError::ContainerRefused { .. }), "{error:?}");
        let none = InsideOptions { probes: Probes::default(), ..InsideOptions::default() };
        let error = look(&engine, &run, none, &loaded.reference, &[]).await.unwrap_err();
        assert!(matches!(&error, MeasureError::NoProbe { arch } if *arch == lab.native), "{error:?}");
        assert_eq!(lab.objects(&run), BTreeSet::new());
        crash(&lab, &home, &loaded.reference).await;
        let swept = sweep(&engine, &home.open()).await.unwrap();
        assert_eq!((swept.containers.len(), swept.gaps.len()), (1, 0), "{swept:?}");
    });
}

/// Begins to look, and ends the whole machinery in the middle.
async fn crash(lab: &Lab, home: &Home, image: &str) {
    let run = home.open();
    let identifier = run.run().to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (there, installation, options, image) = (lab.clone(), run.clone(), hanging(lab), image.to_owned());
    runtime.spawn(async move { look(&there.engine().await, &installation, options, &image, &[]).await.map(drop) });
    until("the run that is to crash", || !lab.running(&run).is_empty()).await;
    runtime.shutdown_background();
    drop(run);
    let mark = home.mark(&identifier);
    until("the crash", || !mark.exists()).await;
    // A real crash leaves it.
    std::fs::write(&mark, "").unwrap();
}
