//! Which emulator runs the steps of a build. BuildKit can bring emulators of its own, so a container proves nothing
//! about it: a build of one step runs the probe. The Docker client's buildx builds where it is there; else the engine's
//! older builder does, whose steps are containers.

use std::sync::Arc;

use serde::Serialize;
use silidock_diagnosis::fact::Gap;
use silidock_diagnosis::platform::Platform;
use silidock_engine::{Build, CacheRecord, Engine, EngineError};
use silidock_host::Host;
use silidock_probe::{Answer, SCHEMA};
use tokio::sync::watch;

use crate::archive::{PROGRAM, archive, tar};
use crate::buildx::{Buildx, Failed};
use crate::error::MeasureError;
use crate::installation::{Busy, Installation};
use crate::judge::{TargetEmulation, judge};
use crate::options::Options;
use crate::visit::{insist, one_line};

/// What carried the step out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Builder {
    /// BuildKit in the engine, asked by the Docker client's buildx.
    BuildKit,
    /// The engine's older builder.
    Classic,
}

/// What was found out of builds on one engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Builds {
    /// Every foreign platform that was tried, with what carried it out.
    pub targets: Vec<(Builder, TargetEmulation)>,
    /// What could not be tried, and what could not be removed afterwards.
    pub gaps: Vec<Gap>,
}

/// As often as records of the cache are tried to be removed: one that another needs goes after it.
const ROUNDS: usize = 4;

/// Finds out what runs the steps of builds for foreign platforms, by a build of one step without cache and without a
/// network, of which nothing stays. When the returned future is dropped everything is removed all the same.
///
/// # Errors
/// The engine runs no Linux containers.
pub async fn builds(
    engine: &Engine,
    installation: &Installation,
    options: Options,
    host: Arc<dyn Host>,
) -> Result<Builds, MeasureError> {
    let (_here, present) = watch::channel(());
    let work = Work {
        engine: engine.clone(),
        installation: installation.clone(),
        options,
        host,
        present,
        _busy: installation.busy(),
    };
    tokio::spawn(work.run()).await.unwrap_or(Err(MeasureError::Stopped))
}

struct Work {
    engine: Engine,
    installation: Installation,
    options: Options,
    host: Arc<dyn Host>,
    present: watch::Receiver<()>,
    _busy: Busy,
}

impl Work {
    async fn run(self) -> Result<Builds, MeasureError> {
        let version = self.engine.version();
        let own = Platform::new(&version.os, &version.arch, None).ok().filter(|own| own.os == "linux");
        let own = own.ok_or_else(|| MeasureError::NotLinux {
            endpoint: self.engine.target().endpoint.to_string(),
            platform: format!("{}/{}", version.os, version.arch),
        })?;
        let mut builds = Builds { targets: Vec::new(), gaps: Vec::new() };
        let probes = &self.options.probes;
        for arch in probes.architectures().filter(|arch| *arch != own.architecture) {
            if let Some(probe) = probes.get(arch) {
                self.of(arch, probe, &mut builds).await?;
            }
        }
        Ok(builds)
    }

    /// Brings the probe in as an image, builds from it, and removes both.
    async fn of(&self, arch: &str, probe: &[u8], builds: &mut Builds) -> Result<(), MeasureError> {
        let platform = match Platform::linux(arch) {
            Ok(platform) => platform,
            Err(_) => return Ok(()),
        };
        let name = format!("{}-{arch}", self.installation.name());
        let image = format!("silidock-probe:{name}");
        let labels = self.installation.labels(self.options.run);
        let whole = archive(probe, arch, &image, &labels)
            .map_err(|source| MeasureError::Archive { arch: arch.to_owned(), source })?;
        self.still_wanted()?;
        let loaded = self.engine.load_images(whole).await;
        let answer = match loaded {
            Ok(()) => self.build(arch, &image, &name, builds).await,
            Err(source) => Err(MeasureError::ImageRefused { arch: arch.to_owned(), source }),
        };
        if let Err(error) = insist(|| self.engine.remove_image(&image)).await {
            builds.gaps.push(Gap::new(format!("whether image {image} is gone"), error.to_string()));
        }
        let (builder, answer) = match answer {
            Ok((builder, answer)) => (builder, answer),
            Err(MeasureError::Stopped) => return Err(MeasureError::Stopped),
            Err(error) => (Builder::Classic, Err(error)),
        };
        builds.targets.push((builder, judge(platform, None, Some(&answer))));
        Ok(())
    }

