//! Explaining: a container, by a light look and its own files; a log, line by line.

use std::{io::BufRead, sync::Arc};

use silidock_diagnosis::{
    check::{Context, container_subject},
    crash::RanUnder,
    fact::{Fact, Gap},
    finding::{Finding, Severity, Subject, SubjectKind, finding_id},
    inventory::{Inventory, Listing},
    schema::Schema,
    stopped::{
        Explained, explain,
        facts::StoppedContainer,
        log::{LogExplained, LogReading},
    },
    upstream::UpstreamFacts,
};
use silidock_engine::{Engine, EngineError};
use silidock_observe::{Look, observe, stopped};

use crate::{
    failure::{Failure, FailureCode},
    look::{Chosen, engine_failure, now},
    session::{App, Source},
    wire::{ExplainLogRequest, ExplainRequest, ExplanationDocument},
};

/// The most of a log that is read.
const LONGEST_LOG: u64 = 256 << 20;
/// A line is cut here, so that a file without line ends needs no memory.
const LONGEST_LINE: usize = 64 << 10;

impl App {
    /// Says why a container stopped or will not start. Starts and changes nothing.
    ///
    /// # Errors
    /// There is no engine, or no such container on it.
    pub async fn explain(self: &Arc<Self>, request: ExplainRequest) -> Result<ExplanationDocument, Failure> {
        let (inventory, container) = match self.engine(request.engine.as_deref()).await? {
            Chosen::Engine(engine) => {
                let inventory = self.light_look(&engine).await.map_err(|error| engine_failure(&error))?;
                let read = stopped(&engine, self.host().as_ref(), &inventory, &request.container).await;
                let container = read.map_err(|error| match error.is_not_found() {
                    true => not_found(&request.container, &inventory),
                    false => engine_failure(&error),
                })?;
                // What is explained can be mended, and what was mended looked at again.
                self.session().source.get_or_insert(Source::Engine(engine));
                (inventory, container)
            }
            Chosen::Sample(sample) => recorded(sample.inventory(&now()), &request.container)?,
            Chosen::Recording => recorded(self.last_inventory()?, &request.container)?,
        };
        let context = Context::new(&inventory);
        let Explained { best, others, gaps } = explain(&context, &container);
        let finding = self.keep(&inventory, &container.name, &best);
        let exit_code = container.exit_code.filter(|_| !container.state.has_processes());
        Ok(ExplanationDocument {
            schema: Schema,
            container: Some(container.name),
            exit_code,
            finding: Some(finding),
            explanation: best,
            others,
            gaps,
        })
    }

    /// Says what a pasted log means.
    ///
    /// # Errors
    /// None; a log that says nothing is explained so.
    pub async fn explain_log(self: &Arc<Self>, request: ExplainLogRequest) -> Result<ExplanationDocument, Failure> {
        let text = request.text;
        let read = tokio::task::spawn_blocking(move || LogReader::read(text.as_bytes())).await;
        read.map_err(|error| Failure::new(FailureCode::File, format!("The work ended early: {error}.")))?
    }

    /// Everything but the images, which explain no container.
    async fn light_look(&self, engine: &Engine) -> Result<Inventory, EngineError> {
        let look = Look {
            engine,
            target: engine.target(),
            host: self.host().as_ref(),
            now: now(),
            processor_time: false,
            emulation: self.remembered(engine).await,
            benchmark: Gap::new("a benchmark of this engine", "it was not looked for").into(),
            upstream: UpstreamFacts::default(),
            known_images: Some(Listing::missing(Gap::new("the list of images", "it was not asked for"))),
            opened: Vec::new(),
            answers: &self.compose_answers,
            progress: &|_, _| {},
        };
        observe(&look).await
    }

    /// Keeps what was explained, so that its fixes can be previewed and applied like those of a finding.
    fn keep(&self, inventory: &Inventory, name: &str, best: &silidock_diagnosis::stopped::Explanation) -> String {
        // A runtime is changed by the finding about its engine, once that is proven: its own preview looks at much more.
        if best.fixes.iter().any(|fix| fix.runtime.is_some()) {
            let check = best.check.as_deref().unwrap_or("emulator-missing");
            let endpoint = &inventory.engine.endpoint;
            return finding_id(check, endpoint, &Subject::new(SubjectKind::Engine, endpoint));
        }
        let known = inventory.containers.items.iter().find(|container| container.name == name);
        let subject = known.map_or_else(|| Subject::new(SubjectKind::Container, name), container_subject);
        let check = best.check.clone().unwrap_or_else(|| "explain".to_owned());
        let id = finding_id(&check, &inventory.engine.endpoint, &subject);
        let finding = Finding {
            id: id.clone(),
            check,
            severity: Severity::Broken,
            confidence: best.confidence,
            subject,
            title: best.title.clone(),
            why: best.why.clone(),
            evidence: best.evidence.clone(),
            fixes: best.fixes.clone(),
            superseded_by: None,
        };
        self.session().explained.insert(id.clone(), finding);
        id
    }
}

