//! Folders and files of this machine that the person points at, in the system's own dialog. What becomes of them is not here: the
//! window gets the path and no way to read what lies there.

use std::path::PathBuf;

use serde::Deserialize;
use silidock_app::{Failure, FailureCode};
use tauri::AppHandle;
use tauri_plugin_dialog::DialogExt;

/// This path is chosen without asking, for tests that cannot press a native dialog's buttons.
const VARIABLE: &str = "SILIDOCK_CHOOSE";

/// What is looked for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Wanted {
    /// A folder with a Compose project, or one that an image is built from.
    Folder,
    /// A Compose file.
    ComposeFile,
    /// A Dockerfile, which needs no extension.
    Dockerfile,
}

/// Asks for a path. None when the person changes their mind.
#[tauri::command]
pub async fn choose_path(desktop: AppHandle, wanted: Wanted) -> Result<Option<PathBuf>, Failure> {
    if let Some(path) = std::env::var_os(VARIABLE) {
        return Ok(Some(PathBuf::from(path)));
    }
    let (answer, answered) = tokio::sync::oneshot::channel();
    let dialog = desktop.dialog().file();
    let send = move |path| drop(answer.send(path));
    match wanted {
        Wanted::Folder => dialog.set_title("Choose a folder").pick_folder(send),
        Wanted::ComposeFile => {
            dialog.set_title("Choose a Compose file").add_filter("Compose file", &["yaml", "yml"]).pick_file(send);
        }
        Wanted::Dockerfile => dialog.set_title("Choose a Dockerfile").pick_file(send),
    }
    match answered.await {
        Ok(Some(chosen)) => chosen.into_path().map(Some).map_err(|error| {
            Failure::new(FailureCode::File, format!("What was chosen is no folder or file of this machine: {error}."))
        }),
        // Closed without an answer is the same as cancelled.
        Ok(None) | Err(_) => Ok(None),
    }
}
