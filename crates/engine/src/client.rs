//! One engine and the questions Silidock asks it. Every question has a time limit; every answer is read tolerantly.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use silidock_host::Host;

use crate::containers::{ContainerDetails, ContainerRecord};
use crate::endpoint::Endpoint;
use crate::error::{Asked, EngineError};
use crate::events::{self, EventStream};
use crate::images::{ImageConfig, ImageRecord};
use crate::json::{Listing, if_readable, reason};
use crate::records::{About, Info};
use crate::resolve::{ResolveError, Target, fallbacks, resolve};
use crate::top::{self, Process, TopError};
use crate::version::{ApiVersion, VersionInfo};
use crate::wire::{Wire, escaped};

/// Time limits and the ssh program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectOptions {
    /// For opening the connection: 4 s.
    pub connect: Duration,
    /// For one question about one thing: 20 s. A sleeping Docker Desktop needs up to 10 s of it to wake.
    pub call: Duration,
    /// For a whole list, which an engine with many images needs seconds for: 60 s.
    pub list: Duration,
    /// The ssh program; found by `PATH` unless it is a path.
    pub ssh_program: PathBuf,
    /// The `PATH` of ssh, whose own settings may name further programs; `None` leaves it as it is.
    pub search_path: Option<OsString>,
}

impl ConnectOptions {
    /// The usual limits, and programs looked up where they are on this machine: an app that was started from the Finder
    /// has hardly any `PATH`.
    #[must_use]
    pub fn on(host: &dyn Host) -> Self {
        let usual = Self::default();
        let ssh_program = host.find_tool("ssh").unwrap_or(usual.ssh_program);
        Self { ssh_program, search_path: Some(host.tool_path()), ..usual }
    }
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(4),
            call: Duration::from_secs(20),
            list: Duration::from_secs(60),
            ssh_program: PathBuf::from("ssh"),
            search_path: None,
        }
    }
}

/// Why no engine could be found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The choice itself is broken, or there is nothing to choose.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The chosen engine does not answer; of several possible ones, the first.
    #[error("{error}")]
    Connect {
        /// The engine.
        target: Box<Target>,
        /// Why it does not answer.
        error: EngineError,
    },
}

impl FindError {
    /// What the user can do, in one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Resolve(error) => error.hint(),
            Self::Connect { error, .. } => error.hint(),
        }
    }
}

/// A connected engine. Clones share it.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    wire: Wire,
    target: Target,
    options: ConnectOptions,
    version: VersionInfo,
    api: ApiVersion,
}

/// How many lists are asked for where an image goes each time.
const LISTS: usize = 4;

impl Engine {
    /// Connects and agrees on an API version.
    ///
    /// # Errors
    /// Every [`EngineError`] but `BadAnswer`: an engine that answers `/version` with nonsense is `NotDocker`.
    pub async fn connect(target: &Target, options: ConnectOptions) -> Result<Self, EngineError> {
        Self::agree(target, options).await.map_err(|error| explained(error, &target.endpoint))
    }

    async fn agree(target: &Target, options: ConnectOptions) -> Result<Self, EngineError> {
        let wire = Wire::open(&target.endpoint, &options).await?;
        let asked = Asked("the version question", "");
        let not_docker = |why: String| EngineError::NotDocker { endpoint: wire.endpoint().to_owned(), why };
        let bytes = match wire.get("/version", asked, options.call).await {
            // Errors of the server are an engine that starts or a proxy that forbids; other refusals are no engine.
            Err(EngineError::Status { code, .. }) if code < 500 && !matches!(code, 401 | 403) => {
                return Err(not_docker(format!("it answered {code} to {asked}")));
            }
            result => result?,
        };
        let version: VersionInfo = serde_json::from_slice(&bytes)
            .map_err(|error| not_docker(format!("its answer to {asked} is odd: {}", reason(&error))))?;
        let api = version.api_version.min(ApiVersion::NEWEST);
        let endpoint = wire.endpoint().to_owned();
        if api < ApiVersion::OLDEST {
            return Err(EngineError::TooOld { endpoint, api });
        }
        if let Some(minimum) = version.min_api_version.filter(|minimum| *minimum > api) {
            return Err(EngineError::TooNew { endpoint, minimum });
        }
        let shared = Shared { wire, target: target.clone(), options, version, api };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Resolves and connects. An engine that somebody chose (argument, environment, context) is the only one tried;
    /// where nobody chose, the sockets of the known runtimes are tried in turn, and the first that answers is taken.
    ///
    /// # Errors
    /// A broken choice, or the first engine's failure.
    pub async fn find(host: &dyn Host, explicit: Option<&str>, options: ConnectOptions) -> Result<Self, FindError> {
        let target = resolve(host, explicit)?;
        let error = match Self::connect(&target, options.clone()).await {
            Ok(engine) => return Ok(engine),
            Err(error) => error,
        };
        for other in fallbacks(host, &target) {
            if let Ok(engine) = Self::connect(&other, options.clone()).await {
                return Ok(engine);
            }
        }
        Err(FindError::Connect { target: Box::new(target), error })
    }

    /// The engine's address and how it was chosen.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.shared.target
    }

