//! The Docker command line as a tool: what it is told so that it speaks to the engine that was chosen, and whether it
//! carries buildx. It is run by argument vector; what for is the caller's.

use std::path::PathBuf;
use std::time::Duration;

use silidock_host::{Host, RunError, ToolRun};

use crate::client::Engine;
use crate::endpoint::Endpoint;
use crate::resolve::{Origin, Target};

const SHORT: Duration = Duration::from_secs(20);

/// The Docker command, set to one engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerClient {
    program: PathBuf,
    environment: Vec<(String, String)>,
    builder: String,
}

/// Why the Docker command cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoClient {
    /// It is not here.
    #[error("the docker command is not on this machine")]
    Missing,
    /// One of its plugins is not here.
    #[error("the docker command here ({program}) has no {plugin}", program = program.display())]
    NoPlugin {
        /// `buildx`, `compose`.
        plugin: &'static str,
        /// The command that was asked, which may be none of `PATH`.
        program: PathBuf,
    },
    /// It could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// The variables that lead the Docker command, and its plugins, to an engine. An empty one is as good as none, and keeps one of
/// this process away.
#[must_use]
pub fn docker_variables(target: &Target) -> Vec<(String, String)> {
    // A context is more than an address: its TLS files go with its name.
    let (address, context) = match named(target) {
        Some(context) => (String::new(), context),
        None => (target.endpoint.for_docker(), ""),
    };
    let tls = context.is_empty() && matches!(target.endpoint, Endpoint::Tls { .. });
    let folder = target.endpoint.tls_folder().filter(|_| tls).map(|folder| folder.display().to_string());
    let variables = [
        ("DOCKER_HOST", address),
        ("DOCKER_CONTEXT", context.to_owned()),
        ("DOCKER_TLS", String::new()),
        ("DOCKER_TLS_VERIFY", if tls { "1".to_owned() } else { String::new() }),
        ("DOCKER_CERT_PATH", folder.unwrap_or_default()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// The context that stands for the engine.
fn named(target: &Target) -> Option<&str> {
    target.context.as_deref().filter(|_| target.origin != Origin::DockerHost)
}

impl DockerClient {
    /// The Docker command of this machine, for an engine.
    ///
    /// # Errors
    /// There is none.
    pub fn of(host: &dyn Host, engine: &Engine) -> Result<Self, NoClient> {
        let program = host.find_tool("docker").ok_or(NoClient::Missing)?;
        let target = engine.target();
        let builder = named(target).unwrap_or("default").to_owned();
        Ok(Self { program, environment: docker_variables(target), builder })
    }

    /// The Docker command at a place, set to no engine.
    #[must_use]
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), environment: Vec::new(), builder: "default".to_owned() }
    }

    /// Name of the builder that is the engine itself.
    #[must_use]
    pub fn own_builder(&self) -> &str {
        &self.builder
    }

    /// With one more variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A run of it with these words.
    #[must_use]
    pub fn tool(&self, words: &[&str]) -> ToolRun {
        let mut tool = ToolRun::new(&self.program, words);
        tool.env.clone_from(&self.environment);
        tool
    }

    /// Whether it carries a plugin; what that says of its version.
    ///
    /// # Errors
    /// It does not, or it cannot be run.
    pub async fn plugin(&self, host: &dyn Host, plugin: &'static str) -> Result<String, NoClient> {
        let output = host.run(&self.tool(&[plugin, "version"]).timeout(SHORT)).await?;
        if output.success() {
            Ok(output.text())
        } else {
            Err(NoClient::NoPlugin { plugin, program: self.program.clone() })
        }
    }
}
