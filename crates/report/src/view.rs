//! What a report says, worked out once: HTML and Markdown print the same words from here and differ in form only.
//!
//! Texts are as they came; each form makes them safe to show.

use silidock_diagnosis::{
    emulator::display_name,
    execution::{Execution, Expected},
    fact::{Fact, Gap},
    finding::{Evidence, Finding, Severity, Subject, SubjectKind},
    fix::{Fix, Step},
    inventory::{ContainerState, ImagePlatform, ImageStore, Locality},
    reference::short_id,
    text::{count, list},
};

use crate::{
    Scan,
    bench::BenchView,
    marks::{EMULATED, MIXED, Mark, NATIVE, STOPPED, UNKNOWN, WORDS, confidence, safety, severity, tone},
    scan::{ScanContainer, ScanImage, Seen},
};

/// A value, or in its place that it is not known and why.
pub(crate) struct Said {
    pub text: String,
    pub gap: bool,
}

pub(crate) struct Row {
    pub label: &'static str,
    pub value: Said,
}

pub(crate) struct Number {
    pub value: Said,
    pub label: &'static str,
    pub note: String,
}

pub(crate) struct Part {
    pub class: &'static str,
    pub percent: String,
}

pub(crate) struct FindingView<'a> {
    pub finding: &'a Finding,
    pub mark: Mark,
    pub confidence: &'static str,
    pub place: String,
    pub fixes: Vec<FixView<'a>>,
    pub folded: Vec<FindingView<'a>>,
}

pub(crate) struct FixView<'a> {
    pub fix: &'a Fix,
    pub mark: Mark,
    pub steps: Vec<StepView>,
}

#[derive(Default)]
pub(crate) struct StepView {
    pub title: String,
    pub removed: Option<String>,
    pub added: Option<String>,
    pub commands: Vec<String>,
}

pub(crate) struct ContainerView<'a> {
    pub container: &'a ScanContainer,
    pub service: Option<String>,
    pub state: String,
    pub platform: Said,
    pub expected: Said,
    pub runs: Mark,
    pub by: Option<String>,
    pub processes: Said,
    pub cpu: Said,
}

pub(crate) struct ImageView<'a> {
    pub name: String,
    pub more_names: &'a [String],
    pub id: &'a str,
    pub platforms: Result<Vec<PlatformView>, Said>,
    pub native: Said,
    pub size: String,
    pub used_by: String,
}

pub(crate) struct PlatformView {
    pub name: Said,
    pub here: bool,
}

pub(crate) struct NotJudgedView<'a> {
    pub check: &'a str,
    pub subject: String,
    pub gap: &'a Gap,
}

/// The whole report.
pub(crate) struct View<'a> {
    pub scan: &'a Scan,
    pub tone: Mark,
    pub taken: String,
    pub engine: Vec<Row>,
    pub emulation: Vec<Row>,
    pub evidence: &'a [Evidence],
    pub running: Vec<(String, usize)>,
    pub numbers: Vec<Number>,
    pub bar: Vec<Part>,
    pub bar_words: String,
    pub findings: Vec<FindingView<'a>>,
    pub containers: Vec<ContainerView<'a>>,
    pub images: Vec<ImageView<'a>>,
    pub coverage: String,
    pub not_judged: Vec<NotJudgedView<'a>>,
    pub no_findings: &'static str,
    pub words: &'static [(Mark, &'static str)],
    pub version: &'static str,
    pub bench: Option<BenchView<'a>>,
}

pub(crate) const SAMPLE: &str = "Sample: this report was made from Silidock's embedded sample, not from a real engine.";
pub(crate) const REPLAYED: &str = "Recording: made from a capture that was replayed, not from a look at an engine now.";
pub(crate) const REDACTED: &str = "Redacted: host names, user names, home folders, private registries, addresses and \
                                   environment values were replaced before this report was written.";

