#!/usr/bin/env bash
# check.sh - everything that is checked without running the program: formatting, lints, types of
# the window, generated files, these scripts. Runs all parts, then fails if one did.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT" || exit 1
"$ROOT/scripts/setup.sh" check || exit 1
failed=()
part() { local name=$1; shift; say "$name"; "$@" || failed+=("$name"); }

scripts() {
  local files
  files=$(git ls-files '*.sh' .ci/run)
  # shellcheck disable=SC2086  # a list of files without blanks
  shellcheck -x -P SCRIPTDIR $files
}

part "formatting"       cargo fmt --all --check
part "the window"       build_ui
part "types of the window" npm --prefix ui run --silent check
part "lints"            cargo clippy --workspace --all-targets -- -D warnings
part "generated files"  cargo test --quiet -p silidock --test generated
if command -v shellcheck >/dev/null; then part "scripts" scripts; else say "no shellcheck here: scripts not looked at"; fi

if [ ${#failed[@]} -gt 0 ]; then say "failed: $(printf '%s; ' "${failed[@]}")"; exit 1; fi
say "all is well"
