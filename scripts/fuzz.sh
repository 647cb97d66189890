#!/usr/bin/env bash
# Builds the libFuzzer targets of tests/fuzz with clang, ASan and UBSan, and runs them.
#
#   scripts/fuzz.sh                  every target, FUZZ_SECONDS each (30 unless set), JOBS at a time
#   scripts/fuzz.sh tokenizer ...    these targets
#
# New inputs are gathered in build/fuzz/corpus/NAME; tests/fuzz/CMakeLists.txt names the seeds. What
# breaks a target is kept in build/fuzz/crashes/NAME-*: copy it into tests/fuzz/corpus/NAME with the fix.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
seconds=${FUZZ_SECONDS:-30}
jobs=${JOBS:-$(default_jobs)}
build=$ROOT/build/fuzz
if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  print_help
  exit 0
fi

# run_target NAME : one line when it held, the end of its log when it did not.
run_target() {
  local name=$1 log=$build/$1.log inputs=$build/corpus/$1 seeds crash
  mkdir -p "$inputs" "$build/crashes"
  mapfile -t seeds <"$build/tests/fuzz/${name}_fuzz.seeds"
  if "$build/tests/fuzz/${name}_fuzz" -max_total_time="$seconds" -rss_limit_mb=3000 -timeout=20 \
    -artifact_prefix="$build/crashes/$name-" -print_final_stats=1 -verbosity=1 \
    "$inputs" "${seeds[@]}" >"$log" 2>&1; then
    say "$name: held for $seconds s, $(awk '/number_of_executed_units/ {print $2}' "$log") inputs"
  else
    tail -n 40 "$log"
    crash=$(find "$build/crashes" -name "$name-*" -newer "$build/tests/fuzz/${name}_fuzz.seeds" | head -n 1)
    say "$name: broken${crash:+ by ${crash#"$ROOT/"}}, log in ${log#"$ROOT/"}"
    return 1
  fi
}

configure fuzz
cmake --build "$build" --target fuzz_targets -j "$jobs"
targets=("$@")
if [[ ${#targets[@]} == 0 ]]; then
  mapfile -t targets < <(find "$build/tests/fuzz" -name '*_fuzz' -type f -printf '%f\n' | sed 's/_fuzz$//' | sort)
fi
[[ ${#targets[@]} != 0 ]] || die "no fuzz target was built"

failed=0
running=0
for name in "${targets[@]}"; do
  if ((running == jobs)); then
    wait -n || failed=1
    running=$((running - 1))
  fi
  run_target "$name" &
  running=$((running + 1))
done
while ((running > 0)); do
  wait -n || failed=1
  running=$((running - 1))
done
exit $failed
