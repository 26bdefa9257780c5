//! `silidock builders`.

use std::{fmt::Write, process::ExitCode};

use silidock_app::{
    App, AppOptions, Failure,
    diagnosis::{builders::Builder, fact::Fact, fix::Fix},
    remedy::{Preview, Verified},
    wire::{BuildersDocument, BuildersRequest, ChangeOutcome, ProposalToken},
};

use crate::{
    args::{BuildersOptions, Consent},
    output::{Output, Style, shown},
};

pub async fn run(options: BuildersOptions, output: &Output) -> Result<ExitCode, Failure> {
    let app = App::start(AppOptions::default());
    let platforms: Vec<String> = options.platforms.iter().map(ToString::to_string).collect();
    let (containerd_store, image) = (options.containerd_store, options.image);
    let request = BuildersRequest { engine: options.engine, platforms, containerd_store, image };
    let document = app.builders(request).await?;
    if options.containerd_store {
        return image_store(&app, &document, options.consent, output).await;
    }
    let Some(token) = document.token.clone().filter(|_| options.create && options.consent.apply) else {
        if output.json {
            output.document(&document)?;
        } else {
            output.print(&text(&document, options.create, output))?;
        }
        if options.create && document.proposal.is_some() {
            output.say("Nothing was made. Add --apply to carry this out.");
        }
        return Ok(if document.platforms.is_empty() { ExitCode::from(1) } else { ExitCode::SUCCESS });
    };
    if !output.json {
        output.print(&text(&document, true, output))?;
    }
    let title = document.proposal.as_ref().map(|fix| fix.title.clone()).unwrap_or_default();
    if !super::agreed(options.consent, &format!("{title}?"), output)? {
        return Ok(ExitCode::SUCCESS);
    }
    output.say("Making the builder. Its image is pulled first, which takes a while.");
    let outcome = app.create_builder(ProposalToken { token }).await?;
    finished(&outcome, output)
}

/// Previews switching the image store over, and does it where that was asked for and can be done from here.
async fn image_store(
    app: &std::sync::Arc<App>,
    document: &BuildersDocument,
    consent: Consent,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let (Some(fix), Some(preview), Some(token)) =
        (&document.store_proposal, &document.store_preview, &document.store_token)
    else {
        return Ok(ExitCode::from(2));
    };
    let can = fix.changes_something() && preview.refused.is_none();
    match output.json {
        true if !(consent.apply && can) => output.document(document)?,
        true => {}
        false => output.print(&store_text(fix, preview, output))?,
    }
    if !can {
        output.say("Nothing was changed. These steps are yours to do.");
        return Ok(ExitCode::from(if consent.apply { 2 } else { 0 }));
    }
    if !consent.apply {
        output.say("Nothing was changed. Add --apply to carry this out.");
        return Ok(ExitCode::SUCCESS);
    }
    if !super::agreed(consent, &format!("{}?", fix.title), output)? {
        return Ok(ExitCode::SUCCESS);
    }
    output.say("Switching the image store over. The engine restarts, which takes a while.");
    let outcome = app.switch_image_store(ProposalToken { token: token.clone() }).await?;
    finished(&outcome, output)
}

fn store_text(fix: &Fix, preview: &Preview, output: &Output) -> String {
    let mut out = format!("{}\n{}\n", output.styled(Style::Strong, &fix.title), shown(&fix.summary));
    for diff in &preview.diffs {
        out.push_str(&super::drawn(diff, output));
    }
    for told in &preview.told {
        let _ = writeln!(out, "{}", shown(told));
    }
    if !preview.restarts.is_empty() {
        let _ = writeln!(out, "Stops: {}", shown(&preview.restarts.join(", ")));
    }
    let whose = if fix.changes_something() { "that are run, in this order" } else { "to run" };
    if !preview.commands.is_empty() {
        let _ = writeln!(out, "Commands {whose}:");
    }
    for command in &preview.commands {
        let _ = writeln!(out, "  {}", super::command_line(command));
    }
    if let Some(refusal) = &preview.refused {
        let _ = writeln!(out, "This cannot be done from here: {}.", shown(refusal.why.trim_end_matches('.')));
    }
    out
}

fn finished(outcome: &ChangeOutcome, output: &Output) -> Result<ExitCode, Failure> {
    if output.json {
        output.document(outcome)?;
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
    if document.store_lacks {
        let _ = writeln!(
            out,
            "For several platforms under one tag, the engine itself needs containerd's image store: silidock builders \
             --containerd-store"
        );
    }
    out
}

fn builder_text(builder: &Builder, output: &Output) -> String {
    let marks = [(builder.own, "this engine"), (builder.current, "buildx takes it by itself")];
    let marks: Vec<&str> = marks.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect();
    // One that is gone tells buildx neither driver nor place.
    let known: Vec<&str> =
        Some(builder.driver.as_str()).into_iter().filter(|word| !word.is_empty()).chain(marks).collect();
    let known = if known.is_empty() { String::new() } else { format!(" ({})", shown(&known.join(", "))) };
    let mut out = format!("{}{known}\n", output.styled(Style::Strong, &builder.name));
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
        let place = [node.name.as_str(), node.endpoint.as_str()].into_iter().filter(|word| !word.is_empty());
        let place = place.collect::<Vec<_>>().join(" at ");
        let state = format!("{}{version}", node.status);
        let words = [place, state].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(": ");
        if !words.is_empty() {
            let _ = writeln!(out, "  {}", shown(&words));
        }
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
