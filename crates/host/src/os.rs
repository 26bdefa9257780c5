//! Which operating system this is and where it keeps an app's data, decided from its files at run time.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Host;

/// An operating system family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OsFamily {
    /// macOS.
    MacOs,
    /// Linux of any kind.
    Linux,
    /// Neither of the two.
    Other,
}

const MACOS_VERSION: &str = "/System/Library/CoreServices/SystemVersion.plist";
const LINUX_MARKS: [&str; 3] = ["/etc/os-release", "/usr/lib/os-release", "/proc/version"];
const SMALL_FILE: usize = 64 * 1024;

pub(crate) fn family<H: Host + ?Sized>(host: &H) -> OsFamily {
    if host.exists(Path::new(MACOS_VERSION)) {
        OsFamily::MacOs
    } else if LINUX_MARKS.iter().any(|mark| host.exists(Path::new(mark))) {
        OsFamily::Linux
    } else {
        OsFamily::Other
    }
}

/// The version as users know it: `26.1` on macOS, `Debian GNU/Linux 12 (bookworm)` on Linux.
pub(crate) fn version<H: Host + ?Sized>(host: &H) -> Option<String> {
    match family(host) {
        OsFamily::MacOs => {
            let bytes = host.read(Path::new(MACOS_VERSION), SMALL_FILE).ok()?;
            let value: plist::Value = plist::from_bytes(&bytes).ok()?;
            Some(value.as_dictionary()?.get("ProductVersion")?.as_string()?.to_owned())
        }
        OsFamily::Linux => LINUX_MARKS[..2].iter().find_map(|path| {
            let bytes = host.read(Path::new(path), SMALL_FILE).ok()?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let value = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
            Some(value.trim_matches(['"', '\'']).to_owned())
        }),
        OsFamily::Other => None,
    }
}

pub(crate) fn data_dir<H: Host + ?Sized>(host: &H) -> Option<PathBuf> {
    if let Some(chosen) = host.env("SILIDOCK_DATA_DIR") {
        return Some(chosen.into());
    }
    if family(host) == OsFamily::MacOs {
        return Some(host.home()?.join("Library/Application Support/dev.silidock"));
    }
    // The base directory rules say that a relative value is to be ignored.
    let base = host.env("XDG_DATA_HOME").map(PathBuf::from).filter(|base| base.is_absolute());
    Some(base.or_else(|| Some(host.home()?.join(".local/share")))?.join("silidock"))
}
