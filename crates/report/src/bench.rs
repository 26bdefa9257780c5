//! A benchmark as a report of its own: HTML, Markdown, CSV and JSON; and as the section of a scan's report. The words
//! and numbers are worked out once, in [`BenchView`]; nothing is judged here.

use std::fmt::Write;

use askama::Template;
use silidock_diagnosis::{
    bench::{Bench, Lane, NATIVE, Outcome, UnavailableLane, words},
    statistics::Estimate,
};

use crate::{
    ReportError,
    chart::{Bar, Chart, chart},
    markdown::{Out, code, prose},
    view::{REDACTED, Row, Said, command_line, known, memory, moment, or_silent},
};

/// What is said of a run, in every form.
pub(crate) struct BenchView<'a> {
    pub bench: &'a Bench,
    pub taken: String,
    pub headline: String,
    pub effort: String,
    pub drawing: Option<Drawing>,
    pub rows: Vec<BenchRow<'a>>,
    pub overall: Vec<(String, String)>,
    pub steps: Vec<StepRow<'a>>,
    pub lanes: Vec<LaneRow<'a>>,
    pub unavailable: Vec<UnavailableRow<'a>>,
    pub machine: Vec<Row>,
    pub harness: Option<String>,
    pub version: &'static str,
}

pub(crate) struct BenchRow<'a> {
    pub title: &'a str,
    pub lane: &'a str,
    pub speed: String,
    pub ratio: Said,
    pub start_up: Option<String>,
    pub samples: usize,
}

pub(crate) struct StepRow<'a> {
    pub step: &'a str,
    pub lane: &'a str,
    pub time: String,
    pub ratio: Said,
}

pub(crate) struct LaneRow<'a> {
    pub lane: &'a Lane,
    pub words: String,
    pub way: &'static str,
}

pub(crate) struct UnavailableRow<'a> {
    pub lane: &'a UnavailableLane,
    /// How to get it: title, what it costs, commands.
    pub ways: Vec<(&'a str, &'a str, Vec<String>)>,
}

/// The chart in pixels of its own box.
pub(crate) struct Drawing {
    pub height: f64,
    pub native: f64,
    pub bottom: f64,
    pub ticks: Vec<(f64, String)>,
    pub groups: Vec<DrawnGroup>,
    pub legend: Vec<(f64, usize, String)>,
    pub words: String,
    pub scale: &'static str,
}

pub(crate) struct DrawnGroup {
    pub title: String,
    pub y: f64,
    pub mean: bool,
    pub bars: Vec<DrawnBar>,
}

pub(crate) struct DrawnBar {
    pub y: f64,
    pub low: f64,
    pub width: f64,
    pub at: f64,
    pub lane: usize,
    pub short: String,
}

const LEFT: f64 = 216.0;
const RIGHT: f64 = 810.0;
const TOP: f64 = 52.0;
const BAR: f64 = 18.0;
const GAP: f64 = 10.0;

impl Drawing {
    fn new(chart: Chart) -> Self {
        let x = |at: f64| round(LEFT + at * (RIGHT - LEFT));
        let mut y = TOP;
        let lane_of = |name: &str| chart.lanes.iter().position(|lane| lane == name).unwrap_or_default();
        let groups = chart.groups.iter().map(|group| {
            let from = y;
            let bars: Vec<DrawnBar> = group
                .bars
                .iter()
                .enumerate()
                .map(|(n, bar)| drawn(bar, from + n as f64 * BAR + BAR / 2.0, lane_of(&bar.lane), &x))
                .collect();
            y += bars.len() as f64 * BAR + GAP;
            let middle = from + bars.len() as f64 * BAR / 2.0;
            DrawnGroup { title: group.title.clone(), y: middle, mean: group.workload == crate::chart::OVERALL, bars }
        });
        let groups: Vec<DrawnGroup> = groups.collect();
        let legend = chart.lanes.iter().enumerate();
        Self {
            height: y + 6.0,
            bottom: y - GAP / 2.0,
            native: x(chart.native),
            ticks: chart.ticks.iter().map(|tick| (x(tick.at), tick.label.clone())).collect(),
            groups,
            legend: legend.map(|(n, lane)| (LEFT + n as f64 * 130.0, n, lane.clone())).collect(),
            words: chart.words,
            scale: if chart.logarithmic { "logarithmic scale" } else { "linear scale" },
        }
    }
}

fn drawn(bar: &Bar, y: f64, lane: usize, x: &impl Fn(f64) -> f64) -> DrawnBar {
    let (low, high) = (x(bar.low), x(bar.high));
    DrawnBar {
        y,
        low,
        // An interval narrower than a line is still drawn.
        width: (high - low).max(2.0),
        at: x(bar.at),
        lane,
        short: bar.short.clone(),
    }
}

fn round(pixel: f64) -> f64 {
    (pixel * 10.0).round() / 10.0
}

fn ratio(lane: &str, ratio: Option<&Estimate>) -> Said {
    match ratio {
        _ if lane == NATIVE => known("–"),
        Some(ratio) => known(words::share(ratio)),
        None => Said { text: "not compared".to_owned(), gap: true },
    }
}

