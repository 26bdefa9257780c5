//! The report as Markdown, for pasting into an issue. Nothing a container is called can become markup there: prose is
//! written with entities, values stand in code, and a mention or a reference is never one.

use std::fmt::Write;

use silidock_diagnosis::{
    fact::Fact,
    finding::Evidence,
    wayout::{Statement, WayOut, WayOutItem},
};

use crate::{
    Scan,
    bench::section,
    marks::Mark,
    view::{FindingView, FixView, Said, View},
    visible::visible,
};

/// The report, the verdict on top, details folded.
pub fn markdown(scan: &Scan) -> String {
    let view = View::new(scan);
    let mut out = Out(String::new());
    head(&mut out, &view);
    out.line("## Findings");
    if view.findings.is_empty() {
        out.line(view.no_findings);
    }
    for finding in &view.findings {
        write_finding(&mut out, finding, "###");
    }
    benchmark(&mut out, &view);
    engine(&mut out, &view);
    containers(&mut out, &view);
    images(&mut out, &view);
    if let Some(list) = &scan.way_out {
        out.line("## Way out");
        out.line(&format!("**{}.** {}", prose(&list.headline), prose(&list.detail)));
        way_out(&mut out, list, "###");
    }
    coverage(&mut out, &view);
    let words = view.words.iter().map(|(mark, words)| vec![bold(*mark), prose(words)]);
    out.folded("How to read this", |out| out.table(&["Word", "Meaning"], words));
    out.line("---");
    out.line(&format!(
        "<sub>Made by Silidock {} from facts taken on {}. Nothing was started, pulled or changed to make it.</sub>",
        view.version,
        prose(&view.taken)
    ));
    out.finished()
}

/// The way out list by itself, for an issue or a wiki page.
pub(crate) fn way_out_markdown(scan: &Scan, list: &WayOut) -> String {
    let view = View::new(scan);
    let mut out = Out(String::new());
    out.line(&format!("# {}", prose(&list.headline)));
    out.line(&prose(&list.detail));
    for mark in view.marks() {
        out.line(&format!("> **{}**", prose(mark)));
    }
    let engine = &scan.engine;
    let line = [&engine.runtime.name, &scan.engine_words(), &format!("Engine {}", engine.version)];
    out.line(&format!("{}. {}.", line.map(|part| prose(part)).join(", "), prose(&view.taken)));
    way_out(&mut out, list, "##");
    out.line("---");
    out.line(&format!(
        "<sub>Made by Silidock {}. No registry was asked; nothing was started, pulled or changed.</sub>",
        view.version
    ));
    out.finished()
}

/// Blocks, each followed by an empty line.
pub(crate) struct Out(pub(crate) String);

impl Out {
    pub(crate) fn finished(mut self) -> String {
        self.0.truncate(self.0.trim_end().len());
        self.0.push('\n');
        self.0
    }

    pub(crate) fn line(&mut self, block: &str) {
        self.0.push_str(block);
        self.0.push_str("\n\n");
    }

    pub(crate) fn table(&mut self, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        let mut row = |cells: &mut dyn Iterator<Item = &str>| {
            for cell in cells {
                self.0.push_str("| ");
                self.0.push_str(cell);
                self.0.push(' ');
            }
            self.0.push_str("|\n");
        };
        row(&mut head.iter().copied());
        row(&mut head.iter().map(|_| "---"));
        for cells in rows {
            row(&mut cells.iter().map(String::as_str));
        }
        self.0.push('\n');
    }

    pub(crate) fn folded(&mut self, summary: &str, inside: impl FnOnce(&mut Self)) {
        self.line(&format!("<details>\n<summary>{summary}</summary>"));
        inside(self);
        self.line("</details>");
    }
}

