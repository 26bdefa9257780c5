#!/bin/bash
# engine.sh start|stop|status|logs|remove v28|v28-overlay2|v20|spare-PID-N - a Docker Engine running
# natively on this machine next to any other, which it never touches:
#   v28           forky's docker.io 28.5, containerd image store
#   v28-overlay2  the same with the older image store
#   v20           Debian 12's own docker.io 20.10 (API 1.41)
#   spare-PID-N   like v28, for process PID alone, which may kill it and start it again. LAB_FORWARD=PORT:
#                 what listens there on the machine's 127.0.0.1, it finds on its own. `remove`
#                 leaves nothing of it
#
# How: in a private mount namespace the tree's /usr is bind-mounted over the machine's /usr (its
# /usr/local stays), so dockerd, containerd, runc and iptables run with their own libc while every
# other path - /tmp, /home, /etc, bind-mounted volumes - is the real one. Needs root and a
# merged /usr. The mounts stay inside the namespace.
#
# Each engine has its own network namespace. v28 has full Docker networking there: pasta
# (user-mode networking) gives containers the way out and puts published ports on 127.0.0.1.
# The others have no link and no default bridge, only user-defined networks.
# (NEVER run dockerd --bridge=none in the machine's own network namespace: at start it deletes
# docker0, whoever it belongs to.)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
usage() { sed -n '2,/^set -/{/^#/p}' "$0"; exit 2; }
NAME=${2:-} STORE=containerd NET=none OUT=none TREE=$NEWTREE
case $NAME in
  v28)          NET=own ;;
  v28-overlay2) STORE=overlay2 ;;
  v20)          STORE=overlay2 TREE=$OLDTREE ;;
  spare-*)      [[ $NAME =~ ^spare-[0-9]+-[0-9]+$ ]] || usage; NET=own OUT=${LAB_FORWARD:-none} ;;
  *)            usage ;;
esac
E=$LAB/$NAME SOCK=$LAB/$NAME.sock PIDFILE=$E/dockerd.pid
CGROUP=silidock-lab-$NAME-$(cksum <<<"$E" | cut -d' ' -f1)     # not another lab's
running() { alive "$PIDFILE" "unix://$SOCK"; }

inner() {   # inside the new namespaces
  [ "$(readlink /proc/self/ns/net)" != "$(readlink /proc/1/ns/net)" ] || die "no own network namespace"
  local gw o=(--data-root "$E/data" --exec-root "$E/exec" --pidfile "$E/engine.pid"
              --config-file "$E/daemon.json" -H "unix://$SOCK" --group 0
              # out of other engines' cgroups, with cgroup v1 as with v2
              --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$CGROUP")
  case $NET in
    own)  gw=$(ip -4 route show default | sed -n 's/^default via \([0-9.]*\).*/\1/p' | head -1)
          [ -z "$gw" ] || o+=(--host-gateway-ip "$gw") ;;
    none) o+=(--bridge none) ;;
  esac
  [ "$NAME" != v20 ] || o+=(--storage-driver overlay2)
  mount --bind /usr/local "$E/mnt/local"
  mount --bind "$TREE/usr" /usr
  mount --bind "$E/mnt/local" /usr/local
  mount --bind "$E/etc-docker" /etc/docker            # 20.10 writes a key file there
  mount --bind "$E/run-docker" /run/docker
  mount --bind "$E/run-containerd" /run/containerd
  export PATH=/usr/sbin:/usr/bin:/sbin:/bin DOCKER_TMPDIR=$E/tmp
  exec dockerd "${o[@]}"
}

make_net() {
  local dev
  : > "$E/netns"; unshare --net="$E/netns" ip link set lo up
  [ "$NET" = own ] || return 0
  dev=$(ip -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -1)
  [ -n "$dev" ] || { say "no default route: $NAME gets no way out"; return 0; }
  nohup "$LDSO" --library-path "$LDPATH" "$NEWTREE/usr/bin/pasta" --foreground --quiet --runas 0:0 \
    --config-net --mtu "$(cat "/sys/class/net/$dev/mtu")" -t 127.0.0.1/auto -u none -T "$OUT" -U none \
    --netns-only --netns "$E/netns" --pid "$E/pasta.pid" >"$E/pasta.log" 2>&1 </dev/null &
  for _ in $(seq 50); do
    if nsenter --net="$E/netns" ip -4 route | grep -q ^default; then return; fi
    sleep 0.1
  done
  cleanup; die "pasta: $(tail -1 "$E/pasta.log")"
}