impl<'a> BenchView<'a> {
    pub(crate) fn new(bench: &'a Bench) -> Self {
        let fix = |fix: &'a silidock_diagnosis::fix::Fix| {
            let commands = fix.steps.iter().flat_map(|step| match step {
                silidock_diagnosis::fix::Step::Tell { commands, .. } => {
                    commands.iter().map(|c| command_line(c)).collect()
                }
                _ => Vec::new(),
            });
            (fix.title.as_str(), fix.summary.as_str(), commands.collect())
        };
        Self {
            bench,
            taken: moment(&bench.taken_at),
            headline: words::headline(bench),
            effort: words::effort(bench),
            drawing: chart(bench).map(Drawing::new),
            rows: bench.results.iter().map(|result| row(bench, result)).collect(),
            overall: bench
                .overall
                .iter()
                .map(|o| (format!("{}: {}", o.lane, words::share(&o.ratio)), o.limits.clone()))
                .collect(),
            steps: bench.results.iter().flat_map(steps).collect(),
            lanes: bench
                .lanes
                .iter()
                .map(|lane| LaneRow { lane, words: words::lane(lane), way: words::way(lane) })
                .collect(),
            unavailable: bench
                .unavailable
                .iter()
                .map(|lane| UnavailableRow { lane, ways: lane.fixes.iter().map(fix).collect() })
                .collect(),
            machine: machine(bench),
            harness: words::harness(bench),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// The marks that must stand on top.
    pub(crate) fn marks(&self) -> Vec<&'static str> {
        let all = [(self.bench.sample, SAMPLE), (self.bench.cut_short, CUT_SHORT), (self.bench.redacted, REDACTED)];
        all.iter().filter(|(set, _)| *set).map(|(_, text)| *text).collect()
    }
}

const SAMPLE: &str = "Sample: this benchmark belongs to Silidock's embedded sample, not to an engine of yours.";
const CUT_SHORT: &str = "Cut short: it was ended before its time, so some numbers are missing or rest on few samples.";

fn row<'a>(bench: &'a Bench, result: &'a Outcome) -> BenchRow<'a> {
    BenchRow {
        title: bench.workload(&result.workload).map_or(result.workload.as_str(), |w| w.title.as_str()),
        lane: &result.lane,
        speed: words::speed(result),
        ratio: ratio(&result.lane, result.ratio.as_ref()),
        start_up: result.start_up.map(|time| format!("{} s to start", words::amount(time.median))),
        samples: result.samples.len(),
    }
}

fn steps(result: &Outcome) -> impl Iterator<Item = StepRow<'_>> {
    result.steps.iter().map(|step| StepRow {
        step: &step.name,
        lane: &result.lane,
        time: format!("{} s", words::amount(step.time.median)),
        ratio: ratio(&result.lane, step.ratio.as_ref()),
    })
}

fn machine(bench: &Bench) -> Vec<Row> {
    let machine = &bench.machine;
    let row = |label, value| Row { label, value };
    let size = match (machine.cpus, machine.memory) {
        (Some(cpus), Some(bytes)) => Some(format!("{cpus} processors, {} of memory", memory(bytes))),
        _ => None,
    };
    let by_itself: Vec<String> = machine
        .emulators
        .iter()
        .map(|e| match &e.version {
            Some(version) => format!("{}: {} {version}", e.platform, e.emulator),
            None => format!("{}: {}", e.platform, e.emulator),
        })
        .collect();
    let limits = format!("{} processors, {} of memory each", bench.limits.cpus, memory(bench.limits.memory));
    let mut rows = vec![
        row("Engine", known(format!("{}, Engine {}", machine.runtime, machine.version))),
        row("Address", known(&machine.endpoint)),
        row("Platform", known(machine.platform.to_string())),
        row("Kernel", or_silent(machine.kernel.as_deref())),
        row("Processor", or_silent(machine.cpu.as_deref())),
        row("Machine", or_silent(size.as_deref())),
        row("Runs by itself", or_silent((!by_itself.is_empty()).then(|| by_itself.join(", ")).as_deref())),
        row("Containers", known(limits)),
    ];
    if let Some(system) = &machine.host_system {
        let host = machine.host_cpu.as_ref().map(|cpu| format!("{system}, {cpu}"));
        rows.push(row("This machine", known(host.as_ref().unwrap_or(system))));
    }
    if let Some(own) = &bench.own {
        let what = match &own.build {
            Some(file) => format!("build of {}, {file}", own.image),
            None => own.program.as_ref().map_or(own.image.clone(), |program| format!("{program} in {}", own.image)),
        };
        rows.push(row("Yours", known(what)));
    }
    rows.push(row("Run", known(&bench.id)));
    rows
}

#[derive(Template)]
#[template(path = "bench.html", whitespace = "minimize")]
struct Page<'a> {
    bench: BenchView<'a>,
}

/// The run as a page.
///
/// # Errors
/// [`ReportError::Html`].
pub fn html(bench: &Bench) -> Result<String, ReportError> {
    let mut page = Page { bench: BenchView::new(bench) }.render()?;
    page.push('\n');
    Ok(page)
}

