//! What builders print while they build, as steps with their times: BuildKit's raw JSON, and the classic builder's
//! lines, whose times are those of their arrival.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

/// A step and how long it took, in seconds.
pub(crate) type Step = (String, f64);

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    vertexes: Vec<Vertex>,
}

#[derive(Deserialize)]
struct Vertex {
    digest: String,
    #[serde(default)]
    name: String,
    started: Option<Timestamp>,
    completed: Option<Timestamp>,
    #[serde(default)]
    error: String,
}

/// Steps of one BuildKit build. Feed it each line.
#[derive(Default)]
pub(crate) struct BuildKit {
    /// In the order they first appeared.
    order: Vec<String>,
    vertexes: BTreeMap<String, Vertex>,
    /// Lines that are no JSON: what the tool itself has to say.
    pub said: Vec<String>,
}

impl BuildKit {
    pub fn line(&mut self, line: &str) {
        let Ok(status) = serde_json::from_str::<Status>(line) else {
            self.said.extend(Some(line.trim().to_owned()).filter(|line| !line.is_empty()));
            return;
        };
        for vertex in status.vertexes {
            match self.vertexes.get_mut(&vertex.digest) {
                None => {
                    self.order.push(vertex.digest.clone());
                    self.vertexes.insert(vertex.digest.clone(), vertex);
                }
                Some(known) => {
                    // It is told again as it goes on; a later one that says less does not unsay.
                    known.started = vertex.started.or(known.started);
                    known.completed = vertex.completed.or(known.completed);
                    if !vertex.error.is_empty() {
                        known.error = vertex.error;
                    }
                }
            }
        }
    }

    /// What went wrong, in the builder's words.
    pub fn error(&self) -> Option<&str> {
        let first = self.order.iter().filter_map(|digest| self.vertexes.get(digest));
        first.map(|vertex| vertex.error.as_str()).find(|error| !error.is_empty())
    }

    /// The Dockerfile's own steps, in order.
    pub fn steps(&self) -> Vec<Step> {
        let vertexes = self.order.iter().filter_map(|digest| self.vertexes.get(digest));
        let steps = vertexes.filter_map(|vertex| {
            let time = (vertex.completed? - vertex.started?).total(jiff::Unit::Second).ok()?;
            Some((own_step(&vertex.name)?, time))
        });
        steps.collect()
    }
}

/// `[linux/arm64 build 2/5] RUN make` is a step of the Dockerfile, `[internal] load metadata` is not. The platform in it
/// differs between builds of the same.
fn own_step(name: &str) -> Option<String> {
    let (inside, what) = name.strip_prefix('[')?.split_once("] ")?;
    if inside == "internal" || inside.starts_with("auth") {
        return None;
    }
    let stage = inside.split(' ').filter(|word| !word.contains('/'));
    let stage: Vec<&str> = stage.collect();
    Some(if stage.is_empty() { what.to_owned() } else { format!("{}: {what}", stage.join(" ")) })
}

/// Steps of one build by the classic builder. Feed it each line with the time since the beginning.
#[derive(Default)]
pub(crate) struct Classic {
    steps: Vec<(String, Duration)>,
    last: Option<String>,
}

impl Classic {
    pub fn line(&mut self, line: &str, at: Duration) {
        if let Some((_, what)) = line.strip_prefix("Step ").and_then(|rest| rest.split_once(" : ")) {
            self.steps.push((what.trim().to_owned(), at));
        } else if !line.trim().is_empty() {
            self.last = Some(line.trim().to_owned());
        }
    }

    pub fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    pub fn steps(&self, end: Duration) -> Vec<Step> {
        let ends = self.steps.iter().skip(1).map(|(_, at)| *at).chain([end]);
        let timed = self.steps.iter().zip(ends);
        timed.map(|((what, begun), ended)| (what.clone(), ended.saturating_sub(*begun).as_secs_f64())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buildkits_steps_are_told_by_their_own_times() {
        let mut seen = BuildKit::default();
        let lines = [
            r#"{"vertexes":[{"digest":"a","name":"[internal] load build definition","started":"2026-11-20T20:00:00Z"}]}"#,
            r#"{"vertexes":[{"digest":"b","name":"[linux/arm64 2/2] RUN make"},{"digest":"c","name":"[linux/arm64 build 1/3] FROM x"}]}"#,
            "WARN: something",
            r#"{"vertexes":[{"digest":"b","name":"[linux/arm64 2/2] RUN make","started":"2026-11-20T20:00:01Z"}],"logs":[{"data":"aGk="}]}"#,
            r#"{"vertexes":[{"digest":"b","name":"[linux/arm64 2/2] RUN make","started":"2026-11-20T20:00:01Z","completed":"2026-11-20T20:00:03.5Z"}]}"#,
            r#"{"vertexes":[{"digest":"c","name":"[linux/arm64 build 1/3] FROM x","started":"2026-11-20T20:00:00Z","completed":"2026-11-20T20:00:00Z"}]}"#,
        ];
        lines.iter().for_each(|line| seen.line(line));
        assert_eq!(seen.steps(), [("RUN make".to_owned(), 2.5), ("build: FROM x".to_owned(), 0.0)]);
        assert_eq!((seen.said.join(" "), seen.error()), ("WARN: something".to_owned(), None));
        seen.line(r#"{"vertexes":[{"digest":"b","name":"","error":"process \"make\" did not complete"}]}"#);
        assert_eq!(seen.error(), Some("process \"make\" did not complete"));
    }

    #[test]
    fn the_classic_builders_steps_end_where_the_next_begin() {
        let mut seen = Classic::default();
        let lines = [
            ("Sending build context to Docker daemon  2.048kB", 0),
            ("Step 1/2 : FROM x", 100),
            (" ---> 0123", 150),
            ("Step 2/2 : RUN make : all", 200),
            ("The command '/bin/sh -c make' returned a non-zero code: 2", 700),
        ];
        lines.iter().for_each(|(line, at)| seen.line(line, Duration::from_millis(*at)));
        let steps = seen.steps(Duration::from_millis(800));
        assert_eq!(steps, [("FROM x".to_owned(), 0.1), ("RUN make : all".to_owned(), 0.6)]);
        assert!(seen.last().unwrap().contains("non-zero code"));
    }
}
