//! What was read of Compose projects: exactly the keys that platforms are judged by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    fact::{Fact, Gap},
    platform::Platform,
};

/// A Compose project, found through the labels of its containers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ComposeProject {
    /// Project name.
    pub name: String,
    /// Its folder.
    pub working_dir: Option<String>,
    /// Its files in the order Compose merges them, the later one winning.
    pub files: Vec<ComposeFile>,
}

/// One Compose file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ComposeFile {
    /// Absolute path.
    pub path: String,
    /// Its services, or why it could not be read.
    pub services: Fact<Vec<ComposeService>>,
}

/// A service as one file declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ComposeService {
    /// Service name.
    pub name: String,
    /// Line of its name, from 1; none where it could not be placed.
    pub line: Option<u32>,
    /// `image:` as written.
    pub image: Option<String>,
    /// It has a `build:`.
    pub builds: bool,
    /// What its `build:` says, and its Dockerfile. Older captures have none.
    #[serde(default)]
    pub build: Option<ComposeBuild>,
    /// `platform:` as written, merge keys applied.
    pub platform: Option<DeclaredPlatform>,
    /// It extends another service, so part of it stands elsewhere.
    pub extends: bool,
}

/// A `platform:` line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredPlatform {
    /// As written, variables not replaced.
    pub value: String,
    /// Line, from 1; none where it comes from elsewhere (merge key).
    pub line: Option<u32>,
}

/// A `build:` of a service, and the stages of its Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ComposeBuild {
    /// Path of the Dockerfile; that of the Compose file where the text stands there.
    pub dockerfile: Option<String>,
    /// `platforms:` as written.
    pub platforms: Vec<String>,
    /// The stages that could be read, in order.
    pub stages: Vec<BuildStage>,
    /// Why the rest of them, or all, could not be read.
    pub gap: Option<Gap>,
}

/// One `FROM` of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct BuildStage {
    /// Its name, `AS ...`.
    pub name: Option<String>,
    /// The image it starts from, variables replaced where their values are known.
    pub image: String,
    /// It starts from an earlier stage of the same file, or from nothing.
    pub internal: bool,
    /// The FROM as it stands there.
    pub text: String,
    /// The platform it is fixed to; none where it follows the build.
    pub platform: Option<Fact<Platform>>,
    /// Line of its FROM, from 1; none where the text does not stand in a file of its own.
    pub line: Option<u32>,
}

/// What a project's files say together about one service.
#[derive(Debug, Clone, PartialEq)]
pub enum Pin<'a> {
    /// A file pins it.
    Pinned {
        /// Which.
        file: &'a ComposeFile,
        /// To what.
        platform: &'a DeclaredPlatform,
    },
    /// No file pins it; this one is where a pin belongs.
    Unpinned {
        /// The file that gives the service its image or build, else the first that names it.
        file: &'a ComposeFile,
        /// The service there.
        service: &'a ComposeService,
    },
    /// The files cannot tell.
    CannotTell {
        /// Why.
        why: String,
    },
}

impl ComposeProject {
    /// Whether and where `service` is pinned.
    pub fn pin(&self, service: &str) -> Pin<'_> {
        let mut home: Option<(&ComposeFile, &ComposeService)> = None;
        let mut extended = false;
        // The later file wins in Compose, so look from the end for a pin and from the start for a home.
        for file in self.files.iter().rev() {
            let services = match &file.services {
                Fact::Known(services) => services,
                Fact::Unknown { unknown } => {
                    return Pin::CannotTell { why: format!("{}: {}", file.path, unknown.why) };
                }
            };
            let Some(found) = services.iter().find(|s| s.name == service) else {
                continue;
            };
            if let Some(platform) = &found.platform {
                return Pin::Pinned { file, platform };
            }
            extended |= found.extends;
            let gives_image = found.image.is_some() || found.builds;
            if home.is_none_or(|(_, known)| gives_image || (known.image.is_none() && !known.builds)) {
                home = Some((file, found));
            }
        }
        match home {
            Some(_) if extended => {
                Pin::CannotTell { why: format!("service {service} extends another one, which may set its platform") }
            }
            Some((file, service)) => Pin::Unpinned { file, service },
            None if self.files.is_empty() => {
                Pin::CannotTell { why: format!("the containers of {} name no Compose file", self.name) }
            }
            None => Pin::CannotTell {
                why: format!("no file of {} has a service {service}; it may be included from elsewhere", self.name),
            },
        }
    }
}