impl<'a> View<'a> {
    pub(crate) fn new(scan: &'a Scan) -> Self {
        let emulation = &scan.engine.emulation;
        let (bar, bar_words) = bar(scan);
        Self {
            scan,
            tone: tone(scan.verdict.tone),
            taken: moment(&scan.taken_at),
            engine: engine(scan),
            emulation: emulation_rows(scan),
            evidence: emulation.effective.known().map(|e| e.evidence.as_slice()).unwrap_or_default(),
            running: running(scan),
            numbers: numbers(scan),
            bar,
            bar_words,
            findings: findings(scan),
            containers: scan.containers.iter().map(container).collect(),
            images: scan.images.iter().map(image).collect(),
            coverage: coverage(scan),
            not_judged: not_judged(scan),
            no_findings: if scan.has_gaps() {
                "No check found anything in what could be read. What could not be read is listed under Coverage."
            } else {
                "No check found anything."
            },
            words: WORDS,
            version: env!("CARGO_PKG_VERSION"),
            bench: scan.bench.as_deref().map(BenchView::new),
        }
    }

    /// The marks that must stand on top.
    pub(crate) fn marks(&self) -> Vec<&'static str> {
        [(self.scan.sample, SAMPLE), (self.scan.replayed, REPLAYED), (self.scan.redacted, REDACTED)]
            .iter()
            .filter(|(set, _)| *set)
            .map(|(_, text)| *text)
            .collect()
    }
}

pub(crate) fn known(text: impl Into<String>) -> Said {
    Said { text: text.into(), gap: false }
}

fn not_known(gap: &Gap) -> Said {
    Said { text: format!("not known: {}", gap.why), gap: true }
}

fn said<T>(fact: &Fact<T>, words: impl FnOnce(&T) -> String) -> Said {
    match fact {
        Fact::Known(value) => known(words(value)),
        Fact::Unknown { unknown } => not_known(unknown),
    }
}

pub(crate) fn or_silent(value: Option<&str>) -> Said {
    match value {
        Some(text) => known(text),
        None => Said { text: "not known: the engine does not say".to_owned(), gap: true },
    }
}

/// "20 November 2026, 09:00 UTC".
pub(crate) fn moment(rfc3339: &str) -> String {
    match rfc3339.parse::<jiff::Timestamp>() {
        Ok(time) => time.strftime("%-d %B %Y, %H:%M UTC").to_string(),
        Err(_) => rfc3339.to_owned(),
    }
}

fn engine(scan: &Scan) -> Vec<Row> {
    let engine = &scan.engine;
    let store = match engine.image_store {
        ImageStore::Containerd => known("containerd: a tag can hold several platforms"),
        ImageStore::Classic => known("classic: one platform per tag"),
        ImageStore::Unknown => or_silent(None),
    };
    let place = match engine.locality {
        Locality::Local => "on this machine",
        Locality::Remote => "on another machine",
        Locality::Unknown => "perhaps on another machine",
    };
    let mut machine: Vec<String> = Vec::new();
    machine.extend(engine.cpus.map(|n| count(n as usize, "processor")));
    machine.extend(engine.memory.map(|n| format!("{} of memory", memory(n))));
    let host = &scan.host;
    let mut looked_from = format!("{} {}", host_system(&host.os), host.os_version.as_deref().unwrap_or_default());
    looked_from = format!("{}, {}", looked_from.trim(), host.arch);
    if let Some(cpu) = &host.cpu {
        looked_from = format!("{looked_from}, {cpu}");
    }
    let row = |label, value| Row { label, value };
    let mut rows = vec![
        row("Runtime", known(&engine.runtime.name)),
        row("Told by", known(&engine.runtime.evidence)),
        row("Engine", known(format!("{}, API {}", engine.version, engine.api_version))),
        row("Architecture", known(scan.engine_words())),
        row("System", or_silent(engine.operating_system.as_deref())),
        row("Kernel", or_silent(engine.kernel.as_deref())),
        row("Host name", or_silent(engine.host_name.as_deref())),
        row("Machine", or_silent((!machine.is_empty()).then(|| machine.join(", ")).as_deref())),
        row("Image store", store),
        row("Address", known(&engine.endpoint)),
        row("Where it runs", known(place)),
    ];
    if let Some(context) = &engine.context {
        rows.push(row("Docker context", known(context)));
    }
    rows.push(row("Chosen by", known(&engine.chosen_by)));
    rows.push(row("Looked from", known(looked_from)));
    rows
}

fn host_system(os: &str) -> &str {
    match os {
        "macos" => "macOS",
        "linux" => "Linux",
        "windows" => "Windows",
        other => other,
    }
}

