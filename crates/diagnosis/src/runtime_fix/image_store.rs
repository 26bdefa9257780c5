//! Switching on containerd's image store, where a tag holds several platforms: by the runtime's own setting where that is known,
//! else by the engine's configuration, which is shown and never edited here.

use super::{Change, Prepared, Refusal, prepare, refuse, rows};
use crate::{
    fix::{Safety, Step},
    inventory::{ImageStore, Inventory},
    runtime::version_numbers,
};

/// Older engines have no such store.
const FIRST: u32 = 23;

/// The switch for this engine.
///
/// # Errors
/// It is on, the engine does not say which store it has, or has none to choose.
pub fn image_store(inventory: &Inventory) -> Result<Prepared, Refusal> {
    let engine = &inventory.engine;
    match engine.image_store {
        ImageStore::Classic => {}
        ImageStore::Containerd => return refuse("this engine keeps its images in containerd's store already"),
        ImageStore::Unknown => return refuse("this engine does not say how it keeps images"),
    }
    if engine.runtime.id == "podman" {
        return refuse("Podman keeps images its own way, and has no such switch");
    }
    if version_numbers(&engine.version).first().is_some_and(|major| *major < FIRST) {
        return refuse(format!(
            "Engine {} has no other image store; version {FIRST} is the first that has",
            engine.version
        ));
    }
    match inventory.emulation.settings_of(engine).map(|settings| prepare(settings, Change::ContainerdStore)) {
        Ok(Ok(prepared)) => Ok(prepared),
        Ok(Err(refusal))
            if inventory.emulation.settings_of(engine).is_ok_and(|settings| !settings.locks.is_empty()) =>
        {
            Err(refusal)
        }
        Ok(Err(_)) | Err(_) => Ok(by_hand(&engine.runtime.id)),
    }
}

/// What is known of engines in general.
fn by_hand(runtime: &str) -> Prepared {
    let (place, commands) = match runtime {
        "docker-engine" => (
            "In /etc/docker/daemon.json (of an engine that runs for one user, ~/.config/docker/daemon.json)",
            vec![["sudo", "systemctl", "restart", "docker"].map(str::to_owned).to_vec()],
        ),
        _ => ("In the daemon.json of the engine, inside its machine,", Vec::new()),
    };
    let mut steps = vec![Step::Tell { text: format!("{place} {}", rows::DAEMON), commands: Vec::new() }];
    steps.push(Step::Tell { text: "Restart the engine.".to_owned(), commands });
    Prepared { summary: rows::HIDDEN.to_owned(), safety: Safety::ShowOnly, steps, runtime: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        example_emulation::{mac, settings},
        runtime::{EmulatorChoice, SettingLock},
    };

    fn of(runtime: &str, store: ImageStore) -> Inventory {
        let mut inventory = mac(EmulatorChoice::Qemu, "qemu");
        inventory.engine.image_store = store;
        inventory.engine.version = "28.5.1".to_owned();
        inventory.engine.runtime.id = runtime.to_owned();
        inventory.emulation.runtimes = crate::fact::Fact::Known(vec![settings(runtime, Some("work"))]);
        inventory
    }

    #[test]
    fn each_runtime_has_its_way_and_says_what_is_hidden() {
        for (runtime, safety, says) in [
            ("docker-desktop", Safety::Review, "UseContainerdSnapshotter"),
            ("orbstack", Safety::ShowOnly, ".orbstack/config/docker.json"),
            ("colima", Safety::ShowOnly, "profile work set, below docker:"),
            ("rancher-desktop", Safety::ShowOnly, "inside its machine"),
            ("docker-engine", Safety::ShowOnly, "/etc/docker/daemon.json"),
        ] {
            let prepared = image_store(&of(runtime, ImageStore::Classic)).unwrap();
            assert_eq!((prepared.safety, prepared.runtime.is_some()), (safety, safety == Safety::Review), "{runtime}");
            assert!(format!("{:?}", prepared.steps).contains(says), "{runtime}: {:?}", prepared.steps);
            assert!(prepared.summary.contains("not shown until it is switched back"), "{runtime}");
        }
        let back = image_store(&of("docker-desktop", ImageStore::Classic)).unwrap().runtime.unwrap().back;
        assert_eq!(back.len(), 3, "what runs has a way back");
    }

    #[test]
    fn some_have_no_such_switch() {
        for (runtime, store, version, why) in [
            ("docker-desktop", ImageStore::Containerd, "28.5.1", "already"),
            ("docker-desktop", ImageStore::Unknown, "28.5.1", "does not say"),
            ("podman", ImageStore::Classic, "6.0.0", "no such switch"),
            ("docker-engine", ImageStore::Classic, "20.10.24+dfsg1", "version 23"),
        ] {
            let mut inventory = of(runtime, store);
            inventory.engine.version = version.to_owned();
            assert!(image_store(&inventory).unwrap_err().why.contains(why), "{runtime} {version}");
        }
        let lock = |key: &str| {
            let mut inventory = of("docker-desktop", ImageStore::Classic);
            if let crate::fact::Fact::Known(all) = &mut inventory.emulation.runtimes {
                let (place, key) = ("/admin.json".to_owned(), key.to_owned());
                all[0].locks = vec![SettingLock { place, key, value: None }];
            }
            image_store(&inventory)
        };
        assert!(lock("useContainerdSnapshotter").unwrap_err().why.contains("/admin.json"));
        assert!(lock("useVirtualizationFrameworkRosetta").is_ok(), "that is about something else");
    }
}
