//! What a stored run means for the containers of an engine: whether it may be used at all, and how much processor time
//! a container would need natively. Pure.
//!
//! The estimate is only as good as its assumptions, so they are part of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Bench, Lane, NATIVE, compare::RunName, workload};
use crate::{
    emulator::display_name,
    execution::ContainerExecution,
    fact::{Fact, Gap},
    finding::Evidence,
    inventory::Container,
    platform::Platform,
    runtime::EmulationFacts,
    statistics::{Estimate, neat, quantile},
};

/// A stored run that still says what emulation costs on an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(rename = "FittingBench")]
pub struct Fitting {
    /// The run.
    pub run: Bench,
    /// Why it still counts, in a sentence.
    pub because: String,
    /// Runs of the user's own images that count as well, the newest of each image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<Bench>,
}

/// An engine as it is now, as far as a stored run depends on it.
#[derive(Debug, Clone)]
pub struct Now<'a> {
    /// Its address.
    pub endpoint: &'a str,
    /// Its platform.
    pub platform: Option<&'a Platform>,
    /// Its kernel.
    pub kernel: Option<&'a str>,
    /// When it was started.
    pub started: Option<&'a str>,
    /// What was proven of its emulators since.
    pub emulation: &'a EmulationFacts,
}

/// Nothing was measured on this engine.
pub fn not_measured_yet() -> Gap {
    Gap::new(COST, "not measured yet: silidock bench")
}

const COST: &str = "what emulation costs here";

/// A run that compared fewer workloads than these says nothing of programs of any kind.
const FEWEST: usize = 4;

/// The newest of these runs (newest first) that still counts for an engine, and those of the user's own images.
///
/// # Errors
/// The gap that says why none does.
pub fn fitting(runs: Vec<Bench>, now: &Now<'_>) -> Result<Fitting, Gap> {
    let (mut nearest, mut general, mut own) = (None, None, Vec::<(Bench, String)>::new());
    for run in runs {
        let image = run.measured_image().map(str::to_owned);
        match fits(&run, now) {
            Ok(because) if general.is_none() && run.is_of_all_kinds() => general = Some((run, because)),
            Ok(because) if image.is_some() => {
                if own.iter().all(|(known, _)| known.measured_image() != image.as_deref()) {
                    own.push((run, because));
                }
            }
            Ok(_) => {
                let why = format!("the run of {} compared fewer than {FEWEST} workloads: silidock bench", day(&run));
                nearest.get_or_insert(why);
            }
            Err(Some(why)) => {
                nearest.get_or_insert(why);
            }
            Err(None) => {}
        }
    }
    let counts = general.or_else(|| (!own.is_empty()).then(|| own.remove(0)));
    let (run, because) = counts.ok_or_else(|| nearest.map_or_else(not_measured_yet, |why| Gap::new(COST, why)))?;
    Ok(Fitting { run, because, own: own.into_iter().map(|(run, _)| run).collect() })
}

/// Why a run counts; why not, where it is at least one of this engine.
fn fits(run: &Bench, now: &Now<'_>) -> Result<String, Option<String>> {
    let emulated = run.lanes.iter().any(|lane| lane.name != NATIVE && run.results.iter().any(|r| r.lane == lane.name));
    if run.machine.endpoint != now.endpoint || now.platform != Some(&run.machine.platform) || !emulated {
        return Err(None);
    }
    if run.machine.started.is_some() && run.machine.started.as_deref() == now.started {
        return Ok("The engine was not started anew since.".to_owned());
    }
    if run.machine.kernel.is_none() || run.machine.kernel.as_deref() != now.kernel {
        return Err(Some(format!("it was measured on {}, under another kernel: silidock bench", day(run))));
    }
    let registered = |lane: &&Lane| lane.way == super::LaneWay::Registered;
    for lane in run.lanes.iter().filter(registered) {
        let Some(proven) = now.emulation.proven(&lane.platform.architecture) else {
            return Err(Some(format!(
                "it was measured on {}, before the engine was started anew; whether the same emulator runs is not proven: \
                 silidock emulator",
                day(run)
            )));
        };
        if lane.emulator.as_deref() != Some(proven.emulator.as_str()) || lane.version != proven.version {
            let then = lane.emulator.as_deref().map_or("no emulator", display_name);
            return Err(Some(format!("it was measured on {}, under {then}: silidock bench", day(run))));
        }
    }
    Ok("The kernel and the emulator are the same.".to_owned())
}