fn head(out: &mut Out, view: &View<'_>) {
    out.line(&format!("# {}", prose(&view.scan.verdict.headline)));
    out.line(&format!("{} · {}", bold(view.tone), prose(&view.scan.verdict.detail)));
    for mark in view.marks() {
        out.line(&format!("> **{}**", prose(mark)));
    }
    let engine = &view.scan.engine;
    out.line(&format!(
        "{}, {}, Engine {}. {}. {}",
        prose(&engine.runtime.name),
        prose(&view.scan.engine_words()),
        prose(&engine.version),
        prose(&view.taken),
        prose(&view.coverage)
    ));
    let numbers = view.numbers.iter().map(|n| vec![format!("**{}**", said(&n.value)), prose(n.label), prose(&n.note)]);
    out.table(&["What emulation costs here", "", ""], numbers);
    if !view.bar_words.is_empty() {
        out.line(&format!("{}.", prose(&view.bar_words)));
    }
}

fn write_finding(out: &mut Out, view: &FindingView<'_>, level: &str) {
    let finding = view.finding;
    out.line(&format!("{level} {} · {}", sign(view.mark), prose(&finding.title)));
    out.line(&prose(&finding.why));
    let check = code(&finding.check);
    out.line(&format!("{} · {} · check {check} · {}", view.confidence, prose(&view.place), code(&finding.id)));
    if !finding.evidence.is_empty() {
        out.line("Evidence:");
        out.line(&finding.evidence.iter().map(|e| format!("- {}", seen(e))).collect::<Vec<_>>().join("\n"));
    }
    for fix in &view.fixes {
        out.folded(&format!("Fix: {} ({})", prose(&fix.fix.title), fix.mark.word), |out| write_fix(out, fix));
    }
    if !view.folded.is_empty() {
        let summary = match view.folded.len() {
            1 => "1 finding says the same, less exactly".to_owned(),
            n => format!("{n} findings say the same, less exactly"),
        };
        out.folded(&summary, |out| {
            for under in &view.folded {
                write_finding(out, under, "####");
            }
        });
    }
}

fn write_fix(out: &mut Out, view: &FixView<'_>) {
    if !view.fix.summary.is_empty() {
        out.line(&prose(&view.fix.summary));
    }
    let mut steps = String::new();
    for (n, step) in view.steps.iter().enumerate() {
        let _ = writeln!(steps, "{}. {}", n + 1, prose(&step.title));
        for (label, text) in [("take out", &step.removed), ("put in", &step.added)] {
            if let Some(text) = text {
                let _ = writeln!(steps, "   - {label}: {}", code(text));
            }
        }
        for command in &step.commands {
            let _ = writeln!(steps, "   - run: {}", code(command));
        }
    }
    out.line(steps.trim_end());
}

fn benchmark(out: &mut Out, view: &View<'_>) {
    let (Some(bench), Some(meaning)) = (&view.bench, view.scan.benchmark.known()) else { return };
    out.line("## Benchmark");
    out.line(&format!("{}. {}", prose(&bench.headline), prose(&meaning.because)));
    if let Some(total) = &meaning.total {
        out.line(&prose(&total.words));
    }
    section(out, bench);
    out.folded("What is taken for granted", |out| {
        out.line(&meaning.assumptions.iter().map(|a| format!("- {}", prose(a))).collect::<Vec<_>>().join("\n"));
    });
}

fn engine(out: &mut Out, view: &View<'_>) {
    out.line("## Emulation");
    let rows =
        |rows: &[crate::view::Row]| rows.iter().map(|r| vec![prose(r.label), said(&r.value)]).collect::<Vec<_>>();
    out.table(&["", ""], rows(&view.emulation).into_iter());
    if !view.evidence.is_empty() {
        out.line(&view.evidence.iter().map(|e| format!("- {}", seen(e))).collect::<Vec<_>>().join("\n"));
    }
    let running = view.running.iter().map(|(label, n)| vec![prose(label), n.to_string()]);
    out.table(&["How they run", "Containers"], running);
    out.folded("Engine and machine", |out| out.table(&["", ""], rows(&view.engine).into_iter()));
}

