#!/bin/bash
# stop.sh - ends the arm64 machine, at once: its next start resumes from the snapshot anyway.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
ours() { alive "$LAB_RUN/qemu.pid" "$LAB_RUN/agent.sock"; }     # never signal anybody else's process
if ours; then
  pid=$(cat "$LAB_RUN/qemu.pid"); kill "$pid"
  for _ in $(seq 50); do ours || break; sleep 0.1; done
  if ours; then kill -9 "$pid"; fi
  say "arm64 stopped"
fi
rm -f "$LAB_RUN"/{qemu.pid,agent.sock,serial.sock,monitor.sock}
