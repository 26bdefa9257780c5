#!/bin/bash
# boot.sh - starts the arm64 machine in the background and returns once its Docker API answers
# on 127.0.0.1:$LAB_PORT. It stands in for a Mac: arm64 is native there, amd64 runs under QEMU,
# and it says it is Docker Desktop. Being emulated itself, it is 10 to 20 times slow, so it resumes
# from a snapshot with everything running (1-2 s, always the same pristine state). The first time
# with given settings it boots normally and takes that snapshot.
# Environment (all optional):
#   LAB_STORE=containerd|overlay2   the engine's image store
#   LAB_X86=qemu|rosetta|none       what runs amd64 programs (rosetta = QEMU under that name)
#   LAB_FLAGS=POCF                  binfmt_misc flags of that entry
#   LAB_PERSONA=docker-desktop|plain  host name and os-release shown by `docker info`
#   LAB_FIXTURES=yes|no             whether fixtures.sh is run before the snapshot is taken
#   LAB_TIMEOUT=300                 seconds to wait for the API
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
LAB_STORE=${LAB_STORE:-containerd} LAB_X86=${LAB_X86:-qemu} LAB_FLAGS=${LAB_FLAGS:-POCF}
LAB_PERSONA=${LAB_PERSONA:-docker-desktop} LAB_FIXTURES=${LAB_FIXTURES:-yes} IMG=$LAB/image
CPU=max,pauth=off,sve=off,sme=off              # what is slow to emulate and nobody needs
need curl perl
[ -f "$IMG/root.img" ] || die "no image; run build.sh"
mkdir -p "$LAB_RUN"
if alive "$LAB_RUN/qemu.pid" "$LAB_RUN/agent.sock"; then exit 0; fi

append="console=ttyAMA0 quiet loglevel=4 panic=-1 audit=0 lab.persona=$LAB_PERSONA lab.store=$LAB_STORE"
append+=" lab.x86=$LAB_X86 lab.flags=$LAB_FLAGS"
# The image stays pristine; writes and the snapshot go to a layer over it, and only the layer of
# the last settings is kept.
key="$CPU $append $LAB_FIXTURES $(cksum <"$HERE/fixtures.sh") $(stat -c %Y "$IMG/root.img")"
disk=$LAB_RUN/resume-$(sha256sum <<<"$key" | cut -c1-10).qcow2
resumed=
if tool qemu-img snapshot -l "$disk" 2>/dev/null | grep -qw ready; then resumed=1
else rm -f "$LAB_RUN"/resume-*.qcow2; tool qemu-img create -q -f qcow2 -F raw -b "$IMG/root.img" "$disk"; fi

t=$(date +%s.%N)
QEMU_MODULE_DIR=$NEWTREE/usr/lib/x86_64-linux-gnu/qemu nohup \
  "$LDSO" --library-path "$LDPATH" "$(tool_path qemu-system-aarch64)" -L "$NEWTREE/usr/share/qemu" \
  -M virt,gic-version=3 -cpu "$CPU" -smp 2 -m 4096 -accel tcg,thread=multi -nodefaults -display none -no-reboot \
  -kernel "$IMG/vmlinuz" -initrd "$IMG/initrd" -append "$append" ${resumed:+-loadvm ready} \
  -drive "if=none,id=d,file=$disk,format=qcow2,cache=unsafe,discard=unmap" -device virtio-blk-pci,drive=d \
  -netdev "user,id=n,hostfwd=tcp:127.0.0.1:$LAB_PORT-:2375" -device virtio-net-pci,netdev=n,romfile= \
  -device virtio-rng-pci -device virtio-serial-pci \
  -chardev "socket,id=ag,path=$LAB_RUN/agent.sock,server=on,wait=off" -device virtconsole,chardev=ag \
  -chardev "socket,id=se,path=$LAB_RUN/serial.sock,server=on,wait=off,logfile=$LAB_RUN/console.log" -serial chardev:se \
  -chardev "socket,id=mo,path=$LAB_RUN/monitor.sock,server=on,wait=off" -monitor chardev:mo \
  -pidfile "$LAB_RUN/qemu.pid" >"$LAB_RUN/qemu.log" 2>&1 </dev/null &
pid=$!
until curl -fsS -o /dev/null -m 3 "http://127.0.0.1:$LAB_PORT/_ping" 2>/dev/null; do
  kill -0 $pid 2>/dev/null || { cat "$LAB_RUN/qemu.log" >&2; die "QEMU ended"; }
  [ "$(( $(date +%s) - T0 ))" -lt "${LAB_TIMEOUT:-300}" ] || {
    LAB_GUEST_TIMEOUT=10 "$HERE/guest.sh" 'tail -5 /var/log/dockerd.log' >&2 || true
    die "no API; the machine is left running: guest.sh, $LAB_RUN/console.log, stop.sh"; }
  sleep 0.2
done
say "arm64 answers on tcp://127.0.0.1:$LAB_PORT after $(perl -e 'printf "%.1f", $ARGV[1]-$ARGV[0]' "$t" "$(date +%s.%N)") s${resumed:+ (resumed)} (pid $pid)"
if [ -n "$resumed" ]; then
  "$HERE/guest.sh" hwclock -s -u                     # the resumed clock is that of the snapshot
else
  [ "$LAB_FIXTURES" = no ] || "$HERE/fixtures.sh" arm64
  "$HERE/monitor.sh" "savevm ready"
  say "snapshot taken: $(du -sm "$disk" | cut -f1) MiB in $disk"
fi
