//! What references mean on an engine, looked up by their full spelling: for every image and container something is asked of
//! its reference, and looking through all of them each time would make a look at many images quadratic.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use crate::{
    compose::ResolvedService,
    inventory::{Container, Image, Inventory},
    platform::Platform,
    reference::normalise,
    upstream::UpstreamReference,
};

/// The things of an inventory by the references they have. Where several have one, the first counts.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    tagged: HashMap<String, &'a Image>,
    digested: HashMap<String, &'a Image>,
    contents: HashMap<&'a str, &'a Image>,
    containers: HashMap<String, Vec<&'a Container>>,
    built: HashMap<String, (&'a str, &'a ResolvedService)>,
    upstream: HashMap<&'a str, &'a UpstreamReference>,
    emulators: Mutex<BTreeMap<Platform, Option<String>>>,
}

impl<'a> Names<'a> {
    pub fn of(inventory: &'a Inventory) -> Self {
        let mut names = Self {
            tagged: HashMap::new(),
            digested: HashMap::new(),
            contents: HashMap::new(),
            containers: HashMap::new(),
            built: HashMap::new(),
            upstream: HashMap::new(),
            emulators: Mutex::default(),
        };
        for image in &inventory.images.items {
            names.contents.entry(&image.id).or_insert(image);
            for tag in image.tags.iter().filter_map(|tag| normalise(tag)) {
                names.digested.entry(tag.clone()).or_insert(image);
                names.tagged.entry(tag).or_insert(image);
            }
            for digest in image.digests.iter().filter_map(|digest| normalise(digest)) {
                names.digested.entry(digest).or_insert(image);
            }
        }
        for container in &inventory.containers.items {
            if let Some(full) = normalise(&container.image) {
                names.containers.entry(full).or_default().push(container);
            }
        }
        for (project, service) in services(inventory).filter(|(_, service)| service.build.is_some()) {
            if let Some(full) = service.image.as_ref().and_then(|image| normalise(&image.value)) {
                names.built.entry(full).or_insert((project, service));
            }
        }
        for known in &inventory.upstream.references {
            names.upstream.entry(&known.reference).or_insert(known);
        }
        names
    }

    /// The image that has a reference as a tag.
    pub fn tagged(&self, reference: &str) -> Option<&'a Image> {
        self.tagged.get(&normalise(reference)?).copied()
    }

    /// The image that has a reference as a tag or as a digest.
    pub fn image(&self, reference: &str) -> Option<&'a Image> {
        let full = normalise(reference)?;
        // Of content with several names an engine may list one name alone with its digest, which is the id there.
        let content = || self.contents.get(full.split_once('@')?.1);
        self.digested.get(&full).or_else(content).copied()
    }

    /// The containers that were made from a reference.
    pub fn containers(&self, reference: &str) -> &[&'a Container] {
        normalise(reference).and_then(|full| self.containers.get(&full)).map_or(&[], Vec::as_slice)
    }

    /// The service whose build makes a reference, with its project's name.
    pub fn built(&self, reference: &str) -> Option<(&'a str, &'a ResolvedService)> {
        self.built.get(&normalise(reference)?).copied()
    }

    /// What a registry said of a reference.
    pub fn upstream(&self, reference: &str) -> Option<&'a UpstreamReference> {
        self.upstream.get(normalise(reference)?.as_str()).copied()
    }

    /// The emulator of a platform, found out once.
    pub fn emulator(&self, platform: &Platform, find: impl FnOnce() -> Option<String>) -> Option<String> {
        let mut known = self.emulators.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(platform.clone()).or_insert_with(find).clone()
    }
}

/// Every service of every project that is known as Compose would see it, with its project's name.
pub(crate) fn services(inventory: &Inventory) -> impl Iterator<Item = (&str, &ResolvedService)> {
    let all = inventory.projects.iter().flat_map(|project| {
        let services = project.services.known().into_iter().flatten();
        services.map(move |service| (project.name.as_str(), service))
    });
    all.filter(|(_, service)| service.gap.is_none())
}
