//! Whether a run is to go on: until whoever asked for it is gone, or says that it is enough.

use std::future::pending;

use tokio::sync::watch;

/// Both ways in which a run can end before its time.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// Ends when nobody waits any more. Nothing is ever sent.
    present: watch::Receiver<()>,
    /// Becomes true when it is enough.
    stop: watch::Receiver<bool>,
}

/// The run is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended;

impl Course {
    pub fn new(present: watch::Receiver<()>, stop: watch::Receiver<bool>) -> Self {
        Self { present, stop }
    }

    /// Nobody waits for anything any more.
    pub fn deserted(&self) -> bool {
        self.present.has_changed().is_err()
    }

    pub fn go_on(&self) -> Result<(), Ended> {
        if self.deserted() || *self.stop.borrow() { Err(Ended) } else { Ok(()) }
    }

    /// What is awaited, unless the run is to end first. Only for what can be left half-way.
    pub async fn unless_ended<T>(&self, awaited: impl Future<Output = T>) -> Result<T, Ended> {
        self.go_on()?;
        let (mut present, mut stop) = (self.present.clone(), self.stop.clone());
        let stopped = async {
            // Whoever could say so may be gone; then it will not be said.
            if stop.wait_for(|stop| *stop).await.is_err() {
                pending::<()>().await;
            }
        };
        tokio::select! {
            value = awaited => Ok(value),
            _ = present.changed() => Err(Ended),
            () = stopped => Err(Ended),
        }
    }
}
