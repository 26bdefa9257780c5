#!/bin/sh
# Makes every icon from silidock.svg. Needs rsvg-convert (Debian: librsvg2-bin; macOS: brew install librsvg) and ui/node_modules.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rsvg-convert --width 1024 --height 1024 silidock.svg --output "$work/1024.png"
../ui/node_modules/.bin/tauri icon "$work/1024.png" --output "$work/set" >/dev/null 2>&1
for name in icon.icns icon.ico; do cp "$work/set/$name" "$name"; done
# Drawn at their size: scaled-down copies of the large one are blurred.
for size in 32 128 256 512; do
  case $size in 256) name=128x128@2x ;; 512) name=icon ;; *) name=${size}x${size} ;; esac
  rsvg-convert --width "$size" --height "$size" silidock.svg --output "$name.png"
done
