//! An image and a command of the user's, run as they are on each platform of the image that is here. The time is the
//! program's own, from its start to its end by the engine's clock; what the engine took to start it is told apart.

use std::time::{Duration, Instant};

use fastrand::Rng;
use jiff::Timestamp;
use silidock_diagnosis::bench::{Lane, LaneWay, Measured, Series, Warning, WarningKind, workload};
use silidock_diagnosis::emulator::recognise;
use silidock_diagnosis::finding::Evidence;
use silidock_diagnosis::platform::Platform;
use silidock_engine::{Engine, EngineError, ManifestKind, OwnRun};

use super::course::Ended;
use super::site::Site;
use super::{Own, Progress, Stage, Told};

/// Rounds after which the time may be up.
const AT_LEAST: usize = 3;

const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The image on one platform.
struct Variant {
    platform: Platform,
    /// Position of its lane.
    lane: usize,
    samples: Vec<f64>,
    start_up: Vec<f64>,
}

/// How long one run took.
struct Took {
    /// The program.
    run: f64,
    /// Everything the engine did before it.
    start_up: f64,
}

pub(crate) async fn run(site: &Site, own: &Own, told: &Told, measured: &mut Measured) -> Result<(), Ended> {
    measured.workloads.push(workload::own(&own.image));
    let mut variants = variants(site, own, measured).await;
    let mut order = Rng::with_seed(u64::from(site.plan.seed));
    let begun = Instant::now();
    let rounds = site.plan.mode.fewest_samples();
    // The first round brings files into memory and is not counted.
    for round in 0..=rounds {
        let late = begun.elapsed() > site.plan.budget && round > AT_LEAST;
        if late || variants.is_empty() {
            break;
        }
        order.shuffle(&mut variants);
        let mut failed = Vec::new();
        for (at, variant) in variants.iter_mut().enumerate() {
            let name = measured.lanes[variant.lane].name.clone();
            told(Progress {
                stage: Stage::Own,
                workload: Some(workload::OWN.to_owned()),
                lane: Some(name.clone()),
                done: round,
                total: rounds + 1,
                left: left(begun, round, rounds + 1),
            });
            match once(site, own, variant, (round == 0).then_some(&mut *measured)).await? {
                Ok(_) if round == 0 => {}
                Ok(took) => {
                    variant.samples.push(took.run);
                    variant.start_up.push(took.start_up);
                }
                Err(why) => {
                    failed.push(at);
                    measured.warnings.push(miss(&own.image, &name, &why));
                }
            }
        }
        for at in failed.into_iter().rev() {
            variants.remove(at);
        }
    }
    variants.sort_by_key(|variant| variant.lane);
    for variant in variants.into_iter().filter(|variant| !variant.samples.is_empty()) {
        let lane = measured.lanes[variant.lane].name.clone();
        let series = Series::new(workload::OWN, lane, variant.samples);
        measured.series.push(Series { start_up: variant.start_up, ..series });
    }
    Ok(())
}

/// About how long the rest will take.
pub(crate) fn left(begun: Instant, done: usize, total: usize) -> Option<Duration> {
    let done = u32::try_from(done).ok().filter(|done| *done > 0)?;
    let total = u32::try_from(total).ok()?;
    Some(begun.elapsed() / done * total.saturating_sub(done))
}

pub(crate) fn miss(what: &str, lane: &str, why: &str) -> Warning {
    let text = format!("{what} could not be measured in {lane}: {why}.");
    Warning::new(WarningKind::Missing, text).about(workload::OWN, lane)
}

/// The platforms that are wanted and have a lane.
async fn variants(site: &Site, own: &Own, measured: &mut Measured) -> Vec<Variant> {
    let wanted = match &own.platforms {
        Some(platforms) => platforms.iter().map(|text| text.parse::<Platform>().map_err(|e| e.to_string())).collect(),
        None => here(&site.engine, &own.image).await,
    };
    let mut variants = Vec::new();
    for platform in wanted {
        let lane = platform.and_then(|platform| {
            // Other ways cannot be given to a program that starts others.
            let lane = measured.lanes.iter().position(|lane| {
                lane.platform == platform && matches!(lane.way, LaneWay::Native | LaneWay::Registered)
            });
            let lane = lane.ok_or_else(|| format!("there is no lane for {platform}"))?;
            Ok(Variant { platform, lane, samples: Vec::new(), start_up: Vec::new() })
        });
        match lane {
            Ok(variant) => variants.push(variant),
            Err(why) => {
                let text = format!("{} could not be measured: {why}.", own.image);
                measured.warnings.push(Warning::new(WarningKind::Missing, text));
            }
        }
    }
    if let ([only], None) = (&*variants, &own.platforms) {
        let comparable = |lane: &&Lane| lane.platform != only.platform && lane.way == LaneWay::Registered;
        if let Some(lane) = measured.lanes.iter().find(comparable) {
            let (image, here, other) = (&own.image, &only.platform, &lane.platform);
            let text =
                format!("{image} is here for {here} alone; to compare, pull it for {other} too, where it has that.");
            measured.warnings.push(Warning::new(WarningKind::Missing, text).about(workload::OWN, lane.name.clone()));
        }
    }
    variants
}

