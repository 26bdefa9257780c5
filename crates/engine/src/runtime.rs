//! Which product an engine is, by the marks it shows. A table of marks, and nothing about what follows from it.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::records::About;
use crate::resolve::Target;

/// A product that brings a Docker engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Runtime {
    /// Docker Desktop.
    DockerDesktop,
    /// OrbStack.
    OrbStack,
    /// Colima, one engine per profile.
    Colima,
    /// Lima, one engine per instance.
    Lima,
    /// Rancher Desktop with its moby engine.
    RancherDesktop,
    /// Podman, on a Mac in a machine.
    Podman,
    /// Finch.
    Finch,
    /// Docker Engine by itself, on Linux.
    DockerEngine,
    /// None of these is recognised.
    Unknown,
}

impl Runtime {
    /// Its name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::DockerDesktop => "Docker Desktop",
            Self::OrbStack => "OrbStack",
            Self::Colima => "Colima",
            Self::Lima => "Lima",
            Self::RancherDesktop => "Rancher Desktop",
            Self::Podman => "Podman",
            Self::Finch => "Finch",
            Self::DockerEngine => "Docker Engine",
            Self::Unknown => "unknown runtime",
        }
    }
}

/// A runtime and how it was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The product.
    pub runtime: Runtime,
    /// Colima's profile or Lima's instance.
    pub profile: Option<String>,
    /// The product's own version, where it tells.
    pub version: Option<String>,
    /// The mark, in words: `its host name is docker-desktop`.
    pub evidence: String,
}

/// Where a mark is looked for.
#[derive(Debug, Clone, Copy)]
enum Place {
    Product,
    Component,
    OperatingSystem,
    HostName,
    Kernel,
    Label,
    Socket,
}

