//! Reading an engine's JSON entry by entry, so that one odd entry does not lose the list.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A list, and what of it could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The entries that could be read, in the engine's order.
    pub items: Vec<T>,
    /// The others. A caller counts them: they exist on the engine.
    pub unreadable: Vec<Unreadable>,
}

/// An entry of a list that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its place in the engine's list, from 0.
    pub index: usize,
    /// The reason.
    pub why: String,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { items: Vec::new(), unreadable: Vec::new() }
    }
}

impl<T: DeserializeOwned> Listing<T> {
    /// Reads a JSON array; `null` is an empty one.
    pub(crate) fn parse(bytes: &[u8]) -> serde_json::Result<Self> {
        let entries: Option<Vec<&RawValue>> = serde_json::from_slice(bytes)?;
        Ok(Self::gather(entries.unwrap_or_default()))
    }

    fn gather<'a>(entries: impl IntoIterator<Item = &'a RawValue>) -> Self {
        let mut listing = Self::default();
        for (index, entry) in entries.into_iter().enumerate() {
            match serde_json::from_str(entry.get()) {
                Ok(item) => listing.items.push(item),
                Err(error) => listing.unreadable.push(Unreadable { index, why: reason(&error) }),
            }
        }
        listing
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Listing<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Option::<Vec<Box<RawValue>>>::deserialize(deserializer)?.unwrap_or_default();
        Ok(Self::gather(entries.iter().map(AsRef::as_ref)))
    }
}

/// What is wrong with a JSON text, without its content: that may hold secrets.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Syntax => format!("it is not JSON ({place})"),
        serde_json::error::Category::Eof => "it ends too early".to_owned(),
        serde_json::error::Category::Data => {
            let text = error.to_string();
            let missing = text.split(" at line ").next().filter(|text| text.starts_with("missing field"));
            missing.map_or_else(|| format!("a value has an unexpected type ({place})"), str::to_owned)
        }
        serde_json::error::Category::Io => "it could not be read".to_owned(),
    }
}

/// Go writes an empty list, map or text as `null`.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A value nobody depends on: of an unexpected type it counts as not told.
pub(crate) fn if_readable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}
