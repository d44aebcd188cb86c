#!/usr/bin/env bash
# Tests of the C and C++ side: headers, exported symbols, the API on both
# transports, the guards, and an installation. `make test-c` builds the libraries.
set -euo pipefail
cd "$(dirname "$0")/../.."
CC=${CC:-cc} CXX=${CXX:-c++}
strict="-Wall -Wextra -pedantic -Werror"
out=build/test-c
rm -rf "$out" && mkdir -p "$out"
tests/need.sh pkg-config=pkg-config cmake=cmake readelf=binutils

# The headers compile on their own, without a warning, in every standard named.
for std in c99 c11; do
  echo '#include "synap.h"' | "$CC" -std=$std $strict -Wconversion -Iinclude -xc -fsyntax-only -
done
for header in synap.h synap.hpp; do
  echo "#include \"$header\"" | "$CXX" -std=c++17 $strict -Iinclude -xc++ -fsyntax-only -
done
echo "headers: c99, c11, c++17 without a warning"

# Nothing is exported but synap_*, and exactly what the header declares.
nm -D --defined-only build/libsynap.so | awk '{print $3}' | sort > "$out/exported"
grep -oE '^SYNAP_API [^(]*\(' include/synap.h | grep -oE 'synap_[a-z_]+\($' | tr -d '(' | sort > "$out/declared"
diff "$out/declared" "$out/exported"
readelf -d build/libsynap.so | grep -q 'SONAME.*libsynap.so.0'
echo "symbols: $(wc -l < "$out/exported") exported, all declared"

run="-Lbuild -lsynap -Wl,-rpath,$PWD/build"
"$CC" -std=c99 -D_POSIX_C_SOURCE=200809L $strict -O1 -Iinclude -o "$out/api-c" tests/c/api.c $run
"$CXX" -std=c++17 $strict -O1 -Iinclude -o "$out/api-cpp" tests/c/api.cpp $run
for target in memory:// http; do
  timeout 60 "$out/api-c" "$target"
  timeout 60 "$out/api-cpp" "$target"
done
# The archive goes through the same shim.
"$CC" -std=c99 -D_POSIX_C_SOURCE=200809L $strict -O1 -Iinclude -o "$out/api-static" tests/c/api.c build/libsynap.a -lpthread -ldl
timeout 60 "$out/api-static" memory://

# The guards, each in a process of its own that may take 2 s.
"$CC" -std=c99 -D_POSIX_C_SOURCE=200809L $strict -O1 -Iinclude -o "$out/guards" tests/c/guards.c $run
for guard in fork exit; do
  timeout 4 "$out/guards" $guard
done
LD_LIBRARY_PATH=build/testpanic timeout 4 env LD_PRELOAD="$PWD/build/testpanic/libsynap.so" "$out/guards" panic

# An installation: pkg-config and CMake find it, programs build and run against it.
make --no-print-directory install DESTDIR="$PWD/$out/root" PREFIX=/opt/synap > /dev/null
prefix="$PWD/$out/root/opt/synap"
flags=$(PKG_CONFIG_PATH="$prefix/lib/pkgconfig" pkg-config --define-variable=prefix="$prefix" --cflags --libs synap)
"$CC" -std=c99 -o "$out/installed" tests/quickstart/c/quickstart.c $flags
LD_LIBRARY_PATH="$prefix/lib" "$out/installed" memory://
echo "installation: pkg-config"
cmake -S tests/c/cmake -B "$out/cmake" -DCMAKE_PREFIX_PATH="$prefix" > "$out/cmake.log" 2>&1 || { cat "$out/cmake.log"; exit 1; }
cmake --build "$out/cmake" >> "$out/cmake.log" 2>&1 || { cat "$out/cmake.log"; exit 1; }
"$out/cmake/quickstart" memory://
echo "installation: CMake"
