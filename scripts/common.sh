# shellcheck shell=bash disable=SC2034  # sourced; the constants are used by the scripts that do
# common.sh - what the scripts share: where things lie and how they speak. Kept to what the
# bash 3.2 of macOS understands.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOOLS=${SILIDOCK_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/silidock-tools}   # what the scripts fetch for themselves
export PATH="$TOOLS/bin:$HOME/.cargo/bin:$PATH"

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }
die() { say "$*"; exit 1; }

is_debian() { [ -f /etc/debian_version ] && command -v apt-get >/dev/null; }
is_mac()    { [ "$(uname -s)" = Darwin ]; }
has_display() { is_mac || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; }

# the window's packages; npm notes by a file of its own when it installed them
ui_packages() {
  [ "$ROOT/ui/node_modules/.package-lock.json" -nt "$ROOT/ui/package-lock.json" ] ||
    npm --prefix "$ROOT/ui" ci --no-audit --no-fund
}
# the built window, in ui/dist
build_ui() { ui_packages && npm --prefix "$ROOT/ui" run --silent build; }

# the probe that Silidock carries into containers; a build without it works and says at run time what is missing
build_probe() { "$ROOT/scripts/probe.sh" || say "this build has no probe, so it cannot prove which emulator runs"; }

# target_dir: where cargo puts what it builds
target_dir() { echo "${CARGO_TARGET_DIR:-$ROOT/target}"; }