fn not_found(container: &str, inventory: &Inventory) -> Failure {
    let names = inventory.containers.items.iter().filter(|c| !c.state.has_processes()).map(|c| c.name.clone());
    Failure::new(FailureCode::NotFound, format!("There is no container {container} on this engine."))
        .hint("Name one of those that stopped, or one that was only made.")
        .detail(names.take(20).collect())
}

/// A container of a recording: its files and its log belong to an engine that is not here.
fn recorded(inventory: Inventory, container: &str) -> Result<(Inventory, StoppedContainer), Failure> {
    let named = |c: &&silidock_diagnosis::inventory::Container| c.name == container || c.id.starts_with(container);
    let Some(known) = inventory.containers.items.iter().find(named) else {
        return Err(not_found(container, &inventory));
    };
    let gap = |what: &str| Gap::new(format!("{what} of {}", known.name), "this is a recording");
    let stopped = StoppedContainer {
        name: known.name.clone(),
        state: known.state,
        started: known.status != "Created",
        exit_code: silidock_diagnosis::emulation::exit_code(&known.status),
        error: String::new(),
        oom_killed: false,
        memory_limit: None,
        platform: known.platform.clone(),
        user: String::new(),
        log: gap("the log").into(),
        start: Fact::from(gap("the files")),
        suspects: Vec::new(),
        sources: Vec::new(),
        package_manager: None,
        compose: known.compose.clone(),
    };
    Ok((inventory, stopped))
}

/// Reads a log of any size and any content in bounded memory.
#[derive(Debug)]
pub struct LogReader;

impl LogReader {
    /// Explains what a reader gives. Blocks until that ends.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(reader: impl std::io::Read) -> Result<ExplanationDocument, Failure> {
        let mut reading = LogReading::new(RanUnder::Unknown);
        let mut reader = std::io::BufReader::new(reader.take(LONGEST_LOG));
        let unreadable =
            |error: std::io::Error| Failure::new(FailureCode::File, format!("The log cannot be read: {error}."));
        // What Windows writes by default.
        let wide = reader.fill_buf().map_err(unreadable)?.starts_with(&[0xff, 0xfe]);
        let mut line = Vec::new();
        let mut bytes = 0_u64;
        let mut ended = false;
        while !ended {
            let buffer = reader.fill_buf().map_err(unreadable)?;
            // A progress bar ends its lines with a carriage return alone; each is a line of its own.
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |end| end + 1);
            let room = LONGEST_LINE.saturating_sub(line.len());
            line.extend_from_slice(&buffer[..used.min(room)]);
            ended = buffer.is_empty();
            reader.consume(used);
            bytes += used as u64;
            if (end.is_some() || ended) && !line.is_empty() {
                text_lines(&line, wide, |text| reading.line(text));
                line.clear();
            }
        }
        let LogExplained { best, others, .. } = reading.explain();
        let cut = bytes >= LONGEST_LOG;
        let gap = || Gap::new("the rest of the log", format!("only the first {} MB were read", LONGEST_LOG >> 20));
        Ok(ExplanationDocument {
            schema: Schema,
            container: None,
            exit_code: None,
            finding: None,
            explanation: best,
            others,
            gaps: cut.then(gap).into_iter().collect(),
        })
    }
}

/// A line as text: what is no text is replaced, and a wide line made narrow.
fn text_lines(line: &[u8], wide: bool, mut take: impl FnMut(&str)) {
    let narrow: Vec<u8>;
    let line = if wide {
        narrow = line.iter().copied().filter(|byte| !matches!(byte, 0 | 0xff | 0xfe)).collect();
        narrow.as_slice()
    } else {
        line
    };
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches('\n');
    match text.rfind('\r') {
        // Only at the end: a script's or a terminal's.
        Some(at) if at + 1 < text.len() => text.split('\r').filter(|part| !part.is_empty()).for_each(take),
        Some(_) | None => take(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(bytes: &[u8]) -> String {
        let document = LogReader::read(bytes).unwrap();
        serde_json::to_value(document).unwrap()["cause"].as_str().unwrap().to_owned()
    }

    #[test]
    fn logs_of_any_kind_are_read() {
        let fault = "qemu: uncaught target signal 11 (Segmentation fault) - core dumped";
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(fault.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let mut binary: Vec<u8> = (0..4_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(cause(&binary), "unknown");
        binary.extend_from_slice(format!("\n{fault}").as_bytes());
        for log in [fault.as_bytes(), &wide, &binary, format!("12 %\r50 %\r{fault}\r\nbye").as_bytes()] {
            assert_eq!(cause(log), "crash-under-emulation");
        }
        assert_eq!(cause(b""), "unknown");
        let endless = std::io::Read::take(std::io::repeat(b'x'), 200 << 10);
        assert!(LogReader::read(endless).is_ok());
    }
}
