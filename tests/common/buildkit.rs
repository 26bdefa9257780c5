//! A stand-in for the image moby/buildkit, which cannot be pulled here: an Engine of the lab, which has BuildKit in it, runs in the
//! container, and `buildctl dial-stdio` leads to its BuildKit as the real one does to its own. What buildx makes of it is real.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use tempfile::TempDir;

use super::lab::Lab;

const DOCKERFILE: &str = "FROM silidock-lab/bb:${TARGETARCH}\nCOPY . /\nWORKDIR /tmp\nENV PATH=/usr/bin\n\
                          ENTRYPOINT [\"buildkitd\"]\n";

/// Its own words are BuildKit's and mean nothing to an Engine.
const DAEMON: &str = "#!/bin/sh\nexec dockerd --config-file /engine.json --data-root /var/lib/buildkit/engine \
                      --host tcp://127.0.0.1:2375 --tls=false\n";
const SETTINGS: &str = r#"{"features": {"containerd-snapshotter": true}, "bridge": "none", "iptables": false,
"ip6tables": false, "userland-proxy": false}"#;

/// Asks the Engine for its BuildKit, leaves the answer's head out, and passes everything on; nothing before that answer, because the
/// Engine drops what comes with the question.
const CONTROL: &str = r#"#!/bin/sh
if [ "$1" != dial-stdio ]; then exec /bin/busybox wget -q -O /dev/null http://127.0.0.1:2375/_ping; fi
open="/tmp/open-$$"
/bin/busybox mkfifo "$open"
{ printf 'POST /grpc HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'
  read -r _ < "$open"
  exec /bin/busybox cat; } |
  /bin/busybox nc 127.0.0.1 2375 | {
    end="$(printf '\r')"
    while IFS= read -r line && [ "$line" != "$end" ]; do :; done
    echo > "$open"
    /bin/busybox rm "$open"
    exec /bin/busybox cat
  }
"#;

const PROGRAMS: [&str; 4] = ["sbin/dockerd", "bin/containerd", "bin/containerd-shim-runc-v2", "sbin/runc"];
const LIBRARIES: [&str; 4] = ["libc.so.6", "libm.so.6", "libsystemd.so.0", "libseccomp.so.2"];

/// The container of the builder that Silidock makes.
pub const BUILDER: &str = "buildx_buildkit_silidock0";

/// The image on an engine. It goes when dropped, with the builder that was made of it.
pub struct Buildkit<'l> {
    lab: &'l Lab,
    pub image: String,
    /// What the engine's cache of builds has had since.
    cached: Vec<String>,
}

impl<'l> Buildkit<'l> {
    pub fn build(lab: &'l Lab) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let image = format!("silidock-test/buildkit-{}-{made}:1", std::process::id());
        let folder = TempDir::new().unwrap();
        let at = |place: &str| folder.path().join(place);
        for place in ["usr/bin", "lib", "lib64"] {
            fs::create_dir_all(at(place)).unwrap();
        }
        // The client lies in the same tree as the Engine.
        let usr = PathBuf::from(lab.client_folder()).parent().unwrap().to_owned();
        for program in PROGRAMS {
            fs::copy(usr.join(program), at("usr/bin").join(Path::new(program).file_name().unwrap())).unwrap();
        }
        let libraries = of_the_machine(&usr);
        for library in LIBRARIES {
            fs::copy(libraries.join(library), at("lib").join(library)).unwrap();
        }
        let loader = named(&libraries, "ld-linux-");
        for place in ["lib", "lib64"] {
            fs::copy(&loader, at(place).join(loader.file_name().unwrap())).unwrap();
        }
        for (name, script) in [("buildkitd", DAEMON), ("buildctl", CONTROL)] {
            fs::write(at("usr/bin").join(name), script).unwrap();
            fs::set_permissions(at("usr/bin").join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(at("engine.json"), SETTINGS).unwrap();
        fs::write(at("Dockerfile"), DOCKERFILE).unwrap();
        let before = lab.build_cache();
        lab.docker(&["build", "--quiet", "--tag", &image, folder.path().to_str().unwrap()]);
        let cached = lab.build_cache().difference(&before).cloned().collect();
        Self { lab, image, cached }
    }
}

impl Drop for Buildkit<'_> {
    fn drop(&mut self) {
        // A test that has failed says so itself.
        let _ = self.lab.client(&["rm", "--force", "--volumes", BUILDER]).output();
        let _ = self.lab.client(&["volume", "rm", &format!("{BUILDER}_state")]).output();
        let _ = self.lab.client(&["rmi", "--force", &self.image]).output();
        for one in &self.cached {
            let only = format!("id={one}");
            let _ = self.lab.client(&["builder", "prune", "--all", "--force", "--filter", &only]).output();
        }
    }
}

fn of_the_machine(usr: &Path) -> PathBuf {
    let has_c = |folder: &PathBuf| folder.join("libc.so.6").exists();
    let mut folders = fs::read_dir(usr.join("lib")).unwrap().map(|entry| entry.unwrap().path());
    folders.find(has_c).unwrap_or_else(|| panic!("{} has no libc", usr.display()))
}

fn named(folder: &Path, start: &str) -> PathBuf {
    let mut entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.file_name().unwrap().to_string_lossy().starts_with(start)).unwrap()
}
