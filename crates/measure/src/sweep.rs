//! Removes what a run of this installation left behind that is gone or has let its time pass. Objects of other
//! installations are never touched, nor those of a run that is still busy.

use silidock_diagnosis::fact::Gap;
use silidock_engine::{Engine, EngineError};

use crate::error::MeasureError;
use crate::installation::{Installation, OWNER_LABEL};
use crate::visit::insist;

/// What a sweep did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Swept {
    /// Containers that were removed, by name.
    pub containers: Vec<String>,
    /// Images that were removed, by tag or identifier.
    pub images: Vec<String>,
    /// Networks that were removed, by name.
    pub networks: Vec<String>,
    /// What could not be removed or looked at.
    pub gaps: Vec<Gap>,
}

/// Sweeps one engine. Call it once after connecting, before the first measurement.
///
/// # Errors
/// The engine cannot be asked for its containers.
pub async fn sweep(engine: &Engine, installation: &Installation) -> Result<Swept, MeasureError> {
    let mut swept = Swept::default();
    for container in engine.labelled_containers(OWNER_LABEL).await?.items {
        if installation.abandoned(&container.labels) {
            let name = container.name().to_owned();
            match insist(|| engine.remove_throwaway(&container.id)).await {
                Ok(()) => swept.containers.push(name),
                Err(error) => swept.gaps.push(Gap::new(format!("whether container {name} is gone"), error.to_string())),
            }
        }
    }
    let networks = engine.labelled_networks(OWNER_LABEL).await.map(|networks| networks.items);
    for network in listed(networks, "networks", &mut swept.gaps) {
        if installation.abandoned(&network.labels) {
            let name = network.name;
            match insist(|| engine.remove_network(&name)).await {
                Ok(()) => swept.networks.push(name),
                Err(error) => swept.gaps.push(Gap::new(format!("whether network {name} is gone"), error.to_string())),
            }
        }
    }
    let images = engine.labelled_images(OWNER_LABEL).await.map(|images| images.items);
    for image in listed(images, "images", &mut swept.gaps) {
        if !installation.abandoned(&image.labels) {
            continue;
        }
        let names = if image.repo_tags.is_empty() { vec![image.id] } else { image.repo_tags };
        for name in names {
            match insist(|| engine.remove_image(&name)).await {
                Ok(()) => swept.images.push(name),
                Err(error) => swept.gaps.push(Gap::new(format!("whether image {name} is gone"), error.to_string())),
            }
        }
    }
    if let Err(error) = installation.forget_gone_runs() {
        swept.gaps.push(Gap::new("which earlier runs are gone", error.to_string()));
    }
    Ok(swept)
}

/// What could not be listed is a gap: the rest is removed all the same.
fn listed<T>(list: Result<Vec<T>, EngineError>, kind: &str, gaps: &mut Vec<Gap>) -> Vec<T> {
    list.unwrap_or_else(|error| {
        gaps.push(Gap::new(format!("whether {kind} of ours are left"), error.to_string()));
        Vec::new()
    })
}
