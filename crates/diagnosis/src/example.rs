//! Small inventories for the catalogue's examples: a healthy Mac to which one thing is done.

use crate::{
    bench::meaning::not_measured_yet,
    compose::{
        Comparison, ComposeFile, ComposeProject, ComposeService, DeclaredPlatform, Placed, ResolvedBuild,
        ResolvedService,
    },
    emulator::recognise,
    fact::Fact,
    inventory::{
        ComposeMembership, Container, ContainerState, DefaultPlatform, DefaultPlatformScope, Engine, HostFacts, Image,
        ImagePlatform, ImageStore, Inventory, Listing, Locality, Mount, MountKind, Process, Runtime,
    },
    platform::Platform,
    reference::normalise,
    runtime::EmulationFacts,
    schema::Schema,
    upstream::{NewerTag, UpstreamContent, UpstreamFacts, UpstreamKind, UpstreamReference},
};

/// A platform, or the gap that a text which is none leaves.
pub fn platform(text: &str) -> Fact<Platform> {
    match text.parse() {
        Ok(platform) => Fact::Known(platform),
        Err(error) => Fact::unknown(format!("platform \"{text}\""), error.to_string()),
    }
}

/// An engine of the given architecture in the VM of a local Mac runtime.
pub fn engine(arch: &str) -> Engine {
    Engine {
        endpoint: "unix:///Users/sam/.docker/run/docker.sock".to_owned(),
        context: Some("desktop-linux".to_owned()),
        chosen_by: "the current Docker context".to_owned(),
        locality: Locality::Local,
        runtime: Runtime {
            id: "docker-desktop".to_owned(),
            name: "Docker Desktop".to_owned(),
            evidence: "the engine calls its system Docker Desktop".to_owned(),
            mac_virtual_machine: true,
        },
        version: "29.7.2".to_owned(),
        api_version: "1.55".to_owned(),
        os: "linux".to_owned(),
        arch: arch.to_owned(),
        platform: platform(&format!("linux/{arch}")),
        operating_system: Some("Docker Desktop".to_owned()),
        kernel: Some("7.0.12-linuxkit".to_owned()),
        host_name: Some("docker-desktop".to_owned()),
        image_store: ImageStore::Containerd,
        cpus: Some(8),
        memory: Some(8 << 30),
        configured: Fact::unknown(
            "the emulator set in Docker Desktop",
            "settings of runtimes are not read by a scan; what runs is seen from the processes",
        ),
    }
}

/// An empty, healthy inventory of an Apple-silicon Mac with an engine of the given architecture.
pub fn inventory(arch: &str) -> Inventory {
    Inventory {
        schema: Schema,
        taken_at: "2026-11-20T09:00:00Z".to_owned(),
        sample: false,
        engine: engine(arch),
        host: HostFacts {
            os: "macos".to_owned(),
            os_version: Some("27.1".to_owned()),
            arch: "arm64".to_owned(),
            apple_silicon: Fact::Known(true),
            translated: Fact::Known(false),
            cpu: Some("Apple M5".to_owned()),
            cores: Some(10),
            memory: Some(24 << 30),
        },
        images: Listing::of(Vec::new()),
        containers: Listing::of(Vec::new()),
        projects: Vec::new(),
        default_platforms: Fact::Known(Vec::new()),
        emulation: EmulationFacts::default(),
        upstream: UpstreamFacts::default(),
        benchmark: not_measured_yet().into(),
        deploy: Default::default(),
        silences: Default::default(),
        contents: None,
    }
}

/// An image whose index lists platforms, each with whether its content is here.
pub fn index(tag: &str, platforms: &[(&str, bool)]) -> Image {
    Image {
        id: format!("sha256:{tag}"),
        tags: vec![tag.to_owned()],
        digests: Vec::new(),
        created: Some(1_760_000_000),
        size: Some(64_000_000),
        platforms: Fact::Known(
            platforms
                .iter()
                .map(|(text, available)| ImagePlatform {
                    platform: platform(text),
                    available: *available,
                    digest: None,
                    size: None,
                })
                .collect(),
        ),
        attestations: 0,
    }
}

