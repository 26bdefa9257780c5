//! The Docker Engine API: which engines there are, how to reach one, and typed answers to the few questions
//! Silidock asks. Nothing is judged here; what is started, and removed again, are the throw-away containers of `throwaway`
//! alone. What changes a user's containers and images are the calls of `alter`, which `remedy` makes.

mod alter;
mod archive;
mod build;
mod build_log;
mod carrier;
mod client;
mod containers;
mod context;
mod docker_client;
mod endpoint;
mod error;
mod events;
mod export;
mod image_names;
mod image_start;
mod images;
mod json;
mod records;
mod resolve;
mod runtime;
mod sockets;
mod ssh;
mod starts;
mod throwaway;
mod tls;
mod top;
mod version;
mod wire;
mod workbench;

pub use alter::{ChangedPath, Pull, Pulling};
pub use archive::{FileStart, PathError, PathKind, PathStat};
pub use build::{Build, CacheRecord, LocalBuild};
pub use build_log::{BuildLog, BuildStep};
pub use carrier::{Carrier, Printed};
pub use client::{ConnectOptions, Engine, FindError};
pub use containers::{ContainerDetails, ContainerRecord, MountPoint};
pub use context::{Context, ContextEntry, ContextError, contexts, current_context};
pub use docker_client::{DockerClient, NoClient, docker_variables};
pub use endpoint::{Endpoint, EndpointError, Locality, TlsMaterial};
pub use error::{EngineError, SshFailure};
pub use events::{Event, EventKind, EventStream};
pub use image_start::{ContainerStart, ImageLabel, ImageStart, StartConfig};
pub use images::{ImageConfig, ImageRecord, ManifestKind, ManifestRecord};
pub use json::{Listing, Unreadable};
pub use records::{About, Component, Descriptor, PlatformRecord};
pub use resolve::{Candidate, Origin, ResolveError, Target, list_targets, recorded, resolve};
pub use runtime::{Identified, Runtime, identify};
pub use sockets::{KNOWN_SOCKETS, KnownSocket};
pub use starts::{MountRecord, StartRecord};
pub use throwaway::{Created, LabelledImage, LoadError, Output, Throwaway};
pub use top::{Process, TopError};
pub use version::{ApiVersion, Product, VersionInfo};
pub use workbench::{Conversation, LabelledNetwork, OwnRun, Workbench};

/// Chooses the program's one TLS implementation (aws-lc-rs). Call it first thing in `main`; calling it again, or
/// after somebody else has chosen, changes nothing.
pub fn init() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster, and then a default exists all the same.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}
