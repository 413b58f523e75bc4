#!/bin/sh
# The style check must find each kind of mistake, and must not find one in a comment or in an exempt file.
set -eu
check=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/check.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/include/openindex/core" "$tree/src/core" "$tree/src/work" "$tree/src/adapters" "$tree/tests/core"
status=0

# expect <what the finding says, or nothing> <file> <line>
expect() {
  printf '%s\n' "$3" >"$tree/$2"
  printf '  core/clock.cpp\n  work/rules.cpp\n  adapters/loop.cpp\n' >"$tree/src/CMakeLists.txt"
  : >"$tree/tests/CMakeLists.txt"
  : >"$tree/src/core/result.hpp"
  found=$(sh "$check" "$tree" || true)
  case "$1:$found" in
    :) ;;
    :*) echo "found in $2, wrongly: $found"; status=1 ;;
    *:*"$1"*) ;;
    *) echo "not found in $2: $3"; status=1 ;;
  esac
  rm "$tree/$2"
}

expect '' src/work/rules.cpp 'int x;  // std::chrono::system_clock::now() is not for us'
expect '' src/core/clock.cpp 'auto t = std::chrono::system_clock::now();'
expect '' src/adapters/loop.cpp 'std::thread t;'
expect 'src/work/rules.cpp:1: no clock' src/work/rules.cpp 'auto t = std::chrono::steady_clock::now();'
expect 'no sleeping' src/work/rules.cpp 'std::this_thread::sleep_for(1s);'
expect 'no threads' src/work/rules.cpp 'std::jthread t;'
expect 'no randomness' src/work/rules.cpp 'std::random_device device;'
expect 'prints nothing' src/work/rules.cpp 'std::cout << 1;'
expect 'no files' src/work/rules.cpp 'std::ifstream file("x");'
expect 'end its host' src/adapters/loop.cpp 'std::abort();'
expect 'not in src/CMakeLists.txt' src/core/new.cpp 'int x;'
expect 'not in tests/CMakeLists.txt' tests/core/new_test.cpp 'int x;'
expect 'tests do not sleep' tests/core/new_test.cpp 'std::this_thread::sleep_for(1s);'
expect 'core includes from work, which is not below it' include/openindex/core/ids.hpp '#include <openindex/work/work_item.hpp>'
expect '' src/work/rules.cpp '#include <openindex/core/ids.hpp>'
expect 'split it by meaning' src/work/rules.cpp "$(yes 'int x;' | head -n 401)"
exit $status
