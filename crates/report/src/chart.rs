//! Geometry of the benchmark's chart: where each number lies between the left edge (0) and the right one (1). The HTML
//! report and the window draw the same chart from it, each in its own way; no colour and no pixel is here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use silidock_diagnosis::{
    bench::{Bench, NATIVE, words},
    statistics::Estimate,
};
use ts_rs::TS;

/// Speed as a share of native, for each workload and emulated lane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "BenchChart")]
pub struct Chart {
    /// Each step to the right multiplies, because the numbers lie far apart.
    pub logarithmic: bool,
    /// The marks of the scale.
    pub ticks: Vec<Tick>,
    /// Where native speed is.
    pub native: f64,
    /// Names of the lanes drawn, in order.
    pub lanes: Vec<String>,
    /// One group for each workload.
    pub groups: Vec<Group>,
    /// All of it in words, for those who do not see it.
    pub words: String,
}

/// A mark of the scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(rename = "BenchTick")]
pub struct Tick {
    /// Where.
    pub at: f64,
    /// What stands there: "10 %".
    pub label: String,
}

/// One workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(rename = "BenchGroup")]
pub struct Group {
    /// Its id; `overall` is the geometric mean.
    pub workload: String,
    /// What a person reads.
    pub title: String,
    /// One for each lane that has a ratio.
    pub bars: Vec<Bar>,
}

/// One ratio with its interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(rename = "BenchBar")]
pub struct Bar {
    /// Its lane.
    pub lane: String,
    /// Where the ratio lies.
    pub at: f64,
    /// Where its interval begins; at the ratio itself where it has none.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
    /// "21 % (19 % to 23 %)".
    pub label: String,
    /// "21 %".
    pub short: String,
}

/// Numbers further apart than this are drawn on a logarithmic scale.
const FAR_APART: f64 = 6.0;

/// The id of the group of geometric means.
pub const OVERALL: &str = "overall";

/// A workload's id and title, and the ratio of each lane.
type Named = (String, String, Vec<(String, Estimate)>);

/// The chart of a run; none where nothing has a ratio.
pub fn chart(bench: &Bench) -> Option<Chart> {
    let mut named: Vec<Named> = Vec::new();
    for workload in &bench.workloads {
        let ratios: Vec<_> = bench
            .lanes
            .iter()
            .filter(|lane| lane.name != NATIVE)
            .filter_map(|lane| Some((lane.name.clone(), bench.result(&workload.id, &lane.name)?.ratio?)))
            .collect();
        let compared = bench.compared().any(|result| result.workload == workload.id);
        if compared && !ratios.is_empty() {
            named.push((workload.id.clone(), workload.title.clone(), ratios));
        }
    }
    if named.is_empty() {
        return None;
    }
    let means: Vec<_> = bench.overall.iter().map(|overall| (overall.lane.clone(), overall.ratio)).collect();
    if !means.is_empty() && named.len() > 1 {
        named.push((OVERALL.to_owned(), "Geometric mean".to_owned(), means));
    }
    let ends = named.iter().flat_map(|(_, _, ratios)| ratios.iter().flat_map(|(_, ratio)| ends(ratio)));
    let scale = Scale::of(&ends.collect::<Vec<_>>());
    let lanes = bench.lanes.iter().map(|lane| lane.name.clone());
    let drawn = |lane: &String| named.iter().any(|(_, _, ratios)| ratios.iter().any(|(name, _)| name == lane));
    Some(Chart {
        logarithmic: scale.logarithmic,
        ticks: scale.ticks(),
        native: scale.at(1.0),
        lanes: lanes.filter(drawn).collect(),
        words: described(&named, scale.logarithmic),
        groups: named.into_iter().map(|(workload, title, ratios)| group(workload, title, &ratios, &scale)).collect(),
    })
}

fn ends(ratio: &Estimate) -> [f64; 3] {
    [ratio.low.unwrap_or(ratio.median), ratio.median, ratio.high.unwrap_or(ratio.median)]
}

fn group(workload: String, title: String, ratios: &[(String, Estimate)], scale: &Scale) -> Group {
    let bar = |(lane, ratio): &(String, Estimate)| {
        let [low, at, high] = ends(ratio).map(|end| scale.at(end));
        Bar { lane: lane.clone(), at, low, high, label: words::share(ratio), short: words::percent(ratio.median) }
    };
    Group { workload, title, bars: ratios.iter().map(bar).collect() }
}

