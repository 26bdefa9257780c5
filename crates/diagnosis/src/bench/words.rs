//! Numbers and sentences of a run, the same for the command line, the window and reports.

use super::{Bench, Lane, LaneWay, Mode, NATIVE, Outcome, Unit, meaning::lane_meaning};
use crate::{emulator::display_name, statistics::Estimate, text::count};

/// Three digits and a letter for thousands: "0.042", "12.3", "1230", "45.6 k", "1.23 M".
pub fn amount(value: f64) -> String {
    let (value, letter) = match value.abs() {
        v if v >= 999.5e6 => (value / 1e9, " G"),
        v if v >= 999.5e3 => (value / 1e6, " M"),
        v if v >= 9.995e3 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let digits = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.995 => 2,
        _ => 3,
    };
    format!("{value:.digits$}{letter}")
}

/// A share as a percentage: "4.2 %", "21 %", "134 %".
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent.abs() < 9.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// "21 % (19 % to 23 %)".
pub fn share(estimate: &Estimate) -> String {
    with_range(estimate, percent)
}

/// "1.23 M blocks/s (1.20 M to 1.25 M)".
pub fn speed(outcome: &Outcome) -> String {
    let whole = Estimate { median: outcome.median, low: outcome.low, high: outcome.high };
    let range = with_range(&whole, amount);
    match range.split_once(" (") {
        Some((number, rest)) => format!("{number} {} ({rest}", outcome.unit.word()),
        None => format!("{range} {}", outcome.unit.word()),
    }
}

fn with_range(estimate: &Estimate, words: impl Fn(f64) -> String) -> String {
    match estimate.low.zip(estimate.high) {
        Some((low, high)) => format!("{} ({} to {})", words(estimate.median), words(low), words(high)),
        None => words(estimate.median),
    }
}

/// "QEMU 7.2.22, linux/amd64".
pub fn lane(lane: &Lane) -> String {
    let name = lane.emulator.as_deref().map_or("Native", display_name);
    let version = lane.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    format!("{name}{version}, {}", lane.platform)
}

/// How a lane came to run that way, in a sentence.
pub fn way(lane: &Lane) -> &'static str {
    match lane.way {
        LaneWay::Native => "The engine's own platform.",
        LaneWay::Registered => "The engine does so by itself.",
        LaneWay::ForcedQemu => "A setting of the container asked Docker Desktop for QEMU.",
        LaneWay::Direct => "A native container started the emulator with the program as its argument.",
    }
}

/// "normal", "quick".
pub fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Normal => "normal",
        Mode::Quick => "quick",
    }
}

/// The one sentence: what each emulator makes of programs.
pub fn headline(bench: &Bench) -> String {
    let emulated = || bench.lanes.iter().filter(|lane| lane.name != NATIVE);
    let lanes: Vec<String> = emulated().filter_map(|lane| lane_meaning(bench, lane)).map(|m| m.words).collect();
    if !lanes.is_empty() {
        return lanes.join("; ");
    }
    // Only the user's own work was measured: each ratio is its own sentence.
    let own: Vec<String> = bench
        .compared()
        .filter_map(|outcome| {
            let ratio = outcome.ratio?;
            let workload = bench.workload(&outcome.workload)?;
            let by = bench.lane(&outcome.lane).map(lane_name)?;
            Some(format!("{}: {} of native speed under {by}", workload.title, share(&ratio)))
        })
        .collect();
    match own.as_slice() {
        [] if emulated().next().is_none() => "Nothing emulated was measured".to_owned(),
        [] => "Nothing could be compared with native".to_owned(),
        some => some.join("; "),
    }
}

/// "QEMU", "native".
pub fn lane_name(lane: &Lane) -> &str {
    lane.emulator.as_deref().map_or("native", display_name)
}

/// What the measurement itself costs, from the empty workload: the time of an empty block in each lane.
pub fn harness(bench: &Bench) -> Option<String> {
    let empty = bench.results.iter().filter(|result| result.workload == "empty");
    let times: Vec<String> = empty
        .map(|result| {
            let nanoseconds = match result.unit {
                Unit::Nanoseconds => result.median,
                Unit::Seconds => result.median * 1e9,
                _ => 1e9 / result.median,
            };
            format!("{} ns in {}", amount(nanoseconds), result.lane)
        })
        .collect();
    (!times.is_empty()).then(|| format!("An empty block takes {}; blocks of work take far longer.", times.join(", ")))
}

/// "28 results in 41 s, quick, seed 7".
pub fn effort(bench: &Bench) -> String {
    let samples: usize = bench.results.iter().map(|result| result.samples.len()).sum();
    format!(
        "{} of {} in {:.0} s, {}, seed {}",
        count(samples, "sample"),
        count(bench.results.len(), "result"),
        bench.seconds,
        mode(bench.mode),
        bench.seed
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::example::bench;

    #[test]
    fn numbers_are_short_and_keep_their_digits() {
        for (value, expected) in [
            (0.0421, "0.042"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (123.4, "123"),
            (1234.0, "1234"),
            (45_600.0, "45.6 k"),
            (1_234_567.0, "1.23 M"),
            (9.9e9, "9.90 G"),
        ] {
            assert_eq!(amount(value), expected);
        }
        assert_eq!((percent(0.042), percent(0.214), percent(1.34)), ("4.2 %".into(), "21 %".into(), "134 %".into()));
    }

    #[test]
    fn a_run_has_one_sentence() {
        let run = bench(&[("integer", 100.0, 21.0), ("empty", 1e8, 5e7)]);
        assert_eq!(headline(&run), "QEMU runs linux/amd64 at 21 % of native speed (21 % to 21 % by workload)");
        assert_eq!(
            harness(&run).unwrap(),
            "An empty block takes 10.0 ns in native, 20.0 ns in qemu; blocks of work take far longer."
        );
        assert_eq!(speed(run.result("integer", "qemu").unwrap()), "21.0 blocks/s (20.8 to 21.2)");
        let own = bench(&[("own", 1.0, 4.0)]);
        assert!(headline(&own).starts_with("Your command in web:1: 25 % ("), "{}", headline(&own));
        let mut nothing = bench(&[]);
        assert_eq!(headline(&nothing), "Nothing could be compared with native");
        nothing.lanes.truncate(1);
        assert_eq!(headline(&nothing), "Nothing emulated was measured");
        assert!(effort(&run).starts_with("20 samples of 4 results in 41 s, quick"));
    }
}
