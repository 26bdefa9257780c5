//! Newer tags of a repository that have the engine's platform, found with few questions.

use std::collections::HashMap;

use reqwest::{Method, header::LINK};
use serde::Deserialize;
use silidock_diagnosis::{
    fact::{Fact, Gap},
    platform::{Nativeness, Platform},
    upstream::NewerTag,
};

use super::{Reference, Registries, RegistryError, failed, http::Reply, malformed, newer, reference};

const TAGS_LIMIT: usize = 8 << 20;
/// Pages of a thousand tags.
const TAG_PAGES: usize = 50;
/// Tags looked at in the search for one that has the platform.
const NEWER_LOOKS: usize = 24;
/// So many newer tags are a choice, more are a list.
const NEWER_TAGS: usize = 3;

#[derive(Deserialize)]
struct TagList {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Registries {
    /// Newer tags of the repository that have a platform native to `engine`, the nearest first; or why that is not known.
    pub async fn newer(&self, reference: &Reference, engine: &Platform) -> Fact<Vec<NewerTag>> {
        let gap = |why: String| Gap::new(format!("newer tags of {reference}"), why);
        let Some(tag) = &reference.tag else {
            return gap("a digest names no version".to_owned()).into();
        };
        let tags = match self.tags(reference).await {
            Ok(tags) => tags,
            Err(error) => return gap(error.to_string()).into(),
        };
        let Some(groups) = newer::groups(tag, &tags) else {
            return gap(format!("\"{tag}\" names no version")).into();
        };
        let mut search = Search { registries: self, reference, engine, looks: 0, seen: HashMap::new(), error: None };
        for group in &groups {
            let found = search.group(group).await;
            if !found.is_empty() {
                return Fact::Known(found);
            }
        }
        match search.error {
            Some(error) => gap(error.to_string()).into(),
            None if search.looks >= NEWER_LOOKS => {
                gap(format!("none of the {NEWER_LOOKS} likeliest has the platform; the rest was not looked at")).into()
            }
            None => Fact::Known(Vec::new()),
        }
    }

    /// All tags of a repository.
    async fn tags(&self, reference: &Reference) -> Result<Vec<String>, RegistryError> {
        let mut path = "tags/list?n=1000".to_owned();
        let mut tags = Vec::new();
        for _ in 0..TAG_PAGES {
            let reply = self.ask(reference, Method::GET, &path, "application/json", TAGS_LIMIT).await?;
            if !reply.status.is_success() {
                return Err(failed(reference, &reply));
            }
            let page: TagList = serde_json::from_slice(&reply.body)
                .map_err(|_| malformed(reference, "the list of its tags is not as expected".to_owned()))?;
            tags.extend(page.tags.unwrap_or_default().into_iter().filter(|tag| reference::is_tag(tag)));
            match next_page(&reply) {
                Some(query) => path = format!("tags/list?{query}"),
                None => return Ok(tags),
            }
        }
        Err(malformed(reference, format!("it has more than {TAG_PAGES} pages of tags")))
    }
}

/// Looking for tags that have a platform, with few questions.
struct Search<'a> {
    registries: &'a Registries,
    reference: &'a Reference,
    engine: &'a Platform,
    looks: usize,
    seen: HashMap<String, Option<Vec<Platform>>>,
    error: Option<RegistryError>,
}

impl Search<'_> {
    /// The nearest tag of a group (sorted by version) that has the platform, then the newest of the same major version
    /// and the newest of all. Versions do not lose a platform once they have it, nearly always, so that halving finds
    /// the first; every tag that is named was looked at.
    async fn group(&mut self, group: &[String]) -> Vec<NewerTag> {
        let Some(last) = group.len().checked_sub(1) else { return Vec::new() };
        let nearest = if self.has(&group[0]).await.is_some() {
            Some(0)
        } else if last > 0 && self.has(&group[last]).await.is_some() {
            let (mut without, mut with) = (0, last);
            while with - without > 1 {
                let middle = without + (with - without) / 2;
                match self.has(&group[middle]).await {
                    Some(_) => with = middle,
                    None => without = middle,
                }
            }
            Some(with)
        } else {
            let mut found = None;
            for (at, tag) in group.iter().enumerate().skip(1).take(NEWER_LOOKS / 4) {
                if found.is_none() && self.has(tag).await.is_some() {
                    found = Some(at);
                }
            }
            found
        };
        let Some(nearest) = nearest else { return Vec::new() };
        let major = newer::major(&group[nearest]);
        let same_major = (nearest..=last).rev().find(|at| newer::major(&group[*at]) == major).unwrap_or(nearest);
        let mut tags: Vec<NewerTag> = Vec::new();
        for at in [nearest, same_major, last] {
            let tag = &group[at];
            if tags.len() < NEWER_TAGS
                && tags.iter().all(|known| known.tag != *tag)
                && let Some(platforms) = self.has(tag).await
            {
                tags.push(NewerTag { tag: tag.clone(), platforms });
            }
        }
        tags
    }

    /// All platforms of a tag that has the engine's.
    async fn has(&mut self, tag: &str) -> Option<Vec<Platform>> {
        if let Some(known) = self.seen.get(tag) {
            return known.clone();
        }
        if self.looks >= NEWER_LOOKS || matches!(self.error, Some(RegistryError::RateLimited { .. })) {
            return None;
        }
        self.looks += 1;
        let found = match self.registries.content(&self.reference.with_tag(tag)).await {
            Ok(content) => {
                let native = content.platforms.iter().any(|p| p.on(self.engine) == Nativeness::Native);
                native.then_some(content.platforms)
            }
            // Tags go away, and some lead to signatures: neither is a newer image.
            Err(RegistryError::NotFound { .. } | RegistryError::NotAnImage { .. }) => None,
            Err(error) => {
                self.error = Some(error);
                None
            }
        };
        self.seen.insert(tag.to_owned(), found.clone());
        found
    }
}

/// The query of the next page. Only the query: the page itself is always of the same repository on the same host.
fn next_page(reply: &Reply) -> Option<String> {
    let link = reply.headers.get(LINK)?.to_str().ok()?;
    let next = link.split(',').find(|part| part.contains("rel=\"next\"") || part.contains("rel=next"))?;
    let address = next.split_once('<')?.1.split_once('>')?.0;
    let query = address.split_once('?')?.1;
    query.bytes().all(|b| b.is_ascii_graphic() && b != b'#').then(|| query.to_owned())
}
