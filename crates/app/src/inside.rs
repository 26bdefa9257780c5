//! Looking inside images and containers: chooses the way, gathers what is found, has it surveyed, and tells how far it is.

mod document;
mod images;
mod stream;
pub mod wire;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use silidock_diagnosis::{
    contents::{FileCounts, Found, StartSettings, Via, survey},
    fact::{Fact, Gap},
    finding::SubjectKind,
    platform::Platform,
};
use silidock_engine::{Engine, EngineError, ImageStart, PlatformRecord, StartConfig};
use silidock_measure::{
    InsideNews, InsideOptions, InsideTarget, MeasureError, Totals, inside_news, look_inside, sweep,
};
use tokio::sync::watch;

use crate::{
    failure::{Failure, FailureCode},
    layer_store::LayerStore,
    look::engine_failure,
    session::App,
    wire::{Event, InsideDocument, InsideProgress, InsideRequest, Nothing},
};

/// Somebody is told how far it is no more often.
const TELL_AFTER: Duration = Duration::from_millis(100);

impl App {
    /// Looks inside an image, a container, or an archive on this machine. An image of an engine is looked at from within a
    /// throw-away container without a network, unless its archive is asked for or the engine refuses the container.
    ///
    /// # Errors
    /// There is no engine or no such image, nobody is let in, or somebody stopped it.
    pub async fn inside(self: &Arc<Self>, request: InsideRequest) -> Result<InsideDocument, Failure> {
        let mut stopped = self.inside_stop.subscribe();
        stopped.mark_unchanged();
        tokio::select! {
            answer = self.inside_anything(&request) => answer,
            _ = stopped.changed() => Err(stopped_failure()),
        }
    }

    /// Stops every look inside that is under way; what was started for it is removed.
    ///
    /// # Errors
    /// None; nothing under way is no failure.
    pub async fn stop_inside(self: &Arc<Self>, _: Nothing) -> Result<Nothing, Failure> {
        self.inside_stop.send_modify(|number| *number += 1);
        Ok(Nothing {})
    }

    async fn inside_anything(self: &Arc<Self>, request: &InsideRequest) -> Result<InsideDocument, Failure> {
        let teller = || Teller::new(self, &request.subject, 1, 1);
        if let Some(path) = stream::path_of(&request.subject).filter(|_| request.kind.is_none()) {
            let platform = chosen(request)?;
            let found = stream::found_in_file(&request.subject, path.to_owned(), platform.as_ref(), teller()).await?;
            return Ok(document::document(survey(&found), None, ""));
        }
        let engine = self.engine_to_start_on(request.engine.as_deref()).await?;
        let subject = Subject::find(&engine, request).await?;
        let gaps = if request.via == Some(Via::Stream) { Vec::new() } else { self.swept(&engine).await? };
        let (mut found, fallback) = self.found(&engine, &subject, request.via, teller()).await?;
        found.gaps.extend(gaps);
        Ok(document::document(survey(&found), fallback, &engine.target().endpoint.to_string()))
    }

    /// Looks the way that was asked for; where none was, from within, and by the stream where that is refused. A
    /// container's own files are not only its image's, so they are streamed.
    async fn found(
        self: &Arc<Self>,
        engine: &Engine,
        subject: &Subject,
        via: Option<Via>,
        teller: Teller,
    ) -> Result<(Found, Option<String>), Failure> {
        let streamed = |why: Option<String>, teller| async move {
            Ok((stream::found_by_stream(engine, subject, teller).await?, why))
        };
        match via {
            Some(Via::Stream) => return streamed(None, teller).await,
            None if subject.kind == SubjectKind::Container => return streamed(None, teller).await,
            Some(Via::Engine) | None => {}
        }
        let again = teller.again();
        match self.found_by_engine(engine, subject, teller).await {
            Ok(found) => Ok((found, None)),
            Err(MeasureError::Stopped) => Err(stopped_failure()),
            Err(MeasureError::Engine(error)) => Err(engine_failure(&error)),
            Err(error) if via.is_none() => streamed(Some(error.to_string()), again).await,
            Err(error) => Err(refused(subject, &error)),
        }
    }

    /// Removes what an earlier run left behind; what that could not is a gap.
    async fn swept(&self, engine: &Engine) -> Result<Vec<Gap>, Failure> {
        let installation = self.installation()?;
        Ok(match sweep(engine, &installation).await {
            Ok(swept) => swept.gaps,
            Err(error) => vec![Gap::new("whether an earlier run left something behind", error.to_string())],
        })
    }