fn day(run: &Bench) -> &str {
    run.taken_at.split('T').next().unwrap_or(&run.taken_at)
}

/// What a container would need natively.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct NativeNeed {
    /// Lane of the run that was taken for it.
    pub lane: String,
    /// That run.
    pub run: String,
    /// Its processor time natively as a share of what it takes emulated. The interval is the range in which four of five
    /// of the workloads lie, or, for its own image, that of the measurement.
    pub share: Estimate,
    /// Measured with this very image, not with Silidock's workloads.
    pub own_image: bool,
    /// Processor time it used so far, in seconds, where the engine told.
    pub used_seconds: Option<f64>,
    /// What that would be natively.
    pub native_seconds: Option<Estimate>,
    /// In a sentence.
    pub words: String,
}

/// What the lane of a run says about programs of any kind: the geometric mean, and where most workloads lie.
pub fn typical(run: &Bench, lane: &str) -> Option<Estimate> {
    let overall = run.overall.iter().find(|overall| overall.lane == lane)?;
    let ratios: Vec<f64> =
        overall.workloads.iter().filter_map(|id| Some(run.result(id, lane)?.ratio?.median)).collect();
    let spread = Estimate { median: overall.ratio.median, low: quantile(&ratios, 0.1), high: quantile(&ratios, 0.9) };
    Some(spread.map(|ratio| ratio))
}

/// What a container would need natively, by runs that count for its engine. None where it does not run emulated, or
/// its emulator was not measured for its platform.
pub fn native_need(fitting: &Fitting, container: &Container, execution: &ContainerExecution) -> Option<NativeNeed> {
    let emulator = execution.emulator.as_deref().filter(|_| execution.is_emulated())?;
    let architecture = &container.platform.known()?.architecture;
    let own = fitting.own.iter().chain([&fitting.run]).find_map(|run| {
        let id = run.own_image(&container.image)?;
        let lane = lane_of(run, emulator, architecture)?;
        let ratio = run.result(id, &lane.name)?.ratio.filter(|ratio| ratio.low.is_some())?;
        Some((run, lane, ratio))
    });
    let (run, lane, share) = match own {
        Some(own) => own,
        None => {
            let lane = lane_of(&fitting.run, emulator, architecture)?;
            (&fitting.run, lane, typical(&fitting.run, &lane.name)?)
        }
    };
    let used = container.cpu_nanoseconds.known().map(|n| neat(*n as f64 / 1e9)).filter(|used| *used > 0.0);
    let native = used.map(|used| share.map(|share| share * used));
    Some(NativeNeed {
        lane: lane.name.clone(),
        run: run.id.clone(),
        share,
        own_image: own.is_some(),
        used_seconds: used,
        native_seconds: native,
        words: words(&container.name, display_name(emulator), &share, used, native.as_ref()),
    })
}

/// The lane of a run that such a container runs in.
fn lane_of<'a>(run: &'a Bench, emulator: &str, architecture: &str) -> Option<&'a Lane> {
    let mut lanes = run
        .lanes
        .iter()
        .filter(|lane| lane.emulator.as_deref() == Some(emulator) && lane.platform.architecture == architecture);
    let registered = lanes.clone().find(|lane| lane.way == super::LaneWay::Registered);
    registered.or_else(|| lanes.next())
}

fn words(name: &str, emulator: &str, share: &Estimate, used: Option<f64>, native: Option<&Estimate>) -> String {
    let about = share_words(share.median);
    match used.zip(native) {
        Some((used, native)) => format!(
            "{name} used {} of processor time under {emulator}. Natively it would need {about}: {}{}.",
            duration(used),
            duration(native.median),
            range(native, duration)
        ),
        None => {
            let range = range(share, super::words::percent);
            match about.ends_with("as much") {
                true => format!("Natively {name} would need {about} processor time as under {emulator}{range}."),
                false => format!(
                    "Natively {name} would need {about} of the processor time it needs under {emulator}{range}."
                ),
            }
        }
    }
}

fn range(estimate: &Estimate, words: impl Fn(f64) -> String) -> String {
    match estimate.low.zip(estimate.high) {
        Some((low, high)) => format!(" ({} to {})", words(low), words(high)),
        None => String::new(),
    }
}

