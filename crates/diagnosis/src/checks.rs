//! The catalogue. A check is one file in `checks/`; registering it is the two adjacent lines here.

use crate::check::Check;

pub(crate) mod bad_shebang;
mod build_platforms_conflict;
mod cpu_feature_missing;
mod crash_under_emulation;
pub(crate) mod crlf_script;
mod default_platform_env;
pub(crate) mod empty_executable;
mod emulated_container;
pub(crate) mod emulated_engine;
pub(crate) mod emulator_missing;
pub(crate) mod exec_format_error;
pub(crate) mod foreign_binary;
pub(crate) mod host_binary;
pub(crate) mod missing_interpreter;
pub(crate) mod missing_loader;
mod mixed_container;
mod needless_emulation;
mod no_native_manifest;
mod pin_contradicts_image;
pub(crate) mod pin_missing;
mod pin_needless;
mod pin_unknown_platform;
mod pull_fails;
mod rosetta_kernel_mismatch;
mod rosetta_not_effective;
mod rosetta_off;
mod rosetta_stale;
pub(crate) mod stale_container_image;
mod target_missing;
pub(crate) mod truncated_executable;
pub(crate) mod wrong_label;

/// All checks, in the order they are documented.
pub static CATALOG: &[&Check] = &[
    &emulated_engine::CHECK,
    &mixed_container::CHECK,
    &needless_emulation::CHECK,
    &emulated_container::CHECK,
    &stale_container_image::CHECK,
    &target_missing::CHECK,
    &no_native_manifest::CHECK,
    &pull_fails::CHECK,
    &pin_missing::CHECK,
    &pin_needless::CHECK,
    &pin_contradicts_image::CHECK,
    &build_platforms_conflict::CHECK,
    &pin_unknown_platform::CHECK,
    &default_platform_env::CHECK,
    &emulator_missing::CHECK,
    &rosetta_not_effective::CHECK,
    &rosetta_kernel_mismatch::CHECK,
    &rosetta_off::CHECK,
    &rosetta_stale::CHECK,
    &cpu_feature_missing::CHECK,
    &crash_under_emulation::CHECK,
    &wrong_label::CHECK,
    &exec_format_error::CHECK,
    &crlf_script::CHECK,
    &bad_shebang::CHECK,
    &missing_interpreter::CHECK,
    &missing_loader::CHECK,
    &empty_executable::CHECK,
    &truncated_executable::CHECK,
    &host_binary::CHECK,
    &foreign_binary::CHECK,
];

/// A check by its id.
pub fn find(id: &str) -> Option<&'static Check> {
    CATALOG.iter().copied().find(|check| check.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{check::Verdict, examination::examine};

    #[test]
    fn the_folder_is_the_catalogue() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/checks");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().trim_end_matches(".rs").replace('_', "-"))
            .collect();
        let ids: BTreeSet<String> = CATALOG.iter().map(|check| check.id.to_owned()).collect();
        assert_eq!(files, ids);
        assert_eq!(ids.len(), CATALOG.len(), "ids are unique");
    }

    #[test]
    fn every_example_holds() {
        for check in CATALOG {
            for wanted in [Verdict::Fires, Verdict::Silent] {
                assert!(check.examples.iter().any(|e| e.verdict == wanted), "{} has no {wanted:?} example", check.id);
            }
            for example in check.examples {
                let found = examine(&(example.inventory)());
                let mine: Vec<_> = found.findings.iter().filter(|f| f.check == check.id).collect();
                let fired = if mine.is_empty() { Verdict::Silent } else { Verdict::Fires };
                assert_eq!(fired, example.verdict, "{}: {}", check.id, example.name);
                for finding in mine {
                    assert!(!finding.evidence.is_empty(), "{}: {} has no evidence", check.id, example.name);
                    assert!(!finding.title.is_empty() && !finding.why.is_empty());
                    assert_eq!(finding.severity, check.severity);
                }
            }
        }
    }

    #[test]
    fn examples_hold_mirrored_for_an_engine_of_the_other_architecture() {
        for arch in ["arm64", "amd64"] {
            let fired: BTreeSet<String> =
                examine(&crate::example::everything(arch)).findings.into_iter().map(|f| f.check).collect();
            for id in
                ["emulated-container", "needless-emulation", "mixed-container", "pin-missing", "stale-container-image"]
            {
                assert!(fired.contains(id), "{id} on {arch}: {fired:?}");
            }
        }
    }

    #[test]
    fn superseded_ids_exist() {
        for check in CATALOG {
            for id in check.supersedes {
                assert!(find(id).is_some(), "{} supersedes unknown {id}", check.id);
            }
        }
    }
}
