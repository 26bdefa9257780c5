//! From samples to a judged run: medians with intervals, ratios to native, the mean, and what speaks against them.

use super::{
    Bench, Busy, Conditions, Lane, Limits, Machine, Measured, Mode, Moment, NATIVE, Outcome, Overall, Series,
    StepOutcome, StepSeries, Unit, Warning, WarningKind, WorkloadKind,
};
use crate::{
    schema::Schema,
    statistics::{self, Estimate, drift, estimate, outliers},
};

/// What a run is called and where it was made: everything that no container says.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// Name of the run.
    pub id: String,
    /// When it began, RFC 3339 in UTC.
    pub taken_at: String,
    /// How long it took.
    pub seconds: f64,
    /// Version of Silidock.
    pub silidock: String,
    /// How thorough.
    pub mode: Mode,
    /// Seed of the order and of the intervals.
    pub seed: u32,
    /// Where.
    pub machine: Machine,
    /// What every container was limited to.
    pub limits: Limits,
    /// The user's own work, where some was measured.
    pub own: Option<super::OwnWork>,
}

/// Judges a run. Total: series without a usable sample become a warning and no result.
pub fn judge(about: About, mut measured: Measured) -> Bench {
    let seed = u64::from(about.seed);
    for series in &mut measured.series {
        let steps = series.steps.iter_mut().flat_map(|step| &mut step.samples);
        let numbers = series.samples.iter_mut().chain(&mut series.start_up).chain(steps);
        numbers.for_each(|number| *number = statistics::neat(*number));
    }
    let mut warnings = measured.warnings;
    let mut results = Vec::with_capacity(measured.series.len());
    for series in &measured.series {
        let what = measured.workloads.iter().find(|w| w.id == series.workload);
        // What measuring itself costs is no speed.
        let harness = what.is_some_and(|w| w.kind == WorkloadKind::Harness);
        let native = native_of(&measured.series, &measured.lanes, series).filter(|_| !harness);
        let unit = what.map_or(Unit::Seconds, |w| w.unit);
        let same_work = native.is_none_or(|native| same_work(native, series));
        if !same_work {
            let text = format!(
                "{} did other work in {} than natively (another checksum), so the two are not compared.",
                series.workload, series.lane
            );
            warnings.push(Warning::new(WarningKind::Checksum, text).about(&series.workload, &series.lane));
        }
        match outcome(series, native.filter(|_| same_work), unit, seed) {
            Some(outcome) => results.push(outcome),
            None => {
                let text = format!("{} in {} gave no number that can be used.", series.workload, series.lane);
                warnings.push(Warning::new(WarningKind::Missing, text).about(&series.workload, &series.lane));
            }
        }
    }
    for outcome in &results {
        let title = measured.workloads.iter().find(|w| w.id == outcome.workload).map(|w| w.title.as_str());
        warnings.extend(noise(outcome, title.unwrap_or(&outcome.workload), about.mode));
    }
    warnings.extend(busy(&measured.conditions, &about.machine, &about.limits));
    let overall = overall(&measured.lanes, &measured.workloads, &results, seed);
    Bench {
        schema: Schema,
        id: about.id,
        taken_at: about.taken_at,
        seconds: about.seconds,
        silidock: about.silidock,
        sample: false,
        redacted: false,
        mode: about.mode,
        seed: about.seed,
        cut_short: measured.cut_short,
        machine: about.machine,
        limits: about.limits,
        own: about.own,
        workloads: measured.workloads,
        lanes: measured.lanes,
        unavailable: measured.unavailable,
        results,
        overall,
        conditions: measured.conditions,
        warnings,
    }
}

/// The native series of the same workload; none for the native one itself.
fn native_of<'a>(all: &'a [Series], lanes: &[Lane], of: &Series) -> Option<&'a Series> {
    let native = lanes.iter().find(|lane| lane.name == NATIVE && lane.emulator.is_none())?;
    if of.lane == native.name {
        return None;
    }
    all.iter().find(|series| series.workload == of.workload && series.lane == native.name)
}

