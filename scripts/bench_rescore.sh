#!/usr/bin/env bash
# Measures what a second caption of an image costs beside the first, at 729 image tokens and with the default model:
# builds, draws the random checkpoint "mid" into .deps/bench, runs bench/rescore_bench.cpp on both, and writes
# bench/results/rescore_cpu.txt.
#
#   scripts/bench_rescore.sh [OPTION...]      options of rescore_bench, such as --dtype f32
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
case ${1:-} in -h | --help) print_help; exit 0 ;; esac

build_bench aitqe rescore_bench
scripts/default_model.sh
"$DEPS/python/bin/python3" scripts/make_random_checkpoint.py .deps/bench/mid --preset mid

heading "measuring"
result=bench/results/rescore_cpu.txt
{
  printf '# %s, %s: scripts/bench_rescore.sh %s\n' "$(date +%F)" "$(git describe --always --dirty)" "$*"
  printf '# %s, %s cores\n' "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)"
  build/release/bench/rescore_bench .deps/bench/mid "$@"
  build/release/bench/rescore_bench .deps/models/aitqe-small "$@"
} | tee "$result.part"
mv "$result.part" "$result"
