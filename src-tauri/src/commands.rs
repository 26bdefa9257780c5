//! One Tauri command for each row of the app's command table, and the few that are about the desktop itself.

use std::sync::Arc;

use silidock_app::{App, Failure, wire::*};
use tauri::{State, Wry, ipc::Invoke};

use crate::{paths, reports};

macro_rules! commands {
    ($($name:ident($request:ty) -> $response:ty, $doc:literal;)*) => {
        $(
            #[doc = $doc]
            #[tauri::command]
            async fn $name(app: State<'_, Arc<App>>, request: $request) -> Result<$response, Failure> {
                app.$name(request).await
            }
        )*

        /// Answers the window's calls. What is not in the table does not exist.
        pub fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
            tauri::generate_handler![
                $($name,)*
                paths::choose_path,
                reports::save_report,
                reports::save_bench_report,
                reports::save_script,
                reports::open_report,
                reports::reveal_report
            ]
        }
    };
}

silidock_app::command_table!(commands);
