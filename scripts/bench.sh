#!/usr/bin/env bash
# Measures aitqe on this machine: builds, sets the peers up (scripts/setup_peers.sh), and runs scripts/bench, which
# draws the random checkpoint into .deps/bench and writes bench/results. Run it on a machine that does nothing else.
#
#   scripts/bench.sh [--no-setup] [OPTION...]      options of scripts/bench (see its --help)
#
# The default is the preset mini, some 15 minutes on two cores once the peers are there (an estimate). The
# shapes of real models: --preset small --dtypes bf16 --rounds 5
#
# --no-setup takes the peers as they are: those that are not there are left out, and the result says so.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
case ${1:-} in
  -h | --help)
    print_help
    exec python3 scripts/bench --help
    ;;
esac

build_bench aitqe gemm_bench
if [[ ${1:-} == --no-setup ]]; then
  shift
else
  heading "the peers"
  scripts/setup_peers.sh
fi

heading "measuring"
exec "$DEPS/python/bin/python3" scripts/bench "$@"