/// "about a third", "about as much", "about 1.4 times as much".
pub fn share_words(share: f64) -> String {
    const NAMED: &[(f64, &str)] = &[
        (0.05, "a twentieth"),
        (0.1, "a tenth"),
        (0.125, "an eighth"),
        (1.0 / 6.0, "a sixth"),
        (0.2, "a fifth"),
        (0.25, "a quarter"),
        (1.0 / 3.0, "a third"),
        (0.4, "two fifths"),
        (0.5, "half"),
        (0.6, "three fifths"),
        (2.0 / 3.0, "two thirds"),
        (0.75, "three quarters"),
        (0.85, "five sixths"),
        (1.0, "as much"),
    ];
    if share < 0.04 {
        return "less than a twentieth".to_owned();
    }
    if share > 1.1 {
        return format!("about {share:.1} times as much");
    }
    let distance = |named: f64| (named / share).ln().abs();
    let nearest = NAMED.iter().min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)));
    format!("about {}", nearest.map_or("as much", |(_, words)| words))
}

/// "0.4 s", "12 s", "3 min 20 s", "5 h 10 min".
pub fn duration(seconds: f64) -> String {
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round();
    let (hours, minutes) = ((whole / 3600.0).floor(), (whole % 3600.0 / 60.0).floor());
    match (hours > 0.0, minutes > 0.0) {
        (true, _) => format!("{hours} h {minutes} min"),
        (false, true) => format!("{minutes} min {} s", whole % 60.0),
        (false, false) => format!("{whole} s"),
    }
}

/// What the estimates of a run take for granted.
pub fn assumptions(run: &Bench) -> Vec<String> {
    vec![
        "A container's programs do about the same mix of work as the workloads measured, each counted alike. The range in \
         brackets is where four of five workloads lie; a program that does only one kind of work can lie outside."
            .to_owned(),
        "Processor time is the engine's count since the container started. It holds the emulator's own work, and none of \
         the time spent waiting for disks, networks or other programs, which would stay."
            .to_owned(),
        "A native image of the same version exists and does the same work.".to_owned(),
        format!(
            "It was measured on {} with {} processors for each container; a busy or throttled machine is slower both ways.",
            day(run),
            run.limits.cpus
        ),
        "Where an image was measured with a command of yours, that number is used for the containers of this image."
            .to_owned(),
    ]
}

/// Everything a scan says of a run that counts for its engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchMeaning")]
pub struct Meaning {
    /// The run.
    pub run: RunName,
    /// Why it still counts.
    pub because: String,
    /// What each emulator makes of programs.
    pub lanes: Vec<LaneMeaning>,
    /// All emulated containers whose processor time and lane are known, together.
    pub total: Option<TotalNeed>,
    /// What all of this takes for granted.
    pub assumptions: Vec<String>,
}

/// One emulator in a sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct LaneMeaning {
    /// Name of the lane.
    pub lane: String,
    /// Speed as a share of native: the geometric mean, and where four of five workloads lie.
    pub speed: Estimate,
    /// "QEMU 7.2.22 runs linux/amd64 at 21 % of native speed (6 % to 48 % by workload)".
    pub words: String,
}

/// Processor time of all emulated containers that are known well enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct TotalNeed {
    /// How many containers.
    pub containers: usize,
    /// What they used, in seconds.
    pub used_seconds: f64,
    /// What they would need natively. Its ends are the sums of the ends, as if all were at the same end.
    pub native_seconds: Estimate,
    /// In a sentence.
    pub words: String,
}

/// One emulator in a sentence, as evidence and for the window.
pub fn lane_meaning(run: &Bench, lane: &Lane) -> Option<LaneMeaning> {
    let speed = typical(run, &lane.name)?;
    let percent = super::words::percent;
    let name = lane.emulator.as_deref().map_or("native", display_name);
    let version = lane.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let by = range(&speed, percent);
    let by = by.strip_suffix(')').map(|open| format!("{open} by workload)")).unwrap_or(by);
    let words = format!("{name}{version} runs {} at {} of native speed{by}", lane.platform, percent(speed.median));
    Some(LaneMeaning { lane: lane.name.clone(), speed, words })
}

/// What a run means for these containers, and for each of them.
pub fn meaning(
    fitting: &Fact<Fitting>,
    containers: &[(&Container, ContainerExecution)],
) -> (Fact<Meaning>, Vec<Option<NativeNeed>>) {
    let fitting = match fitting {
        Fact::Known(fitting) => fitting,
        Fact::Unknown { unknown } => return (unknown.clone().into(), vec![None; containers.len()]),
    };
    let run = &fitting.run;
    let needs: Vec<_> = containers.iter().map(|(container, how)| native_need(fitting, container, how)).collect();
    let meaning = Meaning {
        run: run.name(),
        because: fitting.because.clone(),
        lanes: run.lanes.iter().filter(|l| l.name != NATIVE).filter_map(|lane| lane_meaning(run, lane)).collect(),
        total: total(&needs),
        assumptions: assumptions(run),
    };
    (Fact::Known(meaning), needs)
}

