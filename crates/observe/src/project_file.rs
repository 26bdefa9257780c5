//! `.silidock.toml`, a project folder's own word to this program: opening it, and saying of what is not understood where it
//! stands. What its tables mean is read in `deploy` and `silence`.

use std::path::Path;

use silidock_diagnosis::fact::Gap;
use silidock_host::Host;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// Its name.
pub const FILE: &str = ".silidock.toml";
/// Larger files are not written by hand.
const LIMIT: usize = 1 << 20;

/// A key or a value and where it stands.
pub(crate) type Key<'t, 'i> = &'t Spanned<DeString<'i>>;
pub(crate) type Entry<'t, 'i> = &'t Spanned<DeValue<'i>>;

/// The file of one folder, and what of it was not understood.
pub(crate) struct ProjectFile {
    /// Absolute.
    pub path: String,
    text: String,
    /// Each with its line, from 1.
    pub odd: Vec<(Option<u32>, Gap)>,
}

impl ProjectFile {
    /// The file of a folder, if it has one. One that cannot be read has one gap and no tables.
    pub(crate) fn open(host: &dyn Host, folder: &Path) -> Option<Self> {
        let mut file = Self::with(folder, String::new());
        match host.read(&folder.join(FILE), LIMIT).map(String::from_utf8) {
            Ok(Ok(text)) => file.text = text,
            Ok(Err(_)) => file.say(None, "it is not UTF-8 text".to_owned()),
            Err(error) if error.is_missing() => return None,
            Err(error) => file.say(None, error.to_string()),
        }
        Some(file)
    }

    /// The file of a folder as if it had this text.
    pub(crate) fn with(folder: &Path, text: String) -> Self {
        Self { path: folder.join(FILE).display().to_string(), text, odd: Vec::new() }
    }

    /// Its top level, handed to `read` with the file, which takes what it says of what it does not understand.
    pub(crate) fn read<T>(&mut self, read: impl FnOnce(&mut Self, &DeTable<'_>) -> Option<T>) -> Option<T> {
        let text = self.text.clone();
        match DeTable::parse(&text) {
            Ok(root) => read(self, root.get_ref()),
            Err(error) => {
                let line = error.span().and_then(|span| self.line(span.start));
                self.say(line, format!("it is not valid TOML: {}", error.message()));
                None
            }
        }
    }

    fn say(&mut self, line: Option<u32>, why: String) {
        let what = match line {
            Some(line) => format!("line {line} of {}", self.path),
            None => self.path.clone(),
        };
        self.odd.push((line, Gap::new(what, why)));
    }

    /// Something at this byte is not understood.
    pub(crate) fn odd(&mut self, at: usize, why: String) {
        let line = self.line(at);
        self.say(line, why);
    }

    /// Line of a byte, from 1.
    pub(crate) fn line(&self, at: usize) -> Option<u32> {
        let before = self.text.get(..at)?;
        u32::try_from(before.bytes().filter(|byte| *byte == b'\n').count() + 1).ok()
    }

    /// A value as a table.
    pub(crate) fn table<'t, 'i>(
        &mut self,
        value: Entry<'t, 'i>,
        name: &str,
    ) -> Option<Vec<(Key<'t, 'i>, Entry<'t, 'i>)>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table.iter().collect()),
            other => {
                self.odd(value.span().start, format!("{name} is a table, and not {}", other.type_str()));
                None
            }
        }
    }
}
