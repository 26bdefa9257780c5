//! What macOS itself brings: Rosetta for Linux, and the socket that all runtimes want.

use std::path::Path;

use silidock_diagnosis::{
    fact::Fact,
    finding::Evidence,
    runtime::{RosettaOnHost, RuntimeSettings, SharedSocket},
};
use silidock_host::{Host, OsFamily};

use super::Mac;

/// The translator that macOS lends to Linux machines. That for Mac programs is another file, and says nothing here.
const ROSETTA_LINUX: &str = "/Library/Apple/usr/libexec/oah/RosettaLinux/rosetta";
/// The first macOS with translation for Linux built in: nothing to install, whatever files are there.
const INTEGRATED_SINCE: u32 = 27;
const TRANSLATOR_LIMIT: usize = 32 << 20;
const SHARED_SOCKET: &str = "/var/run/docker.sock";

/// How the paths of sockets tell their owner.
const OWNERS: [(&str, &str); 8] = [
    ("/.docker/", "docker-desktop"),
    ("/com.docker.docker/", "docker-desktop"),
    ("/.orbstack/", "orbstack"),
    ("/.rd/", "rancher-desktop"),
    ("/podman/", "podman"),
    ("/finch/", "finch"),
    ("colima/", "colima"),
    ("/.lima/", "lima"),
];

/// Whether macOS can lend Rosetta to Linux machines.
pub(super) fn rosetta(host: &dyn Host) -> Fact<RosettaOnHost> {
    let found = |present, integrated, evidence: Evidence| {
        let version = if present { version(host) } else { None };
        Fact::Known(RosettaOnHost { present, integrated, version, evidence })
    };
    if host.os() != OsFamily::MacOs {
        return found(false, false, Evidence::new("this machine", "it does not run macOS"));
    }
    let mac = Mac::of(host);
    if mac.apple_silicon == Some(false) {
        return found(false, false, Evidence::new("this machine", "it has an Intel processor"));
    }
    if mac.since(INTEGRATED_SINCE) == Some(true) {
        let version = mac.version.as_deref().unwrap_or_default();
        let text = format!("macOS {version} translates Intel programs in Linux machines by itself");
        return found(true, true, Evidence::new("this machine", text));
    }
    match (host.exists(Path::new(ROSETTA_LINUX)), mac.since(INTEGRATED_SINCE)) {
        (true, _) => found(true, false, Evidence::new(ROSETTA_LINUX, "is there")),
        (false, Some(_)) => found(false, false, Evidence::new(ROSETTA_LINUX, "is not there")),
        (false, None) => Fact::unknown(
            "whether Rosetta for Linux is here",
            format!("{ROSETTA_LINUX} is not there, and whether this macOS needs it is not known"),
        ),
    }
}

/// The version that Apple's build leaves in its programs: `Rosetta-367.9`.
fn version(host: &dyn Host) -> Option<String> {
    const MARK: &[u8] = b"Rosetta-";
    let bytes = host.read(Path::new(ROSETTA_LINUX), TRANSLATOR_LIMIT).ok()?;
    let starts = bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    starts.map(|(at, _)| &bytes[at + MARK.len()..]).find_map(|rest| {
        let end = rest.iter().position(|b| !b.is_ascii_digit() && *b != b'.').unwrap_or(rest.len()).min(24);
        let text = String::from_utf8_lossy(&rest[..end]).trim_end_matches('.').to_owned();
        text.starts_with(|c: char| c.is_ascii_digit()).then_some(text)
    })
}

/// Who owns `/var/run/docker.sock`, and who else has a socket here. None where it is not there.
pub(super) fn shared_socket(host: &dyn Host, runtimes: &[RuntimeSettings]) -> Fact<Option<SharedSocket>> {
    let path = Path::new(SHARED_SOCKET);
    let leads_to = match host.real_path(path) {
        Ok(real) => real,
        Err(error) if error.is_missing() => return Fact::Known(None),
        Err(error) => return Fact::unknown(format!("who owns {SHARED_SOCKET}"), error.to_string()),
    };
    let shown = leads_to.display().to_string();
    let by_settings = runtimes.iter().find(|s| s.sockets.iter().any(|socket| host_same(host, socket, &leads_to)));
    let by_path = || OWNERS.iter().find(|(mark, _)| shown.contains(mark)).map(|(_, id)| (*id).to_owned());
    let mut here: Vec<String> = runtimes
        .iter()
        .filter(|s| s.sockets.iter().any(|socket| host.exists(Path::new(socket))))
        .map(|s| s.runtime.clone())
        .collect();
    here.sort_unstable();
    here.dedup();
    Fact::Known(Some(SharedSocket {
        path: SHARED_SOCKET.to_owned(),
        owner: by_settings.map(|s| s.runtime.clone()).or_else(by_path),
        dangling: !host.exists(&leads_to),
        leads_to: shown,
        runtimes: here,
    }))
}

fn host_same(host: &dyn Host, socket: &str, leads_to: &Path) -> bool {
    let socket = Path::new(socket);
    socket == leads_to || host.real_path(socket).is_ok_and(|real| real == leads_to)
}
