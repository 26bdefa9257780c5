//! Carrying builds out: keep, build, and bring back what a build that failed has moved.

use jiff::Timestamp;
use silidock_diagnosis::text::capital;
use silidock_engine::{BuildLog, Engine, EngineError, LocalBuild};
use silidock_host::Host;
use tokio::sync::watch;

use super::context::pack;
use super::{BuildError, BuildNews, BuildOrder, BuildRecord, Builds, BuiltImage, KEPT, OneBuild};
use crate::receipt::{Journal, Receipt, State};

/// As much of what a failed step printed as is told.
const TOLD_LINES: usize = 25;

/// Builds everything as it was shown. `stop` turning true ends it; then, and where a build fails, every reference means
/// what it meant before, and nothing but the builder's cache remains.
///
/// # Errors
/// See [`BuildError`]; only after [`BuildError::HalfDone`] a reference is not as before.
pub async fn apply(
    order: &BuildOrder,
    engine: &Engine,
    host: &dyn Host,
    journal: &Journal,
    now: Timestamp,
    mut stop: watch::Receiver<bool>,
    tell: &(dyn Fn(BuildNews) + Send + Sync),
) -> Result<Receipt, BuildError> {
    let mut work = Work::begin(order, engine, journal, now).await?;
    for (number, build) in order.builds.iter().enumerate() {
        tell(BuildNews::Begun(number));
        let reference = build.references.first().cloned().unwrap_or_default();
        let built = tokio::select! {
            built = carry_out(build, &reference, engine, host, tell) => built,
            _ = stop.wait_for(|stop| *stop) => Err(BuildError::Stopped { reference: reference.clone() }),
        };
        let seen = match built {
            Ok(()) => work.look(build).await,
            Err(error) => Err(error),
        };
        if let Err(error) = seen {
            return Err(work.roll_back(error).await);
        }
    }
    work.record.images.retain(|image| image.after.is_some());
    work.receipt.state = State::Applied;
    match work.save() {
        Ok(()) => Ok(work.receipt),
        Err(error) => Err(work.roll_back(error).await),
    }
}

struct Work<'a> {
    engine: &'a Engine,
    journal: &'a Journal,
    receipt: Receipt,
    record: BuildRecord,
}

impl<'a> Work<'a> {
    /// Writes the receipt, and keeps what the references mean now.
    async fn begin(
        order: &BuildOrder,
        engine: &'a Engine,
        journal: &'a Journal,
        now: Timestamp,
    ) -> Result<Self, BuildError> {
        let mut images = Vec::new();
        for build in order.builds.iter().filter(|build| build.comes_here) {
            for reference in &build.references {
                let before = image_id(engine, reference).await?;
                let platforms = build.platforms.iter().map(ToString::to_string).collect();
                images.push(BuiltImage { reference: reference.clone(), platforms, before, kept: None, after: None });
            }
        }
        let commands = order.builds.iter().map(|build| build.command.clone());
        let commands = commands.filter(|command| !command.is_empty()).collect();
        let address = &engine.target().endpoint;
        let tls = address.tls_folder().map(|folder| folder.display().to_string());
        let record = BuildRecord { endpoint: address.to_string(), tls, images, commands, containers: Vec::new() };
        let draft = Receipt {
            finding: order.finding.clone(),
            build: Some(Box::new(record.clone())),
            ..Receipt::begun(&order.title, now)
        };
        let receipt = {
            let _turn = journal.turn()?;
            journal.start(draft, &[])?
        };
        let mut work = Self { engine, journal, receipt, record };
        match work.keep().await {
            Ok(()) => Ok(work),
            Err(error) => Err(work.roll_back(error).await),
        }
    }

    async fn keep(&mut self) -> Result<(), BuildError> {
        for image in &mut self.record.images {
            let Some(before) = &image.before else { continue };
            let (name, tag) = kept_as(&image.reference, &self.receipt.id);
            let kept = self.engine.tag_image(before, &name, &tag).await;
            kept.map_err(|source| failed("keeping", &image.reference, source))?;
            image.kept = Some(format!("{name}:{tag}"));
        }
        self.save()
    }

