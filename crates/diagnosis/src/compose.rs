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
    /// What Compose makes of all of them together. Older captures have none.
    #[serde(default = "not_resolved")]
    pub services: Fact<Vec<ResolvedService>>,
    /// Parts that were not read, such as an include that lies on another machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Gap>>")]
    pub gaps: Vec<Gap>,
    /// Whether the installed Compose says the same. Older captures have none.
    #[serde(default = "not_compared")]
    pub compared: Fact<Comparison>,
    /// Somebody named it to be judged; it is not known by its containers.
    #[serde(default)]
    pub opened: bool,
}

fn not_resolved() -> Fact<Vec<ResolvedService>> {
    Fact::unknown("what the files of the project say together", "it was not worked out")
}

fn not_compared() -> Fact<Comparison> {
    Fact::unknown("what docker compose config says", "it was not asked")
}

/// What `docker compose config` says beside what was worked out here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Comparison {
    /// The same of every service.
    Agrees,
    /// Something else of these services; each carries a gap.
    Differs {
        /// Their names.
        services: Vec<String>,
    },
    /// It does not take the project.
    Refuses {
        /// In its words.
        why: String,
    },
}

/// A service as Compose would see it: every file, variable, `extends` and `include` worked out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedService {
    /// Service name.
    pub name: String,
    /// The file that is its home: which gives it its image or build, else the first that names it.
    pub path: String,
    /// Line of its name there, from 1.
    pub line: Option<u32>,
    /// Its image.
    pub image: Option<Placed>,
    /// Its platform; none where it has none, or an empty one.
    pub platform: Option<Placed>,
    /// Its build.
    pub build: Option<ResolvedBuild>,
    /// Its profiles; none means that it always belongs.
    pub profiles: Vec<String>,
    /// It belongs with the profiles that are set here.
    pub active: bool,
    /// Why it may be otherwise.
    pub gap: Option<Gap>,
}

/// A `build:` as Compose would see it. Values of arguments are not kept: they may be secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ResolvedBuild {
    /// Absolute folder, or an address.
    pub context: Option<Placed>,
    /// Relative to the context, as written.
    pub dockerfile: Option<Placed>,
    /// The stage that is built.
    pub target: Option<Placed>,
    /// `platforms:`.
    pub platforms: Vec<Placed>,
    /// Names of build arguments.
    pub args: Vec<Placed>,
}

/// A value of a Compose file, and the place that set it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
pub struct Placed {
    /// With its variables replaced.
    pub value: String,
    /// Absolute path of the file.
    pub path: String,
    /// Line, from 1.
    pub line: Option<u32>,
    /// It stands under the service's own name there, and no merge key, `extends` or variable brings it: it can be edited
    /// for this service alone.
    pub own: bool,
    /// Variables in it that have no value here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub unset: Vec<String>,
}

impl Placed {
    /// File and line, as one opens it.
    pub fn place(&self) -> String {
        place(&self.path, self.line)
    }
}

/// File and line, as one opens it.
pub fn place(path: &str, line: Option<u32>) -> String {
    line.map_or_else(|| path.to_owned(), |line| format!("{path}:{line}"))
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin<'a> {
    /// A file pins it.
    Pinned {
        /// Which.
        path: &'a str,
        /// Line of its `platform:`.
        line: Option<u32>,
        /// To what.
        value: &'a str,
    },
    /// No file pins it; this one is where a pin belongs.
    Unpinned {
        /// The file that gives the service its image or build, else the first that names it.
        path: &'a str,
        /// Line of its name.
        line: Option<u32>,
    },
}

impl ComposeProject {
    /// Whether and where `service` is pinned, or why the files cannot tell.
    pub fn pin(&self, service: &str) -> Result<Pin<'_>, String> {
        let services = match &self.services {
            Fact::Known(services) => services,
            Fact::Unknown { .. } => return self.pin_of_files(service),
        };
        let Some(found) = services.iter().find(|s| s.name == service) else { return Err(self.not_there(service)) };
        if let Some(gap) = &found.gap {
            return Err(gap.why.clone());
        }
        Ok(match &found.platform {
            Some(set) => Pin::Pinned { path: &set.path, line: set.line, value: &set.value },
            None => Pin::Unpinned { path: &found.path, line: found.line },
        })
    }

    fn not_there(&self, service: &str) -> String {
        match (self.files.is_empty(), self.gaps.first()) {
            (true, _) => format!("the containers of {} name no Compose file", self.name),
            (false, Some(gap)) => gap.why.clone(),
            (false, None) => {
                format!("no file of {} has a service {service}; it may be included from elsewhere", self.name)
            }
        }
    }

    /// Each file for itself: all that older captures have, and what is left where Compose would refuse the whole.
    fn pin_of_files(&self, service: &str) -> Result<Pin<'_>, String> {
        let mut home: Option<(&ComposeFile, &ComposeService)> = None;
        let mut extended = false;
        // The later file wins in Compose, so look from the end for a pin and from the start for a home.
        for file in self.files.iter().rev() {
            let services = match &file.services {
                Fact::Known(services) => services,
                Fact::Unknown { unknown } => return Err(format!("{}: {}", file.path, unknown.why)),
            };
            let Some(found) = services.iter().find(|s| s.name == service) else {
                continue;
            };
            if let Some(platform) = &found.platform {
                return Ok(Pin::Pinned { path: &file.path, line: platform.line, value: &platform.value });
            }
            extended |= found.extends;
            let gives_image = found.image.is_some() || found.builds;
            if home.is_none_or(|(_, known)| gives_image || (known.image.is_none() && !known.builds)) {
                home = Some((file, found));
            }
        }
        match home {
            Some(_) if extended => Err(format!("service {service} extends another one, which may set its platform")),
            Some((file, service)) => Ok(Pin::Unpinned { path: &file.path, line: service.line }),
            None => Err(self.not_there(service)),
        }
    }
}
