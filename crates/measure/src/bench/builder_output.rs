//! What builders print while they build, as steps with their times: those of BuildKit's report, and the classic builder's
//! lines, whose times are those of their arrival.

use std::time::Duration;

use silidock_engine::BuildLog;

const OUR_LABELS: &str = "LABEL dev.silidock.";

/// A step and how long it took, in seconds.
pub(crate) type Step = (String, f64);

/// The Dockerfile's own steps of a build by BuildKit, in order.
pub(crate) fn steps(log: &BuildLog) -> Vec<Step> {
    let timed = log.steps().filter_map(|step| {
        let time = (step.completed? - step.started?).total(jiff::Unit::Second).ok()?;
        Some((step.instruction()?, time))
    });
    timed.collect()
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
        // Labels of ours are no step of the Dockerfile's.
        let timed = self.steps.iter().zip(ends).filter(|((what, _), _)| !what.starts_with(OUR_LABELS));
        timed.map(|((what, begun), ended)| (what.clone(), ended.saturating_sub(*begun).as_secs_f64())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buildkits_steps_are_told_by_their_own_times() {
        let mut log = BuildLog::default();
        let lines = [
            r#"{"vertexes":[{"digest":"a","name":"[internal] load x","started":"2026-11-20T20:00:00Z","completed":"2026-11-20T20:00:01Z"}]}"#,
            r#"{"vertexes":[{"digest":"b","name":"[linux/arm64 2/2] RUN make","started":"2026-11-20T20:00:01Z"}]}"#,
            r#"{"vertexes":[{"digest":"c","name":"[linux/arm64 build 1/3] FROM x"}]}"#,
            r#"{"vertexes":[{"digest":"b","started":"2026-11-20T20:00:01Z","completed":"2026-11-20T20:00:03.5Z"}]}"#,
        ];
        lines.iter().for_each(|line| drop(log.line(line)));
        assert_eq!(steps(&log), [("RUN make".to_owned(), 2.5)], "one that never ran has no time");
    }

    #[test]
    fn the_classic_builders_steps_end_where_the_next_begin() {
        let mut seen = Classic::default();
        let lines = [
            ("Sending build context to Docker daemon  2.048kB", 0),
            ("Step 1/3 : FROM x", 100),
            (" ---> 0123", 150),
            ("Step 2/3 : RUN make : all", 200),
            ("Step 3/3 : LABEL dev.silidock.owner=a/b", 800),
            ("The command '/bin/sh -c make' returned a non-zero code: 2", 850),
        ];
        lines.iter().for_each(|(line, at)| seen.line(line, Duration::from_millis(*at)));
        let steps = seen.steps(Duration::from_millis(900));
        assert_eq!(steps, [("FROM x".to_owned(), 0.1), ("RUN make : all".to_owned(), 0.6)]);
        assert!(seen.last().unwrap().contains("non-zero code"));
    }
}
