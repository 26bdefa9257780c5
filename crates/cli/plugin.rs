//! Being `docker silidock`: the Docker CLI asks a plugin for its metadata, and puts the plugin's name before its words.

use std::{ffi::OsString, io::Write, path::Path, process::ExitCode};

/// How this program was called.
pub enum Call {
    /// The Docker CLI asks what this plugin is.
    Metadata,
    /// A command, the program's name first.
    Command(Vec<OsString>),
}

/// Tells the two apart. Only under the name `docker-silidock` do the Docker CLI's rules hold.
pub fn words(mut words: Vec<OsString>) -> Call {
    let named = |word: &OsString, name: &str| word.to_str() == Some(name);
    let program = words.first().and_then(|word| Path::new(word).file_name()).map(OsString::from);
    if !program.is_some_and(|name| named(&name, "docker-silidock")) {
        return Call::Command(words);
    }
    match words.get(1) {
        Some(first) if named(first, "docker-cli-plugin-metadata") => Call::Metadata,
        Some(first) if named(first, "silidock") => {
            words.remove(1);
            Call::Command(words)
        }
        Some(_) | None => Call::Command(words),
    }
}

/// Prints what the Docker CLI wants to know of a plugin.
pub fn print_metadata() -> ExitCode {
    let metadata = serde_json::json!({
        "SchemaVersion": "0.1.0",
        "Vendor": "Silidock",
        "Version": env!("CARGO_PKG_VERSION"),
        "ShortDescription": env!("CARGO_PKG_DESCRIPTION"),
    });
    match writeln!(std::io::stdout(), "{metadata}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(line: &str) -> Vec<String> {
        match words(line.split(' ').map(OsString::from).collect()) {
            Call::Metadata => vec!["metadata".to_owned()],
            Call::Command(words) => words.iter().map(|w| w.to_string_lossy().into_owned()).collect(),
        }
    }

    #[test]
    fn only_the_plugin_name_brings_the_docker_clis_rules() {
        assert_eq!(call("/x/docker-silidock docker-cli-plugin-metadata"), ["metadata"]);
        assert_eq!(call("/x/docker-silidock silidock scan"), ["/x/docker-silidock", "scan"]);
        assert_eq!(call("/x/docker-silidock scan"), ["/x/docker-silidock", "scan"]);
        assert_eq!(call("silidock silidock"), ["silidock", "silidock"]);
    }
}
