#!/usr/bin/env bash
# run.sh TARGET [SECONDS [OPTION..]] - fuzzes a target with libFuzzer on the stable compiler: coverage leads it, but there is no address
# sanitizer (all our code is safe; its panics are what is looked for). What it learns stays in the build folder; inputs
# worth keeping are copied to corpus/TARGET by hand.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
target=$1 seconds=${2:-60}
shift $(( $# < 2 ? $# : 2 ))
build=${CARGO_TARGET_DIR:-$PWD/target}
flags='--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1'
for option in level=4 inline-8bit-counters pc-table trace-compares; do
  flags="$flags -Cllvm-args=-sanitizer-coverage-$option"
done
host=$(rustc -vV | sed -n 's/^host: //p')
# With a target named, build scripts and macros are built without these flags.
case $target in contents) features=contents ;; *) features= ;; esac
RUSTFLAGS=$flags cargo build --quiet --release --target "$host" --features "$features" --bin "$target"
mkdir -p "$build/learned/$target" "$build/found"
exec "$build/$host/release/$target" "$build/learned/$target" "corpus/$target" \
  -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=1024 -artifact_prefix="$build/found/$target-" -print_final_stats=1 "$@"
