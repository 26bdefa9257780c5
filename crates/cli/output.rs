//! Where words go: results to standard output, everything else to standard error. Text from an engine is made
//! harmless for a terminal here.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use serde::Serialize;
use silidock_app::{Failure, diagnosis::schema::Schema, report::visible, schemas::FailureDocument};

/// How results are printed.
pub struct Output {
    /// One JSON document instead of text.
    pub json: bool,
    color: bool,
}

/// How a word stands out on a terminal.
#[derive(Debug, Clone, Copy)]
pub enum Style {
    Strong,
    Dim,
    Broken,
    Slow,
    Added,
    Removed,
}

impl Output {
    pub fn new(json: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { json, color: wanted && std::io::stdout().is_terminal() }
    }

    /// A word in a style, where standard output is a terminal.
    pub fn styled(&self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Strong => "1",
            Style::Dim => "2",
            Style::Broken | Style::Removed => "31",
            Style::Slow => "33",
            Style::Added => "32",
        };
        let text = shown(text);
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text }
    }

    /// Prints a result.
    pub fn print(&self, text: &str) -> Result<(), Failure> {
        write_all(text.as_bytes())
    }

    /// Prints a document.
    pub fn document(&self, document: &impl Serialize) -> Result<(), Failure> {
        let json = serde_json::to_string_pretty(document).map_err(|error| {
            Failure::new(silidock_app::FailureCode::File, format!("The document could not be made: {error}."))
        })?;
        write_all(format!("{json}\n").as_bytes())
    }

    /// Says something that is not a result.
    pub fn say(&self, text: &str) {
        // Nobody reads standard error: then nobody misses it.
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Tells a failure and gives its exit status.
    pub fn failure(&self, failure: &Failure) -> ExitCode {
        if self.json {
            let document = FailureDocument { schema: Schema, failure: failure.clone() };
            if self.document(&document).is_ok() {
                return ExitCode::from(2);
            }
        }
        self.say(&format!("silidock: {}", shown(&failure.message)));
        if let Some(hint) = &failure.hint {
            self.say(&format!("  {}", shown(hint)));
        }
        for line in &failure.detail {
            self.say(&format!("  - {}", shown(line)));
        }
        ExitCode::from(2)
    }

    /// Tells a failure that has no details.
    pub fn fatal(&self, message: &str) -> ExitCode {
        self.failure(&Failure::new(silidock_app::FailureCode::File, message))
    }
}

fn write_all(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        // `silidock scan | head` is no failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            Err(Failure::new(silidock_app::FailureCode::File, format!("The result could not be printed: {error}.")))
        }
    }
}

/// Text from elsewhere, harmless on a terminal: control characters and direction marks made visible.
pub fn shown(text: &str) -> String {
    visible(text).into_owned()
}

/// A table without lines, as wide as the terminal.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header.to_vec());
    table
}

/// A word as it can be typed in a shell.
pub fn typed(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
