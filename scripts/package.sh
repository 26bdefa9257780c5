#!/usr/bin/env bash
# package.sh - makes what people install: on a Mac .app and .dmg, on Linux a .deb.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
"$ROOT/scripts/setup.sh" package
build_probe
ui_packages                              # tauri builds the window itself
bundles=deb
if is_mac; then bundles=app,dmg; fi
ui/node_modules/.bin/tauri build --bundles "$bundles" "$@"
# with --target the bundles lie one folder deeper
find "$(target_dir)"/{,*/}release/bundle -maxdepth 2 \( -name '*.app' -o -name '*.dmg' -o -name '*.deb' \) -print 2>/dev/null || true
