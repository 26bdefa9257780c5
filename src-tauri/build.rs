//! Hands tauri.conf.json and the capabilities to Tauri's code generator.

fn main() {
    tauri_build::build();
}
