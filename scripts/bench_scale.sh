#!/usr/bin/env bash
# Measures whether rate and memory stay the same from 1,000 to 100,000 pairs, and whether the forecast of --dry-run holds:
# builds and runs scripts/bench_scale.py, which writes bench/results/scale_cpu.txt. About 20 minutes on two cores.
#
#   scripts/bench_scale.sh [OPTION...]      options of scripts/bench_scale.py (see its --help)
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
case ${1:-} in -h | --help) print_help; exec python3 scripts/bench_scale.py --help ;; esac

build_bench aitqe
heading "measuring"
exec "$DEPS/python/bin/python3" scripts/bench_scale.py "$@"
