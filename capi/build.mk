# How libsynap.so, libsynap.a and the files beside them are built and installed.
PREFIX    ?= /usr/local
SONAME    := libsynap.so.0
CAPI_SRC  := $(wildcard capi/*.c capi/*.h) capi/symbols.map
CAPI_ENV  := CGO_ENABLED=1 CGO_CFLAGS='-O2 -fvisibility=hidden'
CAPI_SO   := -buildmode=c-shared -trimpath -ldflags '-s -w -extldflags "-Wl,-soname,$(SONAME) -Wl,--version-script=$(CURDIR)/capi/symbols.map -Wl,-z,nodelete"'
HEADERS   := $(wildcard include/*.h include/*.hpp)
# What these include.
PARTS     := $(wildcard include/synap/*.h include/synap/*.hpp)

lib: build/libsynap.so build/libsynap.a ## build build/libsynap.so and build/libsynap.a

build/libsynap.so: $(GO_SOURCES) $(CAPI_SRC) VERSION
	@mkdir -p build
	$(CAPI_ENV) $(GO) build $(CAPI_SO) -o $@ ./capi
	@rm -f build/libsynap.h
	ln -sf libsynap.so build/$(SONAME)

build/libsynap.a: $(GO_SOURCES) $(CAPI_SRC) VERSION
	@mkdir -p build
	$(CAPI_ENV) $(GO) build -buildmode=c-archive -trimpath -ldflags '-s -w' -o $@ ./capi
	@rm -f build/libsynap.h

# Files that name the version or the place of installation.
FILL = sed -e 's|@VERSION@|$(VERSION)|g' -e 's|@PREFIX@|$(PREFIX)|g'

install: lib ## install library, headers, pkg-config and CMake files (DESTDIR=, PREFIX=)
	install -d '$(DESTDIR)$(PREFIX)/include/synap' '$(DESTDIR)$(PREFIX)/lib/pkgconfig' '$(DESTDIR)$(PREFIX)/lib/cmake/Synap'
	install -m 644 $(HEADERS) '$(DESTDIR)$(PREFIX)/include'
	install -m 644 $(PARTS) '$(DESTDIR)$(PREFIX)/include/synap'
	install -m 755 build/libsynap.so '$(DESTDIR)$(PREFIX)/lib/$(SONAME)'
	ln -sf $(SONAME) '$(DESTDIR)$(PREFIX)/lib/libsynap.so'
	install -m 644 build/libsynap.a '$(DESTDIR)$(PREFIX)/lib'
	$(FILL) include/synap.pc.in > '$(DESTDIR)$(PREFIX)/lib/pkgconfig/synap.pc'
	$(FILL) include/cmake/SynapConfig.cmake.in > '$(DESTDIR)$(PREFIX)/lib/cmake/Synap/SynapConfig.cmake'
	$(FILL) include/cmake/SynapConfigVersion.cmake.in > '$(DESTDIR)$(PREFIX)/lib/cmake/Synap/SynapConfigVersion.cmake'

# The library with a command that panics on purpose, for the tests of the guards.
build/testpanic/libsynap.so: build/libsynap.so
	@mkdir -p build/testpanic
	$(CAPI_ENV) $(GO) build -tags synap_testpanic $(CAPI_SO) -o $@ ./capi
	@rm -f build/testpanic/libsynap.h
	ln -sf libsynap.so build/testpanic/$(SONAME)

.PHONY: test-c test-faults-c
test-c: lib ## test headers, symbols, C and C++ programs, and an installation
	tests/c/run.sh

test-faults: test-faults-c
test-faults-c: lib build/testpanic/libsynap.so
	tests/faults/c/run.sh
