#!/usr/bin/env bash
# setup.sh cli|run|test|check|package - installs what that verb needs and is missing.
#   Debian and its kin   system packages with apt (as root, or through sudo)
#   macOS and others     checks only
# Rust and Node are never installed: where one is missing or too old, the line that installs it
# is printed, all at once, and the exit status is 1.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
VERB=${1:-run}
case $VERB in cli|run|test|check|package) ;; *) sed -n '2,/^set -/{/^#/p}' "$0"; exit 2 ;; esac
MISSING=()
RUST=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")

# at_least VERSION WANTED: dotted numbers
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -t. -k1,1n -k2,2n -k3,3n | head -1)" = "$2" ]; }

packages() {
  if [ "$VERB" = cli ]; then echo build-essential pkg-config ca-certificates; return; fi
  # what compiles and shows the window; a font, or a bare machine draws boxes
  echo build-essential pkg-config ca-certificates curl file libwebkit2gtk-4.1-dev fonts-dejavu-core
  case $VERB in
    # a display and a driver for the real window; the rest is for the real engines
    test)  echo xvfb xauth webkit2gtk-driver xz-utils iproute2 perl debian-archive-keyring ;;
    check) echo shellcheck python3-venv ;;
  esac
}

apt_packages() {
  local p missing=() sudo=()
  for p in $(packages); do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "needs root to install: ${missing[*]}"
    sudo=(sudo)
  fi
  say "installing ${missing[*]}"
  "${sudo[@]}" apt-get -qq update
  # a service that a package brings is not to be started here
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install "${missing[@]}" </dev/null >/dev/null
}

check_rust() {
  local have line="Rust $RUST or newer:  curl -fsS https://sh.rustup.rs | sh -s -- -y"
  if ! command -v cargo >/dev/null; then MISSING+=("$line"); return; fi
  have=$(cargo --version | cut -d' ' -f2)
  at_least "$have" "$RUST" || MISSING+=("$line   (or: rustup update stable; here is $have)")
}

check_node() {
  local have line="Node 20.19 or newer:  brew install node"
  is_debian && line="Node 20.19 or newer:  curl -fsS https://deb.nodesource.com/setup_22.x | bash - && apt-get install -y nodejs"
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then MISSING+=("$line"); return; fi
  have=$(node --version); have=${have#v}
  at_least "$have" 20.19.0 || MISSING+=("$line   (here is $have)")
}

check_mac() { xcode-select -p >/dev/null 2>&1 || MISSING+=("Xcode command line tools:  xcode-select --install"); }

check_other() {
  command -v pkg-config >/dev/null && pkg-config --exists webkit2gtk-4.1 ||
    MISSING+=("WebKitGTK 4.1 with its development files and pkg-config, by this system's package manager")
}

tauri_driver() {
  [ "$VERB" = test ] && ! is_mac && [ ! -x "$TOOLS/bin/tauri-driver" ] || return 0
  say "building tauri-driver, once"
  cargo install --quiet tauri-driver --version 2.1.0 --locked --root "$TOOLS"
}

if is_debian; then apt_packages; elif is_mac; then check_mac; elif [ "$VERB" != cli ]; then check_other; fi
check_rust
[ "$VERB" = cli ] || check_node
if [ ${#MISSING[@]} -gt 0 ]; then
  say "missing on this machine; each is one line to install:"
  printf '  %s\n' "${MISSING[@]}" >&2
  exit 1
fi
tauri_driver