    async fn build(
        &self,
        arch: &str,
        image: &str,
        name: &str,
        builds: &mut Builds,
    ) -> Result<(Builder, Result<Answer, MeasureError>), MeasureError> {
        let dockerfile = format!("FROM {image}\nRUN [\"{PROGRAM}\", \"identify\", \"own\"]\n");
        match self.with_buildx(arch, &dockerfile, builds).await? {
            Ok(answer) => return Ok((Builder::BuildKit, answer)),
            Err(why) => builds.gaps.push(Gap::new(format!("what runs linux/{arch} in builds by BuildKit"), why)),
        }
        Ok((Builder::Classic, self.classic(arch, &dockerfile, name, builds).await))
    }

    /// Builds with buildx; the reason where that cannot say anything about emulation.
    async fn with_buildx(
        &self,
        arch: &str,
        dockerfile: &str,
        builds: &mut Builds,
    ) -> Result<Result<Result<Answer, MeasureError>, String>, MeasureError> {
        let buildx = match Buildx::new(&self.engine, self.host.as_ref(), dockerfile).await {
            Ok(buildx) => buildx,
            Err(why) => return Ok(Err(why)),
        };
        let before = self.cache().await;
        let run = buildx.build(arch, self.options.run);
        let result = self.unless_left(self.host.run(&run)).await;
        // Cleaning up goes on when nobody waits any more.
        if let Some(before) = before {
            builds.gaps.extend(self.forget(&before).await);
        }
        let answer = match result? {
            Ok(output) => buildx.answer(&output),
            Err(error) => return Ok(Err(error.to_string())),
        };
        Ok(match answer {
            Ok(json) => Ok(read(arch, &json)),
            Err(Failed::Step(message)) => Ok(Err(MeasureError::BuildFailed { arch: arch.to_owned(), message })),
            Err(Failed::Before(why)) => Err(why),
        })
    }

    /// Waits for something unless nobody waits any more; then it is dropped, which ends a program that was started.
    async fn unless_left<T>(&self, what: impl Future<Output = T>) -> Result<T, MeasureError> {
        let mut present = self.present.clone();
        tokio::select! {
            done = what => Ok(done),
            _ = present.changed() => Err(MeasureError::Stopped),
        }
    }

    async fn cache(&self) -> Option<Vec<CacheRecord>> {
        self.engine.build_cache().await.ok()
    }

    /// Removes what has come into the build cache since, as far as it looks like ours: somebody else may build too.
    async fn forget(&self, before: &[CacheRecord]) -> Option<Gap> {
        let mut left = Vec::new();
        for _ in 0..ROUNDS {
            let Some(now) = self.cache().await else { break };
            let new = now.into_iter().filter(|record| !record.in_use && before.iter().all(|old| old.id != record.id));
            left = new.filter(|record| is_ours(&record.description)).collect();
            if left.is_empty() {
                return None;
            }
            for record in &left {
                // One that another still needs goes in the next round.
                let _ = self.engine.forget_cache_record(&record.id).await;
            }
        }
        let words: Vec<&str> = left.iter().map(|record| record.description.as_str()).collect();
        (!words.is_empty())
            .then(|| Gap::new("whether the build cache is as before", format!("{} stays", words.join(", "))))
    }