fn total(needs: &[Option<NativeNeed>]) -> Option<TotalNeed> {
    let known: Vec<(f64, &Estimate)> =
        needs.iter().flatten().filter_map(|need| need.used_seconds.zip(need.native_seconds.as_ref())).collect();
    if known.is_empty() {
        return None;
    }
    let used: f64 = known.iter().map(|(used, _)| used).sum();
    let sum = |of: fn(&Estimate) -> Option<f64>| known.iter().map(|(_, native)| of(native)).sum::<Option<f64>>();
    let median = known.iter().map(|(_, native)| native.median).sum();
    let native = Estimate { median, low: sum(|e| e.low), high: sum(|e| e.high) }.map(|seconds| seconds);
    let words = format!(
        "{} used {} of processor time emulated. Natively {} would need {}: {}{}.",
        match known.len() {
            1 => "1 emulated container".to_owned(),
            n => format!("{n} emulated containers together"),
        },
        duration(used),
        if known.len() == 1 { "it" } else { "they" },
        share_words(median / used),
        duration(median),
        range(&native, duration)
    );
    Some(TotalNeed { containers: known.len(), used_seconds: neat(used), native_seconds: native, words })
}

/// What a finding about an emulated container says once a run counts for it.
pub fn evidence(fitting: &Fitting, need: &NativeNeed) -> Option<Evidence> {
    let run = fitting.own.iter().chain([&fitting.run]).find(|run| run.id == need.run)?;
    let lane = run.lane(&need.lane)?;
    let text = match need.own_image {
        true => format!("your command in this image runs at {} of native speed", super::words::share(&need.share)),
        false => lane_meaning(run, lane)?.words,
    };
    Some(Evidence::new(format!("benchmark of {}", day(run)), text))
}

impl Bench {
    /// The workload that is the user's own command in this image.
    pub fn own_image(&self, image: &str) -> Option<&str> {
        let own = self.own.as_ref().filter(|own| own.build.is_none() && own.image == image)?;
        self.workload(&own.workload).map(|workload| workload.id.as_str())
    }

    /// The image of the user's own command.
    fn measured_image(&self) -> Option<&str> {
        self.own.as_ref().filter(|own| own.build.is_none()).map(|own| own.image.as_str())
    }

    /// Whether it says something of programs of any kind.
    fn is_of_all_kinds(&self) -> bool {
        self.overall.iter().any(|overall| overall.workloads.len() >= FEWEST)
    }

    /// What the user's own work in a workload is.
    pub fn own_work(&self, id: &str) -> Option<&super::OwnWork> {
        self.own.as_ref().filter(|own| own.workload == id && (id == workload::OWN || id == workload::BUILD))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bench::example::{bench, rosetta},
        example::{container, engine},
        execution::judge,
        runtime::ProvenEmulator,
    };

    fn run() -> Bench {
        bench(&[("integer", 100.0, 25.0), ("hash", 100.0, 25.0), ("memory-latency", 10.0, 40.0), ("locks", 10.0, 2.5)])
    }

    fn alone(run: Bench) -> Fitting {
        Fitting { run, because: "same".to_owned(), own: Vec::new() }
    }

    fn proven(emulator: &str, version: Option<&str>) -> EmulationFacts {
        let platform = "linux/amd64".parse().unwrap();
        let effective = ProvenEmulator {
            platform,
            emulator: emulator.to_owned(),
            version: version.map(str::to_owned),
            evidence: Vec::new(),
            signs: Vec::new(),
            features: Fact::Known(Vec::new()),
        };
        EmulationFacts { effective: Fact::Known(vec![effective]), ..EmulationFacts::default() }
    }

