#!/bin/sh
# headers.sh <installed include folder> <file that lists the core's headers>
#
# The public headers show nothing of what we are built with, and openindex.hpp is their table of contents: it includes
# every header of the core in alphabetical order, and names those of the other components, or their folder, in a comment.
set -eu
core_headers=$2
cd "$1"
status=0
complain() {
  printf '%s\n' "$*"
  status=1
}

foreign=$(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<](curl|fmt|doctest|libpq|openssl|pg_|postgres|sqlite3|boost)' . |
  grep -v '<boost/json/fwd\.hpp>' || true)
[ -z "$foreign" ] || complain "Public headers include what they must not:" "$foreign"
internal=$(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' . || true)
[ -z "$internal" ] || complain "Public headers name each other as <openindex/...>:" "$internal"

umbrella=openindex/openindex.hpp
[ -f "$umbrella" ] || { complain "$umbrella is not installed"; exit 1; }
listed=$(sed -n 's/^#include <\(openindex\/.*\)>.*$/\1/p' "$umbrella")
core=$(sed -n 's/^.*\/include\/\(openindex\/.*\)$/\1/p' "$core_headers" | grep -v "^$umbrella\$" | LC_ALL=C sort)
[ -n "$core" ] || complain "no core headers in $core_headers"
if [ "$(printf '%s\n' "$listed")" != "$core" ]; then
  complain "$umbrella must include exactly the core's headers, in this order:" "$core"
fi
for header in $(find openindex -name '*.hpp' | LC_ALL=C sort); do
  name=${header#openindex/}
  [ "$header" = "$umbrella" ] || grep -qF -e "$name" -e "${name%/*}/*.hpp" "$umbrella" ||
    complain "$umbrella does not name $name"
done
exit $status
