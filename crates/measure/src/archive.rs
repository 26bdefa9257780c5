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
    archive_of(&[(PROGRAM, program)], &[], arch, reference, labels)
}

/// The same with several programs, and folders that everybody may write to; all by absolute paths.
///
/// # Errors
/// As for [`archive`].
pub(crate) fn archive_of(
    programs: &[(&str, &[u8])],
    folders: &[&str],
    arch: &str,
    reference: &str,
    labels: &BTreeMap<String, String>,
) -> io::Result<Vec<u8>> {
    let mut files: Vec<(&str, &[u8], u32)> = Vec::with_capacity(programs.len());
    files.extend(programs.iter().map(|(path, bytes)| (path.trim_start_matches('/'), *bytes, 0o755)));
    let layer = tar_with(&files, folders)?;
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
    tar_with(files, &[])
}

/// The same with folders that everybody may write to.
fn tar_with(files: &[(&str, &[u8], u32)], folders: &[&str]) -> io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for folder in folders {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o1777);
        header.set_size(0);
        builder.append_data(&mut header, format!("{}/", folder.trim_matches('/')), io::empty())?;
    }
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
