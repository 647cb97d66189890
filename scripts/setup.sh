#!/usr/bin/env bash
# Installs what aitqe is built from: Debian packages, and into .deps/ libtorch, Arrow and the language
# model that the default model stands on.
#
#   scripts/setup.sh            what the program needs
#   scripts/setup.sh --tests    also what the test suite needs
#   scripts/setup.sh --full-tests    and what only scripts/test.sh --full needs: Ray, in a Python of its own
#
# Only what is missing is installed, nothing is asked, and running it twice is harmless. Debian
# packages need root; without root the missing ones are named.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tests=no
full_tests=no
for argument in "$@"; do
  case $argument in
    --tests) tests=yes ;;
    --full-tests) tests=yes full_tests=yes ;;
    -h | --help) print_help; exit 0 ;;
    *) die "unknown option $argument (there are --tests and --full-tests)" ;;
  esac
done

mkdir -p "$DEPS"
exec 9>"$DEPS/.lock"
flock 9  # two runs at once take turns

packages=("${BUILD_PACKAGES[@]}")
if [[ $tests == yes ]]; then packages+=("${TEST_PACKAGES[@]}"); fi
install_packages "${packages[@]}"
install_torch
install_arrow
install_base
if [[ $tests == yes ]]; then
  install_test_python
  install_img2dataset
  (install_open_clip) || {
    rm -rf "$DEPS/open-clip.part"
    say "open_clip's reader is not there: its test will be skipped"
  }
fi
if [[ $full_tests == yes ]]; then install_cluster_python; fi
