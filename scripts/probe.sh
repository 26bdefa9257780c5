#!/usr/bin/env bash
# probe.sh [amd64|arm64...] - builds the probe that Silidock carries into containers: a static Linux
# program per architecture, in target/probe/ARCH/silidock-probe, from any machine. Both by default.
# Silidock built without one works and says which is missing. SILIDOCK_PROBE_DIR=FOLDER makes a build
# take FOLDER/ARCH/silidock-probe instead.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
LIMIT=1048576                                   # bytes; it travels with the application
TARGET=$(target_dir)

# linker: the one that comes with Rust links for every platform; its place differs
linker() {
  local sysroot found
  sysroot=$(rustc --print sysroot)
  found=$(find "$sysroot/lib/rustlib" -path '*/bin/rust-lld' 2>/dev/null | sed -n 1p)
  [ -n "$found" ] || found=$(command -v rust-lld || command -v ld.lld) ||
    die "no rust-lld in $sysroot and no ld.lld on PATH"
  echo "$found"
}

# standard_library TRIPLE: installs it where rustup can
standard_library() {
  [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ] && return
  if command -v rustup >/dev/null && rustup target add "$1" >&2; then return; fi
  die "no standard library for $1: rustup target add $1
  (without rustup, on Debian: rustc-web with libstd-rust-web-dev:arm64, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross
  build a static program too; hand its folder over in SILIDOCK_PROBE_DIR)"
}

build() {
  local arch=$1 triple=$2 variable flags made size
  standard_library "$triple"
  flags="-Clinker=$LINKER -Clinker-flavor=ld.lld -Clink-self-contained=yes -Crelocation-model=static"
  variable=CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$triple")_RUSTFLAGS
  env "$variable=$flags" cargo build --quiet --profile carried -p silidock-probe --bin silidock-probe --target "$triple"
  made=$TARGET/$triple/carried/silidock-probe
  size=$(wc -c <"$made")
  [ "$size" -le "$LIMIT" ] || die "the probe for $arch has $size bytes, more than $LIMIT"
  mkdir -p "$TARGET/probe/$arch"
  # a build that changed nothing must not make everything that embeds it stale
  cmp -s "$made" "$TARGET/probe/$arch/silidock-probe" || cp "$made" "$TARGET/probe/$arch/silidock-probe"
  say "$arch: $size bytes in $TARGET/probe/$arch/silidock-probe"
}

LINKER=$(linker)
[ $# -gt 0 ] || set -- amd64 arm64
for arch; do
  case $arch in
    amd64) build amd64 x86_64-unknown-linux-musl ;;
    arm64) build arm64 aarch64-unknown-linux-musl ;;
    *) die "no probe for '$arch'; there are amd64 and arm64" ;;
  esac
done