/// Without checksums on either side (the user's own commands) nobody can tell.
fn same_work(one: &Series, other: &Series) -> bool {
    one.checksum.as_ref().zip(other.checksum.as_ref()).is_none_or(|(one, other)| one == other)
}

/// Speed as a share of native: rates as they are, times the other way around. Never clamped.
fn speed(lane: &[f64], native: &[f64], unit: Unit, seed: u64) -> Option<Estimate> {
    match unit.is_time() {
        true => statistics::ratio(native, lane, seed),
        false => statistics::ratio(lane, native, seed),
    }
}

fn outcome(series: &Series, native: Option<&Series>, unit: Unit, seed: u64) -> Option<Outcome> {
    if series.samples.iter().any(|x| *x <= 0.0) {
        return None;
    }
    let Estimate { median, low, high } = estimate(&series.samples, seed)?;
    let native_step = |name: &str| native.and_then(|n| n.steps.iter().find(|step| step.name == name));
    Some(Outcome {
        workload: series.workload.clone(),
        lane: series.lane.clone(),
        samples: series.samples.clone(),
        median,
        low,
        high,
        unit,
        ratio: native.and_then(|native| speed(&series.samples, &native.samples, unit, seed)),
        start_up: estimate(&series.start_up, seed),
        steps: series.steps.iter().filter_map(|step| step_outcome(step, native_step(&step.name), seed)).collect(),
        checksum: series.checksum.clone(),
        blocks: series.blocks,
        outliers: outliers(&series.samples),
        drift: drift(&series.samples),
    })
}

fn step_outcome(step: &StepSeries, native: Option<&StepSeries>, seed: u64) -> Option<StepOutcome> {
    Some(StepOutcome {
        name: step.name.clone(),
        samples: step.samples.clone(),
        time: estimate(&step.samples, seed)?,
        ratio: native.and_then(|native| speed(&step.samples, &native.samples, Unit::Seconds, seed)),
    })
}

/// The geometric mean of each emulated lane over the workloads that count and have a ratio.
fn overall(lanes: &[Lane], workloads: &[super::Workload], results: &[Outcome], seed: u64) -> Vec<Overall> {
    let samples = |workload: &str, lane: &str| {
        results.iter().find(|r| r.workload == workload && r.lane == lane).map(|r| r.samples.as_slice())
    };
    let emulated = lanes.iter().filter(|lane| lane.name != NATIVE);
    let means = emulated.filter_map(|lane| {
        let counted: Vec<&super::Workload> = workloads
            .iter()
            .filter(|w| w.counts)
            .filter(|w| results.iter().any(|r| r.workload == w.id && r.lane == lane.name && r.ratio.is_some()))
            .collect();
        let pairs: Option<Vec<_>> = counted
            .iter()
            .map(|w| {
                let (emulated, native) = (samples(&w.id, &lane.name)?, samples(&w.id, NATIVE)?);
                Some(if w.unit.is_time() { (native, emulated) } else { (emulated, native) })
            })
            .collect();
        let ratio = statistics::geometric_mean(&pairs?, seed)?;
        let limits = format!(
            "The geometric mean of {}, each counted alike. Its interval is that of measuring these; a program that does \
             more of one than of another fares differently.",
            crate::text::count(counted.len(), "workload")
        );
        Some(Overall {
            lane: lane.name.clone(),
            ratio,
            workloads: counted.iter().map(|w| w.id.clone()).collect(),
            limits,
        })
    });
    means.collect()
}

/// Wider than this to either side, a number is not to be relied on.
const WIDE: f64 = 0.15;

