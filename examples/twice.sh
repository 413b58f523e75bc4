#!/bin/sh
# twice.sh <program> <folder>: run an example in a fresh folder, then again on what it left there.
set -eu
rm -rf "$2"
mkdir -p "$2"
cd "$2"
"$1"
"$1"
