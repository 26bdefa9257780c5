//! Switches at the top of a JSON settings file: read, set and taken out, with every other byte as it is.
//!
//! serde_json says where each value stands and what the text means before and after; an edit that does not mean exactly
//! what was asked is refused. Files are read and written elsewhere.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Why a settings file is not edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonRefused {
    /// Not JSON.
    #[error("it is not valid JSON at line {line}")]
    NotJson {
        /// Line, from 1.
        line: usize,
    },
    /// A key stands there twice, and readers differ about which one counts.
    #[error("{key} stands in it twice")]
    Twice {
        /// The key.
        key: String,
    },
    /// The value is no switch.
    #[error("{key} in it is neither true nor false")]
    NoSwitch {
        /// The key.
        key: String,
    },
    /// The edited text would mean something else than was asked.
    #[error("the edit would have changed more than {key}")]
    Unsure {
        /// The key.
        key: String,
    },
}

/// A value with where it stands.
struct Member<'a> {
    key: String,
    value: &'a RawValue,
}

struct Members<'a>(Vec<Member<'a>>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of settings")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(Member { key, value });
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// A byte-order mark is no part of the JSON.
fn split_mark(text: &str) -> (&str, &str) {
    let mark = text.len() - text.trim_start_matches('\u{feff}').len();
    text.split_at(mark)
}

fn members(json: &str) -> Result<Vec<Member<'_>>, JsonRefused> {
    let members: Members<'_> =
        serde_json::from_str(json).map_err(|error| JsonRefused::NotJson { line: error.line() })?;
    let mut keys: Vec<&str> = members.0.iter().map(|member| member.key.as_str()).collect();
    keys.sort_unstable();
    match keys.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(JsonRefused::Twice { key: pair[0].to_owned() }),
        None => Ok(members.0),
    }
}

/// Where a value stands in the text it was read from.
fn span(json: &str, value: &RawValue) -> Range<usize> {
    let start = value.get().as_ptr() as usize - json.as_ptr() as usize;
    start..start + value.get().len()
}

/// What a switch is set to; none where its key is not there.
///
/// # Errors
/// The text cannot be edited safely.
pub fn switch(text: &str, key: &str) -> Result<Option<bool>, JsonRefused> {
    let found = members(split_mark(text).1)?;
    match found.iter().find(|member| member.key == key).map(|member| member.value.get()) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(JsonRefused::NoSwitch { key: key.to_owned() }),
    }
}

/// The text with the switch set so, or with its key taken out.
///
/// # Errors
/// The text cannot be edited safely.
pub fn set_switch(text: &str, key: &str, wanted: Option<bool>) -> Result<String, JsonRefused> {
    if switch(text, key)? == wanted {
        return Ok(text.to_owned());
    }
    let (mark, json) = split_mark(text);
    let found = members(json)?;
    let place = found.iter().position(|member| member.key == key);
    let edited = match (place, wanted) {
        (Some(place), Some(on)) => spliced(json, span(json, found[place].value), &on.to_string()),
        (None, Some(on)) => inserted(json, &found, key, on),
        (Some(place), None) => without(json, &found, place),
        (None, None) => json.to_owned(),
    };
    let meant = |text: &str| -> Option<Value> { serde_json::from_str(text).ok() };
    let mut expected = meant(json);
    if let Some(Value::Object(table)) = &mut expected {
        match wanted {
            Some(on) => table.insert(key.to_owned(), Value::Bool(on)),
            None => table.shift_remove(key),
        };
    }
    if meant(&edited) != expected || switch(&edited, key)? != wanted {
        return Err(JsonRefused::Unsure { key: key.to_owned() });
    }
    Ok(format!("{mark}{edited}"))
}

fn spliced(text: &str, at: Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &text[..at.start], &text[at.end..])
}

