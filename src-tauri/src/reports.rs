//! Reports as files of the desktop: asking where, saving, and opening what was saved. How a report looks is not here.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use silidock_app::{
    App, Failure, FailureCode,
    wire::{BenchReportRequest, RenderedReport, ReportFormat, ReportRequest},
};
use tauri::{AppHandle, Manager, State};
use tauri_plugin_dialog::DialogExt;

/// Saves reports into this folder without asking, for tests that cannot press a native dialog's buttons.
const FOLDER_VARIABLE: &str = "SILIDOCK_EXPORT_DIR";

/// The reports saved in this run. The window may have these opened, and no other file.
#[derive(Default)]
pub struct Saved(Mutex<HashSet<PathBuf>>);

impl Saved {
    fn add(&self, path: &Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
    }

    fn own(&self, path: PathBuf) -> Result<PathBuf, Failure> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&path) {
            true => Ok(path),
            false => {
                Err(Failure::new(FailureCode::Refused, "Only reports that were saved since the start are opened."))
            }
        }
    }
}

/// Makes a report, asks where to, and saves it. None when the person changes their mind.
#[tauri::command]
pub async fn save_report(
    app: State<'_, Arc<App>>,
    saved: State<'_, Saved>,
    desktop: AppHandle,
    request: ReportRequest,
) -> Result<Option<PathBuf>, Failure> {
    let format = request.format;
    let report = app.render_report(request).await?;
    save(report, format, &saved, desktop).await
}

/// The same with the report of one benchmark.
#[tauri::command]
pub async fn save_bench_report(
    app: State<'_, Arc<App>>,
    saved: State<'_, Saved>,
    desktop: AppHandle,
    request: BenchReportRequest,
) -> Result<Option<PathBuf>, Failure> {
    let format = request.format;
    let report = app.bench_report(request).await?;
    save(report, format, &saved, desktop).await
}

async fn save(
    report: RenderedReport,
    format: ReportFormat,
    saved: &Saved,
    desktop: AppHandle,
) -> Result<Option<PathBuf>, Failure> {
    let Some(path) = ask_where(desktop, &report, format).await? else {
        return Ok(None);
    };
    tokio::fs::write(&path, &report.content).await.map_err(|error| {
        Failure::new(FailureCode::File, format!("The report could not be saved to {}: {error}.", path.display()))
            .hint("Choose another folder.")
    })?;
    saved.add(&path);
    Ok(Some(path))
}

async fn ask_where(
    desktop: AppHandle,
    report: &RenderedReport,
    format: ReportFormat,
) -> Result<Option<PathBuf>, Failure> {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        return Ok(Some(PathBuf::from(folder).join(&report.file_name)));
    }
    let (words, extension) = match format {
        ReportFormat::Html => ("Web page", "html"),
        ReportFormat::Markdown => ("Markdown", "md"),
        ReportFormat::Json => ("JSON", "json"),
        ReportFormat::Csv => ("Table", "csv"),
    };
    let mut dialog = desktop.dialog().file().set_file_name(&report.file_name).add_filter(words, &[extension]);
    if let Ok(downloads) = desktop.path().download_dir() {
        dialog = dialog.set_directory(downloads);
    }
    let (answer, answered) = tokio::sync::oneshot::channel();
    dialog.save_file(move |path| drop(answer.send(path)));
    let no_path = |reason: String| Failure::new(FailureCode::File, format!("That place cannot be saved to: {reason}."));
    match answered.await {
        Ok(Some(chosen)) => chosen.into_path().map(Some).map_err(|error| no_path(error.to_string())),
        // Closed without an answer is the same as cancelled.
        Ok(None) | Err(_) => Ok(None),
    }
}

/// Opens a saved report in the program for it.
#[tauri::command]
pub async fn open_report(saved: State<'_, Saved>, path: PathBuf) -> Result<(), Failure> {
    let path = saved.own(path)?;
    tauri_plugin_opener::open_path(&path, None::<&str>).map_err(|error| not_opened(&path, &error))
}

/// Shows a saved report in its folder.
#[tauri::command]
pub async fn reveal_report(saved: State<'_, Saved>, path: PathBuf) -> Result<(), Failure> {
    let path = saved.own(path)?;
    tauri_plugin_opener::reveal_item_in_dir(&path).map_err(|error| not_opened(&path, &error))
}

fn not_opened(path: &Path, error: &tauri_plugin_opener::Error) -> Failure {
    Failure::new(FailureCode::File, format!("{} could not be opened: {error}.", path.display()))
        .hint("It is saved; open it from its folder.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reports_saved_in_this_run_are_opened() {
        let saved = Saved::default();
        saved.add(Path::new("/tmp/report.html"));
        assert_eq!(saved.own("/tmp/report.html".into()), Ok(PathBuf::from("/tmp/report.html")));
        let refused = saved.own("/etc/passwd".into()).unwrap_err();
        assert_eq!(refused.code, FailureCode::Refused);
        assert!(saved.own("/tmp/../tmp/report.html".into()).is_err(), "another spelling is another path");
    }
}
