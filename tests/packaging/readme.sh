#!/bin/sh
# readme.sh README.md: a code block under `<!-- <file> -->` is that file (relative to the README), word for word, so that
# shown code is run code.
set -eu
cd "$(dirname -- "$1")"
readme=$(basename -- "$1")
files=$(sed -n 's/^<!-- \(.*\.cpp\) -->$/\1/p' "$readme")
[ -n "$files" ] || { echo "$readme shows no code from a file"; exit 1; }
status=0
for file in $files; do
  shown=$(awk -v marker="<!-- $file -->" '
    $0 == marker { found = 1 }
    found && $0 == "```" { exit }
    shown { print }
    found && $0 == "```cpp" { shown = 1 }' "$readme")
  if [ "$shown" != "$(cat "$file")" ]; then
    echo "$readme does not show $file as it is"
    status=1
  fi
done
exit $status
