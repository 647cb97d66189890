#!/usr/bin/env bash
# Submits a job array that enhances a set of shards, and behind it a job that proves the result complete.
#
#   scripts/slurm/submit.sh TASKS [SBATCH OPTION...] -- INPUT... -o OUT [OPTION...]
#
#   scripts/slurm/submit.sh 8 --gres=gpu:1 --time=12:00:00 -- 'data/{00000..00099}.tar' -o OUT
#
# What stands before -- goes to sbatch, what stands behind it to `aitqe enhance` (see enhance.sbatch). The report runs
# after the tasks however they ended (afterany: one that was requeued never satisfies afterok), says what is missing, and
# judges failed pairs by the tasks' --max-failed (see report.sbatch). Prints the two job ids.
set -euo pipefail

usage() {
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
  exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tasks=${1:-}
[[ $tasks =~ ^[1-9][0-9]*$ ]] || usage
shift
options=()
while (($#)) && [[ $1 != -- ]]; do
  options+=("$1")
  shift
done
(($# > 1)) || usage
shift

out=
arguments=("$@")
for ((i = 0; i + 1 < ${#arguments[@]}; ++i)); do
  case ${arguments[i]} in -o | --output) out=${arguments[i + 1]} ;; esac
done
[[ -n $out ]] || usage

array=$(sbatch --parsable --array="0-$((tasks - 1))" "${options[@]}" "$here/enhance.sbatch" "$@")
report=$(sbatch --parsable --dependency="afterany:${array%%;*}" "$here/report.sbatch" "$out" "$@")
echo "array ${array%%;*}, report ${report%%;*}"
