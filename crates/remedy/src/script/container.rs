//! The part of a script that makes a container anew. What `docker create` has no words for goes through the engine's API, by curl
//! and jq; whatever fails, the container that was to be replaced is started again under its own name.

use std::fmt::Write;

use silidock_diagnosis::fix::{OldContainer, Step};

use super::{Reach, kept, quoted};

/// What every script begins with that stops a container.
pub(super) const PROLOGUE: &str = r#"
# Should anything fail, the container that is being replaced is started again under its own name.
work=$(mktemp -d)
old='' name='' new='' running='' meant='' reference='' kept=''
finish() {
  status=$?
  trap - EXIT
  rm -rf "$work"
  if [ "$status" != 0 ] && [ -n "$old" ]; then
    [ -z "$new" ] || docker rm -f "$new" || true
    if docker inspect --type container "$old" > /dev/null 2>&1; then
      docker rename "$old" "$name" 2> /dev/null || true
      [ "$running" != true ] || docker start "$old" || true
      # It needs nothing that was kept of it, unless the name of its image has come to mean another one meanwhile.
      docker image rm "$kept-written" > /dev/null 2>&1 || true
      if [ "$(docker image inspect --format '{{.Id}}' "$reference" 2> /dev/null)" = "$meant" ]; then
        docker image rm "$kept" > /dev/null 2>&1 || true
      fi
    fi
    printf '%s\n' "It stopped in the middle; see the way back of $name in the script." >&2
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM
trap 'exit 129' HUP

# Waits until a container runs, and is healthy where it says so itself.
up() {
  sleep 2
  while state=$(docker inspect --type container --format '{{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}' "$1"); do
    case $state in
      'running ' | 'running healthy' | 'running none') return 0 ;;
      'running starting') sleep 1 ;;
      *) break ;;
    esac
  done
  printf '%s does not come up: %s\n' "$1" "$state" >&2
  return 1
}
"#;

/// From here on this container is what must not be lost; its image keeps a name.
pub(super) fn keep(out: &mut String, of: &OldContainer) {
    let _ = write!(
        out,
        "old={id} name={name} reference={reference} kept={kept} new=''\nrunning=$(docker inspect --type container --format '{{{{.State.Running}}}}' \"$old\")\n\
         image=$(docker inspect --type container --format '{{{{.Image}}}}' \"$old\")\ndocker tag \"$image\" \"$kept\"\n\
         meant=$(docker image inspect --format '{{{{.Id}}}}' \"$reference\" 2> /dev/null || true)\n",
        id = quoted(&of.id),
        reference = quoted(&of.image),
        name = quoted(&of.name),
        kept = quoted(&kept(of)),
    );
}

/// Keeps the files of the container as an image, without its configuration, which holds environment values.
pub(super) fn keep_written(out: &mut String, of: &OldContainer) {
    let _ = write!(
        out,
        "docker export -o \"$work/written.tar\" \"$old\"\ndocker import \"$work/written.tar\" {}\nrm \"$work/written.tar\"\n",
        quoted(&format!("{}-written", kept(of))),
    );
}

/// Copies by two containers that never run, made of the image that is here.
pub(super) fn copy_volumes(out: &mut String, of: &OldContainer) {
    let _ = write!(
        out,
        "docker stop \"$old\"\nnumber=0\n\
         format='{{{{range .Mounts}}}}{{{{if eq .Type \"volume\"}}}}{{{{println .Name}}}}{{{{end}}}}{{{{end}}}}'\n\
         docker inspect --type container --format \"$format\" \"$old\" > \"$work/volumes\"\n\
         while read -r volume; do\n  [ -n \"$volume\" ] || continue\n  number=$((number + 1))\n  copy={name}-copy-$number\n  \
         from=$(docker create --network none --entrypoint /none -v \"$volume:/copy:ro\" {kept})\n  \
         to=$(docker create --network none --entrypoint /none -v \"$copy:/copy:nocopy\" {kept})\n  \
         docker cp \"$from:/copy/.\" - > \"$work/volume.tar\"\n  docker cp -a - \"$to:/copy\" < \"$work/volume.tar\"\n  \
         docker rm \"$from\" \"$to\"\n  rm \"$work/volume.tar\"\n  echo \"$volume is copied to $copy\"\ndone < \"$work/volumes\"\n",
        name = quoted(&of.name),
        kept = quoted(&kept(of)),
    );
}

/// The container that a step puts another one in the place of.
pub(super) fn replaced(step: &Step) -> Option<&OldContainer> {
    match step {
        Step::RecreateContainer { of, .. } | Step::RecreateService { of, .. } => Some(of),
        _ => None,
    }
}

pub(super) const COPIES_BACK: &str = "Should the old one not come up with what the new one left in a volume, this puts a copy back. The script \
    has said which VOLUME is copied to which COPY; files that the new one added stay:";

/// By two containers that never run, as the copies were made.
pub(super) fn copies_back(of: &OldContainer) -> Vec<String> {
    let kept = kept(of);
    let kept = quoted(&kept);
    vec![
        format!("docker stop {}", quoted(&of.name)),
        format!("from=$(docker create --network none --entrypoint /none -v COPY:/copy:ro {kept})"),
        format!("to=$(docker create --network none --entrypoint /none -v VOLUME:/copy:nocopy {kept})"),
        "docker cp \"$from:/copy/.\" - | docker cp -a - \"$to:/copy\"".to_owned(),
        "docker rm \"$from\" \"$to\"".to_owned(),
        format!("docker start {}", quoted(&of.name)),
    ]
}

/// What a script leaves behind for the way back.
pub(super) struct Kept {
    /// The old container, under another name.
    pub aside: bool,
    /// What it wrote.
    pub written: bool,
    /// Copies of its volumes.
    pub copied: bool,
}

