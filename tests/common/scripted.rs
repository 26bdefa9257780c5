//! What a scripted engine answers: images, containers and processes in the Engine API's own form, from a few words.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use silidock_testkit::{Answer, ScriptedEngine};

/// A container of a scripted engine.
#[derive(Debug, Clone)]
pub struct Container {
    pub name: String,
    pub image: String,
    pub platform: String,
    pub state: String,
    pub labels: BTreeMap<String, String>,
    /// The first of its two processes, as `ps` shows its arguments.
    pub args: String,
}

/// One that runs natively or, on an arm64 engine, under Rosetta.
pub fn container(name: &str, image: &str, platform: &str) -> Container {
    let args = if platform == "linux/arm64" { "/bin/app" } else { "/run/rosetta/rosetta /bin/app /bin/app" };
    Container {
        name: name.to_owned(),
        image: image.to_owned(),
        platform: platform.to_owned(),
        state: "running".to_owned(),
        labels: BTreeMap::new(),
        args: args.to_owned(),
    }
}

impl Container {
    pub fn stopped(mut self) -> Self {
        "exited".clone_into(&mut self.state);
        self
    }

    /// A service of a Compose project in `folder`, of these files.
    pub fn service(mut self, project: &str, service: &str, folder: &str, files: &[String]) -> Self {
        let labels = [
            ("project", project.to_owned()),
            ("service", service.to_owned()),
            ("project.working_dir", folder.to_owned()),
            ("project.config_files", files.join(",")),
        ];
        self.labels.extend(labels.map(|(key, value)| (format!("com.docker.compose.{key}"), value)));
        self
    }

    pub fn id(&self) -> String {
        format!("{:0>64}", hex(&self.name))
    }
}

fn hex(text: &str) -> String {
    let digits: String = text.bytes().map(|b| format!("{b:02x}")).collect();
    digits[digits.len().saturating_sub(60)..].to_owned()
}

fn platform(words: &str) -> Value {
    let mut parts = words.split('/');
    json!({
        "os": parts.next().unwrap_or_default(),
        "architecture": parts.next().unwrap_or_default(),
        "variant": parts.next().unwrap_or_default(),
    })
}

/// An image with the platforms it lists and whether each is here.
pub fn image(tag: &str, platforms: &[(&str, bool)]) -> Value {
    let manifest = |(words, available): &(&str, bool)| {
        let digest = format!("sha256:{:0>64}", hex(&format!("{words} {tag}")));
        json!({
            "ID": digest, "Kind": "image", "Available": available, "Size": { "Total": 1000, "Content": 400 },
            "Descriptor": {
                "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 400,
                "platform": platform(words),
            },
            "ImageData": { "Platform": platform(words), "Containers": [], "Size": { "Unpacked": 600 } },
        })
    };
    json!({
        "Id": image_id(tag), "RepoTags": [tag], "RepoDigests": [], "Created": 1_760_000_000, "Size": 1000,
        "Manifests": platforms.iter().map(manifest).collect::<Vec<_>>(),
    })
}

fn image_id(tag: &str) -> String {
    format!("sha256:{:0>64}", hex(tag))
}

/// An arm64 engine of an API that names platforms in its lists.
pub async fn mac() -> ScriptedEngine {
    let engine = ScriptedEngine::start("1.51").await.unwrap();
    let mut info = json!({
        "ID": "scripted", "Name": "docker-desktop", "Driver": "overlayfs",
        "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
        "Architecture": "aarch64", "OSType": "linux", "OperatingSystem": "Docker Desktop",
        "KernelVersion": "6.12.0-linuxkit", "SecurityOptions": [], "NCPU": 8, "MemTotal": 8_000_000_000_u64,
    });
    info["Labels"] = json!(["com.docker.desktop.address=unix:///Users/ada/docker-cli.sock"]);
    engine.answer("/info", Answer::Json(info));
    engine.answer(
        "/version",
        Answer::Json(json!({
            "Platform": { "Name": "Docker Desktop 4.50.0" }, "Components": [{ "Name": "Engine", "Version": "28.5.1" }],
            "Version": "28.5.1", "ApiVersion": "1.51", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "arm64",
            "KernelVersion": "6.12.0-linuxkit",
        })),
    );
    engine
}

/// Puts images and containers on an engine, with a process list for each container that runs.
pub fn put(engine: &ScriptedEngine, images: &[Value], containers: &[Container]) {
    engine.answer("/images/json", Answer::Json(json!(images)));
    let entries: Vec<Value> = containers.iter().map(entry).collect();
    engine.answer("/containers/json", Answer::Json(json!(entries)));
    for container in containers.iter().filter(|c| c.state == "running") {
        let top = json!({ "Titles": ["PID", "COMMAND"], "Processes": [["4711", container.args]] });
        engine.answer(&format!("/containers/{}/top", container.id()), Answer::Json(top));
    }
}

/// A container as the list shows it.
pub fn entry(container: &Container) -> Value {
    json!({
        "Id": container.id(), "Names": [format!("/{}", container.name)], "Image": container.image,
        "ImageID": image_id(&container.image), "Created": 1_760_000_000, "State": container.state,
        "Status": if container.state == "running" { "Up 3 hours" } else { "Exited (0) 3 hours ago" },
        "Labels": container.labels,
        "ImageManifestDescriptor": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 400,
            "digest": format!("sha256:{:0>64}", hex(&format!("{} {}", container.platform, container.image))),
            "platform": platform(&container.platform),
        },
    })
}
