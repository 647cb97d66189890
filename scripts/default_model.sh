#!/usr/bin/env bash
# Puts the default model together: models/aitqe-small, which holds what was trained, and the language
# model under it become .deps/models/aitqe-small, where `aitqe` looks when no --model is given.
#
#   scripts/default_model.sh
#
# Needs the built program (build/release/aitqe). Nothing is done when it is there already.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
case ${1:-} in
  '') ;;
  -h | --help) print_help; exit 0 ;;
  *) die "takes no arguments (--help explains)" ;;
esac

merge() { logged "aitqe convert failed" build/release/aitqe convert models/aitqe-small --base "$BASE" -o "$1"; }

[[ -x build/release/aitqe ]] || die "build/release/aitqe is not there; build it first (README.md)"
install_base
fill_folder models/aitqe-small "$(find models/aitqe-small -type f -exec sha256sum {} + | sort | sha256sum | cut -d ' ' -f 1)" merge