    #[test]
    fn a_run_counts_for_the_same_start_or_the_same_kernel_and_emulator() {
        let mut run = run();
        run.machine.started = Some("monday".to_owned());
        run.lanes[1].version = Some("7.2".to_owned());
        let platform = run.machine.platform.clone();
        let nothing = EmulationFacts::default();
        let same = proven("qemu", Some("7.2"));
        let newer = proven("qemu", Some("9.0"));
        let other = proven("rosetta", None);
        // (endpoint, kernel, start, emulation, what is said)
        let rows: [(&str, &str, &str, &EmulationFacts, &str); 8] = [
            ("unix:///x", "6.12.1", "monday", &nothing, "not started anew"),
            ("unix:///x", "6.13", "monday", &nothing, "not started anew"),
            ("unix:///x", "6.12.1", "tuesday", &same, "are the same"),
            ("unix:///x", "6.12.1", "tuesday", &nothing, "is not proven"),
            ("unix:///x", "6.12.1", "tuesday", &newer, "under QEMU"),
            ("unix:///x", "6.12.1", "tuesday", &other, "under QEMU"),
            ("unix:///x", "6.13", "tuesday", &same, "another kernel"),
            ("unix:///y", "6.12.1", "monday", &same, "not measured yet"),
        ];
        for (endpoint, kernel, started, emulation, expected) in rows {
            let now =
                Now { endpoint, platform: Some(&platform), kernel: Some(kernel), started: Some(started), emulation };
            let said = match fitting(vec![run.clone()], &now) {
                Ok(fitting) => fitting.because,
                Err(gap) => gap.why,
            };
            assert!(said.contains(expected), "{endpoint} {kernel} {started}: {said}");
        }
    }

    #[test]
    fn a_run_of_few_workloads_or_of_an_image_hides_no_full_one() {
        let own = |id: &str| {
            let mut run = bench(&[("own", 2.0, 3.0)]);
            run.id = id.to_owned();
            run.own = Some(crate::bench::OwnWork {
                workload: workload::OWN.to_owned(),
                image: "web:1".to_owned(),
                build: None,
                program: None,
                digest: "d".to_owned(),
            });
            run
        };
        let few = bench(&[("integer", 100.0, 90.0)]);
        let endpoint = few.machine.endpoint.clone();
        let platform = few.machine.platform.clone();
        let nothing = EmulationFacts::default();
        let mut runs = vec![own("newest"), few.clone(), own("older"), run()];
        runs.iter_mut().for_each(|run| run.machine.started = Some("monday".to_owned()));
        let now = Now {
            endpoint: &endpoint,
            platform: Some(&platform),
            kernel: None,
            started: Some("monday"),
            emulation: &nothing,
        };
        let found = fitting(runs.clone(), &now).unwrap();
        let own: Vec<&str> = found.own.iter().map(|run| run.id.as_str()).collect();
        assert_eq!((found.run.overall[0].workloads.len(), own), (4, vec!["newest"]));
        let only_few = fitting(runs.drain(1..2).collect(), &now).unwrap_err();
        assert!(only_few.why.contains("fewer than 4"), "{only_few:?}");
        assert_eq!(fitting(vec![runs.remove(0)], &now).unwrap().run.id, "newest");
    }

    #[test]
    fn an_emulated_container_would_need_its_share() {
        let web = container("web").platform("linux/amd64").processes(&["/usr/bin/qemu-x86_64 /bin/app"]).build();
        let mut web = web;
        web.cpu_nanoseconds = Fact::Known(200_000_000_000);
        let how = judge(&web, &engine("arm64"));
        let need = native_need(&alone(run()), &web, &how).unwrap();
        assert!((need.share.median - 0.25).abs() < 1e-6 && !need.own_image, "{need:?}");
        let native = need.native_seconds.unwrap();
        assert!((native.median - 50.0).abs() < 1e-3 && native.low.unwrap() <= 50.001, "{native:?}");
        assert_eq!(
            need.words,
            "web used 3 min 20 s of processor time under QEMU. Natively it would need about a quarter: 50 s (50 s to 50 s)."
        );
        web.cpu_nanoseconds = Fact::unknown("processor time", "not asked for");
        let need = native_need(&alone(run()), &web, &how).unwrap();
        assert_eq!(
            need.words,
            "Natively web would need about a quarter of the processor time it needs under QEMU (25 % to 25 %)."
        );
        // Rosetta was measured, QEMU runs it: nothing is known.
        assert_eq!(native_need(&alone(rosetta(run())), &web, &how), None);
        let native = container("web").build();
        assert_eq!(native_need(&alone(run()), &native, &judge(&native, &engine("arm64"))), None);
    }

