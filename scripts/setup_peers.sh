#!/usr/bin/env bash
# Installs the programs that scripts/bench.sh compares aitqe with, each with a Python of its own in .deps/peers.
#
#   scripts/setup_peers.sh [transformers] [openvino] [llama.cpp]      default: all three
#
# llama.cpp is built from the source that llama-cpp-python comes with: some ten minutes on two cores. About 12 GB of
# disk for all, most of it libraries for GPUs that the wheels of torch ask for. One that cannot be installed is named;
# the benchmark then runs without it and says so.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

requirements() {
  case $1 in
    transformers) printf requirements-oracle.txt ;;
    openvino) printf requirements-peer-openvino.txt ;;
    llama.cpp) printf requirements-peer-llamacpp.txt ;;
    *) die "unknown peer $1 (there are transformers, openvino and llama.cpp)" ;;
  esac
}

case ${1:-} in -h | --help) print_help; exit 0 ;; esac
mkdir -p "$DEPS/peers"
exec 9>"$DEPS/.lock"
flock 9  # two runs at once take turns

if (($# == 0)); then set -- transformers openvino llama.cpp; fi
for peer in "$@"; do
  file=$(requirements "$peer")
  (install_python "peers/$peer" "$file") || say "$peer is not installed: the benchmark will run without it"
done
