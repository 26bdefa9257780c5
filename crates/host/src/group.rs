//! A tool and what it starts itself, ended together: the Docker command starts its plugins, and killing it alone leaves them at
//! work. How a tool is run is not here.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// Leaders of the groups that were not seen to end.
static UNENDED: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A child in a process group of its own. Dropping it before the child has ended kills the whole group. What a child leaves behind
/// when it has ended by itself (a machine that runs) is left alone.
///
/// A terminal's Ctrl-C does not reach such a group: whoever starts one has to hear it, and drop it or call [`end_tools`].
#[derive(Debug)]
pub struct Group {
    child: Child,
    leader: Option<Pid>,
}

impl Group {
    /// Starts a command as the first of its group.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(mut command: Command) -> io::Result<Self> {
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(leader) = leader {
            unended(|leaders| leaders.insert(leader.as_raw_nonzero().get()));
        }
        Ok(Self { child, leader })
    }

    /// The child.
    pub fn leader(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(leader) = self.leader else { return };
        unended(|leaders| leaders.remove(&leader.as_raw_nonzero().get()));
        // It has no number any more once its end was seen; until then the number is nobody else's.
        if self.child.id().is_some() {
            kill(leader);
        }
    }
}

/// Kills every tool that is still at work, with what it started. To be called last, where threads that wait for one are left behind.
pub fn end_tools() {
    let leaders = unended(std::mem::take);
    leaders.into_iter().filter_map(Pid::from_raw).for_each(kill);
}

fn unended<T>(what: impl FnOnce(&mut BTreeSet<i32>) -> T) -> T {
    what(&mut UNENDED.lock().unwrap_or_else(PoisonError::into_inner))
}

fn kill(leader: Pid) {
    // A group that is gone already is as wanted.
    let _ = kill_process_group(leader, Signal::KILL);
}
