#!/usr/bin/env bash
# bench-stream.sh - reading an image's stream against the rate at which it is delivered: `cat` of a saved image into a
# pipe, and `docker save` of the lab's v28 (root, Debian). And a tar file of ENTRIES (3,000,000) small files: how long and
# with how much memory. Takes some 8 GB of disk for the while. Fails where a promise of docs/performance.md is broken.
# ROUNDS (5) rounds, alternating; the medians are compared.
# shellcheck disable=SC2002  # what `cat` delivers into a pipe is the measure
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
ROUNDS=${ROUNDS:-5} ENTRIES=${ENTRIES:-3000000} LEAST=0.8 MEMORY=200 SECONDS_MOST=60
# what the image is made of, a layer each
PARTS=${PARTS:-usr/bin usr/sbin usr/share}
LAB=${LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/silidock-lab}; export LAB

started=
case $(tests/lab/lab.sh status) in *'"v28":'*) ;; *) started=1 ;; esac
tests/lab/lab.sh up v28 >/dev/null
export DOCKER_HOST="unix://$LAB/v28.sock" DOCKER_CONFIG=$LAB/docker-config
CLIENT=$LAB/forky-amd64/usr/bin/docker IMAGE=silidock-bench/stream:1
W=$(mktemp -d)
clear_up() {
  trap - EXIT
  say "clearing up"
  "$CLIENT" rmi -f "$IMAGE" >/dev/null 2>&1 || true
  if [ -n "$started" ]; then tests/lab/lab.sh down v28; fi
  rm -rf "$W"
}
trap clear_up EXIT

cargo build --quiet --release -p silidock-observe --example contents
READ=$(target_dir)/release/examples/contents

# an image as `docker save` of an old engine writes it
fill() {
  local part n=0 ids='' layers=''
  mkdir "$W/image"
  for part in $PARTS; do
    n=$((n + 1))
    tar -C / --warning=no-file-changed -cf "$W/image/$n.tar" "$part"
    ids="$ids,\"sha256:$(sha256sum "$W/image/$n.tar" | cut -d' ' -f1)\"" layers="$layers,\"$n.tar\""
  done
  printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[%s]}}' "${ids#,}" > "$W/image/config.json"
  printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":[%s]}]' "$IMAGE" "${layers#,}" > "$W/image/manifest.json"
  tar -C "$W/image" -cf "$W/image.tar" .
  rm -r "$W/image"
  "$CLIENT" load -qi "$W/image.tar" >/dev/null
}

cat_alone()   { cat "$W/image.tar" | cat >/dev/null; }
cat_read()    { cat "$W/image.tar" | "$READ" - >"$W/said.cat"; }
file_read()   { "$READ" "$W/image.tar" >"$W/said.file"; }
save_alone()  { "$CLIENT" save "$IMAGE" | cat >/dev/null; }
save_read()   { "$READ" "engine:$IMAGE" --engine "$DOCKER_HOST" >"$W/said.save"; }
many_alone()  { cat "$W/many.tar" | cat >/dev/null; }
many_read()   { cat "$W/many.tar" | "$READ" - >"$W/said.many"; }
seconds() { local t; t=$(date +%s%N); "$1"; echo $(( $(date +%s%N) - t )) >> "$W/t.$1"; }
median() { sort -n "$W/t.$1" | awk '{ v[NR] = $1 } END { printf "%.3f", v[int((NR + 1) / 2)] / 1e9 }'; }
memory() { awk '{ for (i = 1; i < NF; i++) if ($(i + 1) == "KiB") printf "%d", $i / 1024 }' "$W/said.$1"; }
kept() { awk "BEGIN { exit !($1) }" || { say "broken: $2"; failed=1; }; }

say "making the image and the file of $ENTRIES entries"
fill
"$READ" make "$ENTRIES" > "$W/many.tar"
cat_alone; many_alone                                        # into the cache, as far as it fits
rounds="cat_alone cat_read file_read save_alone save_read many_alone many_read"
for _ in $(seq "$ROUNDS"); do for one in $rounds; do seconds "$one"; done; done

failed=
size=$(( $(wc -c < "$W/image.tar") / 1000000 ))
compare() { # what, alone, read, said, least rate
  local alone read rate
  alone=$(median "$2") read=$(median "$3") rate=$(awk "BEGIN { printf \"%.2f\", $(median "$2") / $(median "$3") }")
  printf '%-24s alone %7s s   read %7s s   rate %s of it   %s MiB\n' "$1" "$alone" "$read" "$rate" "$(memory "$4")"
  kept "$rate >= $5" "$1: $rate of the rate, at least $5 is promised"
  kept "$(memory "$4") < $MEMORY" "$1: $(memory "$4") MiB"
}
printf 'image of %d MB in %d layers; medians of %d\n' "$size" "$(wc -w <<<"$PARTS")" "$ROUNDS"
compare 'cat | read' cat_alone cat_read cat $LEAST
compare 'docker save' save_alone save_read save $LEAST
compare "$ENTRIES entries" many_alone many_read many 0
printf '%-24s %24s read %7s s %22s MiB\n' 'the same image, a file' '' "$(median file_read)" "$(memory file)"
kept "$(median many_read) < $SECONDS_MOST" "$ENTRIES entries in $(median many_read) s"
[ -z "$failed" ]
