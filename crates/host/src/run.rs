//! Running a tool: an argument vector, never a shell; a time limit; a limit on what it may print. One that works for
//! long can be followed line by line.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};

use crate::RunError;
use crate::group::Group;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_OUTPUT_LIMIT: usize = 4 * 1024 * 1024;
/// A line of a tool that is followed is cut here.
const LONGEST_LINE: usize = 1024 * 1024;

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
    /// After this long it is killed, and with it what it started.
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
    // Dropping the future drops the group, and that kills it.
    match tokio::time::timeout(tool.timeout, to_end(tool, path)).await {
        Ok(result) => result,
        Err(_) => Err(RunError::TimedOut { tool: tool.tool.clone(), after: tool.timeout }),
    }
}

/// Runs a tool to its end and hands over each line of what it prints, of either stream, as it comes; its exit status.
/// Its output has no limit, each line has one.
pub(crate) async fn follow(
    tool: &ToolRun,
    path: &OsStr,
    line: &mut (dyn FnMut(&str) + Send),
) -> Result<Option<i32>, RunError> {
    let failed = |source| RunError::from_io(&tool.tool, source);
    let following = async {
        let mut group = started(tool, path)?;
        let child = group.leader();
        let mut said = (Lines::of(child.stdout.take()), Lines::of(child.stderr.take()));
        let mut feeding = std::pin::pin!(feed(child.stdin.take(), tool.input.as_deref()));
        let mut fed = false;
        while said.0.open() || said.1.open() {
            let lines = tokio::select! {
                _ = &mut feeding, if !fed => { fed = true; continue }
                lines = said.0.next(), if said.0.open() => lines,
                lines = said.1.next(), if said.1.open() => lines,
            };
            lines.map_err(failed)?.iter().for_each(|text| line(text));
        }
        child.wait().await.map(|status| status.code()).map_err(failed)
    };
    match tokio::time::timeout(tool.timeout, following).await {
        Ok(result) => result,
        Err(_) => Err(RunError::TimedOut { tool: tool.tool.clone(), after: tool.timeout }),
    }
}

/// The lines of a pipe; what is longer than a line may be is cut.
struct Lines<R> {
    pipe: Option<R>,
    unread: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    fn of(pipe: Option<R>) -> Self {
        Self { pipe, unread: Vec::new() }
    }

    fn open(&self) -> bool {
        self.pipe.is_some()
    }

    /// The lines that the next piece ends. Nothing is lost when it is dropped while it waits.
    async fn next(&mut self) -> std::io::Result<Vec<String>> {
        let Some(pipe) = &mut self.pipe else { return Ok(Vec::new()) };
        let mut piece = [0; 16 << 10];
        let length = pipe.read(&mut piece).await?;
        let mut lines = Vec::new();
        for part in piece[..length].split_inclusive(|byte| *byte == b'\n') {
            let room = LONGEST_LINE.saturating_sub(self.unread.len());
            self.unread.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                lines.push(self.take());
            }
        }
        if length == 0 {
            self.pipe = None;
            if !self.unread.is_empty() {
                lines.push(self.take());
            }
        }
        Ok(lines)
    }

    fn take(&mut self) -> String {
        let line = String::from_utf8_lossy(&self.unread).trim_end_matches(['\n', '\r']).to_owned();
        self.unread.clear();
        line
    }
}

fn started(tool: &ToolRun, path: &OsStr) -> Result<Group, RunError> {
    let mut command = Command::new(&tool.tool);
    command
        .args(&tool.args)
        .env("PATH", path)
        .envs(tool.env.iter().map(|(name, value)| (name, value)))
        .stdin(if tool.input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Group::start(command).map_err(|source| RunError::from_io(&tool.tool, source))
}

async fn to_end(tool: &ToolRun, path: &OsStr) -> Result<Output, RunError> {
    let failed = |source| RunError::from_io(&tool.tool, source);
    let mut group = started(tool, path)?;
    let child = group.leader();
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
