//! Running a tool: an argument vector, never a shell; a time limit; a limit on what it may print.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};

use crate::RunError;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_OUTPUT_LIMIT: usize = 4 * 1024 * 1024;

/// A tool to run and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolRun {
    /// The program, usually from [`crate::Host::find_tool`].
    pub tool: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables on top of the inherited environment.
    pub env: Vec<(String, String)>,
    /// What it is given to read; nothing at all unless set.
    pub input: Option<String>,
    /// After this long it is killed.
    pub timeout: Duration,
    /// Bytes it may print, per stream.
    pub output_limit: usize,
}

impl ToolRun {
    /// A run with a limit of 10 seconds and 4 MiB of output.
    pub fn new(tool: impl Into<PathBuf>, args: &[&str]) -> Self {
        Self {
            tool: tool.into(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: Vec::new(),
            input: None,
            timeout: DEFAULT_TIMEOUT,
            output_limit: DEFAULT_OUTPUT_LIMIT,
        }
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets what it reads from standard input.
    #[must_use]
    pub fn input(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// Sets the time limit.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the limit on printed bytes, per stream.
    #[must_use]
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }
}

/// What a tool left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// The exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained about.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Whether it ended with status 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.status == Some(0)
    }

    /// Standard output as trimmed text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim().to_owned()
    }
}

pub(crate) async fn run(tool: &ToolRun, path: &OsStr) -> Result<Output, RunError> {
    // Dropping the future drops the child, and that kills it.
    match tokio::time::timeout(tool.timeout, to_end(tool, path)).await {
        Ok(result) => result,
        Err(_) => Err(RunError::TimedOut { tool: tool.tool.clone(), after: tool.timeout }),
    }
}

async fn to_end(tool: &ToolRun, path: &OsStr) -> Result<Output, RunError> {
    let failed = |source| RunError::from_io(&tool.tool, source);
    let mut child = Command::new(&tool.tool)
        .args(&tool.args)
        .env("PATH", path)
        .envs(tool.env.iter().map(|(name, value)| (name, value)))
        .stdin(if tool.input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let stdout = collect(child.stdout.take(), &tool.tool, tool.output_limit);
    let stderr = collect(child.stderr.take(), &tool.tool, tool.output_limit);
    let feed = feed(child.stdin.take(), tool.input.as_deref());
    let (stdout, stderr, ()) = tokio::try_join!(stdout, stderr, feed)?;
    let status = child.wait().await.map_err(failed)?.code();
    Ok(Output { status, stdout, stderr })
}

/// Gives a tool its input and closes the pipe. A tool that does not want it is no failure.
async fn feed(pipe: Option<ChildStdin>, input: Option<&str>) -> Result<(), RunError> {
    if let (Some(mut pipe), Some(input)) = (pipe, input) {
        let _ = pipe.write_all(input.as_bytes()).await;
    }
    Ok(())
}

async fn collect(pipe: Option<impl AsyncRead + Unpin>, tool: &Path, limit: usize) -> Result<Vec<u8>, RunError> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let longest = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        pipe.take(longest).read_to_end(&mut bytes).await.map_err(|source| RunError::from_io(tool, source))?;
    }
    if bytes.len() > limit {
        return Err(RunError::TooMuchOutput { tool: tool.to_owned(), limit });
    }
    Ok(bytes)
}
