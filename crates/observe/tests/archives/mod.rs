//! Archives of every form, written as engines and tools write them, and as nobody should. Nothing is asserted here.

#![allow(dead_code, clippy::unwrap_used)] // each test file uses a part; a test's way to fail

use std::{fs, io::Write, path::Path};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The smallest static program of a machine: a head and one segment to load.
pub fn elf(machine: u16) -> Vec<u8> {
    let wide = machine != 40;
    let mut bytes = vec![0x7f, b'E', b'L', b'F', if wide { 2 } else { 1 }, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend([2, 0]);
    bytes.extend(machine.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    if wide {
        bytes.extend([0x40_0078_u64, 64, 0].map(u64::to_le_bytes).concat());
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend([64_u16, 56, 1, 0, 0, 0].map(u16::to_le_bytes).concat());
        bytes.extend([1_u32, 5].map(u32::to_le_bytes).concat());
        bytes.extend([0_u64, 0x40_0000, 0x40_0000, 300, 300, 0x1000].map(u64::to_le_bytes).concat());
    } else {
        bytes.extend([0x1_0054_u32, 52, 0, 0x500_0400].map(u32::to_le_bytes).concat());
        bytes.extend([52_u16, 32, 1, 0, 0, 0].map(u16::to_le_bytes).concat());
        bytes.extend([1_u32, 0, 0x1_0000, 0x1_0000, 300, 300, 5, 0x1000].map(u32::to_le_bytes).concat());
    }
    bytes.resize(300, 0);
    bytes
}

/// A tar archive.
#[derive(Clone, Default)]
pub struct Tar(Vec<u8>);

impl Tar {
    pub fn new() -> Self {
        Self::default()
    }

    fn header(kind: u8, name: &[u8], mode: u32, size: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        let field = &mut header.as_old_mut().name;
        let length = name.len().min(field.len());
        field[..length].copy_from_slice(&name[..length]);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_mode(mode);
        header.set_size(size);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header
    }

    fn push(mut self, mut header: tar::Header, content: &[u8]) -> Self {
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn named(self, kind: u8, name: &[u8], mode: u32, content: &[u8], target: &[u8]) -> Self {
        let long = |tar: Self, kind: u8, text: &[u8]| {
            if text.len() <= 100 {
                return tar;
            }
            let text = [text, b"\0"].concat();
            tar.push(Self::header(kind, b"././@LongLink", 0, text.len() as u64), &text)
        };
        let tar = long(long(self, b'K', target), b'L', name);
        let mut header = Self::header(kind, name, mode, content.len() as u64);
        let length = target.len().min(100);
        header.as_old_mut().linkname[..length].copy_from_slice(&target[..length]);
        tar.push(header, content)
    }

    pub fn file(self, name: &str, mode: u32, content: &[u8]) -> Self {
        self.named(b'0', name.as_bytes(), mode, content, b"")
    }

    pub fn raw(self, name: &[u8], mode: u32, content: &[u8]) -> Self {
        self.named(b'0', name, mode, content, b"")
    }

    pub fn folder(self, name: &str) -> Self {
        self.named(b'5', format!("{name}/").as_bytes(), 0o755, b"", b"")
    }

    pub fn link(self, name: &str, target: &str) -> Self {
        self.named(b'2', name.as_bytes(), 0o777, b"", target.as_bytes())
    }

    pub fn hard_link(self, name: &str, target: &str) -> Self {
        self.named(b'1', name.as_bytes(), 0o755, b"", target.as_bytes())
    }

    pub fn special(self, name: &str, kind: u8) -> Self {
        self.named(kind, name.as_bytes(), 0o666, b"", b"")
    }

    /// A header for the next entry that is longer than anybody needs.
    pub fn huge_extension(self, kind: u8, size: usize) -> Self {
        self.push(Self::header(kind, b"huge", 0, size as u64), &vec![b'a'; size])
    }

    /// Name and size stand in a pax header only; the header itself is wrong about both.
    pub fn pax(self, name: &str, content: &[u8]) -> Self {
        let records =
            [record("path", name), record("size", &content.len().to_string()), record("SCHILY.xattr.x", "a\nb=c")];
        let records = records.concat();
        let tar = self.push(Self::header(b'x', b"pax", 0, records.len() as u64), records.as_bytes());
        tar.push(Self::header(b'0', b"wrong", 0o755, 0), content)
    }

    /// A file with a hole behind its content, in GNU's old form (0) or one of the three of pax (1 to 3).
    pub fn sparse(self, name: &str, content: &[u8], size: u64, form: usize) -> Self {
        let length = content.len();
        let mut header = Self::header(if form == 0 { b'S' } else { b'0' }, name.as_bytes(), 0o755, length as u64);
        let with_pax = |tar: Self, records: &[String]| {
            let records = records.concat();
            tar.push(Self::header(b'x', b"pax", 0, records.len() as u64), records.as_bytes())
        };
        let size_text = size.to_string();
        match form {
            0 => {
                let gnu = header.as_gnu_mut().unwrap();
                gnu.set_real_size(size);
                // Two pieces in the header, the second of them empty; the third in a block behind.
                gnu.sparse[0].set_offset(0);
                gnu.sparse[0].set_length(100);
                gnu.set_is_extended(true);
                let mut more = [0; 512];
                more[..11].copy_from_slice(b"00000000144");
                more[12..23].copy_from_slice(format!("{:011o}", length - 100).as_bytes());
                header.set_cksum();
                let mut tar = self;
                tar.0.extend(header.as_bytes());
                tar.0.extend(more);
                tar.0.extend(content);
                tar.0.resize(tar.0.len().next_multiple_of(512), 0);
                tar
            }
            1 => {
                let half = (length / 2).to_string();
                let rest = (length - length / 2).to_string();
                let records = [
                    record("GNU.sparse.size", &size_text),
                    record("GNU.sparse.numblocks", "2"),
                    record("GNU.sparse.offset", "0"),
                    record("GNU.sparse.numbytes", &half),
                    record("GNU.sparse.offset", &half),
                    record("GNU.sparse.numbytes", &rest),
                ];
                with_pax(self, &records).push(header, content)
            }
            2 => {
                let records = [
                    record("GNU.sparse.size", &size_text),
                    record("GNU.sparse.map", &format!("0,{length}")),
                    record("GNU.sparse.name", name),
                ];
                with_pax(self, &records).push(header, content)
            }
            _ => {
                let mut map = format!("2\n0\n{length}\n{size}\n0\n").into_bytes();
                map.resize(512, 0);
                let records = [
                    record("GNU.sparse.major", "1"),
                    record("GNU.sparse.minor", "0"),
                    record("GNU.sparse.realsize", &size_text),
                    record("GNU.sparse.name", name),
                ];
                header.set_size((512 + length) as u64);
                with_pax(self, &records).push(header, &[&map, content].concat())
            }
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        [&self.0[..], &[0; 1024]].concat()
    }
}

/// `length key=value\n`, its own length included.
fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length != rest.len() + length.to_string().len() {
        length += 1;
    }
    format!("{length}{rest}")
}

/// Gives the header around a place its right checksum.
pub fn mend(bytes: &mut [u8], at: usize) {
    let begin = at / 512 * 512;
    let Some(block) = bytes.get_mut(begin..begin + 512) else { return };
    if &block[257..262] == b"ustar" {
        let header = block.to_vec();
        let mut header = tar::Header::from_byte_slice(&header).clone();
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
    }
}

/// How a layer is compressed.
#[derive(Clone, Copy)]
pub enum Packing {
    Plain,
    /// Two members, as estargz has many.
    Gzip,
    /// Two frames, and one between that says nothing.
    Zstd,
    /// With a window of 128 MiB, as the slowest levels have it.
    ZstdLarge,
}

impl Packing {
    pub fn pack(self, bytes: &[u8]) -> Vec<u8> {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        match self {
            Self::Plain => bytes.to_vec(),
            Self::Gzip => {
                let member = |bytes: &[u8]| {
                    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                    encoder.write_all(bytes).unwrap();
                    encoder.finish().unwrap()
                };
                [member(first), member(second)].concat()
            }
            Self::ZstdLarge => {
                let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
                encoder.window_log(27).unwrap();
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Self::Zstd => {
                let frame = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
                [frame(first), b"\x50\x2a\x4d\x18\x04\0\0\0abcd".to_vec(), frame(second)].concat()
            }
        }
    }
}

/// An image.
#[derive(Clone)]
pub struct Image {
    name: String,
    architecture: String,
    layers: Vec<(Vec<u8>, Packing, String)>,
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Image {
    pub fn new(name: &str, architecture: &str) -> Self {
        Self { name: name.to_owned(), architecture: architecture.to_owned(), layers: Vec::new() }
    }

    #[must_use]
    pub fn layer(mut self, files: Tar, packing: Packing, created_by: &str) -> Self {
        self.layers.push((files.bytes(), packing, created_by.to_owned()));
        self
    }

    pub fn config(&self) -> Vec<u8> {
        let ids: Vec<_> = self.layers.iter().map(|(bytes, ..)| format!("sha256:{}", digest(bytes))).collect();
        let mut history: Vec<Value> = self.layers.iter().map(|(.., by)| json!({ "created_by": by })).collect();
        history.insert(1, json!({ "created_by": "ENV A=1", "empty_layer": true }));
        let config = json!({
            "architecture": self.architecture, "os": "linux",
            "config": { "Entrypoint": ["/app/run"], "Env": ["SECRET=s3cret", "PATH=/bin"], "User": "1000", "WorkingDir": "" },
            "rootfs": { "type": "layers", "diff_ids": ids },
            "history": history,
        });
        serde_json::to_vec(&config).unwrap()
    }

    /// Blobs by digest, and the manifest's descriptor.
    fn blobs(&self) -> (Vec<(String, Vec<u8>)>, Value) {
        let mut blobs: Vec<_> = self.layers.iter().map(|(bytes, packing, _)| packing.pack(bytes)).collect();
        let describe = |bytes: &[u8], kind: &str| {
            json!({ "mediaType": format!("application/vnd.oci.image.{kind}"), "size": bytes.len(),
                    "digest": format!("sha256:{}", digest(bytes)) })
        };
        // What the layers are is told by their bytes; the media type is wrong on purpose.
        let layers: Vec<_> = blobs.iter().map(|bytes| describe(bytes, "layer.v1.tar")).collect();
        let config = self.config();
        let manifest = json!({ "schemaVersion": 2, "config": describe(&config, "config.v1+json"), "layers": layers });
        let manifest = serde_json::to_vec(&manifest).unwrap();
        let mut descriptor = describe(&manifest, "manifest.v1+json");
        descriptor["annotations"] = json!({ "io.containerd.image.name": self.name });
        blobs.extend([config, manifest]);
        (blobs.into_iter().map(|bytes| (digest(&bytes), bytes)).collect(), descriptor)
    }

    pub fn write_layout(&self, folder: &Path) {
        write_index(folder, std::slice::from_ref(self), &[]);
    }

    /// An OCI layout as an archive; the index comes behind the layers, as engines write it.
    pub fn layout_tar(&self) -> Vec<u8> {
        let (blobs, descriptor) = self.blobs();
        let mut tar = Tar::new().folder("blobs").folder("blobs/sha256");
        for (name, bytes) in blobs {
            tar = tar.file(&format!("blobs/sha256/{name}"), 0o444, &bytes);
        }
        let index = json!({ "schemaVersion": 2, "manifests": [descriptor] }).to_string();
        tar.file("index.json", 0o644, index.as_bytes())
            .file("oci-layout", 0o444, b"{\"imageLayoutVersion\":\"1.0.0\"}")
            .bytes()
    }

    /// As Engine 20.10 saves it: a folder for each layer, links for those that stand twice, the manifest last.
    pub fn saved_tar(&self) -> Vec<u8> {
        let mut tar = Tar::new();
        let mut layers = Vec::new();
        for (n, (bytes, ..)) in self.layers.iter().enumerate() {
            tar = tar.folder(&n.to_string()).file(&format!("{n}/VERSION"), 0o644, b"1.0").file(
                &format!("{n}/json"),
                0o644,
                b"{}",
            );
            if n == 0 {
                tar = tar.file("shared.tar", 0o644, bytes).link("0/layer.tar", "../shared.tar");
            } else {
                tar = tar.file(&format!("{n}/layer.tar"), 0o644, bytes);
            }
            layers.push(format!("{n}/layer.tar"));
        }
        let config = self.config();
        let config_name = format!("{}.json", digest(&config));
        let manifest = json!([{ "Config": config_name, "RepoTags": [self.name], "Layers": layers }]).to_string();
        tar.file(&config_name, 0o644, &config).file("manifest.json", 0o644, manifest.as_bytes()).bytes()
    }
}

/// A layout with an index of several images, and of platforms whose content is elsewhere.
pub fn write_index(folder: &Path, images: &[Image], elsewhere: &[&str]) {
    fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.join("blobs/sha256").join(name), bytes).unwrap();
    let mut manifests = Vec::new();
    for image in images {
        let (blobs, descriptor) = image.blobs();
        blobs.iter().for_each(|(name, bytes)| put(name, bytes));
        manifests.push(descriptor);
    }
    let name = &images[0].name;
    for architecture in elsewhere {
        manifests.push(json!({ "digest": format!("sha256:{}", digest(architecture.as_bytes())), "size": 1,
            "platform": { "os": "linux", "architecture": architecture }, "annotations": { "io.containerd.image.name": name } }));
    }
    manifests.push(json!({ "digest": format!("sha256:{}", digest(b"attestation")), "size": 1,
        "annotations": { "vnd.docker.reference.type": "attestation-manifest" } }));
    // An index within the index, as for an image of several platforms.
    let inner = json!({ "schemaVersion": 2, "manifests": manifests }).to_string();
    put(&digest(inner.as_bytes()), inner.as_bytes());
    let outer = json!({ "schemaVersion": 2, "manifests": [{ "digest": format!("sha256:{}", digest(inner.as_bytes())), "size": 1 }] });
    fs::write(folder.join("index.json"), outer.to_string()).unwrap();
    fs::write(folder.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").unwrap();
}
