//! `silidock`: the command line, and `docker silidock` as a plugin of the Docker CLI. A table of contents.
//!
//! Results go to standard output, everything else to standard error.

mod args;
mod commands;
mod output;
mod plugin;

use std::{process::ExitCode, time::SystemTime};

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use args::{Arguments, Command};
use output::Output;

fn main() -> ExitCode {
    let words = match plugin::words(std::env::args_os().collect()) {
        plugin::Call::Metadata => return plugin::print_metadata(),
        plugin::Call::Command(words) => words,
    };
    let arguments = Arguments::parse_from(words);
    let output = Output::new(arguments.json);
    silidock_app::init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.fatal(&format!("No threads could be started: {error}.")),
    };
    let code = runtime.block_on(async {
        let (begun, changes) = (SystemTime::now(), changes(&arguments.command));
        let undoing = matches!(arguments.command, Command::Undo(_));
        // Signals are waited for before anything is begun that one may have to end.
        let (code, ended) = tokio::select! {
            biased;
            code = interrupted() => (code, true),
            code = run(arguments.command, &output) => (code, false),
        };
        silidock_app::settle().await;
        if ended && changes {
            commands::history::how_it_stands(begun, undoing, &output).await;
        }
        code
    });
    // A file being written is finished or was never begun; waiting for a silent engine would only hold the shell.
    runtime.shutdown_background();
    code
}

/// Somebody ends the program. Tools that it runs do not hear that by themselves.
async fn interrupted() -> ExitCode {
    let (Ok(mut hung_up), Ok(mut ended)) = (signal(SignalKind::hangup()), signal(SignalKind::terminate())) else {
        let _ = tokio::signal::ctrl_c().await;
        return ExitCode::from(130);
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => ExitCode::from(130),
        _ = hung_up.recv() => ExitCode::from(129),
        _ = ended.recv() => ExitCode::from(143),
    }
}

/// It is to change something, and not only to show what it would.
fn changes(command: &Command) -> bool {
    match command {
        Command::Fix(options) => options.consent.apply,
        Command::Undo(options) => options.consent.apply,
        Command::Rebuild(options) => options.consent.apply,
        Command::Builders(options) => options.consent.apply,
        Command::Pin(options) => options.consent.apply,
        Command::Unpin(options) => options.consent.apply,
        Command::Explain(options) => options.consent.apply,
        _ => false,
    }
}

async fn run(command: Command, output: &Output) -> ExitCode {
    let result = match command {
        Command::Scan(options) => commands::scan::run(options, output).await,
        Command::Registry(options) => commands::registry::run(options, output).await,
        Command::Builders(options) => commands::builders::run(options, output).await,
        Command::Targets(options) => commands::targets::run(options, output).await,
        Command::Rebuild(options) => commands::rebuild::run(options, output).await,
        Command::Pin(options) => commands::pin::pin(options, output).await,
        Command::Unpin(options) => commands::pin::unpin(options, output).await,
        Command::Fix(options) => commands::fix::run(options, output).await,
        Command::Undo(options) => commands::undo::run(options, output).await,
        Command::History(options) => commands::history::run(options, output).await,
        Command::Report(options) => commands::report::run(options, output).await,
        Command::Emulator(options) => commands::emulator::run(options, output).await,
        Command::WayOut(options) => commands::wayout::run(options, output).await,
        Command::Explain(options) => commands::explain::run(options, output).await,
        Command::Bench(options) => commands::bench::run(*options, output).await,
        Command::Inside(options) => commands::inside::run(options, output).await,
        Command::Engines => commands::engines::run(output).await,
        Command::Checks { id } => commands::checks::run(id.as_deref(), output).await,
        Command::Completions { shell } => commands::completions::run(shell, output),
    };
    result.unwrap_or_else(|failure| output.failure(&failure))
}
