#!/bin/bash
# lab.sh up|down|status [ENGINE...] - the real Docker engines of the tests, side by side:
#   v28           Engine 28.5, containerd image store      v20    Debian 12's Engine 20.10 (API 1.41)
#   v28-overlay2  the same, older image store              arm64  Engine 28.5 on an emulated arm64
#                                                                 machine: the stand-in for a Mac
# Default: all four. `up` makes what is missing (README.md), starts what does not run, and puts the
# fixtures on it (LAB_FIXTURES=no: not); it prints the running engines as JSON and writes the same
# to $LAB/endpoints.json. `down` leaves no process, mount, network namespace or binfmt entry.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

check() {
  local e; for e; do [[ " $ENGINES " == *" $e "* ]] || die "no engine '$e'; there are: $ENGINES"; done
}
runs() { case $1 in arm64) alive "$LAB_RUN/qemu.pid" "$LAB_RUN/agent.sock" ;; *) "$HERE/engine.sh" status "$1" ;; esac; }

up_one() {
  case $1 in
    arm64) "$HERE/boot.sh" ;;
    *)     "$HERE/binfmt.sh" up; "$HERE/engine.sh" start "$1" ;;
  esac
  [ "${LAB_FIXTURES:-yes}" = no ] || "$HERE/fixtures.sh" "$1"
}

down_one() {
  case $1 in arm64) "$HERE/stop.sh" ;; *) "$HERE/engine.sh" stop "$1" ;; esac
}

endpoints() {
  local e platform sep=""
  printf '{'
  for e in $ENGINES; do
    runs "$e" || continue
    platform=linux/amd64; [ "$e" != arm64 ] || platform=linux/arm64
    printf '%s\n  "%s": {"endpoint": "%s", "platform": "%s", "project": "%s", "client": "%s", "dockerConfig": "%s"}' \
      "$sep" "$e" "$(endpoint "$e")" "$platform" "$LAB/project-$e/compose.yaml" "$CLIENT" "$CLIENT_CONFIG"
    sep=,
  done
  printf '\n}\n'
}

verb=${1:-}; [ $# -eq 0 ] || shift
check "$@"
read -ra wanted <<<"${*:-$ENGINES}"
case $verb in up|down|status) ;; *) sed -n '2,/^set -/{/^#/p}' "$0"; exit 2 ;; esac
mkdir -p "$LAB"
exec 9>"$LAB/lock"
case $verb in
  up)
    flock 9
    parts=(new old); if [[ " ${wanted[*]} " == *" arm64 "* ]]; then parts+=(guest image); fi
    "$HERE/build.sh" "${parts[@]}" 9>&-
    "$HERE/registry.sh" 9>&- >/dev/null
    for e in "${wanted[@]}"; do up_one "$e" 9>&- >&2; done
    endpoints | tee "$LAB/endpoints.json" ;;
  down)
    flock 9
    for e in "${wanted[@]}"; do down_one "$e" 9>&-; done
    # a test that was killed leaves its own engine behind
    for e in "$LAB"/spare-*-*/; do
      e=${e%/} e=${e##*/} pid=${e#spare-}
      [ ! -d "$LAB/$e" ] || [ -d "/proc/${pid%-*}" ] || "$HERE/engine.sh" remove "$e" 9>&-
    done
    if ! runs v28 && ! runs v28-overlay2 && ! runs v20; then "$HERE/binfmt.sh" down; fi
    endpoints > "$LAB/endpoints.json" ;;
  status) endpoints ;;
esac
