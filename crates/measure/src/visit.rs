//! One throw-away container from loading its image to removing it. What is begun is always cleaned up: the whole visit
//! runs in a task of its own, which goes on when nobody waits any more.

use std::time::Duration;

use silidock_diagnosis::fact::Gap;
use silidock_engine::{Engine, EngineError, Output, Throwaway};
use silidock_probe::{Answer, SCHEMA};
use tokio::sync::watch;

use crate::archive::{PROGRAM, archive};
use crate::error::MeasureError;
use crate::installation::Installation;
use crate::options::Options;

/// Statuses from here on mean a signal.
pub(crate) const SIGNALS: i64 = 128;
const LAST_SIGNAL: i64 = 64;

const LONGEST_COMPLAINT: usize = 300;

/// An engine may still be busy with what is to be removed.
const TRY_AGAIN: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

pub(crate) struct Visit<'a> {
    pub engine: &'a Engine,
    pub installation: &'a Installation,
    pub options: &'a Options,
    /// The probe's architecture.
    pub arch: &'a str,
    pub probe: &'a [u8],
    pub arguments: &'a [&'a str],
    /// Ends when nobody waits any more.
    pub present: watch::Receiver<()>,
}

pub(crate) struct Visited {
    pub answer: Result<Answer, MeasureError>,
    /// What could not be removed.
    pub left: Vec<Gap>,
}

impl Visit<'_> {
    pub async fn run(self) -> Visited {
        let name = self.installation.name();
        let container = format!("silidock-{name}-{}", self.arch);
        let image = format!("silidock-probe:{name}-{}", self.arch);
        let mut answer = self.attempt(&container, &image).await;
        let mut left = self.clean(&container, &image).await;
        if matches!(answer, Ok(None)) && left.is_empty() {
            answer = self.attempt(&container, &image).await;
            left = self.clean(&container, &image).await;
        }
        let nothing = || MeasureError::Garbage { arch: self.arch.to_owned(), why: "it is empty".to_owned() };
        Visited { answer: answer.and_then(|answer| answer.ok_or_else(nothing)), left }
    }

    /// None where a probe that ended well said nothing: a busy engine can lose all that a container printed which ends at once. Then
    /// it can be asked again.
    async fn attempt(&self, container: &str, image: &str) -> Result<Option<Answer>, MeasureError> {
        let arch = || self.arch.to_owned();
        let labels = self.installation.labels(self.options.run);
        let whole = archive(self.probe, self.arch, image, &labels)
            .map_err(|source| MeasureError::Archive { arch: arch(), source })?;
        self.still_wanted()?;
        self.engine.load_images(whole).await.map_err(|source| MeasureError::ImageRefused { arch: arch(), source })?;
        self.still_wanted()?;
        let program = std::iter::once(PROGRAM).chain(self.arguments.iter().copied());
        let wanted = Throwaway {
            name: container.to_owned(),
            image: image.to_owned(),
            platform: format!("linux/{}", self.arch),
            command: program.map(str::to_owned).collect(),
            labels,
            memory: self.options.memory,
            processes: self.options.processes,
        };
        let refused = |source| MeasureError::ContainerRefused { arch: arch(), source };
        self.engine.create_throwaway(&wanted).await.map_err(|error| or_lost(error, refused))?;
        self.still_wanted()?;
        let refused = |source| MeasureError::StartRefused { arch: arch(), source };
        self.engine.start_throwaway(container).await.map_err(|error| or_lost(error, refused))?;
        let mut present = self.present.clone();
        let status = tokio::select! {
            status = self.engine.wait_throwaway(container, self.options.run) => status,
            // Nothing is ever sent; it ends when the other side is gone.
            _ = present.changed() => return Err(MeasureError::Stopped),
        };
        let status = status.map_err(|error| match error {
            EngineError::TimedOut { .. } => MeasureError::Hangs { arch: arch(), after: self.options.run },
            error => MeasureError::Engine(error),
        })?;
        let output = self.engine.throwaway_output(container, self.options.output).await?;
        match status == 0 && output.stdout.is_empty() && !output.cut {
            true => Ok(None),
            false => read(self.arch, status, &output).map(Some),
        }
    }

    fn still_wanted(&self) -> Result<(), MeasureError> {
        if self.present.has_changed().is_err() { Err(MeasureError::Stopped) } else { Ok(()) }
    }

    async fn clean(&self, container: &str, image: &str) -> Vec<Gap> {
        let mut left = Vec::new();
        if let Err(error) = insist(|| self.engine.remove_throwaway(container)).await {
            left.push(Gap::new(format!("whether container {container} is gone"), error.to_string()));
        }
        if let Err(error) = insist(|| self.engine.remove_image(image)).await {
            left.push(Gap::new(format!("whether image {image} is gone"), error.to_string()));
        }
        left
    }
}