/// After the last member, spaced as that one is.
fn inserted(json: &str, found: &[Member<'_>], key: &str, on: bool) -> String {
    let name = Value::String(key.to_owned());
    let Some(last) = found.last() else {
        let open = json.find('{').map_or(0, |at| at + 1);
        return spliced(json, open..open, &format!("{name}: {on}"));
    };
    let end = span(json, last.value).end;
    let before = match found.len() {
        1 => json.find('{').map_or(0, |at| at + 1),
        n => span(json, found[n - 2].value).end,
    };
    // From the one before to the value: a comma, space, the key, a colon, space.
    let between =
        json[before..span(json, last.value).start].trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    let lead = &json[before..span(json, last.value).start - between.len()];
    let space: String = lead.chars().filter(|c| *c != ',').collect();
    let colon = if between.ends_with(char::is_whitespace) { ": " } else { ":" };
    spliced(json, end..end, &format!(",{space}{name}{colon}{on}"))
}

/// With the comma before it; the first one, with the comma after it.
fn without(json: &str, found: &[Member<'_>], place: usize) -> String {
    let end = span(json, found[place].value).end;
    let open = json.find('{').map_or(0, |at| at + 1);
    let range = match (place, found.len()) {
        (0, 1) => open..end,
        (0, _) => {
            let rest = &json[end..];
            let comma = end + rest.find(',').map_or(0, |at| at + 1);
            open..comma
        }
        _ => span(json, found[place - 1].value).end..end,
    };
    spliced(json, range, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "UseRosetta";

    #[test]
    fn one_switch_changes_and_every_other_byte_stays() {
        for (before, wanted, after) in [
            (
                "{\n  \"A\": 1.50,\n  \"UseRosetta\" :false\n}\n",
                Some(true),
                "{\n  \"A\": 1.50,\n  \"UseRosetta\" :true\n}\n",
            ),
            ("{\n  \"A\": 1.50\n}\n", Some(true), "{\n  \"A\": 1.50,\n  \"UseRosetta\": true\n}\n"),
            (
                "{\r\n\t\"A\": 1e3,\r\n\t\"B\": {\"UseRosetta\": 1}\r\n}",
                Some(false),
                "{\r\n\t\"A\": 1e3,\r\n\t\"B\": {\"UseRosetta\": 1},\r\n\t\"UseRosetta\": false\r\n}",
            ),
            ("{\"A\":[1,2],\"B\":\"x,y\"}", Some(true), "{\"A\":[1,2],\"B\":\"x,y\",\"UseRosetta\":true}"),
            ("{}", Some(true), "{\"UseRosetta\": true}"),
            ("\u{feff}{ \"UseRosetta\": true }", Some(false), "\u{feff}{ \"UseRosetta\": false }"),
            ("{\n  \"A\": 1,\n  \"UseRosetta\": true,\n  \"B\": 2\n}", None, "{\n  \"A\": 1,\n  \"B\": 2\n}"),
            ("{\n  \"UseRosetta\": true,\n  \"B\": 2\n}", None, "{\n  \"B\": 2\n}"),
            ("{\"UseRosetta\": true}", None, "{}"),
            ("{\"B\": 12345678901234567890123}", None, "{\"B\": 12345678901234567890123}"),
        ] {
            let edited = set_switch(before, KEY, wanted).unwrap();
            assert_eq!(edited, after, "{before}");
            assert_eq!(switch(&edited, KEY).unwrap(), wanted);
            let had = switch(before, KEY).unwrap();
            if had.is_none() {
                assert_eq!(set_switch(&edited, KEY, had).unwrap(), before, "and back");
            }
        }
    }

    #[test]
    fn what_is_not_certain_is_refused() {
        let refused = |text: &str| set_switch(text, KEY, Some(true)).unwrap_err();
        assert_eq!(refused("{\n  \"A\": 1, // note\n}"), JsonRefused::NotJson { line: 2 });
        assert_eq!(refused("{\"A\": 1"), JsonRefused::NotJson { line: 1 });
        assert_eq!(refused("[1]"), JsonRefused::NotJson { line: 1 });
        assert_eq!(refused(""), JsonRefused::NotJson { line: 1 });
        assert_eq!(refused("{\"UseRosetta\": 1}"), JsonRefused::NoSwitch { key: KEY.to_owned() });
        assert_eq!(refused("{\"A\": 1, \"A\": 2}"), JsonRefused::Twice { key: "A".to_owned() });
    }
}