    #[test]
    fn findings_become_measured_where_a_run_counts_and_only_there() {
        use crate::{
            check::Context,
            checks::CATALOG,
            example::{index, inventory},
            finding::Confidence,
            inventory::Listing,
        };
        let mut seen = inventory("arm64");
        let web = container("web").image("web:1").platform("linux/amd64").processes(&["/usr/bin/qemu-x86_64 /bin/app"]);
        let hidden = container("hidden").platform("linux/amd64").processes(&["nginx: master process"]);
        seen.containers = Listing::of(vec![web.build(), hidden.build()]);
        seen.images = Listing::of(vec![index("web:1", &[("linux/amd64", true), ("linux/arm64", true)])]);
        for (benchmark, expected) in [
            (not_measured_yet().into(), Confidence::Certain),
            (Fact::Known(Fitting { run: run(), because: "same".to_owned(), own: Vec::new() }), Confidence::Measured),
            (
                Fact::Known(Fitting { run: rosetta(run()), because: "same".to_owned(), own: Vec::new() }),
                Confidence::Certain,
            ),
        ] {
            seen.benchmark = benchmark;
            let context = Context::new(&seen);
            for check in CATALOG.iter().filter(|c| ["emulated-container", "needless-emulation"].contains(&c.id)) {
                let findings = (check.run)(&context);
                let of = |name: &str| findings.iter().find(|f| f.subject.id == name);
                let web = of("web").unwrap();
                assert_eq!(web.confidence, expected, "{}", check.id);
                let measured = expected == Confidence::Measured;
                assert_eq!(web.why.contains("Natively it would need about a quarter"), measured, "{}", web.why);
                assert_eq!(web.evidence.iter().any(|e| e.place == "benchmark of 2026-11-20"), measured);
                assert!(of("hidden").is_none_or(|hidden| hidden.confidence == Confidence::Likely));
            }
        }
    }

    #[test]
    fn its_own_image_says_more_than_workloads() {
        let mut run = bench(&[("integer", 100.0, 25.0), ("own", 2.0, 3.0)]);
        run.own = Some(crate::bench::OwnWork {
            workload: workload::OWN.to_owned(),
            image: "web:1".to_owned(),
            build: None,
            program: Some("convert".to_owned()),
            digest: "d".to_owned(),
        });
        let web = container("web").platform("linux/amd64").processes(&["/usr/bin/qemu-x86_64 /bin/app"]).build();
        let need = native_need(&alone(run.clone()), &web, &judge(&web, &engine("arm64"))).unwrap();
        assert!(need.own_image && (need.share.median - 2.0 / 3.0).abs() < 1e-9, "{need:?}");
        let mut other = web.clone();
        other.image = "db:1".to_owned();
        let need = native_need(&alone(run.clone()), &other, &judge(&other, &engine("arm64"))).unwrap();
        assert!(!need.own_image && (need.share.median - 0.25).abs() < 1e-9, "{need:?}");
    }

    #[test]
    fn all_of_them_together_and_in_words() {
        let web = container("web").platform("linux/amd64").processes(&["/usr/bin/qemu-x86_64 /bin/app"]).build();
        let db = container("db").platform("linux/amd64").processes(&["/usr/bin/qemu-x86_64 /bin/db"]).build();
        let native = container("cache").build();
        let engine = engine("arm64");
        let containers: Vec<_> = [&web, &db, &native].map(|c| (c, judge(c, &engine))).into_iter().collect();
        let fitting = Fact::Known(Fitting { run: run(), because: "same".to_owned(), own: Vec::new() });
        let (meaning, needs) = meaning(&fitting, &containers);
        let meaning = meaning.known().unwrap().clone();
        assert_eq!(needs.iter().filter(|need| need.is_some()).count(), 2);
        let total = meaning.total.unwrap();
        assert!(total.words.starts_with("2 emulated containers together used 2.0 s"), "{}", total.words);
        assert!((total.native_seconds.median - 0.5).abs() < 1e-6);
        assert_eq!(meaning.lanes[0].words, "QEMU runs linux/amd64 at 25 % of native speed (25 % to 25 % by workload)");
        assert!(meaning.assumptions.len() >= 4);
        let gap: Fact<Fitting> = not_measured_yet().into();
        assert!(super::meaning(&gap, &containers).0.gap().is_some());
    }

    #[test]
    fn numbers_in_words() {
        for (share, expected) in [
            (0.01, "less than a twentieth"),
            (0.052, "about a twentieth"),
            (0.33, "about a third"),
            (0.52, "about half"),
            (0.97, "about as much"),
            (1.42, "about 1.4 times as much"),
        ] {
            assert_eq!(share_words(share), expected);
        }
        for (seconds, expected) in
            [(0.42, "0.4 s"), (12.3, "12 s"), (59.7, "1 min 0 s"), (200.0, "3 min 20 s"), (18_620.0, "5 h 10 min")]
        {
            assert_eq!(duration(seconds), expected);
        }
    }
}
