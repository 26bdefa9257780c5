//! `silidock registry`.

use std::{fmt::Write, process::ExitCode};

use silidock_app::{
    App, AppOptions, Failure,
    diagnosis::{
        advice::Advice,
        fact::Fact,
        platform::{Nativeness, Platform},
        upstream::UpstreamKind,
    },
    wire::{RegistryDocument, RegistryLimit, RegistryReference, RegistryRequest},
};

use crate::{
    args::RegistryOptions,
    output::{Output, Style, shown, typed},
};

pub async fn run(options: RegistryOptions, output: &Output) -> Result<ExitCode, Failure> {
    let app = App::start(AppOptions::default());
    let request = RegistryRequest { references: options.references, newer: options.newer, engine: options.engine };
    let document = app.registry(request).await?;
    if output.json {
        output.document(&document)?;
    } else {
        output.print(&text(&document, output))?;
    }
    // Nothing known of any of them is a failure; of some, an answer with gaps.
    let none = document.references.iter().all(|one| one.error.is_some());
    Ok(if none { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn text(document: &RegistryDocument, output: &Output) -> String {
    let mut out = String::new();
    for (number, reference) in document.references.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        out.push_str(&one(reference, document.platform.as_ref(), output));
    }
    for limit in &document.limits {
        let _ = writeln!(out, "\n{}", output.styled(Style::Dim, &allowed(limit)));
    }
    out
}

fn one(reference: &RegistryReference, wanted: Option<&Platform>, output: &Output) -> String {
    let mut out = format!("{}\n", output.styled(Style::Strong, &reference.reference));
    match &reference.platforms {
        Fact::Known(platforms) => {
            let kind = match reference.kind {
                Some(UpstreamKind::Index) => "index",
                Some(UpstreamKind::Manifest) => "one image",
                None => "",
            };
            let digest = reference.digest.as_deref().unwrap_or_default();
            let listed = match (platforms.as_slice(), reference.gaps.as_slice()) {
                ([], []) => "none".to_owned(),
                ([], _) => "none could be read".to_owned(),
                (all, _) => words(all),
            };
            let _ = writeln!(out, "  platforms  {listed}");
            let _ = writeln!(out, "  digest     {} ({kind})", shown(digest));
        }
        Fact::Unknown { unknown } => {
            let _ = writeln!(out, "  not known  {}", shown(&unknown.why));
        }
    }
    for gap in &reference.gaps {
        let _ = writeln!(out, "  not read   {}: {}", shown(&gap.what), shown(&gap.why));
    }
    if let Some(hint) = &reference.hint {
        let _ = writeln!(out, "             {}", shown(hint));
    }
    match (&reference.newer, wanted) {
        (Some(Fact::Known(tags)), Some(wanted)) if tags.is_empty() => {
            let has =
                reference.platforms.known().is_some_and(|all| all.iter().any(|p| p.on(wanted) == Nativeness::Native));
            let own = if has { ", and this one has it" } else { "" };
            let _ = writeln!(out, "  newer      no newer tag has {wanted}{own}");
        }
        (Some(Fact::Known(tags)), Some(wanted)) => {
            let _ = writeln!(out, "  newer      tags that have {wanted}:");
            let width = tags.iter().map(|tag| tag.tag.len()).max().unwrap_or_default();
            for tag in tags {
                let _ = writeln!(out, "             {:<width$}  {}", shown(&tag.tag), words(&tag.platforms));
            }
        }
        (Some(Fact::Unknown { unknown }), _) if reference.error.is_none() => {
            let _ = writeln!(out, "  newer      not known: {}", shown(&unknown.why));
        }
        _ => {}
    }
    out.push_str(&advised(&reference.advice, output));
    out
}

/// What can be done, best first.
fn advised(advice: &[Advice], output: &Output) -> String {
    let mut out = String::new();
    for (place, one) in (1..).zip(advice) {
        let head = if place == 1 { "what to do" } else { "" };
        let _ = writeln!(out, "  {head:<10} {place}. {}", shown(&one.title));
        let said = format!("{} Risk: {}", one.cost, one.risk);
        let _ = writeln!(out, "                {}", output.styled(Style::Dim, &shown(&said)));
        for command in &one.commands {
            let _ = writeln!(
                out,
                "                {}",
                shown(&command.iter().map(|word| typed(word)).collect::<Vec<_>>().join(" "))
            );
        }
    }
    out
}

fn words(platforms: &[Platform]) -> String {
    platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn allowed(limit: &RegistryLimit) -> String {
    let window = match limit.window_seconds {
        Some(seconds) if seconds % 3600 == 0 => format!(" in {} h", seconds / 3600),
        Some(seconds) => format!(" in {seconds} s"),
        None => String::new(),
    };
    format!("{} allows {} of {} more pulls{window}.", shown(&limit.host), limit.remaining, limit.limit)
}
