//! What BuildKit reports while it builds (`--progress=rawjson`): steps with their times, what they printed, what failed.
//! Fed line by line; who runs the build, and what the steps mean, is the caller's.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Deserialize;

/// As much as is kept of what one step printed: the end of it.
const LONGEST_LOG: usize = 256 << 10;
/// As many lines as are kept of what the tool itself says.
const MOST_SAID: usize = 400;

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    vertexes: Vec<Vertex>,
    #[serde(default)]
    logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Vertex {
    digest: String,
    #[serde(default)]
    name: String,
    started: Option<Timestamp>,
    completed: Option<Timestamp>,
    #[serde(default)]
    cached: bool,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Log {
    #[serde(default)]
    vertex: String,
    #[serde(default)]
    stream: u8,
    data: String,
}

/// One step of a build.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildStep {
    /// As BuildKit names it: `[linux/arm64 build 2/5] RUN make`.
    pub name: String,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended, well or not.
    pub completed: Option<Timestamp>,
    /// Its result was there from before.
    pub cached: bool,
    /// Why it failed; empty where it did not.
    pub error: String,
    /// Pieces of what it printed, with the stream each was written to (1 or 2), in order.
    printed: Vec<(u8, Vec<u8>)>,
    unfinished: Vec<u8>,
    fresh: Vec<String>,
}

impl BuildStep {
    /// What it printed to one stream: 1 is its standard output, 2 the other.
    #[must_use]
    pub fn printed(&self, stream: u8) -> Vec<u8> {
        self.printed.iter().filter(|(of, _)| *of == stream).flat_map(|(_, piece)| piece).copied().collect()
    }

    /// Everything it printed, in the order in which it came, as text.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes: Vec<u8> = self.printed.iter().flat_map(|(_, piece)| piece).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The lines it ended since it was reported last.
    #[must_use]
    pub fn fresh_lines(&self) -> &[String] {
        &self.fresh
    }

    /// The Dockerfile's own instruction, with its stage: `build: RUN make`. None for what the builder does by itself. The
    /// platform is left out, because it differs between builds of the same.
    #[must_use]
    pub fn instruction(&self) -> Option<String> {
        let (inside, what) = self.name.strip_prefix('[')?.split_once("] ")?;
        if inside == "internal" || inside.starts_with("auth") {
            return None;
        }
        let stage: Vec<&str> = inside.split(' ').filter(|word| !word.contains('/')).collect();
        Some(if stage.is_empty() { what.to_owned() } else { format!("{}: {what}", stage.join(" ")) })
    }

    fn keep(&mut self, stream: u8, piece: Vec<u8>) {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.unfinished.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.unfinished);
                self.fresh.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        }
        self.unfinished.truncate(LONGEST_LOG);
        self.printed.push((stream, piece));
        let length = |of: &[(u8, Vec<u8>)]| of.iter().map(|(_, piece)| piece.len()).sum::<usize>();
        while self.printed.len() > 1 && length(&self.printed) > LONGEST_LOG {
            self.printed.remove(0);
        }
    }

    fn is_told_again(&mut self, vertex: Vertex) {
        // It is told again as it goes on; a later report that says less does not unsay.
        self.started = vertex.started.or(self.started);
        self.completed = vertex.completed.or(self.completed);
        self.cached |= vertex.cached;
        if self.name.is_empty() {
            self.name = vertex.name;
        }
        if !vertex.error.is_empty() {
            self.error = vertex.error;
        }
    }
}

/// The steps of one build. Feed it each line.
#[derive(Debug, Clone, Default)]
pub struct BuildLog {
    /// Digests, in the order in which they first appeared.
    order: Vec<String>,
    steps: BTreeMap<String, BuildStep>,
    said: Vec<String>,
}

impl BuildLog {
    /// Reads one line that buildx printed; the steps it told something of.
    pub fn line(&mut self, line: &str) -> Vec<&BuildStep> {
        let Ok(status) = serde_json::from_str::<Status>(line) else {
            self.said.extend(Some(line.trim_end().to_owned()).filter(|line| !line.is_empty()));
            if self.said.len() > MOST_SAID {
                self.said.remove(0);
            }
            return Vec::new();
        };
        let mut touched = Vec::new();
        self.steps.values_mut().for_each(|step| step.fresh.clear());
        for vertex in status.vertexes {
            touched.push(vertex.digest.clone());
            if !self.steps.contains_key(&vertex.digest) {
                self.order.push(vertex.digest.clone());
            }
            self.steps.entry(vertex.digest.clone()).or_default().is_told_again(vertex);
        }
        for log in status.logs {
            if let (Some(step), Ok(piece)) = (self.steps.get_mut(&log.vertex), BASE64_STANDARD.decode(log.data)) {
                step.keep(log.stream, piece);
                touched.push(log.vertex);
            }
        }
        touched.dedup();
        touched.iter().filter_map(|digest| self.steps.get(digest)).collect()
    }