/// Does it again after a while when it fails, unless the engine is gone.
pub(crate) async fn insist<F: Future<Output = Result<(), EngineError>>>(
    act: impl Fn() -> F,
) -> Result<(), EngineError> {
    for pause in TRY_AGAIN {
        match act().await {
            Err(error) if !error.is_engine_lost() => tokio::time::sleep(pause).await,
            result => return result,
        }
    }
    act().await
}

pub(crate) fn or_lost(error: EngineError, refused: impl FnOnce(EngineError) -> MeasureError) -> MeasureError {
    if error.is_engine_lost() { MeasureError::Engine(error) } else { refused(error) }
}

/// The answer in what the probe printed.
fn read(arch: &str, status: i64, output: &Output) -> Result<Answer, MeasureError> {
    let arch = arch.to_owned();
    if status > SIGNALS && status <= SIGNALS + LAST_SIGNAL {
        return Err(MeasureError::Killed { arch, signal: status - SIGNALS });
    }
    if status != 0 {
        return Err(MeasureError::Failed { arch, status, complaint: one_line(&output.stderr) });
    }
    if output.cut {
        return Err(MeasureError::Garbage { arch, why: "it does not end".to_owned() });
    }
    let answer: Answer = serde_json::from_slice(&output.stdout).map_err(|error| {
        let why = format!("it is {} bytes that are not its JSON ({error})", output.stdout.len());
        MeasureError::Garbage { arch: arch.clone(), why }
    })?;
    if answer.schema != SCHEMA || answer.built_for != arch {
        let why = format!("it is {} of a probe for {}", answer.schema, answer.built_for);
        return Err(MeasureError::Garbage { arch, why });
    }
    Ok(answer)
}

pub(crate) fn one_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST_COMPLAINT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_is_told_apart() {
        let output = |stdout: &str, cut| Output { stdout: stdout.into(), stderr: b"a\n\tb".to_vec(), cut };
        let other = r#"{"schema":"silidock-probe/1","builtFor":"arm64","cpu":{"kind":"other"},"cpuinfo":[],"own":{},"stubs":[]}"#;
        let table = [
            (137, output("", false), "the probe for amd64 was killed by signal 9"),
            (42, output("", false), "the probe for amd64 ended with status 42: a b"),
            (255, output("", false), "the probe for amd64 ended with status 255: a b"),
            (0, output("{", true), "the answer of the probe for amd64 cannot be read: it does not end"),
            (
                0,
                output(other, false),
                "the answer of the probe for amd64 cannot be read: it is silidock-probe/1 of a probe for arm64",
            ),
        ];
        for (status, output, expected) in table {
            assert_eq!(read("amd64", status, &output).unwrap_err().to_string(), expected);
        }
        for garbage in ["", "hello\n", "{\"schema\":3}", "\0\0"] {
            let error = read("amd64", 0, &output(garbage, false)).unwrap_err();
            assert!(matches!(&error, MeasureError::Garbage { .. }), "{garbage:?}: {error}");
        }
        assert_eq!(read("arm64", 0, &output(other, false)).unwrap().built_for, "arm64");
    }
}
