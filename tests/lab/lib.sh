# shellcheck shell=bash disable=SC2034  # constants used by the scripts that source this
# lib.sh - what the scripts of the lab share: where things lie, Debian packages unpacked
# without installing them, and running a program out of such a tree.
#
# Everything lives under $LAB. Packages are downloaded with a PRIVATE apt state and only
# unpacked (never configured): no maintainer script runs, and the machine's own dpkg and apt
# databases are not touched.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)         # the scripts (and guest/)
LAB=${LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/silidock-lab}   # what they make (3 GB)
LAB_MIRROR=${LAB_MIRROR:-}                 # empty: found in the machine's apt configuration
LAB_KEYRING=${LAB_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
LAB_RUN=${LAB_RUN:-$LAB/arm64}             # sockets, logs and writable disk of the machine
LAB_PORT=${LAB_PORT:-23750}                # the arm64 machine's Docker API on 127.0.0.1

NEWTREE=$LAB/forky-amd64                   # Engine 28, its client and plugins, QEMU system emulation
OLDTREE=$LAB/bookworm-amd64                # Engine 20.10, QEMU 7.2 user emulation, busybox
GUESTTREE=$LAB/forky-arm64                 # userland of the arm64 machine
BUSYBOXTREE=$LAB/bookworm-arm64            # busybox for arm64 containers

T0=$(date +%s)
say()  { printf 'lab [%3ds] %s\n' "$(( $(date +%s) - T0 ))" "$*" >&2; }
die()  { say "ERROR: $*"; exit 1; }
need() { local c; for c; do command -v "$c" >/dev/null || die "this machine has no '$c'"; done; }

# The engines, and where each answers. All are asked through the newer tree's client.
ENGINES="v28 v28-overlay2 v20 arm64"
endpoint() { case $1 in arm64) echo "tcp://127.0.0.1:$LAB_PORT" ;; *) echo "unix://$LAB/$1.sock" ;; esac; }
CLIENT=$NEWTREE/usr/bin/docker
CLIENT_CONFIG=$LAB/docker-config           # DOCKER_CONFIG with the plugins buildx and compose

# alive PIDFILE TEXT: does the process of that file run, and is it ours (TEXT is in its command line)?
alive() {
  local pid; pid=$(cat "$1" 2>/dev/null) || return 1
  [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2"
} 2>/dev/null

# --- apt with a private state -----------------------------------------------------------

# The machine's Acquire settings (proxy, CA, validity dates, retries) are inherited; its
# sources, preferences and hooks are not.
acquire_conf() {
  apt-config dump |
    grep -E '^Acquire::(https?|ftp|Retries|Check-|Queue|ForceIPv|proxy|Max-)[A-Za-z0-9:._/-]* "[^"]' || true
}

# Prints the first repository of the machine's apt configuration that carries suite $1.
# shellcheck disable=SC2016  # apt's own placeholder
find_mirror() {
  local suite=$1 uri out=$LAB/apt/probe.$$
  if [ -n "$LAB_MIRROR" ]; then echo "$LAB_MIRROR"; return; fi
  mkdir -p "$LAB/apt"
  while read -r uri; do
    if /usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file \
         "${uri%/}/dists/$suite/InRelease" "$out" >/dev/null 2>&1 &&
       grep -qE "^(Suite|Codename): $suite\$" "$out" && grep -q '^Origin: Debian$' "$out"; then
      rm -f "$out"; echo "${uri%/}"; return
    fi
  done < <(apt-get indextargets --no-release-info --format '$(REPO_URI)' 'Created-By: Packages' | sort -u)
  rm -f "$out"; return 1
}

# apt_env SUITE ARCH: a private apt for that suite and architecture; exports APT_CONFIG.
apt_env() {
  local suite=$1 arch=$2 d=$LAB/apt/$1-$2 mirror
  mkdir -p "$d"/{lists/partial,cache/archives/partial,etc}
  : > "$d/status"
  mirror=$(find_mirror "$suite") || die "no configured repository carries $suite (set LAB_MIRROR)"
  echo "deb [arch=$arch signed-by=$LAB_KEYRING] $mirror $suite main" > "$d/etc/sources.list"
  { unset APT_CONFIG; acquire_conf
    cat <<CONF
Dir::State "$d";
Dir::State::lists "$d/lists";
Dir::State::status "$d/status";
Dir::Cache "$d/cache";
Dir::Etc "$d/etc";
Dir::Etc::Main "/dev/null";
Dir::Etc::Parts "/dev/null";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";   // a mirror that stands still is as good here; signatures are checked
CONF
  } > "$d/apt.conf"
  export APT_CONFIG=$d/apt.conf
}

# members PACKAGE: the only files wanted of it (QEMU's user emulators come 60 in a package).
members() {
  case $1 in
    qemu-user-static) printf '%s\n' ./usr/bin/qemu-aarch64-static ./usr/libexec/qemu-binfmt/aarch64-binfmt-P ;;
    qemu-user)        echo ./usr/bin/qemu-x86_64 ;;
  esac
}

