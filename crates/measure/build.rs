//! Puts the probes that `scripts/probe.sh` has built into the crate. One that is not there is left out, and a program
//! built so says which is missing; one that is wrong stops the build.

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Architecture and its number in an ELF head.
const PROBES: [(&str, u8); 2] = [("amd64", 62), ("arm64", 183)];

const LONGEST: usize = 1024 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SILIDOCK_PROBE_DIR");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("no OUT_DIR")?);
    let folder = match env::var_os("SILIDOCK_PROBE_DIR").map(PathBuf::from) {
        Some(given) if given.is_dir() => given,
        Some(given) => return Err(format!("SILIDOCK_PROBE_DIR: {} is no folder", given.display()).into()),
        None => {
            let beside = beside(&out)?;
            // If it were missing, cargo would build the crate anew each time.
            fs::create_dir_all(&beside).map_err(|error| format!("{}: {error}", beside.display()))?;
            beside
        }
    };
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut rows = String::new();
    for (arch, machine) in PROBES {
        let path = folder.join(arch).join("silidock-probe");
        if !path.exists() {
            continue;
        }
        check(&path, machine)?;
        writeln!(rows, "    ({arch:?}, include_bytes!({:?})),", path.canonicalize()?)?;
    }
    fs::write(out.join("probes.rs"), format!("&[\n{rows}]\n"))?;
    Ok(())
}

/// `target/probe`, from `target/PROFILE/build/PACKAGE/out` or, for a given target, from one further down.
fn beside(out: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let build = out.ancestors().find(|folder| folder.ends_with("build")).ok_or("OUT_DIR is not in a build folder")?;
    let profile = build.parent().ok_or("the build folder has no parent")?;
    let mut target = profile.parent().ok_or("the profile's folder has no parent")?;
    if env::var("TARGET").is_ok_and(|triple| target.ends_with(triple)) {
        target = target.parent().ok_or("the target's folder has no parent")?;
    }
    Ok(target.join("probe"))
}

fn check(path: &Path, machine: u8) -> Result<(), Box<dyn Error>> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if !bytes.starts_with(b"\x7fELF\x02\x01") || bytes.get(18..20) != Some(&[machine, 0]) {
        return Err(format!("{} is not a program of its folder's architecture", path.display()).into());
    }
    if bytes.len() > LONGEST {
        return Err(format!("{} has {} bytes, more than {LONGEST}", path.display(), bytes.len()).into());
    }
    Ok(())
}