fn emulation_rows(scan: &Scan) -> Vec<Row> {
    let emulation = &scan.engine.emulation;
    let mut rows = vec![Row { label: "Set to", value: said(&emulation.configured, |c| c.value.clone()) }];
    if let Some(configured) = emulation.configured.known() {
        rows.push(Row { label: "Set in", value: known(&configured.source) });
    }
    let effective = said(&emulation.effective, |e| match &e.version {
        Some(version) => format!("{} {version}", e.emulator),
        None => e.emulator.clone(),
    });
    rows.push(Row { label: "Really runs", value: effective });
    match &scan.benchmark {
        Fact::Known(meaning) => {
            let lanes = meaning.lanes.iter().map(|lane| lane.words.clone()).collect::<Vec<_>>().join("; ");
            rows.push(Row { label: "Measured", value: known(lanes) });
            rows.extend(meaning.total.as_ref().map(|total| Row { label: "Costs", value: known(&total.words) }));
        }
        Fact::Unknown { unknown } => rows.push(Row { label: "Measured", value: not_known(unknown) }),
    }
    rows
}

fn running(scan: &Scan) -> Vec<(String, usize)> {
    let tally = &scan.tally;
    let mut rows = vec![("Native".to_owned(), tally.native)];
    rows.extend(tally.emulated.iter().map(|e| (format!("Under {}", e.name), e.count)));
    rows.push(("Partly emulated".to_owned(), tally.mixed));
    rows.push(("Not known".to_owned(), tally.unknown));
    rows.push(("Not running".to_owned(), tally.stopped));
    rows
}

fn numbers(scan: &Scan) -> Vec<Number> {
    let tally = &scan.tally;
    // What is not known may be emulated as well, so a share is then only the least it can be.
    let share = |share: f64| match tally.unknown {
        0 => known(percent(share)),
        _ => known(format!("at least {}", percent(share))),
    };
    let gap = || Said { text: "not known".to_owned(), gap: true };
    let containers = match tally.running {
        _ if !scan.coverage.containers.listed => gap(),
        0 => known("none"),
        running => share(tally.touched() as f64 / running as f64),
    };
    let mut note = format!("{} of {} emulated", tally.touched(), count(tally.running, "running container"));
    if tally.unknown > 0 {
        note = format!("{note}, {} not known", tally.unknown);
    }
    let (cpu, cpu_note) = match tally.emulated_cpu_share {
        Some(used) => (share(used), "used since they started".to_owned()),
        None => (gap(), cpu_gap(scan)),
    };
    let shown = findings(scan);
    let of = |severity: Severity| shown.iter().filter(|f| f.finding.severity == severity).count();
    let found = [Severity::Broken, Severity::Slow, Severity::Note].map(of);
    let named = found.iter().zip(["broken", "slow", "to note"]).filter(|(n, _)| **n > 0);
    let words: Vec<String> = named.map(|(n, word)| format!("{n} {word}")).collect();
    let label = if shown.len() == 1 { "finding" } else { "findings" };
    vec![
        Number { value: containers, label: "of running containers", note },
        Number { value: cpu, label: "of container CPU time", note: cpu_note },
        Number { value: known(shown.len().to_string()), label, note: list(&words) },
    ]
}

fn cpu_gap(scan: &Scan) -> String {
    let running = || scan.containers.iter().filter(|c| c.state.has_processes());
    match running().find_map(|c| Some((&c.name, c.cpu_seconds.gap()?))) {
        Some((name, gap)) => format!("{name}: {}", gap.why),
        None if running().next().is_none() => "no container is running".to_owned(),
        None => "no processor time was used yet".to_owned(),
    }
}

/// Processor time where it is known, else containers: how much is native, emulated, not known.
fn bar(scan: &Scan) -> (Vec<Part>, String) {
    let tally = &scan.tally;
    let all = tally.running.max(1) as f64;
    let unknown = tally.unknown as f64 / all;
    let (shares, of) = match tally.emulated_cpu_share {
        Some(share) if tally.unknown == 0 => ([1.0 - share, share, 0.0], "CPU time"),
        _ => ([tally.native as f64 / all, tally.touched() as f64 / all, unknown], "Running containers"),
    };
    let named = [("native", "native"), ("slow", "emulated"), ("unknown", "not known")];
    let filled = || named.iter().zip(shares).filter(|(_, share)| *share > 0.0);
    if tally.running == 0 {
        return (Vec::new(), String::new());
    }
    let words: Vec<String> = filled().map(|((_, word), share)| format!("{} {word}", percent(share))).collect();
    let parts = filled().map(|((class, _), share)| Part { class, percent: format!("{:.2}", share * 100.0) });
    (parts.collect(), format!("{of}: {}", words.join(", ")))
}

