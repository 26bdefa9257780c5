//! The desktop shell: one window, the menu bar, and the app's commands handed to the window one by one.
//!
//! Deliberately not here: anything that is not about a desktop. What a command does stands in `silidock-app`.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod commands;
mod menu;
mod paths;
mod reports;

use std::sync::Arc;

use serde::Serialize;
use silidock_app::{App, AppOptions, Events};
use tauri::{AppHandle, Emitter, Manager, WebviewWindowBuilder};
use tauri_plugin_window_state::StateFlags;
use tokio::sync::broadcast::error::RecvError;

/// Every event of the app reaches the window under this name.
const EVENT: &str = "silidock";

/// What the window knows before it asks for anything. Its other half is `Shell` in `ui/src/host/host.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shell {
    os: &'static str,
    overlay_title_bar: bool,
    engine: Option<String>,
    sample: bool,
}

impl Shell {
    /// From the command line and the environment.
    fn of_this_run() -> Self {
        Self {
            os: std::env::consts::OS,
            overlay_title_bar: cfg!(target_os = "macos"),
            engine: std::env::var("SILIDOCK_ENGINE").ok().filter(|engine| !engine.is_empty()),
            sample: std::env::args().skip(1).any(|argument| argument == "--sample"),
        }
    }
}

fn main() -> tauri::Result<()> {
    silidock_app::init();
    let state = StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED | StateFlags::FULLSCREEN;
    tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_window_state::Builder::default().with_state_flags(state).build())
        .manage(reports::Saved::default())
        .invoke_handler(commands::handler())
        .setup(|desktop| {
            let shell = Shell::of_this_run();
            let options = AppOptions {
                engine: shell.engine.clone(),
                sample: shell.sample,
                live: true,
                processor_time: true,
                remember_opened: true,
                ..AppOptions::default()
            };
            let app = App::start(options);
            tauri::async_runtime::spawn(forward(app.subscribe(), desktop.handle().clone()));
            desktop.manage::<Arc<App>>(app);
            menu::install(desktop.handle())?;
            open_window(desktop.handle(), &shell)
        })
        .build(tauri::generate_context!())?
        .run(|_, event| {
            // Throw-away containers go before the program does.
            if let tauri::RunEvent::Exit = event {
                tauri::async_runtime::block_on(silidock_app::settle());
            }
        });
    Ok(())
}

/// Opens the window of tauri.conf.json, which does not open by itself because it must know the shell first.
fn open_window(desktop: &AppHandle, shell: &Shell) -> Result<(), Box<dyn std::error::Error>> {
    let script = format!("window.SILIDOCK_SHELL = Object.freeze({});", serde_json::to_string(shell)?);
    for window in desktop.config().app.windows.clone() {
        WebviewWindowBuilder::from_config(desktop, &window)?.initialization_script(&script).build()?;
    }
    Ok(())
}

/// Hands the app's events to the window until the app is gone.
async fn forward(mut events: Events, desktop: AppHandle) {
    loop {
        match events.recv().await {
            // A window that closed meanwhile needs no event.
            Ok(event) => drop(desktop.emit(EVENT, event)),
            // Views replace each other, so the next one makes up for those that were missed.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
