//! What a container has besides its image, and what becomes of it when it is made anew: volumes, folders, what it wrote, ports.

use serde_json::Value;
use silidock_diagnosis::{fix::OldContainer, written::lasting};
use silidock_engine::Engine;

use super::plan::Plan;

/// As many names of a list as a sentence holds.
const NAMED: usize = 5;

impl Plan {
    pub(super) fn volumes(&mut self, container: &Value) {
        let of_kind = |kind: &str| -> Vec<String> {
            let mounts = container["Mounts"].as_array().into_iter().flatten().filter(|mount| mount["Type"] == kind);
            let mut targets: Vec<String> =
                mounts.filter_map(|mount| mount["Destination"].as_str().map(str::to_owned)).collect();
            // An engine tells them in any order.
            targets.sort();
            targets
        };
        let volumes = of_kind("volume");
        if !volumes.is_empty() {
            self.told.push(format!(
                "Its volumes stay and are used again: {}. A program of another version may change files in them so that the \
                 old one refuses them.",
                some(&volumes)
            ));
        }
        let binds = of_kind("bind");
        if !binds.is_empty() {
            self.told.push(format!("Folders of this machine are mounted again: {}.", some(&binds)));
        }
    }

    pub(super) async fn written(&mut self, engine: &Engine, of: &OldContainer, container: &Value) {
        let lost = match engine.changed_paths(&of.id).await {
            Ok(changed) => {
                let mounts = container["Mounts"].as_array().into_iter().flatten();
                let mounts = mounts.filter_map(|mount| mount["Destination"].as_str());
                // An engine does not tell these among the others.
                let in_memory = container["HostConfig"]["Tmpfs"].as_object().into_iter().flatten();
                let mounted: Vec<&str> = mounts.chain(in_memory.map(|(target, _)| target.as_str())).collect();
                let kept = lasting(changed.iter().map(|c| (c.path.as_str(), c.kind)), &mounted);
                match kept.len() {
                    0 => {
                        self.passing.push("It wrote nothing outside of volumes that would be missed.".to_owned());
                        return;
                    }
                    many => {
                        let becomes = if self.keeps { "kept as an image" } else { "lost" };
                        let noun = if many == 1 { "path" } else { "paths" };
                        format!("What it wrote outside of volumes is {becomes} ({many} {noun}): {}.", some(&kept))
                    }
                }
            }
            Err(_) if self.keeps => "What it wrote outside of volumes is kept as an image.".to_owned(),
            Err(error) => format!("What it wrote outside of volumes is lost; how much that is, is not known: {error}."),
        };
        self.passing.push(lost.clone());
        self.review.push(lost);
    }

    pub(super) fn ports(&mut self, container: &Value) {
        let host = &container["HostConfig"];
        let bindings = host["PortBindings"].as_object().into_iter().flatten();
        let random = |bound: &Value| {
            bound
                .as_array()
                .into_iter()
                .flatten()
                .any(|b| b["HostPort"].as_str().is_none_or(|p| p.is_empty() || p == "0"))
        };
        let any: Vec<String> = bindings.filter(|(_, bound)| random(bound)).map(|(port, _)| port.clone()).collect();
        if host["PublishAllPorts"] == true || !any.is_empty() {
            let other = "Ports that the engine chose itself will be other ones.".to_owned();
            self.told.push(other.clone());
            self.review.push(other);
        }
    }

    pub(super) fn copies(&mut self) {
        let Some(seen) = &self.seen else { return };
        let volumes =
            seen.container["Mounts"].as_array().into_iter().flatten().filter(|m| m["Type"] == "volume").count();
        self.told.push(format!(
            "{volumes} {} copied while the container is stopped; the copies stay until you remove them.",
            if volumes == 1 { "volume is" } else { "volumes are" }
        ));
    }
}

pub(super) fn some(names: &[String]) -> String {
    let mut text = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        text.push_str(" ...");
    }
    text
}
