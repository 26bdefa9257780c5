//! buildx as a child process: its arguments and what it prints. It gets a folder of its own for what it keeps, so that
//! the user's stays as it is. The entry in the engine's own history of builds stays: after one is taken out, Engine 28.5
//! crashes when somebody lists that history.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use silidock_engine::{Engine, Origin};
use silidock_host::{Host, Output, ToolRun};
use tempfile::TempDir;

use crate::visit::one_line;

const SHORT: Duration = Duration::from_secs(20);

/// A build with buildx, in a folder that goes with it.
pub(crate) struct Buildx {
    docker: PathBuf,
    folder: TempDir,
    /// Name of the builder that is the engine itself.
    builder: String,
    environment: Vec<(String, String)>,
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
    pub(crate) async fn new(
        docker: PathBuf,
        engine: &Engine,
        host: &dyn Host,
        dockerfile: &str,
    ) -> Result<Self, String> {
        let folder = TempDir::with_prefix_in("silidock-build-", host.temp_dir()).map_err(|error| error.to_string())?;
        let context = folder.path().join("context");
        std::fs::create_dir(&context).map_err(|error| error.to_string())?;
        std::fs::write(context.join("Dockerfile"), dockerfile).map_err(|error| error.to_string())?;
        let target = engine.target();
        // A context is more than an address: its TLS files go with its name.
        let named = target.context.clone().filter(|_| target.origin != Origin::DockerHost);
        let (address, context) = match &named {
            Some(context) => (String::new(), context.clone()),
            None => (target.endpoint.to_string(), String::new()),
        };
        let kept = folder.path().join("kept").display().to_string();
        let environment = [("DOCKER_HOST", address), ("DOCKER_CONTEXT", context), ("BUILDX_CONFIG", kept)];
        let buildx = Self {
            docker,
            folder,
            builder: named.unwrap_or_else(|| "default".to_owned()),
            environment: environment.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        };
        match host.run(&buildx.tool(&["buildx", "version"], SHORT)).await {
            Ok(output) if output.success() => Ok(buildx),
            Ok(_) => Err("the Docker client here has no buildx".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn tool(&self, words: &[&str], limit: Duration) -> ToolRun {
        let mut tool = ToolRun::new(&self.docker, words).timeout(limit);
        tool.env.clone_from(&self.environment);
        tool
    }

    /// The build.
    pub(crate) fn build(&self, arch: &str, limit: Duration) -> ToolRun {
        let platform = format!("linux/{arch}");
        let context = self.folder.path().join("context").display().to_string();
        let mut words = vec!["buildx", "build", "--builder", &self.builder, "--platform", &platform];
        words.extend(["--no-cache", "--network", "none", "--provenance=false", "--sbom=false", "--output"]);
        words.extend(["type=cacheonly", "--progress", "rawjson", &context]);
        self.tool(&words, limit)
    }

    /// What the step printed.
    pub(crate) fn answer(&self, output: &Output) -> Result<Vec<u8>, Failed> {
        let read = Read::of(&output.stderr);
        match read.step_error {
            None if output.success() && !read.printed.is_empty() => Ok(read.printed),
            Some(error) => {
                let said = String::from_utf8_lossy(&read.printed).into_owned();
                Err(Failed::Step(one_line(format!("{error} {said} {}", read.complained).as_bytes())))
            }
            None => Err(Failed::Before(match read.rest.is_empty() {
                true => "buildx said nothing of it".to_owned(),
                false => one_line(read.rest.as_bytes()),
            })),
        }
    }
}

#[derive(Default)]
struct Read {
    /// What the step wrote to its standard output.
    printed: Vec<u8>,
    complained: String,
    step_error: Option<String>,
    /// Everything that is no report of progress.
    rest: String,
}

#[derive(Deserialize)]
struct Progress {
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
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Log {
    vertex: String,
    stream: u8,
    data: String,
}

impl Read {
    fn of(lines: &[u8]) -> Self {
        let (mut read, mut steps) = (Self::default(), BTreeSet::new());
        for line in lines.split(|byte| *byte == b'\n') {
            let Ok(progress) = serde_json::from_slice::<Progress>(line) else {
                let said = String::from_utf8_lossy(line);
                if said.starts_with("ERROR") {
                    read.rest.push_str(&said);
                }
                continue;
            };
            for vertex in progress.vertexes.into_iter().filter(|vertex| vertex.name.contains("] RUN ")) {
                if !vertex.error.is_empty() {
                    read.step_error = Some(vertex.error);
                }
                steps.insert(vertex.digest);
            }
            for log in progress.logs.into_iter().filter(|log| steps.contains(&log.vertex)) {
                let data = BASE64_STANDARD.decode(log.data).unwrap_or_default();
                match log.stream {
                    1 => read.printed.extend(data),
                    _ => read.complained.push_str(&String::from_utf8_lossy(&data)),
                }
            }
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: &str =
        r#"{"vertexes":[{"digest":"a","name":"[1/2] FROM x"},{"digest":"b","name":"[2/2] RUN [\"/p\"]"}]}"#;

    #[test]
    fn what_the_step_said_is_told_from_what_buildx_says() {
        let rows = [
            (
                format!(
                    "{STEP}\n{{\"logs\":[{{\"vertex\":\"b\",\"stream\":1,\"data\":\"eyJh\"}}]}}\n{{\"logs\":[{{\"vertex\":\"b\",\"stream\":1,\"data\":\"In0=\"}}]}}"
                ),
                "{\"a\"}",
                "",
                None,
            ),
            (
                format!("{STEP}\n{{\"logs\":[{{\"vertex\":\"a\",\"stream\":1,\"data\":\"eyJh\"}}]}}\nERROR: no"),
                "",
                "ERROR: no",
                None,
            ),
            (
                format!(
                    "{STEP}\n{{\"vertexes\":[{{\"digest\":\"b\",\"name\":\"[2/2] RUN x\",\"error\":\"exec format error\"}}]}}\nDockerfile:2\nERROR: failed"
                ),
                "",
                "ERROR: failed",
                Some("exec format error"),
            ),
            ("".to_owned(), "", "", None),
        ];
        for (lines, printed, rest, error) in rows {
            let read = Read::of(lines.as_bytes());
            let seen =
                (String::from_utf8_lossy(&read.printed).into_owned(), read.rest.as_str(), read.step_error.as_deref());
            assert_eq!(seen, (printed.to_owned(), rest, error), "{lines}");
        }
    }
}
