#!/bin/bash
# binfmt.sh up|down - lets this amd64 machine run arm64 programs, as the native engines of the
# lab need it: Debian 12's QEMU 7.2 out of the lab's own tree, registered with flag F (the
# kernel keeps the program open, so containers need no copy of it).
# An entry that is there already is used and left alone. What `up` mounted or registered is
# written to $LAB/binfmt.state, with the boot it belongs to, and only that is undone by `down`.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
DIR=/proc/sys/fs/binfmt_misc STATE=$LAB/binfmt.state NAME=silidock-lab-aarch64
BOOT=$(cat /proc/sys/kernel/random/boot_id)
# ELF, 64 bit, little endian, executable or shared, machine 183 (AArch64); as Debian registers it
MAGIC='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
MASK='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'

did() { [ -f "$STATE" ] && grep -qx "$1 $BOOT" "$STATE"; }

# the enabled entry for arm64 programs, if any
entry() {
  local f; for f in "$DIR"/*; do
    if grep -qs '^enabled' "$f" && grep -qE '^magic 7f454c460201[0-9a-f]*b700$' "$f"; then echo "$f"; return; fi
  done
}

up() {
  local found
  if [ ! -e "$DIR/register" ]; then
    mount -t binfmt_misc binfmt_misc "$DIR"; echo "mounted $BOOT" >> "$STATE"
  fi
  found=$(entry)
  if [ -n "$found" ]; then
    grep -q '^flags: .*F' "$found" || die "$found has no flag F: containers cannot use it"
    return
  fi
  # Under its usual name: the path is looked up in the writer's mount namespace, so the tree's
  # /usr stands in for the machine's while it is registered.
  # shellcheck disable=SC2016  # the inner shell's words
  unshare --mount --propagation slave bash -euc '
    mount --bind "$1/usr" /usr
    printf "%s" ":$2:M::$3:$4:/usr/libexec/qemu-binfmt/aarch64-binfmt-P:POCF" > "$5/register"
  ' - "$OLDTREE" "$NAME" "$MAGIC" "$MASK" "$DIR"
  echo "registered $BOOT" >> "$STATE"
  say "arm64 programs run under QEMU now ($DIR/$NAME)"
}

down() {
  if did registered && [ -e "$DIR/$NAME" ]; then echo -1 > "$DIR/$NAME"; fi
  if did mounted && [ -e "$DIR/register" ]; then umount "$DIR"; fi
  rm -f "$STATE"
}

case ${1:-} in up|down) "$1" ;; *) sed -n '2,/^set -/{/^#/p}' "$0"; exit 2 ;; esac
