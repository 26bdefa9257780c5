//! One long-lived container of a lane with the probe in it, and its partner for connections. It is started anew when a
//! workload killed it. Which lane it is was found out in it; see `lanes`.

use std::time::Duration;

use silidock_diagnosis::bench::{Lane, LaneWay};
use silidock_engine::{Conversation, EngineError, Workbench};
use silidock_probe::{Command, Hello, Reply, Work};

use super::site::Site;
use crate::archive::PROGRAM;
use crate::error::MeasureError;

/// Where things are in the container.
pub(crate) const LAYER: &str = "/layer";
pub(crate) const VOLUME: &str = "/volume";
pub(crate) const BIND: &str = "/bind";
pub(crate) const QEMU: &str = "/silidock-qemu";

/// For one answer. A block takes milliseconds natively; an emulator in an emulated machine needs a thousand times that.
const PATIENCE: Duration = Duration::from_secs(60);

const PROCESSES: u32 = 64;

/// How a container comes to run the probe.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Way {
    pub way: LaneWay,
    /// The architecture of the probe.
    pub arch: String,
    /// The image, which is loaded already, and its own platform.
    pub image: String,
    pub platform: String,
    /// The emulator's program on the engine's machine, where it is not in the image.
    pub emulator: Option<String>,
}

impl Way {
    fn words(&self, words: &[&str]) -> Vec<String> {
        let emulator = (self.way == LaneWay::Direct).then_some(QEMU);
        emulator.into_iter().chain([PROGRAM, "bench"]).chain(words.iter().copied()).map(str::to_owned).collect()
    }
}

/// A running container.
pub(crate) struct Station {
    pub lane: Lane,
    pub way: Way,
    talk: Talk,
    network: Option<String>,
    /// Held because a partner ends when nobody listens to it.
    _partner: Option<Talk>,
    /// Where the partner can be reached.
    peer: Option<String>,
}

/// A container and its streams.
struct Talk {
    container: String,
    streams: Conversation,
}

/// What a workload came to.
pub(crate) enum Answer {
    Reply(Reply),
    /// The container is gone, and why.
    Dead(String),
}

/// A container that has said who it is, before it is known which lane that makes.
pub(crate) struct Greeted {
    pub hello: Hello,
    pub way: Way,
    talk: Talk,
    network: Option<String>,
}

impl Greeted {
    pub fn station(self, lane: Lane) -> Station {
        Station { lane, way: self.way, talk: self.talk, network: self.network, _partner: None, peer: None }
    }

    /// Removes it: it is not wanted.
    pub async fn dismiss(self, site: &Site) -> Result<(), EngineError> {
        site.discard(&self.talk.container).await
    }
}

/// Starts a container and asks who it is.
pub(crate) async fn greet(site: &Site, way: Way, network: Option<&str>) -> Result<Greeted, MeasureError> {
    let mut talk = start(site, &way, network, &[]).await?;
    let arch = || way.arch.clone();
    let hello = match talk.ask(site, &Command::Hello).await? {
        Answer::Reply(Reply::Hello(hello)) if hello.own.built_for == way.arch => *hello,
        Answer::Reply(other) => {
            return Err(MeasureError::Garbage { arch: arch(), why: format!("it greets with {other:?}") });
        }
        Answer::Dead(why) => return Err(MeasureError::Failed { arch: arch(), status: -1, complaint: why }),
    };
    Ok(Greeted { hello, way, talk, network: network.map(str::to_owned) })
}

async fn start(site: &Site, way: &Way, network: Option<&str>, words: &[&str]) -> Result<Talk, MeasureError> {
    let (engine, plan) = (&site.engine, &site.plan);
    let arch = || way.arch.clone();
    let stopped = |_| MeasureError::Stopped;
    site.course.go_on().map_err(stopped)?;
    let container = site.container(&way.arch);
    let wants = |id: &str| words.is_empty() && plan.workloads.iter().any(|wanted| wanted == id);
    let mut binds = Vec::new();
    if let Some(folder) = plan.bind.as_ref().filter(|_| wants("files-bind")) {
        binds.push((folder.to_string_lossy().into_owned(), BIND.to_owned(), true));
    }
    binds.extend(way.emulator.iter().map(|program| (program.clone(), QEMU.to_owned(), false)));
    let forced = (way.way == LaneWay::ForcedQemu).then(|| "EXPERIMENTAL_DOCKER_DESKTOP_FORCE_QEMU=1".to_owned());
    let wanted = Workbench {
        name: container.clone(),
        image: way.image.clone(),
        platform: way.platform.clone(),
        command: way.words(words),
        environment: forced.into_iter().collect(),
        labels: site.labels(),
        memory: plan.limits.memory,
        cpus: plan.limits.cpus,
        processes: PROCESSES,
        network: network.map(str::to_owned),
        volume: wants("files-volume").then(|| VOLUME.to_owned()),
        binds,
    };
    engine.create_workbench(&wanted).await.map_err(|source| MeasureError::ContainerRefused { arch: arch(), source })?;
    site.course.go_on().map_err(stopped)?;
    let streams = engine.attach(&container).await?;
    site.course.go_on().map_err(stopped)?;
    let started = engine.start_throwaway(&container).await;
    started.map_err(|source| MeasureError::StartRefused { arch: arch(), source })?;
    Ok(Talk { container, streams })
}