# unpack_tree SUITE ARCH PACKAGE...: downloads the packages and everything they depend on, and
# unpacks them into $LAB/SUITE-ARCH, or TREE. The tree appears under that name only when it is whole.
unpack_tree() (
  suite=$1 arch=$2 dest=${TREE:-$LAB/$1-$2}; shift 2
  apt_env "$suite" "$arch"
  cache=$LAB/apt/$suite-$arch/cache/archives
  say "$suite/$arch: downloading packages"
  apt-get -qq update
  apt-get -qq -y --download-only install "$@" >/dev/null
  list=$(apt-get -qq -s install "$@" | sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*/\1 \2/p')
  rm -rf "$dest" "$dest.new"; mkdir -p "$dest.new/usr"/{bin,sbin,lib,lib64,local}
  # the merged-/usr links must be there before the first package is unpacked
  ln -s usr/bin usr/sbin usr/lib usr/lib64 "$dest.new/"
  while read -r name ver; do
    for deb in "$cache/${name%%:*}_${ver//:/%3a}"_{"$arch",all}.deb; do
      [ -e "$deb" ] && break
    done
    readarray -t only < <(members "${name%%:*}")
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dest.new" --keep-directory-symlink --numeric-owner \
      --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/info/*' \
      --exclude='./usr/share/locale/*' --exclude='./usr/share/lintian/*' --exclude='./usr/share/bug/*' \
      --exclude='./usr/lib/modules/*/dtb' --exclude='./usr/lib/linux-image-*' \
      "${only[@]}" || die "unpacking $deb"
  done <<<"$list"
  # the part of update-alternatives that is needed
  if [ -e "$dest.new/usr/sbin/iptables-nft" ]; then
    for t in iptables ip6tables; do
      for s in "" -save -restore; do ln -sf "$t-nft$s" "$dest.new/usr/sbin/$t$s"; done
    done
  fi
  mv "$dest.new" "$dest"
  rm -rf "$cache"                                  # the packages are not needed again
  say "$suite/$arch: $(wc -l <<<"$list") packages, $(du -sm "$dest" | cut -f1) MiB in $dest"
)

# --- programs out of the newer amd64 tree -----------------------------------------------

# They run with that tree's own libc, whatever the machine is; no chroot is needed for that,
# so all the machine's paths stay valid.
LDSO=$NEWTREE/usr/lib64/ld-linux-x86-64.so.2
LDPATH=$NEWTREE/usr/lib/x86_64-linux-gnu:$NEWTREE/usr/lib/x86_64-linux-gnu/pulseaudio
tool_path() {
  local d; for d in bin sbin libexec; do
    [ -x "$NEWTREE/usr/$d/$1" ] && { echo "$NEWTREE/usr/$d/$1"; return; }
  done; return 1
}
tool() {
  local p; p=$(tool_path "$1") || die "no $1 in $NEWTREE (run build.sh)"; shift
  QEMU_MODULE_DIR=$NEWTREE/usr/lib/x86_64-linux-gnu/qemu "$LDSO" --library-path "$LDPATH" "$p" "$@"
}
