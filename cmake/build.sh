# shellcheck shell=sh disable=SC2034,SC2154
# Sourced by examples/run, tests/run, tests/bench/run and .ci/run: packages, configure, build. Needs $root, the source
# tree. Says one line for each phase that takes time, and shows the output of one that fails.
#
# Build trees are $BUILD_DIR/<preset>, by default under build/ in the source tree.

# What Debian 12 needs to build everything. libboost1.81-dev excludes the default libboost1.74-dev: never ask for both.
build_packages='g++ cmake ninja-build pkg-config libboost-json1.81-dev libfmt-dev libcurl4-openssl-dev
                libpq-dev libsqlite3-dev libssl-dev doctest-dev ca-certificates'

# For builds with clang, the sanitizers' and the fuzzer's libraries included, which clang only recommends.
clang_packages='clang libclang-rt-14-dev'

say() { printf '%s\n' "-- $*" >&2; }

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

case ${BUILD_DIR:-} in
  '') build_root=$root/build ;;
  /*) build_root=$BUILD_DIR ;;
  *) build_root=$PWD/$BUILD_DIR ;;
esac

# quietly <log> <command>...: show the command's output only when it fails.
quietly() {
  log=$1
  shift
  if "$@" >"$log" 2>&1 </dev/null; then return 0; fi
  cat "$log" >&2
  fail "failed: $*"
}

# need_packages <package>...: install what is missing, or say how to.
need_packages() {
  if ! command -v dpkg-query >/dev/null 2>&1; then return 0; fi # not Debian: CMake will say what it misses
  missing=
  for package in "$@"; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
      'install ok installed') ;;
      *) missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0

  line="apt-get update && apt-get install -y --no-install-recommends$missing"
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif command -v sudo >/dev/null 2>&1; then
    as_root='sudo -n'
    if [ -t 0 ]; then as_root=sudo; fi
    $as_root true || fail "Packages are missing. As root:" "$line"
  else
    fail "Packages are missing. As root: $line"
  fi
  say "installing$missing"
  apt_log=$(mktemp)
  # Never at the price of something that is installed: Boost 1.74, for one, would have to go.
  # shellcheck disable=SC2086
  quietly "$apt_log" $as_root sh -c 'apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y \
    --no-install-recommends --no-remove "$@"' sh $missing
  rm -f "$apt_log"
}

# build <preset> <target>...: configure if it has to be, and build. Sets $tree to the build tree.
build() {
  preset=$1
  shift
  tree=$build_root/$preset
  # The folder may be there and belong to somebody else, and so may what an earlier build left in it.
  mkdir -p "$tree" 2>/dev/null || :
  for place in "$tree" "$tree/configure.log" "$tree/build.log"; do
    if [ -w "$place" ] || { [ "$place" != "$tree" ] && [ ! -e "$place" ]; }; then continue; fi
    fail "Cannot write to $tree: name another folder in BUILD_DIR."
  done
  # CMake asks for the compiler once, when it sees a tree for the first time.
  cached=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$tree/CMakeCache.txt" 2>/dev/null || :)
  if [ -n "${CXX:-}" ] && [ -n "$cached" ] && [ "$(command -v "$CXX" || :)" != "$cached" ]; then
    say "forgetting a build with $cached"
    rm -rf "$tree/CMakeCache.txt" "$tree/CMakeFiles" "$tree/configured"
  fi
  # ninja sees by itself when a CMake file changed; only the presets are read by nobody else.
  if [ -z "$(find "$tree/configured" ! -newer "$root/CMakePresets.json" -o -print 2>/dev/null)" ]; then
    say "configuring $preset"
    rm -f "$tree/configured"
    (cd "$root" && quietly "$tree/configure.log" cmake --preset "$preset" -B "$tree") || exit 1
    : >"$tree/configured"
  fi
  say "building $preset"
  quietly "$tree/build.log" cmake --build "$tree" --target "$@" -- --quiet
}
