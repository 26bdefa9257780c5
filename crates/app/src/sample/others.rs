//! The sample's other engines: one thing that is wrong with emulation each, small enough to be read at a glance.

use silidock_diagnosis::{
    crash::{ContainerCrash, RanUnder, explain},
    deploy::{DeployTargets, NamedBuild},
    example::{container, index},
    example_emulation::mac,
    fact::Fact,
    inventory::{Container, Inventory, Listing},
    platform::Platform,
    runtime::EmulatorChoice,
};

use super::used;

/// What names an engine of the sample.
struct Product {
    id: &'static str,
    name: &'static str,
    socket: &'static str,
    host_name: &'static str,
    system: &'static str,
    kernel: &'static str,
    /// File, key and what it holds, of the setting that names the emulator.
    setting: (&'static str, &'static str, &'static str),
}

fn recorded(mut seen: Inventory, product: &Product) -> Inventory {
    let engine = &mut seen.engine;
    product.id.clone_into(&mut engine.runtime.id);
    product.name.clone_into(&mut engine.runtime.name);
    engine.runtime.evidence = format!("its host name is {}", product.host_name);
    engine.endpoint = format!("unix://{}", product.socket);
    engine.context = None;
    engine.chosen_by = format!("you chose {}", product.id);
    engine.host_name = Some(product.host_name.to_owned());
    engine.operating_system = Some(product.system.to_owned());
    engine.kernel = Some(product.kernel.to_owned());
    if let Fact::Known(all) = &mut seen.emulation.runtimes {
        for settings in all {
            product.id.clone_into(&mut settings.runtime);
            product.name.clone_into(&mut settings.name);
            if let Fact::Known(set) = &mut settings.emulator {
                let (place, key, written) = product.setting;
                place.clone_into(&mut set.place);
                set.key = Some(key.to_owned());
                written.clone_into(&mut set.written);
            }
        }
    }
    seen
}

/// Rosetta is set and QEMU runs; two containers crashed under it.
pub(super) fn podman() -> Inventory {
    let product = Product {
        id: "podman",
        name: "Podman",
        socket: "/Users/sam/.local/share/containers/podman/machine/podman.sock",
        host_name: "localhost.localdomain",
        system: "fedora",
        kernel: "6.17.7-300.fc43.aarch64",
        setting: ("/Users/sam/.config/containers/containers.conf", "machine.rosetta", "true"),
    };
    let mut seen = recorded(mac(EmulatorChoice::Rosetta, "qemu"), &product);
    seen.engine.runtime.evidence = "one of its components is Podman Engine".to_owned();
    if let Fact::Known(all) = &mut seen.emulation.effective {
        for proven in all {
            proven.version = Some("10.0.13".to_owned());
            proven.features = Fact::Known(vec!["sse4_2".to_owned()]);
        }
    }
    let database = container("db").image("acme/ledger:4").platform("linux/amd64");
    let running = used(database.processes(&["/usr/bin/qemu-x86_64 /usr/bin/ledger ledger"]), 4_410, "Up 7 hours");
    let mongo = ended("mongo", "mongo:8", "Exited (132) 20 minutes ago");
    let build = ended("go-build", "golang:1.25", "Exited (139) 2 hours ago");
    seen.emulation.crashes = vec![
        crash(
            &mongo,
            132,
            "WARNING: MongoDB 5.0+ requires a CPU with AVX support, and your current system does not appear to have that!",
        ),
        crash(&build, 139, "qemu: uncaught target signal 11 (Segmentation fault) - core dumped"),
    ];
    seen.containers = Listing::of(vec![running, mongo, build]);
    seen
}

/// QEMU is set, and Rosetta would do; what is built here for ARM is deployed on Intel.
pub(super) fn lima() -> Inventory {
    let product = Product {
        id: "lima",
        name: "Lima (docker)",
        socket: "/Users/sam/.lima/docker/sock/docker.sock",
        host_name: "lima-docker",
        system: "Ubuntu 25.10",
        kernel: "6.17.0-8-generic",
        setting: ("/Users/sam/.lima/docker/lima.yaml", "vmOpts.vz.rosetta.enabled", "false"),
    };
    let mut seen = recorded(mac(EmulatorChoice::Qemu, "qemu"), &product);
    if let Fact::Known(all) = &mut seen.emulation.runtimes {
        all.iter_mut().for_each(|settings| settings.instance = Some("docker".to_owned()));
    }
    let (reference, context) = ("docker.io/acme/checkout:3".to_owned(), "/Users/sam/code/checkout".to_owned());
    seen.images = Listing::of(vec![index("acme/checkout:3", &[("linux/arm64", true)])]);
    seen.deploy.projects = vec![DeployTargets {
        folder: context.clone(),
        path: Some(format!("{context}/.silidock.toml")),
        line: Some(2),
        targets: Platform::linux("amd64").into_iter().collect(),
        ..DeployTargets::default()
    }];
    seen.deploy.named = vec![NamedBuild { reference, context }];
    seen
}

/// Rosetta is set and nothing runs Intel programs.
pub(super) fn rancher() -> Inventory {
    let product = Product {
        id: "rancher-desktop",
        name: "Rancher Desktop",
        socket: "/Users/sam/.rd/docker.sock",
        host_name: "lima-rancher-desktop",
        system: "Alpine Linux v3.24",
        kernel: "6.18.37-0-virt",
        setting: ("/Users/sam/Library/Preferences/rancher-desktop/settings.json", "virtualMachine.useRosetta", "true"),
    };
    let mut seen = recorded(mac(EmulatorChoice::Rosetta, "none"), &product);
    seen.containers = Listing::of(vec![ended("report", "acme/report:2", "Exited (255) 3 minutes ago")]);
    seen
}

/// An older Mac, whose Rosetta cannot live with the machine's newer kernel.
pub(super) fn finch() -> Inventory {
    let product = Product {
        id: "finch",
        name: "Finch",
        socket: "/Applications/Finch/lima/data/finch/sock/finch.sock",
        host_name: "lima-finch",
        system: "Fedora Linux 43",
        kernel: "6.18.4-200.fc43.aarch64",
        setting: ("/Users/sam/.finch/finch.yaml", "rosetta", "true"),
    };
    let mut seen = recorded(mac(EmulatorChoice::Rosetta, "none"), &product);
    seen.host.os_version = Some("15.7.2".to_owned());
    seen.host.cpu = Some("Apple M2".to_owned());
    seen.containers = Listing::of(vec![ended("report", "acme/report:2", "Exited (133) 3 minutes ago")]);
    seen
}

fn ended(name: &str, image: &str, status: &str) -> Container {
    used(container(name).image(image).platform("linux/amd64").stopped(), 0, status)
}

fn crash(of: &Container, code: i64, line: &str) -> ContainerCrash {
    let matches = explain([line], RanUnder::Emulator("qemu"), Some(code));
    ContainerCrash { container: of.name.clone(), exit_code: Some(code), matches }
}