/// Builds one container.
pub struct ContainerBuilder(Container);

/// A running container with one native process; change what the example is about.
pub fn container(name: &str) -> ContainerBuilder {
    ContainerBuilder(Container {
        id: format!("{name}-0123456789ab"),
        name: name.to_owned(),
        image: format!("{name}:1"),
        image_id: Some(format!("sha256:{name}:1")),
        platform: platform("linux/arm64"),
        platform_source: Some("the container's own manifest".to_owned()),
        state: ContainerState::Running,
        status: "Up 3 hours".to_owned(),
        created: Some(1_763_600_000),
        compose: None,
        processes: Fact::Known(Vec::new()),
        start_error: None,
        mounts: Fact::Known(Vec::new()),
        written: Fact::Known(0),
        ties: Fact::Known(Vec::new()),
        cpu_nanoseconds: Fact::Known(1_000_000_000),
    })
    .processes(&["/bin/app"])
}

impl ContainerBuilder {
    /// Its image's platform.
    #[must_use]
    pub fn platform(mut self, text: &str) -> Self {
        self.0.platform = platform(text);
        self
    }
    /// Its image reference.
    #[must_use]
    pub fn image(mut self, reference: &str) -> Self {
        reference.clone_into(&mut self.0.image);
        self.0.image_id = Some(format!("sha256:{reference}"));
        self
    }
    /// The image it really runs.
    #[must_use]
    pub fn runs(mut self, image_id: &str) -> Self {
        self.0.image_id = Some(image_id.to_owned());
        self
    }
    /// Its processes, as command lines of the process list.
    #[must_use]
    pub fn processes(mut self, lines: &[&str]) -> Self {
        let process = |(n, line): (usize, &&str)| {
            let seen = recognise(line);
            Process {
                pid: (4711 + n).to_string(),
                program: seen.program,
                emulator: seen.emulator,
                injected: seen.injected,
            }
        };
        self.0.processes = Fact::Known(lines.iter().enumerate().map(process).collect());
        self
    }
    /// It has ended.
    #[must_use]
    pub fn stopped(mut self) -> Self {
        self.0.state = ContainerState::Exited;
        "Exited (0) 2 hours ago".clone_into(&mut self.0.status);
        self.processes(&[])
    }
    /// A volume, mounted there.
    #[must_use]
    pub fn volume(mut self, target: &str) -> Self {
        let mount = Mount { kind: MountKind::Volume, target: target.to_owned(), writable: true };
        self.0.mounts = self.0.mounts.map(|mounts| mounts.into_iter().chain([mount]).collect());
        self
    }
    /// Its place in Compose.
    #[must_use]
    pub fn service(mut self, project: &str, service: &str) -> Self {
        self.0.compose = Some(ComposeMembership { project: project.to_owned(), service: service.to_owned() });
        self
    }
    /// The container.
    pub fn build(self) -> Container {
        self.0
    }
}

/// A Compose project with one file and one service.
pub fn project(name: &str, service: &str, image: &str, pinned: Option<&str>) -> ComposeProject {
    let path = format!("/Users/sam/{name}/compose.yaml");
    let set = |value: &str, line| Placed {
        value: value.to_owned(),
        path: path.clone(),
        line: Some(line),
        own: true,
        unset: Vec::new(),
    };
    let resolved = ResolvedService {
        name: service.to_owned(),
        path: path.clone(),
        line: Some(2),
        image: Some(set(image, 3)),
        platform: pinned.map(|value| set(value, 4)),
        build: None,
        profiles: Vec::new(),
        active: true,
        gap: None,
    };
    ComposeProject {
        name: name.to_owned(),
        working_dir: Some(format!("/Users/sam/{name}")),
        services: Fact::Known(vec![resolved]),
        gaps: Vec::new(),
        compared: Fact::Known(Comparison::Agrees),
        opened: false,
        files: vec![ComposeFile {
            path: path.clone(),
            services: Fact::Known(vec![ComposeService {
                name: service.to_owned(),
                line: Some(2),
                image: Some(image.to_owned()),
                builds: false,
                build: None,
                platform: pinned.map(|value| DeclaredPlatform { value: value.to_owned(), line: Some(4) }),
                extends: false,
            }]),
        }],
    }
}

