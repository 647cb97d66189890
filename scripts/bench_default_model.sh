#!/usr/bin/env bash
# Measures how many pairs a second the default model judges and rewrites, by kind of work: builds and runs
# scripts/bench_default_model.py, which writes bench/results/default_model_cpu.txt. About ten minutes on two cores.
#
#   scripts/bench_default_model.sh [OPTION...]      options of scripts/bench_default_model.py (see its --help)
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
case ${1:-} in -h | --help) print_help; exec python3 scripts/bench_default_model.py --help ;; esac

build_bench aitqe
scripts/default_model.sh
heading "measuring"
exec "$DEPS/python/bin/python3" scripts/bench_default_model.py "$@"
