//! Looking inside many images of one engine: those that containers use, or all that are here. What was found becomes
//! part of what was seen, and the checks judge it with everything else.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, stream};
use silidock_diagnosis::{
    contents::{Contents, ImageContents, survey},
    fact::Gap,
    finding::SubjectKind,
    inventory::Inventory,
};
use silidock_engine::Engine;

use super::{Subject, Teller, stopped_failure, wire::InsideImagesRequest, wire::InsideScope};
use crate::{
    failure::Failure,
    look::Chosen,
    session::{App, KeptContents},
    wire::{InsideRequest, ScanView},
};

/// As many at once: each keeps a processor of the engine busy.
const AT_ONCE: usize = 2;

/// An image to look into.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    /// Its name for people.
    name: String,
    /// What the engine is asked for.
    identifier: String,
    /// Which of its platforms, where it has several here.
    platform: Option<String>,
}

impl App {
    /// Looks inside the images of the engine that was looked at last, and judges again.
    ///
    /// # Errors
    /// Nothing was looked at yet, there is no engine, or somebody stopped it. An image that cannot be looked into is a gap.
    pub async fn inside_images(self: &Arc<Self>, request: InsideImagesRequest) -> Result<ScanView, Failure> {
        let mut stopped = self.inside_stop.subscribe();
        stopped.mark_unchanged();
        let engine = self.engine_to_start_on(None).await?;
        let inventory = self.last_inventory()?;
        let wanted = wanted(&inventory, request.scope);
        let contents = tokio::select! {
            contents = self.contents_of(&engine, wanted) => contents?,
            _ = stopped.changed() => return Err(stopped_failure()),
        };
        self.session().contents = Some(KeptContents { endpoint: inventory.engine.endpoint.clone(), contents });
        // What was seen last may be newer by now.
        let _turn = self.looking.lock().await;
        let view = self.remember(self.next_generation(), self.last_inventory()?);
        self.tell_view(&view);
        Ok(view)
    }

    async fn contents_of(self: &Arc<Self>, engine: &Engine, wanted: Vec<Wanted>) -> Result<Contents, Failure> {
        let gaps = self.swept(engine).await?;
        let of = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
        let looks = wanted.into_iter().zip(1_u32..).map(|(wanted, number)| async move {
            let looked = self.one_of(engine, &wanted, number, of).await;
            looked.map_err(|failure| (wanted.name, Gap::new("what lies inside it", failure.message)))
        });
        let mut contents = Contents::default();
        let mut looks = stream::iter(looks).buffered(AT_ONCE);
        while let Some(looked) = looks.next().await {
            match looked {
                Ok(image) => contents.images.push(image),
                Err(missing) => contents.missing.push(missing),
            }
        }
        if let Some(first) = contents.images.first_mut() {
            first.gaps.extend(gaps);
        }
        Ok(contents)
    }

    async fn one_of(
        self: &Arc<Self>,
        engine: &Engine,
        wanted: &Wanted,
        number: u32,
        of: u32,
    ) -> Result<ImageContents, Failure> {
        let request = InsideRequest {
            subject: wanted.identifier.clone(),
            kind: Some(SubjectKind::Image),
            platform: wanted.platform.clone(),
            ..InsideRequest::default()
        };
        let mut subject = Subject::find(engine, &request).await?;
        subject.name.clone_from(&wanted.name);
        let teller = Teller::new(self, &wanted.name, number, of);
        let (found, _) = self.found(engine, &subject, None, teller).await?;
        Ok(survey(&found).contents)
    }

    /// What is known of this engine's images, if somebody asked.
    pub(crate) fn kept_contents(&self, endpoint: &str) -> Option<Contents> {
        let session = self.session();
        session.contents.as_ref().filter(|kept| kept.endpoint == endpoint).map(|kept| kept.contents.clone())
    }
}

/// The images in question, each once.
fn wanted(inventory: &Inventory, scope: InsideScope) -> Vec<Wanted> {
    let mut wanted: BTreeMap<(String, Option<String>), Wanted> = BTreeMap::new();
    match scope {
        InsideScope::Used => {
            for container in &inventory.containers.items {
                let identifier = container.image_id.clone().unwrap_or_else(|| container.image.clone());
                let image = Wanted { name: container.image.clone(), identifier: identifier.clone(), platform: None };
                wanted.entry((identifier, None)).or_insert(image);
            }
        }
        InsideScope::All => {
            for image in &inventory.images.items {
                let name = image.tags.first().cloned().unwrap_or_else(|| image.id.clone());
                let here = image.platforms.known().into_iter().flatten().filter(|platform| platform.available);
                let here: Vec<String> = here.filter_map(|here| Some(here.platform.known()?.to_string())).collect();
                let several = here.len() > 1;
                let platforms = if several { here.into_iter().map(Some).collect() } else { vec![None] };
                for platform in platforms {
                    let label = platform.as_ref().map(|platform| format!(" ({platform})")).unwrap_or_default();
                    let image =
                        Wanted { name: format!("{name}{label}"), identifier: name.clone(), platform: platform.clone() };
                    wanted.entry((name.clone(), platform)).or_insert(image);
                }
            }
        }
    }
    wanted.into_values().collect()
}

/// An engine, for those who may start something on it.
impl App {
    /// An engine on which something may be started.
    ///
    /// # Errors
    /// There is none: a sample or a recording is shown.
    pub(crate) async fn engine_to_start_on(&self, named: Option<&str>) -> Result<Engine, Failure> {
        match self.engine(named).await? {
            Chosen::Engine(engine) => Ok(engine),
            Chosen::Sample(_) | Chosen::Recording => Err(super::no_engine()),
        }
    }
}
