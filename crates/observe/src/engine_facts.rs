//! An engine's own words as facts of the inventory.

use silidock_diagnosis::{
    fact::Fact,
    inventory::{Engine, ImageStore, Locality, Runtime},
    platform::Platform,
};
use silidock_engine::{About, Identified, Target, identify};

/// `on_mac`: this program runs on a Mac, which says what a local Podman is.
pub(crate) fn engine(about: &About, target: &Target, on_mac: bool) -> Engine {
    let identified = identify(about, target);
    let os = if about.os_type.is_empty() { "linux".to_owned() } else { about.os_type.to_lowercase() };
    let platform = match Platform::new(&os, &about.architecture, None) {
        Ok(platform) => Fact::Known(platform),
        Err(error) => Fact::unknown("the engine's platform", error.to_string()),
    };
    Engine {
        endpoint: target.endpoint.to_string(),
        context: target.context.clone(),
        chosen_by: target.chosen_by.clone(),
        locality: match target.endpoint.locality() {
            silidock_engine::Locality::Local => Locality::Local,
            silidock_engine::Locality::Remote => Locality::Remote,
            silidock_engine::Locality::Unknown => Locality::Unknown,
        },
        runtime: runtime(identified, on_mac),
        version: about.version.version.clone(),
        api_version: about.api_version.to_string(),
        arch: platform.known().map_or_else(|| about.architecture.clone(), |p| p.architecture.clone()),
        os,
        platform,
        operating_system: some(&about.operating_system),
        kernel: some(&about.kernel),
        host_name: some(&about.name),
        image_store: match (about.containerd_store(), about.driver.as_str()) {
            (true, _) => ImageStore::Containerd,
            (false, "") => ImageStore::Unknown,
            (false, _) => ImageStore::Classic,
        },
        cpus: about.cpus.and_then(|n| u32::try_from(n).ok()),
        memory: about.memory,
        configured: Fact::unknown(
            "the emulator that is set",
            "settings of runtimes are not read by a scan; what runs is seen from the processes",
        ),
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn runtime(identified: Identified, on_mac: bool) -> Runtime {
    use silidock_engine::Runtime as Product;
    let (id, mac_virtual_machine) = match identified.runtime {
        Product::DockerDesktop => ("docker-desktop", true),
        Product::OrbStack => ("orbstack", true),
        Product::Colima => ("colima", true),
        Product::Lima => ("lima", true),
        Product::RancherDesktop => ("rancher-desktop", true),
        Product::Finch => ("finch", true),
        Product::Podman => ("podman", on_mac),
        Product::DockerEngine => ("docker-engine", false),
        Product::Unknown => ("unknown", false),
    };
    let label = match identified.runtime {
        Product::Unknown => "This engine",
        known => known.label(),
    };
    let name = match &identified.profile {
        Some(profile) => format!("{label} ({profile})"),
        None => label.to_owned(),
    };
    Runtime { id: id.to_owned(), name, evidence: identified.evidence, mac_virtual_machine }
}
