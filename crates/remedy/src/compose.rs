//! The `platform:` of one Compose service, set or removed with every other byte kept.
//!
//! Three parties that do not trust each other: a strict parser says what the file means (`oracle`), a lossless editor
//! and small splices propose a text (`place`), and the parser then judges the proposal: exactly one value differs and
//! exactly one place of the text changed, or the edit is refused with the lines to type by hand. Files, paths and
//! previews are not known here.

mod oracle;
mod place;

use oracle::Document;

/// Why a Compose file is not edited. The words say what is in the way; [`EditRefused::lines_to_type`] has the rest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditRefused {
    /// The text does not parse.
    #[error("this is not valid YAML{}: {what}", at(*.line, *.column))]
    NotYaml {
        /// From 1, where the parser knows it.
        line: Option<usize>,
        /// From 1, where the parser knows it.
        column: Option<usize>,
        /// The parser's words.
        what: String,
    },
    /// A file from which another program makes the Compose file.
    #[error(
        "line {line} has template syntax, so this is not the Compose file itself. Edit the template by hand and render it again."
    )]
    Template {
        /// From 1.
        line: usize,
    },
    /// A file whose name says that it is a template.
    #[error("a .{ending} file is a template, not the Compose file itself. Edit it by hand and render it again.")]
    TemplateFile {
        /// The ending of its name, without the dot.
        ending: String,
    },
    /// Several documents in one file.
    #[error("the file holds {documents} YAML documents, and which of them counts for the service is not certain")]
    MultipleDocuments {
        /// How many.
        documents: usize,
    },
    /// No such service.
    #[error("there is no service {service} in this file{}", known(.services))]
    NoSuchService {
        /// The name that was asked for.
        service: String,
        /// The services that are there.
        services: Vec<String>,
    },
    /// `web:` with nothing under it.
    #[error("the service {service} has nothing under it")]
    EmptyService {
        /// Service name.
        service: String,
    },
    /// `web: text` or a list.
    #[error("the service {service} is not a list of settings, as Compose wants it")]
    NotAService {
        /// Service name.
        service: String,
    },
    /// `web: *other`.
    #[error(
        "the service {service} is only a reference (*{alias}) to settings that stand elsewhere, and other places use them too"
    )]
    Alias {
        /// Service name.
        service: String,
        /// The alias, without the star.
        alias: String,
    },
    /// The service's settings are used by others through an anchor or a merge.
    #[error("the settings of {service} are shared with {} through an anchor, so these would change as well", .others.join(", "))]
    Shared {
        /// Service name.
        service: String,
        /// What would change as well.
        others: Vec<String>,
    },
    /// Other services take the service's settings by `extends`.
    #[error("{} would change as well, because of \"extends: {service}\"", .by.join(", "))]
    Extended {
        /// Service name.
        service: String,
        /// The services that extend it.
        by: Vec<String>,
    },
    /// The service has a `platform:` of its own.
    #[error("the service {service} is already pinned, to {}", if .platform.is_empty() { "nothing: its platform has no value" } else { .platform })]
    AlreadyPinned {
        /// Service name.
        service: String,
        /// As it stands in the file.
        platform: String,
    },
    /// `platform: !reset ..`, of an override file.
    #[error("platform: of {service} is tagged !reset here, which would take a new value back as well")]
    TakenBack {
        /// Service name.
        service: String,
    },
    /// The service gets its `platform:` from elsewhere in the file.
    #[error("the service {service} gets its platform ({platform}) from {from}, which may serve other services too")]
    Inherited {
        /// Service name.
        service: String,
        /// As it stands in the file.
        platform: String,
        /// "a merge (<<)", "extends: base".
        from: String,
    },
    /// Nothing to remove.
    #[error("the service {service} has no platform")]
    NotPinned {
        /// Service name.
        service: String,
    },
    /// Not something that can be written as a platform.
    #[error("\"{platform}\" is not a platform such as linux/amd64")]
    NotAPlatform {
        /// As it was given.
        platform: String,
    },
    /// Every proposal failed the check; the file is written in a way that we do not edit.
    #[error("the file is written in a way that could not be edited with certainty ({why})")]
    Uncertain {
        /// What the check said.
        why: String,
    },
}

impl EditRefused {
    /// What the user can type instead, for a change of `service` to `platform` (`None`: remove). Empty where typing does not help.
    #[must_use]
    pub fn lines_to_type(&self, service: &str, platform: Option<&str>) -> Vec<String> {
        match self {
            Self::NotYaml { .. }
            | Self::NoSuchService { .. }
            | Self::NotPinned { .. }
            | Self::NotAPlatform { .. }
            | Self::AlreadyPinned { .. } => Vec::new(),
            Self::Alias { alias, .. } => match platform {
                Some(platform) => vec![
                    "services:".to_owned(),
                    format!("  {}:", key(service)),
                    format!("    <<: *{alias}"),
                    format!("    platform: {platform}"),
                ],
                None => Vec::new(),
            },
            Self::Template { .. }
            | Self::TemplateFile { .. }
            | Self::MultipleDocuments { .. }
            | Self::EmptyService { .. }
            | Self::NotAService { .. }
            | Self::Shared { .. }
            | Self::Extended { .. }
            | Self::Inherited { .. }
            | Self::TakenBack { .. }
            | Self::Uncertain { .. } => match platform {
                Some(platform) => {
                    vec!["services:".to_owned(), format!("  {}:", key(service)), format!("    platform: {platform}")]
                }
                None => Vec::new(),
            },
        }
    }
}

