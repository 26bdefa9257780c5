//! An image of one program, as the docker-archive that every engine takes. It is made in memory.

use std::collections::BTreeMap;
use std::io;

use serde_json::json;
use sha2::{Digest, Sha256};

/// Where the program lies in the image.
pub(crate) const PROGRAM: &str = "/silidock-probe";

/// A whole docker-archive.
///
/// # Errors
/// Only if a tar file cannot be put together in memory.
pub(crate) fn archive(
    program: &[u8],
    arch: &str,
    reference: &str,
    labels: &BTreeMap<String, String>,
) -> io::Result<Vec<u8>> {
    let layer = tar(&[(PROGRAM.trim_start_matches('/'), program, 0o755)])?;
    let digest = hex(&layer);
    let config = json!({
        "architecture": arch, "os": "linux", "created": jiff::Timestamp::now().to_string(),
        "config": { "Labels": labels, "Entrypoint": [PROGRAM], "WorkingDir": "/" },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
        "history": [{ "created_by": "silidock" }]
    })
    .to_string();
    let config_name = format!("{}.json", hex(config.as_bytes()));
    let layer_name = format!("{digest}/layer.tar");
    let manifest = json!([{ "Config": config_name, "RepoTags": [reference], "Layers": [layer_name] }]).to_string();
    tar(&[
        (&config_name, config.as_bytes(), 0o644),
        (&layer_name, &layer, 0o644),
        ("manifest.json", manifest.as_bytes(), 0o644),
    ])
}

/// A tar file of some files.
pub(crate) fn tar(files: &[(&str, &[u8], u32)]) -> io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes, mode) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, *bytes)?;
    }
    builder.into_inner()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
