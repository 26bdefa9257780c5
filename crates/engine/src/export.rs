//! The two long answers: an image as `docker save` gives it, and a container's file system. Handed on piece by piece, never
//! collected; what is in them is not known here.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use serde_json::json;
use tokio::time::timeout;

use crate::client::Engine;
use crate::error::{Asked, EngineError};
use crate::records::PlatformRecord;
use crate::version::ApiVersion;
use crate::wire::escaped;

/// From here on an engine can be asked for one platform of an image.
const PLATFORM_OF_SAVED: ApiVersion = ApiVersion::new(1, 48);

/// Old engines write a whole image to their disk before the first byte comes.
const FIRST_PIECE: Duration = Duration::from_secs(900);

impl Engine {
    /// An image as a tar stream, as `docker save` writes it. From API 1.48 on of one platform, if one is given; older
    /// engines send what they have. The request is made when the stream is first polled.
    ///
    /// Its errors are those of any question; after one it ends.
    pub fn save_image(
        &self,
        image: &str,
        platform: Option<&PlatformRecord>,
    ) -> impl Stream<Item = Result<impl AsRef<[u8]> + Send + use<>, EngineError>> + Send + use<> {
        let mut path = format!("/images/{}/get", escaped(image));
        if let Some(platform) = platform.filter(|_| self.api_version() >= PLATFORM_OF_SAVED) {
            let mut wanted = json!({ "os": platform.os, "architecture": platform.architecture });
            if !platform.variant.is_empty() {
                wanted["variant"] = json!(platform.variant);
            }
            path.push_str(&format!("?platform={}", escaped(&wanted.to_string())));
        }
        self.pieces(&path, "the content of image", image)
    }

    /// A container's file system as a tar stream, running or not. As [`Engine::save_image`].
    pub fn export_container(
        &self,
        container: &str,
    ) -> impl Stream<Item = Result<impl AsRef<[u8]> + Send + use<>, EngineError>> + Send + use<> {
        let path = format!("/containers/{}/export", escaped(container));
        self.pieces(&path, "the file system of container", container)
    }

    fn pieces(
        &self,
        path: &str,
        what: &'static str,
        whose: &str,
    ) -> impl Stream<Item = Result<impl AsRef<[u8]> + Send + use<>, EngineError>> + Send + use<> {
        let body = Box::pin(self.wire().stream(&self.versioned(path)));
        let (wire, whose, between) = (self.wire().clone(), whose.to_owned(), self.options().list);
        let begin = (Some(body), FIRST_PIECE);
        futures_util::stream::unfold(begin, move |(body, limit)| {
            let (wire, whose) = (wire.clone(), whose.clone());
            async move {
                let mut body = body?;
                let asked = Asked(what, &whose);
                match timeout(limit, body.next()).await {
                    Ok(None) => None,
                    Ok(Some(Ok(piece))) => Some((Ok(piece), (Some(body), between))),
                    Ok(Some(Err(error))) => Some((Err(wire.failed(asked, error)), (None, between))),
                    Err(_) => Some((Err(wire.late(asked, limit)), (None, between))),
                }
            }
        })
    }
}
