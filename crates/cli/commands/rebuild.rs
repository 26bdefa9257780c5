//! `silidock rebuild`.

use std::{fmt::Write, process::ExitCode, sync::Arc};

use silidock_app::{
    App, AppOptions, Failure, FailureCode,
    remedy::Verified,
    wire::{
        ApplyRebuildRequest, BuiltOutcome, Event, ImageState, PlannedBuild, RebuildOutcome, RebuildOutput,
        RebuildPreview, RebuildProgress, RebuildRequest, RecreatedContainer, ScanRequest,
    },
};

use crate::{
    args::RebuildOptions,
    output::{Output, Style, shown},
};

pub async fn run(options: RebuildOptions, output: &Output) -> Result<ExitCode, Failure> {
    let consent = options.consent;
    let app = App::start(AppOptions::default());
    if !options.compose.is_empty() {
        let (engine, compose) = (options.engine.clone(), super::compose_files(&options.compose));
        app.scan(ScanRequest { engine, compose, ..ScanRequest::default() }).await?;
    }
    let text_of = |path: Option<std::path::PathBuf>| path.map(|path| path.to_string_lossy().into_owned());
    let preview = app
        .preview_rebuild(RebuildRequest {
            engine: options.engine,
            subjects: options.subjects,
            platforms: options.platforms.iter().map(ToString::to_string).collect(),
            output: if options.push { RebuildOutput::Push } else { RebuildOutput::Load },
            builder: options.builder,
            context: text_of(options.context),
            file: text_of(options.file),
            target: options.target,
            recreate: options.recreate,
            copy_volumes: options.copy_volumes,
        })
        .await?;
    let refused = preview.preview.refused.as_ref().map(|refusal| {
        Failure::new(FailureCode::Refused, format!("{}.", refusal.why.trim_end_matches('.')))
            .detail(refusal.lines_to_type.clone())
    });
    if let (true, Some(failure)) = (consent.apply, &refused) {
        return Err(failure.clone());
    }
    if !output.json {
        output.print(&text(&preview, output))?;
    } else if !consent.apply {
        output.document(&preview)?;
    }
    let Some(token) = preview.token.clone().filter(|_| refused.is_none()) else { return Ok(ExitCode::from(2)) };
    if !consent.apply {
        output.say("Nothing was built. Add --apply to carry this out.");
        return Ok(ExitCode::SUCCESS);
    }
    let subjects: Vec<&str> = preview.builds.iter().map(|build| build.subject.as_str()).collect();
    let made: Vec<&str> = preview.containers.iter().map(|container| container.name.as_str()).collect();
    let then = if made.is_empty() { String::new() } else { format!(" and make {} anew", made.join(", ")) };
    if !super::agreed(consent, &format!("Build {} again{then}?", subjects.join(", ")), output)? {
        return Ok(ExitCode::SUCCESS);
    }
    let outcome = followed(&app, ApplyRebuildRequest { token }, output).await?;
    if output.json {
        output.document(&outcome)?;
    } else {
        output.print(&outcome_text(&outcome, output))?;
    }
    Ok(if outcome.verified == Verified::Verified { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Builds, and tells each step as it comes.
async fn followed(app: &Arc<App>, request: ApplyRebuildRequest, output: &Output) -> Result<RebuildOutcome, Failure> {
    let mut events = app.subscribe();
    let mut building = std::pin::pin!(app.apply_rebuild(request));
    let mut last = String::new();
    loop {
        tokio::select! {
            biased;
            event = events.recv() => {
                if let Ok(Event::Rebuild { progress }) = event
                    && let Some(line) = progress_line(&progress, &mut last)
                {
                    output.say(&line);
                }
            }
            outcome = &mut building => return outcome,
        }
    }
}

/// A line for each step that begins, and for each line that one prints.
fn progress_line(progress: &RebuildProgress, last: &mut String) -> Option<String> {
    if let Some(line) = &progress.line {
        return Some(format!("      {}", shown(line)));
    }
    let name = format!("{} {}", progress.number, progress.step);
    if progress.step.is_empty() || *last == name {
        return None;
    }
    *last = name;
    let which = if progress.of > 1 {
        format!("{} ({} of {}) ", progress.subject, progress.number, progress.of)
    } else {
        String::new()
    };
    let counted = if progress.total > 0 { format!("{}/{} ", progress.done, progress.total) } else { String::new() };
    Some(shown(&format!("{which}{counted}{}", progress.step)))
}

fn text(preview: &RebuildPreview, output: &Output) -> String {
    let mut out = String::new();
    for build in &preview.builds {
        let _ = write!(out, "{}", build_text(build, output));
    }
    if !preview.containers.is_empty() {
        let _ = writeln!(out, "{}", output.styled(Style::Strong, "Then made anew"));
    }
    for container in &preview.containers {
        let by = container.service.as_ref().map(|service| format!(" ({service}, by Compose)")).unwrap_or_default();
        let before = container.before.as_deref().unwrap_or("of a platform that is not known");
        let line =
            format!("  {}{by}: {before} now, {} then; it stops for a moment", container.name, container.platform);
        let _ = writeln!(out, "{}", shown(&line));
    }
    for told in &preview.preview.told {
        let _ = writeln!(out, "{}", shown(told));
    }
    let commands = preview.preview.commands.iter().filter(|command| !command.is_empty());
    if commands.clone().next().is_some() {
        let _ = writeln!(out, "\nCommands that are run, in this order:");
    }
    for command in commands {
        let _ = writeln!(out, "  {}", super::command_line(command));
    }
    if let Some(refusal) = &preview.preview.refused {
        let _ = writeln!(out, "This cannot be built: {}.", shown(refusal.why.trim_end_matches('.')));
        for line in &refusal.lines_to_type {
            let _ = writeln!(out, "  {}", shown(line));
        }
    }
    out
}

fn build_text(build: &PlannedBuild, output: &Output) -> String {
    let mut out = format!("{}\n", output.styled(Style::Strong, &format!("Build {} again", build.subject)));
    let from = match &build.dockerfile {
        Some(file) => format!("{}, by {file}", build.context),
        None => build.context.clone(),
    };
    let mut lines = vec![("From", format!("{from} ({})", build.known_by))];
    for platform in &build.platforms {
        lines.push(("For", format!("{}, {}", platform.platform, platform.words)));
    }
    lines.push(("As", build.references.join(", ")));
    lines.push((
        "Goes to",
        match build.output {
            RebuildOutput::Load => "the engine".to_owned(),
            RebuildOutput::Push => "its registry".to_owned(),
        },
    ));
    if let Some(before) = &build.before {
        lines.push(("Now", state(Some(before))));
    }
    for (name, value) in lines {
        let _ = writeln!(out, "  {name:<9}{}", shown(&value));
    }
    out
}

fn state(state: Option<&ImageState>) -> String {
    let Some(state) = state else { return "nothing".to_owned() };
    let id = state.id.split(':').next_back().unwrap_or_default();
    let short: String = id.chars().take(12).collect();
    match state.platforms.is_empty() {
        true => short,
        false => format!("{} ({short})", state.platforms.join(", ")),
    }
}

fn outcome_text(outcome: &RebuildOutcome, output: &Output) -> String {
    let mut out = String::new();
    for build in &outcome.builds {
        let _ = write!(out, "{}", built_text(build, output));
    }
    for container in &outcome.containers {
        let _ = write!(out, "{}", renewed_text(container, output));
    }
    let receipt = &outcome.receipt;
    let loaded = outcome.builds.iter().any(|build| build.output == RebuildOutput::Load);
    let undo = if loaded { format!(" (silidock undo {receipt})") } else { String::new() };
    let _ = writeln!(out, "{}\nReceipt {receipt}{undo}", shown(&outcome.words));
    out
}

fn renewed_text(container: &RecreatedContainer, output: &Output) -> String {
    let service = container.service.as_ref().map(|service| format!(" ({})", shown(service))).unwrap_or_default();
    let mut out = format!("{}{service}\n", output.styled(Style::Strong, &container.name));
    let platform = |platform: &Option<String>| platform.clone().unwrap_or_else(|| "not known".to_owned());
    let _ = writeln!(out, "  before   {}", shown(&platform(&container.before)));
    let _ = writeln!(out, "  after    {}", shown(&platform(&container.after)));
    if container.verified != Verified::Verified {
        let _ = writeln!(out, "{}", output.styled(Style::Broken, &format!("  {}", container.words)));
    }
    if let Some(kept) = &container.kept {
        let _ = writeln!(out, "  kept as  {}", shown(kept));
    }
    if let Some(written) = &container.written {
        let _ = writeln!(out, "  what it wrote outside of volumes is kept as {}", shown(written));
    }
    for copy in &container.copies {
        let _ = writeln!(out, "  volume copied to {}", shown(copy));
    }
    out
}

fn built_text(build: &BuiltOutcome, output: &Output) -> String {
    let mut out = format!("{}\n", output.styled(Style::Strong, &build.reference));
    if build.output == RebuildOutput::Load {
        let _ = writeln!(out, "  before   {}", shown(&state(build.before.as_ref())));
        let _ = writeln!(out, "  after    {}", shown(&state(build.after.as_ref())));
    }
    for checked in &build.checked {
        let line = format!("  {}: {}", checked.platform, checked.words);
        let style = (checked.verified == Verified::StillPresent).then_some(Style::Broken);
        let _ = writeln!(out, "{}", style.map_or_else(|| shown(&line), |style| output.styled(style, &line)));
    }
    if let Some(digest) = build.pushed.as_ref().and_then(|pushed| pushed.digest.as_ref()) {
        let _ = writeln!(out, "  digest   {}", shown(digest));
    }
    if let Some(kept) = &build.kept {
        let _ = writeln!(out, "  kept as  {}", shown(kept));
    }
    out
}
