//! What a person should know before a build begins: what its names mean now, and what makes the result another than wanted.

use silidock_diagnosis::{compose::Pin, fact::Fact, platform::Platform, reference::normalise};
use silidock_remedy::build::KEPT;

use super::origin::Origin;
use super::plan::Site;
use super::wire::ImageState;

impl Site<'_> {
    /// What a person should know before it begins.
    pub(super) fn tell(
        &self,
        origin: &Origin,
        wanted: &[Platform],
        before: Option<&ImageState>,
        load: bool,
        told: &mut Vec<String>,
    ) {
        let reference = origin.source.tags.first().cloned().unwrap_or_default();
        match (load, before) {
            (true, Some(before)) => {
                let platforms = if before.platforms.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", before.platforms.join(", "))
                };
                told.push(format!(
                    "What {reference} means now{platforms} is kept as a tag of {KEPT}, and undo brings it back."
                ));
                let containers = self.inventory.containers.items.iter();
                let of_it = containers.filter(|container| normalise(&container.image) == normalise(&reference));
                let names: Vec<&str> = of_it.map(|container| container.name.as_str()).collect();
                if !names.is_empty() && !self.request.recreate {
                    told.push(format!(
                        "{} goes on with the image from before until it is made anew.",
                        names.join(" and ")
                    ));
                }
            }
            (true, None) => told.push(format!("There is no {reference} on the engine yet.")),
            (false, _) => told.push(pushed(&origin.source.tags)),
        }
        if !origin.source.arguments.is_empty() {
            let names: Vec<&str> = origin.source.arguments.keys().map(String::as_str).collect();
            told.push(format!("Values of {} are handed over and not shown.", names.join(", ")));
        }
        told.extend(self.obstacles(origin, wanted));
    }

    /// What makes the result another platform than wanted, or unused.
    fn obstacles(&self, origin: &Origin, wanted: &[Platform]) -> Vec<String> {
        let Some((project, service)) = origin.service.as_ref().and_then(|name| name.split_once('/')) else {
            return Vec::new();
        };
        let Some(project) = self.inventory.projects.iter().find(|known| known.name == project) else {
            return Vec::new();
        };
        let mut told = Vec::new();
        if let Ok(Pin::Pinned { path, value, .. }) = project.pin(service)
            && let Ok(pinned) = value.parse::<Platform>()
            && !wanted.contains(&pinned)
            && !self.request.recreate
        {
            told.push(format!(
                "{path} pins {service} to {pinned}, so Compose does not run another platform until: silidock unpin {path} {service}"
            ));
        }
        let services = project.files.iter().filter_map(|file| file.services.known()).flatten();
        let build = services.filter(|known| known.name == service).find_map(|known| known.build.as_ref());
        let last = build.and_then(|build| Some((build.dockerfile.as_deref()?, build.stages.last()?)));
        if let Some((dockerfile, stage)) = last
            && let Some(Fact::Known(fixed)) = &stage.platform
            && wanted.iter().any(|platform| platform != fixed)
        {
            let line = stage.line.map(|line| format!(":{line}")).unwrap_or_default();
            told.push(format!(
                "{dockerfile}{line} says {}, so the result holds programs for {fixed} whatever is asked for.",
                stage.text
            ));
        }
        told
    }
}

/// What a registry has under a name is no longer to be had by that name, and nobody keeps it.
fn pushed(tags: &[String]) -> String {
    let full: Vec<String> = tags.iter().filter_map(|tag| normalise(tag)).collect();
    let mut hosts: Vec<&str> = full.iter().filter_map(|full| Some(full.split_once('/')?.0)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let called =
        |host: &&str| if *host == "docker.io" { "docker.io (Docker Hub)".to_owned() } else { (*host).to_owned() };
    let hosts: Vec<String> = hosts.iter().map(called).collect();
    let tags = tags.join(" and ");
    format!(
        "The result goes to {} as {tags}. What {tags} means there is replaced, and undo cannot bring it back; the engine's own images \
         stay as they are.",
        hosts.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_result_is_pushed_to_is_named() {
        for (tags, host) in [
            (&["acme/web:1"][..], "docker.io (Docker Hub)"),
            (&["web"], "docker.io (Docker Hub)"),
            (&["ghcr.io/acme/web:1", "ghcr.io/acme/web:2"], "ghcr.io"),
            (&["localhost:5000/web", "acme/web"], "docker.io (Docker Hub) and localhost:5000"),
        ] {
            let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
            let told = pushed(&tags);
            assert!(told.starts_with(&format!("The result goes to {host} as {}.", tags.join(" and "))), "{told}");
            assert!(told.contains("is replaced, and undo cannot bring it back"), "{told}");
        }
    }
}
