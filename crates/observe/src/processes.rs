//! How running containers run: the engine's process list of each, reduced to programs and emulators.

use futures_util::{StreamExt, stream};
use silidock_diagnosis::{
    emulator::recognise,
    fact::Fact,
    inventory::{Container, Listing, Process},
};
use silidock_engine::{Engine, TopError};

const AT_ONCE: usize = 16;

/// One process list for each running container.
pub(crate) async fn fill(engine: &Engine, containers: &mut Listing<Container>) {
    let running = containers.items.iter_mut().filter(|c| c.state.has_processes());
    let questions: Vec<_> = running.map(|container| fill_one(engine, container)).collect();
    stream::iter(questions).buffer_unordered(AT_ONCE).collect::<()>().await;
}

async fn fill_one(engine: &Engine, container: &mut Container) {
    container.processes = processes(engine, container).await;
}

async fn processes(engine: &Engine, container: &Container) -> Fact<Vec<Process>> {
    let what = format!("processes of {}", container.name);
    match engine.top(&container.id).await {
        Ok(lines) => Fact::Known(lines.iter().map(|line| process(line.pid, &line.args)).collect()),
        Err(TopError::Gone | TopError::NotRunning) => Fact::unknown(what, "it stopped while it was looked at"),
        Err(error) => Fact::unknown(what, error.to_string()),
    }
}

fn process(pid: u32, args: &str) -> Process {
    let seen = recognise(args);
    Process { pid: pid.to_string(), program: seen.program, emulator: seen.emulator, injected: seen.injected }
}

/// Processor time of each running container, one question each and no second sample.
pub(crate) async fn fill_processor_time(engine: &Engine, containers: &mut Listing<Container>) {
    let running = containers.items.iter_mut().filter(|c| c.state.has_processes());
    let questions: Vec<_> = running.map(|container| fill_one_time(engine, container)).collect();
    stream::iter(questions).buffer_unordered(AT_ONCE).collect::<()>().await;
}

async fn fill_one_time(engine: &Engine, container: &mut Container) {
    let what = format!("processor time of {}", container.name);
    container.cpu_nanoseconds = match engine.cpu_total(&container.id).await {
        Ok(nanoseconds) => Fact::Known(nanoseconds),
        Err(error) if error.is_not_found() => Fact::unknown(what, "it stopped while it was looked at"),
        Err(error) => Fact::unknown(what, error.to_string()),
    };
}
