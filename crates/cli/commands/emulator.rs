//! `silidock emulator`.

use std::{fmt::Write, process::ExitCode};

use silidock_app::{
    App, AppOptions, Failure,
    diagnosis::fact::Fact,
    wire::{EmulatorDocument, EmulatorRequest, EmulatorTarget},
};

use crate::{
    args::EmulatorOptions,
    output::{Output, Style, shown},
};

pub async fn run(options: EmulatorOptions, output: &Output) -> Result<ExitCode, Failure> {
    let app = App::start(AppOptions::default());
    let request = EmulatorRequest { engine: options.engine, guarded: options.read_guarded, builds: options.builds };
    output.say("Starting throw-away containers without a network; they are removed afterwards.");
    let document = app.emulator(request).await?;
    if output.json {
        output.document(&document)?;
    } else {
        output.print(&text(&document, output))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(document: &EmulatorDocument, output: &Output) -> String {
    let mut out = format!("Engine {} is linux/{}\n", shown(&document.endpoint), document.engine_arch);
    for target in &document.targets {
        out.push_str(&platform(target, output));
    }
    for finding in &document.findings {
        let _ = writeln!(
            out,
            "\n{} {}",
            finding.severity.word().to_uppercase(),
            output.styled(Style::Strong, &finding.title)
        );
        let _ = writeln!(out, "  {}", shown(&finding.why));
    }
    for gap in &document.gaps {
        let _ = writeln!(out, "  not known: {}: {}", shown(&gap.what), shown(&gap.why));
    }
    out
}

fn platform(target: &EmulatorTarget, output: &Output) -> String {
    let mut out = format!("\n{}\n", output.styled(Style::Strong, &target.platform.to_string()));
    let set = match &target.configured {
        Fact::Known(known) => format!("{} ({})", known.value, known.source),
        Fact::Unknown { unknown } => format!("not known: {}: {}", unknown.what, unknown.why),
    };
    let _ = writeln!(out, "  set to       {}", shown(&set));
    match &target.effective {
        Fact::Known(known) => {
            let version = known.version.as_ref().map(|v| format!(" {v}")).unwrap_or_default();
            let name = if known.emulator == "none" { "nothing: exec format error" } else { &known.emulator };
            let _ = writeln!(out, "  really runs  {}{}", shown(name), shown(&version));
            for seen in &known.evidence {
                let _ = writeln!(out, "               - {}: {}", shown(&seen.place), shown(&seen.text));
            }
        }
        Fact::Unknown { unknown } => {
            let _ = writeln!(out, "  really runs  not known: {}", shown(&unknown.why));
        }
    }
    match &target.builds {
        Fact::Known(known) => {
            let version = known.emulator.version.as_ref().map(|v| format!(" {v}")).unwrap_or_default();
            let name = if known.emulator.emulator == "none" { "nothing" } else { &known.emulator.emulator };
            let _ = writeln!(out, "  in builds    {}{}, by {}", shown(name), shown(&version), shown(&known.builder));
        }
        Fact::Unknown { unknown } => {
            let _ = writeln!(out, "  in builds    not known: {}", shown(&unknown.why));
        }
    }
    if let Some(said) = &target.disagreement {
        let _ = writeln!(out, "  {}", output.styled(Style::Slow, &format!("These do not agree: {said}.")));
    }
    out
}