fn described(named: &[Named], logarithmic: bool) -> String {
    let lines = named.iter().map(|(_, title, ratios)| {
        let each: Vec<String> = ratios.iter().map(|(lane, ratio)| format!("{lane} {}", words::share(ratio))).collect();
        format!("{title}: {}", each.join(", "))
    });
    let scale = if logarithmic { "logarithmic" } else { "linear" };
    format!("Speed as a share of native, {scale} scale, with 95 % intervals. {}.", lines.collect::<Vec<_>>().join(". "))
}

/// From shares of native speed to places.
struct Scale {
    logarithmic: bool,
    from: f64,
    to: f64,
}

impl Scale {
    /// Native speed is always on it.
    fn of(values: &[f64]) -> Self {
        let least = values.iter().copied().fold(1.0_f64, f64::min);
        let most = values.iter().copied().fold(1.0_f64, f64::max);
        if most / least > FAR_APART {
            // Room on both sides, so that nothing sits on the edge.
            return Self { logarithmic: true, from: (least / 1.25).ln(), to: (most * 1.25).ln() };
        }
        Self { logarithmic: false, from: 0.0, to: most * 1.08 }
    }

    fn at(&self, value: f64) -> f64 {
        let value = if self.logarithmic { value.ln() } else { value };
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<Tick> {
        let values: Vec<f64> = match self.logarithmic {
            true => {
                let decades = (-6..=3).map(|power| 10.0_f64.powi(power));
                // On a short scale every half decade too.
                let within: &[f64] = if self.to - self.from < 7.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
                decades.flat_map(|decade| within.iter().map(move |n| n * decade)).collect()
            }
            false => {
                let step = if self.to > 3.0 {
                    1.0
                } else if self.to > 1.6 {
                    0.5
                } else {
                    0.25
                };
                (0..=8).map(|n| step * f64::from(n)).collect()
            }
        };
        let inside = |value: &f64| {
            let place = if self.logarithmic { value.ln() } else { *value };
            (self.from..=self.to).contains(&place)
        };
        let label = |value: f64| {
            let percent = value * 100.0;
            let digits = if percent > 0.0 && percent < 0.1 { 2 } else { usize::from(percent > 0.0 && percent < 1.0) };
            format!("{percent:.digits$} %")
        };
        values.into_iter().filter(inside).map(|value| Tick { at: self.at(value), label: label(value) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use silidock_diagnosis::bench::example::bench;

    #[test]
    fn places_keep_the_order_of_numbers_on_both_scales() {
        for (rows, logarithmic) in [
            (vec![("integer", 100.0, 60.0), ("hash", 100.0, 130.0), ("memory-latency", 10.0, 20.0)], false),
            (vec![("integer", 100.0, 4.0), ("hash", 100.0, 130.0), ("memory-latency", 10.0, 200.0)], true),
        ] {
            let chart = chart(&bench(&rows)).unwrap();
            assert_eq!(chart.logarithmic, logarithmic);
            let all: Vec<&Bar> = chart.groups.iter().flat_map(|g| &g.bars).collect();
            for bar in &all {
                assert!(0.0 < bar.low && bar.low <= bar.at && bar.at <= bar.high && bar.high < 1.0, "{bar:?}");
            }
            let at = |workload: &str| chart.groups.iter().find(|g| g.workload == workload).unwrap().bars[0].at;
            assert!(at("hash") > chart.native && at("integer") < chart.native && at("memory-latency") < chart.native);
            assert!(at(OVERALL) < at("hash") && at(OVERALL) > at("memory-latency").min(at("integer")));
            assert!(chart.ticks.len() >= 4 && chart.ticks.len() <= 12, "{:?}", chart.ticks);
            assert!(chart.ticks.is_sorted_by(|a, b| a.at < b.at));
            let native = chart.ticks.iter().find(|tick| tick.label == "100 %").unwrap();
            assert!((native.at - chart.native).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_drawn_is_said_and_nothing_drawn_is_no_chart() {
        let chart_of = |rows: &[(&str, f64, f64)]| chart(&bench(rows));
        let one = chart_of(&[("integer", 100.0, 25.0), ("empty", 1e9, 1e9)]).unwrap();
        assert_eq!((one.groups.len(), one.lanes.as_slice()), (1, &["qemu".to_owned()][..]));
        assert!(one.words.contains("Whole numbers: qemu 25 % (") && one.words.contains("linear"), "{}", one.words);
        assert!(chart_of(&[]).is_none());
        let mut native_only = bench(&[("integer", 100.0, 25.0)]);
        native_only.results.retain(|result| result.lane == NATIVE);
        assert!(chart(&native_only).is_none());
    }
}
