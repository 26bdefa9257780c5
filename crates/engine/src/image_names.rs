//! Names of images, and what an image says of its source. Taking a name away is `remove_image`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::Engine;
use crate::error::{Asked, EngineError};
use crate::json::null_is_default;
use crate::throwaway::post_json;
use crate::wire::escaped;

/// The label in which an image names its source.
const SOURCE: &str = "org.opencontainers.image.source";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Labelled {
    #[serde(default, deserialize_with = "null_is_default")]
    config: Labels,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Labels {
    #[serde(default, deserialize_with = "null_is_default")]
    labels: BTreeMap<String, String>,
}

impl Engine {
    /// Where an image says that its source is: mostly an address. Of its labels only this one is read.
    ///
    /// # Errors
    /// As for any question; [`EngineError::is_not_found`] for an image that is not there.
    pub async fn image_source(&self, image: &str) -> Result<Option<String>, EngineError> {
        let path = format!("/images/{}/json", escaped(image));
        let mut read: Labelled = self.read(&path, Asked("the question for the source of image", image)).await?;
        Ok(read.config.labels.remove(SOURCE).filter(|place| !place.is_empty()))
    }

    /// Gives an image one more name.
    ///
    /// # Errors
    /// As for any question; [`EngineError::is_not_found`] for an image that is not there.
    pub async fn tag_image(&self, image: &str, repository: &str, tag: &str) -> Result<(), EngineError> {
        let path = format!("/images/{}/tag?repo={}&tag={}", escaped(image), escaped(repository), escaped(tag));
        self.act(&path, post_json(Vec::new()), Asked("tagging image", image), self.options().list).await.map(drop)
    }
}
