//! `silidock wayout`.

use std::{fmt::Write, process::ExitCode};

use silidock_app::{
    Failure,
    diagnosis::{
        fact::Fact,
        text::count,
        wayout::{Statement, WayOutItem, WayOutKind},
    },
    wire::{Nothing, ReportFormat, ReportRequest, ReportSubject, WayOutDocument},
};

use crate::{
    args::{ListForm, WayOutOptions},
    output::{Output, Style, shown, typed},
};

pub async fn run(options: WayOutOptions, output: &Output) -> Result<ExitCode, Failure> {
    let (app, _) = super::looked(&options.from, false, output).await?;
    let format = match options.format {
        _ if output.json => ReportFormat::Json,
        ListForm::Json => ReportFormat::Json,
        ListForm::Markdown => ReportFormat::Markdown,
        ListForm::Csv => ReportFormat::Csv,
        ListForm::Text => {
            // The text is a view of the document, so what is hidden in one is hidden in the other.
            let request =
                ReportRequest { format: ReportFormat::Json, redact: options.redact, about: ReportSubject::WayOut };
            let document = match options.redact {
                false => app.wayout(Nothing {}).await?,
                true => serde_json::from_str(&app.render_report(request).await?.content).map_err(|error| {
                    Failure::new(silidock_app::FailureCode::File, format!("The list could not be made: {error}."))
                })?,
            };
            super::delivered(&text(&document, output), options.output.as_deref(), output)?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let request = ReportRequest { format, redact: options.redact, about: ReportSubject::WayOut };
    super::delivered(&app.render_report(request).await?.content, options.output.as_deref(), output)?;
    Ok(ExitCode::SUCCESS)
}

fn text(document: &WayOutDocument, output: &Output) -> String {
    let mut out = String::new();
    if document.sample {
        let _ = writeln!(out, "{}\n", output.styled(Style::Slow, "SAMPLE: a recorded Mac, not your engine."));
    }
    if document.replayed {
        let mark = format!("RECORDING: taken {}, not a look at an engine now.", document.taken_at);
        let _ = writeln!(out, "{}\n", output.styled(Style::Slow, &mark));
    }
    let list = &document.way_out;
    let _ = writeln!(out, "{}", output.styled(Style::Strong, &list.headline));
    let native =
        list.native.known().map_or_else(|| "of a platform that is not known".to_owned(), |p| format!("native for {p}"));
    let _ = writeln!(out, "{} ({}), {native}", shown(&document.runtime), shown(&document.endpoint));
    if !list.detail.is_empty() {
        let _ = writeln!(out, "{}", shown(&list.detail));
    }
    let mut kind = None;
    for item in &list.items {
        if kind != Some(item.kind) {
            kind = Some(item.kind);
            let same = list.items.iter().filter(|other| other.kind == item.kind).count();
            let _ = writeln!(out, "\n{}", output.styled(Style::Strong, &heading(item.kind, same)));
        }
        out.push_str(&thing(item, output));
    }
    if !list.gaps.is_empty() {
        let _ = writeln!(out, "\n{}", output.styled(Style::Strong, "Could not be read or told"));
        for gap in &list.gaps {
            let _ = writeln!(out, "  {}: {}", shown(&gap.what), shown(&gap.why));
        }
    }
    if let Some(why) = &list.outlook.elsewhere {
        let _ = writeln!(out, "\n{}", shown(why));
        return out;
    }
    for (title, rows) in [("What is announced", &list.outlook.announced), ("What nobody knows", &list.outlook.open)] {
        let _ = writeln!(out, "\n{}", output.styled(Style::Strong, title));
        for said in rows {
            out.push_str(&statement(said, output));
        }
    }
    out
}

fn heading(kind: WayOutKind, n: usize) -> String {
    count(n, kind.word())
}

fn thing(item: &WayOutItem, output: &Output) -> String {
    let platform = match &item.platform {
        Fact::Known(platform) => platform.to_string(),
        Fact::Unknown { .. } => "platform not known".to_owned(),
    };
    let mut out = format!("  {}  {platform}, {}\n", output.styled(Style::Strong, &item.name), shown(&item.now));
    if let Some(path) = &item.path {
        let line = item.line.map(|line| format!(":{line}")).unwrap_or_default();
        let _ = writeln!(out, "    at {}{line}", shown(path));
    }
    let style = if item.way.kind.known() { Style::Added } else { Style::Slow };
    let _ = writeln!(out, "    {}: {}", output.styled(style, item.way.kind.words()), shown(&item.way.title));
    let _ = writeln!(out, "    {}", output.styled(Style::Dim, &item.way.why));
    for words in &item.way.commands {
        let line: Vec<String> = words.iter().map(|word| typed(word)).collect();
        let _ = writeln!(out, "      {}", shown(&line.join(" ")));
    }
    for (place, advice) in (1..).zip(&item.advice) {
        let _ = writeln!(out, "    {place}. {}", shown(&advice.title));
        let said = format!("cost: {} Risk: {}", advice.cost, advice.risk);
        let _ = writeln!(out, "       {}", output.styled(Style::Dim, &shown(&said)));
    }
    out
}

fn statement(said: &Statement, output: &Output) -> String {
    let date = said.date.as_deref().map(|date| format!("{date}, ")).unwrap_or_default();
    let source = format!("{date}{}: {}", said.grounds.words(), said.source);
    format!("  - {}\n    {}\n", shown(&said.text), output.styled(Style::Dim, &source))
}
