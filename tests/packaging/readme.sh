#!/bin/sh
# readme.sh README.md: a code block under `<!-- <file> -->` is what stands in that file (relative to the README) between
# the lines `// [readme]` and `// [/readme]`, so that shown code is run code.
set -eu
cd "$(dirname -- "$1")"
readme=$(basename -- "$1")
files=$(sed -n 's/^<!-- \(.*\.cpp\) -->$/\1/p' "$readme")
[ -n "$files" ] || { echo "$readme shows no code from a file"; exit 1; }
status=0
for file in $files; do
  shown=$(awk -v marker="<!-- $file -->" '$0 == marker { found = 1 } found && /^```$/ { exit } shown { print } found && /^```cpp$/ { shown = 1 }' "$readme")
  source=$(awk '/^ *\/\/ \[\/readme\]$/ { shown = 0 } shown { print } /^ *\/\/ \[readme\]$/ { shown = 1 }' "$file")
  if [ -z "$source" ] || [ "$shown" != "$source" ]; then
    printf '%s does not show what stands between the markers of %s:\n%s\n' "$readme" "$file" "$source"
    status=1
  fi
done
exit $status