    fn save(&mut self) -> Result<(), BuildError> {
        self.receipt.build = Some(Box::new(self.record.clone()));
        let _turn = self.journal.turn()?;
        Ok(self.journal.save(&self.receipt)?)
    }

    /// What the references of a build mean now that it has ended well.
    async fn look(&mut self, build: &OneBuild) -> Result<(), BuildError> {
        for reference in build.references.iter().filter(|_| build.comes_here) {
            let after = image_id(self.engine, reference).await?;
            let Some(after) = after else {
                return Err(BuildError::Failed {
                    reference: reference.clone(),
                    at: String::new(),
                    why: "the build ended well, but its result did not come to the engine".to_owned(),
                    log: Vec::new(),
                });
            };
            if let Some(image) = self.record.images.iter_mut().find(|image| image.reference == *reference) {
                image.after = Some(after);
            }
        }
        self.save()
    }

    /// Every reference means what it meant, and what was kept is let go. A change of which nothing is left is forgotten.
    async fn roll_back(mut self, error: BuildError) -> BuildError {
        let (mut stuck, mut moved) = (Vec::new(), false);
        for image in &self.record.images {
            match back(self.engine, image).await {
                Ok(was_moved) => moved |= was_moved,
                Err(source) => stuck.push(source.to_string()),
            }
        }
        self.receipt.state = if stuck.is_empty() { State::TakenBack } else { State::Started };
        let recorded = match stuck.is_empty() && !moved {
            true => self.journal.discard(&self.receipt.id).map_err(BuildError::from),
            false => self.save(),
        };
        if let Err(error) = recorded {
            stuck.push(error.to_string());
        }
        match stuck.is_empty() {
            true => error,
            false => BuildError::HalfDone {
                receipt: self.receipt.id,
                cause: capital(&error.to_string()),
                stuck,
                printed: Vec::new(),
            },
        }
    }
}

/// Brings a reference back to what it meant before, and lets go of the tag that kept it. Whether it had moved.
pub(super) async fn back(engine: &Engine, image: &BuiltImage) -> Result<bool, BuildError> {
    let now = image_id(engine, &image.reference).await?;
    let moved = now != image.before;
    let done = match (&image.before, moved) {
        (Some(before), true) => {
            let (name, tag) = name_and_tag(&image.reference);
            engine.tag_image(before, name, tag).await
        }
        (None, true) => engine.remove_image(&image.reference).await,
        (_, false) => Ok(()),
    };
    done.map_err(|source| failed("bringing back", &image.reference, source))?;
    if let Some(kept) = &image.kept {
        // The image has its own name again; only the second one goes.
        engine.remove_image(kept).await.map_err(|source| failed("letting go of", kept, source))?;
    }
    Ok(moved)
}

pub(super) fn failed(doing: &str, reference: &str, source: EngineError) -> BuildError {
    BuildError::Engine { what: format!("{doing} {reference} failed"), source }
}

