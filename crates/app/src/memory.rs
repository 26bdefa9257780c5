//! What was proven of an engine's emulation, kept until the engine restarts: a restart may bring another emulator.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use silidock_diagnosis::runtime::EmulationFacts;
use silidock_engine::Engine;

use crate::session::App;

/// The file, by address of the engine.
type Kept = BTreeMap<String, Entry>;

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// When the engine was started, in its own words.
    started: String,
    facts: EmulationFacts,
}

impl App {
    /// What is known of this engine since its last start; nothing, if nobody asked since.
    pub(crate) async fn remembered(&self, engine: &Engine) -> EmulationFacts {
        let address = engine.target().endpoint.to_string();
        if let Some(facts) = self.session().proven.get(&address) {
            return facts.clone();
        }
        let Some(entry) = self.kept().remove(&address) else { return EmulationFacts::default() };
        // One more question, and only of engines that were once asked to prove it.
        match engine.started().await {
            Ok(Some(started)) if started == entry.started => {
                self.session().proven.insert(address, entry.facts.clone());
                entry.facts
            }
            Ok(_) | Err(_) => EmulationFacts::default(),
        }
    }

    /// Keeps what was proven. An engine that cannot tell when it was started is remembered for this run only, and so is
    /// one whose facts cannot be written: asking again costs seconds.
    pub(crate) async fn remember_proof(&self, engine: &Engine, facts: &EmulationFacts) {
        let address = engine.target().endpoint.to_string();
        self.session().proven.insert(address.clone(), facts.clone());
        let (Ok(Some(started)), Some(file)) = (engine.started().await, self.memory_file()) else { return };
        let mut kept = self.kept();
        kept.insert(address, Entry { started, facts: facts.clone() });
        if let (Ok(json), Some(folder)) = (serde_json::to_string(&kept), file.parent()) {
            let _ = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, json));
        }
    }

    /// A file that is missing or damaged remembers nothing.
    fn kept(&self) -> Kept {
        let text = self.memory_file().and_then(|file| std::fs::read_to_string(file).ok());
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    fn memory_file(&self) -> Option<PathBuf> {
        Some(self.host().data_dir()?.join("emulation.json"))
    }
}
