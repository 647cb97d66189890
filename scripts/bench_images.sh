#!/usr/bin/env bash
# Measures how fast images get from a tar to pixels, against tarfile, Pillow and numpy: builds, and runs
# scripts/bench_images.py, which writes bench/results/images_cpu.txt. Run it on a machine that does nothing else.
#
#   scripts/bench_images.sh [OPTION...]      options of scripts/bench_images.py (see its --help)
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
case ${1:-} in
  -h | --help)
    print_help
    exec python3 scripts/bench_images.py --help
    ;;
esac

build_bench image_bench

heading "measuring"
exec "$DEPS/python/bin/python3" scripts/bench_images.py --binary build/release/bench/image_bench "$@"
