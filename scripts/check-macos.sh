#!/usr/bin/env bash
# check-macos.sh - type-checks the whole workspace for Apple silicon, from any machine.
# The C parts of -sys crates are compiled by `zig cc` (PyPI's ziglang), which brings the headers of
# macOS; nothing is linked. On a Mac the machine's own compiler does.
# Exit status 0 also where this cannot be done (no such Rust target, no Python): it says so.
# SILIDOCK_MACOS_REQUIRED=1 makes that a failure.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
TARGET=aarch64-apple-darwin

skip() {
  say "not checked: $*"
  if [ -n "${SILIDOCK_MACOS_REQUIRED:-}" ]; then exit 1; else exit 0; fi
}

rustup target list --installed 2>/dev/null | grep -qx "$TARGET" || rustup target add "$TARGET" >&2 ||
  skip "no Rust standard library for $TARGET (rustup target add $TARGET)"

if ! is_mac; then
  ZIG=$TOOLS/zig
  if [ ! -x "$ZIG/bin/cc" ]; then
    if ! python3 -c 'import ensurepip' 2>/dev/null; then "$ROOT/scripts/setup.sh" check || skip "no Python with venv"; fi
    python3 -m venv "$ZIG"
    "$ZIG/bin/pip" install -q --disable-pip-version-check 'ziglang==0.17.*' ||
      skip "ziglang could not be installed from PyPI"
    # clang's names for the target are not zig's, and there is no SDK
    cat > "$ZIG/bin/cc.new" <<'WRAPPER'
#!/usr/bin/env bash
args=() skip=
for a; do
  if [ -n "$skip" ]; then skip=; continue; fi
  case $a in
    --target=*|-mmacosx-version-min=*|-mmacos-version-min=*) ;;
    -arch|-isysroot|-target) skip=1 ;;
    *) args+=("$a") ;;
  esac
done
exec "$(dirname "$0")/python3" -m ziglang cc -target aarch64-macos "${args[@]}"
WRAPPER
    # shellcheck disable=SC2016  # the wrapper's words
    printf '#!/bin/sh\nexec "$(dirname "$0")/python3" -m ziglang ar "$@"\n' > "$ZIG/bin/ar"
    chmod +x "$ZIG/bin/ar" "$ZIG/bin/cc.new"; mv "$ZIG/bin/cc.new" "$ZIG/bin/cc"
  fi
  export CC_aarch64_apple_darwin=$ZIG/bin/cc AR_aarch64_apple_darwin=$ZIG/bin/ar
fi

cargo check --workspace --target "$TARGET"
say "the workspace type-checks for $TARGET"
