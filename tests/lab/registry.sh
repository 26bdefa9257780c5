#!/bin/bash
# registry.sh - Debian 12's own docker-registry, unpacked, not installed; prints where the program
# lies. The tests start it themselves, on loopback, with and without a password, and end it by id.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PROGRAM=$LAB/registry/docker-registry
if [ ! -x "$PROGRAM" ]; then
  need apt-get apt-config dpkg-deb tar
  [ "$(dpkg --print-architecture)" = amd64 ] || die "the lab needs an amd64 Debian machine"
  new=$(mktemp -d "$LAB/registry.XXXXXX"); trap 'rm -rf "$new"' EXIT
  apt_env bookworm amd64
  apt-get -qq update
  (cd "$new" && apt-get -qq download docker-registry)
  dpkg-deb --fsys-tarfile "$new"/docker-registry_*.deb | tar -x -C "$new" ./usr/bin/docker-registry
  mkdir -p "${PROGRAM%/*}"
  mv "$new/usr/bin/docker-registry" "$PROGRAM"         # whole or not there
fi
echo "$PROGRAM"
