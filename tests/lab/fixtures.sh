#!/usr/bin/env bash
# fixtures.sh ENGINE - puts the same content on an engine of the lab; does nothing where it is
# there already. Native and foreign are meant as that engine sees them.
#
#   images      silidock-lab/bb:amd64, bb:arm64   busybox, FROM scratch
#               silidock-lab/both:1               native, with a foreign busybox beside it
#               silidock-lab/moved:1              was foreign, is native now
#               silidock-lab/multi:1              index, both platforms here      } containerd
#               silidock-lab/partial:1            index, only the foreign one here } store only
#   containers  lab-native  lab-foreign  lab-exited (foreign, status 3)
#               lab-mixed   native, with one process of the foreign busybox
#               lab-stale   of what moved:1 was before
#               lab-needless  multi:1 as foreign, though its native half is here (containerd store only)
#   project     labshop ($LAB/project-ENGINE/compose.yaml): web native, db foreign without platform:
#
# All carry the label dev.silidock.lab. Archives are written by hand so that every engine takes
# them: 20.10 ignores `import --platform`, and an engine with the overlay2 store takes no OCI layout.
# ENGINE `host` is whatever DOCKER_HOST or the current context names (a Mac): there the busyboxes
# come from Docker Hub instead of Debian, the client is the machine's own.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
NAME=${1:?which engine?}
PROJECT=$LAB/project-$NAME
if [ "$NAME" = host ]; then
  CLIENT=docker
else
  export DOCKER_HOST DOCKER_CONFIG=$CLIENT_CONFIG
  DOCKER_HOST=$(endpoint "$NAME")
  unset DOCKER_CONTEXT
fi
unset DOCKER_DEFAULT_PLATFORM
docker() { "$CLIENT" "$@"; }
STAMP=$(cksum <"$HERE/fixtures.sh" | cut -d' ' -f1)     # other fixtures, other containers
LOOP='while :; do /bin/busybox sleep 3600; done'
W=$(mktemp -d "${TMPDIR:-/tmp}/silidock-fixtures.XXXXXX"); trap 'rm -rf "$W"' EXIT

native=$(docker version --format '{{.Server.Arch}}') || die "no engine at ${DOCKER_HOST:-the current context}"
case $native in amd64) foreign=arm64 ;; arm64) foreign=amd64 ;; *) die "no fixtures for $native" ;; esac
containerd=$(docker info --format '{{json .DriverStatus}}' | grep -o containerd.snapshotter) || containerd=

# --- what must be there ------------------------------------------------------------------

present() {
  local want have
  want="lab-exited exited $STAMP
lab-foreign running $STAMP
lab-mixed running $STAMP
lab-native running $STAMP${containerd:+
lab-needless running $STAMP}
lab-stale running $STAMP
labshop-db-1 running 
labshop-web-1 running "
  have=$(docker ps -a --filter label=dev.silidock.lab --format '{{.Names}} {{.State}} {{.Label "dev.silidock.lab.stamp"}}' | LC_ALL=C sort)
  [ "$have" = "$want" ] && cmp -s "$W/compose.yaml" "$PROJECT/compose.yaml" &&
    docker top lab-mixed -eo pid,args | grep -q busybox-foreign
}

# --- images ------------------------------------------------------------------------------

# busybox ARCH: a static busybox for it, in $W/ARCH
busybox() {
  local tree=$OLDTREE id
  [ "$1" = amd64 ] || tree=$BUSYBOXTREE
  if [ "$NAME" != host ]; then cp "$tree/usr/bin/busybox" "$W/$1"; return; fi
  id=$(docker create --platform "linux/$1" busybox:1.36-musl)
  docker cp -q "$id:/bin/busybox" "$W/$1"; docker rm "$id" >/dev/null
}
digest() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1; }
pack() {   # pack DIR: a tar of it that is the same each time
  local o=(--uid 0 --gid 0)
  if tar --version | grep -q GNU; then o=(--sort=name --owner=0 --group=0 --numeric-owner); fi
  find "$1" -exec touch -h -t 202001010000 {} +
  tar -C "$1" "${o[@]}" -cf - .
}
# config ARCH LAYER NOTE: an image configuration; NOTE makes images with the same files differ
config() {
  printf '{"created":"2020-01-01T00:00:00Z","architecture":"%s","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["/bin/sh"],"Labels":{"dev.silidock.lab":"%s"}},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"2020-01-01T00:00:00Z","created_by":"tests/lab/fixtures.sh"}]}' \
    "$1" "$3" "$(digest "$2")"
}
# load_image TAG ARCH [OTHER]: as a docker-archive, which every engine takes; OTHER is a second busybox
load_image() {
  local d=$W/archive root=$W/root
  rm -rf "$d" "$root"; mkdir -p "$d" "$root/bin"
  cp "$W/$2" "$root/bin/busybox"; ln -s busybox "$root/bin/sh"
  [ -z "${3:-}" ] || cp "$W/$3" "$root/bin/busybox-foreign"
  pack "$root" > "$d/layer.tar"
  config "$2" "$d/layer.tar" "$1" > "$d/config.json"
  printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$1" > "$d/manifest.json"
  pack "$d" | docker load -q >/dev/null
}

