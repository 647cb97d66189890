#!/usr/bin/env bash
# Measures the engine on an NVIDIA GPU, in steps of under ten minutes each that can be run one by one: on a machine with
# CUDA's compiler, a Python with torch 2.11 and transformers, CMake, and no network. It needs no OpenCV, libarchive,
# PCRE2 or OpenSSL: only the engine is built (-DAITQE_ENGINE_ONLY=ON), so no figure here covers shards, decoding images,
# tokenising or reports.
#
#   scripts/bench_gpu.sh pack            copies what may be missing there into .gpu/, where Debian's packages are
#                                        installed: headers of nlohmann/json and CLI11, GoogleTest for the tests
#   scripts/bench_gpu.sh build           configures and builds build/gpu; works without a GPU
#   scripts/bench_gpu.sh STEP...         one of
#     check                              the unit tests that compare GPU and CPU, and our fallback on the GPU
#     ceilings                           products, copies, attention of the card itself (bench/gpu_ceilings.py)
#     prefill score rewrite again        the engine in bf16 (bench/gpu_bench.cpp)
#     fp8                                prefill and score in FP8
#     peer-score peer-rewrite            transformers, one pair at a time and batched (bench/gpu_peer.py)
#   scripts/bench_gpu.sh goals           what was wanted and what of it held (scripts/gpu_goals.py)
#   scripts/bench_gpu.sh all             build, every step that has no result yet, and goals
#
# A step writes bench/results/gpu_STEP.txt once it has ended; remove the file, or name the step, to run it again.
# AITQE_RESULTS is another folder for results, AITQE_BENCH_DEVICE another device (cpu: to see that it runs),
# AITQE_BENCH_PRESET another model (tiny), PYTHON another Python.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=${PYTHON:-python3}
results=${AITQE_RESULTS:-bench/results}
device=${AITQE_BENCH_DEVICE:-cuda}
preset=${AITQE_BENCH_PRESET:-full}
build=build/gpu
step_s=570
steps=(check ceilings prefill score rewrite again fp8 peer-score peer-rewrite)

die() {
  printf 'bench_gpu.sh: %s\n' "$*" >&2
  exit 1
}

pack() {
  rm -rf .gpu
  mkdir -p .gpu/include .gpu/lib
  cp -r /usr/include/nlohmann /usr/include/CLI .gpu/include
  if [[ -d /usr/include/gmock ]]; then
    cp -r /usr/include/gtest /usr/include/gmock .gpu/include
    cp "$(dirname "$(cc -print-file-name=libgtest.a)")"/lib{gtest,gtest_main,gmock}.a .gpu/lib
  fi
  du -sh .gpu
}

torch_folder() {
  if [[ -n ${AITQE_TORCH_DIR:-} ]]; then
    printf '%s' "$AITQE_TORCH_DIR"
  else
    "$python" -c 'import torch; print(torch.__path__[0])' || die "no torch for $python: set AITQE_TORCH_DIR or PYTHON"
  fi
}

build() {
  local torch tests=OFF
  torch=$(torch_folder)
  if [[ -d .gpu/include/gmock || -d /usr/include/gmock ]]; then tests=ON; fi
  cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DAITQE_ENGINE_ONLY=ON -DAITQE_BUILD_BENCH=ON \
    -DAITQE_BUILD_TESTS="${AITQE_BENCH_TESTS:-$tests}" -DAITQE_CARRIED="$PWD/.gpu" -DAITQE_TORCH_DIR="$torch" \
    -DAITQE_CUDA="${AITQE_CUDA:-ON}"
  cmake --build "$build" -j "${JOBS:-$(nproc)}"
}

engine() { "$build/bench/gpu_bench" "$@" --device "$device" --preset "$preset"; }
peer() { "$python" bench/gpu_peer.py "$@" --device "$device" --preset "$preset"; }

check() {
  local module status=0
  [[ -x $build/tests/nn/nn_test ]] || die "built without tests: run \"scripts/bench_gpu.sh pack\" where GoogleTest is, then build"
  for module in kernels nn model engine; do
    AITQE_REQUIRE_CUDA=$([[ $device == cuda* ]] && echo 1) "$build/tests/$module/${module}_test" --gtest_brief=1 || status=1
  done
  return "$status"
}

run_step() {
  case $1 in
    check) check ;;
    ceilings) "$python" bench/gpu_ceilings.py ;;
    prefill) engine prefill --pairs 512 && engine prefill --pairs 512 --batch-tokens 32768 ;;
    score) engine score --pairs 512 ;;
    rewrite) engine rewrite --pairs 512 && engine rewrite --pairs 1024 --sequences 512 --rounds 5 ;;
    again) engine again --pairs 256 ;;
    fp8) engine prefill --pairs 512 --dtype fp8 && engine score --pairs 512 --dtype fp8 ;;
    peer-score)
      peer loop --pairs 16 && peer batched --pairs 128 --batch 32 && peer batched --pairs 256 --batch 128
      ;;
    peer-rewrite)
      peer loop --new-tokens 45 --pairs 8 && peer batched --new-tokens 45 --pairs 64 --batch 32 &&
        peer batched --new-tokens 45 --pairs 256 --batch 128
      ;;
    *) die "unknown step $1 (--help lists them)" ;;
  esac
}

describe_machine() {
  printf '# %s, %s: scripts/bench_gpu.sh %s\n' "$(date +%F)" "$(git describe --always --dirty 2>/dev/null || echo 'no git')" "$1"
  printf '# %s; %s cores\n' "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null || echo 'no GPU')" "$(nproc)"
}

# measure STEP: its output to the terminal and, once it has ended well, to its result file.
measure() {
  local result=$results/gpu_$1.txt
  mkdir -p "$results"
  { describe_machine "$1" && timeout "$step_s" scripts/bench_gpu.sh --run "$1" 2>&1; } | tee "$result.part" || return 1
  mv "$result.part" "$result"
}

case ${1:---help} in
  -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" ;;
  --run) run_step "$2" ;;
  pack) pack ;;
  build) build ;;
  all)
    build
    failed=()
    for step in "${steps[@]}"; do
      [[ -f $results/gpu_$step.txt ]] || measure "$step" || failed+=("$step")
    done
    "$python" scripts/gpu_goals.py "$results" || failed+=(goals)
    ((${#failed[@]} == 0)) || die "failed: ${failed[*]}"
    ;;
  goals) exec "$python" scripts/gpu_goals.py "$results" ;;
  *) for step in "$@"; do measure "$step"; done ;;
esac