/// What the samples themselves say against a result.
fn noise(outcome: &Outcome, workload: &str, mode: Mode) -> Vec<Warning> {
    let about = |kind, text| Warning::new(kind, text).about(&outcome.workload, &outcome.lane);
    let (lane, n) = (&outcome.lane, outcome.samples.len());
    let mut warnings = Vec::new();
    let own = matches!(outcome.workload.as_str(), super::workload::OWN | super::workload::BUILD);
    if n < mode.fewest_samples() && !own {
        let text = format!("{workload} in {lane} has {n} samples of the {} it should have.", mode.fewest_samples());
        warnings.push(about(WarningKind::Time, text));
    }
    let whole = Estimate { median: outcome.median, low: outcome.low, high: outcome.high };
    if let Some(width) = whole.relative_half_width().filter(|width| *width > WIDE) {
        let text = format!("{workload} in {lane} varies much: its interval is ±{:.0} %.", width * 100.0);
        warnings.push(about(WarningKind::Wide, text));
    }
    if let Some(drift) = outcome.drift.filter(statistics::Drift::matters) {
        let grew = drift.change > 0.0;
        let slower = grew == outcome.unit.is_time();
        let text = format!(
            "{workload} in {lane} became {:.0} % {} while it was measured{}.",
            drift.change.abs() * 100.0,
            if slower { "slower" } else { "faster" },
            if slower { ", as a machine does that gets hot or busy" } else { "" }
        );
        warnings.push(about(WarningKind::Drift, text));
    }
    // One in five is what any machine has.
    if outcome.outliers.len() * 5 > n {
        let text =
            format!("{} of {n} samples of {workload} in {lane} lie far from the others.", outcome.outliers.len());
        warnings.push(about(WarningKind::Outliers, text));
    }
    warnings
}

/// Load per processor before the first sample, above which somebody else is at work.
const LOADED: f64 = 0.5;
/// Share of the memory that should be left.
const MEMORY_LEFT: f64 = 0.1;
/// Share of the processor time that others may take.
const STOLEN: f64 = 0.02;
/// Threads of the workloads about what threads share.
const THREADS: u32 = 2;

fn busy(conditions: &[Conditions], machine: &Machine, limits: &Limits) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let cpus = machine.cpus.map_or(limits.cpus, |cpus| f64::from(cpus).min(limits.cpus));
    if cpus < f64::from(THREADS) {
        let text = format!(
            "The containers had {cpus} processors: what threads share (atomics, locks) is not measured well with fewer than \
             {THREADS}."
        );
        warnings.push(Warning::new(WarningKind::Processors, text));
    } else if machine.cpus.is_some_and(|cpus| f64::from(cpus) <= limits.cpus) {
        let text = "The containers may use every processor of the engine's machine, so whatever else runs there takes \
                    time from them.";
        warnings.push(Warning::new(WarningKind::Processors, text));
    }
    for seen in conditions {
        for (name, busy) in [("This machine", &seen.host), ("The engine's machine", &seen.engine)] {
            let Some(busy) = busy else { continue };
            // Afterwards the load is the run's own.
            if seen.moment == Moment::Before {
                warnings.extend(loaded(name, busy));
            }
            warnings.extend(short_of_memory(name, busy, seen.moment));
            if let Some(stolen) = busy.stolen.filter(|share| *share > STOLEN) {
                let text = format!("{name} lost {:.0} % of its processor time to others.", stolen * 100.0);
                warnings.push(Warning::new(WarningKind::Load, text));
            }
        }
    }
    warnings
}

fn loaded(name: &str, busy: &Busy) -> Option<Warning> {
    let (load, cpus) = (busy.load?, busy.cpus?);
    (load > LOADED * f64::from(cpus)).then(|| {
        let text = format!("{name} was busy when this began: a load of {load:.1} on {cpus} processors.");
        Warning::new(WarningKind::Load, text)
    })
}

#[allow(clippy::cast_precision_loss)] // bytes of memory
fn short_of_memory(name: &str, busy: &Busy, moment: Moment) -> Option<Warning> {
    let left = busy.available? as f64 / busy.memory.filter(|total| *total > 0)? as f64;
    let when = match moment {
        Moment::Before => "when this began",
        Moment::After => "when this ended",
    };
    (left < MEMORY_LEFT).then(|| {
        let text = format!("{name} was short of memory {when}: {:.0} % of it was left.", left * 100.0);
        Warning::new(WarningKind::Memory, text)
    })
}

