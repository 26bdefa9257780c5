#!/usr/bin/env bash
# bench.sh - how long a scan takes against the Docker client asking for the same: `docker image ls`,
# `docker ps -a` and one `docker top` per running container, on 300 images and 50 containers.
# Runs on the lab's v28 (root, Debian), which it fills and clears again. Fails where the scan takes
# more than 1.3 times as long. ROUNDS (9) rounds, alternating; the medians are compared.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
ROUNDS=${ROUNDS:-9} IMAGES=300 CONTAINERS=50 LIMIT=1.3
LAB=${LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/silidock-lab}; export LAB

started=
case $(tests/lab/lab.sh status) in *'"v28":'*) ;; *) started=1 ;; esac
tests/lab/lab.sh up v28 >/dev/null
export DOCKER_HOST="unix://$LAB/v28.sock"
CLIENT=$LAB/forky-amd64/usr/bin/docker
docker() { "$CLIENT" "$@"; }
W=$(mktemp -d) HALF=$((CONTAINERS / 2))

clear_up() {
  trap - EXIT
  say "clearing up"
  docker ps -aq --filter label=dev.silidock.bench | xargs -r "$CLIENT" rm -f >/dev/null
  docker images -q --filter label=dev.silidock.bench | sort -u | xargs -r "$CLIENT" rmi -f >/dev/null
  if [ -n "$started" ]; then tests/lab/lab.sh down v28; fi
  rm -rf "$W"
}
trap clear_up EXIT

# platform N: every second one is foreign
platform() { if [ $(($1 % 2)) = 0 ]; then echo arm64; else echo amd64; fi; }

fill() {
  local i arch
  # one archive for all: the images share two layers, their configurations differ
  mkdir -p "$W/archive" "$W/root/bin"
  for arch in amd64 arm64; do
    cp "$LAB/bookworm-$arch/usr/bin/busybox" "$W/root/bin/busybox"
    tar -C "$W/root" -cf "$W/archive/$arch.tar" bin
  done
  for i in $(seq "$IMAGES"); do
    arch=$(platform "$i")
    printf '{"architecture":"%s","os":"linux","config":{"Labels":{"dev.silidock.bench":"%d"}},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
      "$arch" "$i" "$(sha256sum "$W/archive/$arch.tar" | cut -d' ' -f1)" > "$W/archive/$i.json"
    printf '{"Config":"%d.json","RepoTags":["silidock-bench/image:%d"],"Layers":["%s.tar"]}\n' "$i" "$i" "$arch"
  done | paste -sd, | sed 's/^/[/; s/$/]/' > "$W/archive/manifest.json"
  tar -C "$W/archive" -cf - . | docker load -q >/dev/null
  for i in $(seq "$CONTAINERS"); do
    docker create --name "silidock-bench-$i" --label dev.silidock.bench=1 --network none --stop-signal SIGKILL \
      --platform "linux/$(platform "$i")" "silidock-bench/image:$i" /bin/busybox sleep 86400 >/dev/null
  done
  # half of them run
  seq "$HALF" | sed 's/^/silidock-bench-/' | xargs "$CLIENT" start >/dev/null
}

client() {
  local id
  docker image ls >/dev/null; docker ps -a >/dev/null
  for id in $(docker ps -q); do docker top "$id" -eo pid,args >/dev/null; done
}
scan() { "$(target_dir)/release/silidock" scan --json >"$W/scan.json" || [ $? = 1 ]; }
seconds() { local t; t=$(date +%s%N); "$1"; echo $(( $(date +%s%N) - t )); }
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { printf "%.3f", v[int((NR + 1) / 2)] / 1e9 }'; }

cargo build --quiet --release -p silidock
say "filling the engine with $IMAGES images and $CONTAINERS containers"
fill
client; scan                                          # warm both
for _ in $(seq "$ROUNDS"); do seconds client >> "$W/client"; seconds scan >> "$W/mine"; done
theirs=$(median "$W/client") mine=$(median "$W/mine")
printf 'docker client %s s   silidock scan %s s   ratio %s   (medians of %d; %d images, %d containers, %d of ours running)\n' \
  "$theirs" "$mine" "$(awk "BEGIN { printf \"%.2f\", $mine / $theirs }")" "$ROUNDS" "$IMAGES" "$CONTAINERS" "$HALF"
awk "BEGIN { exit !($mine <= $LIMIT * $theirs) }" || die "slower than $LIMIT times the client"