    /// Walks the image from within.
    async fn found_by_engine(
        self: &Arc<Self>,
        engine: &Engine,
        subject: &Subject,
        mut teller: Teller,
    ) -> Result<Found, MeasureError> {
        let installation = self.installation().map_err(|_| MeasureError::Stopped)?;
        let (sender, mut receiver) = inside_news();
        let target = InsideTarget {
            image: subject.image.clone(),
            platform: subject.chosen.as_ref().map(ToString::to_string),
            names: subject.names(),
        };
        let gathering = async {
            let mut records = Vec::new();
            while let Some(news) = receiver.recv().await {
                match news {
                    InsideNews::Found(found) => {
                        teller.found(found.len());
                        records.extend(found.into_iter().map(|record| (record, None)));
                    }
                    InsideNews::Progress(seen) => teller.seen(seen),
                }
            }
            records
        };
        let looking = look_inside(engine, &installation, InsideOptions::default(), target, sender);
        let (summary, records) = tokio::join!(looking, gathering);
        let summary = summary?;
        let mut gaps = summary.gaps;
        gaps.extend(unread(&summary.totals));
        if subject.kind == SubjectKind::Container {
            gaps.push(Gap::new("what was changed since the container was made", "only its image was looked into"));
        }
        Ok(Found {
            subject: subject.name.clone(),
            kind: subject.kind,
            platform: subject.platform.clone(),
            via: Via::Engine,
            start: Fact::Known(subject.start.clone()),
            records,
            layers: Vec::new(),
            files: FileCounts { seen: summary.totals.files, unreadable: summary.totals.unreadable },
            gaps,
        })
    }
}

/// What was counted and is not among the records.
fn unread(totals: &Totals) -> Vec<Gap> {
    let mut gaps: Vec<Gap> =
        totals.examples.iter().map(|(path, why)| Gap::new(format!("what {path} is"), why.clone())).collect();
    let more = totals.unreadable.saturating_sub(gaps.len() as u64);
    if more > 0 {
        gaps.push(Gap::new(format!("what {more} more files and folders are"), "they could not be read"));
    }
    if totals.dropped > 0 {
        gaps.push(Gap::new(format!("{} of the programs, libraries and links", totals.dropped), "there are too many"));
    }
    gaps
}

/// What is looked into.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) kind: SubjectKind,
    /// What the engine knows it by: an image by its reference, so that a platform can be chosen; a container.
    pub(crate) identifier: String,
    /// The image to make the throw-away container from.
    pub(crate) image: String,
    /// The platform that was chosen, where one was.
    pub(crate) chosen: Option<Platform>,
    /// What it says it is for.
    pub(crate) platform: Fact<Platform>,
    pub(crate) start: StartSettings,
}

impl Subject {
    async fn find(engine: &Engine, request: &InsideRequest) -> Result<Self, Failure> {
        let name = request.subject.as_str();
        let chosen = chosen(request)?;
        if request.kind != Some(SubjectKind::Container) {
            match engine.start_of_image(name, chosen.as_ref().map(record).as_ref()).await {
                Ok(image) => return Ok(Self::image(name, chosen, image)),
                Err(error)
                    if error.is_not_found() && chosen.is_some() && engine.start_of_image(name, None).await.is_ok() =>
                {
                    let platform = chosen.map(|platform| platform.to_string()).unwrap_or_default();
                    return Err(Failure::new(
                        FailureCode::NotFound,
                        format!("{name} is here, and not for {platform}."),
                    )
                    .hint("silidock scan lists the platforms of each image that are here."));
                }
                Err(error) if error.is_not_found() && request.kind.is_none() => {}
                Err(error) if error.is_not_found() => return Err(not_there(name)),
                Err(error) => return Err(engine_failure(&error)),
            }
        }
        match engine.start_of_container(name).await {
            Ok(container) => {
                let image = engine.start_of_image(&container.image, None).await.map_err(|error| gone(&error))?;
                let own = container.name.trim_start_matches('/').to_owned();
                let subject = Self::image(&own, None, image);
                Ok(Self {
                    kind: SubjectKind::Container,
                    image: container.image,
                    start: settings(container.config),
                    ..subject
                })
            }
            Err(error) if error.is_not_found() => Err(not_there(name)),
            Err(error) => Err(engine_failure(&error)),
        }
    }

    fn image(name: &str, chosen: Option<Platform>, image: ImageStart) -> Self {
        let label = image.platform.record();
        let platform = match Platform::new(&label.os, &label.architecture, Some(&label.variant)) {
            Ok(platform) => Fact::Known(platform),
            Err(error) => Fact::unknown(format!("the platform that {name} says it is for"), error.to_string()),
        };
        Self {
            name: name.to_owned(),
            kind: SubjectKind::Image,
            identifier: name.to_owned(),
            image: name.to_owned(),
            chosen,
            platform,
            start: settings(image.config),
        }
    }

    /// Names of files that have to be told whatever they are: what is started may be no program at all.
    fn names(&self) -> Vec<String> {
        let words = self.start.entrypoint.iter().chain(&self.start.command).take(32);
        let mut names: Vec<String> = words.filter_map(|word| file_name(word)).collect();
        names.sort();
        names.dedup();
        names
    }
}

fn chosen(request: &InsideRequest) -> Result<Option<Platform>, Failure> {
    let parsed = request.platform.as_deref().map(str::parse::<Platform>).transpose();
    parsed.map_err(|error| Failure::new(FailureCode::Refused, format!("{error}.")))
}

