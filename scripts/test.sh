#!/usr/bin/env bash
# test.sh - every test there is, against real engines and the real window; the last line says how
# many passed and failed, over all parts.
#   engines   Debian, as root: the four of tests/lab, started here and ended after (those that ran
#             before are left running). Elsewhere: the Docker that is running.
#   SILIDOCK_LAB=FILE   use these engines (a file like the one `tests/lab/lab.sh up` writes)
#   SILIDOCK_LAB=skip   do without engines; a machine that cannot run one fails otherwise
# What failed is told once more at the end, before that line: a log may be kept by its end only.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT" || exit 1
LAB=${LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/silidock-lab}; export LAB
LOG=$(mktemp "${TMPDIR:-/tmp}/silidock-test.XXXXXX")
RED=$(mktemp "${TMPDIR:-/tmp}/silidock-red.XXXXXX")
PASSED=0 FAILED=0 STARTED=()

# part NAME COMMAND...: runs it and adds up what it says of itself: cargo's "test result: ok. 3
# passed; 0 failed", vitest's "Tests  1 failed | 2 passed (3)", or "3 passed, 0 failed",
# node's "# pass 3" and "# fail 1". A part that ends badly without having counted a failure is one.
part() {
  local name=$1 status p f; shift
  say "--- $name"
  "$@" 2>&1 </dev/null | tee "$LOG"; status=${PIPESTATUS[0]}
  read -r p f < <(sed -nE -e 's/(^|.*[^0-9])([0-9]+) passed[;,] ([0-9]+) failed.*/\2 \3/p' \
                          -e 's/^ *Tests +([0-9]+) failed \| ([0-9]+) passed.*/\2 \1/p' \
                          -e 's/^(#|ℹ) pass ([0-9]+)$/\2 0/p' -e 's/^(#|ℹ) fail ([0-9]+)$/0 \2/p' \
                          -e 's/^ *Tests +([0-9]+) passed.*/\1 0/p' -e 's/^ *Tests +([0-9]+) failed \(.*/0 \1/p' "$LOG" |
                  awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }')
  if [ "$status" != 0 ] && [ "$f" = 0 ]; then say "$name ended with status $status"; f=1; fi
  PASSED=$((PASSED + p)) FAILED=$((FAILED + f))
  [ "$f" = 0 ] || why "$name" >> "$RED"
}

# why NAME: what the part's log says of its failures: those that cargo lists with their output, or
# node marks, else its end
why() {
  local told
  told=$(sed -nE -e '/^failures:$/,/^test result: FAILED/{p;d;}' -e '/^ *(not ok |✖ )|FAIL /,+30p' "$LOG")
  printf '\n--- failed in: %s\n%s\n' "$1" "${told:-$(tail -n 60 "$LOG")}"
}

finish() {
  trap - EXIT
  if [ ${#STARTED[@]} -gt 0 ]; then tests/lab/lab.sh down "${STARTED[@]}" || FAILED=$((FAILED + 1)); fi
  cat "$RED"; rm -f "$LOG" "$RED"
  echo "$PASSED passed, $FAILED failed"
  [ "$FAILED" = 0 ] && [ "$PASSED" -gt 0 ]
  # without it, the status is the one from before this trap
  exit $?
}
# stop NAME: nothing after it can be tested
stop() { say "$*"; FAILED=$((FAILED + 1)); exit 1; }
trap finish EXIT
trap 'FAILED=$((FAILED + 1)); exit' INT TERM

# the engines of tests/lab that do not run yet are ours to end
lab_up() {
  local before e
  before=$(tests/lab/lab.sh status) || stop "this machine cannot run the engines (SILIDOCK_LAB=skip does without)"
  for e in v28 v28-overlay2 v20 arm64; do
    case $before in *"\"$e\":"*) ;; *) STARTED+=("$e") ;; esac
  done
  tests/lab/lab.sh up >&2 || stop "the engines of tests/lab did not start (SILIDOCK_LAB=skip does without)"
  SILIDOCK_LAB=$LAB/endpoints.json
}

# the Docker that is running, under the name `host`
running_docker() {
  local endpoint platform
  platform=$(docker version --format '{{.Server.Os}}/{{.Server.Arch}}') ||
    stop "no Docker is running here: start it, or SILIDOCK_LAB=skip"
  endpoint=${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}')}
  mkdir -p "$LAB"
  tests/lab/fixtures.sh host || stop "the fixtures could not be put on $endpoint"
  SILIDOCK_LAB=$LAB/host.json
  printf '{"host": {"endpoint": "%s", "platform": "%s", "project": "%s", "client": "docker", "dockerConfig": "%s"}}\n' \
    "$endpoint" "$platform" "$LAB/project-host/compose.yaml" "${DOCKER_CONFIG:-$HOME/.docker}" > "$SILIDOCK_LAB"
}

# libFuzzer led by coverage, the same short way each time, so that it says the same each time; longer ones are fuzz/run.sh's.
# What it finds is an input to be kept in fuzz/corpus
fuzzing() {
  local target
  for target in classify contents; do
    if CARGO_TARGET_DIR=$(target_dir)/fuzz fuzz/run.sh "$target" 60 -seed=1 -runs=100000; then echo "1 passed, 0 failed"
    else echo "0 passed, 1 failed"; fi
  done
}

scripts/setup.sh test || stop "this machine lacks what is listed above"
if [ -z "${SILIDOCK_LAB:-}" ]; then
  if is_debian; then lab_up; else running_docker; fi
fi
export SILIDOCK_LAB

part "building the probe" scripts/probe.sh
part "crates, command line and engines" cargo test --no-fail-fast
part "short fuzzing" fuzzing
part "building the window" build_ui
part "parts of the window" env NO_COLOR=1 npm --prefix ui run --silent test
if is_mac; then say "the real window is not driven on macOS: WebKit there has no WebDriver for applications"
else
  part "the shell" cargo test -p silidock-desktop --features custom-protocol
  part "building the application" cargo build -p silidock-desktop --features custom-protocol
  part "the real window" tests/desktop/run.sh
fi
