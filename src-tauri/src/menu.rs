//! The menu bar of a Mac. Its items ask the window, which does the same for keys; other desktops have the keys alone.

use tauri::{
    AppHandle, Emitter, Wry,
    menu::{AboutMetadataBuilder, Menu, MenuBuilder, MenuItem, SubmenuBuilder},
};

/// The window hears under this name which item was chosen.
const EVENT: &str = "silidock-menu";

/// Items of ours: id that the window knows (`MenuAction` in `ui/src/host/host.ts`), words, key.
const FILE: [(&str, &str, &str); 2] =
    [("addFolder", "Add Folder…", "CmdOrCtrl+O"), ("export", "Export Report…", "CmdOrCtrl+E")];
const EDIT: [(&str, &str, &str); 1] = [("find", "Find…", "CmdOrCtrl+F")];
const VIEW: [(&str, &str, &str); 9] = [
    ("screen-1", "Diagnosis", "CmdOrCtrl+1"),
    ("screen-2", "Containers", "CmdOrCtrl+2"),
    ("screen-3", "Images", "CmdOrCtrl+3"),
    ("screen-4", "Compose", "CmdOrCtrl+4"),
    ("screen-5", "Benchmark", "CmdOrCtrl+5"),
    ("screen-6", "History", "CmdOrCtrl+6"),
    ("rescan", "Rescan", "CmdOrCtrl+R"),
    ("engines", "Choose Engine…", ""),
    ("palette", "Commands…", "CmdOrCtrl+K"),
];

/// Gives a Mac its menu bar; elsewhere does nothing.
pub fn install(desktop: &AppHandle) -> tauri::Result<()> {
    if cfg!(target_os = "macos") {
        desktop.set_menu(menu(desktop)?)?;
        desktop.on_menu_event(|desktop, event| {
            let id = event.id().as_ref();
            if FILE.iter().chain(&EDIT).chain(&VIEW).any(|(known, ..)| *known == id) {
                // A window that closed meanwhile needs no event.
                drop(desktop.emit(EVENT, id));
            }
        });
    }
    Ok(())
}

fn menu(desktop: &AppHandle) -> tauri::Result<Menu<Wry>> {
    let package = desktop.package_info();
    let about =
        AboutMetadataBuilder::new().name(Some(&package.name)).version(Some(package.version.to_string())).build();
    let item = |(id, words, key): &(&str, &str, &str)| {
        MenuItem::with_id(desktop, *id, *words, true, (!key.is_empty()).then_some(*key))
    };
    let application = SubmenuBuilder::new(desktop, &package.name)
        .about(Some(about))
        .separator()
        .services()
        .separator()
        .hide()
        .hide_others()
        .show_all()
        .separator()
        .quit()
        .build()?;
    let mut file = SubmenuBuilder::new(desktop, "File");
    for row in &FILE {
        file = file.item(&item(row)?);
    }
    let file = file.separator().close_window().build()?;
    let mut edit =
        SubmenuBuilder::new(desktop, "Edit").undo().redo().separator().cut().copy().paste().select_all().separator();
    for row in &EDIT {
        edit = edit.item(&item(row)?);
    }
    let edit = edit.build()?;
    let mut view = SubmenuBuilder::new(desktop, "View");
    for row in &VIEW {
        view = view.item(&item(row)?);
    }
    let view = view.separator().fullscreen().build()?;
    let window = SubmenuBuilder::new(desktop, "Window").minimize().maximize().build()?;
    MenuBuilder::new(desktop).items(&[&application, &file, &edit, &view, &window]).build()
}