fn findings(scan: &Scan) -> Vec<FindingView<'_>> {
    let shown = |id: &str| scan.findings.iter().any(|f| f.id == id && f.superseded_by.is_none());
    let top = |f: &&Finding| f.superseded_by.as_deref().is_none_or(|by| !shown(by));
    let folded = |by: &str| {
        let under = scan.findings.iter().filter(|f| f.superseded_by.as_deref() == Some(by));
        under.map(|f| finding(f, Vec::new())).collect::<Vec<_>>()
    };
    scan.findings.iter().filter(top).map(|f| finding(f, folded(&f.id))).collect()
}

fn finding<'a>(finding: &'a Finding, folded: Vec<FindingView<'a>>) -> FindingView<'a> {
    let fixes = finding.fixes.iter();
    FindingView {
        finding,
        mark: severity(finding.severity),
        confidence: confidence(finding.confidence),
        place: place(&finding.subject),
        fixes: fixes
            .map(|fix| FixView { fix, mark: safety(fix.safety), steps: fix.steps.iter().map(step).collect() })
            .collect(),
        folded,
    }
}

/// "container web", "service shop/db, /Users/sam/shop/compose.yaml:12".
fn place(subject: &Subject) -> String {
    let kind = match subject.kind {
        SubjectKind::Engine => "engine",
        SubjectKind::Container => "container",
        SubjectKind::Image => "image",
        SubjectKind::Service => "service",
        SubjectKind::Setting => "setting",
    };
    let mut place = format!("{kind} {}", subject.id);
    if let Some(path) = &subject.path {
        place = format!("{place}, {path}");
        for number in [subject.line, subject.column].into_iter().flatten() {
            place = format!("{place}:{number}");
        }
    }
    place
}

fn step(step: &Step) -> StepView {
    let mut view = StepView { title: step.title(), ..StepView::default() };
    match step {
        Step::EditYaml { .. }
        | Step::ConvertLineEndings { .. }
        | Step::PullPlatform { .. }
        | Step::CopyVolumes { .. }
        | Step::KeepWritten { .. }
        | Step::RecreateContainer { .. }
        | Step::RecreateService { .. }
        | Step::BuildImage { .. } => {}
        Step::InsertLine { text, .. } | Step::AppendLine { text, .. } => view.added = Some(text.clone()),
        Step::EditLine { expected, replacement, .. } => {
            view.removed = Some(expected.clone());
            view.added.clone_from(replacement);
        }
        Step::EditSettings { values, .. } => {
            view.added =
                Some(values.iter().map(|v| format!("\"{}\": {}", v.key, v.value)).collect::<Vec<_>>().join(", "));
        }
        Step::RuntimeCommand { argv, .. } => view.commands = vec![command_line(argv)],
        Step::Tell { commands, .. } => view.commands = commands.iter().map(|c| command_line(c)).collect(),
    }
    view
}

/// An argument vector as one types it into a shell.
pub(crate) fn command_line(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    let quoted = words.iter().map(|word| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn container(container: &ScanContainer) -> ContainerView<'_> {
    let emulator = || container.emulator.as_deref().map(|name| format!("under {}", display_name(name)));
    let (runs, by) = match container.execution {
        Execution::Native => (NATIVE, None),
        Execution::Emulated => (EMULATED, emulator()),
        Execution::Mixed => (MIXED, emulator()),
        Execution::Unknown => (UNKNOWN, container.execution_gap.as_ref().map(|gap| gap.why.clone())),
        Execution::NotRunning => (STOPPED, None),
    };
    let cpu = match container.cpu_share {
        Some(share) => known(percent(share)),
        None if !container.state.has_processes() => known("–"),
        None => said(&container.cpu_seconds, |s| format!("{s:.1} s")),
    };
    ContainerView {
        container,
        service: container.compose.as_ref().map(|c| format!("{} / {}", c.project, c.service)),
        state: if container.status.is_empty() { state(container.state).to_owned() } else { container.status.clone() },
        platform: said(&container.platform, ToString::to_string),
        expected: said(&container.expected, |expected| match expected {
            Expected::Native => "native".to_owned(),
            Expected::Emulated => "emulated".to_owned(),
        }),
        runs,
        by,
        processes: said(&container.processes, |all| processes(all)),
        cpu,
    }
}

fn state(state: ContainerState) -> &'static str {
    match state {
        ContainerState::Created => "Created, never started",
        ContainerState::Running => "Running",
        ContainerState::Paused => "Paused",
        ContainerState::Restarting => "Restarting",
        ContainerState::Removing => "Being removed",
        ContainerState::Exited => "Exited",
        ContainerState::Dead => "Dead",
        ContainerState::Other => "In a state this version does not know",
    }
}

