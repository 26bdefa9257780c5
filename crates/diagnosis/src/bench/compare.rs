//! Two runs side by side, and what Rosetta costs native programs. Pure.
//!
//! Ratios to native are compared, because both sides of each were measured on the same machine in the same minutes.
//! Native speeds are compared only between runs of the same machine. What differs between two runs is always said.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Bench, Machine, NATIVE, Outcome, words};
use crate::{
    platform::Platform,
    schema::Schema,
    statistics::{self, Estimate},
};

/// Two runs side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchComparison")]
pub struct Comparison {
    /// Always "silidock/1".
    pub schema: Schema,
    /// The run compared with.
    pub before: RunName,
    /// The run compared.
    pub after: RunName,
    /// Nothing differs that makes the change of a ratio mean something else than a change of the emulator.
    pub comparable: bool,
    /// What differs between the two.
    pub differences: Vec<Difference>,
    /// Every workload and lane that both have.
    pub rows: Vec<Row>,
}

/// Which run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunName {
    /// Its name.
    pub id: String,
    /// When it began.
    pub taken_at: String,
}

/// Something that is not the same in both runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(rename = "BenchDifference")]
pub struct Difference {
    /// What: "kernel", "version of qemu".
    pub what: String,
    /// In the run compared with.
    pub before: String,
    /// In the run compared.
    pub after: String,
    /// Numbers cannot be compared because of it. Otherwise it may be the very reason for comparing.
    pub prevents: bool,
}

/// One workload in one lane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchChange")]
pub struct Row {
    /// Id of the workload.
    pub workload: String,
    /// Name of the lane.
    pub lane: String,
    /// Ratio to native in the run compared with; of the native lane its speed is 1.
    pub before: Estimate,
    /// In the run compared.
    pub after: Estimate,
    /// Speed now as a share of the speed then.
    pub change: Estimate,
    /// In a word.
    pub verdict: Verdict,
}

/// What became of a speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchChangeVerdict")]
pub enum Verdict {
    /// The whole interval of the change lies above 1.
    Faster,
    /// The whole interval lies below 1.
    Slower,
    /// The interval holds 1: no change was measured.
    Same,
    /// There is no interval: too few samples.
    Unknown,
}

fn verdict(change: &Estimate) -> Verdict {
    match (change.low, change.high) {
        (Some(low), _) if low > 1.0 => Verdict::Faster,
        (_, Some(high)) if high < 1.0 => Verdict::Slower,
        (Some(_), Some(_)) => Verdict::Same,
        _ => Verdict::Unknown,
    }
}

impl Bench {
    /// Its name.
    pub fn name(&self) -> RunName {
        RunName { id: self.id.clone(), taken_at: self.taken_at.clone() }
    }
}

/// Compares two runs.
pub fn compare(before: &Bench, after: &Bench) -> Comparison {
    let differences = differences(before, after);
    let comparable = !differences.iter().any(|difference| difference.prevents);
    let rows = after.compared().filter_map(|now| row(before, after, now, comparable)).collect();
    Comparison { schema: Schema, before: before.name(), after: after.name(), comparable, differences, rows }
}

fn row(before: &Bench, after: &Bench, now: &Outcome, comparable: bool) -> Option<Row> {
    let then = before.result(&now.workload, &now.lane).filter(|then| then.unit == now.unit)?;
    // Another program under the same id, or other work in a block: nothing to compare.
    if then.checksum != now.checksum || before.own_work(&now.workload) != after.own_work(&now.workload) {
        return None;
    }
    let seed = u64::from(after.seed);
    let (mut was, mut is) = if now.lane == NATIVE {
        let other_machine = !comparable || before.machine.endpoint != after.machine.endpoint;
        if other_machine {
            return None;
        }
        ((then.samples.as_slice(), &[1.0; 5][..]), (now.samples.as_slice(), &[1.0; 5][..]))
    } else {
        // What was not compared with native at the time is not now.
        then.ratio.as_ref().zip(now.ratio.as_ref())?;
        (pair(before, then)?, pair(after, now)?)
    };
    if now.unit.is_time() {
        (was, is) = ((was.1, was.0), (is.1, is.0));
    }
    let change = statistics::change(was, is, seed)?;
    let shown = |outcome: &Outcome| outcome.ratio.unwrap_or(Estimate::bare(1.0));
    Some(Row {
        workload: now.workload.clone(),
        lane: now.lane.clone(),
        before: shown(then),
        after: shown(now),
        verdict: verdict(&change),
        change,
    })
}

