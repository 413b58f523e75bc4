#!/bin/sh
# check.sh <source tree>: the rules of this project that a tool can check. Each finding is `file:line: what, instead`.
#
# The library is deterministic because it reads no clock, sleeps nowhere, starts no thread and draws no random number
# except through an interface that the host injects. The places that implement those interfaces are the exceptions.
set -eu
cd "$1"

sources=$(find include src -type f \( -name '*.hpp' -o -name '*.cpp' \) | LC_ALL=C sort)
[ -n "$sources" ] || { echo "no sources in $1"; exit 1; }
findings=$(mktemp)
code=$(mktemp)
trap 'rm -f "$findings" "$code"' EXIT

# Every line as `file:line: code`, without comments: those may speak of what code may not do.
lines() { awk '{ sub(/\/\/.*$/, ""); print FILENAME ":" FNR ": " $0 }' "$@" </dev/null; }

# ban <extended regular expression> <instead> <extended regular expression of exempt files>: look through $code.
ban() {
  grep -E ":[0-9]+: .*($1)" "$code" | grep -vE "$3" | sed "s|^\([^:]*:[0-9]*\): .*|\1: $2|" >>"$findings" || true
}

# File names of this project contain no spaces, so splitting the lists is safe.
outside='^(src|include/openindex)/(adapters|testing)/|^src/dispatch/run'
# shellcheck disable=SC2086
lines $sources >"$code"
ban 'std::chrono::(system|steady|high_resolution|utc)_clock|\b(clock_gettime|gettimeofday|std::time) *\(' \
  'no clock of our own: use openindex::Clock' "^src/core/clock\.cpp|$outside"
ban '\b(sleep_for|sleep_until|usleep|nanosleep|sleep) *\(' 'no sleeping: wait on something that is told' "$outside"
ban 'std::(thread|jthread|async)\b|pthread_create' \
  'no threads: adapters, Dispatcher::run and BlockingRunner have them' "^src/agent/blocking_runner|$outside"
ban '\b(s?rand|drand48) *\(|std::(random_device|mt19937|default_random_engine)|getrandom|RAND_bytes' \
  'no randomness of our own: use openindex::RandomSource' "^src/core/random\.cpp|$outside"
ban 'std::(cout|cerr|clog)\b|\b(printf|puts|perror)\b *\(|fmt::print' \
  'a library prints nothing: return an Error, tell an observer' '^src/cli/'
ban '(^|[^:])\b(fopen|socket|connect) *\(|(^|[^A-Za-z0-9_>])::open *\(|std::[io]?fstream|curl_easy_|sqlite3_open' \
  'no files and no sockets: adapters have them' "^src/core/random\.cpp|$outside"
ban '\b(abort|exit|_exit|terminate) *\(' 'a library does not end its host: return an Error' \
  "^src/core/random\.cpp|^src/(testing|cli)/"
tests=$(find tests examples -type f \( -name '*.hpp' -o -name '*.cpp' \) 2>/dev/null | LC_ALL=C sort)
# shellcheck disable=SC2086
lines $tests >"$code"
ban '\b(sleep_for|sleep_until|usleep|nanosleep) *\(' 'tests do not sleep: move a ManualClock' '^(examples|tests/bench|tests/crash)/'

# A file over 400 lines is split by meaning.
for file in $sources; do
  length=$(wc -l <"$file")
  [ "$length" -le 400 ] || echo "$file:400: $length lines: split it by meaning" >>"$findings"
done

# A file that no list names is not built: it is dead, or its tests never run.
for file in $(find src -name '*.cpp' | LC_ALL=C sort); do
  grep -qE "(^|[ (])${file#src/}(\$|[ )])" src/CMakeLists.txt || echo "$file:1: not in src/CMakeLists.txt" >>"$findings"
done
for file in $(find tests -name '*_test.cpp' | LC_ALL=C sort); do
  grep -qE "(^|[ (])${file##*/}(\$|[ )])" tests/CMakeLists.txt || echo "$file:1: not in tests/CMakeLists.txt" >>"$findings"
done

# The floors of the house, bottom to top: a file includes from its own room and from floors below.
floors='core json access workflow work provider storage,http,net engine,workflow_engine provider_registry agent agent_queue,queue
        codecs dispatcher,dispatch adapters,cli testing'
# shellcheck disable=SC2086
awk -v floors="$floors" '
  function room(path) { sub(/^(include\/)?(openindex|src)\//, "", path); sub(/(\/.*|\.[ch]pp)$/, "", path); return path }
  BEGIN {
    count = split(floors, level, /[ \n]+/)
    for (i = 1; i <= count; i++) { n = split(level[i], names, ","); for (j = 1; j <= n; j++) floor[names[j]] = i }
  }
  FILENAME ~ /openindex\/openindex\.hpp$/ { next }
  FNR == 1 {
    from = room(FILENAME)
    if (FILENAME ~ /^src\/provider\//) from = "provider_registry"  # its sources live with the values they work on
    if (!(from in floor)) print FILENAME ":1: the room " from " has no floor: name it in tests/style/check.sh"
  }
  /^#include [<"]/ {
    split($2, quoted, /[<>"]/)
    to = quoted[2]
    if ($2 ~ /^</ && to !~ /^openindex\//) next
    to = room(to)
    if (to == from || !(to in floor) || !(from in floor)) next
    # Plain values and pure functions over them, of no floor: the vocabulary of a conversation with a model.
    if (to == "codecs" || quoted[2] == "openindex/agent/chat.hpp") next
    if (floor[to] > floor[from] || (floor[to] == floor[from] && from !~ /engine|queue|dispatch/))
      print FILENAME ":" FNR ": " from " includes from " to ", which is not below it"
  }' $sources >>"$findings"

cat "$findings"
[ ! -s "$findings" ]
