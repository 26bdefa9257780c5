//! Images made in memory for the tests about what lies inside: one layer with a file for every trouble there is, and an
//! image for each that starts it. No base image and no network is needed.

use std::{
    cell::RefCell,
    io::Write,
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use sha2::{Digest, Sha256};
use silidock_probe::elf::MACHINES;
use tar::{Builder, EntryType, Header};

use super::lab::Lab;

/// The processor that no engine of the lab has an emulator for.
pub const NOBODYS: &str = "s390x";

/// The line of the Dockerfile that brought the files.
pub const BROUGHT_BY: &str = "COPY trouble /";

/// A program that reads a byte and ends with status 42.
pub fn stub(arch: &str) -> Vec<u8> {
    let machine = MACHINES.iter().find(|machine| machine.platform == format!("linux/{arch}")).unwrap();
    machine.program(machine.stub)
}

/// A 64-bit program that names a loader: its head, two program headers and the loader's path.
fn naming(loader: &str, arch: &str) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const HEADS: u64 = 64 + 2 * 56;
    let machine = MACHINES.iter().find(|machine| machine.platform == format!("linux/{arch}")).unwrap();
    let path = format!("{loader}\0");
    let whole = HEADS + path.len() as u64;
    let mut file = stub(arch)[..64].to_vec();
    file[24..32].copy_from_slice(&(BASE + whole).to_le_bytes());
    file[56..58].copy_from_slice(&2_u16.to_le_bytes());
    for (kind, flags, offset, length) in [(3_u32, 4_u32, HEADS, path.len() as u64), (1, 5, 0, whole)] {
        file.extend(kind.to_le_bytes());
        file.extend(flags.to_le_bytes());
        for number in [offset, BASE + offset, BASE + offset, length, length, 0x1_0000] {
            file.extend(number.to_le_bytes());
        }
    }
    file.extend(path.as_bytes());
    file.extend(machine.stub);
    file
}

/// A head of macOS's format, and no more.
fn mach() -> Vec<u8> {
    let words: [u32; 8] = [0xfeed_facf, 0x0100_000c, 0, 2, 0, 0, 0, 0];
    words.iter().flat_map(|word| word.to_le_bytes()).chain([0; 4096]).collect()
}

/// Every file of the layer: path, permission bits, bytes.
fn files(native: &str) -> Vec<(&'static str, u32, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("app/good", 0o755, stub(native)),
        ("app/good.sh", 0o755, text("#!/app/good\n")),
        ("app/foreign", 0o755, stub(NOBODYS)),
        ("app/bash.sh", 0o755, text("#!/bin/bash\necho\n")),
        ("app/crlf.sh", 0o755, text("#!/app/good\r\necho\r\n")),
        ("app/marked.sh", 0o755, text("\u{feff}#!/app/good\n")),
        ("app/empty", 0o755, Vec::new()),
        ("app/half", 0o755, stub(native)[..40].to_vec()),
        ("app/text", 0o755, text("echo hello\n")),
        ("app/mac", 0o755, mach()),
        ("app/loaderless", 0o755, naming("/lib/ld-not-there.so.1", native)),
        ("opt/prebuilds/linux-s390x/x.node", 0o644, stub(NOBODYS)),
        ("usr/share/doc/notes", 0o644, text("#!/bin/nothing\n")),
    ]
}

/// Images on an engine, each named by what it starts, and containers of them; dropping them removes them.
pub struct Images<'l> {
    lab: &'l Lab,
    tags: Vec<String>,
    containers: RefCell<Vec<String>>,
}

impl<'l> Images<'l> {
    /// Loads them, under tags that no other test and no other run uses.
    pub fn new(lab: &'l Lab, starts: &[&str]) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let own = format!("{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let native = Lab::arch(&lab.native);
        let mut layer = Builder::new(Vec::new());
        for (path, mode, bytes) in files(native) {
            append(&mut layer, path, mode, &bytes);
        }
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_mode(0o777);
        header.set_size(0);
        layer.append_link(&mut header, "bin/good", "../app/good").unwrap();
        let layer = layer.into_inner().unwrap();
        let digest = hex(&layer);
        let mut archive = Builder::new(Vec::new());
        append(&mut archive, "layer.tar", 0o644, &layer);
        let mut manifest = Vec::new();
        let mut tags = Vec::new();
        for start in starts {
            let config = json!({
                "architecture": native, "os": "linux", "config": { "Entrypoint": [format!("/app/{start}")], "Env": ["PATH=/bin"] },
                "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
                "history": [{ "created_by": BROUGHT_BY }]
            });
            let config = config.to_string();
            let name = format!("{}.json", hex(config.as_bytes()));
            let tag = format!("silidock-inside/{}:{own}", start.replace('.', "-"));
            append(&mut archive, &name, 0o644, config.as_bytes());
            manifest.push(json!({ "Config": name, "RepoTags": [tag], "Layers": ["layer.tar"] }));
            tags.push(tag);
        }
        append(&mut archive, "manifest.json", 0o644, json!(manifest).to_string().as_bytes());
        load(lab, &archive.into_inner().unwrap());
        Self { lab, tags, containers: RefCell::default() }
    }

    /// The images' references, in the order of what they start.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }
}

impl Images<'_> {
    /// Makes a container of an image, which is not started; its name.
    pub fn container(&self, tag: &str) -> String {
        let name = tag.replace(['/', ':'], "-");
        self.lab.docker(&["create", "--name", &name, "--network", "none", tag]);
        self.containers.borrow_mut().push(name.clone());
        name
    }
}

impl Drop for Images<'_> {
    fn drop(&mut self) {
        for (verb, names) in [("rm", &*self.containers.borrow()), ("rmi", &self.tags)] {
            let names = names.iter().map(String::as_str);
            let arguments: Vec<&str> = [verb, "--force"].into_iter().chain(names).collect();
            // A test that has failed says so itself.
            let _ = self.lab.client(&arguments).output();
        }
    }
}

fn load(lab: &Lab, archive: &[u8]) {
    let mut loading = lab.client(&["load", "--quiet"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    loading.stdin.take().unwrap().write_all(archive).unwrap();
    assert!(loading.wait().unwrap().success());
}

fn append(builder: &mut Builder<Vec<u8>>, path: &str, mode: u32, bytes: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_mode(mode);
    header.set_size(bytes.len() as u64);
    builder.append_data(&mut header, path, bytes).unwrap();
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