/// The run for an issue or a chat.
pub fn markdown(bench: &Bench) -> String {
    let view = BenchView::new(bench);
    let mut out = Out(String::new());
    out.line(&format!("# {}", prose(&view.headline)));
    for mark in view.marks() {
        out.line(&format!("> **{}**", prose(mark)));
    }
    section(&mut out, &view);
    out.line("---");
    out.line(&format!("<sub>Measured by Silidock {} on {}.</sub>", prose(&bench.silidock), prose(&view.taken)));
    out.finished()
}

/// Everything below the headline, also for the section of a scan.
pub(crate) fn section(out: &mut Out, view: &BenchView<'_>) {
    out.line(&format!("{}. {}", prose(&view.taken), prose(&view.effort)));
    let said = |said: &Said| if said.gap { format!("<em>{}</em>", prose(&said.text)) } else { prose(&said.text) };
    for (mean, limits) in &view.overall {
        out.line(&format!("**Geometric mean, {}.** {}", prose(mean), prose(limits)));
    }
    let rows = view.rows.iter().map(|row| {
        let start_up = row.start_up.as_ref().map(|time| format!(" ({time} apart)")).unwrap_or_default();
        let speed = format!("{}{}", prose(&row.speed), prose(&start_up));
        vec![prose(row.title), code(row.lane), speed, said(&row.ratio), row.samples.to_string()]
    });
    out.table(&["Workload", "Lane", "Speed", "Of native", "Samples"], rows);
    if !view.steps.is_empty() {
        let rows = view.steps.iter().map(|s| vec![code(s.step), code(s.lane), prose(&s.time), said(&s.ratio)]);
        out.table(&["Step", "Lane", "Time", "Of native"], rows);
    }
    if !view.bench.warnings.is_empty() {
        out.line("Against these numbers speaks:");
        let lines: Vec<String> = view.bench.warnings.iter().map(|w| format!("- {}", prose(&w.text))).collect();
        out.line(&lines.join("\n"));
    }
    out.folded("Who ran it, and how that is known", |out| {
        for lane in &view.lanes {
            out.line(&format!("{}: {} {}", code(&lane.lane.name), prose(&lane.words), prose(lane.way)));
            let lines = lane.lane.evidence.iter().map(|e| format!("- {}: {}", prose(&e.place), code(&e.text)));
            let lines: Vec<String> = lines.collect();
            if !lines.is_empty() {
                out.line(&lines.join("\n"));
            }
        }
        for row in &view.unavailable {
            out.line(&format!("{} could not be had: {}", code(&row.lane.name), prose(&row.lane.why)));
        }
    });
    out.folded("Where it was measured", |out| {
        out.table(&["", ""], view.machine.iter().map(|row| vec![prose(row.label), said(&row.value)]));
        if let Some(harness) = &view.harness {
            out.line(&prose(harness));
        }
    });
}

/// Every sample in a line of its own, for a spreadsheet: comma-separated, RFC 4180, with a header.
pub fn csv(bench: &Bench) -> String {
    let mut out = String::from("run,taken_at,workload,lane,emulator,platform,unit,number,value,start_up_median_s\r\n");
    for result in &bench.results {
        let lane = bench.lane(&result.lane);
        let emulator = lane.and_then(|lane| lane.emulator.clone()).unwrap_or_else(|| NATIVE.to_owned());
        let platform = lane.map(|lane| lane.platform.to_string()).unwrap_or_default();
        let start_up = result.start_up.map(|time| time.median.to_string()).unwrap_or_default();
        for (n, value) in result.samples.iter().enumerate() {
            let cells = [
                &bench.id,
                &bench.taken_at,
                &result.workload,
                &result.lane,
                &emulator,
                &platform,
                result.unit.word(),
                &(n + 1).to_string(),
                &value.to_string(),
                &start_up,
            ]
            .map(cell);
            let _ = write!(out, "{}\r\n", cells.join(","));
        }
    }
    out
}

/// Quoted where RFC 4180 asks for it; what a spreadsheet would take for a formula is text.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '@', '\t']) || (text.starts_with('-') && text.parse::<f64>().is_err());
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

/// The run as JSON, indented, with a line break at the end.
///
/// # Errors
/// [`ReportError::Json`].
pub fn json(bench: &Bench) -> Result<String, ReportError> {
    let mut text = serde_json::to_string_pretty(bench)?;
    text.push('\n');
    Ok(text)
}

/// A name for its file: `silidock-bench-2026-11-20-2015.html`. A sample and a redacted run say so.
pub fn file_name(bench: &Bench, extension: &str) -> String {
    let mut name = String::from("silidock-bench");
    for (mark, set) in [("-sample", bench.sample), ("-redacted", bench.redacted)] {
        if set {
            name.push_str(mark);
        }
    }
    if let Ok(taken) = bench.taken_at.parse::<jiff::Timestamp>() {
        name.push_str(&taken.strftime("-%Y-%m-%d-%H%M").to_string());
    }
    format!("{name}.{extension}")
}