# this engine's containerd, shims and containers; dockerd ends them when it stops in order, so
# there are some only where it could not
leftover() {
  local p
  # 0 stands for a process of an outer PID namespace
  find /sys/fs/cgroup -path "*/$CGROUP/*" -name cgroup.procs -exec cat {} + 2>/dev/null | grep -vx 0
  while read -r p; do
    if grep -qsF -- "$E/exec/" "$p/cmdline"; then echo "${p##*/}"; fi
  done < <(grep -lsxE 'containerd(-shim)?' /proc/[0-9]*/comm | sed 's,/comm$,,')
}

# whatever a run of this engine may leave
cleanup() {
  local pids; pids=$(leftover | sort -u)
  if [ -n "$pids" ]; then
    say "$NAME left processes behind, killing them"
    xargs -r kill -9 2>/dev/null <<<"$pids" || true
    for _ in $(seq 50); do [ -n "$(leftover)" ] || break; sleep 0.1; done
  fi
  if alive "$E/pasta.pid" "$E/netns"; then kill "$(cat "$E/pasta.pid")"; fi
  if mountpoint -q "$E/netns" 2>/dev/null; then umount -l "$E/netns"; fi
  rm -f "$E/netns" "$E/pasta.pid" "$E/engine.pid" "$PIDFILE" "$SOCK"
  # what an engine that was killed left in its runtime directory stops the next one from starting
  rm -rf --one-file-system "$E/exec" "$E/run-containerd" "$E/run-docker"
  find /sys/fs/cgroup -depth -type d -path "*/$CGROUP*" -exec rmdir {} + 2>/dev/null || true
  # mount points that start had to make
  if [ -f "$E/made" ]; then xargs -r rmdir 2>/dev/null <"$E/made" || true; rm -f "$E/made"; fi
}

start() {
  [ "$(id -u)" = 0 ] || die "must be root"
  [ -L /lib ] || die "this machine's /usr is not merged"
  need curl unshare nsenter ip
  if running; then return; fi
  local d pid in=(nsenter --net="$E/netns") features=false
  cleanup
  mkdir -p "$E"/{data,exec,mnt/local,etc-docker,run-docker,run-containerd,tmp} "$TREE/usr/local"
  for d in /etc/docker /run/docker /run/containerd; do [ -d $d ] || { mkdir $d; echo $d >> "$E/made"; }; done
  [ "$STORE" = containerd ] && features=true
  echo "{ \"features\": { \"containerd-snapshotter\": $features } }" > "$E/daemon.json"
  make_net
  nohup "${in[@]}" unshare --mount --propagation slave "$HERE/engine.sh" inner "$NAME" >"$E/dockerd.log" 2>&1 </dev/null &
  pid=$!; echo $pid > "$PIDFILE"
  until curl -fsS -o /dev/null -m 3 --unix-socket "$SOCK" http://d/_ping 2>/dev/null; do
    kill -0 $pid 2>/dev/null || { tail -5 "$E/dockerd.log" >&2; cleanup; die "$NAME ended; see $E/dockerd.log"; }
    [ "$(( $(date +%s) - T0 ))" -lt "${LAB_TIMEOUT:-120}" ] || die "no API; see $E/dockerd.log"
    sleep 0.1
  done
  say "$NAME answers on unix://$SOCK (pid $pid)"
}

stop() {
  if running; then
    local pid; pid=$(cat "$PIDFILE"); kill "$pid"          # SIGTERM: stops containers and its containerd
    for _ in $(seq 300); do running || break; sleep 0.1; done
    if running; then say "$NAME still there after 30 s, killing $pid"; kill -9 "$pid"; sleep 0.5; fi
    say "$NAME stopped"
  fi
  cleanup
}

# an engine that nobody needs again, with all it held
remove() {
  [[ $NAME = spare-* ]] || die "$NAME is kept: its content is made once"
  stop; rm -rf --one-file-system "$E"
}

case ${1:-} in
  start|stop|inner|remove) "$1" ;;
  status) running ;;
  logs) cat "$E/dockerd.log" ;;
  *) usage ;;
esac
