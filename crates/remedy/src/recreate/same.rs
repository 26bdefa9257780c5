//! A container's configuration as the engine tells it, made into what the engine wants for making one like it. Keys that are
//! not known here are carried along. Pure: no engine is asked.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use silidock_diagnosis::ties::Tie;

/// What makes a container like another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Likeness {
    /// The body of the request.
    pub body: Value,
    /// Further networks it is put into before it starts, with their settings.
    pub networks: Vec<Endpoint>,
}

/// A network, and how a container is in it.
type Endpoint = (String, Value);

/// Which values of the old image stay as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Image {
    /// The new image is another one, whose own defaults take the place of the old one's.
    Another,
    /// It is made from the same image again, so all stays.
    Same,
}

/// What an endpoint of a network tells of a container that runs; the rest is how it was asked for.
const OPERATIONAL: [&str; 10] = [
    "NetworkID",
    "EndpointID",
    "Gateway",
    "IPAddress",
    "IPPrefixLen",
    "IPv6Gateway",
    "GlobalIPv6Address",
    "GlobalIPv6PrefixLen",
    "MacAddress",
    "DNSNames",
];

/// Why a container is not one that can be made again like this.
pub(super) fn refusal(container: &Value) -> Option<String> {
    let label = |key: &str| container["Config"]["Labels"].get(key).is_some();
    if container["HostConfig"]["AutoRemove"] == true {
        return Some(Tie::RemovedOnStop.words());
    }
    for (key, who) in [("com.docker.swarm.task.id", "Swarm"), ("io.kubernetes.pod.name", "Kubernetes")] {
        if label(key) {
            return Some(format!("{who} made it and would replace whatever is put in its place; change it there"));
        }
    }
    match container["State"]["Status"].as_str() {
        Some("paused") => Some("it is paused; let it go on first".to_owned()),
        Some("removing" | "dead") => Some("the engine is removing it".to_owned()),
        _ => None,
    }
}

/// The likeness of `container`, made from `image` (what its image says of itself) under `reference`.
pub(super) fn likeness(
    container: &Value,
    image: &Value,
    made_from: Image,
    reference: &str,
    endpoint_mac: bool,
) -> Likeness {
    let mut config = container["Config"].as_object().cloned().unwrap_or_default();
    let mut host = container["HostConfig"].as_object().cloned().unwrap_or_default();
    config.insert("Image".to_owned(), json!(reference));
    command(&mut config, &image["Config"], made_from);
    if made_from == Image::Another {
        leave_to_image(&mut config, &image["Config"]);
    }
    let id = container["Id"].as_str().unwrap_or_default();
    let short = id.get(..12).unwrap_or(id);
    let joined = host.get("NetworkMode").and_then(Value::as_str).is_some_and(|mode| mode.starts_with("container:"));
    let machine_name = host.get("UTSMode").and_then(Value::as_str) == Some("host");
    if joined || machine_name || config.get("Hostname").and_then(Value::as_str) == Some(short) {
        config.remove("Hostname");
    }
    if joined {
        config.remove("Domainname");
        config.remove("ExposedPorts");
    }
    volumes(&mut host, container);
    links(&mut host);
    let (first, networks) = endpoints(container, &host, &mut config, short, endpoint_mac);
    config.insert("HostConfig".to_owned(), Value::Object(host));
    if let Some((name, settings)) = first {
        config.insert("NetworkingConfig".to_owned(), json!({ "EndpointsConfig": { name: settings } }));
    }
    Likeness { body: Value::Object(config), networks }
}

/// Entry point and command: an engine takes an image's command only where nobody gave an entry point.
fn command(config: &mut Map<String, Value>, image: &Value, made_from: Image) {
    let empty = |value: Option<&Value>| value.is_none_or(|v| v.is_null() || v.as_array().is_some_and(Vec::is_empty));
    let own_entry = config.get("Entrypoint") != image.get("Entrypoint")
        && !(empty(config.get("Entrypoint")) && empty(image.get("Entrypoint")));
    if empty(config.get("Entrypoint")) && !empty(image.get("Entrypoint")) {
        // How an engine is told to have none.
        config.insert("Entrypoint".to_owned(), json!([""]));
        return;
    }
    if !own_entry && made_from == Image::Another {
        config.remove("Entrypoint");
        if config.get("Cmd") == image.get("Cmd") || empty(config.get("Cmd")) {
            config.remove("Cmd");
        }
    }
}

