//! Where command-line tools lie. An app started from the Finder has `PATH=/usr/bin:/bin:/usr/sbin:/sbin`, so the
//! folders that runtimes and package managers install into are listed here, once for the whole project.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::Host;

/// A folder in which tools are looked for after `PATH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFolder {
    /// The folder; `~` is the user's home.
    pub path: &'static str,
    /// Who installs there.
    pub source: &'static str,
}

const fn folder(path: &'static str, source: &'static str) -> KnownFolder {
    KnownFolder { path, source }
}

/// The folders, in the order in which they are searched. Colima has none of its own: it comes by package manager.
pub const KNOWN_FOLDERS: &[KnownFolder] = &[
    folder("/usr/local/bin", "Docker Desktop's links, Homebrew on Intel, manual installs"),
    folder("/opt/homebrew/bin", "Homebrew on Apple silicon"),
    folder("~/.docker/bin", "Docker Desktop installed for one user"),
    folder("/Applications/Docker.app/Contents/Resources/bin", "Docker Desktop's own copy"),
    folder("~/.orbstack/bin", "OrbStack's links"),
    folder("/Applications/OrbStack.app/Contents/MacOS/xbin", "OrbStack's own copy of docker"),
    folder("~/.rd/bin", "Rancher Desktop's links"),
    folder("/opt/podman/bin", "Podman's macOS installer"),
    folder("/Applications/Finch/bin", "Finch's macOS installer"),
    folder("~/.local/bin", "tools installed for one user"),
    folder("/opt/local/bin", "MacPorts"),
    folder("~/.nix-profile/bin", "Nix"),
    folder("/run/current-system/sw/bin", "nix-darwin and NixOS"),
    folder("/home/linuxbrew/.linuxbrew/bin", "Homebrew on Linux"),
    folder("/snap/bin", "snap packages"),
    folder("/usr/bin", "the system"),
    folder("/bin", "the system"),
    folder("/usr/sbin", "the system"),
    folder("/sbin", "the system"),
];

fn folders<H: Host + ?Sized>(host: &H) -> Vec<PathBuf> {
    let path = host.env("PATH").unwrap_or_default();
    // A relative entry would make the answer depend on the working folder, and let a project plant a tool.
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    let home = host.home();
    for known in KNOWN_FOLDERS {
        let expanded = match (known.path.strip_prefix("~/"), &home) {
            (Some(rest), Some(home)) => home.join(rest),
            (Some(_), None) => continue,
            (None, _) => PathBuf::from(known.path),
        };
        if !folders.contains(&expanded) && host.exists(&expanded) {
            folders.push(expanded);
        }
    }
    folders
}

pub(crate) fn find<H: Host + ?Sized>(host: &H, name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        let path = PathBuf::from(name);
        return (path.is_absolute() && host.is_executable(&path)).then_some(path);
    }
    folders(host).into_iter().map(|folder| folder.join(Path::new(name))).find(|candidate| host.is_executable(candidate))
}

pub(crate) fn search_path<H: Host + ?Sized>(host: &H) -> OsString {
    // Joining fails only for a folder with a colon in its name, which no search path can hold anyway.
    std::env::join_paths(folders(host)).unwrap_or_else(|_| host.env("PATH").unwrap_or_default().into())
}
