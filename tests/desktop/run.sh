#!/bin/sh
# Runs the tests of the real window: builds what is missing, starts a display of its own, and ends both.
#
#   tests/desktop/run.sh              the tests, against the lab's engine
#   tests/desktop/run.sh screenshots  docs/images/, from the sample
#
# SILIDOCK_LAB     endpoints.json of the lab (tests/lab); needed by the tests, not by the screenshots
# SILIDOCK_WINDOW  a built window to use instead of building one
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
what=${1:-e2e}
case $what in
  e2e) : "${SILIDOCK_LAB:?start the lab first (tests/lab/lab.sh) and set SILIDOCK_LAB to its endpoints.json}" ;;
  screenshots) ;;
  *) echo "usage: $0 [e2e|screenshots]" >&2; exit 2 ;;
esac

for tool in Xvfb WebKitWebDriver node cargo; do
  command -v "$tool" >/dev/null || { echo "$0: $tool is missing; on Debian: apt-get install xvfb webkit2gtk-driver libwebkit2gtk-4.1-dev nodejs" >&2; exit 2; }
done

tools=${SILIDOCK_TOOLS:-$HOME/.cache/silidock-tools}
if [ ! -x "$tools/bin/tauri-driver" ]; then
  cargo install tauri-driver --version 2.1.0 --locked --root "$tools"
fi
[ -d "$root/ui/node_modules" ] || npm --prefix "$root/ui" ci
if [ -z "${SILIDOCK_WINDOW:-}" ]; then
  npm --prefix "$root/ui" run build
  cargo build --manifest-path "$root/Cargo.toml" -p silidock-desktop --features custom-protocol
  SILIDOCK_WINDOW=${CARGO_TARGET_DIR:-$root/target}/debug/silidock-desktop
fi

work=$(mktemp -d)
display=
end() {
  [ -z "$display" ] || kill "$display" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM

# The server picks a free number and tells it once it listens.
mkfifo "$work/number"
Xvfb -displayfd 3 -screen 0 1400x1000x24 -nolisten tcp 3>"$work/number" 2>"$work/xvfb.log" &
display=$!
read -r number <"$work/number"

export SILIDOCK_WINDOW SILIDOCK_TAURI_DRIVER="$tools/bin/tauri-driver"
export DISPLAY=":$number" LANG=C.UTF-8 NO_AT_BRIDGE=1
case $what in
  e2e) node --test --test-concurrency=1 "$root/tests/desktop/e2e.mjs" ;;
  screenshots) node "$root/tests/desktop/screenshots.mjs" ;;
esac
