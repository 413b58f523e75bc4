#!/bin/sh
# pkg_config.sh <installed library folder> <compiler> <work folder>: build and run the consumers with pkg-config alone.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
mkdir -p "$3"
cd "$3"
compiler=$2
PKG_CONFIG_PATH="$1/pkgconfig"
LD_LIBRARY_PATH="$1"
export PKG_CONFIG_PATH LD_LIBRARY_PATH

consume() { # <source> <module>...
  source=$1
  shift
  flags=$(pkg-config --cflags --libs "$@")
  # pkg-config answers in shell syntax: a space in a path is escaped.
  eval "set -- $flags"
  "$compiler" -std=c++20 "$root/$source" -o consumer "$@"
  ./consumer
}

consume examples/embed/embed.cpp openindex
consume tests/consumers/components.cpp openindex-postgres openindex-sqlite openindex-curl openindex-testing
