//! The engines of this machine, for a switcher and for "where was looked". None is connected to.

use std::sync::Arc;

use silidock_engine::{Candidate, Origin, list_targets, resolve};

use crate::{
    failure::Failure,
    sample::SAMPLES,
    session::{App, Source},
    wire::{EngineChoice, Engines, Nothing},
};

impl App {
    /// Every engine that could be looked at. In the sample, the sample's.
    ///
    /// # Errors
    /// None today; the window's commands all may fail.
    pub async fn engines(self: &Arc<Self>, _: Nothing) -> Result<Engines, Failure> {
        let in_sample = match &self.session().source {
            Some(Source::Sample(sample)) => Some(sample.name()),
            Some(Source::Engine(_) | Source::Recording) | None => None,
        };
        let mut engines: Vec<EngineChoice> = self.real_engines();
        if let Some(shown) = in_sample {
            engines.extend(SAMPLES.iter().map(|(name, label)| EngineChoice {
                choose: (*name).to_owned(),
                name: (*label).to_owned(),
                endpoint: "sample".to_owned(),
                present: true,
                current: *name == shown,
                sample: true,
                problem: None,
            }));
        }
        Ok(Engines { engines })
    }

    pub(crate) fn real_engines(&self) -> Vec<EngineChoice> {
        let host = self.host().as_ref();
        let current = resolve(host, self.options.engine.as_deref()).ok().map(|target| target.endpoint.to_string());
        let choice = |candidate: Candidate| {
            let endpoint = candidate.endpoint.map(|e| e.to_string());
            EngineChoice {
                // A context is more than its address: its TLS files go with its name.
                choose: match (&endpoint, candidate.origin) {
                    (
                        Some(endpoint),
                        Origin::Explicit | Origin::DockerHost | Origin::DockerContext | Origin::KnownSocket,
                    ) => endpoint.clone(),
                    (Some(_), Origin::Context) | (None, _) => candidate.name.clone(),
                },
                name: candidate.runtime.map_or(candidate.name, |runtime| runtime.label().to_owned()),
                present: candidate.exists != Some(false),
                current: endpoint.is_some() && endpoint == current,
                endpoint: endpoint.unwrap_or_default(),
                sample: false,
                problem: candidate.problem,
            }
        };
        list_targets(host).into_iter().map(choice).collect()
    }

    /// One line for each place an engine was looked for.
    pub(crate) fn places_looked_at(&self) -> Vec<String> {
        let line = |e: EngineChoice| match (e.problem, e.present) {
            (Some(problem), _) => format!("{}: {problem}", e.name),
            (None, true) => format!("{}: {}", e.name, e.endpoint),
            (None, false) => format!("{}: no socket at {}", e.name, e.endpoint.trim_start_matches("unix://")),
        };
        self.real_engines().into_iter().map(line).collect()
    }
}