/// What came from the old image and was not asked for by anybody comes from the new one.
fn leave_to_image(config: &mut Map<String, Value>, image: &Value) {
    for key in ["WorkingDir", "User", "StopSignal", "Shell", "Healthcheck", "OnBuild", "ArgsEscaped"] {
        if config.get(key).is_some() && config.get(key) == image.get(key) {
            config.remove(key);
        }
    }
    if let Some(Value::Array(variables)) = config.get_mut("Env") {
        let of_image = image["Env"].as_array().cloned().unwrap_or_default();
        variables.retain(|variable| !of_image.contains(variable));
    }
    for key in ["Labels", "ExposedPorts", "Volumes"] {
        if let Some(Value::Object(own)) = config.get_mut(key) {
            own.retain(|name, value| image[key].get(name) != Some(value));
        }
    }
}

/// Volumes without a name of their own are mounted by the name the engine gave them.
fn volumes(host: &mut Map<String, Value>, container: &Value) {
    let mounts: Vec<&Value> = container["Mounts"].as_array().into_iter().flatten().collect();
    let named = |target: &str| {
        let mount = mounts.iter().find(|m| m["Type"] == "volume" && m["Destination"] == target)?;
        mount["Name"].as_str().map(str::to_owned)
    };
    let mut placed: BTreeSet<String> = BTreeSet::new();
    if let Some(Value::Array(asked)) = host.get_mut("Mounts") {
        for mount in asked {
            let target = mount["Target"].as_str().unwrap_or_default().to_owned();
            let nameless = mount["Source"].as_str().is_none_or(str::is_empty);
            if let (true, Some(name)) = (mount["Type"] == "volume" && nameless, named(&target)) {
                mount["Source"] = json!(name);
            }
            placed.insert(target);
        }
    }
    let binds = host.get("Binds").and_then(Value::as_array).cloned().unwrap_or_default();
    // `source:target[:options]`; a target holds no colon.
    placed.extend(binds.iter().filter_map(|bind| bind.as_str()?.split(':').nth(1).map(str::to_owned)));
    let nameless = mounts.iter().filter(|m| m["Type"] == "volume").filter_map(|mount| {
        let (name, target) = (mount["Name"].as_str()?, mount["Destination"].as_str()?);
        let options = if mount["RW"] == false { ":ro" } else { "" };
        (!placed.contains(target)).then(|| json!(format!("{name}:{target}{options}")))
    });
    let all: Vec<Value> = binds.iter().cloned().chain(nameless).collect();
    if !all.is_empty() {
        host.insert("Binds".to_owned(), Value::Array(all));
    }
}

/// An engine tells `/other:/this/alias` and wants `other:alias`.
fn links(host: &mut Map<String, Value>) {
    let Some(Value::Array(links)) = host.get_mut("Links") else { return };
    for link in links {
        let told = link.as_str().and_then(|text| text.split_once(':'));
        if let Some((other, alias)) = told {
            let alias = alias.rsplit('/').next().unwrap_or(alias);
            *link = json!(format!("{}:{alias}", other.trim_start_matches('/')));
        }
    }
}

