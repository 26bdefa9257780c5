#!/bin/bash
# tools.sh build           makes $LAB/tools-{amd64,arm64}: Debian 12's sysbench and openssl with all they need
# tools.sh load ENGINE     puts them on an engine as silidock-lab/tools:{amd64,arm64}
# Benchmarks are compared with what these measure. Leaves out what is there already.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PACKAGES="libc-bin sysbench openssl"

build() {
  local arch
  exec 8>"$LAB/tools.lock"; flock 8
  for arch in amd64 arm64; do
    [ -d "$LAB/tools-$arch" ] && continue
    # shellcheck disable=SC2086  # a list of words
    TREE=$LAB/tools-$arch unpack_tree bookworm "$arch" $PACKAGES
  done
}

load() {
  local arch tree
  export DOCKER_HOST DOCKER_CONFIG=$CLIENT_CONFIG
  DOCKER_HOST=$(endpoint "$1")
  unset DOCKER_CONTEXT DOCKER_DEFAULT_PLATFORM
  build
  for arch in amd64 arm64; do
    if "$CLIENT" image inspect "silidock-lab/tools:$arch" >/dev/null 2>&1; then continue; fi
    tree=$LAB/tools-$arch
    tar -C "$tree" --owner=0 --group=0 --numeric-owner --exclude=./usr/share --exclude=./usr/lib/*/gconv \
      --exclude=./usr/lib/*/perl* -cf - . |
      "$CLIENT" import --platform "linux/$arch" --change 'LABEL dev.silidock.lab=1' - "silidock-lab/tools:$arch" >/dev/null
  done
}

case ${1:-} in
  build) build ;;
  load) load "${2:?which engine?}" ;;
  *) sed -n '2,4p' "$0"; exit 2 ;;
esac