/// How a mark is compared.
#[derive(Debug, Clone, Copy)]
enum Mark {
    Is(&'static str),
    Starts(&'static str),
    Contains(&'static str),
}

/// The marks; the first that fits decides. What an engine says of itself comes before where its socket lies, because a
/// link may lead anywhere. A Lima host name comes after those of the products that are built on Lima.
const MARKS: &[(Runtime, Place, Mark)] = &[
    (Runtime::DockerDesktop, Place::Product, Mark::Starts("Docker Desktop")),
    (Runtime::DockerDesktop, Place::OperatingSystem, Mark::Is("Docker Desktop")),
    (Runtime::DockerDesktop, Place::Label, Mark::Starts("com.docker.desktop.")),
    (Runtime::DockerDesktop, Place::HostName, Mark::Is("docker-desktop")),
    (Runtime::OrbStack, Place::OperatingSystem, Mark::Is("OrbStack")),
    (Runtime::OrbStack, Place::HostName, Mark::Is("orbstack")),
    (Runtime::OrbStack, Place::Kernel, Mark::Contains("orbstack")),
    (Runtime::Podman, Place::Component, Mark::Is("Podman Engine")),
    (Runtime::Finch, Place::Socket, Mark::Contains("/finch/")),
    (Runtime::RancherDesktop, Place::HostName, Mark::Is("lima-rancher-desktop")),
    (Runtime::RancherDesktop, Place::Socket, Mark::Contains("/.rd/")),
    (Runtime::Colima, Place::HostName, Mark::Is("colima")),
    (Runtime::Colima, Place::HostName, Mark::Starts("colima-")),
    (Runtime::Colima, Place::Socket, Mark::Contains("/.colima/")),
    (Runtime::Colima, Place::Socket, Mark::Contains("/colima/")),
    (Runtime::Lima, Place::HostName, Mark::Starts("lima-")),
    (Runtime::Lima, Place::Socket, Mark::Contains("/.lima/")),
    (Runtime::OrbStack, Place::Socket, Mark::Contains("/.orbstack/")),
    (Runtime::DockerDesktop, Place::Socket, Mark::Contains("/.docker/run/")),
    (Runtime::DockerDesktop, Place::Socket, Mark::Contains("/com.docker.docker/")),
    (Runtime::DockerEngine, Place::Product, Mark::Starts("Docker Engine")),
    (Runtime::DockerEngine, Place::Component, Mark::Is("Engine")),
];

impl Place {
    fn words(self) -> &'static str {
        match self {
            Self::Product => "it calls itself",
            Self::Component => "one of its components is",
            Self::OperatingSystem => "its operating system is",
            Self::HostName => "its host name is",
            Self::Kernel => "its kernel is",
            Self::Label => "it has the label",
            Self::Socket => "its socket is",
        }
    }

    fn values(self, about: &About, target: &Target) -> Vec<String> {
        match self {
            Self::Product => vec![about.version.platform.name.clone()],
            Self::Component => about.version.components.iter().map(|component| component.name.clone()).collect(),
            Self::OperatingSystem => vec![about.operating_system.clone()],
            Self::HostName => vec![about.name.clone()],
            Self::Kernel => vec![about.kernel.clone()],
            // The value of a label may hold anything; its key is the mark.
            Self::Label => {
                about.labels.iter().map(|label| label.split('=').next().unwrap_or_default().to_owned()).collect()
            }
            Self::Socket => {
                let Endpoint::Unix(path) = &target.endpoint else { return Vec::new() };
                let leads_to = target.leads_to.iter().map(|path| path.display().to_string());
                leads_to.chain([path.display().to_string()]).collect()
            }
        }
    }
}

impl Mark {
    fn fits(self, value: &str) -> bool {
        match self {
            Self::Is(text) => value == text,
            Self::Starts(text) => value.starts_with(text),
            Self::Contains(text) => value.contains(text),
        }
    }
}

/// Recognises the runtime. An engine that shows no mark is `Unknown`, and the evidence says so.
#[must_use]
pub fn identify(about: &About, target: &Target) -> Identified {
    for (runtime, place, mark) in MARKS {
        if let Some(value) = place.values(about, target).into_iter().find(|value| mark.fits(value)) {
            return Identified {
                runtime: *runtime,
                profile: profile(*runtime, about, target),
                version: version(*runtime, about),
                evidence: format!("{} {value}", place.words()),
            };
        }
    }
    Identified {
        runtime: Runtime::Unknown,
        profile: None,
        version: None,
        evidence: format!("it shows no known mark; its operating system is {}", about.operating_system),
    }
}

fn profile(runtime: Runtime, about: &About, target: &Target) -> Option<String> {
    match runtime {
        Runtime::Colima if about.name == "colima" => Some("default".to_owned()),
        Runtime::Colima => about.name.strip_prefix("colima-").map(str::to_owned).or_else(|| before_socket(target, 1)),
        Runtime::Lima => about.name.strip_prefix("lima-").map(str::to_owned).or_else(|| before_socket(target, 2)),
        _ => None,
    }
}

/// The folder that names the profile, so many levels above the socket.
fn before_socket(target: &Target, levels: usize) -> Option<String> {
    let Endpoint::Unix(path) = &target.endpoint else { return None };
    let path = target.leads_to.as_ref().unwrap_or(path);
    let folder = path.ancestors().nth(levels)?.file_name()?.to_string_lossy().into_owned();
    (!folder.starts_with('.')).then_some(folder)
}

fn version(runtime: Runtime, about: &About) -> Option<String> {
    let component = |name: &str| {
        let found = about.version.components.iter().find(|component| component.name == name);
        found.map(|component| component.version.clone()).filter(|version| !version.is_empty())
    };
    match runtime {
        Runtime::DockerDesktop => {
            let version = about.version.platform.name.strip_prefix("Docker Desktop ")?.split(' ').next()?;
            Some(version.to_owned()).filter(|version| !version.is_empty())
        }
        Runtime::Podman => component("Podman Engine"),
        Runtime::DockerEngine => component("Engine").or_else(|| Some(about.version.version.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::Origin;
    use crate::version::{ApiVersion, VersionInfo};

    #[derive(Default)]
    struct Shown {
        product: &'static str,
        component: &'static str,
        system: &'static str,
        name: &'static str,
        kernel: &'static str,
        label: &'static str,
        socket: &'static str,
        leads_to: Option<&'static str>,
    }

    fn seen(shown: &Shown) -> Identified {
        let components = serde_json::json!([{ "Name": shown.component, "Version": "5.8.1" }]);
        let version = serde_json::json!({
            "ApiVersion": "1.51", "Version": "28.5.1", "Platform": { "Name": shown.product }, "Components": components
        });
        let version: VersionInfo = serde_json::from_value(version).unwrap();
        let about = About {
            version,
            api_version: ApiVersion::new(1, 51),
            architecture: "aarch64".to_owned(),
            os_type: "linux".to_owned(),
            operating_system: shown.system.to_owned(),
            kernel: shown.kernel.to_owned(),
            name: shown.name.to_owned(),
            driver: String::new(),
            driver_status: Vec::new(),
            labels: vec![shown.label.to_owned()],
            security_options: Vec::new(),
            cpus: None,
            memory: None,
        };
        let target = Target {
            name: "test".to_owned(),
            endpoint: Endpoint::Unix(shown.socket.into()),
            context: None,
            origin: Origin::Explicit,
            chosen_by: String::new(),
            leads_to: shown.leads_to.map(Into::into),
        };
        identify(&about, &target)
    }

    #[test]
    fn runtimes_are_known_by_their_marks() {
        use Runtime::*;
        let ubuntu = "Ubuntu 24.04.2 LTS";
        let shared = "/var/run/docker.sock";
        let table = [
            (
                Shown { product: "Docker Desktop 4.51.0 (210443)", component: "Engine", ..Shown::default() },
                (DockerDesktop, None, Some("4.51.0"), "it calls itself Docker Desktop 4.51.0 (210443)"),
            ),
            (
                Shown { system: "Docker Desktop", name: "docker-desktop", component: "Engine", ..Shown::default() },
                (DockerDesktop, None, None, "its operating system is Docker Desktop"),
            ),
            (
                Shown { label: "com.docker.desktop.address=unix:///Users/ada/secret", ..Shown::default() },
                (DockerDesktop, None, None, "it has the label com.docker.desktop.address"),
            ),
            (
                Shown { system: "OrbStack", name: "orbstack", component: "Engine", ..Shown::default() },
                (OrbStack, None, None, "its operating system is OrbStack"),
            ),
            (
                Shown { kernel: "6.17.8-orbstack-00308-gabc", ..Shown::default() },
                (OrbStack, None, None, "its kernel is 6.17.8-orbstack-00308-gabc"),
            ),
            (
                Shown { component: "Podman Engine", system: "fedora", ..Shown::default() },
                (Podman, None, Some("5.8.1"), "one of its components is Podman Engine"),
            ),
            (
                Shown { name: "colima", system: ubuntu, component: "Engine", ..Shown::default() },
                (Colima, Some("default"), None, "its host name is colima"),
            ),
            (
                Shown { name: "colima-work", component: "Engine", socket: shared, ..Shown::default() },
                (Colima, Some("work"), None, "its host name is colima-work"),
            ),
            (
                Shown { socket: "/Users/ada/.colima/old/docker.sock", component: "Engine", ..Shown::default() },
                (Colima, Some("old"), None, "its socket is /Users/ada/.colima/old/docker.sock"),
            ),
            (
                Shown { name: "lima-rancher-desktop", system: "Alpine Linux v3.22", ..Shown::default() },
                (RancherDesktop, None, None, "its host name is lima-rancher-desktop"),
            ),
            (
                Shown { name: "lima-docker", system: ubuntu, ..Shown::default() },
                (Lima, Some("docker"), None, "its host name is lima-docker"),
            ),
            (
                Shown { socket: shared, leads_to: Some("/Users/ada/.lima/box/sock/docker.sock"), ..Shown::default() },
                (Lima, Some("box"), None, "its socket is /Users/ada/.lima/box/sock/docker.sock"),
            ),
            (
                Shown {
                    name: "lima-finch",
                    socket: "/Applications/Finch/lima/data/finch/sock/finch.sock",
                    ..Shown::default()
                },
                (Finch, None, None, "its socket is /Applications/Finch/lima/data/finch/sock/finch.sock"),
            ),
            (
                Shown {
                    component: "Engine",
                    system: "Debian GNU/Linux 12 (bookworm)",
                    name: "box",
                    socket: shared,
                    ..Shown::default()
                },
                (DockerEngine, None, Some("5.8.1"), "one of its components is Engine"),
            ),
            (
                Shown { system: "Plan 9", ..Shown::default() },
                (Unknown, None, None, "it shows no known mark; its operating system is Plan 9"),
            ),
        ];
        for (shown, (runtime, profile, version, evidence)) in table {
            let found = seen(&shown);
            assert_eq!(
                (found.runtime, found.profile.as_deref(), found.version.as_deref(), found.evidence.as_str()),
                (runtime, profile, version, evidence)
            );
        }
    }
}
