#!/usr/bin/env bash
# Installs what is missing, builds, and runs the whole test suite.
#
#   scripts/test.sh              what a change must pass
#   scripts/test.sh --quick      the release build and its tests only
#   scripts/test.sh --full       also ThreadSanitizer, every end-to-end test under AddressSanitizer,
#                                clang-tidy over everything, long fuzzing, 200 kills instead of 60,
#                                shards of a million pairs and members of 5 GB, a Ray cluster
#   scripts/test.sh --jobs N     N compilers and tests at once (default: cores, as memory allows)
#
# Nothing is asked. Every phase runs even if one before it failed, unless it needs what that one
# builds; the table at the end names the phases and the exit status is 1 if any failed.
# FUZZ_SECONDS sets the time of one fuzz target: 30, with --full 300.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

mode=normal
jobs=
while (($#)); do
  case $1 in
    --quick) mode=quick ;;
    --full) mode=full ;;
    --jobs) jobs=${2:?--jobs needs a number}; shift ;;
    -h | --help) print_help; exit 0 ;;
    *) die "unknown option $1 (--help lists them)" ;;
  esac
  shift
done

# --- phases: called in conditions, where `set -e` is off, so each chains its commands ------------

build_release() {
  configure release -DAITQE_BUILD_TESTS=ON -DAITQE_WERROR="$(werror)" &&
    cmake --build build/release -j "$jobs"
}

build_sanitized() {  # PRESET
  configure "$1" -DAITQE_WERROR="$(werror)" && cmake --build "build/$1" -j "$jobs"
}

run_ctest() {  # FOLDER OPTIONS...
  local folder=$1 status=0
  shift
  # One more than there are cores: end-to-end tests wait for servers and clocks as much as they compute.
  # Whole outputs: scripts/faults.py looks for names in them.
  ctest --test-dir "$folder" --output-on-failure --no-tests=error -j $((jobs + 1)) \
    --test-output-size-passed 4000000 --test-output-size-failed 4000000 "$@" || status=$?
  if ((status != 0)); then failed_tests+="$(describe_failed_tests "$folder")"$'\n'; fi
  return "$status"
}

# Name and last lines of every test that failed: in a long log they are far above the end.
describe_failed_tests() {  # FOLDER
  local list=$1/Testing/Temporary/LastTestsFailed.log log=$1/Testing/Temporary/LastTest.log name
  [[ -f $list ]] || return 0
  while IFS=: read -r _ name; do
    printf -- '--- %s, %s\n' "$1" "$name"
    NAME=$name awk '$2 == "Testing:" { ours = $3 == ENVIRON["NAME"] } ours' "$log" | tail -n 40
  done < "$list"
}

# Every unit test, and of the end-to-end tests those that bring damaged and hostile input.
run_ctest_asan() {
  local exclude='^sound_input$'
  if [[ $mode == full ]]; then exclude='^$'; fi
  run_ctest build/asan --label-exclude "$exclude"
}

# Every unit test; some ask for more memory than there is.
run_ctest_tsan() {
  TSAN_OPTIONS="suppressions=$ROOT/tests/tsan_suppressions.txt allocator_may_return_null=1" \
    run_ctest build/tsan --label-exclude '^e2e$'
}

compare_with_oracles() {
  local python=$DEPS/python/bin/python3 quick=(--quick) status=0
  if [[ $mode == full ]]; then quick=(); fi
  "$python" scripts/check_tokenizer.py --cli build/release/tests/text/tokenizer_cli "${quick[@]}" || status=1
  "$python" scripts/check_pixels.py "${quick[@]}" build/release/tests/image/pixels_cli || status=1
  return $status
}

# --- running them -------------------------------------------------------------------------------

table=()
failed=()
failed_tests=

# phase NAME COMMAND... : runs it, times it, and notes how it ended. Its status is the command's.
phase() {
  local name=$1 start=$SECONDS status=0 verdict=passed
  shift
  heading "$name"
  "$@" || status=$?
  if ((status != 0)); then
    verdict=FAILED
    failed+=("$name")
  fi
  table+=("$(printf '%-44s %-7s %5d s' "$name" "$verdict" $((SECONDS - start)))")
  return "$status"
}

summary() {
  heading "test.sh: $((SECONDS / 60)) min $((SECONDS % 60)) s"
  printf '%s\n' "${table[@]}"
  if ((${#failed[@]})); then
    printf '%s' "$failed_tests"
    printf 'failed: %s\n' "$(printf '%s; ' "${failed[@]}" | sed 's/; $//')"
    exit 1
  fi
  say "every phase passed"
}

phase "install what is missing" scripts/setup.sh "$([[ $mode == full ]] && echo --full-tests || echo --tests)" || summary
jobs=${jobs:-$(default_jobs)}
if [[ $mode == full ]]; then export AITQE_KILL_POINTS=200 AITQE_LARGE_SHARDS=1; fi
export JOBS=$jobs UBSAN_OPTIONS=print_stacktrace=1

phase "clang-format" scripts/lint.sh format || true
phase "layout and include rules" python3 tests/layers_test.py || true
if phase "release: build" build_release && phase "default model" scripts/default_model.sh; then
  rm -f build/release/tests.xml
  phase "release: tests" run_ctest build/release --output-junit tests.xml || true
  phase "docs/faults.md" scripts/faults.py --results build/release/tests.xml || true
  phase "comparison with Pillow and HF tokenizers" compare_with_oracles || true
fi
if [[ $mode != quick ]]; then
  if phase "ASan and UBSan: build" build_sanitized asan; then
    phase "ASan and UBSan: tests" run_ctest_asan || true
  fi
  phase "fuzzing" env FUZZ_SECONDS="${FUZZ_SECONDS:-$([[ $mode == full ]] && echo 300 || echo 30)}" scripts/fuzz.sh || true
  if [[ $mode == full ]]; then
    phase "clang-tidy, everything" scripts/lint.sh tidy --all || true
    if phase "TSan: build" build_sanitized tsan; then
      phase "TSan: tests" run_ctest_tsan || true
    fi
  else
    phase "clang-tidy, modules without libtorch" scripts/lint.sh tidy || true
  fi
fi
summary
