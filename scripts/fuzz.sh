#!/usr/bin/env bash
# Builds the libFuzzer targets of tests/fuzz with clang, ASan and UBSan, and runs them.
#
#   scripts/fuzz.sh                  every target, FUZZ_SECONDS each (30 unless set), JOBS at a time
#   scripts/fuzz.sh tokenizer ...    these targets
#   scripts/fuzz.sh --slice SECONDS [TARGET...]
#                                    the same for so long each, and a line for each in bench/results/fuzz_counts.txt:
#                                    slices of any length and machine add up
#   scripts/fuzz.sh --counts         how many inputs each target has had in all slices
#   scripts/fuzz.sh --keep [TARGET...]
#                                    adds what was gathered and reaches new code to tests/fuzz/corpus, to be committed
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
counts=$ROOT/bench/results/fuzz_counts.txt
kept_bytes=512  # of an input that is committed
action=run

# The version that a slice is of: the commit, and + where files differ from it.
version() { printf '%s%s' "$(git rev-parse --short HEAD)" "$(git diff --quiet HEAD -- src include tests || printf +)"; }

# note_slice NAME INPUTS VERDICT : inputs that ran count whatever came of them.
note_slice() {
  [[ -f $counts ]] || printf '# date version target seconds inputs verdict: slices of scripts/fuzz.sh --slice\n' >"$counts"
  printf '%s %s %s %s %s %s\n' "$(date -u +%Y-%m-%d)" "$(version)" "$1" "$seconds" "$2" "$3" >>"$counts"
}

show_counts() {
  [[ -f $counts ]] || die "no slice has been run yet (--slice SECONDS)"
  awk '!/^#/ { inputs[$3] += $5; seconds[$3] += $4; if ($6 == "broken") broken[$3]++ }
       END { for (name in inputs) printf "%-14s %12d inputs in %6d s%s\n", name, inputs[name], seconds[name],
             broken[name] ? ", broken " broken[name] " times" : "" }' "$counts" | sort
}

# of_log NAME : inputs that ran, also where the run was broken off.
of_log() {
  awk '/number_of_executed_units/ { found = $2 } /^#[0-9]+/ { last = substr($1, 2) } END { print found ? found : last + 0 }' \
    "$build/$1.log"
}

# run_target NAME : one line when it held, the end of its log when it did not.
run_target() {
  local name=$1 log=$build/$1.log inputs=$build/corpus/$1 seeds crash
  mkdir -p "$inputs" "$build/crashes"
  mapfile -t seeds <"$build/tests/fuzz/${name}_fuzz.seeds"
  if "$build/tests/fuzz/${name}_fuzz" -max_total_time="$seconds" -rss_limit_mb=3000 -timeout=60 \
    -max_len="$(<"$build/tests/fuzz/${name}_fuzz.max_bytes")" \
    -artifact_prefix="$build/crashes/$name-" -print_final_stats=1 -verbosity=1 \
    "$inputs" "${seeds[@]}" >"$log" 2>&1; then
    say "$name: held for $seconds s, $(of_log "$name") inputs"
    if [[ $action == slice ]]; then note_slice "$name" "$(of_log "$name")" held; fi
  else
    tail -n 40 "$log"
    crash=$(find "$build/crashes" -name "$name-*" -newer "$build/tests/fuzz/${name}_fuzz.seeds" | head -n 1)
    say "$name: broken${crash:+ by ${crash#"$ROOT/"}}, log in ${log#"$ROOT/"}"
    if [[ $action == slice ]]; then note_slice "$name" "$(of_log "$name")" broken; fi
    return 1
  fi
}

keep_target() {
  local name=$1 kept=$ROOT/tests/fuzz/corpus/$1 before
  mkdir -p "$kept" "$build/corpus/$name"
  before=$(find "$kept" -type f | wc -l)
  "$build/tests/fuzz/${name}_fuzz" -merge=1 -max_len="$kept_bytes" "$kept" "$build/corpus/$name" >"$build/$name.log" 2>&1 ||
    die "$name: the corpus cannot be merged, log in build/fuzz/$name.log"
  say "$name: $(($(find "$kept" -type f | wc -l) - before)) inputs kept, $(du -sh --apparent-size "$kept" | cut -f1) in all"
}

case ${1:-} in
  -h | --help) print_help; exit 0 ;;
  --counts) show_counts; exit 0 ;;
  --slice)
    action=slice
    seconds=${2:?--slice needs a number of seconds}
    shift 2
    ;;
  --keep) action=keep; shift ;;
  --*) die "unknown option $1 (--help lists them)" ;;
esac

configure fuzz
cmake --build "$build" --target fuzz_targets -j "$jobs"
targets=("$@")
if [[ ${#targets[@]} == 0 ]]; then
  mapfile -t targets < <(find "$build/tests/fuzz" -name '*_fuzz' -type f -printf '%f\n' | sed 's/_fuzz$//' | sort)
fi
[[ ${#targets[@]} != 0 ]] || die "no fuzz target was built"
if [[ $action == keep ]]; then
  for name in "${targets[@]}"; do keep_target "$name"; done
  exit 0
fi

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
