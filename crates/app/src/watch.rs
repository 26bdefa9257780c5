//! Keeping what is shown true: the engine tells when something changed, and only then is it asked again.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use silidock_engine::{Endpoint, Engine, EngineError, Event as EngineEvent, EventKind, EventStream};

use tokio::task::AbortHandle;

use crate::{look::engine_failure, session::App, wire::Event};

/// Changes come in bursts (`compose up`): wait until they pause, but not for ever.
const PAUSE: Duration = Duration::from_millis(300);
const AT_MOST: Duration = Duration::from_secs(2);

/// Seconds before the first look from which events are told.
const OVERLAP: i64 = 1;

/// A task that follows one engine.
#[derive(Debug)]
pub(crate) struct Watcher {
    endpoint: Endpoint,
    task: AbortHandle,
}

impl App {
    /// Follows an engine's events; a watcher of another engine ends, one of the same engine goes on.
    pub(crate) fn watch(self: &Arc<Self>, engine: Engine) {
        let endpoint = engine.target().endpoint.clone();
        let mut session = self.session();
        if let Some(old) = session.watcher.take() {
            if old.endpoint == endpoint && !old.task.is_finished() {
                session.watcher = Some(old);
                return;
            }
            old.task.abort();
        }
        let task = tokio::spawn(follow(Arc::downgrade(self), engine)).abort_handle();
        session.watcher = Some(Watcher { endpoint, task });
    }

    pub(crate) fn stop_watching(&self) {
        if let Some(watcher) = self.session().watcher.take() {
            watcher.task.abort();
        }
    }
}

async fn follow(app: std::sync::Weak<App>, engine: Engine) {
    // The first look begins while this question is on its way; what happens in between is told afterwards. A clock that
    // differs costs a look too many, or is as without.
    let since = jiff::Timestamp::now().as_second() - OVERLAP;
    let mut events = engine.events(Some(since));
    while let Some(first) = events.next().await {
        let burst = match first {
            Ok(event) => burst(&mut events, event).await,
            Err(error) => Err(error),
        };
        let Some(app) = app.upgrade() else { return };
        let images_changed = match burst {
            Ok(images_changed) => images_changed,
            Err(error) => return app.tell(Event::Lost { failure: engine_failure(&error) }),
        };
        if let Err(error) = look_again(&app, &engine, images_changed).await {
            return app.tell(Event::Lost { failure: engine_failure(&error) });
        }
    }
}

async fn look_again(app: &App, engine: &Engine, images_changed: bool) -> Result<(), EngineError> {
    let _turn = app.looking.lock().await;
    let known = if images_changed { None } else { app.seen().ok().map(|seen| seen.inventory.images) };
    app.look(app.next_generation(), engine, known.filter(|images| images.complete)).await?;
    Ok(())
}

/// Waits until a burst of events pauses. True when images changed in it.
async fn burst(events: &mut EventStream, first: EngineEvent) -> Result<bool, EngineError> {
    let touches_images = |event: &EngineEvent| event.kind != EventKind::Container;
    let mut images = touches_images(&first);
    let end = tokio::time::Instant::now() + AT_MOST;
    loop {
        let wait = PAUSE.min(end.saturating_duration_since(tokio::time::Instant::now()));
        match tokio::time::timeout(wait, events.next()).await {
            Ok(Some(event)) => images |= touches_images(&event?),
            // A pause, or the end of the stream, which the next call reports.
            Ok(None) | Err(_) => return Ok(images),
        }
    }
}