/// The network that is named when the container is made, and those it is put into afterwards: engines before API 1.44
/// take only one at once.
fn endpoints(
    container: &Value,
    host: &Map<String, Value>,
    config: &mut Map<String, Value>,
    short: &str,
    endpoint_mac: bool,
) -> (Option<Endpoint>, Vec<Endpoint>) {
    let mode = host.get("NetworkMode").and_then(Value::as_str).unwrap_or("default");
    if mode == "host" || mode == "none" || mode.starts_with("container:") {
        return (None, Vec::new());
    }
    let wanted = if mode == "default" { "bridge" } else { mode };
    let (mut first, mut others) = (None, Vec::new());
    for (name, told) in container["NetworkSettings"]["Networks"].as_object().into_iter().flatten() {
        let mut settings = told.as_object().cloned().unwrap_or_default();
        settings.retain(|key, value| !OPERATIONAL.contains(&key.as_str()) && !value.is_null());
        if let Some(Value::Array(aliases)) = settings.get_mut("Aliases") {
            aliases.retain(|alias| alias.as_str() != Some(short));
        }
        if name == "bridge" {
            // The default network knows no aliases, and refuses an empty list of them, too.
            settings.remove("Aliases");
        }
        if name == wanted || told["NetworkID"] == wanted {
            if let Some(mac) = config.get("MacAddress").filter(|mac| endpoint_mac && mac.as_str() != Some("")) {
                settings.insert("MacAddress".to_owned(), mac.clone());
                config.remove("MacAddress");
            }
            first = Some((name.clone(), Value::Object(settings)));
        } else {
            others.push((name.clone(), Value::Object(settings)));
        }
    }
    (first, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container() -> Value {
        json!({
            "Id": "0123456789abcdef", "State": { "Status": "running" },
            "Config": {
                "Hostname": "0123456789ab", "Image": "web:1", "User": "app", "WorkingDir": "/srv", "Novel": 7,
                "Env": ["PATH=/bin", "TOKEN=x"], "Entrypoint": ["/entry"], "Cmd": ["serve"],
                "Labels": { "of.image": "1", "mine": "2" }, "ExposedPorts": { "80/tcp": {} }, "Volumes": { "/data": {} },
                "MacAddress": "02:42:ac:11:00:99", "StopTimeout": 3
            },
            "HostConfig": {
                "NetworkMode": "front", "Memory": 64, "Unknown": { "a": 1 }, "Binds": ["conf:/etc/conf:ro", "/h:/mnt"],
                "Mounts": [{ "Type": "volume", "Target": "/m" }, { "Type": "tmpfs", "Target": "/t" }],
                "Links": ["/db:/web/store"]
            },
            "Mounts": [
                { "Type": "volume", "Name": "conf", "Destination": "/etc/conf", "RW": false },
                { "Type": "volume", "Name": "f00d", "Destination": "/data", "RW": true },
                { "Type": "volume", "Name": "beef", "Destination": "/m", "RW": true },
                { "Type": "bind", "Source": "/h", "Destination": "/mnt", "RW": true }
            ],
            "NetworkSettings": { "Networks": {
                "back": { "NetworkID": "n2", "Aliases": ["0123456789ab", "w"], "IPAMConfig": null, "IPAddress": "10.0.0.2", "GwPriority": 0 },
                "front": { "NetworkID": "n1", "IPAMConfig": { "IPv4Address": "10.1.0.9" }, "MacAddress": "02:42:ac:11:00:99" }
            } }
        })
    }

    fn image() -> Value {
        json!({ "Config": {
            "User": "app", "WorkingDir": "/srv", "Env": ["PATH=/bin"], "Entrypoint": ["/entry"], "Cmd": ["serve"],
            "Labels": { "of.image": "1" }, "ExposedPorts": { "80/tcp": {} }, "Volumes": { "/data": {} }
        } })
    }

    #[test]
    fn what_somebody_asked_for_stays_and_what_the_image_said_is_left_to_the_new_one() {
        let like = likeness(&container(), &image(), Image::Another, "web:2", true);
        assert_eq!(
            like.body,
            json!({
                "Image": "web:2", "Novel": 7, "Env": ["TOKEN=x"], "Labels": { "mine": "2" }, "ExposedPorts": {}, "Volumes": {},
                "StopTimeout": 3,
                "HostConfig": {
                    "NetworkMode": "front", "Memory": 64, "Unknown": { "a": 1 },
                    "Binds": ["conf:/etc/conf:ro", "/h:/mnt", "f00d:/data"],
                    "Mounts": [{ "Type": "volume", "Target": "/m", "Source": "beef" }, { "Type": "tmpfs", "Target": "/t" }],
                    "Links": ["db:store"]
                },
                "NetworkingConfig": { "EndpointsConfig": {
                    "front": { "IPAMConfig": { "IPv4Address": "10.1.0.9" }, "MacAddress": "02:42:ac:11:00:99" }
                } }
            })
        );
        assert_eq!(like.networks, [("back".to_owned(), json!({ "Aliases": ["w"], "GwPriority": 0 }))]);
    }

    #[test]
    fn the_way_back_leaves_nothing_to_the_image() {
        let body = likeness(&container(), &image(), Image::Same, "web:1", false).body;
        assert_eq!(body["Env"], json!(["PATH=/bin", "TOKEN=x"]));
        assert_eq!((&body["Entrypoint"], &body["Cmd"]), (&json!(["/entry"]), &json!(["serve"])));
        assert_eq!(body["MacAddress"], "02:42:ac:11:00:99");
        assert!(body.get("Hostname").is_none(), "it was the engine's own choice");
    }

    #[test]
    fn entry_points_and_commands() {
        // (container's entry point, command; image's entry point, command; what is asked for)
        let null = Value::Null;
        let rows = [
            (json!(["a"]), json!(["b"]), json!(["a"]), json!(["b"]), (null.clone(), null.clone())),
            (json!(["a"]), json!(["x"]), json!(["a"]), json!(["b"]), (null.clone(), json!(["x"]))),
            (json!(["own"]), json!(["x"]), json!(["a"]), json!(["b"]), (json!(["own"]), json!(["x"]))),
            (json!(["own"]), null.clone(), json!(["a"]), json!(["b"]), (json!(["own"]), null.clone())),
            (null.clone(), json!(["x"]), json!(["a"]), json!(["b"]), (json!([""]), json!(["x"]))),
            (null.clone(), json!(["b"]), null.clone(), json!(["b"]), (null.clone(), null.clone())),
            (null.clone(), json!(["x"]), null.clone(), json!(["b"]), (null.clone(), json!(["x"]))),
        ];
        for (entry, words, image_entry, image_words, expected) in rows {
            let mut made = container();
            made["Config"]["Entrypoint"] = entry.clone();
            made["Config"]["Cmd"] = words.clone();
            let image = json!({ "Config": { "Entrypoint": image_entry, "Cmd": image_words } });
            let body = likeness(&made, &image, Image::Another, "i", true).body;
            let found = (body["Entrypoint"].clone(), body["Cmd"].clone());
            assert_eq!(found, expected, "{entry} {words} of {image}");
        }
    }

    #[test]
    fn networks_of_other_kinds() {
        for (mode, expected) in [
            ("default", Some(json!({ "EndpointsConfig": { "bridge": {} } }))),
            ("bridge", Some(json!({ "EndpointsConfig": { "bridge": {} } }))),
            ("host", None),
            ("none", None),
            ("container:ab", None),
        ] {
            let mut made = container();
            made["HostConfig"]["NetworkMode"] = json!(mode);
            made["Config"]["MacAddress"] = json!("");
            made["NetworkSettings"]["Networks"] =
                json!({ "bridge": { "NetworkID": "n", "Aliases": null, "IPAMConfig": null } });
            let like = likeness(&made, &image(), Image::Another, "i", true);
            assert_eq!(like.body.get("NetworkingConfig").cloned(), expected, "{mode}");
            assert_eq!(like.networks, [], "{mode}");
        }
    }

    #[test]
    fn some_are_refused() {
        assert_eq!(refusal(&container()), None);
        let with = |pointer: &str, key: &str, value: Value| {
            let mut made = container();
            made.pointer_mut(pointer).unwrap()[key] = value;
            refusal(&made).unwrap()
        };
        assert!(with("/HostConfig", "AutoRemove", json!(true)).contains("--rm"));
        assert!(with("/Config/Labels", "com.docker.swarm.task.id", json!("x")).contains("Swarm"));
        assert!(with("/State", "Status", json!("paused")).contains("paused"));
    }
}
