//! How an image or a container is started, and which platform it says it is for. Of environments only `PATH` is read;
//! of arguments all are, because they may name programs: whoever asks must not keep them, they may hold secrets.

use serde::{Deserialize, Deserializer};
use serde_json::json;

use crate::client::Engine;
use crate::error::{Asked, EngineError};
use crate::json::null_is_default;
use crate::records::PlatformRecord;
use crate::version::ApiVersion;
use crate::wire::escaped;

/// From here on an engine can be asked about one platform of an image.
const PLATFORM_OF_INSPECT: ApiVersion = ApiVersion::new(1, 49);

/// How an image or a container is started.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartConfig {
    /// The entry point with its arguments.
    #[serde(default, deserialize_with = "null_is_default")]
    pub entrypoint: Vec<String>,
    /// The command with its arguments.
    #[serde(rename = "Cmd", default, deserialize_with = "null_is_default")]
    pub command: Vec<String>,
    /// `PATH` of its environment.
    #[serde(rename = "Env", default, deserialize_with = "path_of")]
    pub search_path: Option<String>,
    /// The folder it is started in; may be empty.
    #[serde(default, deserialize_with = "null_is_default")]
    pub working_dir: String,
}

/// An image, as it is started.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageStart {
    /// `sha256:...`
    pub id: String,
    /// What it says it is for; words may be empty.
    #[serde(flatten)]
    pub platform: ImageLabel,
    /// How it is started.
    #[serde(default, deserialize_with = "null_is_default")]
    pub config: StartConfig,
}

/// The platform in an image's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageLabel {
    #[serde(default, deserialize_with = "null_is_default")]
    os: String,
    #[serde(default, deserialize_with = "null_is_default")]
    architecture: String,
    #[serde(default, deserialize_with = "null_is_default")]
    variant: String,
}

impl ImageLabel {
    /// Its three words.
    #[must_use]
    pub fn record(&self) -> PlatformRecord {
        PlatformRecord { os: self.os.clone(), architecture: self.architecture.clone(), variant: self.variant.clone() }
    }
}

/// A container, as it is started.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerStart {
    /// The full identifier.
    pub id: String,
    /// Its name, with the slash in front that engines write.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
    /// The image it runs, `sha256:...`
    #[serde(default, deserialize_with = "null_is_default")]
    pub image: String,
    /// How it is started.
    #[serde(default, deserialize_with = "null_is_default")]
    pub config: StartConfig,
}

impl Engine {
    /// How an image is started. A platform can be chosen from API 1.49 on; older engines tell of the one they have.
    ///
    /// # Errors
    /// As for any question; [`EngineError::is_not_found`] for an image that is not there.
    pub async fn start_of_image(
        &self,
        image: &str,
        platform: Option<&PlatformRecord>,
    ) -> Result<ImageStart, EngineError> {
        let mut path = format!("/images/{}/json", escaped(image));
        if let Some(platform) = platform.filter(|_| self.api_version() >= PLATFORM_OF_INSPECT) {
            let wanted =
                json!({ "os": platform.os, "architecture": platform.architecture, "variant": platform.variant });
            path.push_str(&format!("?platform={}", escaped(&wanted.to_string())));
        }
        self.read(&path, Asked("the question how it starts about image", image)).await
    }

    /// How a container is started.
    ///
    /// # Errors
    /// As for any question; [`EngineError::is_not_found`] for a container that is not there.
    pub async fn start_of_container(&self, container: &str) -> Result<ContainerStart, EngineError> {
        let path = format!("/containers/{}/json", escaped(container));
        self.read(&path, Asked("the question how it starts about container", container)).await
    }
}

fn path_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let lines: Option<Vec<String>> = Option::deserialize(deserializer)?;
    Ok(lines.unwrap_or_default().into_iter().find_map(|line| line.strip_prefix("PATH=").map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_environment_only_the_search_path_is_read() {
        let answer = r#"{"Id":"sha256:0a","Os":"linux","Architecture":"arm64","Config":{"Entrypoint":["/a"],"Cmd":null,
            "Env":["TOKEN=secret","PATH=/bin:/sbin"],"WorkingDir":"/srv"}}"#;
        let start: ImageStart = serde_json::from_str(answer).unwrap();
        assert_eq!(start.config.search_path.as_deref(), Some("/bin:/sbin"));
        assert!(!format!("{start:?}").contains("secret"));
        assert_eq!((start.config.entrypoint.as_slice(), start.config.command.len()), (&["/a".to_owned()][..], 0));
        assert_eq!(start.platform.record().architecture, "arm64");
        let bare: ImageStart = serde_json::from_str(r#"{"Id":"sha256:0a","Config":null}"#).unwrap();
        assert_eq!(bare.config, StartConfig::default());
    }
}
