//! Small images for any platform, made in memory and loaded into an engine; each goes with the value that stands for it.

use serde_json::json;
use sha2::{Digest, Sha256};
use silidock_engine::Engine;
use silidock_probe::elf::MACHINES;
use tar::{Builder, EntryType, Header};

use super::Lab;

/// A static program of a platform, which reads a byte and ends with status 42.
pub fn stub(arch: &str) -> Vec<u8> {
    let machine = MACHINES.iter().find(|machine| machine.platform == format!("linux/{arch}")).unwrap();
    machine.program(machine.stub)
}

/// An image of one layer.
pub struct Image {
    name: String,
    arch: String,
    volumes: Vec<String>,
    layer: Builder<Vec<u8>>,
}

impl Image {
    pub fn new(name: &str, arch: &str) -> Self {
        Self { name: name.to_owned(), arch: arch.to_owned(), volumes: Vec::new(), layer: Builder::new(Vec::new()) }
    }

    fn entry(mut self, kind: EntryType, path: &[u8], mode: u32, bytes: &[u8], target: Option<&str>) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(bytes.len() as u64);
        header.as_old_mut().name[..path.len()].copy_from_slice(path);
        if let Some(target) = target {
            header.set_link_name(target).unwrap();
        }
        header.set_cksum();
        self.layer.append(&header, bytes).unwrap();
        self
    }

    pub fn file(self, path: &str, mode: u32, bytes: &[u8]) -> Self {
        self.entry(EntryType::Regular, path.as_bytes(), mode, bytes, None)
    }

    pub fn bytes_name(self, path: &[u8], mode: u32, bytes: &[u8]) -> Self {
        self.entry(EntryType::Regular, path, mode, bytes, None)
    }

    pub fn link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, path.as_bytes(), 0o777, &[], Some(target))
    }

    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Link, path.as_bytes(), 0o755, &[], Some(target))
    }

    /// A file in a folder that the image declares as a volume.
    pub fn volume(mut self, volume: &str, path: &str, bytes: &[u8]) -> Self {
        self.volumes.push(volume.to_owned());
        self.file(path, 0o755, bytes)
    }

    fn archive(self, reference: &str) -> Vec<u8> {
        let hex = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let layer = self.layer.into_inner().unwrap();
        let digest = hex(&layer);
        let volumes: serde_json::Map<_, _> = self.volumes.into_iter().map(|volume| (volume, json!({}))).collect();
        let config = json!({
            "architecture": self.arch, "os": "linux", "config": { "Volumes": volumes },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] }
        })
        .to_string();
        let names = (format!("{}.json", hex(config.as_bytes())), format!("{digest}/layer.tar"));
        let manifest = json!([{ "Config": names.0, "RepoTags": [reference], "Layers": [names.1] }]).to_string();
        let mut archive = Builder::new(Vec::new());
        for (name, bytes) in
            [(names.0.as_str(), config.as_bytes()), (&names.1, &layer), ("manifest.json", manifest.as_bytes())]
        {
            let mut header = Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, name, bytes).unwrap();
        }
        archive.into_inner().unwrap()
    }
}

/// An image on an engine; dropping it removes it.
pub struct Loaded {
    lab: Lab,
    pub reference: String,
}

impl Loaded {
    pub async fn new(lab: &Lab, engine: &Engine, image: Image) -> Self {
        let reference = format!("silidock-test/{}:{}-{}", image.name, image.arch, std::process::id());
        engine.load_images(image.archive(&reference)).await.unwrap();
        Self { lab: lab.clone(), reference }
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        self.lab.docker(&["rmi", "--force", &self.reference]);
    }
}
