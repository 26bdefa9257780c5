//! A Compose service's `platform:`. How the text is edited is `compose`'s business.

use std::path::Path;

use silidock_diagnosis::fix::YamlEdit;

use crate::compose::{self, EditRefused};
use crate::diff;
use crate::plan::Plan;
use crate::preview::Refusal;

/// Endings of files from which a program makes the Compose file: an edit would be lost, or break the program.
const TEMPLATES: [&str; 8] = ["j2", "jinja", "jinja2", "tmpl", "tpl", "gotmpl", "erb", "mustache"];

pub(super) fn add(path: &str, edit: &YamlEdit, plan: &mut Plan) -> Result<(), Refusal> {
    let path = Path::new(path);
    let (service, platform) = match edit {
        YamlEdit::SetPlatform { service, platform }
        | YamlEdit::ChangePlatform { service, platform }
        | YamlEdit::OverridePlatform { service, platform } => (service, Some(platform.to_string())),
        YamlEdit::RemovePlatform { service } => (service, None),
    };
    let wanted = platform.as_deref().unwrap_or_default();
    let change = |text: &str| {
        let edited = match (template_ending(path), edit) {
            (Some(ending), _) => Err(EditRefused::TemplateFile { ending }),
            (None, YamlEdit::SetPlatform { .. }) => compose::set_platform(text, service, wanted),
            (None, YamlEdit::ChangePlatform { .. }) => compose::change_platform(text, service, wanted),
            (None, YamlEdit::OverridePlatform { .. }) => compose::override_platform(text, service, wanted),
            (None, YamlEdit::RemovePlatform { .. }) => compose::remove_platform(text, service),
        };
        edited.map_err(|refused| Refusal {
            why: format!("{}: {refused}", path.display()),
            lines_to_type: refused.lines_to_type(service, platform.as_deref()),
        })
    };
    match edit {
        YamlEdit::OverridePlatform { .. } => plan.edit_or_make(path, diff::CONTEXT, change)?,
        YamlEdit::SetPlatform { .. } | YamlEdit::ChangePlatform { .. } | YamlEdit::RemovePlatform { .. } => {
            plan.edit(path, diff::CONTEXT, change)?;
        }
    }
    plan.told.push(format!(
        "Nothing is restarted. {service} follows the new setting when its container is created again, for example by \
         \"docker compose up -d {service}\"."
    ));
    Ok(())
}

fn template_ending(path: &Path) -> Option<String> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    TEMPLATES.contains(&ending.as_str()).then_some(ending)
}