fn processes(all: &[crate::scan::ScanProcess]) -> String {
    let emulated = all.iter().filter(|p| p.emulator.is_some()).count();
    let signs = match emulated {
        0 => "no emulator in front".to_owned(),
        n => format!("an emulator in front of {n}"),
    };
    match all.len() {
        0 => "no process".to_owned(),
        1 => format!("1 process, {signs}"),
        n => format!("{n} processes, {signs}"),
    }
}

fn image(image: &ScanImage) -> ImageView<'_> {
    let one = |p: &ImagePlatform| PlatformView { name: said(&p.platform, ToString::to_string), here: p.available };
    ImageView {
        name: image.tags.first().cloned().unwrap_or_else(|| "without a tag".to_owned()),
        more_names: image.tags.get(1..).unwrap_or_default(),
        id: short_id(&image.id),
        platforms: match &image.platforms {
            Fact::Known(all) => Ok(all.iter().map(one).collect()),
            Fact::Unknown { unknown } => Err(not_known(unknown)),
        },
        native: said(&image.native, |native| if *native { "yes".to_owned() } else { "no".to_owned() }),
        size: image.size.map(bytes).unwrap_or_default(),
        used_by: list(&image.used_by),
    }
}

/// "Looked at 12 of 14 containers and at 210 of 212 images. 4 things could not be read and 2 checks could not judge."
fn coverage(scan: &Scan) -> String {
    let seen = |seen: &Seen, noun: &str| match seen.listed {
        true => format!("{} of {}", seen.seen, count(seen.total, noun)),
        false => format!("no {noun}, because the list of them is missing"),
    };
    let coverage = &scan.coverage;
    let mut text =
        format!("Fully read: {}; {}.", seen(&coverage.containers, "container"), seen(&coverage.images, "image"));
    match coverage.gaps.len() {
        0 => text.push_str(" Nothing that was looked for is missing."),
        1 => text.push_str(" One thing could not be read."),
        n => text.push_str(&format!(" {n} things could not be read.")),
    }
    match scan.not_judged.len() {
        0 => {}
        1 => text.push_str(" One judgement could not be made."),
        n => text.push_str(&format!(" {n} judgements could not be made.")),
    }
    match scan.silenced.len() {
        0 => {}
        1 => text.push_str(" One finding is allowed on purpose."),
        n => text.push_str(&format!(" {n} findings are allowed on purpose.")),
    }
    text
}

fn not_judged(scan: &Scan) -> Vec<NotJudgedView<'_>> {
    scan.not_judged.iter().map(|n| NotJudgedView { check: &n.check, subject: place(&n.subject), gap: &n.gap }).collect()
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 1.0 {
        "under 1 %".to_owned()
    } else if percent < 100.0 && percent > 99.0 {
        "over 99 %".to_owned()
    } else {
        format!("{percent:.0} %")
    }
}

/// Binary units, as memory is sold and set: "8 GiB", "7.7 GiB".
pub(crate) fn memory(n: u64) -> String {
    let gib = n as f64 / f64::from(1 << 30);
    let text = format!("{gib:.1}");
    format!("{} GiB", text.strip_suffix(".0").unwrap_or(&text))
}

/// Decimal units, as Docker prints sizes: "64 MB", "1.2 GB".
fn bytes(n: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
    let (mut value, mut unit) = (n as f64, 0);
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = if unit > 0 && value < 9.95 { 1 } else { 0 };
    format!("{value:.digits$} {}", units[unit])
}
