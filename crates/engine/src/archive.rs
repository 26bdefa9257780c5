//! Single files of a container, running or not, through the engine's archive calls: what lies at a path, and the first
//! bytes of a file. Nothing is started, and no more is read than was asked for: the stream is dropped.

use std::io::Read;

use bollard::query_parameters::ContainerArchiveInfoOptionsBuilder;
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::client::Engine;
use crate::error::{Asked, EngineError};
use crate::wire::escaped;

/// Heads of a tar file that may stand before the content: long names and extended attributes.
const HEADS: usize = 64 * 1024;

/// What lies at a path of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, pipe or socket.
    Special,
}

/// A path of a container. Links in the folders above it are followed by the engine, within the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStat {
    /// What it is.
    pub kind: PathKind,
    /// Permission bits, with set-user-id and the like.
    pub mode: u32,
    /// Size in bytes.
    pub size: u64,
    /// Where a link leads in the end, absolute within the container; empty for everything else.
    pub link_target: String,
}

/// The beginning of a file of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStart {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size of the whole file in bytes.
    pub size: u64,
    /// Its first bytes; all of them if there are no more.
    pub bytes: Vec<u8>,
}

/// Why a path of a container is not known.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// Its links lead in a circle.
    #[error("its links lead in a circle")]
    LinkLoop,
    /// It is no regular file.
    #[error("it is not a regular file")]
    NotRegular,
    /// The engine's answer is no archive.
    #[error("the engine's archive of it cannot be read: {why}")]
    BadArchive {
        /// The reason.
        why: String,
    },
    /// The engine gave no usable answer at all.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Engine {
    /// What lies at a path. `None` where nothing does, or the container is gone.
    ///
    /// # Errors
    /// See [`PathError`].
    pub async fn container_path(&self, container: &str, path: &str) -> Result<Option<PathStat>, PathError> {
        let asked = Asked("the question about a file of container", container);
        let limit = self.options().call;
        let query = ContainerArchiveInfoOptionsBuilder::default().path(path).build();
        let docker = self.wire().docker_of(&format!("/v{}", self.api_version()));
        let asking = docker.get_container_archive_info(container, Some(query));
        let Ok(answer) = timeout(limit, asking).await else { return Err(self.wire().late(asked, limit).into()) };
        let stat = match answer.map_err(|error| self.wire().failed(asked, error)) {
            Ok(stat) => stat,
            Err(error) if error.is_not_found() => return Ok(None),
            // This question's refusals have no words; those of the other one have.
            Err(EngineError::Status { code: 500, .. }) => {
                return match self.container_file(container, path, 0).await {
                    Ok(_) => Err(PathError::NotRegular),
                    Err(error) => Err(error),
                };
            }
            Err(error) => return Err(error.into()),
        };
        // Go's own bits for the kind of a file.
        let kind = match stat.file_mode {
            mode if mode & (1 << 31) != 0 => PathKind::Folder,
            mode if mode & (1 << 27) != 0 => PathKind::Link,
            mode if mode & ((1 << 26) | (1 << 25) | (1 << 24) | (1 << 21) | (1 << 19)) != 0 => PathKind::Special,
            _ => PathKind::File,
        };
        Ok(Some(PathStat {
            kind,
            mode: stat.file_mode & 0o777,
            size: u64::try_from(stat.size).unwrap_or(0),
            link_target: stat.link_target,
        }))
    }

    /// The first bytes of a regular file, `longest` at most. `None` where there is none.
    ///
    /// # Errors
    /// See [`PathError`].
    pub async fn container_file(
        &self,
        container: &str,
        path: &str,
        longest: usize,
    ) -> Result<Option<FileStart>, PathError> {
        let asked = Asked("a file of container", container);
        let url = self.versioned(&format!("/containers/{}/archive?path={}", escaped(container), escaped(path)));
        let limit = self.options().call;
        let reading = async {
            let mut body = std::pin::pin!(self.wire().stream(&url));
            let mut bytes = Vec::new();
            while let Some(piece) = body.next().await {
                bytes.extend_from_slice(piece.map_err(|error| self.wire().failed(asked, error))?.as_ref());
                if bytes.len() > HEADS + longest {
                    break;
                }
            }
            Ok(bytes)
        };
        let bytes = match timeout(limit, reading).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return refused(error),
            Err(_) => return Err(self.wire().late(asked, limit).into()),
        };
        first_file(&bytes, longest).map(Some)
    }
}

fn refused(error: EngineError) -> Result<Option<FileStart>, PathError> {
    match &error {
        _ if error.is_not_found() => Ok(None),
        EngineError::Status { message, .. } if message.contains("too many l") => Err(PathError::LinkLoop),
        _ => Err(error.into()),
    }
}

/// The first entry of a tar file of which the end may be missing.
fn first_file(bytes: &[u8], longest: usize) -> Result<FileStart, PathError> {
    let bad = |error: std::io::Error| PathError::BadArchive { why: error.to_string() };
    let mut archive = tar::Archive::new(bytes);
    let mut entries = archive.entries().map_err(bad)?;
    let mut entry = match entries.next() {
        Some(entry) => entry.map_err(bad)?,
        None => return Err(PathError::BadArchive { why: "it is empty".to_owned() }),
    };
    if !entry.header().entry_type().is_file() {
        return Err(PathError::NotRegular);
    }
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let header = entry.header();
    let (mode, uid, gid) = (header.mode().map_err(bad)?, header.uid().map_err(bad)?, header.gid().map_err(bad)?);
    let size = entry.size();
    let mut start = Vec::new();
    (&mut entry).take(longest as u64).read_to_end(&mut start).map_err(bad)?;
    Ok(FileStart { mode: mode & 0o7777, uid: number(uid), gid: number(gid), size, bytes: start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_are_had_from_an_archive_that_breaks_off() {
        let mut builder = tar::Builder::new(Vec::new());
        let content = vec![7_u8; 10_000];
        let mut header = tar::Header::new_gnu();
        header.set_size(10_000);
        header.set_mode(0o4755);
        header.set_uid(1000);
        header.set_gid(50);
        builder.append_data(&mut header, format!("{}.sh", "long".repeat(60)), content.as_slice()).unwrap();
        let whole = builder.into_inner().unwrap();
        for (bytes, longest, expected) in
            [(&whole[..], 100, 100), (&whole[..], 20_000, 10_000), (&whole[..6000], 20_000, 4464)]
        {
            let found = first_file(bytes, longest).unwrap();
            assert_eq!((found.mode, found.uid, found.gid, found.size), (0o4755, 1000, 50, 10_000));
            assert!(found.bytes.len() == expected || found.bytes.len() < longest, "{}", found.bytes.len());
            assert!(found.bytes.iter().all(|byte| *byte == 7) && !found.bytes.is_empty());
        }
        for bytes in [&[][..], &[0; 1024], b"no tar at all"] {
            assert!(matches!(first_file(bytes, 10), Err(PathError::BadArchive { .. })));
        }
        let mut folder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        folder.append_data(&mut header, "app/", &[][..]).unwrap();
        assert!(matches!(first_file(&folder.into_inner().unwrap(), 10), Err(PathError::NotRegular)));
    }
}