/// The same project with `build.platforms` for its service.
pub fn built_for(mut project: ComposeProject, platforms: &[&str]) -> ComposeProject {
    if let Fact::Known(services) = &mut project.services {
        for service in services {
            let path = service.path.clone();
            let set = |(line, value): (u32, &&str)| Placed {
                value: (*value).to_owned(),
                path: path.clone(),
                line: Some(line),
                own: true,
                unset: Vec::new(),
            };
            let platforms = (7..).zip(platforms).map(set).collect();
            service.build = Some(ResolvedBuild { platforms, ..ResolvedBuild::default() });
        }
    }
    project
}

/// What a registry said of a reference: its platforms, or why it did not say, and newer tags with their platforms.
pub fn upstream(reference: &str, platforms: Result<&[&str], &str>, newer: &[(&str, &[&str])]) -> UpstreamReference {
    let all = |texts: &[&str]| texts.iter().filter_map(|text| platform(text).known().cloned()).collect();
    let content = match platforms {
        Ok(platforms) => Fact::Known(UpstreamContent {
            digest: format!("sha256:{:064x}", reference.len()),
            kind: if platforms.len() == 1 { UpstreamKind::Manifest } else { UpstreamKind::Index },
            platforms: all(platforms),
            gaps: Vec::new(),
        }),
        Err(why) => Fact::unknown(format!("the platforms of {reference} upstream"), why),
    };
    let tag = |(tag, platforms): &(&str, &[&str])| NewerTag { tag: (*tag).to_owned(), platforms: all(platforms) };
    UpstreamReference {
        reference: normalise(reference).unwrap_or_else(|| reference.to_owned()),
        asked_at: "2026-11-20T09:00:00Z".to_owned(),
        content,
        newer: Some(Fact::Known(newer.iter().map(tag).collect())),
    }
}

/// A DOCKER_DEFAULT_PLATFORM in a shell's start-up file.
pub fn shell_default(value: &str) -> DefaultPlatform {
    DefaultPlatform {
        value: value.to_owned(),
        scope: DefaultPlatformScope::ShellFile,
        path: Some("/Users/sam/.zshrc".to_owned()),
        line: Some(31),
        text: Some(format!("export DOCKER_DEFAULT_PLATFORM={value}")),
    }
}

/// The platform that is foreign to an engine of this architecture, among the two a Mac's user meets.
pub fn foreign_to(arch: &str) -> &'static str {
    if arch == "arm64" { "linux/amd64" } else { "linux/arm64" }
}

/// One of everything that the catalogue fires on, for an engine of the given architecture.
pub fn everything(arch: &str) -> Inventory {
    let foreign = foreign_to(arch);
    let native = format!("linux/{arch}");
    let emulated = ["/run/rosetta/rosetta /bin/app"];
    let mut seen = inventory(arch);
    seen.images = Listing::of(vec![
        index("both:1", &[(foreign, true), (&native, true)]),
        index("db:1", &[(foreign, true)]),
        index("moved:1", &[(&native, true)]),
    ]);
    seen.containers = Listing::of(vec![
        container("both").image("both:1").platform(foreign).processes(&emulated).build(),
        container("db").image("db:1").platform(foreign).processes(&emulated).service("shop", "db").build(),
        container("tools").platform(&native).processes(&["/bin/sh", "/usr/bin/qemu-x86_64 /opt/tool"]).build(),
        container("moved").image("moved:1").platform(&native).runs("sha256:older").build(),
    ]);
    seen.projects = vec![project("shop", "db", "db:1", None)];
    seen
}
