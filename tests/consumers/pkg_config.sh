#!/bin/sh
# pkg_config.sh <installed library folder> <compiler> <work folder>: build and run the consumers with pkg-config alone.
set -eu
consumers=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$3"
cd "$3"
PKG_CONFIG_PATH="$1/pkgconfig"
LD_LIBRARY_PATH="$1"
export PKG_CONFIG_PATH LD_LIBRARY_PATH

build() { # <source> <module>...
  program=$1
  shift
  flags=$(pkg-config --cflags --libs "$@")
  # pkg-config answers in shell syntax: a space in a path is escaped.
  eval "set -- $flags"
  "$compiler" -std=c++20 "$consumers/$program.cpp" -o "$program" "$@"
  "./$program"
}

compiler=$2
build consumer openindex
build components openindex-sqlite openindex-curl openindex-testing
