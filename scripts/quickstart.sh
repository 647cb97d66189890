#!/usr/bin/env bash
# From a fresh clone to enhanced captions: installs what is missing, builds, and runs `aitqe enhance`
# with the default model on the example shard.
#
#   scripts/quickstart.sh
#
# Nothing is asked; running it again repeats only what changed. The output is in out/quickstart.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
case ${1:-} in
  '') ;;
  -h | --help) print_help; exit 0 ;;
  *) die "takes no arguments (--help explains)" ;;
esac

heading "1 of 4: installing what is missing"
scripts/setup.sh

heading "2 of 4: building (some minutes the first time)"
if [[ ! -f build/release/build.ninja ]]; then
  configure release -DAITQE_BUILD_TESTS=OFF -DAITQE_WERROR="$(werror)" || die "cannot configure the build, see above"
fi
cmake --build build/release --target aitqe -j "$(default_jobs)" || die "the build failed, see above"

heading "3 of 4: putting the default model together"
scripts/default_model.sh

heading "4 of 4: enhancing examples/pairs-00000.tar"
run=(build/release/aitqe enhance examples/pairs-00000.tar -o out/quickstart --overwrite)
say "${run[*]}"
"${run[@]}" || die "aitqe enhance ended with status $?"

heading "done"
python3 - out/quickstart/pairs-00000.aitqe.jsonl <<'PYTHON'
import json
import sys
import textwrap


def show(mark, text):
    print(textwrap.fill(" ".join(text.split()), 96, initial_indent=mark, subsequent_indent=" " * len(mark)))


rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
rewritten = [row for row in rows if row["decision"] == "rewrite"]
kept = [row for row in rows if row["decision"] == "keep"]
for row in rewritten[:5]:
    print(f"{row['key']}: rewritten")
    show("  before: ", row["caption"])
    show("  after:  ", row["caption_out"])
for row in kept[:1]:
    print(f"{row['key']}: kept")
    show("          ", row["caption"])
failed = len(rows) - len(rewritten) - len(kept)
print(f"\n{len(rows)} pairs: {len(rewritten)} rewritten, {len(kept)} kept, {failed} failed")
PYTHON
say "The shard:       out/quickstart/pairs-00000.tar"
say "A row per pair:  out/quickstart/pairs-00000.aitqe.jsonl"
say "More:            build/release/aitqe --help, docs/guide.md"
