#!/usr/bin/env bash
# Tests of the C and C++ side: headers, exported symbols, the binary interface, the
# MessagePack code, the API on both transports, and an installation. `make test-c`
# builds the libraries.
set -euo pipefail
cd "$(dirname "$0")/../.."
CC=${CC:-cc} CXX=${CXX:-c++}
strict="-Wall -Wextra -pedantic -Werror"
c99="-std=c99 -D_DEFAULT_SOURCE $strict -Iinclude"
out=build/test-c
mkdir -p "$out" && rm -rf "$out"/*

# The headers compile on their own, without a warning, in every standard named.
for std in c99 c11; do
  echo '#include "synap.h"' | "$CC" -std=$std $strict -Wconversion -Wshadow -Wcast-qual -Wstrict-prototypes -Iinclude -xc -fsyntax-only -
done
for std in c++17 c++20; do
  for header in synap.h synap.hpp; do
    echo "#include \"$header\"" | "$CXX" -std=$std $strict -Wconversion -Wshadow -Iinclude -xc++ -fsyntax-only -
  done
done
"$CC" -std=gnu11 $strict -Iinclude -fsyntax-only tests/c/abi.c
{ # Every options struct has an initializer that names all its members.
  echo '#include "synap.h"'
  grep -oE '^} synap_[a-z_]+_options;' -h include/synap/*_gen.h | tr -d '} ;' | while read -r type; do
    echo "extern $type ${type}_absent; $type ${type}_absent = ${type^^}_INIT;"
  done
} > "$out/options.c"
"$CC" -std=c99 $strict -Iinclude -fsyntax-only "$out/options.c"
"$CXX" -std=c++17 $strict -Iinclude -fsyntax-only -xc++ "$out/options.c"
echo "headers: c99, c11, c++17, c++20 without a warning; the binary interface is version 1"

# Nothing is exported but synap_*, and exactly what the header declares.
nm -D --defined-only build/libsynap.so | awk '{print $3}' | sort > "$out/exported"
grep -oE '^SYNAP_API [^(]*\(' include/synap/abi.h | grep -oE 'synap_[a-z_]+\($' | tr -d '(' | sort > "$out/declared"
diff "$out/declared" "$out/exported"
readelf -d build/libsynap.so | grep -q 'SONAME.*\[libsynap.so.0\]'
readelf -d build/libsynap.so | grep -q 'NODELETE'
echo "symbols: $(wc -l < "$out/exported") exported, all declared"

# The MessagePack code by itself, where sanitizers and valgrind can watch it.
"$CC" $c99 -g -O1 -o "$out/msgpack" tests/c/msgpack.c
if "$CC" $c99 -g -fsanitize=address,undefined -fno-sanitize-recover=all -o "$out/msgpack-sanitized" tests/c/msgpack.c 2> "$out/sanitizers"; then
  "$out/msgpack-sanitized" > /dev/null
fi
if command -v valgrind > /dev/null; then
  valgrind -q --error-exitcode=9 --leak-check=full "$out/msgpack" > /dev/null
fi
"$out/msgpack"

# The API.
run="-Lbuild -lsynap -Wl,-rpath,$PWD/build -lpthread"
"$CC" $c99 -O1 -o "$out/api-c" tests/c/api.c $run
"$CXX" -std=c++17 $strict -Iinclude -O1 -o "$out/api-cpp" tests/c/api.cpp $run
for target in memory:// http; do
  timeout -s KILL 60 "$out/api-c" "$target"
  timeout -s KILL 60 "$out/api-cpp" "$target"
done
# The calls that every host runs, through typed functions alone.
"$CC" $c99 -o "$out/calls-c" tests/c/calls_gen.c $run -lm
"$CXX" -std=c++17 $strict -Iinclude -o "$out/calls-cpp" tests/c/calls_gen.cpp $run
${GO:-go} build -o "$out/check" ./tests/parity/check
timeout -s KILL 60 "$out/calls-c" | "$out/check" "C calls on memory://"
timeout -s KILL 60 "$out/calls-cpp" | "$out/check" "C++ calls on memory://"
"$CC" $c99 -O1 -o "$out/inflight" tests/c/inflight.c $run
timeout -s KILL 60 "$out/inflight"
# The archive goes through the same shim.
"$CC" $c99 -O1 -o "$out/api-static" tests/c/api.c build/libsynap.a -lpthread -ldl
timeout -s KILL 60 "$out/api-static" memory://

# An installation: pkg-config and CMake find it, programs build and run against it.
make --no-print-directory install DESTDIR="$PWD/$out/stage" PREFIX=/opt/synap > "$out/install.log"
prefix="$PWD/$out/stage/opt/synap"
version=$(cat VERSION)
if command -v pkg-config > /dev/null; then
  export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
  [ "$(pkg-config --modversion synap)" = "$version" ]
  flags=$(pkg-config --define-variable=prefix="$prefix" --cflags --libs synap)
  "$CC" -std=c99 -o "$out/installed" tests/quickstart/c/quickstart.c $flags
  LD_LIBRARY_PATH="$prefix/lib" "$out/installed" memory://
  echo "installation: pkg-config"
fi
if command -v cmake > /dev/null; then
  cmake -S tests/c/cmake -B "$out/cmake" -DCMAKE_PREFIX_PATH="$prefix" > "$out/cmake.log" 2>&1 || { cat "$out/cmake.log"; exit 1; }
  cmake --build "$out/cmake" >> "$out/cmake.log" 2>&1 || { cat "$out/cmake.log"; exit 1; }
  "$out/cmake/quickstart" memory://
  # A version that this one does not promise to serve is refused.
  if cmake -S tests/c/cmake -B "$out/cmake-9" -DCMAKE_PREFIX_PATH="$prefix" -DSYNAP_WANTED=9.0 > "$out/cmake-9.log" 2>&1; then
    echo "CMake accepts libsynap $version where 9.0 is wanted" >&2
    exit 1
  fi
  echo "installation: CMake"
fi
