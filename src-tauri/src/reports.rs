//! Reports and scripts as files of the desktop: asking where, saving, and opening what was saved. How they look is not here.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use silidock_app::{
    App, Failure, FailureCode,
    wire::{BenchReportRequest, RenderedReport, ReportFormat, ReportRequest, ScriptRequest},
};
use tauri::{AppHandle, Manager, State};
use tauri_plugin_dialog::DialogExt;

/// Saves reports into this folder without asking, for tests that cannot press a native dialog's buttons.
const FOLDER_VARIABLE: &str = "SILIDOCK_EXPORT_DIR";

/// What a saved file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Report,
    /// Shown in its folder and never opened: opening one may run it.
    Script,
}

/// The files saved in this run. The window may have its reports opened and each of them shown, and no other file.
#[derive(Default)]
pub struct Saved(Mutex<HashMap<PathBuf, Kind>>);

impl Saved {
    fn add(&self, path: &Path, kind: Kind) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), kind);
    }

    fn own(&self, path: PathBuf) -> Result<(PathBuf, Kind), Failure> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&path).copied() {
            Some(kind) => Ok((path, kind)),
            None => Err(Failure::new(FailureCode::Refused, "Only what was saved since the start is opened.")),
        }
    }

    fn report(&self, path: PathBuf) -> Result<PathBuf, Failure> {
        match self.own(path)? {
            (path, Kind::Report) => Ok(path),
            (_, Kind::Script) => Err(Failure::new(FailureCode::Refused, "A script is read first, and run by hand.")),
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

/// The same with the shell script of a fix, or of all safe ones: the one that was shown, or none.
#[tauri::command]
pub async fn save_script(
    app: State<'_, Arc<App>>,
    saved: State<'_, Saved>,
    desktop: AppHandle,
    request: ScriptRequest,
    shown: String,
) -> Result<Option<PathBuf>, Failure> {
    let name = if request.fix.is_some() { "silidock-fix.sh" } else { "silidock-fix-all-safe.sh" };
    let script = app.fix_script(request).await?.script;
    if script != shown {
        return Err(Failure::new(FailureCode::Changed, "What the script would change has changed since it was shown.")
            .hint("Show it again, then save it."));
    }
    let Some(path) = ask_where(desktop, name, ("Shell script", "sh")).await? else {
        return Ok(None);
    };
    write(&path, &script, "script").await?;
    saved.add(&path, Kind::Script);
    Ok(Some(path))
}

async fn save(
    report: RenderedReport,
    format: ReportFormat,
    saved: &Saved,
    desktop: AppHandle,
) -> Result<Option<PathBuf>, Failure> {
    let filter = match format {
        ReportFormat::Html => ("Web page", "html"),
        ReportFormat::Markdown => ("Markdown", "md"),
        ReportFormat::Json => ("JSON", "json"),
        ReportFormat::Csv => ("Table", "csv"),
    };
    let Some(path) = ask_where(desktop, &report.file_name, filter).await? else {
        return Ok(None);
    };
    write(&path, &report.content, "report").await?;
    saved.add(&path, Kind::Report);
    Ok(Some(path))
}

async fn write(path: &Path, content: &str, what: &str) -> Result<(), Failure> {
    tokio::fs::write(path, content).await.map_err(|error| {
        Failure::new(FailureCode::File, format!("The {what} could not be saved to {}: {error}.", path.display()))
            .hint("Choose another folder.")
    })
}

async fn ask_where(
    desktop: AppHandle,
    file_name: &str,
    (words, extension): (&str, &str),
) -> Result<Option<PathBuf>, Failure> {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        return Ok(Some(PathBuf::from(folder).join(file_name)));
    }
    let mut dialog = desktop.dialog().file().set_file_name(file_name).add_filter(words, &[extension]);
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
    let path = saved.report(path)?;
    tauri_plugin_opener::open_path(&path, None::<&str>).map_err(|error| not_opened(&path, &error))
}

/// Shows a saved report or script in its folder.
#[tauri::command]
pub async fn reveal_report(saved: State<'_, Saved>, path: PathBuf) -> Result<(), Failure> {
    let (path, _) = saved.own(path)?;
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
        saved.add(Path::new("/tmp/report.html"), Kind::Report);
        assert_eq!(saved.report("/tmp/report.html".into()), Ok(PathBuf::from("/tmp/report.html")));
        let refused = saved.report("/etc/passwd".into()).unwrap_err();
        assert_eq!(refused.code, FailureCode::Refused);
        assert!(saved.own("/tmp/../tmp/report.html".into()).is_err(), "another spelling is another path");
    }

    #[test]
    fn a_script_is_shown_in_its_folder_and_never_opened() {
        let saved = Saved::default();
        saved.add(Path::new("/tmp/silidock-fix.sh"), Kind::Script);
        assert!(saved.own("/tmp/silidock-fix.sh".into()).is_ok());
        assert_eq!(saved.report("/tmp/silidock-fix.sh".into()).unwrap_err().code, FailureCode::Refused);
    }
}
