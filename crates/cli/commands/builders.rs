//! `silidock builders`.

use std::{fmt::Write, process::ExitCode};

use silidock_app::{
    App, AppOptions, Failure,
    diagnosis::{builders::Builder, fact::Fact},
    remedy::Verified,
    wire::{BuildersDocument, BuildersRequest},
};

use crate::{
    args::BuildersOptions,
    output::{Output, Style, shown},
};

pub async fn run(options: BuildersOptions, output: &Output) -> Result<ExitCode, Failure> {
    let app = App::start(AppOptions::default());
    let platforms: Vec<String> = options.platforms.iter().map(ToString::to_string).collect();
    let request = BuildersRequest { engine: options.engine, platforms };
    let document = app.builders(request.clone()).await?;
    if !(options.create && options.consent.apply) || document.proposal.is_none() {
        if output.json {
            output.document(&document)?;
        } else {
            output.print(&text(&document, options.create, output))?;
        }
        if options.create && document.proposal.is_some() {
            output.say("Nothing was made. Add --apply to carry this out.");
        }
        return Ok(if document.platforms.is_empty() { ExitCode::from(1) } else { ExitCode::SUCCESS });
    }
    if !output.json {
        output.print(&text(&document, true, output))?;
    }
    let title = document.proposal.as_ref().map(|fix| fix.title.clone()).unwrap_or_default();
    if !super::agreed(options.consent, &format!("{title}?"), output)? {
        return Ok(ExitCode::SUCCESS);
    }
    output.say("Making the builder. Its image is pulled first, which takes a while.");
    let outcome = app.create_builder(request).await?;
    if output.json {
        output.document(&outcome)?;
    } else {
        let receipt = &outcome.receipt;
        output.print(&format!("{}\nReceipt {receipt} (silidock undo {receipt})\n", shown(&outcome.words)))?;
    }
    Ok(if outcome.verified == Verified::Verified { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn text(document: &BuildersDocument, create: bool, output: &Output) -> String {
    let mut out = String::new();
    match &document.builders {
        Fact::Known(builders) => builders.iter().for_each(|builder| out.push_str(&builder_text(builder, output))),
        Fact::Unknown { unknown } => {
            let _ = writeln!(out, "not known: {}: {}", shown(&unknown.what), shown(&unknown.why));
        }
    }
    for platform in &document.platforms {
        let _ = writeln!(out, "{} is built {}", shown(&platform.platform), shown(&platform.words));
    }
    for lacking in &document.lacking {
        let _ = writeln!(out, "Builder {}", shown(lacking));
    }
    if let (Some(fix), Some(preview)) = (&document.proposal, &document.preview) {
        let _ = writeln!(out, "\n{}\n{}", output.styled(Style::Strong, &fix.title), shown(&fix.summary));
        for command in &preview.commands {
            let _ = writeln!(out, "  {}", super::command_line(command));
        }
        if !create {
            let _ = writeln!(out, "Add --create to have it made.");
        }
    }
    out
}

fn builder_text(builder: &Builder, output: &Output) -> String {
    let marks = [(builder.own, "this engine"), (builder.current, "buildx takes it by itself")];
    let marks: Vec<&str> = marks.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect();
    let marks = if marks.is_empty() { String::new() } else { format!(", {}", marks.join(", ")) };
    let head = output.styled(Style::Strong, &builder.name);
    let mut out = format!("{head} ({}{marks})\n", shown(&builder.driver));
    if let Some(error) = &builder.error {
        let _ = writeln!(out, "  cannot be used: {}", shown(error));
    }
    for node in &builder.nodes {
        let of = |native: bool| {
            let all = node.platforms.iter().filter(|platform| platform.native == native);
            all.map(|platform| platform.platform.to_string()).collect::<Vec<_>>().join(", ")
        };
        let (native, emulated) = (of(true), of(false));
        let version = node.version.as_ref().map(|version| format!(", BuildKit {version}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "  {} at {}: {}{}",
            shown(&node.name),
            shown(&node.endpoint),
            shown(&node.status),
            shown(&version)
        );
        for (word, platforms) in [("native", native), ("emulated", emulated)] {
            if !platforms.is_empty() {
                let _ = writeln!(out, "    {word:<9} {}", shown(&platforms));
            }
        }
        if let Some(error) = &node.error {
            let _ = writeln!(out, "    cannot be used: {}", shown(error));
        }
    }
    out
}