/// The samples of a lane and of native.
fn pair<'a>(bench: &'a Bench, of: &'a Outcome) -> Option<(&'a [f64], &'a [f64])> {
    let native = bench.result(&of.workload, NATIVE)?;
    Some((&of.samples, &native.samples))
}

fn differences(before: &Bench, after: &Bench) -> Vec<Difference> {
    let or_unknown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not known".to_owned());
    let number = |value: Option<u32>| value.map_or_else(|| "not known".to_owned(), |n| n.to_string());
    let (b, a) = (&before.machine, &after.machine);
    let limits =
        |bench: &Bench| format!("{} processors, {} MB of memory", bench.limits.cpus, bench.limits.memory / 1_000_000);
    let mut rows = vec![
        ("platform of the engine", b.platform.to_string(), a.platform.to_string(), true),
        ("processor", or_unknown(&b.cpu), or_unknown(&a.cpu), true),
        ("processor of this machine", or_unknown(&b.host_cpu), or_unknown(&a.host_cpu), true),
        ("number of processors", number(b.cpus), number(a.cpus), true),
        ("limits of the containers", limits(before), limits(after), true),
        ("kernel", or_unknown(&b.kernel), or_unknown(&a.kernel), false),
        ("engine", b.endpoint.clone(), a.endpoint.clone(), false),
        ("version of the engine", b.version.clone(), a.version.clone(), false),
        ("system of this machine", or_unknown(&b.host_system), or_unknown(&a.host_system), false),
        ("thoroughness", words::mode(before.mode).to_owned(), words::mode(after.mode).to_owned(), false),
    ];
    // A sample is of nobody's machine.
    rows.push(("where it is from", origin(before), origin(after), true));
    let mut differences: Vec<Difference> = rows
        .into_iter()
        .filter(|(_, before, after, _)| before != after)
        .map(|(what, before, after, prevents)| Difference { what: what.to_owned(), before, after, prevents })
        .collect();
    for lane in after.lanes.iter().filter(|lane| lane.emulator.is_some()) {
        let Some(then) = before.lane(&lane.name) else { continue };
        if then.version != lane.version || then.way != lane.way {
            differences.push(Difference {
                what: format!("version of {}", lane.name),
                before: or_unknown(&then.version),
                after: or_unknown(&lane.version),
                prevents: false,
            });
        }
    }
    differences.extend(emulator_difference(b, a));
    differences
}

fn origin(bench: &Bench) -> String {
    if bench.sample { "the sample".to_owned() } else { "an engine".to_owned() }
}

fn emulator_difference(before: &Machine, after: &Machine) -> Vec<Difference> {
    let by = |machine: &Machine, platform: &Platform| {
        machine.emulators.iter().find(|e| e.platform == *platform).map(|e| e.emulator.clone())
    };
    let changed = after.emulators.iter().filter_map(|now| {
        let then = by(before, &now.platform).filter(|then| *then != now.emulator)?;
        let what = format!("what runs {} by itself", now.platform);
        Some(Difference { what, before: then, after: now.emulator.clone(), prevents: false })
    });
    changed.collect()
}

/// What it costs native programs that Rosetta is on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct RosettaCost {
    /// The run with Rosetta on.
    pub on: RunName,
    /// The run with it off.
    pub off: RunName,
    /// Native speed with Rosetta on as a share of that with it off, over all workloads that count.
    pub overall: Estimate,
    /// The same for each workload.
    pub rows: Vec<Row>,
    /// What else differs between the two runs.
    pub differences: Vec<Difference>,
}

fn rosetta_on(machine: &Machine) -> Option<bool> {
    let intel = machine.emulators.iter().find(|e| e.platform.architecture == crate::emulation::INTEL)?;
    Some(intel.emulator == "rosetta")
}