impl Bench {
    /// Results that a person compares: without those of the measurement itself.
    pub fn compared(&self) -> impl Iterator<Item = &Outcome> {
        let harness = |id: &str| self.workloads.iter().any(|w| w.id == id && w.kind == WorkloadKind::Harness);
        self.results.iter().filter(move |result| !harness(&result.workload))
    }
    /// A workload by its id.
    pub fn workload(&self, id: &str) -> Option<&super::Workload> {
        self.workloads.iter().find(|workload| workload.id == id)
    }
    /// A lane by its name.
    pub fn lane(&self, name: &str) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.name == name)
    }
    /// The result of a workload in a lane.
    pub fn result(&self, workload: &str, lane: &str) -> Option<&Outcome> {
        self.results.iter().find(|result| result.workload == workload && result.lane == lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{
        Workload,
        example::{about, around, measured},
    };

    fn run(series: Vec<Series>) -> Bench {
        judge(about(), measured(series))
    }

    fn kinds(bench: &Bench) -> Vec<WarningKind> {
        bench.warnings.iter().map(|w| w.kind).collect()
    }

    #[test]
    fn ratios_are_speed_to_native_for_rates_and_times_alike_and_never_clamped() {
        for (id, native, emulated, expected) in
            [("integer", 100.0, 25.0, 0.25), ("memory-latency", 10.0, 40.0, 0.25), ("hash", 10.0, 20.0, 2.0)]
        {
            let bench = run(vec![Series::new(id, NATIVE, around(native)), Series::new(id, "qemu", around(emulated))]);
            assert_eq!(bench.result(id, NATIVE).unwrap().ratio, None);
            let ratio = bench.result(id, "qemu").unwrap().ratio.unwrap();
            assert!((ratio.median - expected).abs() < 1e-9, "{id}: {ratio:?}");
            assert!(ratio.low.unwrap() < expected && ratio.high.unwrap() > expected, "{id}: {ratio:?}");
            assert!(bench.warnings.is_empty(), "{:?}", bench.warnings);
        }
    }

    #[test]
    fn the_mean_is_over_what_counts_and_was_measured_on_both_sides() {
        let bench = run(vec![
            Series::new("integer", NATIVE, around(100.0)),
            Series::new("integer", "qemu", around(50.0)),
            Series::new("memory-latency", NATIVE, around(10.0)),
            Series::new("memory-latency", "qemu", around(80.0)),
            Series::new("files", NATIVE, around(10.0)),
            Series::new("files", "qemu", around(10.0)),
            Series::new("spawn", "qemu", around(10.0)),
        ]);
        let [overall] = bench.overall.as_slice() else { panic!("{:?}", bench.overall) };
        assert_eq!((overall.lane.as_str(), overall.workloads.join(" ")), ("qemu", "integer memory-latency".to_owned()));
        assert!((overall.ratio.median - 0.25).abs() < 1e-9 && overall.limits.contains("2 workloads"));
    }

    #[test]
    fn other_work_is_not_compared() {
        let mut series = vec![Series::new("hash", NATIVE, around(9.0)), Series::new("hash", "qemu", around(3.0))];
        series[0].checksum = Some("a".to_owned());
        series[1].checksum = Some("b".to_owned());
        let bench = run(series);
        assert_eq!(bench.result("hash", "qemu").unwrap().ratio, None);
        assert_eq!((kinds(&bench), bench.overall.len()), (vec![WarningKind::Checksum], 0));
    }

    #[test]
    fn what_cannot_be_used_is_told_and_no_result() {
        for samples in [vec![], vec![1.0, f64::NAN], vec![0.0, 1.0]] {
            let bench = run(vec![Series::new("hash", "qemu", samples)]);
            assert_eq!((bench.results.len(), kinds(&bench)), (0, vec![WarningKind::Missing]));
        }
    }

    #[test]
    fn noise_gives_a_warning_each_kind_its_own() {
        let falling: Vec<f64> = (0..10).map(|i| 100.0 - 2.0 * f64::from(i)).collect();
        let rows = [
            (vec![1.0, 1.0, 1.0], vec![WarningKind::Time]),
            (vec![1.0, 1.9, 1.2, 2.4, 1.0], vec![WarningKind::Wide]),
            (falling, vec![WarningKind::Drift]),
            (vec![1.0, 1.01, 0.99, 9.0, 1.0, 9.0, 1.01, 1.0, 0.99, 1.01, 9.0, 1.02, 0.98], vec![WarningKind::Outliers]),
        ];
        for (samples, expected) in rows {
            let bench = run(vec![Series::new("integer", NATIVE, samples.clone())]);
            assert_eq!(kinds(&bench), expected, "{samples:?}: {:?}", bench.warnings);
        }
        let bench = run(vec![Series::new("integer", NATIVE, (0..10).map(|i| 50.0 - f64::from(i)).collect())]);
        assert!(bench.warnings[0].text.contains("slower"), "{:?}", bench.warnings);
        let bench = run(vec![Series::new("memory-latency", NATIVE, (0..10).map(|i| 50.0 - f64::from(i)).collect())]);
        assert!(bench.warnings[0].text.contains("faster"), "{:?}", bench.warnings);
    }

    #[test]
    fn a_small_or_busy_machine_is_told() {
        let quiet = Busy { load: Some(0.1), cpus: Some(4), memory: Some(100), available: Some(60), stolen: Some(0.0) };
        let rows = [
            (Busy { load: Some(3.0), ..quiet.clone() }, Moment::Before, Some(WarningKind::Load)),
            (Busy { load: Some(3.0), ..quiet.clone() }, Moment::After, None),
            (Busy { available: Some(4), ..quiet.clone() }, Moment::After, Some(WarningKind::Memory)),
            (Busy { stolen: Some(0.2), ..quiet.clone() }, Moment::After, Some(WarningKind::Load)),
            (quiet, Moment::Before, None),
        ];
        for (busy, moment, expected) in rows {
            let engine = Some(busy.clone());
            let mut measured = measured(vec![Series::new("integer", NATIVE, around(1.0))]);
            measured.conditions = vec![Conditions { moment, host: None, engine }];
            assert_eq!(kinds(&judge(about(), measured)), Vec::from_iter(expected), "{busy:?} {moment:?}");
        }
        for (cpus, said) in [(1, "had 1 processors"), (2, "every processor")] {
            let mut small = about();
            small.machine.cpus = Some(cpus);
            let bench = judge(small, measured(vec![]));
            assert_eq!(kinds(&bench), [WarningKind::Processors]);
            assert!(bench.warnings[0].text.contains(said), "{:?}", bench.warnings);
        }
    }

    #[test]
    fn builds_have_steps_and_own_programs_a_start_up() {
        let mut series =
            vec![Series::new("integer", NATIVE, around(10.0)), Series::new("integer", "qemu", around(40.0))];
        for (series, time) in series.iter_mut().zip([1.0, 4.0]) {
            series.start_up = vec![0.3; 5];
            series.steps = vec![StepSeries { name: "RUN make".to_owned(), samples: around(time) }];
        }
        let mut measured = measured(series);
        measured.workloads = vec![Workload { id: "integer".to_owned(), ..crate::bench::workload::build("shop") }];
        let bench = judge(about(), measured);
        let emulated = bench.result("integer", "qemu").unwrap();
        assert_eq!(emulated.start_up.unwrap().median, 0.3);
        assert!((emulated.steps[0].ratio.unwrap().median - 0.25).abs() < 1e-9);
        assert!((emulated.ratio.unwrap().median - 0.25).abs() < 1e-9);
        assert!(bench.overall.is_empty());
    }
}
