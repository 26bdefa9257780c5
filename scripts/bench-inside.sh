#!/usr/bin/env bash
# bench-inside.sh - how long a look inside an image takes against `docker save` alone, which any tool that
# reads the archive has to wait for, and against `find / -type f` in a container of the same image. The image
# has a Debian of the lab and generated files, 3 GB and some 60,000 files. Runs on the lab's v28 (root, Debian);
# everything it makes is removed. Fails where the look is not 10 times as fast as the one, or takes more than
# twice as long as the other. ROUNDS (5) rounds in turns; the medians are compared.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
ROUNDS=${ROUNDS:-5} FASTER=10 SLOWER=2 FILES=${FILES:-50000} BLOBS=${BLOBS:-22} BLOB=128M
LAB=${LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/silidock-lab}; export LAB

started=
case $(tests/lab/lab.sh status) in *'"v28":'*) ;; *) started=1 ;; esac
tests/lab/lab.sh up v28 >/dev/null
export DOCKER_HOST="unix://$LAB/v28.sock"
CLIENT=$LAB/forky-amd64/usr/bin/docker IMAGE=silidock-bench-inside:$$
docker() { "$CLIENT" "$@"; }
W=$(mktemp -d "${TMPDIR:-/tmp}/silidock-bench.XXXXXX")

clear_up() {
  trap - EXIT
  say "clearing up"
  docker rmi -f "$IMAGE" >/dev/null 2>&1 || true
  if [ -n "$started" ]; then tests/lab/lab.sh down v28; fi
  rm -rf "$W"
}
trap clear_up EXIT

# generate: sources, programs, libraries and data as an application has them, and large files of noise
generate() {
  local i folder
  mkdir -p "$W/root/srv/blobs"
  for i in $(seq "$BLOBS"); do head -c "$BLOB" /dev/urandom >"$W/root/srv/blobs/$i"; done
  for i in $(seq 0 $((FILES / 50 - 1))); do
    folder=$W/root/srv/app/node_modules/package-$i/lib
    mkdir -p "$folder"
    (cd "$folder" && seq -f 'module.exports = %g' 1 32 | split -l 1 -d --additional-suffix=.js - module-)
    (cd "$folder" && seq -f '{"n": %g}' 1 12 | split -l 1 -d --additional-suffix=.json - data-)
    (cd "$folder" && seq 1 4 | split -l 1 -d - notes-)
    printf '#!/usr/bin/env node\n' >"$folder/cli"; chmod 755 "$folder/cli"
    cp "$LAB/bookworm-amd64/usr/bin/true" "$folder/native.node" 2>/dev/null || cp /bin/true "$folder/native.node"
  done
}

look()   { "$(target_dir)/release/silidock" inside "$IMAGE" --via engine --json >"$W/look.json" 2>/dev/null || [ $? = 1 ]; }
save()   { docker save "$IMAGE" >/dev/null; }
search() { docker run --rm --network none --entrypoint find "$IMAGE" / -type f >"$W/found" 2>/dev/null || [ $? = 1 ]; }
seconds() { local t; t=$(date +%s%N); "$1"; echo $(( $(date +%s%N) - t )); }
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { printf "%.3f", v[int((NR + 1) / 2)] / 1e9 }'; }
range()  { sort -n "$1" | awk 'NR == 1 { low = $1 } { high = $1 } END { printf "%.2f to %.2f s", low / 1e9, high / 1e9 }'; }

scripts/probe.sh
cargo build --quiet --release -p silidock
say "making the image"
generate
tar -C "$LAB/forky-amd64" --exclude ./proc --exclude ./sys --exclude ./dev -cf "$W/root.tar" .
tar -C "$W/root" -rf "$W/root.tar" .
rm -rf "$W/root"
docker import --platform linux/amd64 --change 'CMD ["/bin/sh"]' "$W/root.tar" "$IMAGE" >/dev/null
size=$(stat -c %s "$W/root.tar"); rm "$W/root.tar"
look; search; save                                    # warm all
for _ in $(seq "$ROUNDS"); do
  seconds look >>"$W/mine"; seconds search >>"$W/find"; seconds save >>"$W/save"
done
mine=$(median "$W/mine") find=$(median "$W/find") save=$(median "$W/save")
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }
printf 'image %.1f GB, %s files, %s programs and libraries; medians of %d in turns\n' "$(awk "BEGIN { print $size / 1e9 }")" \
  "$(sed -nE 's/^ *"seen": ([0-9]+).*/\1/p' "$W/look.json" | head -1)" "$(sed -nE 's/^ *"count": ([0-9]+).*/\1/p' "$W/look.json" | head -1)" "$ROUNDS"
printf 'silidock inside      %s s (%s)\n' "$mine" "$(range "$W/mine")"
printf 'find / -type f       %s s (%s)   inside / it %s\n' "$find" "$(range "$W/find")" "$(ratio "$mine" "$find")"
printf 'docker save alone    %s s (%s)   it / inside %s\n' "$save" "$(range "$W/save")" "$(ratio "$save" "$mine")"
awk "BEGIN { exit !($save >= $FASTER * $mine) }" || die "not $FASTER times as fast as docker save"
awk "BEGIN { exit !($mine <= $SLOWER * $find) }" || die "more than $SLOWER times as long as find"