    async fn classic(
        &self,
        arch: &str,
        dockerfile: &str,
        name: &str,
        builds: &mut Builds,
    ) -> Result<Answer, MeasureError> {
        let arch_of = || arch.to_owned();
        self.still_wanted()?;
        let context = tar(&[("Dockerfile", dockerfile.as_bytes(), 0o644)])
            .map_err(|source| MeasureError::Archive { arch: arch_of(), source })?;
        let tag = format!("silidock-build:{name}");
        let labels = self.installation.labels(self.options.run);
        let platform = format!("linux/{arch}");
        let build = Build { context, platform: &platform, tag: &tag, labels: &labels, memory: self.options.memory };
        let said = self.unless_left(self.engine.build(build, self.options.run)).await;
        if let Err(error) = insist(|| self.engine.remove_image(&tag)).await {
            builds.gaps.push(Gap::new(format!("whether image {tag} is gone"), error.to_string()));
        }
        let said = said?.map_err(|source| match source {
            EngineError::TimedOut { .. } => MeasureError::Hangs { arch: arch_of(), after: self.options.run },
            source => MeasureError::BuildRefused { arch: arch_of(), source },
        })?;
        let (text, error) = streamed(&said);
        match (find_answer(&text), error) {
            (Some(json), _) => read(arch, json.as_bytes()),
            (None, Some(error)) => {
                let message = one_line(format!("{error}: {text}").as_bytes());
                Err(MeasureError::BuildFailed { arch: arch_of(), message })
            }
            (None, None) => {
                Err(MeasureError::Garbage { arch: arch_of(), why: "the builder printed none of it".to_owned() })
            }
        }
    }

    fn still_wanted(&self) -> Result<(), MeasureError> {
        if self.present.has_changed().is_err() { Err(MeasureError::Stopped) } else { Ok(()) }
    }
}

/// What a build of ours leaves in the cache: its step, the image it starts from, its Dockerfile and its empty context.
fn is_ours(description: &str) -> bool {
    description == format!("mount / from exec {PROGRAM} identify own")
        || description.contains("silidock-probe:")
        || matches!(description, "" | "from local " | "local source for dockerfile" | "local source for context")
}

/// What the older builder printed, and its error.
fn streamed(lines: &[u8]) -> (String, Option<String>) {
    #[derive(serde::Deserialize)]
    struct Line {
        stream: Option<String>,
        error: Option<String>,
    }
    let (mut text, mut error) = (String::new(), None);
    for line in lines.split(|byte| *byte == b'\n') {
        let Ok(line) = serde_json::from_slice::<Line>(line) else { continue };
        text.push_str(line.stream.as_deref().unwrap_or_default());
        error = line.error.or(error);
    }
    (text, error)
}

/// The line among others that is the probe's.
fn find_answer(text: &str) -> Option<&str> {
    text.lines().find(|line| line.starts_with('{') && line.contains(SCHEMA))
}

fn read(arch: &str, json: &[u8]) -> Result<Answer, MeasureError> {
    let garbage = |why: String| MeasureError::Garbage { arch: arch.to_owned(), why };
    let answer: Answer = serde_json::from_slice(json).map_err(|error| garbage(error.to_string()))?;
    match answer.schema == SCHEMA && answer.built_for == arch {
        true => Ok(answer),
        false => Err(garbage(format!("it is {} of a probe for {}", answer.schema, answer.built_for))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_builder_is_read_line_by_line() {
        let lines = br#"{"stream":"Step 1/2\n"}
garbage
{"stream":"{\"schema\":\"silidock-"}
{"stream":"probe/1\"}\n"}
{"errorDetail":{"message":"no"},"error":"no"}"#;
        let (text, error) = streamed(lines);
        assert_eq!((find_answer(&text), error.as_deref()), (Some(r#"{"schema":"silidock-probe/1"}"#), Some("no")));
        assert_eq!(find_answer("Step 1/2 : silidock-probe/1"), None);
        assert!(matches!(read("arm64", b"{}"), Err(MeasureError::Garbage { .. })));
    }

    #[test]
    fn only_what_a_build_of_ours_leaves_is_removed_from_the_cache() {
        for (description, ours) in [
            ("mount / from exec /silidock-probe identify own", true),
            ("local source for dockerfile", true),
            ("pulled from docker.io/library/silidock-probe:ab-0-arm64", true),
            ("mount / from exec /bin/sh -c make", false),
            ("[2/3] COPY . .", false),
        ] {
            assert_eq!(is_ours(description), ours, "{description}");
        }
    }
}
