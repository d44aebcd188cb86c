# How libsynap.so, libsynap.a and the files beside them are built and installed.
PREFIX    ?= /usr/local
SONAME    := libsynap.so.0
CAPI_SRC  := $(wildcard capi/*.c capi/*.h) capi/symbols.map
CAPI_ENV   = CGO_ENABLED=1 CGO_CFLAGS='-O2 -fvisibility=hidden -DSYNAP_VERSION=$(VERSION)'
HEADERS   := include/synap.h include/synap.hpp

lib: build/libsynap.so build/libsynap.a ## build build/libsynap.so and build/libsynap.a

build/libsynap.so: $(GO_SOURCES) $(CAPI_SRC) VERSION
	@mkdir -p build
	$(CAPI_ENV) $(GO) build -buildmode=c-shared -trimpath -ldflags '-s -w -extldflags "-Wl,-soname,$(SONAME) -Wl,--version-script=$(CURDIR)/capi/symbols.map -Wl,-z,nodelete"' -o $@ ./capi
	@rm -f build/libsynap.h
	ln -sf libsynap.so build/$(SONAME)

build/libsynap.a: $(GO_SOURCES) $(CAPI_SRC) VERSION
	@mkdir -p build
	$(CAPI_ENV) $(GO) build -buildmode=c-archive -trimpath -ldflags '-s -w' -o $@ ./capi
	@rm -f build/libsynap.h