/// The platforms of an image that are on the engine.
async fn here(engine: &Engine, image: &str) -> Vec<Result<Platform, String>> {
    let config = match engine.inspect_image(image).await {
        Ok(config) => config,
        Err(error) => return vec![Err(error.to_string())],
    };
    let platform = |os: &str, arch: &str, variant: &str| {
        Platform::new(os, arch, Some(variant).filter(|variant| !variant.is_empty())).map_err(|error| error.to_string())
    };
    let several = match engine.images().await {
        Ok(images) => {
            images.items.into_iter().find(|record| record.id == config.id).and_then(|record| record.manifests)
        }
        Err(error) => return vec![Err(error.to_string())],
    };
    match several {
        Some(manifests) => {
            let here = manifests.items.into_iter().filter(|one| one.available && one.kind == ManifestKind::Image);
            let records = here.filter_map(|manifest| manifest.platform);
            records.map(|record| platform(&record.os, &record.architecture, &record.variant)).collect()
        }
        None => vec![platform(&config.os, &config.architecture, &config.variant)],
    }
}

/// One run. The first time what runs it is looked for in the process list.
async fn once(
    site: &Site,
    own: &Own,
    variant: &Variant,
    first: Option<&mut Measured>,
) -> Result<Result<Took, String>, Ended> {
    site.course.go_on()?;
    let engine = &site.engine;
    let container = site.container("own");
    let wanted = OwnRun {
        name: container.clone(),
        image: own.image.clone(),
        platform: variant.platform.to_string(),
        command: own.command.clone(),
        labels: site.labels(),
        memory: site.plan.limits.memory,
        cpus: site.plan.limits.cpus,
        network: own.network,
    };
    if let Err(error) = engine.create_own(&wanted).await {
        return Ok(Err(error.to_string()));
    }
    let begun = Instant::now();
    if let Err(error) = engine.start_throwaway(&container).await {
        return Ok(Err(error.to_string()));
    }
    let waiting = engine.wait_throwaway(&container, own.limit);
    let status = match first {
        None => site.course.unless_ended(waiting).await?,
        Some(measured) => {
            let mut waiting = std::pin::pin!(waiting);
            let watched = tokio::select! {
                status = &mut waiting => Err(status),
                seen = seen(engine, &container) => Ok(seen),
                Err(Ended) = site.course.unless_ended(std::future::pending::<()>()) => return Err(Ended),
            };
            match watched {
                Err(status) => status,
                Ok((emulator, evidence)) => {
                    let lane = &mut measured.lanes[variant.lane];
                    if lane.emulator.as_deref() != Some(emulator.as_str()) {
                        return Ok(Err(format!("it ran under {emulator}")));
                    }
                    lane.evidence.push(evidence);
                    site.course.unless_ended(waiting).await?
                }
            }
        }
    };
    let total = begun.elapsed().as_secs_f64();
    let took = took(engine, &container, status, total).await;
    if let Err(error) = site.discard(&container).await {
        return Ok(Err(error.to_string()));
    }
    Ok(took)
}

async fn took(engine: &Engine, container: &str, status: Result<i64, EngineError>, total: f64) -> Result<Took, String> {
    let status = status.map_err(|error| error.to_string())?;
    if status != 0 {
        // What it printed may hold secrets, and a run is kept.
        return Err(format!("it ended with status {status}; run it by hand to see what it prints"));
    }
    let details = engine.inspect_container(container).await.map_err(|error| error.to_string())?;
    let time = |text: Option<String>| text.and_then(|text| text.parse::<Timestamp>().ok());
    let (Some(started), Some(finished)) = (time(details.started_at), time(details.finished_at)) else {
        return Err("the engine does not say when it ran".to_owned());
    };
    let run = (finished - started).total(jiff::Unit::Second).map_err(|error| error.to_string())?;
    Ok(Took { run, start_up: (total - run).max(0.0) })
}

/// Looks until an emulator is seen; a native program shows none, and the look ends with it.
async fn seen(engine: &Engine, container: &str) -> (String, Evidence) {
    loop {
        for process in engine.top(container).await.unwrap_or_default() {
            if let Some(sign) = recognise(&process.args).emulator {
                let place = format!("process {} of {container}", process.pid);
                let program = process.args.split_whitespace().next().unwrap_or_default();
                return (sign.emulator.to_owned(), Evidence::new(place, program));
            }
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
