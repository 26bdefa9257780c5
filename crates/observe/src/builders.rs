//! The builders of buildx with their nodes, as the Docker command lists them. Starts none, chooses none.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde::Deserialize;
use silidock_diagnosis::{
    builders::{Builder, BuilderNode, node_platforms},
    fact::Fact,
    inventory::ImageStore,
    platform::Platform,
};
use silidock_engine::{DockerClient, Engine, NoClient};
use silidock_host::Host;

/// A builder that cannot be reached makes buildx wait for it.
const LIMIT: Duration = Duration::from_secs(40);
/// Asked about side by side.
const AT_ONCE: usize = 4;
/// buildx takes this one where nobody names one.
const CHOSEN: &str = "BUILDX_BUILDER";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    name: String,
    #[serde(default)]
    driver: String,
    #[serde(default)]
    current: bool,
    #[serde(default)]
    err: Option<serde_json::Value>,
    #[serde(default)]
    nodes: Option<Vec<ListedNode>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedNode {
    name: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    platforms: Option<Vec<String>>,
    #[serde(default)]
    err: Option<serde_json::Value>,
}

/// All builders. `store` is how the engine that is looked at keeps images.
pub async fn builders(host: &dyn Host, engine: &Engine, store: ImageStore) -> Fact<Vec<Builder>> {
    let what = "the builders of buildx";
    let listed = async {
        let client = DockerClient::of(host, engine)?;
        client.plugin(host, "buildx").await?;
        let output = host.run(&client.tool(&["buildx", "ls", "--format", "{{json .}}"]).timeout(LIMIT)).await?;
        Ok::<_, NoClient>((client, output))
    };
    let (client, output) = match listed.await {
        Ok(listed) => listed,
        Err(error) => return Fact::unknown(what, error.to_string()),
    };
    if !output.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let old = said.contains("unknown flag");
        let why = if old { "this buildx is too old to list them as data; 0.13 does" } else { said.trim() };
        return Fact::unknown(what, why.to_owned());
    }
    let own = client.own_builder();
    let mut read: Vec<Builder> = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match serde_json::from_str::<Listed>(line) {
            // A line of its table is a builder, or one of its nodes, and is the whole builder either way.
            Ok(listed) if read.iter().any(|known| known.name == listed.name) => {}
            Ok(listed) => read.push(builder(listed, own, store)),
            Err(error) => return Fact::unknown(what, format!("a line of its list cannot be read: {error}")),
        }
    }
    if let Some(chosen) = host.env(CHOSEN) {
        read.iter_mut().for_each(|builder| builder.current = builder.name == chosen);
    }
    let asking = read.into_iter().map(|builder| assigned_by_hand(host, &client, builder));
    Fact::Known(stream::iter(asking.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await)
}

fn builder(listed: Listed, own: &str, store: ImageStore) -> Builder {
    let own = listed.driver == "docker" && listed.name == own;
    let several = match (listed.driver.as_str(), own, store) {
        ("docker", true, ImageStore::Containerd) => Some(true),
        ("docker", true, ImageStore::Classic) => Some(false),
        ("docker", ..) => None,
        _ => Some(true),
    };
    let node = |node: ListedNode| {
        let listed = node.platforms.unwrap_or_default();
        let platforms: Vec<(Platform, bool)> =
            listed.iter().filter_map(|text| Some((text.parse().ok()?, false))).collect();
        BuilderNode {
            name: node.name,
            endpoint: node.endpoint,
            status: node.status,
            version: Some(node.version).filter(|version| !version.is_empty()),
            platforms: node_platforms(&platforms),
            error: node.err.as_ref().and_then(words),
        }
    };
    Builder {
        name: listed.name,
        driver: listed.driver,
        current: listed.current,
        own,
        several,
        nodes: listed.nodes.unwrap_or_default().into_iter().map(node).collect(),
        error: listed.err.as_ref().and_then(words),
    }
}

/// Only the text for people marks with a star what somebody gave to a node, which then does not say what the node is.
async fn assigned_by_hand(host: &dyn Host, client: &DockerClient, mut builder: Builder) -> Builder {
    if builder.driver == "docker" || builder.error.is_some() {
        return builder;
    }
    let asked = client.tool(&["buildx", "inspect", "--", &builder.name]).timeout(LIMIT);
    if let Ok(output) = host.run(&asked).await
        && output.success()
    {
        mark(&mut builder, &output.text());
    }
    builder
}

fn mark(builder: &mut Builder, inspected: &str) {
    let nodes = inspected.split_once("\nNodes:").map_or("", |(_, nodes)| nodes);
    let mut name = None;
    for (key, value) in nodes.lines().filter_map(|line| line.split_once(':')) {
        match key {
            "Name" => name = Some(value.trim()),
            "Platforms" => {
                let listed: Vec<(Platform, bool)> = value
                    .split(',')
                    .map(str::trim)
                    .filter_map(|text| Some((text.trim_end_matches('*').parse().ok()?, text.ends_with('*'))))
                    .collect();
                let node = builder.nodes.iter_mut().find(|node| Some(node.name.as_str()) == name);
                if let Some(node) = node.filter(|_| listed.iter().any(|(_, assigned)| *assigned)) {
                    node.platforms = node_platforms(&listed);
                }
            }
            _ => {}
        }
    }
}

/// An error as buildx writes it: a text, or a value that holds one.
fn words(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        other => Some(other.to_string()).filter(|text| text != "{}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builders_are_read_with_what_is_native_to_their_nodes() {
        let farm = r#"{"Name":"farm","Driver":"remote","Nodes":[{"Name":"farm0","Endpoint":"tcp://a:1","Status":"running",
            "Version":"v0.26","Platforms":["linux/arm64","linux/amd64"]},{"Name":"farm1","Err":"cannot be reached"}]}"#;
        let mut farm = builder(serde_json::from_str(farm).unwrap(), "default", ImageStore::Classic);
        let native = |builder: &Builder| -> Vec<String> {
            let platforms = builder.nodes[0].platforms.iter().filter(|p| p.native);
            platforms.map(|p| p.platform.to_string()).collect()
        };
        assert_eq!((farm.several, farm.own, native(&farm)), (Some(true), false, vec!["linux/arm64".to_owned()]));
        assert_eq!(farm.nodes[1].error.as_deref(), Some("cannot be reached"));
        mark(&mut farm, "Name: farm\n\nNodes:\nName:      farm0\nPlatforms: linux/arm64*, linux/amd64\n");
        assert_eq!(native(&farm), ["linux/amd64"]);
        let own = r#"{"Name":"default","Driver":"docker","Current":true,"Nodes":[{"Name":"default","Status":"running",
            "Platforms":["linux/amd64","linux/amd64/v2","linux/386"]}]}"#;
        for (store, several) in
            [(ImageStore::Classic, Some(false)), (ImageStore::Containerd, Some(true)), (ImageStore::Unknown, None)]
        {
            let own = builder(serde_json::from_str(own).unwrap(), "default", store);
            assert_eq!((own.several, own.own, native(&own).len()), (several, true, 3), "{store:?}");
        }
    }
}
