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
        YamlEdit::SetPlatform { service, platform } => (service, Some(platform.to_string())),
        YamlEdit::RemovePlatform { service } => (service, None),
    };
    plan.edit(path, diff::CONTEXT, |text| {
        let edited = match (template_ending(path), &platform) {
            (Some(ending), _) => Err(EditRefused::TemplateFile { ending }),
            (None, Some(platform)) => compose::set_platform(text, service, platform),
            (None, None) => compose::remove_platform(text, service),
        };
        edited.map_err(|refused| Refusal {
            why: format!("{}: {refused}", path.display()),
            lines_to_type: refused.lines_to_type(service, platform.as_deref()),
        })
    })?;
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
