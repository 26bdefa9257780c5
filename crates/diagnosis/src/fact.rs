//! A fact is known, or it is a named gap. A gap never reads as "fine".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Something that could not be learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Gap {
    /// What is not known, as a noun: "platform of image web:1".
    pub what: String,
    /// Why, in plain words.
    pub why: String,
}

impl Gap {
    /// A gap from its two halves.
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

/// Known, or a gap in the value's place: in JSON the bare value, or `{"unknown": {"what", "why"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(untagged)]
pub enum Fact<T> {
    /// Not known. First, so that reading JSON tries it first.
    Unknown {
        /// What is missing and why.
        unknown: Gap,
    },
    /// Known.
    Known(T),
}

impl<T> Fact<T> {
    /// A gap in the value's place.
    pub fn unknown(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Unknown { unknown: Gap::new(what, why) }
    }
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown { .. } => None,
        }
    }
    /// The gap, if it is not known.
    pub fn gap(&self) -> Option<&Gap> {
        match self {
            Self::Known(_) => None,
            Self::Unknown { unknown } => Some(unknown),
        }
    }
    /// The same fact about a derived value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(f(value)),
            Self::Unknown { unknown } => Fact::Unknown { unknown },
        }
    }
}

impl<T> From<Gap> for Fact<T> {
    fn from(unknown: Gap) -> Self {
        Self::Unknown { unknown }
    }
}