/// Compares native programs with Rosetta on and off: the run with the latest comparable one (of a list that begins with
/// the newest) that was made the other way around. None where there is no such run, or it is not known which way the
/// run was made.
pub fn rosetta_cost(run: &Bench, others: &[Bench]) -> Option<RosettaCost> {
    let on = rosetta_on(&run.machine)?;
    let other = others.iter().find(|other| {
        rosetta_on(&other.machine) == Some(!on)
            && other.machine.endpoint == run.machine.endpoint
            && compare(other, run).comparable
    })?;
    let (off, on) = if on { (other, run) } else { (run, other) };
    let Comparison { rows, differences, .. } = compare(off, on);
    let rows: Vec<Row> = rows.into_iter().filter(|row| row.lane == NATIVE).collect();
    let counted = rows.iter().filter_map(|row| {
        let workload = on.workload(&row.workload).filter(|workload| workload.counts)?;
        let now = on.result(&row.workload, NATIVE)?.samples.as_slice();
        let then = off.result(&row.workload, NATIVE)?.samples.as_slice();
        Some(if workload.unit.is_time() { (then, now) } else { (now, then) })
    });
    let counted: Vec<_> = counted.collect();
    let overall = statistics::geometric_mean(&counted, u64::from(on.seed))?;
    Some(RosettaCost { on: on.name(), off: off.name(), overall, rows, differences })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::example::{around, bench, rosetta};

    #[test]
    fn a_ratio_that_changed_is_told_with_its_interval() {
        let before = bench(&[("integer", 100.0, 20.0), ("hash", 50.0, 10.0), ("memory-latency", 10.0, 40.0)]);
        let mut after = bench(&[("integer", 200.0, 80.0), ("hash", 50.0, 10.0), ("memory-latency", 10.0, 80.0)]);
        after.machine.kernel = Some("6.13.0".to_owned());
        let found = compare(&before, &after);
        assert!(found.comparable, "another kernel is a reason to compare: {:?}", found.differences);
        assert_eq!(found.differences.iter().map(|d| d.what.as_str()).collect::<Vec<_>>(), ["kernel"]);
        let row = |workload: &str| found.rows.iter().find(|r| r.workload == workload && r.lane == "qemu").unwrap();
        for (workload, change, verdict) in
            [("integer", 2.0, Verdict::Faster), ("hash", 1.0, Verdict::Same), ("memory-latency", 0.5, Verdict::Slower)]
        {
            let row = row(workload);
            assert!((row.change.median - change).abs() < 1e-9, "{row:?}");
            assert_eq!(row.verdict, verdict, "{row:?}");
            let (low, high) = (row.change.low.unwrap(), row.change.high.unwrap());
            assert!(low < change && change < high, "{row:?}");
        }
        let native = found.rows.iter().find(|r| r.workload == "integer" && r.lane == NATIVE).unwrap();
        assert!((native.change.median - 2.0).abs() < 1e-9);
    }

    #[test]
    fn another_machine_is_not_comparable_and_its_native_speed_is_left_out() {
        let before = bench(&[("integer", 100.0, 20.0)]);
        for change in [
            (|b: &mut Bench| b.machine.cpu = Some("Apple M5".to_owned())) as fn(&mut Bench),
            |b| b.machine.cpus = Some(2),
            |b| b.limits.cpus = 1.0,
            |b| b.sample = true,
        ] {
            let mut after = before.clone();
            change(&mut after);
            let found = compare(&before, &after);
            assert!(!found.comparable && found.differences.len() == 1, "{:?}", found.differences);
            assert!(found.rows.iter().all(|row| row.lane != NATIVE));
        }
    }

    #[test]
    fn other_work_is_not_compared() {
        let before = bench(&[("integer", 100.0, 20.0), ("hash", 50.0, 10.0)]);
        let mut after = before.clone();
        after.results.iter_mut().filter(|r| r.workload == "hash").for_each(|r| r.checksum = Some("other".to_owned()));
        assert!(compare(&before, &after).rows.iter().all(|row| row.workload == "integer"));
        after.results.iter_mut().for_each(|r| r.samples.truncate(3));
        assert!(compare(&before, &after).rows.iter().all(|row| row.verdict == Verdict::Unknown));
    }

    #[test]
    fn rosetta_costs_what_native_programs_lose() {
        let mut on = rosetta(bench(&[("integer", 90.0, 60.0), ("memory-latency", 12.5, 20.0)]));
        on.id = "on".to_owned();
        let off = bench(&[("integer", 100.0, 20.0), ("memory-latency", 10.0, 40.0)]);
        for (run, other) in [(&on, &off), (&off, &on)] {
            let cost = rosetta_cost(run, std::slice::from_ref(other)).unwrap();
            assert_eq!(cost.on.id, "on");
            assert!((cost.overall.median - (0.9_f64 * 0.8).sqrt()).abs() < 1e-9, "{:?}", cost.overall);
            assert_eq!(cost.rows.len(), 2);
            assert!(cost.differences.iter().any(|d| d.what.contains("by itself")));
        }
        assert_eq!(rosetta_cost(&off, std::slice::from_ref(&off)), None);
        let mut elsewhere = on.clone();
        elsewhere.machine.cpu = Some("another".to_owned());
        assert_eq!(rosetta_cost(&off, &[elsewhere]), None);
        assert_eq!(around(1.0).len(), 5);
    }
}
