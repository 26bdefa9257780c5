//! Where in a `.silidock.toml` its deploy targets stand, for somebody who wants to change them there. What they say is read by
//! [`crate::deploy`]; nothing is written here.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where the targets of a folder stand, or belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The list itself.
    List {
        /// Its line, from 1.
        line: u32,
        /// First byte of it in that line.
        start: usize,
        /// The byte after its last in that line.
        end: usize,
    },
    /// `[deploy]` stands in this line, from 1, and has no list.
    Table(u32),
    /// There is no `[deploy]`.
    Nowhere,
}

/// Finds it.
///
/// # Errors
/// Why no single line could be changed, as the end of a sentence.
pub fn place(text: &str) -> Result<Place, String> {
    let root = DeTable::parse(text).map_err(|error| format!("it is not valid TOML: {}", error.message()))?;
    let deploy = root.get_ref().iter().find(|(key, _)| key.get_ref().as_ref() == "deploy").map(|(_, value)| value);
    let Some(deploy) = deploy else { return Ok(Place::Nowhere) };
    let DeValue::Table(table) = deploy.get_ref() else {
        return Err("deploy is no table".to_owned());
    };
    if let Some((_, list)) = table.iter().find(|(key, _)| key.get_ref().as_ref() == "targets") {
        return list_of(text, list);
    }
    let is_header = |line: &str| line.split('#').next().unwrap_or_default().trim() == "[deploy]";
    if let Some(at) = text.lines().position(is_header) {
        return u32::try_from(at + 1).map(Place::Table).map_err(|_| "it is too long".to_owned());
    }
    let only_tables = table.iter().all(|(_, value)| matches!(value.get_ref(), DeValue::Table(_)));
    let headed = text.lines().any(|line| line.trim_start().starts_with("[deploy."));
    match only_tables && headed {
        true => Ok(Place::Nowhere),
        false => Err("[deploy] does not stand in a line of its own".to_owned()),
    }
}

fn list_of(text: &str, list: &Spanned<DeValue<'_>>) -> Result<Place, String> {
    let span = list.span();
    let before = text.get(..span.start).unwrap_or_default();
    let written = text.get(span.clone()).unwrap_or_default();
    if written.contains('\n') {
        return Err("its targets are spread over several lines".to_owned());
    }
    let begins = before.rfind('\n').map_or(0, |at| at + 1);
    let line = u32::try_from(before.matches('\n').count() + 1).map_err(|_| "it is too long".to_owned())?;
    let whole = text.get(begins..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    match whole.trim_start().starts_with("targets") {
        true => Ok(Place::List { line, start: span.start - begins, end: span.end - begins }),
        false => Err("its targets do not stand in a line of their own".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_its_table_or_that_there_is_none() {
        let rows = [
            ("", Ok(Place::Nowhere)),
            ("# only words\n", Ok(Place::Nowhere)),
            ("[deploy]\n", Ok(Place::Table(1))),
            ("# x\r\n[deploy] # where it runs\r\n[deploy.services.web]\r\ntargets = []\r\n", Ok(Place::Table(2))),
            ("[deploy.services.web]\ntargets = [\"linux/arm64\"]\n", Ok(Place::Nowhere)),
            ("[deploy]\n  targets = [\"linux/amd64\"] # prod\n", Ok(Place::List { line: 2, start: 12, end: 27 })),
            ("[deploy]\ntargets = [\n  \"linux/amd64\",\n]\n", Err("several lines")),
            ("deploy = { targets = [\"linux/amd64\"] }\n", Err("a line of their own")),
            ("deploy.targets = [\"linux/amd64\"]\n", Err("a line of their own")),
            ("deploy = { services = {} }\n", Err("a line of its own")),
            ("deploy = 3\n", Err("no table")),
            ("[deploy\n", Err("not valid TOML")),
        ];
        for (text, expected) in rows {
            match (place(text), expected) {
                (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{text}"),
                (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
                (found, wanted) => assert!(found.is_ok() == wanted.is_ok(), "{text}: {found:?}"),
            }
        }
    }
}
