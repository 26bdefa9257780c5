//! Containers that would lose something if another one made way for a new one of its name: they live in its network, among its
//! processes, in its shared memory, or are linked to it. Each is asked, because a list of containers does not say it.

use serde_json::Value;
use silidock_diagnosis::ties::{Lives, Part, Tie, shared};
use silidock_engine::{ContainerDetails, Engine, EngineError};

use super::replacing::{id, name};
use super::service::{PROJECT, SERVICE};
use crate::preview::Refusal;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependent {
    name: String,
    tie: Tie,
    /// Its Compose service, where it is one of the same project.
    service: Option<String>,
    by_name: bool,
}

/// Who depends on a container.
pub(super) async fn of(engine: &Engine, container: &Value) -> Result<Vec<Dependent>, EngineError> {
    let own = id(container);
    let listed = engine.containers_json().await?;
    let mut details: Vec<ContainerDetails> = Vec::new();
    // One that is on its way out holds on to nothing, and cannot always be asked.
    for other in listed.iter().filter(|other| !matches!(other["State"].as_str(), Some("dead" | "removing"))) {
        match engine.inspect_container(id(other)).await {
            Ok(told) => details.push(told),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    let lives = |told: &ContainerDetails| matches!(told.state.as_str(), "running" | "paused" | "restarting");
    let all: Vec<Lives<'_>> = details
        .iter()
        .map(|told| Lives {
            id: &told.id,
            name: &told.name,
            up: lives(told),
            modes: [&told.network_mode, &told.pid_mode, &told.ipc_mode],
        })
        .collect();
    let project = container["Config"]["Labels"][PROJECT].as_str();
    let found = shared(own, &all).into_iter().map(|(other, parts)| {
        let labels = listed.iter().find(|listed| id(listed) == other.id).map(|listed| &listed["Labels"]);
        let labels = labels.filter(|labels| project.is_some() && labels[PROJECT].as_str() == project);
        let part = parts.first().copied().unwrap_or(Part::Network);
        Dependent {
            name: other.name.to_owned(),
            tie: Tie::Shared { by: other.name.to_owned(), part },
            service: labels.and_then(|labels| labels[SERVICE].as_str()).map(str::to_owned),
            by_name: other
                .modes
                .iter()
                .all(|mode| mode.strip_prefix("container:").is_none_or(|reference| reference == name(container))),
        }
    });
    Ok(found.collect())
}

/// Why the container is left alone, and what to type: `up` has Compose make a service anew, where it is one.
pub(super) fn refusal(called: &str, dependents: &[Dependent], up: Option<&dyn Fn(&str) -> String>) -> Option<Refusal> {
    let first = dependents.first()?;
    let also: Vec<&str> = dependents.iter().skip(1).map(|dependent| dependent.name.as_str()).collect();
    let also = if also.is_empty() { String::new() } else { format!("; so do {}", also.join(", ")) };
    let mut lines = Vec::new();
    let mut advice = Vec::new();
    for dependent in dependents {
        match (&dependent.service, up) {
            (Some(service), Some(up)) => lines.push(up(service)),
            (_, Some(_)) if dependent.by_name => lines.push(format!("docker restart {}", dependent.name)),
            (_, None) if dependent.by_name => {
                lines.push(format!("docker stop {}", dependent.name));
                advice.push(format!("stop {0}, and start {0} again afterwards", dependent.name));
            }
            (_, Some(_)) => advice.push(format!("then make {} anew as it was, in the new {called}", dependent.name)),
            (_, None) => {
                lines.push(format!("docker rm --force {}", dependent.name));
                advice.push(format!(
                    "remove {}, with what it wrote outside of volumes, and make it again as it was afterwards, in the new {called}",
                    dependent.name
                ));
            }
        }
    }
    let advice = if advice.is_empty() { String::new() } else { format!("; {}", advice.join("; ")) };
    Some(Refusal { why: format!("{called} is left alone: {}{also}{advice}", first.tie.words()), lines_to_type: lines })
}

/// The name under which another container has a link to this one.
pub(super) async fn link(engine: &Engine, container: &Value) -> Result<Option<String>, EngineError> {
    let all = engine.containers_json().await?;
    let own = all.iter().find(|listed| id(listed) == id(container));
    let names = own.and_then(|own| own["Names"].as_array()).into_iter().flatten().filter_map(Value::as_str);
    Ok(names.map(|name| name.trim_start_matches('/')).find(|name| name.contains('/')).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_type_leads_to_all_being_there_again() {
        let dependent = |name: &str, part, service: Option<&str>, by_name| Dependent {
            name: name.to_owned(),
            tie: Tie::Shared { by: name.to_owned(), part },
            service: service.map(str::to_owned),
            by_name,
        };
        let up = |service: &str| format!("up {service}");
        assert_eq!(refusal("web", &[], Some(&up)), None);
        let both =
            [dependent("p-side-1", Part::Network, Some("side"), false), dependent("s", Part::Memory, None, true)];
        let refused = refusal("p-web-1", &both, Some(&up)).unwrap();
        assert_eq!(refused.lines_to_type, ["up side", "docker restart s"]);
        assert!(
            refused.why.contains("p-side-1 lives in its network") && refused.why.contains("so do s"),
            "{refused:?}"
        );
        let refused = refusal("web", &[dependent("s", Part::Processes, None, true)], None).unwrap();
        assert_eq!(refused.lines_to_type, ["docker stop s"]);
        let refused = refusal("web", &[dependent("s", Part::Network, None, false)], None).unwrap();
        assert_eq!(refused.lines_to_type, ["docker rm --force s"]);
        assert!(refused.why.ends_with("make it again as it was afterwards, in the new web"), "{refused:?}");
    }
}
