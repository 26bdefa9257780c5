//! Every engine of this machine at once: each is looked at by itself, and one that fails hides no other.

use std::sync::Arc;

use futures_util::StreamExt;
use silidock_diagnosis::schema::Schema;

use crate::{
    AppOptions,
    failure::{Failure, FailureCode},
    session::App,
    wire::{AllEngines, EngineChoice, EngineFailure, Nothing, ScanRequest},
};

/// Engines looked at side by side. Each takes many questions of its own.
const AT_ONCE: usize = 3;

impl App {
    /// Looks at every engine that something is there for. What is shown now stays as it is.
    ///
    /// # Errors
    /// There is none, or none could be looked at.
    pub async fn all_engines(self: &Arc<Self>, _: Nothing) -> Result<AllEngines, Failure> {
        let mut there: Vec<EngineChoice> = Vec::new();
        for choice in self.real_engines().into_iter().filter(|choice| choice.present) {
            // A socket may be a link to another one's, and Docker's own choice is listed under its context too.
            if !there.iter().any(|known| self.same(known, &choice)) {
                there.push(choice);
            }
        }
        if there.is_empty() {
            let detail = self.places_looked_at();
            return Err(Failure::new(FailureCode::NoEngine, "No Docker engine was found on this machine.")
                .hint("Start your container runtime, or point at an engine with --engine or DOCKER_HOST.")
                .detail(detail));
        }
        let looks = there.into_iter().map(|choice| async move {
            let app = Self::start(AppOptions {
                live: false,
                remember_opened: false,
                sample: false,
                engine: None,
                ..self.options.clone()
            });
            let request = ScanRequest { engine: Some(choice.choose.clone()), ..ScanRequest::default() };
            let seen = match &choice.problem {
                Some(problem) => Err(Failure::new(FailureCode::Engine, problem.clone())),
                None => app.scan(request).await,
            };
            (choice, seen)
        });
        let looked: Vec<_> = futures_util::stream::iter(looks).buffered(AT_ONCE).collect().await;
        let mut all = AllEngines { schema: Schema, engines: Vec::new(), failed: Vec::new() };
        for (choice, seen) in looked {
            match seen {
                Ok(view) => all.engines.push(view.scan),
                Err(failure) => {
                    all.failed.push(EngineFailure {
                        name: choice.name,
                        endpoint: choice.endpoint,
                        choose: choice.choose,
                        failure,
                    });
                }
            }
        }
        Ok(all)
    }

    /// Both lead to the same socket.
    fn same(&self, one: &EngineChoice, other: &EngineChoice) -> bool {
        let place = |choice: &EngineChoice| {
            let path = choice.endpoint.strip_prefix("unix://")?.to_owned();
            self.host().real_path(path.as_ref()).ok()
        };
        one.endpoint == other.endpoint || place(one).is_some_and(|path| Some(path) == place(other))
    }
}
