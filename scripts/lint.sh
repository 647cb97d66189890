#!/usr/bin/env bash
# Checks the C++ sources with clang-format and clang-tidy.
#
#   scripts/lint.sh format       names the files that clang-format would change
#   scripts/lint.sh fix          lets clang-format change them
#   scripts/lint.sh tidy         clang-tidy over the modules without libtorch
#   scripts/lint.sh tidy --all   clang-tidy over everything; slow, for libtorch's headers are large
#
# Checks what git knows, the way .clang-format and .clang-tidy say. JOBS sets how many run at once.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
jobs=${JOBS:-$(default_jobs)}

format() {
  git ls-files -co --exclude-standard -z -- 'include/*.h' 'src/*.h' 'src/*.cpp' 'src/*.cu' 'tests/*.h' 'tests/*.cpp' 'bench/*.cpp' |
    xargs -0 -r clang-format-14 "$@"
}

# The modules that layers.txt says build without libtorch, as `a|b|c`.
torch_free_modules() { sed -n 's/^!torch-free: *//p' scripts/layers.txt | tr ' ' '|'; }

tidy() {
  local which
  which="($(torch_free_modules))/"
  if [[ ${1:-} == --all ]]; then which=; fi
  # Of what the build writes only CMake's lists of sources, which are looked at several at a time.
  which="$ROOT/(src/$which|build/tidy/src/$which[^\"]*Unity/)[^\"]*"
  configure tidy -DAITQE_BUILD_TESTS=OFF
  grep -oE "\"file\": \"$which" build/tidy/compile_commands.json | cut -d'"' -f4 | sort -u |
    xargs -r -P "$jobs" -n 1 clang-tidy-14 -p build/tidy --quiet 2>/dev/null
}

case ${1:-} in
  format) format --dry-run --Werror ;;
  fix) format -i ;;
  tidy) tidy "${2:-}" ;;
  -h | --help) print_help ;;
  *) die "say format, fix or tidy (--help explains)" ;;
esac