/// The file name in a word, if it looks like one: arguments may hold anything, and are not handed on.
fn file_name(word: &str) -> Option<String> {
    let name = word.rsplit('/').next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    let path = word.contains('/') || name.len() <= 32;
    (path && !name.is_empty() && !name.starts_with('-') && name.bytes().all(plain)).then(|| name.to_owned())
}

fn settings(config: StartConfig) -> StartSettings {
    StartSettings {
        entrypoint: config.entrypoint,
        command: config.command,
        search_path: config.search_path,
        working_dir: config.working_dir,
    }
}

fn record(platform: &Platform) -> PlatformRecord {
    PlatformRecord {
        os: platform.os.clone(),
        architecture: platform.architecture.clone(),
        variant: platform.variant.clone().unwrap_or_default(),
    }
}

/// Tells the window how far a look is.
pub(crate) struct Teller {
    app: Arc<App>,
    progress: InsideProgress,
    told: Instant,
}

impl Teller {
    pub(crate) fn new(app: &Arc<App>, subject: &str, number: u32, of: u32) -> Self {
        let progress = InsideProgress { subject: subject.to_owned(), seen: 0, found: 0, number, of };
        let teller = Self { app: Arc::clone(app), progress, told: Instant::now() };
        teller.app.tell(Event::Inside { progress: teller.progress.clone() });
        teller
    }

    /// What is known of layers from before.
    fn layers(&self) -> Arc<LayerStore> {
        Arc::clone(&self.app.layers)
    }

    /// The same from the beginning.
    fn again(&self) -> Self {
        let progress = InsideProgress { seen: 0, found: 0, ..self.progress.clone() };
        Self { app: Arc::clone(&self.app), progress, told: self.told }
    }

    fn found(&mut self, more: usize) {
        self.progress.found += more as u64;
        self.tell();
    }

    fn seen(&mut self, more: u64) {
        self.progress.seen += more;
        self.tell();
    }

    fn tell(&mut self) {
        if self.told.elapsed() >= TELL_AFTER {
            self.told = Instant::now();
            self.app.tell(Event::Inside { progress: self.progress.clone() });
        }
    }
}

/// What there is to start something on, where a sample or a recording is shown.
fn no_engine() -> Failure {
    Failure::new(FailureCode::Refused, "A sample or a recording has no engine on which anything could be started.")
        .hint("Choose an engine of yours.")
}

/// What stops looks inside.
pub(crate) fn stopper() -> watch::Sender<u64> {
    watch::Sender::new(0)
}

fn stopped_failure() -> Failure {
    Failure::new(FailureCode::Stopped, "The look inside was stopped; what was started for it is removed.")
}

fn not_there(name: &str) -> Failure {
    Failure::new(FailureCode::NotFound, format!("There is no image and no container named {name} on this engine."))
        .hint("List them with silidock scan; nothing is pulled by looking.")
}

fn gone(error: &EngineError) -> Failure {
    if error.is_not_found() {
        return Failure::new(FailureCode::NotFound, "The image that this container was made from is gone.");
    }
    engine_failure(error)
}

fn refused(subject: &Subject, error: &MeasureError) -> Failure {
    Failure::new(FailureCode::Engine, format!("{} could not be looked into: {error}.", subject.name)).hint(error.hint())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AppOptions, inside::wire::InsideImagesRequest, wire::InsideScope};

    /// The shell runs every command on whatever thread is free.
    fn can_be_sent<T: Send>(future: T) -> T {
        future
    }

    #[tokio::test]
    async fn without_an_engine_everything_says_so_and_can_be_run_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let host = silidock_host::FixtureHost::new(folder.path()).with_home("/Users/ada");
        let app = App::start(AppOptions { host: Arc::new(host), ..AppOptions::default() });
        let request = InsideRequest { subject: "web:1".to_owned(), ..InsideRequest::default() };
        assert_eq!(can_be_sent(app.inside(request)).await.unwrap_err().code, FailureCode::NoEngine);
        let file = InsideRequest { subject: "./nothing.tar".to_owned(), ..InsideRequest::default() };
        assert_eq!(can_be_sent(app.inside(file)).await.unwrap_err().code, FailureCode::File);
        let request = InsideImagesRequest { scope: InsideScope::Used };
        assert_eq!(can_be_sent(app.inside_images(request)).await.unwrap_err().code, FailureCode::NoEngine);
        can_be_sent(app.stop_inside(Nothing {})).await.unwrap();
    }

    #[test]
    fn only_what_looks_like_a_name_is_handed_on() {
        for (word, expected) in [
            ("/app/run.sh", Some("run.sh")),
            ("nginx", Some("nginx")),
            ("--password=secret", None),
            ("password=secret", None),
            ("/", None),
            ("0123456789abcdef0123456789abcdef0123", None),
        ] {
            assert_eq!(file_name(word).as_deref(), expected, "{word}");
        }
    }
}
