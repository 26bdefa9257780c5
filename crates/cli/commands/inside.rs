//! `silidock inside`.

use std::{collections::BTreeMap, fmt::Write, process::ExitCode};

use silidock_app::{
    App, AppOptions, Failure,
    diagnosis::{checks, contents::Via, fact::Fact, finding::Severity, text::count},
    wire::{InsideDocument, InsideProblem, InsideRequest},
};

use crate::{
    args::{InsideOptions, Way},
    output::{Output, Style, shown, table},
};

pub async fn run(options: InsideOptions, output: &Output) -> Result<ExitCode, Failure> {
    let app = App::start(AppOptions::default());
    let via = options.via.map(|way| match way {
        Way::Engine => Via::Engine,
        Way::Stream => Via::Stream,
    });
    let InsideOptions { subject, engine, platform, .. } = options;
    let document = app.inside(InsideRequest { engine, subject, kind: None, via, platform }).await?;
    if output.json {
        output.document(&document)?;
    } else {
        output.print(&text(&document, options.all, output))?;
    }
    let worst = document.findings.iter().map(|finding| finding.severity).min();
    let found = worst.is_some_and(|worst| worst <= options.fail_on.severity());
    let gaps = options.fail_on_gaps && !document.gaps.is_empty();
    // What runs first and is not there breaks as surely as what is there and wrong.
    let found = found || document.gaps.is_empty() && document.start.iter().any(|step| step.path.is_none());
    Ok(if found || gaps { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn text(document: &InsideDocument, all: bool, output: &Output) -> String {
    let mut out = format!("{}\n", output.styled(Style::Strong, &headline(document)));
    out.push_str(&facts(document));
    out.push_str(&start(document, output));
    out.push_str(&problems(document, output));
    out.push_str(&intended(document, all, output));
    if all {
        out.push_str(&folders(document));
    }
    for gap in &document.gaps {
        let _ = writeln!(out, "  not known: {}: {}", shown(&gap.what), shown(&gap.why));
    }
    out
}

fn headline(document: &InsideDocument) -> String {
    let open = document.problems.iter().filter(|problem| !problem.intended).count();
    let subject = &document.subject;
    let absent = document.start.iter().find(|step| step.path.is_none());
    match (open, document.gaps.is_empty()) {
        (0, true) if let Some(step) = absent => format!("{subject}: {} cannot be started", step.name),
        (0, true) => format!("{subject}: everything fits"),
        (0, false) => format!("{subject}: nothing wrong was found, but not everything could be read"),
        (n, _) => format!(
            "{subject}: {}",
            if n == 1 { "1 thing does not fit".to_owned() } else { format!("{n} things do not fit") }
        ),
    }
}

fn facts(document: &InsideDocument) -> String {
    let label = match &document.platform {
        Fact::Known(platform) => platform.to_string(),
        Fact::Unknown { unknown } => format!("not known: {}", unknown.why),
    };
    let code = &document.executables;
    let mut by_arch: Vec<(&String, &u64)> = code.by_arch.iter().collect();
    by_arch.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let by_arch: Vec<String> = by_arch.into_iter().map(|(arch, count)| format!("{count} {arch}")).collect();
    let split = if by_arch.is_empty() { String::new() } else { format!(" ({})", by_arch.join(", ")) };
    let way = match (document.via, &document.fallback) {
        (Via::Engine, _) => "from within, by a throw-away container".to_owned(),
        (Via::Stream, None) => "at its archive, as it passes".to_owned(),
        (Via::Stream, Some(why)) => format!("at its archive, because not from within: {why}"),
    };
    let mut out = String::new();
    let lines = [
        ("Says it is", label),
        ("Holds", format!("{} programs and libraries{split}, {}", code.count, count(number(code.scripts), "script"))),
        ("Files", format!("{} seen, {} not readable", document.files.seen, document.files.unreadable)),
        ("Looked", way),
    ];
    for (name, value) in lines {
        let _ = writeln!(out, "{name:<12} {}", shown(&value));
    }
    out
}

fn start(document: &InsideDocument, output: &Output) -> String {
    if document.start.is_empty() {
        return "Runs first   nothing: it names no entry point and no command\n".to_owned();
    }
    let mut out = String::new();
    for (number, step) in document.start.iter().enumerate() {
        let head = if number == 0 { "Runs first" } else { "" };
        let place = match &step.path {
            Some(path) if *path != step.name => format!("{} -> {path}", step.name),
            Some(path) => path.clone(),
            None => format!("{} (no program of that name was found)", step.name),
        };
        let arch = step.arch.as_ref().map(|arch| format!(", {arch}")).unwrap_or_default();
        let line = format!("{}: {place}{arch}", step.role.word());
        let line = if step.path.is_none() { output.styled(Style::Slow, &line) } else { shown(&line) };
        let _ = writeln!(out, "{head:<12} {line}");
    }
    out
}

fn problems(document: &InsideDocument, output: &Output) -> String {
    let mut out = String::new();
    for problem in document.problems.iter().filter(|problem| !problem.intended) {
        let style = match problem.severity {
            Severity::Broken => Style::Broken,
            Severity::Slow => Style::Slow,
            Severity::Note => Style::Dim,
        };
        let word = format!("{:<6}", problem.severity.word().to_uppercase());
        let first = if problem.first { ", run first" } else { "" };
        let place = output.styled(Style::Strong, &place(problem));
        let _ = writeln!(out, "\n{} {place}{first}", output.styled(style, &word));
        let _ = writeln!(out, "       {} ({})", shown(&problem.detail), problem.check);
        for example in problem.examples.iter().take(3) {
            let _ = writeln!(out, "       - {}", shown(example));
        }
        if let Some(line) = &problem.created_by {
            let _ = writeln!(out, "       brought by {}", shown(line));
        }
    }
    // What to do is said once for each check.
    let mut told: BTreeMap<&str, &str> = BTreeMap::new();
    for finding in &document.findings {
        if let Some(check) = checks::find(&finding.check) {
            told.insert(check.id, check.why);
        }
    }
    for (id, why) in told {
        let _ = writeln!(out, "\n{}\n  {why}", output.styled(Style::Strong, id));
    }
    out
}

fn place(problem: &InsideProblem) -> String {
    if problem.count == 1 {
        return problem.path.clone();
    }
    format!("{}: {}", problem.path, count(number(problem.count), "file"))
}

fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn intended(document: &InsideDocument, all: bool, output: &Output) -> String {
    let meant: Vec<&InsideProblem> = document.problems.iter().filter(|problem| problem.intended).collect();
    if meant.is_empty() {
        return String::new();
    }
    let mut rules: BTreeMap<(&str, &str), (u64, Vec<&InsideProblem>)> = BTreeMap::new();
    for problem in &meant {
        let Some(rule) = &problem.rule else { continue };
        let entry = rules.entry((&rule.id, &rule.why)).or_default();
        entry.0 += problem.count;
        entry.1.push(problem);
    }
    let mut out = format!("\n{}\n", output.styled(Style::Strong, "Meant to be there, or harmless"));
    for ((id, why), (files, problems)) in rules {
        let _ = writeln!(out, "  {}: {why} ({id})", count(number(files), "file"));
        let shown_here = if all { problems.len() } else { 0 };
        for problem in problems.iter().take(shown_here) {
            let _ = writeln!(out, "    - {}: {}", shown(&place(problem)), shown(&problem.detail));
        }
    }
    if !all {
        let _ = writeln!(out, "  {}", output.styled(Style::Dim, "--all lists them"));
    }
    out
}

fn folders(document: &InsideDocument) -> String {
    let mut rows = table(&["FOLDER", "PROGRAMS AND LIBRARIES"]);
    for folder in document.folders.iter().filter(|folder| !folder.by_arch.is_empty()) {
        let held: Vec<String> = folder.by_arch.iter().map(|(arch, count)| format!("{count} {arch}")).collect();
        rows.add_row([shown(&folder.path), shown(&held.join(", "))]);
    }
    format!("\n{rows}\n")
}
