//! An engine that belongs to one test, started in less than a second, that may be killed in the middle of anything and started
//! again with what it held. It is gone when dropped.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use super::{
    lab::{Lab, engines},
    root,
};

/// The engine.
pub struct Spare {
    pub lab: Lab,
    folder: PathBuf,
    port: Option<u16>,
}

impl Spare {
    /// Starts one that has the images of one program that the lab has, and finds what listens on this port of the machine's
    /// loopback on its own. None, told on standard error, where the engines are not ours.
    pub fn start(what: &str, port: Option<u16>) -> Option<Self> {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let engines = engines(what);
        let Some(like) = engines.iter().find(|lab| lab.name == "v28") else {
            eprintln!("SKIPPED, because no engine may be killed here: {what}");
            return None;
        };
        let name = format!("spare-{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let lab = Path::new(&std::env::var("SILIDOCK_LAB").unwrap()).parent().unwrap().to_owned();
        let endpoint = format!("unix://{}", lab.join(format!("{name}.sock")).display());
        let spare = Self { lab: like.like(&name, &endpoint), folder: lab.join(&name), port };
        spare.engine("start");
        let images = ["silidock-lab/bb:amd64", "silidock-lab/bb:arm64"];
        let mut saved = like.client(&[&["save"][..], &images].concat()).stdout(Stdio::piped()).spawn().unwrap();
        let mut load = spare.lab.client(&["load", "--quiet"]);
        let loaded = load.stdin(saved.stdout.take().unwrap()).stdout(Stdio::null()).status().unwrap();
        assert!(loaded.success() && saved.wait().unwrap().success(), "{what}: images come to {name}");
        Some(spare)
    }

    fn engine(&self, verb: &str) {
        let mut script = Command::new(root().join("tests/lab/engine.sh"));
        script.arg(verb).arg(&self.lab.name).env("LAB", self.folder.parent().unwrap());
        if let Some(port) = self.port {
            script.env("LAB_FORWARD", port.to_string());
        }
        let output = script.output().unwrap();
        assert!(output.status.success(), "{verb} {}: {}", self.lab.name, String::from_utf8_lossy(&output.stderr));
    }

    /// What ends its process at once, by its number.
    pub fn killer(&self) -> impl Fn() + Send + Sync + 'static {
        let file = self.folder.join("dockerd.pid");
        move || {
            let process = fs::read_to_string(&file).unwrap().trim().to_owned();
            let sent = Command::new("kill").args(["-s", "KILL", &process]).status().unwrap();
            assert!(sent.success(), "{process} is there to be killed");
            let (late, status) = (Instant::now() + Duration::from_secs(20), format!("/proc/{process}/stat"));
            while fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z ")) {
                assert!(Instant::now() < late, "{process} does not end");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Starts it again after it was killed. What it ran is ended, as after a power cut.
    pub fn start_again(&self) {
        self.engine("start");
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        self.engine("remove");
    }
}