/// Gives `service` the line `platform: <platform>`: after its `image:`, else after its `build:`, else first;
/// behind a `platform:` that stands there with nothing.
///
/// # Errors
/// See [`EditRefused`]; a service that has a platform of its own is refused, and one that has this one from elsewhere.
pub fn set_platform(text: &str, service: &str, platform: &str) -> Result<String, EditRefused> {
    if !is_platform(platform) {
        return Err(EditRefused::NotAPlatform { platform: platform.to_owned() });
    }
    let document = Document::parse(text)?;
    document.require_editable(service)?;
    document.refuse_taken_back(service)?;
    let expected = document.with_platform(service, Some(platform));
    match document.own_platform(service) {
        // `platform:` with nothing behind it.
        Some(found) if found.is_empty() => {
            let proposals = place::fillings(text, service, platform)?;
            return oracle::choose(&document, service, &expected, proposals, |new| {
                oracle::only_value_changed(text, new)
            });
        }
        Some(found) => return Err(EditRefused::AlreadyPinned { service: service.to_owned(), platform: found }),
        None => {}
    }
    // Its own counts more than what it inherits, and nobody else has it.
    if document.inherited_platform(service).is_some_and(|(inherited, _)| inherited == platform) {
        refuse_inherited(&document, service)?;
    }
    let proposals = match document.is_empty_service(service) {
        true => place::under_nothing(text, service, platform),
        false => place::insertions(text, service, platform)?,
    };
    oracle::choose(&document, service, &expected, proposals, |new| oracle::only_inserted(text, new, platform))
}

/// Gives `service`, which has a `platform:` of its own, another value there; quotes and comments stay.
///
/// # Errors
/// See [`EditRefused`]; a service without a platform of its own is refused.
pub fn change_platform(text: &str, service: &str, platform: &str) -> Result<String, EditRefused> {
    if !is_platform(platform) {
        return Err(EditRefused::NotAPlatform { platform: platform.to_owned() });
    }
    let document = Document::parse(text)?;
    document.require_editable(service)?;
    match document.own_platform(service) {
        None => {
            refuse_inherited(&document, service)?;
            return Err(EditRefused::NotPinned { service: service.to_owned() });
        }
        Some(found) if found == platform => {
            return Err(EditRefused::AlreadyPinned { service: service.to_owned(), platform: found });
        }
        Some(_) => {}
    }
    document.refuse_taken_back(service)?;
    let expected = document.with_platform(service, Some(platform));
    let proposals = place::replacements(text, service, platform)?;
    oracle::choose(&document, service, &expected, proposals, |new| oracle::only_value_changed(text, new))
}

/// Pins `service` in the text of an override file: one that may be empty, or not know the service yet.
///
/// # Errors
/// See [`EditRefused`].
pub fn override_platform(text: &str, service: &str, platform: &str) -> Result<String, EditRefused> {
    if !is_platform(platform) {
        return Err(EditRefused::NotAPlatform { platform: platform.to_owned() });
    }
    let document = Document::parse(text)?;
    if document.has_service(service) {
        return match document.own_platform(service) {
            Some(_) => change_platform(text, service, platform),
            None => set_platform(text, service, platform),
        };
    }
    let expected = document.with_new_service(service, platform);
    let proposals = place::new_services(text, &key(service), platform);
    oracle::choose(&document, service, &expected, proposals, |new| oracle::only_put_in(text, new))
}

/// Takes the `platform:` of `service` out, with its line.
///
/// # Errors
/// See [`EditRefused`]; a service without a platform of its own is refused.
pub fn remove_platform(text: &str, service: &str) -> Result<String, EditRefused> {
    let document = Document::parse(text)?;
    document.require_editable(service)?;
    if document.own_platform(service).is_none() {
        refuse_inherited(&document, service)?;
        return Err(EditRefused::NotPinned { service: service.to_owned() });
    }
    let expected = document.with_platform(service, None);
    let proposals = place::removals(text, service)?;
    oracle::choose(&document, service, &expected, proposals, |new| oracle::only_removed(text, new))
}

fn refuse_inherited(document: &Document, service: &str) -> Result<(), EditRefused> {
    match document.inherited_platform(service) {
        None => Ok(()),
        Some((platform, from)) => Err(EditRefused::Inherited { service: service.to_owned(), platform, from }),
    }
}

/// `os/architecture` or `os/architecture/variant`, of letters that mean nothing to YAML.
fn is_platform(platform: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let parts: Vec<&str> = platform.split('/').collect();
    matches!(parts.len(), 2 | 3)
        && parts.iter().all(|p| p.starts_with(|c: char| c.is_ascii_alphanumeric()) && p.chars().all(plain))
}

/// A service name as it can be typed as a key.
fn key(service: &str) -> String {
    let plain = service.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
        && service.starts_with(char::is_alphabetic);
    if plain { service.to_owned() } else { format!("{service:?}") }
}

fn at(line: Option<usize>, column: Option<usize>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(" (line {line}, column {column})"),
        (Some(line), None) => format!(" (line {line})"),
        (None, _) => String::new(),
    }
}

fn known(services: &[String]) -> String {
    match services {
        [] => ", and no other".to_owned(),
        _ => format!("; it has {}", services.join(", ")),
    }
}
