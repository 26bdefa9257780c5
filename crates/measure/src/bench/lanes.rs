//! Which lanes there are: a container of every way to run programs is started and says itself what runs it. No setting
//! is believed. A way that does not work is told with its reason.

use std::collections::BTreeMap;

use silidock_diagnosis::bench::{Lane, LaneWay, NATIVE, UnavailableLane, Warning, WarningKind};
use silidock_diagnosis::finding::Evidence;
use silidock_diagnosis::platform::Platform;
use silidock_probe::{Answer, Ended, Hello, Seen};

use super::qemu;
use super::site::Site;
use super::station::{Greeted, LAYER, Station, VOLUME, Way, greet};
use crate::archive::{PROGRAM, archive_of};
use crate::error::MeasureError;
use crate::judge::{Effective, TargetEmulation, judge};

const QEMU: &str = "qemu";
const ROSETTA: &str = "rosetta";

/// The lane of a QEMU that is started directly, where another one is registered under its name.
const QEMU_DIRECT: &str = "qemu-direct";

/// What could be had.
pub(crate) struct Opened {
    /// The native one first.
    pub stations: Vec<Station>,
    pub unavailable: Vec<UnavailableLane>,
    pub warnings: Vec<Warning>,
}

/// Opens every lane that the plan wants.
pub(crate) async fn open(site: &mut Site) -> Result<Opened, MeasureError> {
    let version = site.engine.version();
    let platform = Platform::new(&version.os, &version.arch, None).ok().filter(|platform| platform.os == "linux");
    let platform = platform.ok_or_else(|| MeasureError::NotLinux {
        endpoint: site.engine.target().endpoint.to_string(),
        platform: format!("{}/{}", version.os, version.arch),
    })?;
    let mut opening = Opening {
        platform,
        images: BTreeMap::new(),
        network: None,
        opened: Opened { stations: Vec::new(), unavailable: Vec::new(), warnings: Vec::new() },
    };
    opening.native(site).await?;
    let native = opening.platform.architecture.clone();
    let foreign: Vec<String> =
        site.plan.probes.architectures().filter(|arch| *arch != native).map(str::to_owned).collect();
    for arch in &foreign {
        opening.emulated(site, arch).await?;
    }
    opening.missing(site);
    opening.partners(site).await;
    Ok(opening.opened)
}

struct Opening {
    platform: Platform,
    /// Loaded images by architecture of the probe in them.
    images: BTreeMap<String, String>,
    network: Option<String>,
    opened: Opened,
}

impl Opening {
    async fn native(&mut self, site: &mut Site) -> Result<(), MeasureError> {
        let arch = self.platform.architecture.clone();
        let image = self.image(site, &arch).await?;
        if site.plan.workloads.iter().any(|id| id == "tcp-between") {
            let name = site.network();
            match site.engine.create_network(&name, &site.labels()).await {
                Ok(()) => self.network = Some(name),
                Err(error) => self.warn(format!("There is no second container to talk to: {error}")),
            }
        }
        let way =
            Way { way: LaneWay::Native, arch: arch.clone(), image, platform: format!("linux/{arch}"), emulator: None };
        let greeted = match greet(site, way.clone(), self.network.as_deref()).await {
            Err(MeasureError::ContainerRefused { source, .. }) if site.plan.bind.is_some() => {
                self.warn(format!("No folder of this machine can be shared with the engine: {source}"));
                site.plan.bind = None;
                greet(site, way, self.network.as_deref()).await?
            }
            greeted => greeted?,
        };
        let own = &greeted.hello.own;
        let lane = match interpreter(own) {
            None => Lane {
                name: NATIVE.to_owned(),
                platform: self.platform.clone(),
                emulator: None,
                version: None,
                way: LaneWay::Native,
                children: true,
                evidence: vec![by_itself(own)],
            },
            // The engine says that this is its own architecture.
            Some(_) => {
                self.lane(&greeted, LaneWay::Registered, None).map_err(|why| MeasureError::Garbage { arch, why })?
            }
        };
        self.opened.stations.push(greeted.station(lane));
        Ok(())
    }

