//! buildx as a child process: its arguments and what it prints. It gets a folder of its own for what it keeps, so that
//! the user's stays as it is. The entry in the engine's own history of builds stays: after one is taken out, Engine 28.5
//! crashes when somebody lists that history.

use std::time::Duration;

use silidock_engine::{BuildLog, DockerClient, Engine};
use silidock_host::{Host, Output, ToolRun};
use tempfile::TempDir;

use crate::visit::one_line;

/// A build with buildx, in a folder that goes with it.
pub(crate) struct Buildx {
    client: DockerClient,
    folder: TempDir,
}

/// Why a build gave no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// The step itself failed, which says something of what runs it.
    Step(String),
    /// It never came to the step.
    Before(String),
}

impl Buildx {
    /// Looks for buildx and lays out the build.
    pub(crate) async fn new(engine: &Engine, host: &dyn Host, dockerfile: &str) -> Result<Self, String> {
        let client = DockerClient::of(host, engine).map_err(|error| error.to_string())?;
        let folder = TempDir::with_prefix_in("silidock-build-", host.temp_dir()).map_err(|error| error.to_string())?;
        let context = folder.path().join("context");
        std::fs::create_dir(&context).map_err(|error| error.to_string())?;
        std::fs::write(context.join("Dockerfile"), dockerfile).map_err(|error| error.to_string())?;
        let client = client.with("BUILDX_CONFIG", &folder.path().join("kept").display().to_string());
        client.plugin(host, "buildx").await.map_err(|error| error.to_string())?;
        Ok(Self { client, folder })
    }

    /// The build.
    pub(crate) fn build(&self, arch: &str, limit: Duration) -> ToolRun {
        let platform = format!("linux/{arch}");
        let context = self.folder.path().join("context").display().to_string();
        let mut words = vec!["buildx", "build", "--builder", self.client.own_builder(), "--platform", &platform];
        words.extend(["--no-cache", "--network", "none", "--provenance=false", "--sbom=false", "--output"]);
        words.extend(["type=cacheonly", "--progress", "rawjson", &context]);
        self.client.tool(&words).timeout(limit)
    }

    /// What the step printed.
    pub(crate) fn answer(&self, output: &Output) -> Result<Vec<u8>, Failed> {
        let mut log = BuildLog::default();
        String::from_utf8_lossy(&output.stderr).lines().for_each(|line| drop(log.line(line)));
        read(&log, output.success())
    }
}

fn read(log: &BuildLog, ended_well: bool) -> Result<Vec<u8>, Failed> {
    let Some(step) = log.steps().find(|step| step.name.contains("] RUN ")) else {
        let errors: Vec<&str> =
            log.said().iter().map(String::as_str).filter(|said| said.starts_with("ERROR")).collect();
        return Err(Failed::Before(match errors.is_empty() {
            true => "buildx said nothing of it".to_owned(),
            false => one_line(errors.concat().as_bytes()),
        }));
    };
    let printed = step.printed(1);
    if !step.error.is_empty() {
        let (said, complained) = (String::from_utf8_lossy(&printed), step.printed(2));
        let complained = String::from_utf8_lossy(&complained);
        return Err(Failed::Step(one_line(format!("{} {said} {complained}", step.error).as_bytes())));
    }
    match ended_well && !printed.is_empty() {
        true => Ok(printed),
        false => Err(Failed::Before("the step ended without a word".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: &str =
        r#"{"vertexes":[{"digest":"a","name":"[1/2] FROM x"},{"digest":"b","name":"[2/2] RUN [\"/p\"]"}]}"#;

    #[test]
    fn what_the_step_said_is_told_from_what_buildx_says() {
        let failing = STEP.replace("\"name\":\"[2/2]", "\"error\":\"exec format error\",\"name\":\"[2/2]");
        let rows: [(String, bool, Result<&str, Failed>); 4] = [
            (
                format!(
                    "{STEP}\n{{\"logs\":[{{\"vertex\":\"b\",\"stream\":1,\"data\":\"eyJh\"}}]}}\n{{\"logs\":[{{\"vertex\":\"b\",\"stream\":1,\"data\":\"In0=\"}}]}}"
                ),
                true,
                Ok("{\"a\"}"),
            ),
            (
                format!("{STEP}\n{{\"logs\":[{{\"vertex\":\"a\",\"stream\":1,\"data\":\"eyJh\"}}]}}\nERROR: no"),
                true,
                Err(Failed::Before("the step ended without a word".to_owned())),
            ),
            (
                format!("{failing}\nDockerfile:2\nERROR: failed"),
                false,
                Err(Failed::Step("exec format error".to_owned())),
            ),
            ("Dockerfile:2\nERROR: no".to_owned(), false, Err(Failed::Before("ERROR: no".to_owned()))),
        ];
        for (lines, ended_well, expected) in rows {
            let mut log = BuildLog::default();
            lines.lines().for_each(|line| drop(log.line(line)));
            let seen = read(&log, ended_well).map(|printed| String::from_utf8_lossy(&printed).into_owned());
            assert_eq!(seen, expected.map(str::to_owned), "{lines}");
        }
    }
}