impl Talk {
    async fn ask(&mut self, site: &Site, command: &Command) -> Result<Answer, MeasureError> {
        let line = serde_json::to_string(command)
            .map_err(|error| MeasureError::Garbage { arch: String::new(), why: error.to_string() })?;
        let asked = site.course.unless_ended(self.streams.ask(&line, PATIENCE)).await;
        let said = match asked {
            Err(_) => return Err(MeasureError::Stopped),
            Ok(Ok(said)) => said,
            Ok(Err(EngineError::TimedOut { after, .. })) => {
                return Ok(Answer::Dead(format!("it did not answer within {} s", after.as_secs())));
            }
            Ok(Err(error)) => return Ok(Answer::Dead(self.end(site, error).await)),
        };
        match serde_json::from_slice(&said) {
            Ok(reply) => Ok(Answer::Reply(reply)),
            Err(error) => Ok(Answer::Dead(format!("what it said cannot be read: {error}"))),
        }
    }

    /// How a container ended whose streams are closed.
    async fn end(&mut self, site: &Site, error: EngineError) -> String {
        const SIGNALS: i64 = 128;
        const FOR_ITS_END: Duration = Duration::from_secs(5);
        let complaint = self.streams.complaint();
        let said = if complaint.is_empty() { String::new() } else { format!(": {complaint}") };
        match site.engine.wait_throwaway(&self.container, FOR_ITS_END).await {
            Ok(status) if status > SIGNALS => format!("it was killed by signal {}{said}", status - SIGNALS),
            Ok(status) => format!("it ended with status {status}{said}"),
            Err(_) => error.to_string(),
        }
    }
}

impl Station {
    /// Asks the probe; a lane without the probe's answer is no lane any more until it is started anew.
    pub async fn ask(&mut self, site: &Site, command: &Command) -> Result<Answer, MeasureError> {
        self.talk.ask(site, command).await
    }

    /// Another container of the same way.
    pub async fn again(&mut self, site: &Site) -> Result<(), MeasureError> {
        site.discard(&self.talk.container).await?;
        self.talk = greet(site, self.way.clone(), self.network.as_deref()).await?.talk;
        Ok(())
    }

    /// Starts the other side of connections.
    pub async fn with_partner(&mut self, site: &Site, network: &str) -> Result<(), MeasureError> {
        let mut talk = start(site, &self.way, Some(network), &["serve"]).await?;
        let listening = site.course.unless_ended(talk.streams.listen(PATIENCE)).await;
        listening.map_err(|_| MeasureError::Stopped)??;
        self.peer = site.engine.address_in(&talk.container, network).await?;
        self._partner = Some(talk);
        Ok(())
    }

    /// What the probe is to do for an offered workload; `None` where this lane lacks what it needs, with the reason.
    pub fn work(&self, id: &str, bind: bool) -> Result<Work, String> {
        let plain = |workload: &str| Work { workload: workload.to_owned(), ..Work::default() };
        let files = |folder: &str| Work { folder: Some(folder.to_owned()), ..plain("files") };
        match id {
            "files" => Ok(files(LAYER)),
            "files-volume" => Ok(files(VOLUME)),
            "files-bind" if bind => Ok(files(BIND)),
            "files-bind" => Err("no folder of this machine can be shared with the engine".to_owned()),
            "tcp-loopback" => Ok(plain("tcp")),
            "tcp-between" => match &self.peer {
                Some(peer) => Ok(Work { peer: Some(peer.clone()), ..plain("tcp") }),
                None => Err("there is no second container to talk to".to_owned()),
            },
            "spawn" if !self.lane.children => {
                Err("programs that are started in this lane do not run the same way".to_owned())
            }
            other => Ok(plain(other)),
        }
    }
}
