#!/usr/bin/env bash
# Measures aitqe on this machine: builds, draws the random checkpoint "small" into .deps/bench, and runs
# scripts/bench.py, which writes bench/results. Run it on a machine that does nothing else.
#
#   scripts/bench.sh [--peer-python PYTHON] [OPTION...]      options of scripts/bench.py (see its --help)
#
# PYTHON has the packages of scripts/requirements-oracle.txt; without it the comparison with transformers is left out.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
case ${1:-} in
  -h | --help)
    print_help
    exec python3 scripts/bench.py --help
    ;;
esac

build_bench aitqe gemm_bench
python=$DEPS/python/bin/python3

heading "the checkpoint"
"$python" scripts/make_random_checkpoint.py .deps/bench/small --preset small

heading "measuring"
exec "$python" scripts/bench.py "$@"