    /// What the engine does by itself, then the ways around it.
    async fn emulated(&mut self, site: &Site, arch: &str) -> Result<(), MeasureError> {
        let mut way = Way {
            way: LaneWay::Registered,
            arch: arch.to_owned(),
            image: self.image(site, arch).await?,
            platform: format!("linux/{arch}"),
            emulator: None,
        };
        let registered = self.try_way(site, &way, None).await?;
        let found = registered.as_ref().ok().cloned();
        if let Err(why) = registered {
            // What it would be called is not known: nothing ran.
            self.lacks(&format!("linux/{arch}"), arch, why);
        }
        if found.as_deref() != Some(QEMU) {
            way.way = LaneWay::ForcedQemu;
            let forced = if found.is_some() { self.try_way(site, &way, None).await? } else { Err(String::new()) };
            if forced.as_deref() != Ok(QEMU) {
                self.direct(site, arch, QEMU).await?;
            }
        } else if site.plan.lanes.as_ref().is_some_and(|lanes| lanes.iter().any(|lane| lane == QEMU_DIRECT)) {
            self.direct(site, arch, QEMU_DIRECT).await?;
        }
        let to_intel = self.platform.architecture == "arm64" && arch == "amd64";
        if to_intel && found.as_deref() != Some(ROSETTA) {
            let by = found.map_or_else(|| "by nothing".to_owned(), |name| format!("by {name}"));
            let why = format!("linux/amd64 programs are run {by} here; Rosetta has to be switched on first");
            self.lacks(ROSETTA, arch, why);
        }
        Ok(())
    }

    /// A QEMU from wherever one can be had, started with the probe as its argument.
    async fn direct(&mut self, site: &Site, arch: &str, name: &str) -> Result<(), MeasureError> {
        let mut reasons = Vec::new();
        // Without an emulator in it, for those that are on the engine's machine.
        let mut plain = None;
        for source in qemu::sources(site, arch).await {
            let (program, emulator) = match source {
                Ok(qemu::Source::OnEngine(path)) => (None, Some(path)),
                Ok(qemu::Source::Program(bytes)) => (Some(bytes), None),
                Err(why) => {
                    reasons.push(why);
                    continue;
                }
            };
            let native = &self.platform.architecture;
            let image = match (&plain, program) {
                (Some(image), None) => String::clone(image),
                (_, program) => load(site, arch, native, program.as_deref()).await?,
            };
            if emulator.is_some() {
                plain = Some(image.clone());
            }
            let platform = self.platform.to_string();
            let way = Way { way: LaneWay::Direct, arch: arch.to_owned(), image, platform, emulator };
            match self.try_way(site, &way, Some(name)).await? {
                Ok(_) => return Ok(()),
                Err(why) => reasons.push(why),
            }
        }
        self.lacks(name, arch, format!("no QEMU that could be started by itself was found: {}", reasons.join("; ")));
        Ok(())
    }