fn containers(out: &mut Out, view: &View<'_>) {
    out.line("## Containers");
    if view.containers.is_empty() {
        return out.line(match view.scan.coverage.containers.listed {
            true => "There is no container on this engine.",
            false => "The list of containers could not be read; see Coverage.",
        });
    }
    let rows = view.containers.iter().map(|c| {
        let by = c.by.as_deref().map(|by| format!(", {}", prose(by))).unwrap_or_default();
        vec![
            code(&c.container.name),
            code(&c.container.image),
            said(&c.platform),
            said(&c.expected),
            format!("{}{by}", sign(c.runs)),
            said(&c.cpu),
            prose(&c.state),
            c.service.as_deref().map(prose).unwrap_or_default(),
            said(&c.processes),
        ]
    });
    let head = ["Container", "Image", "Platform", "Expected", "Runs", "CPU time", "State", "Compose", "Processes"];
    out.table(&head, rows);
    out.folded("What was seen of each container", |out| {
        let all = view.containers.iter().flat_map(|c| c.container.evidence.iter().map(|e| (&c.container.name, e)));
        let rows = all.map(|(name, e)| vec![code(name), prose(&e.place), code(&e.text)]);
        out.table(&["Container", "Where", "What"], rows);
    });
}

fn images(out: &mut Out, view: &View<'_>) {
    out.line("## Images");
    if view.images.is_empty() {
        return out.line(match view.scan.coverage.images.listed {
            true => "There is no image on this engine.",
            false => "The list of images could not be read; see Coverage.",
        });
    }
    let rows = view.images.iter().map(|i| {
        let names = std::iter::once(&i.name).chain(i.more_names).map(|name| code(name));
        let platforms = match &i.platforms {
            Ok(all) if all.is_empty() => "it lists none".to_owned(),
            Ok(all) => {
                let one = |p: &crate::view::PlatformView| {
                    format!("{} {}", said(&p.name), if p.here { "here" } else { "listed, not here" })
                };
                all.iter().map(one).collect::<Vec<_>>().join("<br>")
            }
            Err(gap) => said(gap),
        };
        let names = names.collect::<Vec<_>>().join("<br>");
        vec![names, code(i.id), platforms, said(&i.native), prose(&i.used_by), prose(&i.size)]
    });
    let rows: Vec<_> = rows.collect();
    let summary = silidock_diagnosis::text::count(rows.len(), "image");
    let head = ["Image", "Id", "Platforms", "Native here", "Used by", "Size"];
    out.folded(&summary, |out| out.table(&head, rows.into_iter()));
}

fn way_out(out: &mut Out, list: &WayOut, level: &str) {
    if !list.items.is_empty() {
        let head = ["What", "Name", "Platform", "Now", "Way out", "Why"];
        out.table(&head, list.items.iter().map(way_out_row));
        out.folded("What was seen of each", |out| {
            let all = list.items.iter().flat_map(|item| item.evidence.iter().map(move |e| (&item.name, e)));
            out.table(
                &["Name", "Where", "What"],
                all.map(|(name, e)| vec![code(name), prose(&e.place), code(&e.text)]),
            );
        });
    }
    if !list.gaps.is_empty() {
        out.line(&format!("{level} Could not be read or told"));
        out.table(&["What", "Why"], list.gaps.iter().map(|gap| vec![prose(&gap.what), prose(&gap.why)]));
    }
    out.line(&format!("{level} What is announced"));
    if let Some(why) = &list.outlook.elsewhere {
        out.line(&prose(why));
    }
    out.line(&list.outlook.announced.iter().map(statement).collect::<Vec<_>>().join("\n"));
    out.line(&format!("{level} What nobody knows"));
    out.line(&list.outlook.open.iter().map(statement).collect::<Vec<_>>().join("\n"));
}