    /// All steps, in the order in which they first appeared.
    pub fn steps(&self) -> impl Iterator<Item = &BuildStep> {
        self.order.iter().filter_map(|digest| self.steps.get(digest))
    }

    /// The step that failed. Those that were given up because of it come after.
    #[must_use]
    pub fn failed(&self) -> Option<&BuildStep> {
        let given_up = |step: &&BuildStep| step.error.contains("context canceled");
        let failed = || self.steps().filter(|step| !step.error.is_empty());
        failed().find(|step| !given_up(step)).or_else(|| failed().next())
    }

    /// What the tool itself said, line by line: an excerpt of the Dockerfile, `ERROR: ...`.
    #[must_use]
    pub fn said(&self) -> &[String] {
        &self.said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_by_their_own_times_and_words() {
        let mut log = BuildLog::default();
        let lines = [
            r#"{"vertexes":[{"digest":"a","name":"[internal] load build definition","started":"2026-11-20T20:00:00Z"}]}"#,
            r#"{"vertexes":[{"digest":"b","name":"[linux/arm64 2/2] RUN make"},{"digest":"c","name":"[linux/arm64 build 1/3] FROM x"}]}"#,
            "WARN: something",
            r#"{"vertexes":[{"digest":"b","name":"[linux/arm64 2/2] RUN make","started":"2026-11-20T20:00:01Z"}],"logs":[{"data":"aGk="}]}"#,
            r#"{"logs":[{"vertex":"b","stream":2,"data":"bm8K"},{"vertex":"b","stream":1,"data":"aGk="},{"vertex":"b","stream":1,"data":"?"}]}"#,
            r#"{"logs":[{"vertex":"b","stream":1,"data":"IQoK"}]}"#,
            r#"{"vertexes":[{"digest":"b","started":"2026-11-20T20:00:01Z","completed":"2026-11-20T20:00:03.5Z"}]}"#,
            r#"{"vertexes":[{"digest":"c","cached":true,"completed":"2026-11-20T20:00:00Z"}]}"#,
        ];
        let mut printed = Vec::new();
        let told: Vec<usize> = lines
            .iter()
            .map(|line| {
                let told = log.line(line);
                printed.extend(told.iter().flat_map(|step| step.fresh_lines().to_vec()));
                told.len()
            })
            .collect();
        assert_eq!(
            (told, printed),
            (vec![1, 2, 0, 1, 1, 1, 1, 1], vec!["no".to_owned(), "hi!".to_owned(), String::new()])
        );
        let steps: Vec<(Option<String>, bool, bool)> =
            log.steps().map(|step| (step.instruction(), step.completed.is_some(), step.cached)).collect();
        let expected = [
            (None, false, false),
            (Some("RUN make".to_owned()), true, false),
            (Some("build: FROM x".to_owned()), true, true),
        ];
        assert_eq!(steps, expected);
        let make = log.steps().nth(1).unwrap();
        assert_eq!((make.text().as_str(), make.printed(1).as_slice()), ("no\nhi!\n\n", &b"hi!\n\n"[..]));
        assert_eq!((log.said(), log.failed()), (&["WARN: something".to_owned()][..], None));
    }

    #[test]
    fn what_failed_is_told_from_what_was_given_up_for_it() {
        let mut log = BuildLog::default();
        log.line(r#"{"vertexes":[{"digest":"a","name":"[2/3] RUN sleep 9","error":"process did not run: context canceled"}]}"#);
        assert_eq!(log.failed().map(|step| step.name.as_str()), Some("[2/3] RUN sleep 9"));
        log.line(r#"{"vertexes":[{"digest":"b","name":"[3/3] RUN make","error":"exit code: 2"}]}"#);
        assert_eq!(log.failed().map(|step| step.name.as_str()), Some("[3/3] RUN make"));
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        let mut log = BuildLog::default();
        log.line(r#"{"vertexes":[{"digest":"a","name":"[1/1] RUN yes"}]}"#);
        let data = BASE64_STANDARD.encode("y\n".repeat(40_000));
        for number in 0..20 {
            log.line(&format!(r#"{{"logs":[{{"vertex":"a","stream":1,"data":"{data}"}}]}}"#));
            (0..50).for_each(|line| drop(log.line(&format!("said {number} {line}"))));
        }
        assert!(log.steps().next().unwrap().text().len() <= LONGEST_LOG);
        assert_eq!((log.said().len(), log.said().last().map(String::as_str)), (MOST_SAID, Some("said 19 49")));
    }
}
