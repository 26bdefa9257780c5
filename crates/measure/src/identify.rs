//! Which emulator runs the programs of each platform on an engine: the native probe starts a tiny program of every
//! platform, and the probes of foreign platforms ask the processor they see.

use futures_util::future::join_all;
use serde::Serialize;
use silidock_diagnosis::fact::Gap;
use silidock_diagnosis::platform::Platform;
use silidock_engine::Engine;
use silidock_probe::{Answer, Stub};
use tokio::sync::watch;

use crate::error::MeasureError;
use crate::installation::{Busy, Installation};
use crate::judge::{TargetEmulation, judge};
use crate::options::{ARCHITECTURES, Options};
use crate::visit::Visit;

/// What was found out on one engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identification {
    /// The engine's own platform.
    pub platform: Platform,
    /// What the native probe answered: kernel, page size, processor and its features.
    pub native: Answer,
    /// Every other platform that was tried.
    pub targets: Vec<TargetEmulation>,
    /// What could not be tried, and what could not be removed afterwards.
    pub gaps: Vec<Gap>,
}

/// Finds out what runs foreign programs on an engine, with throw-away containers that are gone afterwards. When the
/// returned future is dropped they are removed all the same; [`Installation::settled`] waits for that.
///
/// # Errors
/// The native probe gave no answer. That a foreign one gave none is told in the answer.
pub async fn identify(
    engine: &Engine,
    installation: &Installation,
    options: Options,
) -> Result<Identification, MeasureError> {
    // The work is a task of its own, so that it goes on cleaning up when this future is dropped, which it sees by
    // this end of the channel being gone.
    let (_here, present) = watch::channel(());
    let work = Work {
        engine: engine.clone(),
        installation: installation.clone(),
        options,
        present,
        _busy: installation.busy(),
    };
    tokio::spawn(work.run()).await.unwrap_or(Err(MeasureError::Stopped))
}

/// The engine's platform; nothing but its own word is taken for it.
pub(crate) fn linux_platform(engine: &Engine) -> Result<Platform, MeasureError> {
    let version = engine.version();
    let platform = Platform::new(&version.os, &version.arch, None).ok();
    platform.filter(|platform| platform.os == "linux").ok_or_else(|| MeasureError::NotLinux {
        endpoint: engine.target().endpoint.to_string(),
        platform: format!("{}/{}", version.os, version.arch),
    })
}

struct Work {
    engine: Engine,
    installation: Installation,
    options: Options,
    present: watch::Receiver<()>,
    _busy: Busy,
}

impl Work {
    async fn run(self) -> Result<Identification, MeasureError> {
        let platform = linux_platform(&self.engine)?;
        let probes = &self.options.probes;
        let arch = platform.architecture.as_str();
        let native = probes.get(arch).ok_or_else(|| MeasureError::NoProbe { arch: arch.to_owned() })?;
        let foreign: Vec<&str> = probes.architectures().filter(|other| *other != arch).collect();
        let visits = foreign.iter().filter_map(|arch| Some(self.visit(arch, probes.get(arch)?, &["identify", "own"])));
        let (native, visited) =
            tokio::join!(self.visit(arch, native, &["identify"]).run(), join_all(visits.map(Visit::run)));
        let mut gaps = native.left;
        for missing in ARCHITECTURES.iter().filter(|arch| probes.get(arch).is_none()) {
            let what = format!("the processor that linux/{missing} programs see");
            gaps.push(Gap::new(what, "this build of Silidock has no probe for it"));
        }
        let mut own = Vec::with_capacity(foreign.len());
        for (arch, visited) in foreign.iter().zip(visited) {
            gaps.extend(visited.left);
            own.push((*arch, visited.answer));
        }
        let native = native.answer?;
        let targets = targets(&platform, &native.stubs, &own);
        for target in &targets {
            let failed = own.iter().find(|(arch, _)| target.platform.architecture == *arch);
            if let Some((_, Err(error))) = failed
                && !error.is_exec_format_error()
            {
                gaps.push(Gap::new(format!("the processor that {} programs see", target.platform), error.to_string()));
            }
        }
        Ok(Identification { platform, native, targets, gaps })
    }

    fn visit<'a>(&'a self, arch: &'a str, probe: &'a [u8], arguments: &'a [&'a str]) -> Visit<'a> {
        let (engine, installation, options) = (&self.engine, &self.installation, &self.options);
        Visit { engine, installation, options, arch, probe, arguments, present: self.present.clone() }
    }
}

type OwnAnswer<'a> = (&'a str, Result<Answer, MeasureError>);

/// Every platform but the engine's own that a stub or a probe of its own was started for.
fn targets(engine: &Platform, stubs: &[Stub], own: &[OwnAnswer<'_>]) -> Vec<TargetEmulation> {
    let started: Vec<(Platform, &Stub)> =
        stubs.iter().filter_map(|stub| Some((stub.platform.parse().ok()?, stub))).collect();
    let mut platforms: Vec<Platform> = started.iter().map(|(platform, _)| platform.clone()).collect();
    for platform in own.iter().filter_map(|(arch, _)| Platform::linux(arch).ok()) {
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    platforms.retain(|platform| platform != engine);
    let judged = platforms.into_iter().map(|platform| {
        let stub = started.iter().find(|(of, _)| *of == platform).map(|(_, stub)| &stub.seen);
        let answer = own.iter().find(|(arch, _)| platform.architecture == *arch).map(|(_, answer)| answer);
        judge(platform, stub, answer)
    });
    judged.collect()
}