fn way_out_row(item: &WayOutItem) -> Vec<String> {
    let platform = match &item.platform {
        Fact::Known(platform) => prose(&platform.to_string()),
        Fact::Unknown { unknown } => format!("<em>not known: {}</em>", prose(&unknown.why)),
    };
    let place = item.path.as_deref().map(|path| {
        let line = item.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("<br>{}", code(&format!("{path}{line}")))
    });
    let commands: String = item.way.commands.iter().map(|words| format!("<br>{}", code(&words.join(" ")))).collect();
    vec![
        prose(item.kind.word()),
        format!("{}{}", code(&item.name), place.unwrap_or_default()),
        platform,
        prose(&item.now),
        format!("**{}**: {}{commands}", item.way.kind.words(), prose(&item.way.title)),
        prose(&item.way.why),
    ]
}

fn statement(said: &Statement) -> String {
    let date = said.date.as_deref().map(|date| format!("{date}, ")).unwrap_or_default();
    format!("- {} ({date}{}: {})", prose(&said.text), said.grounds.words(), prose(&said.source))
}

fn coverage(out: &mut Out, view: &View<'_>) {
    out.line("## Coverage");
    out.line(&prose(&view.coverage));
    let gaps = &view.scan.coverage.gaps;
    if !gaps.is_empty() {
        let rows = gaps.iter().map(|gap| vec![prose(&gap.what), prose(&gap.why)]);
        out.table(&["Could not be read", "Why"], rows);
    }
    if !view.not_judged.is_empty() {
        let rows = view.not_judged.iter();
        let rows = rows.map(|n| vec![code(n.check), prose(&n.subject), prose(&n.gap.what), prose(&n.gap.why)]);
        out.table(&["Check that could not judge", "What", "Missing", "Why"], rows);
    }
    if !view.scan.silenced.is_empty() {
        let rows = view.scan.silenced.iter();
        let rows = rows.map(|s| vec![code(&s.check), prose(&s.title), prose(&s.reason), code(&s.said_by)]);
        out.table(&["Allowed check", "Finding", "Reason", "Said by"], rows);
    }
    if !view.scan.not_applicable.is_empty() {
        let rows = view.scan.not_applicable.iter().map(|n| vec![code(&n.check), prose(&n.why)]);
        out.table(&["Check that does not apply", "Why"], rows);
    }
}

fn bold(mark: Mark) -> String {
    format!("**{}**", sign(mark))
}

fn sign(mark: Mark) -> String {
    if mark.sign.is_empty() { mark.word.to_owned() } else { format!("{} {}", mark.sign, mark.word) }
}

fn said(said: &Said) -> String {
    if said.gap { format!("<em>{}</em>", prose(&said.text)) } else { prose(&said.text) }
}

fn seen(evidence: &Evidence) -> String {
    format!("{}: {}", prose(&evidence.place), code(&evidence.text))
}

/// Text that stays text: every character that means something to Markdown becomes an entity.
pub(crate) fn prose(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let at_start = out.is_empty();
        let special = match c {
            '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
            // A list, a quote or a heading only at the start; a link only before two slashes.
            '-' | '+' | '=' => at_start,
            '.' | ')' => next == ' ' && before.is_ascii_digit() && out.bytes().all(|b| b.is_ascii_digit()),
            ':' => next == '/',
            ' ' => at_start || before == ' ',
            _ => "\\`*{}[]<>#!|~&$@^".contains(c),
        };
        if special {
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push(c);
        }
        // Forges look for mentions and references in the finished text; a zero-width space ends them.
        if matches!(c, '@' | '#') {
            out.push_str("&#8203;");
        }
        before = c;
    }
    out
}

/// A value, letter by letter. No mention, reference or link is looked for in code.
pub(crate) fn code(text: &str) -> String {
    let text = visible(text);
    let tame = |c: char| !matches!(c, '`' | '|' | '\\' | '<' | '>' | '&' | '@');
    let padded = text.starts_with(' ') || text.ends_with(' ');
    if text.is_empty() {
        String::new()
    } else if !padded && text.chars().all(tame) {
        format!("`{text}`")
    } else {
        let mut out = String::from("<code>");
        for c in text.chars() {
            if c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | ',') || !c.is_ascii() {
                out.push(c);
            } else {
                let _ = write!(out, "&#{};", u32::from(c));
            }
        }
        out.push_str("</code>");
        out
    }
}
