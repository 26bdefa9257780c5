//! What is needed to make containers anew on a real engine: an image that is foreign first and native later, containers and
//! Compose projects of it, and what a container is configured to be. All of it goes with the test.

use std::{
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

use super::{
    Ran, User,
    lab::Lab,
    list, ran,
    registry::{OCI, Registry, digest, written},
    text,
};

pub const STAYS: &str = "while :; do /bin/busybox sleep 3600; done";
pub const SECRET: &str = "hunter2-recreate";

/// An image that is foreign while containers are made of it, and native from then on; with all that comes of it.
pub struct Stage<'l> {
    pub lab: &'l Lab,
    pub user: User,
    pub own: String,
    pub image: String,
}

impl<'l> Stage<'l> {
    pub fn new(lab: &'l Lab) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let own = format!("recreate-{}-{}x", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let stage = Self { lab, user: User::new(), image: format!("{own}:1"), own };
        stage.means(&lab.foreign);
        stage
    }

    pub fn means(&self, platform: &str) {
        self.lab.docker(&["tag", &format!("silidock-lab/bb:{}", Lab::arch(platform)), &self.image]);
    }

    /// A container of the foreign image that runs; then the tag means the native one.
    pub fn run(&self, options: &[&str], script: &str) -> String {
        let name = format!("{}-c", self.own);
        let first = ["run", "--detach", "--name", &name, "--stop-signal", "KILL", "--platform", &self.lab.foreign];
        let last = [self.image.as_str(), "/bin/sh", "-c", script];
        self.lab.docker(&first.iter().chain(options).chain(&last).copied().collect::<Vec<_>>());
        self.means(&self.lab.native);
        name
    }

    pub fn inspect(&self, name: &str) -> Value {
        let told: Value = serde_json::from_str(&self.lab.docker(&["inspect", "--type", "container", name])).unwrap();
        told[0].clone()
    }

    pub fn command(&self, endpoint: &str, arguments: &[&str]) -> Command {
        let mut command = self.user.command(arguments);
        let path = format!("{}:{}", self.lab.client_folder(), std::env::var("PATH").unwrap_or_default());
        command.env("PATH", path).env("DOCKER_HOST", endpoint).env("DOCKER_CONFIG", self.lab.docker_config());
        command
    }

    pub fn silidock(&self, arguments: &[&str]) -> Ran {
        ran(self.command(&self.lab.endpoint, arguments))
    }

    /// What a person would do with a script.
    pub fn by_hand(&self, script: &str) -> Ran {
        let path = self.user.file("fix.sh");
        std::fs::write(&path, script).unwrap();
        let mut run = Command::new("/bin/sh");
        let programs = format!("{}:{}", std::env::var("PATH").unwrap_or_default(), self.lab.client_folder());
        run.arg(&path)
            .env("PATH", programs)
            .env("DOCKER_CONFIG", self.lab.docker_config())
            .env_remove("DOCKER_CONTEXT");
        ran(run)
    }

    /// The finding that a native image is here for this container.
    pub fn finding(&self, name: &str) -> Value {
        let listed = self.silidock(&["fix", "--list", "--json"]).document("fix-list");
        let of = |f: &&Value| f["check"] == "needless-emulation" && f["subject"]["id"] == name;
        list(&listed, "findings").iter().find(of).unwrap_or_else(|| panic!("no finding of {name}: {listed}")).clone()
    }

    pub fn fix(&self, name: &str, option: &str) -> Ran {
        let id = text(&self.finding(name), "id").to_owned();
        self.silidock(&["fix", &id, "--option", option, "--apply", "--yes", "--json"])
    }

    /// The only receipt there is.
    pub fn receipt(&self) -> Value {
        let history = self.silidock(&["history", "--json"]).document("history");
        assert_eq!(list(&history, "receipts").len(), 1, "{history}");
        history["receipts"][0].clone()
    }

    pub fn undo(&self) -> Ran {
        let receipt = self.receipt();
        self.silidock(&["undo", text(&receipt, "id"), "--apply", "--yes"])
    }

    /// The platform that a container runs, as its own programs see it.
    pub fn machine(&self, name: &str) -> String {
        self.lab.docker(&["exec", name, "/bin/busybox", "uname", "-m"])
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        let all = |what: &[&str]| {
            let output = self.lab.client(what).output().unwrap();
            let names = String::from_utf8(output.stdout).unwrap();
            names.lines().filter(|name| name.contains(&self.own)).map(str::to_owned).collect::<Vec<_>>()
        };
        let remove = |verb: &[&str], names: &[String]| {
            if !names.is_empty() {
                // A test that has failed says so itself.
                let _ = self.lab.client(verb).args(names).output();
            }
        };
        remove(&["rm", "--force", "--volumes"], &all(&["ps", "-a", "--format", "{{.Names}}"]));
        remove(&["volume", "rm"], &all(&["volume", "ls", "--format", "{{.Name}}"]));
        remove(&["network", "rm"], &all(&["network", "ls", "--format", "{{.Name}}"]));
        remove(&["rmi", "--force"], &all(&["images", "--format", "{{.Repository}}:{{.Tag}}"]));
    }
}

pub fn machine_of(platform: &str) -> &'static str {
    if Lab::arch(platform) == "amd64" { "x86_64" } else { "aarch64" }
}

