//! Registering QEMU on an engine by a container with full rights: the last way out, and on Linux the main one.

use super::{Change, Prepared};
use crate::{
    fix::{BackStep, CommandKind, RuntimeChange, Safety, Step},
    inventory::Inventory,
};

/// On Docker Hub; its maintainer is BuildKit's.
const IMAGE: &str = "tonistiigi/binfmt";

/// What the container registers an architecture as. Names in full, because the short ones also match what others have
/// registered.
fn handler(architecture: &str) -> String {
    let word = match architecture {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "386" => "i386",
        "mips64le" => "mips64el",
        "loong64" => "loongarch64",
        other => other,
    };
    format!("qemu-{word}")
}

/// Registers QEMU for these architectures. None for an engine that runs without the rights that takes.
pub fn register(inventory: &Inventory, architectures: &[&str]) -> Option<Prepared> {
    let engine = &inventory.engine;
    // Podman's machine runs its engine for one user, who may not register anything.
    let platform = engine.platform.known().filter(|_| engine.runtime.id != "podman" && !architectures.is_empty())?;
    // Over the network a context carries more than an address: its TLS files.
    let pinned = match &engine.context {
        Some(context) if engine.endpoint.starts_with("tcp:") => ["--context", context],
        Some(_) | None => ["--host", &engine.endpoint],
    };
    let native = platform.to_string();
    let run = |flag: &str, what: &str| -> Vec<String> {
        let words = ["run", "--rm", "--privileged", "--platform", &native, IMAGE, flag, what];
        ["docker"].iter().chain(&pinned).chain(&words).map(|word| (*word).to_owned()).collect()
    };
    let command = |text: String, argv, says| Step::RuntimeCommand { text, argv, does: CommandKind::Register, says };
    let each = |architecture: &&str| {
        let text = format!(
            "Pull {IMAGE} from Docker Hub and run it with full rights on this engine, to register QEMU for {architecture}."
        );
        command(text, run("--install", architecture), Some(format!("installing: {architecture} OK")))
    };
    let back = |(place, architecture): (usize, &&str)| {
        let handler = handler(architecture);
        let text = format!("Take {handler} out of the kernel's list again.");
        let says = Some(format!("uninstalling: {handler} OK"));
        // Only what was done is taken back: an entry that was in the way is another's.
        BackStep { from: place as u32 + 1, step: command(text, run("--uninstall", &handler), says) }
    };
    Some(Prepared {
        summary: "The container gets full rights over the engine's machine, and what it registers counts for everybody who \
                  uses this engine, until its machine restarts. No container is stopped. Prefer the runtime's own way, where \
                  it has one."
            .to_owned(),
        safety: Safety::Review,
        steps: architectures.iter().map(each).collect(),
        runtime: Some(RuntimeChange {
            runtime: engine.runtime.id.clone(),
            name: engine.runtime.name.clone(),
            instance: None,
            change: Change::Register,
            in_background: false,
            back: architectures.iter().enumerate().map(back).collect(),
        }),
    })
}
