//! The embedded sample: a recorded Mac with every kind of finding. The engines and containers are recorded; the
//! Compose projects are real files in a temporary folder, so that fixing them, undoing and fixing again really works.

mod insides;
mod machine;
mod others;

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use jiff::Timestamp;
use silidock_diagnosis::{
    compose::{ComposeFile, ComposeProject},
    example::{ContainerBuilder, container, engine, index, inventory, upstream},
    example_emulation::mac,
    fact::{Fact, Gap},
    inventory::{Container, Image, Inventory, Listing},
    runtime::{EmulatorChoice, RuntimeSettings},
    runtime_fix::Change,
    upstream::UpstreamContent,
};
use silidock_host::{FixtureHost, Host};

use crate::failure::{Failure, FailureCode};
pub(crate) use machine::SampleTools;

/// The sample's engines: name to choose by, name for people.
pub const SAMPLES: [(&str, &str); 6] = [
    ("docker-desktop", "Docker Desktop (sample)"),
    ("colima", "Colima with an Intel machine (sample)"),
    ("podman", "Podman with Rosetta that does not run (sample)"),
    ("lima", "Lima with QEMU (sample)"),
    ("rancher-desktop", "Rancher Desktop without an emulator (sample)"),
    ("finch", "Finch on an older macOS (sample)"),
];

/// The user's home in the sample, below its folder.
const HOME: &str = "Users/sam";

/// Docker Desktop's settings, below the sample's folder.
const DESKTOP_SETTINGS: &str = "Users/sam/Library/Group Containers/group.com.docker/settings-store.json";

/// Files of the sample, below its folder.
const FILES: [(&str, &str); 7] = [
    ("Users/sam/shop/compose.yaml", include_str!("sample/shop-compose.yaml")),
    ("Users/sam/reports/compose.yaml", include_str!("sample/reports-compose.yaml")),
    ("Users/sam/legacy/compose.yaml", include_str!("sample/legacy-compose.yaml")),
    ("Users/sam/store/compose.yaml", include_str!("sample/store-compose.yaml")),
    ("Users/sam/reports/report/Dockerfile", include_str!("sample/report.Dockerfile")),
    ("Users/sam/reports/.env", include_str!("sample/reports.env")),
    (DESKTOP_SETTINGS, include_str!("sample/settings-store.json")),
];

/// One of the sample's engines, its files laid out.
#[derive(Debug)]
pub struct Sample {
    root: PathBuf,
    name: &'static str,
    /// A change of the machine that leaves no setting behind.
    restarted: Mutex<Option<Change>>,
}

impl Sample {
    /// Lays out the sample's files where they are missing; changed ones stay as they are.
    ///
    /// # Errors
    /// There is no such sample, or its folder cannot be written.
    pub fn open(host: &dyn Host, name: Option<&str>) -> Result<Self, Failure> {
        let wanted = name.unwrap_or(SAMPLES[0].0);
        let (name, _) = SAMPLES.into_iter().find(|(known, _)| *known == wanted).ok_or_else(|| {
            let known: Vec<&str> = SAMPLES.iter().map(|(name, _)| *name).collect();
            Failure::new(
                FailureCode::NotFound,
                format!("The sample has no engine {wanted}; it has {}.", known.join(" and ")),
            )
        })?;
        let user = host.user_name().unwrap_or_else(|| "user".to_owned());
        let root = host.temp_dir().join(format!("silidock-sample-{user}"));
        let sample = Self { root, name, restarted: Mutex::new(None) };
        sample.lay_out().map_err(|error| {
            Failure::new(
                FailureCode::File,
                format!("The sample's files cannot be written to {}: {error}.", sample.root.display()),
            )
            .hint("Set TMPDIR to a folder of yours.")
        })?;
        Ok(sample)
    }

    /// Which of [`SAMPLES`] this is.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where the sample keeps receipts of its own.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// What is seen there now: the recording, and the files as they are.
    pub fn inventory(&self, now: &str) -> Inventory {
        let mut seen = match self.name {
            "colima" => colima(&self.root),
            "podman" => others::podman(),
            "lima" => others::lima(),
            "rancher-desktop" => {
                let mut seen = Inventory { projects: vec![opened(&self.root, "store")], ..others::rancher() };
                // An index, so there is nothing to pull for a Mac.
                seen.upstream.learn([upstream("acme/indexer:2", Ok(&["linux/amd64", "linux/s390x"]), &[])]);
                seen
            }
            "finch" => others::finch(),
            _ => docker_desktop(&self.root),
        };
        recorded(&mut seen, now);
        seen.contents = insides::of(self.name);
        seen.sample = true;
        now.clone_into(&mut seen.taken_at);
        let host = FixtureHost::new(&self.root).with_home(self.root.join(HOME));
        silidock_observe::refresh_files(&mut seen, &host);
        self.as_changed(&mut seen);
        seen.engine.configured = silidock_observe::configured(&seen.emulation, &seen.engine);
        seen
    }

