#!/bin/bash
# build.sh [STEP...] - makes the parts of the lab out of the machine's Debian mirror; leaves out
# what this version of it has made already. Needs root (file ownership, device nodes). Installs
# nothing. Steps (default: all):
#   new     $LAB/forky-amd64       Engine 28, its client and plugins, QEMU and other tools
#   old     $LAB/bookworm-{amd64,arm64}  Engine 20.10, QEMU 7.2 user emulation, both busyboxes
#   guest   $LAB/forky-arm64       userland of the arm64 machine (needs new)
#   image   $LAB/image/{vmlinuz,initrd,root.img} of that machine (needs guest)
# LAB_REBUILD=1 makes the named steps again (forky moves on). LAB_DISK: size of the machine's
# disk (12G, sparse).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
IMG=$LAB/image
need apt-get apt-config dpkg-deb tar perl xz
[ "$(id -u)" = 0 ] || die "must be root"
[ "$(dpkg --print-architecture)" = amd64 ] || die "the lab needs an amd64 Debian machine"

# what every tree that an engine runs in needs beside the engine
BASE="libc-bin dash bash coreutils util-linux mount grep sed procps kmod iproute2 iptables ca-certificates busybox-static"

new_tree() {
  # shellcheck disable=SC2086  # lists of words
  unpack_tree forky amd64 $BASE gawk findutils tar cpio e2fsprogs qemu-system-arm qemu-utils passt \
    virtiofsd docker.io docker-cli docker-buildx docker-compose containerd runc
}
old_tree() {
  # shellcheck disable=SC2086
  unpack_tree bookworm amd64 $BASE docker.io containerd runc qemu-user-static
  unpack_tree bookworm arm64 busybox-static
}
guest_tree() {
  unpack_tree forky arm64 libc-bin dash busybox-static procps kmod iproute2 iptables ca-certificates \
    qemu-user docker.io docker-cli containerd runc linux-image-cloud-arm64
}

# the parts of the machine's root that maintainer scripts would have made
guest_root() {
  local r=$GUESTTREE a
  mkdir -p "$r"/{dev,proc,sys,run,tmp,root,var/log,var/lib/docker,etc/docker}
  chmod 1777 "$r/tmp"
  for a in sh ash mount umount switch_root init poweroff reboot halt hwclock hostname cat mkdir rm cp \
           ls sleep printf stty killall sync grep sed awk nc wget head tail tar dmesg df du; do
    if [ ! -e "$r/usr/bin/$a" ] && [ ! -e "$r/usr/sbin/$a" ]; then ln -s ../bin/busybox "$r/usr/bin/$a"; fi
  done
  for a in init poweroff reboot halt; do ln -sf ../bin/busybox "$r/usr/sbin/$a"; done   # no systemd
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n' > "$r/etc/passwd"
  printf 'root:x:0:\ntty:x:5:\ndocker:x:999:\nnogroup:x:65534:\n' > "$r/etc/group"
  echo 'nameserver 10.0.2.3' > "$r/etc/resolv.conf"
  rm -f "$r/etc/os-release"
  mkdir -p "$r/etc/ssl/certs"
  find "$r/usr/share/ca-certificates" -name '*.crt' -exec cat {} + > "$r/etc/ssl/certs/ca-certificates.crt"
  cp -a "$HERE/guest/etc/." "$r/etc/"; chown -R 0:0 "$r/etc/lab" "$r/etc/inittab"
}

kernel_and_initramfs() {
  local modules=("$GUESTTREE"/usr/lib/modules/*) version tmp m n=10
  version=${modules[0]##*/}
  if [ -f "${modules[0]}/vmlinuz" ]; then cp "${modules[0]}/vmlinuz" "$IMG/vmlinuz"
  else cp "$GUESTTREE"/boot/vmlinuz-* "$IMG/vmlinuz"; fi
  # decompressing modules once here is far cheaper than at each boot under emulation
  find "${modules[0]}" -name '*.ko.xz' -print0 | xargs -0 -r -n 200 -P 2 xz -d
  tool depmod -b "$GUESTTREE" "$version"
  tmp=$(mktemp -d "$LAB/initramfs.XXXXXX")
  mkdir -p "$tmp"/{bin,dev,proc,root,modules}
  cp "$GUESTTREE/usr/bin/busybox" "$tmp/bin/"
  install -m 755 "$HERE/guest/init-initramfs" "$tmp/init"
  # virtio_blk and ext4 with all they depend on, in load order, decompressed for insmod
  while read -r m; do
    cp "$m" "$tmp/modules/$n-$(basename "$m")"; n=$((n+1))
  done < <(tool modprobe -d "$GUESTTREE" -S "$version" --show-depends -a virtio_blk ext4 2>/dev/null |
           sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++')
  [ "$n" -gt 10 ] || die "no modules for the initramfs in ${modules[0]}"
  (cd "$tmp" && find . | tool cpio --quiet -o -H newc -R 0:0) > "$IMG/initrd"
  rm -rf "$tmp"
}

image() {
  mkdir -p "$IMG"
  guest_root
  kernel_and_initramfs
  say "making the arm64 machine's disk"
  tool mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1,nodiscard -m 0 -L armlab \
    -d "$GUESTTREE" "$IMG/root.img.new" "${LAB_DISK:-12G}"
  mv "$IMG/root.img.new" "$IMG/root.img"
  rm -f "$LAB_RUN"/*.qcow2                            # older writable layers no longer fit
  say "disk image: $(du -sm "$IMG/root.img" | cut -f1) MiB"
}

# step NAME COMMAND [PIDFILE...]: runs it unless this very version of it has been run
VERSION=$(cat "$HERE/build.sh" "$HERE/guest/init-initramfs" "$HERE"/guest/etc/inittab "$HERE"/guest/etc/lab/* | cksum)
step() {
  local pid
  [[ " $STEPS " == *" $1 "* ]] || return 0
  if [ -z "${LAB_REBUILD:-}" ] && [ "$(cat "$LAB/built/$1" 2>/dev/null)" = "$VERSION" ]; then return; fi
  # not under a running engine: its programs would be gone
  for pid in "${@:3}"; do
    if alive "$pid" "$LAB"; then die "part '$1' of the lab must be made again, but an engine runs on it: lab.sh down first"; fi
  done
  rm -f "$LAB/built/$1"; "$2"; echo "$VERSION" > "$LAB/built/$1"
}
STEPS="${*:-new old guest image}"
mkdir -p "$LAB/built"
step new new_tree "$LAB"/*/dockerd.pid "$LAB_RUN/qemu.pid"
step old old_tree "$LAB"/*/dockerd.pid
step guest guest_tree
step image image "$LAB_RUN/qemu.pid"
mkdir -p "$CLIENT_CONFIG/cli-plugins"
ln -sf "$NEWTREE"/usr/libexec/docker/cli-plugins/* "$CLIENT_CONFIG/cli-plugins/"