/// What a reference means; none where there is no such image.
pub(super) async fn image_id(engine: &Engine, reference: &str) -> Result<Option<String>, BuildError> {
    match engine.inspect_image(reference).await {
        Ok(image) => Ok(Some(image.id)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(source) => Err(failed("asking what is now", reference, source)),
    }
}

async fn carry_out(
    build: &OneBuild,
    reference: &str,
    engine: &Engine,
    host: &dyn Host,
    tell: &(dyn Fn(BuildNews) + Send + Sync),
) -> Result<(), BuildError> {
    match &build.by {
        Builds::Buildx(tool) => {
            let mut log = BuildLog::default();
            let ended = host.follow(tool, &mut |line: &str| report(&mut log, line, tell)).await;
            match ended {
                Ok(Some(0)) => Ok(()),
                Ok(_) => Err(why_failed(&log, reference)),
                Err(source) => Err(BuildError::Run { reference: reference.to_owned(), source }),
            }
        }
        Builds::Engine { folder, dockerfile, build } => {
            let (folder, dockerfile) = (folder.clone(), dockerfile.clone());
            let packed = tokio::task::spawn_blocking(move || pack(&folder, &dockerfile)).await;
            let packed = packed.map_err(|_| BuildError::Stopped { reference: reference.to_owned() })?;
            let packed = packed.map_err(|source| BuildError::Context { reference: reference.to_owned(), source })?;
            let build = LocalBuild { dockerfile: packed.dockerfile, ..build.as_ref().clone() };
            let mut seen = Classic::default();
            let built = engine.build_here(&build, packed.tar, &mut |line: &str| seen.line(line, tell)).await;
            match (built, seen.error.take()) {
                (Ok(()), None) => Ok(()),
                (Ok(()), Some(why)) => Err(seen.failed(reference, why)),
                (Err(source), _) => Err(failed("building", reference, source)),
            }
        }
    }
}

fn report(log: &mut BuildLog, line: &str, tell: &(dyn Fn(BuildNews) + Send + Sync)) {
    let touched: Vec<(String, Vec<String>)> =
        log.line(line).into_iter().map(|step| (step.name.clone(), step.fresh_lines().to_vec())).collect();
    let Some((name, _)) = touched.last() else { return };
    let done = log.steps().filter(|step| step.completed.is_some()).count();
    tell(BuildNews::Step { done, total: log.steps().count(), name: name.clone() });
    touched.into_iter().flat_map(|(_, lines)| lines).for_each(|line| tell(BuildNews::Printed(line)));
}

/// The step that failed with the end of what it printed; before any step, what the tool itself says.
fn why_failed(log: &BuildLog, reference: &str) -> BuildError {
    let said = log.said();
    let error = said.iter().rev().find_map(|line| line.strip_prefix("ERROR: "));
    let excerpt = said.iter().filter(|line| !line.starts_with("ERROR: ")).cloned();
    let mut lines: Vec<String> = excerpt.collect();
    let (at, why) = match log.failed() {
        Some(step) => {
            let printed = step.text();
            let printed: Vec<&str> = printed.lines().collect();
            let last = printed.len().saturating_sub(TOLD_LINES);
            lines.extend(printed[last..].iter().map(|line| (*line).to_owned()));
            (format!(" at {}", step.name), step.error.clone())
        }
        None => (String::new(), error.unwrap_or("the builder gave no reason").to_owned()),
    };
    let last = lines.len().saturating_sub(2 * TOLD_LINES);
    BuildError::Failed { reference: reference.to_owned(), at, why, log: lines.split_off(last) }
}

/// What the older builder says: `Step 2/5 : RUN make`, and what its steps print.
#[derive(Default)]
struct Classic {
    step: String,
    printed: Vec<String>,
    error: Option<String>,
}

impl Classic {
    fn line(&mut self, line: &str, tell: &(dyn Fn(BuildNews) + Send + Sync)) {
        #[derive(serde::Deserialize)]
        struct Line {
            stream: Option<String>,
            error: Option<String>,
        }
        let Ok(line) = serde_json::from_str::<Line>(line) else { return };
        self.error = line.error.or(self.error.take());
        for text in line.stream.iter().flat_map(|text| text.lines()).filter(|text| !text.trim().is_empty()) {
            let step = text.strip_prefix("Step ").and_then(|rest| rest.split_once(" : "));
            match step.and_then(|(place, what)| Some((place.split_once('/')?, what))) {
                Some(((number, total), what)) => {
                    self.step = text.trim().to_owned();
                    self.printed.clear();
                    let count = |text: &str| text.parse::<usize>().unwrap_or_default();
                    let done = count(number).saturating_sub(1);
                    tell(BuildNews::Step { done, total: count(total), name: what.trim().to_owned() });
                }
                None => {
                    self.printed.push(text.to_owned());
                    let last = self.printed.len().saturating_sub(TOLD_LINES);
                    self.printed.drain(..last);
                    tell(BuildNews::Printed(text.to_owned()));
                }
            }
        }
    }

    fn failed(self, reference: &str, why: String) -> BuildError {
        let at = if self.step.is_empty() { String::new() } else { format!(" at {}", self.step) };
        BuildError::Failed { reference: reference.to_owned(), at, why, log: self.printed }
    }
}

/// A name that nothing else has: `silidock-kept/acme/web`, and a tag of the receipt.
fn kept_as(reference: &str, receipt: &str) -> (String, String) {
    let (name, tag) = name_and_tag(reference);
    // A port has no place inside of a name.
    let name = name.replace(':', "-").to_ascii_lowercase();
    let tag: String = format!("{receipt}-{tag}").chars().take(128).collect();
    (format!("{KEPT}/{name}"), tag)
}

/// `host:5000/acme/web:2` in its two parts.
pub(super) fn name_and_tag(reference: &str) -> (&str, &str) {
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_a_name_that_engines_take() {
        for (reference, expected) in [
            ("shop-web", "silidock-kept/shop-web:20261120-000000-abcd-latest"),
            ("127.0.0.1:5000/acme/web:2", "silidock-kept/127.0.0.1-5000/acme/web:20261120-000000-abcd-2"),
        ] {
            let (name, tag) = kept_as(reference, "20261120-000000-abcd");
            assert_eq!(format!("{name}:{tag}"), expected);
        }
    }

    #[test]
    fn a_failure_names_its_step_and_shows_the_end_of_its_log() {
        let mut log = BuildLog::default();
        for line in [
            r#"{"vertexes":[{"digest":"a","name":"[2/2] RUN make"}]}"#,
            r#"{"logs":[{"vertex":"a","stream":2,"data":"Y2M6IG5vCg=="}]}"#,
            r#"{"vertexes":[{"digest":"a","name":"[2/2] RUN make","error":"exit code: 2"}]}"#,
            "Dockerfile:2",
            "   2 | >>> RUN make",
            "ERROR: failed to build: failed to solve: exit code: 2",
        ] {
            report(&mut log, line, &|_| {});
        }
        let BuildError::Failed { at, why, log: lines, .. } = why_failed(&log, "web") else { panic!() };
        assert_eq!((at.as_str(), why.as_str()), (" at [2/2] RUN make", "exit code: 2"));
        assert_eq!(lines, ["Dockerfile:2", "   2 | >>> RUN make", "cc: no"]);
        let mut early = BuildLog::default();
        early.line("ERROR: failed to read dockerfile: open Dockerfile: no such file or directory");
        let BuildError::Failed { at, why, .. } = why_failed(&early, "web") else { panic!() };
        assert_eq!((at.as_str(), why.contains("no such file")), ("", true));
    }

    #[test]
    fn the_older_builders_words_are_followed() {
        let told = std::sync::Mutex::new(Vec::new());
        let mut seen = Classic::default();
        for line in [
            r#"{"stream":"Step 1/2 : FROM scratch"}"#,
            r#"{"stream":"Step 2/2 : RUN make"}"#,
            r#"{"stream":" ---\u003e Running in 0123\ncc: no\n"}"#,
            r#"{"errorDetail":{"code":2},"error":"returned a non-zero code: 2"}"#,
        ] {
            seen.line(line, &|news| told.lock().unwrap().push(news));
        }
        let step = |done, name: &str| BuildNews::Step { done, total: 2, name: name.to_owned() };
        assert_eq!(told.lock().unwrap()[..2], [step(0, "FROM scratch"), step(1, "RUN make")]);
        let why = seen.error.take().unwrap();
        let error = seen.failed("web", why);
        assert_eq!(error.to_string(), "building web failed at Step 2/2 : RUN make: returned a non-zero code: 2");
        assert!(matches!(&error, BuildError::Failed { log, .. } if log.last().unwrap() == "cc: no"), "{error:?}");
    }
}
