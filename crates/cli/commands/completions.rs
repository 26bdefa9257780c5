//! `silidock completions`.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;
use silidock_app::Failure;

use crate::{args::Arguments, output::Output};

pub fn run(shell: Shell, output: &Output) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "silidock", &mut script);
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