    fn lay_out(&self) -> std::io::Result<()> {
        // The name is predictable and the folder for temporary files may be everybody's: take no other's folder.
        match std::fs::symlink_metadata(&self.root) {
            Ok(found) if !found.is_dir() || others_may_write(&found) || !is_ours(&found)? => {
                return Err(std::io::Error::other("something that is not ours is already there"));
            }
            Ok(_) => {}
            Err(_) => private_folder(&self.root)?,
        }
        for (place, content) in FILES {
            let path = self.root.join(place);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            if !path.exists() {
                std::fs::write(path, content)?;
            }
        }
        Ok(())
    }
}

/// A process knows its user by the files it makes.
fn is_ours(found: &std::fs::Metadata) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(found.uid() == std::fs::metadata("/proc/self").or_else(|_| own_file())?.uid())
}

fn own_file() -> std::io::Result<std::fs::Metadata> {
    let path = std::env::temp_dir().join(format!("silidock-{}", std::process::id()));
    // A file that is there already is somebody else's, and stays.
    let made = std::fs::File::create_new(&path)?.metadata();
    std::fs::remove_file(&path)?;
    made
}

fn others_may_write(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o022 != 0
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn rosetta(name: &str, program: &str) -> ContainerBuilder {
    container(name).platform("linux/amd64").processes(&[&format!("/run/rosetta/rosetta {program}")])
}

fn native(name: &str, program: &str) -> ContainerBuilder {
    container(name).processes(&[program])
}

/// Processor time in seconds, made part of a container.
fn used(builder: ContainerBuilder, seconds: u64, status: &str) -> Container {
    let mut made = builder.build();
    made.cpu_nanoseconds = Fact::Known(seconds * 1_000_000_000);
    status.clone_into(&mut made.status);
    made
}

/// Ids, process numbers and ages as an engine gives them, made from the names.
fn recorded(seen: &mut Inventory, now: &str) {
    let today = now.parse::<Timestamp>().unwrap_or_default().as_second();
    for (number, container) in seen.containers.items.iter_mut().enumerate() {
        container.id = id_of(&container.name);
        container.image_id = container.image_id.as_deref().map(|name| format!("sha256:{}", id_of(name)));
        if let Fact::Known(processes) = &mut container.processes {
            for (place, process) in processes.iter_mut().enumerate() {
                process.pid = (2_160 + 137 * number + 9 * place).to_string();
            }
        }
    }
    for known in &mut seen.upstream.references {
        now.clone_into(&mut known.asked_at);
        known.content = known
            .content
            .clone()
            .map(|content| UpstreamContent { digest: format!("sha256:{}", id_of(&known.reference)), ..content });
    }
    for image in &mut seen.images.items {
        let days = 2 + image.id.bytes().map(i64::from).sum::<i64>() % 190;
        image.created = Some(today - days * 86_400);
        image.id = format!("sha256:{}", id_of(&image.id));
    }
}

/// 64 hexadecimal digits that always come out the same for the same name.
fn id_of(name: &str) -> String {
    let mut state: u64 = 0x51_1D_0C;
    let mut digits = String::new();
    for round in 0..4u8 {
        for byte in name.bytes().chain([round]) {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
        }
        digits.push_str(&format!("{state:016x}"));
    }
    digits
}

fn docker_desktop(root: &Path) -> Inventory {
    let mut seen = inventory("arm64");
    seen.engine.endpoint = "unix:///Users/sam/.docker/run/docker.sock".to_owned();
    seen.images = images();
    seen.containers = Listing::of(containers());
    seen.projects = vec![opened(root, "legacy"), project(root, "reports"), project(root, "shop")];
    let both: &[&str] = &["linux/amd64", "linux/arm64"];
    seen.upstream.learn([
        upstream("acme/mysql-legacy:5.7", Ok(&["linux/amd64"]), &[("8.0", both), ("9.5", both)]),
        upstream("acme/shop-migrate:3.2", Ok(&["linux/amd64"]), &[]),
        upstream("acme/legacy-report:1", Err("registry-1.docker.io has no acme/legacy-report:1"), &[]),
        upstream("mailhog/mailhog:v1.0.1", Ok(&["linux/amd64"]), &[]),
        upstream("redis:8", Ok(both), &[]),
    ]);
    // Its Rosetta is an older one than the Mac's own.
    seen.emulation = mac(EmulatorChoice::Rosetta, "rosetta").emulation;
    if let Fact::Known(all) = &mut seen.emulation.effective {
        all.iter_mut().for_each(|proven| proven.version = Some("367.4".to_owned()));
    }
    for settings in seen.emulation.runtimes.known().cloned().into_iter().flatten() {
        let emulator = settings.emulator.clone().map(|mut set| {
            set.place = root.join(DESKTOP_SETTINGS).display().to_string();
            set.line = Some(9);
            set
        });
        let name = "Docker Desktop".to_owned();
        seen.emulation.runtimes = Fact::Known(vec![RuntimeSettings { name, emulator, ..settings }]);
    }
    seen
}

fn containers() -> Vec<Container> {
    let up = "Up 3 hours";
    let mut metrics = used(native("metrics", "/bin/prometheus").image("prom/prometheus:v3"), 0, "Up 6 days");
    metrics.processes = Fact::unknown("processes of metrics", "the engine did not answer within 20 s");
    metrics.cpu_nanoseconds = Fact::Known(61_000_000_000);
    vec![
        used(
            native("shop-web-1", "nginx: master process nginx").image("acme/shop-web:3.2").service("shop", "web"),
            212,
            up,
        ),
        used(native("shop-api-1", "/usr/local/bin/node").image("acme/shop-api:3.2").service("shop", "api"), 1_904, up),
        used(
            rosetta("shop-db-1", "/usr/sbin/mysqld mysqld").image("acme/mysql-legacy:5.7").service("shop", "db"),
            6_120,
            up,
        ),
        used(
            rosetta("shop-worker-1", "/usr/local/bin/worker worker")
                .image("acme/shop-worker:3.2")
                .service("shop", "worker"),
            3_377,
            up,
        ),
        used(native("shop-cache-1", "redis-server").image("redis:8").service("shop", "cache"), 96, up),
        used(
            rosetta("reports-legacy-report-1", "/usr/bin/java java")
                .image("acme/legacy-report:1")
                .service("reports", "legacy-report"),
            2_480,
            "Up 2 days",
        ),
        used(
            rosetta("reports-pdf-1", "/opt/pdf/pdfd pdfd").image("acme/pdf:2").service("reports", "pdf"),
            655,
            "Up 2 days",
        ),
        used(
            native("toolbox", "/bin/bash")
                .image("acme/toolbox:1")
                .processes(&["/bin/bash", "/usr/bin/qemu-i386 /opt/license/lmgrd lmgrd"]),
            148,
            "Up 26 minutes",
        ),
        used(native("gateway", "/usr/bin/traefik").image("traefik:3.5").runs("sha256:traefik:3.4"), 334, "Up 6 days"),
        used(native("mail", "/mailpit").image("axllent/mailpit:1"), 12, "Up 6 days"),
        used(native("objects", "/usr/bin/minio").image("minio/minio:2026"), 541, "Up 6 days"),
        used(native("traces", "/go/bin/jaeger").image("jaegertracing/jaeger:2"), 402, "Up 6 days"),
        metrics,
        used(
            rosetta("shop-migrate-1", "").image("acme/shop-migrate:3.2").service("shop", "migrate").stopped(),
            0,
            "Exited (0) 3 hours ago",
        ),
        used(native("scratchpad", "").image("debian:13").stopped(), 0, "Exited (137) 8 days ago"),
    ]
}

fn images() -> Listing<Image> {
    let (intel, arm) = ("linux/amd64", "linux/arm64");
    let sized = |tag: &str, megabytes: u64, platforms: &[(&str, bool)]| {
        let mut image = index(tag, platforms);
        image.size = Some(megabytes * 1_000_000);
        image
    };
    let mut untagged = sized("old-build", 412, &[(arm, true)]);
    untagged.tags.clear();
    untagged.id = "sha256:traefik:3.4".to_owned();
    let mut gone = sized("acme/nightly:latest", 0, &[]);
    gone.size = None;
    gone.platforms = Fact::unknown("platforms of acme/nightly:latest", "the image was removed while it was looked at");
    let mut signed = sized("axllent/mailpit:1", 31, &[(arm, true), (intel, false), ("linux/arm/v7", false)]);
    signed.attestations = 3;
    let items = vec![
        sized("acme/shop-web:3.2", 64, &[(arm, true), (intel, false)]),
        sized("acme/shop-api:3.2", 288, &[(arm, true), (intel, false)]),
        sized("acme/shop-worker:3.2", 574, &[(arm, true), (intel, true)]),
        sized("acme/shop-migrate:3.2", 190, &[(intel, true)]),
        sized("acme/mysql-legacy:5.7", 501, &[(intel, true)]),
        sized("acme/legacy-report:1", 733, &[(intel, true)]),
        sized("acme/pdf:2", 348, &[(intel, true)]),
        sized("acme/search:6", 611, &[(intel, true), (arm, false)]),
        sized("acme/toolbox:1", 920, &[(arm, true)]),
        sized("redis:8", 142, &[(arm, true), (intel, false), ("linux/arm/v7", false), ("linux/386", false)]),
        sized("traefik:3.5", 226, &[(arm, true), (intel, false)]),
        sized("minio/minio:2026", 241, &[(arm, true), (intel, false)]),
        sized("jaegertracing/jaeger:2", 105, &[(arm, true), (intel, false)]),
        sized("prom/prometheus:v3", 310, &[(arm, true), (intel, false)]),
        sized("debian:13", 140, &[(arm, true), (intel, false), ("linux/386", false)]),
        signed,
        untagged,
        gone,
    ];
    let total = items.len() + 1;
    let lost = Gap::new("image 9 of the engine's list", "its Id is missing");
    Listing { items, total, gaps: vec![lost], complete: true }
}

fn project(root: &Path, name: &str) -> ComposeProject {
    let folder = root.join(HOME).join(name);
    let unread = || Gap::new(format!("services of {name}"), "not read yet");
    ComposeProject {
        services: unread().into(),
        gaps: Vec::new(),
        compared: Fact::unknown("what docker compose config says", "a sample asks nobody"),
        opened: false,
        name: name.to_owned(),
        working_dir: Some(folder.display().to_string()),
        files: vec![ComposeFile { path: folder.join("compose.yaml").display().to_string(), services: unread().into() }],
    }
}

/// A project of which nothing runs: somebody opened its file.
fn opened(root: &Path, name: &str) -> ComposeProject {
    ComposeProject { opened: true, ..project(root, name) }
}

/// The same Mac's second engine: an Intel virtual machine.
fn colima(_: &Path) -> Inventory {
    let mut seen = inventory("amd64");
    seen.engine = engine("amd64");
    let engine = &mut seen.engine;
    engine.endpoint = "unix:///Users/sam/.colima/intel/docker.sock".to_owned();
    engine.context = Some("colima-intel".to_owned());
    engine.chosen_by = "you chose colima".to_owned();
    engine.runtime.id = "colima".to_owned();
    engine.runtime.name = "Colima (intel)".to_owned();
    engine.runtime.evidence = "its host name is colima-intel".to_owned();
    engine.operating_system = Some("Ubuntu 24.04.3 LTS".to_owned());
    engine.kernel = Some("6.8.0-64-generic".to_owned());
    engine.host_name = Some("colima-intel".to_owned());
    engine.version = "28.5.1".to_owned();
    engine.api_version = "1.51".to_owned();
    let intel = |name: &str, program: &str| container(name).platform("linux/amd64").processes(&[program]);
    seen.images = Listing::of(vec![
        index("acme/erp:9", &[("linux/amd64", true)]),
        index("postgres:17", &[("linux/amd64", true), ("linux/arm64", false)]),
    ]);
    seen.containers = Listing::of(vec![
        used(intel("erp", "/opt/erp/bin/server").image("acme/erp:9"), 9_310, "Up 5 hours"),
        used(intel("erp-db", "postgres: checkpointer").image("postgres:17"), 1_220, "Up 5 hours"),
    ]);
    seen
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use silidock_diagnosis::{checks::CATALOG, examine};

    use super::*;

    #[test]
    fn the_sample_has_every_kind_of_finding() {
        let folder = tempfile::tempdir().unwrap();
        let host =
            FixtureHost::new(folder.path()).with_env("TMPDIR", folder.path().to_str().unwrap()).with_env("USER", "sam");
        let mut fired = BTreeSet::new();
        for (name, _) in SAMPLES {
            let seen = Sample::open(&host, Some(name)).unwrap().inventory("2026-11-20T09:00:00Z");
            assert!(seen.sample);
            fired.extend(examine(&seen).findings.into_iter().map(|f| f.check));
        }
        let silent: Vec<&str> = CATALOG.iter().map(|check| check.id).filter(|id| !fired.contains(*id)).collect();
        assert_eq!(silent, Vec::<&str>::new());
    }

    #[test]
    fn changed_files_stay_and_a_strangers_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let host =
            FixtureHost::new(folder.path()).with_env("TMPDIR", folder.path().to_str().unwrap()).with_env("USER", "sam");
        let sample = Sample::open(&host, None).unwrap();
        let file = sample.root.join(FILES[0].0);
        std::fs::write(&file, "services: {}\n").unwrap();
        Sample::open(&host, None).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "services: {}\n");

        std::fs::remove_dir_all(&sample.root).unwrap();
        std::os::unix::fs::symlink("/etc", &sample.root).unwrap();
        let refused = Sample::open(&host, None).unwrap_err();
        assert!(refused.message.contains("not ours"), "{refused}");
    }
}
