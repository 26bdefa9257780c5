//! `silidock scan`.

use std::{fmt::Write, process::ExitCode};

use silidock_app::{
    App, AppOptions, Failure,
    diagnosis::{
        compose::Comparison,
        emulator::display_name,
        execution::{Execution, Expected},
        fact::Fact,
        finding::{Finding, Severity},
        fix::Safety,
        text::{count, list},
    },
    recording,
    report::{Scan, scan::ScanContainer},
    wire::{Nothing, fails},
};

use crate::{
    args::ScanOptions,
    output::{Output, Style, shown, table, typed},
};

pub async fn run(options: ScanOptions, output: &Output) -> Result<ExitCode, Failure> {
    if options.all_engines {
        return all(&options, output).await;
    }
    let (app, scan) = super::looked(&options.from, options.cpu, output).await?;
    if let Some(file) = &options.capture {
        recording::write(file, &app.last_inventory()?)?;
        let name = file.display();
        output.say(&format!(
            "Captured to {name}. It holds host names and paths as they are: read it before you hand it on."
        ));
    }
    if output.json {
        output.document(&scan)?;
    } else {
        output.print(&text(&scan, &options.from.words(), output))?;
    }
    let found = fails(&scan, options.fail_on.severity()) || (options.fail_on_gaps && scan.has_gaps());
    Ok(if found { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Every engine of this machine, one after the other.
async fn all(options: &ScanOptions, output: &Output) -> Result<ExitCode, Failure> {
    let app = App::start(AppOptions { processor_time: options.cpu, ..AppOptions::default() });
    let all = app.all_engines(Nothing {}).await?;
    if output.json {
        output.document(&all)?;
    } else {
        let mut out = String::new();
        for scan in &all.engines {
            let _ = writeln!(out, "{}", output.styled(Style::Strong, &format!("=== {}", scan.engine.runtime.name)));
            out.push_str(&text(scan, &format!(" --engine {}", typed(&scan.engine.endpoint)), output));
            out.push('\n');
        }
        for failed in &all.failed {
            let name = format!("=== {} could not be looked at", failed.name);
            let _ = writeln!(out, "{}", output.styled(Style::Broken, &name));
            let _ = writeln!(out, "{}: {}\n", shown(&failed.endpoint), shown(&failed.failure.message));
        }
        output.print(&out)?;
    }
    if all.engines.is_empty() {
        return Ok(ExitCode::from(2));
    }
    let at = options.fail_on.severity();
    let gaps = !all.failed.is_empty() || all.engines.iter().any(Scan::has_gaps);
    let found = all.engines.iter().any(|scan| fails(scan, at)) || (options.fail_on_gaps && gaps);
    Ok(if found { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn text(scan: &Scan, from: &str, output: &Output) -> String {
    let mut out = String::new();
    if scan.sample {
        let _ = writeln!(out, "{}\n", output.styled(Style::Slow, "SAMPLE: a recorded Mac, not your engine."));
    }
    if scan.replayed {
        let mark = format!("RECORDING: taken {}, not a look at an engine now.", scan.taken_at);
        let _ = writeln!(out, "{}\n", output.styled(Style::Slow, &mark));
    }
    let _ = writeln!(out, "{}", output.styled(Style::Strong, &scan.verdict.headline));
    let _ = writeln!(out, "{}\n", shown(&scan.verdict.detail));
    out.push_str(&engine(scan));
    out.push_str(&cost(scan));
    out.push_str(&findings(scan, from, output));
    out.push_str(&compose(scan, output));
    out.push_str(&containers(scan, output));
    out.push_str(&coverage(scan, output));
    out
}

fn engine(scan: &Scan) -> String {
    let engine = &scan.engine;
    let context = engine.context.as_ref().map(|c| format!(", context {c}")).unwrap_or_default();
    let set = match &engine.emulation.configured {
        Fact::Known(known) => format!("{} ({})", known.value, known.source),
        Fact::Unknown { unknown } => format!("not known: {}", unknown.why),
    };
    let really = match &engine.emulation.effective {
        Fact::Known(known) => known.emulator.clone(),
        Fact::Unknown { unknown } => format!("not known: {}", unknown.why),
    };
    let mut out = String::new();
    let lines = [
        (
            "Engine",
            format!(
                "{}, {}/{}, Engine {}, API {}{context}",
                engine.runtime.name, engine.os, engine.arch, engine.version, engine.api_version
            ),
        ),
        ("Address", format!("{} ({})", engine.endpoint, engine.chosen_by)),
        ("Emulator set", set),
        ("Emulator seen", really),
    ];
    for (name, value) in lines {
        let _ = writeln!(out, "{name:<14} {}", shown(&value));
    }
    out
}

/// What emulation costs here, where that was measured.
fn cost(scan: &Scan) -> String {
    let Fact::Known(meaning) = &scan.benchmark else { return String::new() };
    let mut out = String::new();
    for lane in &meaning.lanes {
        let _ = writeln!(out, "{:<14} {}", "Measured", shown(&lane.words));
    }
    if let Some(total) = &meaning.total {
        let _ = writeln!(out, "{:<14} {}", "", shown(&total.words));
    }
    out
}

fn findings(scan: &Scan, from: &str, output: &Output) -> String {
    let mut out = String::new();
    let open: Vec<&Finding> = scan.findings.iter().filter(|f| f.superseded_by.is_none()).collect();
    if open.is_empty() {
        return out;
    }
    let _ = writeln!(out, "\n{}", output.styled(Style::Strong, &count(open.len(), "finding")));
    for finding in open {
        let style = match finding.severity {
            Severity::Broken => Style::Broken,
            Severity::Slow => Style::Slow,
            Severity::Note => Style::Dim,
        };
        let word = format!("{:<6}", finding.severity.word().to_uppercase());
        let _ = writeln!(out, "\n{} {}", output.styled(style, &word), output.styled(Style::Strong, &finding.title));
        let _ = writeln!(out, "       {}", shown(&finding.why));
        if let Some(path) = &finding.subject.path {
            let line = finding.subject.line.map(|n| format!(":{n}")).unwrap_or_default();
            let _ = writeln!(out, "       at {}{line}", shown(path));
        }
        for evidence in &finding.evidence {
            let _ = writeln!(out, "       - {}: {}", shown(&evidence.place), shown(&evidence.text));
        }
        for fix in &finding.fixes {
            let does = if fix.safety == Safety::ShowOnly { "shows what to do" } else { "preview" };
            let option = if fix.option == 1 { String::new() } else { format!(" --option {}", fix.option) };
            let _ = writeln!(out, "       {} ({does}): silidock fix {}{option}{from}", shown(&fix.title), finding.id);
        }
        let folded = scan.findings.iter().filter(|f| f.superseded_by.as_ref() == Some(&finding.id)).count();
        if folded > 0 {
            let _ = writeln!(
                out,
                "       {}",
                output.styled(Style::Dim, &format!("includes {}", count(folded, "plainer finding")))
            );
        }
    }
    out
}

/// What the services of Compose projects would run here.
fn compose(scan: &Scan, output: &Output) -> String {
    let mut out = String::new();
    for project in &scan.compose {
        let files = project.files.iter().map(|file| shown(file)).collect::<Vec<_>>().join(", ");
        let _ =
            writeln!(out, "\n{}  {files}", output.styled(Style::Strong, &format!("Compose project {}", project.name)));
        match &project.services {
            Fact::Unknown { unknown } => {
                let _ = writeln!(out, "not known: {}", shown(&unknown.why));
            }
            Fact::Known(services) => {
                let mut rows = table(&["SERVICE", "PLATFORM", "IMAGE", "WOULD RUN", "BECAUSE"]);
                for service in services {
                    let profile = if service.active { "" } else { " (profile not set)" };
                    rows.add_row([
                        shown(&format!("{}{profile}", service.name)),
                        service.platform.as_ref().map_or_else(|| "none".to_owned(), |set| shown(&set.value)),
                        service.image.as_deref().map_or_else(|| "built".to_owned(), shown),
                        service.would.words(),
                        shown(&service.would.why),
                    ]);
                }
                let _ = writeln!(out, "{rows}");
            }
        }
        let said = match &project.compared {
            Fact::Known(Comparison::Agrees) => "docker compose config sees the same.".to_owned(),
            Fact::Known(Comparison::Differs { services }) => {
                format!("docker compose config sees something else of {}.", list(services))
            }
            Fact::Known(Comparison::Refuses { why }) => format!("Compose does not take the project: {why}"),
            Fact::Unknown { unknown } => format!("Not compared with docker compose config: {}.", unknown.why),
        };
        let _ = writeln!(out, "{}", output.styled(Style::Dim, &said));
        for gap in &project.gaps {
            let _ = writeln!(out, "{}", output.styled(Style::Slow, &format!("Not known: {}: {}", gap.what, gap.why)));
        }
    }
    out
}

fn containers(scan: &Scan, output: &Output) -> String {
    if scan.containers.is_empty() {
        return String::new();
    }
    let mut rows = table(&["CONTAINER", "IMAGE", "PLATFORM", "RUNS", "STATUS"]);
    for container in &scan.containers {
        rows.add_row([
            shown(&container.name),
            shown(&container.image),
            container.platform.known().map_or_else(|| "not known".to_owned(), ToString::to_string),
            runs(container),
            shown(&container.status),
        ]);
    }
    format!("\n{}\n{rows}\n", output.styled(Style::Strong, &count(scan.containers.len(), "container")))
}

fn runs(container: &ScanContainer) -> String {
    let name = container.emulator.as_deref().map_or("an emulator", display_name);
    match container.execution {
        Execution::Native => "native".to_owned(),
        Execution::Emulated => format!("under {name}"),
        Execution::Mixed => format!("partly under {name}"),
        Execution::Unknown => "not known".to_owned(),
        Execution::NotRunning => match container.expected {
            Fact::Known(Expected::Native) => "would run native".to_owned(),
            Fact::Known(Expected::Emulated) => "would be emulated".to_owned(),
            Fact::Unknown { .. } => "not known".to_owned(),
        },
    }
}

fn coverage(scan: &Scan, output: &Output) -> String {
    let (images, containers) = (scan.coverage.images, scan.coverage.containers);
    let part = |seen: silidock_app::report::scan::Seen, noun: &str| match seen.listed {
        true => format!("{} of {}", seen.seen, count(seen.total, noun)),
        false => format!("no {noun}, because the list could not be read"),
    };
    let mut out = format!("\nLooked at {} and {}.\n", part(containers, "container"), part(images, "image"));
    for gap in &scan.coverage.gaps {
        let _ = writeln!(out, "  not read: {}: {}", shown(&gap.what), shown(&gap.why));
    }
    if !scan.not_judged.is_empty() {
        let _ =
            writeln!(out, "{}", output.styled(Style::Slow, &format!("{} could not be judged:", scan.not_judged.len())));
        for unjudged in &scan.not_judged {
            let _ = writeln!(
                out,
                "  {} for {}: {}: {}",
                unjudged.check,
                shown(&unjudged.subject.id),
                shown(&unjudged.gap.what),
                shown(&unjudged.gap.why)
            );
        }
    }
    if !scan.silenced.is_empty() {
        let _ = writeln!(out, "{} allowed on purpose:", count(scan.silenced.len(), "finding"));
        for silenced in &scan.silenced {
            let _ = writeln!(
                out,
                "  {}: {} ({}: {})",
                silenced.check,
                shown(&silenced.title),
                shown(&silenced.said_by),
                shown(&silenced.reason)
            );
        }
    }
    out
}
