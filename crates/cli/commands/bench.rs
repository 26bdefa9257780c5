//! `silidock bench`.

use std::{
    fmt::Write as _,
    io::{IsTerminal, Write},
    process::ExitCode,
    sync::Arc,
};

use silidock_app::{
    App, AppOptions, Failure,
    diagnosis::{
        bench::{
            Mode, NATIVE,
            compare::{Comparison, RosettaCost, Verdict},
            words,
            workload::WORKLOADS,
        },
        fact::Fact,
        text::count,
    },
    wire::{
        BenchCompareRequest, BenchHistory, BenchPhase, BenchProgress, BenchReportRequest, BenchRequest,
        BenchRunRequest, BenchView, BuildRequest, Event, Nothing, OwnRequest, QemuRequest, ReportFormat,
    },
};
use tokio::sync::broadcast::error::RecvError;

use crate::{
    args::{BenchForm, BenchOptions},
    output::{Output, Style, shown, table},
};

pub async fn run(options: BenchOptions, output: &Output) -> Result<ExitCode, Failure> {
    let app = App::start(AppOptions { processor_time: true, ..AppOptions::default() });
    let kept = &options.kept;
    if kept.list {
        output.print(&workloads())?;
    } else if kept.history {
        history(&app.bench_history(Nothing {}).await?, output)?;
    } else if let Some(id) = &kept.delete {
        history(&app.bench_delete(BenchRunRequest { id: id.clone() }).await?, output)?;
    } else if let Some([before, after]) = kept.compare.as_deref() {
        let request = BenchCompareRequest { before: before.clone(), after: after.clone() };
        let comparison = app.bench_compare(request).await?;
        if output.json { output.document(&comparison)? } else { output.print(&compared(&comparison, output))? }
    } else {
        let view = match &kept.show {
            Some(id) => app.bench_run(BenchRunRequest { id: id.clone() }).await?,
            None => measured(&app, &options, output).await?,
        };
        if output.json {
            output.document(&view.run)?;
        } else {
            output.print(&text(&view, output))?;
        }
        saved(&app, &view, &options, output).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn measured(app: &Arc<App>, options: &BenchOptions, output: &Output) -> Result<BenchView, Failure> {
    let platforms = options.platforms.clone();
    let request = BenchRequest {
        engine: options.engine.clone(),
        lanes: options.lanes.clone(),
        workloads: options.workloads.clone(),
        mode: if options.quick { Mode::Quick } else { Mode::Normal },
        own: options.image.as_ref().map(|image| OwnRequest {
            image: image.clone(),
            platforms: platforms.clone(),
            command: options.command.clone(),
        }),
        build: options.build.as_ref().map(|path| BuildRequest { path: path.clone(), platforms: platforms.clone() }),
        qemu: options.qemu_from.as_ref().map(|image| QemuRequest { image: image.clone(), pull: options.pull }),
        seed: options.seed,
    };
    output.say("Measuring in throw-away containers; they are removed afterwards, also after Ctrl-C.");
    let mut events = app.subscribe();
    let mut line = ProgressLine::default();
    let mut measuring = std::pin::pin!(app.bench(request));
    loop {
        tokio::select! {
            view = &mut measuring => return view,
            event = events.recv() => match event {
                Ok(Event::Bench { progress }) => line.show(&progress),
                // What was missed is told again by the next.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return measuring.await,
            },
        }
    }
}

/// Progress on standard error: one line that is written over on a terminal, a line for each tenth elsewhere.
#[derive(Default)]
struct ProgressLine {
    tenth: Option<u32>,
    open: bool,
}

impl ProgressLine {
    fn show(&mut self, progress: &BenchProgress) {
        let doing = match progress.phase {
            BenchPhase::Preparing => "starting containers",
            BenchPhase::Calibrating => "calibrating",
            BenchPhase::Measuring => "measuring",
            BenchPhase::CleaningUp => "removing what was started",
        };
        let what = progress.workload.as_ref().filter(|_| progress.phase != BenchPhase::CleaningUp);
        let what = what.map(|what| format!(" {what}")).unwrap_or_default();
        let lane = progress.lane.as_ref().filter(|_| !what.is_empty()).map(|lane| format!(" in {lane}"));
        let left = progress.seconds_left.map(|left| format!(", about {left:.0} s left")).unwrap_or_default();
        let text = format!("{:>3.0} %  {doing}{what}{}{left}", progress.done * 100.0, lane.unwrap_or_default());
        let mut out = std::io::stderr();
        // Nobody reads standard error: then nobody misses it.
        if out.is_terminal() {
            let _ = write!(out, "\r\u{1b}[K{}", shown(&text));
            let _ = out.flush();
            self.open = true;
        } else {
            let tenth = (progress.done * 10.0) as u32;
            if self.tenth != Some(tenth) {
                let _ = writeln!(out, "{}", shown(&text));
            }
            self.tenth = Some(tenth);
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.open {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}

async fn saved(app: &Arc<App>, view: &BenchView, options: &BenchOptions, output: &Output) -> Result<(), Failure> {
    let Some(path) = &options.output else { return Ok(()) };
    let format = match options.format {
        BenchForm::Html => ReportFormat::Html,
        BenchForm::Markdown => ReportFormat::Markdown,
        BenchForm::Json => ReportFormat::Json,
        BenchForm::Csv => ReportFormat::Csv,
    };
    let request = BenchReportRequest { id: view.run.id.clone(), format, redact: options.redact };
    let report = app.bench_report(request).await?;
    super::delivered(&report.content, Some(path), output)
}

fn workloads() -> String {
    let mut rows = table(&["ID", "WORKLOAD", "WHAT IT DOES", "QUICK"]);
    for offered in WORKLOADS {
        rows.add_row([offered.id, offered.title, offered.what, if offered.quick { "yes" } else { "" }]);
    }
    format!("{rows}\n")
}

fn history(history: &BenchHistory, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.document(history);
    }
    let mut out = String::new();
    if history.runs.is_empty() {
        out.push_str("Nothing was measured so far.\n");
    } else {
        let mut rows = table(&["RUN", "ENGINE", "WHAT WAS FOUND", ""]);
        for run in &history.runs {
            let mut notes = vec![words::mode(run.mode).to_owned()];
            notes.extend(run.sample.then(|| "sample".to_owned()));
            notes.extend(run.cut_short.then(|| "cut short".to_owned()));
            notes.extend((run.warnings > 0).then(|| count(run.warnings, "warning")));
            rows.add_row([run.id.clone(), shown(&run.engine), shown(&run.headline), notes.join(", ")]);
        }
        let _ = writeln!(out, "{rows}");
    }
    for damaged in &history.damaged {
        let _ = writeln!(out, "{} cannot be read: {}", damaged.id, shown(&damaged.why));
    }
    output.print(&out)
}

fn text(view: &BenchView, output: &Output) -> String {
    let run = &view.run;
    let mut out = String::new();
    if run.sample {
        let _ = writeln!(out, "{}\n", output.styled(Style::Slow, "SAMPLE: not from an engine of yours."));
    }
    let _ = writeln!(out, "{}", output.styled(Style::Strong, &view.headline));
    let _ =
        writeln!(out, "{} {}, {}. {}.\n", run.machine.runtime, run.machine.version, run.machine.platform, view.effort);
    let mut rows = table(&["WORKLOAD", "LANE", "SPEED (95 % INTERVAL)", "OF NATIVE", "SAMPLES"]);
    let mut last = "";
    for (result, words) in run.results.iter().zip(&view.rows) {
        let title = if last == words.title { "" } else { &words.title };
        last = &words.title;
        let ratio = match &words.ratio {
            Some(ratio) => ratio.clone(),
            None if result.lane == NATIVE => String::new(),
            None => "not compared".to_owned(),
        };
        let start_up = result.start_up.map(|time| format!(", and {} s to start", words::amount(time.median)));
        let speed = format!("{}{}", words.speed, start_up.unwrap_or_default());
        rows.add_row([shown(title), shown(&result.lane), speed, ratio, result.samples.len().to_string()]);
    }
    let _ = writeln!(out, "{rows}");
    out.push_str(&steps(view));
    for overall in &run.overall {
        let mean = format!("Geometric mean, {}: {} of native speed.", overall.lane, words::share(&overall.ratio));
        let _ = writeln!(out, "\n{}\n{}", output.styled(Style::Strong, &mean), overall.limits);
    }
    out.push_str(&warnings(view, output));
    out.push_str(&meaning(view, output));
    out.push_str(&lanes(view, output));
    let _ = writeln!(out, "\nKept as {}.", run.id);
    out
}

fn steps(view: &BenchView) -> String {
    let all = view.run.results.iter().flat_map(|result| result.steps.iter().map(move |step| (result, step)));
    let mut rows = table(&["STEP", "LANE", "TIME", "OF NATIVE"]);
    let mut any = false;
    for (result, step) in all {
        any = true;
        let ratio = step.ratio.as_ref().map(words::share).unwrap_or_default();
        rows.add_row([shown(&step.name), shown(&result.lane), format!("{} s", words::amount(step.time.median)), ratio]);
    }
    if any { format!("\n{rows}\n") } else { String::new() }
}

fn warnings(view: &BenchView, output: &Output) -> String {
    let warnings = &view.run.warnings;
    if warnings.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", output.styled(Style::Slow, "What speaks against these numbers:"));
    for warning in warnings {
        let _ = writeln!(out, "  - {}", shown(&warning.text));
    }
    out
}

fn meaning(view: &BenchView, output: &Output) -> String {
    let mut out = String::new();
    if let Some(cost) = &view.rosetta {
        out.push_str(&rosetta(cost, output));
    }
    let meaning = match &view.meaning {
        Fact::Known(meaning) => meaning,
        Fact::Unknown { .. } => return out,
    };
    if view.needs.is_empty() {
        return out;
    }
    let _ = writeln!(out, "\n{}", output.styled(Style::Strong, "What this means for your containers"));
    for need in &view.needs {
        let _ = writeln!(out, "  {}", shown(&need.words));
    }
    if let Some(total) = meaning.total.as_ref().filter(|total| total.containers > 1) {
        let _ = writeln!(out, "  {}", total.words);
    }
    let _ = writeln!(out, "  Taken for granted:");
    for assumption in &meaning.assumptions {
        let _ = writeln!(out, "  - {assumption}");
    }
    out
}

fn rosetta(cost: &RosettaCost, output: &Output) -> String {
    let mean = format!("Native programs run at {} of their speed without Rosetta.", words::share(&cost.overall));
    format!(
        "\n{}\nCompared: the run of {} with Rosetta on, that of {} with it off.\n",
        output.styled(Style::Strong, &mean),
        cost.on.taken_at,
        cost.off.taken_at
    )
}

fn lanes(view: &BenchView, output: &Output) -> String {
    let mut out = format!("\n{}\n", output.styled(Style::Strong, "Who ran it"));
    for lane in &view.run.lanes {
        let _ = writeln!(out, "  {}: {}. {}", shown(&lane.name), shown(&words::lane(lane)), words::way(lane));
        for seen in &lane.evidence {
            let _ = writeln!(out, "    - {}: {}", shown(&seen.place), shown(&seen.text));
        }
    }
    for lane in &view.run.unavailable {
        let _ = writeln!(out, "  {} ({}) could not be had: {}", shown(&lane.name), lane.platform, shown(&lane.why));
        for fix in &lane.fixes {
            let _ = writeln!(out, "    {}: {}", shown(&fix.title), shown(&fix.summary));
        }
    }
    if let Some(harness) = &view.harness {
        let _ = writeln!(out, "  {harness}");
    }
    out
}

fn compared(comparison: &Comparison, output: &Output) -> String {
    let mut out = format!("{} compared with {}\n", comparison.after.id, comparison.before.id);
    if !comparison.comparable {
        let _ = writeln!(out, "{}", output.styled(Style::Slow, "These are not comparable; see what differs."));
    }
    for difference in &comparison.differences {
        let prevents = if difference.prevents { " (so numbers cannot be compared)" } else { "" };
        let (before, after) = (shown(&difference.before), shown(&difference.after));
        let _ = writeln!(out, "  {}: {before}, now {after}{prevents}", shown(&difference.what));
    }
    if comparison.rows.is_empty() {
        out.push_str("Nothing was measured in both.\n");
        return out;
    }
    let mut rows = table(&["WORKLOAD", "LANE", "OF NATIVE, BEFORE", "NOW", "SPEED NOW / BEFORE", ""]);
    for row in &comparison.rows {
        let of_native = |ratio| if row.lane == NATIVE { String::new() } else { words::share(ratio) };
        let verdict = match row.verdict {
            Verdict::Faster => "faster",
            Verdict::Slower => "slower",
            Verdict::Same => "no change measured",
            Verdict::Unknown => "too few samples",
        };
        rows.add_row([
            row.workload.clone(),
            row.lane.clone(),
            of_native(&row.before),
            of_native(&row.after),
            words::share(&row.change),
            verdict.to_owned(),
        ]);
    }
    let _ = writeln!(out, "\n{rows}");
    out
}