/// Removes what was kept.
pub(super) fn done_with(of: &OldContainer, left: Kept) -> Vec<String> {
    let (name, image) = (quoted(&of.name), kept(of));
    let written = if left.written { format!(" {}", quoted(&format!("{image}-written"))) } else { String::new() };
    let mut lines = Vec::new();
    if left.aside {
        lines.push(format!("docker rm {name}-before"));
    }
    lines.push(format!("docker image rm {}{written}", quoted(&image)));
    if left.copied {
        lines.push(format!("docker volume rm {name}-copy-1 # and the further copies that the script has told of"));
    }
    lines
}

/// Makes the same container of another image, through the engine's API.
pub(super) fn by_api(out: &mut String, of: &OldContainer, platform: Option<&str>, api: &str) {
    let query = platform.map(|platform| format!("&platform={platform}")).unwrap_or_default();
    let _ = write!(
        out,
        "# Needs curl and jq. The configuration holds environment values: it stays in a folder that is removed at the end.\n\
         docker inspect --type container \"$old\" > \"$work/container.json\"\n\
         docker image inspect \"$image\" > \"$work/image.json\"\n\
         jq -n --slurpfile c \"$work/container.json\" --slurpfile i \"$work/image.json\" --arg image {image} {filter} > \"$work/body.json\"\n\
         {api} -X POST -H 'Content-Type: application/json' --data @\"$work/body.json\" {create} > \"$work/made.json\"\n\
         new=$(jq -r .Id \"$work/made.json\")\n\
         # Further networks, each with its aliases and fixed addresses.\n\
         jq -c {networks} \"$work/container.json\" > \"$work/networks\"\n\
         while read -r one; do\n  printf '%s' \"$one\" | jq --arg new \"$new\" '.body + {{Container: $new}}' > \"$work/body.json\"\n  \
         network=$(printf '%s' \"$one\" | jq -r '.network | @uri')\n  \
         {api} -X POST -H 'Content-Type: application/json' --data @\"$work/body.json\" \"{BASE}/networks/$network/connect\"\n\
         done < \"$work/networks\"\n\
         docker stop \"$old\"\ndocker rename \"$old\" {name}-before\ndocker rename \"$new\" {name}\n\
         [ \"$running\" != true ] || {{ docker start {name} && up {name}; }}\n\
         old=''\n",
        image = quoted(&of.image),
        filter = quoted(FILTER),
        create = quoted(&format!("{BASE}/containers/create?name={}-making{query}", of.name)),
        networks = quoted(NETWORKS),
        name = quoted(&of.name),
    );
}

const BASE: &str = "http://localhost";

/// curl for the engine's address; none where it needs more than an address.
pub(super) fn api(reach: Reach<'_>) -> Option<String> {
    if let Some(socket) = reach.endpoint.strip_prefix("unix://") {
        return Some(format!("curl -fsS --unix-socket {}", quoted(socket)));
    }
    let address = reach.endpoint.strip_prefix("tcp://").filter(|_| !reach.tls)?;
    Some(format!("curl -fsS --connect-to {}", quoted(&format!("localhost:80:{address}"))))
}

/// The same configuration, as the engine wants it: what came from the image is left to the image.
const FILTER: &str = r#"
$c[0][0] as $old | ($i[0][0].Config // {}) as $of | $old.Config
| .Image = $image
| .Env = ((.Env // []) - ($of.Env // []))
| .Labels = ((.Labels // {}) | with_entries(select(($of.Labels // {})[.key] != .value)))
| if .Entrypoint == $of.Entrypoint then (if .Cmd == $of.Cmd then del(.Cmd) else . end) | del(.Entrypoint) else . end
| reduce ("WorkingDir", "User", "StopSignal", "Shell", "Healthcheck") as $k (.; if .[$k] == $of[$k] then del(.[$k]) else . end)
| if .Hostname == $old.Id[0:12] then del(.Hostname) else . end
| if ($old.HostConfig.NetworkMode | startswith("container:")) then del(.Hostname, .Domainname, .ExposedPorts) else . end
| ([$old.HostConfig.Binds[]? | split(":")[1]] + [$old.HostConfig.Mounts[]? | select((.Source // "") != "") | .Target]) as $placed
| .HostConfig = ($old.HostConfig
  | .Mounts = [.Mounts[]? | select(.Type != "volume" or (.Source // "") != "")]
  | .Binds = ((.Binds // []) + [$old.Mounts[] | select(.Type == "volume")
    | select(.Destination as $d | $placed | index($d) | not) | .Name + ":" + .Destination + (if .RW then "" else ":ro" end)]))
| .NetworkingConfig = {EndpointsConfig: ($old.NetworkSettings.Networks
  | with_entries(select(.key == $old.HostConfig.NetworkMode or .value.NetworkID == $old.HostConfig.NetworkMode)
    | .value |= {IPAMConfig, Aliases: [.Aliases[]? | select(. != $old.Id[0:12])], DriverOpts}))}
"#;

/// The networks but for the first, each with what connecting to it says.
const NETWORKS: &str = r#".[0] as $old | $old.NetworkSettings.Networks | to_entries[]
| select(.key != $old.HostConfig.NetworkMode and .value.NetworkID != $old.HostConfig.NetworkMode)
| select(.key != "bridge" or ($old.HostConfig.NetworkMode != "default" and $old.HostConfig.NetworkMode != ""))
| {network: .key, body: {EndpointConfig: {
    IPAMConfig: .value.IPAMConfig, Links: .value.Links, DriverOpts: .value.DriverOpts,
    Aliases: [.value.Aliases[]? | select(. != $old.Id[0:12])]}}}"#;
