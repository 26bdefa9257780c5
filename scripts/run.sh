#!/usr/bin/env bash
# run.sh - opens Silidock from the sources. Without a display it makes the same diagnosis in the
# terminal. A debug build: a release build takes four times as long the first time.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"

if ! has_display; then
  say "no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so the diagnosis comes in the terminal"
  "$ROOT/scripts/setup.sh" cli
  build_probe
  cargo build -p silidock
  status=0; "$(target_dir)/debug/silidock" scan || status=$?
  if [ "$status" = 2 ]; then
    say "no engine could be examined (see above), so this is the sample; point at yours with: silidock scan --engine URL"
    status=0; "$(target_dir)/debug/silidock" scan --sample || status=$?
  fi
  # 1 says that something was found, which is no failure of this command
  if [ "$status" -gt 1 ]; then exit "$status"; fi
  exit 0
fi

"$ROOT/scripts/setup.sh" run
build_probe
build_ui
cargo build -p silidock-desktop --features custom-protocol
exec "$(target_dir)/debug/silidock-desktop"