/// What a container is configured to be, without what every container has of its own.
pub fn configuration(told: &Value) -> Value {
    let mut config = told["Config"].clone();
    for key in ["Hostname", "Image"] {
        config.as_object_mut().unwrap().remove(key);
    }
    // The image's own.
    config["Labels"].as_object_mut().unwrap().retain(|label, _| !label.starts_with("dev.silidock.lab"));
    let mut host = told["HostConfig"].clone();
    // Volumes without a name are mounted by the one they have: what is mounted where is compared below.
    host["Binds"] = Value::Null;
    for mount in host["Mounts"].as_array_mut().into_iter().flatten() {
        mount.as_object_mut().unwrap().remove("Source");
    }
    let mut mounts: Vec<Value> = told["Mounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| json!([m["Type"], m["Name"], m["Source"], m["Destination"], m["RW"]]))
        .collect();
    mounts.sort_by_key(ToString::to_string);
    let short = &text(told, "Id")[..12];
    let networks: Vec<Value> = told["NetworkSettings"]["Networks"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, of)| {
            let aliases = of["Aliases"].as_array().into_iter().flatten().filter(|a| a.as_str() != Some(short));
            json!([name, of["IPAMConfig"], aliases.collect::<Vec<_>>()])
        })
        .collect();
    let ports = told["NetworkSettings"]["Ports"].clone();
    json!({ "config": config, "host": host, "mounts": mounts, "networks": networks, "ports": ports, "name": told["Name"] })
}

/// A Compose project of one service, made while its image is foreign.
pub struct Project<'s, 'l> {
    pub stage: &'s Stage<'l>,
    pub file: String,
    pub text: String,
}

impl<'s, 'l> Project<'s, 'l> {
    pub fn up(stage: &'s Stage<'l>, script: &str, more: &str, scale: u32) -> Self {
        let file = stage.user.file("compose.yaml");
        let script = script.replace('$', "$$");
        let text = format!(
            "# kept as it is\nservices:\n  app:\n    image: {}\n    stop_signal: SIGKILL\n    command: [\"/bin/sh\", \"-c\", {}]\n    \
             environment: [\"TOKEN={SECRET}\"]\n    volumes: [\"data:/data\"]\n{more}volumes:\n  data:\n",
            stage.image,
            json!(script),
        );
        std::fs::write(&file, &text).unwrap();
        let project = Self { stage, file, text };
        let mut up = project.compose(&["--profile", "*", "up", "-d", "--scale", &format!("app={scale}")]);
        let up = up.env("DOCKER_DEFAULT_PLATFORM", &stage.lab.foreign).output().unwrap();
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        stage.means(&stage.lab.native);
        project
    }

    pub fn compose(&self, words: &[&str]) -> Command {
        let all = [&["compose", "-p", self.stage.own.as_str(), "-f", self.file.as_str()], words].concat();
        self.stage.lab.client(&all)
    }

    pub fn container(&self) -> String {
        format!("{}-app-1", self.stage.own)
    }
}

/// Publishes what `silidock-lab/bb` is for a platform, with one more file of this text, and gives its entry of an index.
pub fn published(registry: &Registry, stage: &Stage<'_>, platform: &str, more: Option<&str>) -> Value {
    let saved = stage.lab.client(&["save", &format!("silidock-lab/bb:{}", Lab::arch(platform))]).output().unwrap();
    let mut files = std::collections::BTreeMap::new();
    for entry in tar::Archive::new(saved.stdout.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        files.insert(path, bytes);
    }
    let mut listed: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    if let Some(more) = more {
        let config = text(&listed[0], "Config").to_owned();
        let mut told: Value = serde_json::from_slice(&files[&config]).unwrap();
        let mut layer = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(more.len() as u64);
        layer.append_data(&mut header, format!("more-{}", Lab::arch(platform)), more.as_bytes()).unwrap();
        let layer = layer.into_inner().unwrap();
        told["rootfs"]["diff_ids"].as_array_mut().unwrap().push(json!(digest(&layer)));
        told.as_object_mut().unwrap().remove("history");
        files.extend([("more".to_owned(), layer), (config, told.to_string().into_bytes())]);
        listed[0]["Layers"].as_array_mut().unwrap().push(json!("more"));
    }
    let blob = |path: &Value, media_type: &str| {
        let bytes = &files[path.as_str().unwrap()];
        json!({ "mediaType": media_type, "digest": registry.blob(&stage.own, bytes), "size": bytes.len() })
    };
    let layer = |path: &Value| {
        let packed = files[path.as_str().unwrap()].starts_with(&[0x1f, 0x8b]);
        blob(
            path,
            if packed {
                "application/vnd.oci.image.layer.v1.tar+gzip"
            } else {
                "application/vnd.oci.image.layer.v1.tar"
            },
        )
    };
    let layers: Vec<Value> = list(&listed[0], "Layers").iter().map(layer).collect();
    let manifest = json!({ "schemaVersion": 2, "mediaType": OCI.1, "config": blob(&listed[0]["Config"], OCI.2), "layers": layers });
    let named = registry.manifest(&stage.own, None, OCI.1, &manifest);
    let size = manifest.to_string().len();
    json!({ "mediaType": OCI.1, "digest": named, "size": size, "platform": written(platform) })
}

pub fn one_of<'a>(listed: &'a Value, name: &str) -> &'a Value {
    let of = |f: &&Value| f["check"] == "needless-emulation" && f["subject"]["id"] == name;
    list(listed, "findings").iter().find(of).unwrap_or_else(|| panic!("no finding of {name}: {listed}"))
}