    /// Starts a container of a way. The emulator's name, or why it is no lane. The lane is called as its emulator unless
    /// a name is given.
    async fn try_way(
        &mut self,
        site: &Site,
        way: &Way,
        name: Option<&str>,
    ) -> Result<Result<String, String>, MeasureError> {
        let greeted = match greet(site, way.clone(), self.network.as_deref()).await {
            Ok(greeted) => greeted,
            Err(MeasureError::Stopped) => return Err(MeasureError::Stopped),
            Err(MeasureError::Engine(error)) if error.is_engine_lost() => return Err(MeasureError::Engine(error)),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let lane = match self.lane(&greeted, way.way, name) {
            Ok(lane) => lane,
            Err(why) => {
                self.dismiss(site, greeted).await;
                return Ok(Err(why));
            }
        };
        let emulator = lane.emulator.clone().unwrap_or_default();
        let around = matches!(way.way, LaneWay::ForcedQemu | LaneWay::Direct);
        if around && emulator != QEMU {
            self.dismiss(site, greeted).await;
            return Ok(Err(format!("it was asked for QEMU, and {emulator} ran it")));
        }
        let wanted = site.plan.lanes.as_ref().is_none_or(|lanes| lanes.contains(&lane.name));
        if wanted {
            self.opened.stations.push(greeted.station(lane));
        } else {
            self.dismiss(site, greeted).await;
        }
        Ok(Ok(emulator))
    }

    async fn dismiss(&mut self, site: &Site, greeted: Greeted) {
        if let Err(error) = greeted.dismiss(site).await {
            self.warn(format!("A container that was not wanted could not be removed yet: {error}"));
        }
    }

    /// The lane that a container says it is.
    fn lane(&self, greeted: &Greeted, way: LaneWay, name: Option<&str>) -> Result<Lane, String> {
        let platform = Platform::linux(&greeted.way.arch).map_err(|error| error.to_string())?;
        let judged = of(&platform, &greeted.hello.own);
        let (emulator, version) = match &judged.effective {
            Effective::Emulator { name, version } => (name.clone(), version.clone()),
            Effective::Native => return Err(format!("the engine runs {platform} programs by itself")),
            Effective::Nothing => return Err(format!("nothing runs {platform} programs")),
            Effective::Unknown { why } => return Err(format!("what runs {platform} programs is not known: {why}")),
        };
        let taken = |name: &str| self.opened.stations.iter().any(|station| station.lane.name == name);
        let name = match name {
            Some(name) => name.to_owned(),
            None if taken(&emulator) => format!("{emulator} {platform}"),
            None => emulator.clone(),
        };
        let (children, about_children) = children(&platform, &judged, &greeted.hello);
        let evidence = judged.signs.iter().map(|sign| Evidence::new("the container itself", &sign.evidence));
        Ok(Lane {
            name,
            platform,
            emulator: Some(emulator),
            version,
            way,
            children,
            evidence: evidence.chain([about_children]).collect(),
        })
    }

    /// Lanes that were asked for by name and are neither there nor explained.
    fn missing(&mut self, site: &Site) {
        for name in site.plan.lanes.iter().flatten() {
            let told = self.opened.stations.iter().any(|station| station.lane.name == *name)
                || self.opened.unavailable.iter().any(|lane| lane.name == *name);
            if !told {
                let arch = site.plan.probes.architectures().find(|arch| *arch != self.platform.architecture);
                let arch = arch.unwrap_or("amd64").to_owned();
                self.lacks(name, &arch, format!("nothing on this engine runs programs under {name}"));
            }
        }
    }

    async fn partners(&mut self, site: &Site) {
        let Some(network) = self.network.clone() else { return };
        let mut failures = Vec::new();
        for station in &mut self.opened.stations {
            if let Err(error) = station.with_partner(site, &network).await {
                failures.push(format!("The second container of {} did not start: {error}", station.lane.name));
            }
        }
        failures.into_iter().for_each(|text| self.warn(text));
    }

    fn lacks(&mut self, name: &str, arch: &str, why: String) {
        if let Ok(platform) = Platform::linux(arch) {
            self.opened.unavailable.push(UnavailableLane { name: name.to_owned(), platform, why, fixes: Vec::new() });
        }
    }

    fn warn(&mut self, text: String) {
        self.opened.warnings.push(Warning::new(WarningKind::Missing, text));
    }

    /// The image with the probe of an architecture, loaded once.
    async fn image(&mut self, site: &Site, arch: &str) -> Result<String, MeasureError> {
        if let Some(image) = self.images.get(arch) {
            return Ok(image.clone());
        }
        let image = load(site, arch, arch, None).await?;
        self.images.insert(arch.to_owned(), image.clone());
        Ok(image)
    }
}

/// Loads an image with the probe of one architecture that says it is of another.
async fn load(site: &Site, arch: &str, says: &str, emulator: Option<&[u8]>) -> Result<String, MeasureError> {
    let arch_named = || arch.to_owned();
    let probe = site.plan.probes.get(arch).ok_or_else(|| MeasureError::NoProbe { arch: arch_named() })?;
    let image = site.image(arch);
    let mut programs = vec![(PROGRAM, probe)];
    programs.extend(emulator.map(|bytes| (super::station::QEMU, bytes)));
    let whole = archive_of(&programs, &[LAYER, VOLUME], says, &image, &site.labels())
        .map_err(|source| MeasureError::Archive { arch: arch_named(), source })?;
    site.course.go_on().map_err(|_| MeasureError::Stopped)?;
    let loaded = site.engine.load_images(whole).await;
    loaded.map_err(|source| MeasureError::ImageRefused { arch: arch_named(), source })?;
    Ok(image)
}

fn of(platform: &Platform, answer: &Answer) -> TargetEmulation {
    // Where the kernel ran it itself, a name of a real processor is not an emulator's.
    let stub = interpreter(answer).is_none().then_some(Seen::Native { ended: Ended::Well });
    let named = judge(platform.clone(), None, Some(&Ok(answer.clone())));
    match (&named.effective, stub) {
        (Effective::Emulator { .. }, _) | (_, None) => named,
        (_, Some(stub)) => judge(platform.clone(), Some(&stub), Some(&Ok(answer.clone()))),
    }
}

/// The program that runs the probe, if it is not the probe.
fn interpreter(answer: &Answer) -> Option<&str> {
    let exe = answer.own.exe.as_ref()?;
    (answer.own.claimed.as_ref() != Some(&exe.link)).then_some(exe.link.as_str())
}

fn by_itself(answer: &Answer) -> Evidence {
    let link = answer.own.exe.as_ref().map_or(PROGRAM, |exe| exe.link.as_str());
    Evidence::new("the container itself", format!("the kernel runs {link} without an emulator"))
}

/// Whether a child runs as its parent does: by the same emulator of the same version.
fn children(platform: &Platform, own: &TargetEmulation, hello: &Hello) -> (bool, Evidence) {
    const PLACE: &str = "a program it started";
    let child = hello.child.clone().and_then(|answer| serde_json::from_value::<Answer>(answer).ok());
    let Some(child) = child else {
        let why = hello.childless.as_deref().unwrap_or("its answer cannot be read");
        return (false, Evidence::new(PLACE, why));
    };
    let child = of(platform, &child);
    let same = child.effective == own.effective;
    let seen = child.signs.first().map_or("nothing of it could be seen", |sign| sign.evidence.as_str());
    (same, Evidence::new(PLACE, seen))
}