    /// What `/version` said when connecting.
    #[must_use]
    pub fn version(&self) -> &VersionInfo {
        &self.shared.version
    }

    /// The API version spoken.
    #[must_use]
    pub fn api_version(&self) -> ApiVersion {
        self.shared.api
    }

    /// When the engine was last started, as an opaque text that changes with every start: it makes its default network
    /// anew each time. `None` for an engine without one.
    ///
    /// # Errors
    /// As for any question.
    pub async fn started(&self) -> Result<Option<String>, EngineError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Network {
            created: String,
        }
        let asked = Asked("the question about the default network", "");
        match self.read::<Network>("/networks/bridge", asked).await {
            Ok(network) => Ok(Some(network.created)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the engine tells about itself; `/info` is asked anew.
    ///
    /// # Errors
    /// As for any question.
    pub async fn about(&self) -> Result<About, EngineError> {
        let info: Info = self.read("/info", Asked("the question about the engine", "")).await?;
        Ok(About {
            version: self.shared.version.clone(),
            api_version: self.shared.api,
            architecture: info.architecture,
            os_type: info.os_type,
            operating_system: info.operating_system,
            kernel: info.kernel,
            name: info.name,
            driver: info.driver,
            driver_status: info.driver_status.unwrap_or_default(),
            labels: info.labels.unwrap_or_default(),
            security_options: info.security_options.unwrap_or_default(),
            cpus: info.cpus,
            memory: info.memory,
        })
    }

    /// All images in one list, from API 1.47 on with their manifests.
    ///
    /// # Errors
    /// As for any question; single odd entries are counted in the listing instead.
    pub async fn images(&self) -> Result<Listing<ImageRecord>, EngineError> {
        let path = if self.shared.api >= ApiVersion::MANIFESTS { "/images/json?manifests=1" } else { "/images/json" };
        self.image_list(path, Asked("the image list", "")).await
    }

    /// One image by identifier or reference.
    ///
    /// # Errors
    /// As for any question; [`EngineError::is_not_found`] for an image that vanished.
    pub async fn inspect_image(&self, image: &str) -> Result<ImageConfig, EngineError> {
        self.read(&format!("/images/{}/json", escaped(image)), Asked("the question about image", image)).await
    }

    /// All containers in one list, running or not.
    ///
    /// # Errors
    /// As for any question; single odd entries are counted in the listing instead.
    pub async fn containers(&self) -> Result<Listing<ContainerRecord>, EngineError> {
        self.list("/containers/json?all=1", Asked("the container list", "")).await
    }

    /// One container by identifier or name.
    ///
    /// # Errors
    /// As for any question; [`EngineError::is_not_found`] for a container that vanished.
    pub async fn inspect_container(&self, container: &str) -> Result<ContainerDetails, EngineError> {
        let path = format!("/containers/{}/json", escaped(container));
        self.read(&path, Asked("the question about container", container)).await
    }

    /// The processes of a running container.
    ///
    /// # Errors
    /// Says whether the container, its running, or the engine's `ps` is what is missing.
    pub async fn top(&self, container: &str) -> Result<Vec<Process>, TopError> {
        let path = format!("/containers/{}/top?ps_args=-eo%20pid%2Cargs", escaped(container));
        let asked = Asked("the question for the processes of", container);
        let bytes = self.get(&path, asked, self.shared.options.call).await.map_err(TopError::of)?;
        match top::parse(&bytes) {
            Ok(processes) => processes.ok_or(TopError::NotRunning),
            Err(why) => Err(TopError::Engine(self.shared.wire.unreadable(asked, why))),
        }
    }

    /// Processor time a container has used since its start, in nanoseconds. It takes an engine milliseconds, but
    /// Engine 20.10 up to a second per container: ask side by side.
    ///
    /// # Errors
    /// As for any question; `BadAnswer` for a container that does not run.
    pub async fn cpu_total(&self, container: &str) -> Result<u64, EngineError> {
        let path = format!("/containers/{}/stats?stream=false&one-shot=true", escaped(container));
        let asked = Asked("the question for the processor time of", container);
        let stats: Stats = self.read(&path, asked).await?;
        let used = stats.cpu_stats.and_then(|cpu| cpu.cpu_usage).and_then(|usage| usage.total_usage);
        // An engine answers a stopped container with zeros.
        let used = used.filter(|nanoseconds| *nanoseconds > 0);
        used.ok_or_else(|| self.shared.wire.unreadable(asked, "it holds no processor time".to_owned()))
    }

    /// Events from a second of Unix time on, or from now on. The request is made when the stream is first polled; it has
    /// no time limit, and it ends with an error when the engine goes.
    #[must_use]
    pub fn events(&self, since: Option<i64>) -> EventStream {
        let path = since.map_or_else(|| "/events".to_owned(), |second| format!("/events?since={second}"));
        events::stream(self.shared.wire.clone(), &self.versioned(&path))
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.shared.wire
    }

    pub(crate) fn options(&self) -> &ConnectOptions {
        &self.shared.options
    }

    pub(crate) fn versioned(&self, path: &str) -> String {
        format!("/v{}{path}", self.shared.api)
    }

    pub(crate) async fn get(&self, path: &str, asked: Asked<'_>, limit: Duration) -> Result<Vec<u8>, EngineError> {
        self.shared.wire.get(&self.versioned(path), asked, limit).await
    }

    pub(crate) async fn read<T: DeserializeOwned>(&self, path: &str, asked: Asked<'_>) -> Result<T, EngineError> {
        let bytes = self.get(path, asked, self.shared.options.call).await?;
        serde_json::from_slice(&bytes).map_err(|error| self.shared.wire.unreadable(asked, reason(&error)))
    }

    /// A list of images. Where one of them goes while the engine makes the list, it can answer with that one's 404 instead; the next list
    /// does without it.
    pub(crate) async fn image_list<T: DeserializeOwned>(
        &self,
        path: &str,
        asked: Asked<'_>,
    ) -> Result<Listing<T>, EngineError> {
        for _ in 1..LISTS {
            match self.list(path, asked).await {
                Err(error) if error.is_not_found() => {}
                answer => return answer,
            }
        }
        self.list(path, asked).await
    }

    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        asked: Asked<'_>,
    ) -> Result<Listing<T>, EngineError> {
        let bytes = self.get(path, asked, self.shared.options.list).await?;
        Listing::parse(&bytes).map_err(|error| self.shared.wire.unreadable(asked, reason(&error)))
    }
}

/// A context may ask not to verify certificates. That is not done, and where it matters it must be said.
fn explained(error: EngineError, endpoint: &Endpoint) -> EngineError {
    match (error, endpoint) {
        (EngineError::Tls { endpoint, why }, Endpoint::Tls { material, .. }) if material.skip_verify => {
            let why = format!("{why} (the context asks to skip verification, but Silidock always verifies)");
            EngineError::Tls { endpoint, why }
        }
        (error, _) => error,
    }
}

#[derive(Deserialize)]
struct Stats {
    #[serde(default, deserialize_with = "if_readable")]
    cpu_stats: Option<CpuStats>,
}

#[derive(Deserialize)]
struct CpuStats {
    cpu_usage: Option<CpuUsage>,
}

#[derive(Deserialize)]
struct CpuUsage {
    total_usage: Option<u64>,
}
