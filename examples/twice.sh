#!/bin/sh
# twice.sh <folder> <program> [argument...]: run an example in a fresh folder, then again on what it left there.
set -eu
folder=$1
shift
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
"$@"
"$@"
