#!/usr/bin/env bash
# One pair through a random checkpoint of the released model's shapes on this machine's CPU: load time, prefill and
# decode rate, peak memory against the size of the weights. Needs 17 GB of disk and 19 GB of memory.
#
#   scripts/bench_full_size.sh [FOLDER]      FOLDER keeps the checkpoint (default: .deps/full-size)
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-.deps/full-size}
binary=${AITQE_BINARY:-build/release/aitqe}
python=${AITQE_TEST_PYTHON:-.deps/python/bin/python3}
result=bench/results/full_size_cpu.txt
[ -x "$binary" ] || { echo "no $binary: run scripts/test.sh or scripts/quickstart.sh first" >&2; exit 1; }

# measured COMMAND... : runs it, then tells its peak memory and wall time on standard error.
measured() {
  "$python" -c '
import resource, subprocess, sys, time
start = time.monotonic()
status = subprocess.call(sys.argv[1:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"peak memory {peak} KiB, wall {time.monotonic() - start:.1f} s", file=sys.stderr)
sys.exit(status)' "$@"
}

"$python" scripts/make_random_checkpoint.py "$folder" --preset full
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
mkdir -p bench/results
{
  echo "# $(date -u +%Y-%m-%d), $(git rev-parse --short HEAD), $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2-), $(nproc) cores"
  for dtype in bf16 f32; do
    echo "# aitqe score examples/pairs-00000.tar --limit 1 --dtype $dtype --max-new-tokens 16"
    measured "$binary" score examples/pairs-00000.tar -o "$output/$dtype" \
      --model "$folder" --dtype "$dtype" --limit 1 --max-new-tokens 16 --max-failed 100% --json 2>&1 >/dev/null |
      grep -E 'loaded|prefill|peak|error'
  done
  bytes=$(cat "$folder"/*.safetensors | wc -c)
  echo "weights $((bytes / 1024)) KiB; peak memory may be $(((bytes + (2 << 30)) / 1024)) KiB"
} | tee "$result"