blob() { local h; h=$(digest "$1"); mv "$1" "$W/oci/blobs/sha256/$h"; echo "$h"; }
descriptor() {   # descriptor MEDIA-TYPE HASH [MORE]
  printf '{"mediaType":"application/vnd.oci.image.%s+json","digest":"sha256:%s","size":%d%s}' \
    "$1" "$2" "$(wc -c <"$W/oci/blobs/sha256/$2")" "${3:-}"
}
# load_index TAG [PLATFORM]: an index of both architectures; with PLATFORM only that one is loaded
load_index() {
  local arch layer conf manifest entries="" h root=$W/root d=$W/oci
  rm -rf "$d"; mkdir -p "$d/blobs/sha256"
  for arch in amd64 arm64; do
    rm -rf "$root"; mkdir -p "$root/bin"; cp "$W/$arch" "$root/bin/busybox"; ln -s busybox "$root/bin/sh"
    pack "$root" > "$W/layer"; config "$arch" "$W/layer" "$1" > "$W/config"
    layer=$(blob "$W/layer"); conf=$(blob "$W/config")
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%d}]}' \
      "$(descriptor config.v1 "$conf")" "$layer" "$(wc -c <"$d/blobs/sha256/$layer")" > "$W/manifest"
    manifest=$(blob "$W/manifest")
    entries+="${entries:+,}$(descriptor manifest.v1 "$manifest" ",\"platform\":{\"architecture\":\"$arch\",\"os\":\"linux\"}")"
  done
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}' "$entries" > "$W/index"
  h=$(blob "$W/index")
  printf '{"schemaVersion":2,"manifests":[%s]}' \
    "$(descriptor index.v1 "$h" ",\"annotations\":{\"io.containerd.image.name\":\"docker.io/$1\",\"org.opencontainers.image.ref.name\":\"${1##*:}\"}")" > "$d/index.json"
  printf '{"imageLayoutVersion":"1.0.0"}' > "$d/oci-layout"
  pack "$d" | docker load -q ${2:+--platform "$2"} >/dev/null
}

# --- containers --------------------------------------------------------------------------

start() {   # start NAME ARCH IMAGE COMMAND...; SIGKILL so that stopping an engine takes no grace period
  local name=$1 arch=$2; shift 2
  docker run -d --name "$name" --platform "linux/$arch" --pull never --network none --stop-signal SIGKILL \
    --label dev.silidock.lab=1 --label "dev.silidock.lab.stamp=$STAMP" "$@" >/dev/null
}
compose() { docker compose -p labshop -f "$PROJECT/compose.yaml" "$@"; }

cat > "$W/compose.yaml" <<YAML
# The lab's shop. Its comments, quoting and spacing are odd on purpose:
# whoever edits this file has to give them back untouched.
name: labshop

services:
  web:          # native
    image: "silidock-lab/bb:$native"
    command: ['/bin/sh', "-c", '$LOOP']
    stop_signal: SIGKILL
    labels: { dev.silidock.lab: "1" }

  "db":         # foreign, and nobody said so
    image:   silidock-lab/bb:$foreign   # no platform here
    command:
    - /bin/sh
    - -c
    - |
      # waits for ever
      $LOOP
    environment:
      GREETING: 'it''s "fine"'
      EMPTY:
    stop_signal: 'SIGKILL'
    labels:
      - dev.silidock.lab=1

networks:
    default: {internal: true}   # the shop needs no way out
# end
YAML

if present; then say "$NAME has its fixtures"; exit; fi
docker ps -aq --filter label=dev.silidock.lab | xargs -r "$CLIENT" rm -f >/dev/null
busybox amd64; busybox arm64
load_image silidock-lab/bb:amd64 amd64
load_image silidock-lab/bb:arm64 arm64
load_image silidock-lab/both:1 "$native" "$foreign"
if [ -n "$containerd" ]; then
  load_index silidock-lab/multi:1
  load_index silidock-lab/partial:1 "linux/$foreign"
  start lab-needless "$foreign" silidock-lab/multi:1 /bin/sh -c "$LOOP"
fi
start lab-native  "$native"  "silidock-lab/bb:$native"  /bin/sh -c "$LOOP"
start lab-foreign "$foreign" "silidock-lab/bb:$foreign" /bin/sh -c "$LOOP"
start lab-exited  "$foreign" "silidock-lab/bb:$foreign" /bin/sh -c 'exit 3'
start lab-mixed   "$native"  silidock-lab/both:1        /bin/sh -c "/bin/busybox-foreign sleep 86400 & $LOOP"
load_image silidock-lab/moved:1 "$foreign"
start lab-stale   "$foreign" silidock-lab/moved:1       /bin/sh -c "$LOOP"
load_image silidock-lab/moved:1 "$native"
# what earlier fixtures left without a tag
docker image prune -f --filter label=dev.silidock.lab >/dev/null
mkdir -p "$PROJECT"; cp "$W/compose.yaml" "$PROJECT/compose.yaml"
compose up -d --quiet-pull >"$W/compose.log" 2>&1 || { cat "$W/compose.log" >&2; die "compose on $NAME"; }
for _ in $(seq 50); do if present; then say "$NAME has its fixtures now"; exit; fi; sleep 0.2; done
docker ps -a --filter label=dev.silidock.lab >&2
die "the fixtures of $NAME are not as they should be"
