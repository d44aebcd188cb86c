package main

import (
	"bytes"
	"compress/gzip"
	"testing"
)

// What a page downloads before it works.
const (
	maxRaw  = 3_000_000
	maxGzip = 900_000
)

func TestModule(t *testing.T) {
	linked, err := link()
	if err != nil {
		t.Fatal(err)
	}
	small, err := shrink(linked)
	if err != nil {
		t.Fatal(err)
	}
	optimized, err := optimize(small)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("synap.wasm: %d bytes, %d compressed (as linked: %d, %d)", len(optimized), compressed(t, optimized), len(linked), compressed(t, linked))

	t.Run("size", func(t *testing.T) {
		if len(optimized) > maxRaw || compressed(t, optimized) > maxGzip {
			t.Errorf("over the budget of %d bytes, %d compressed", maxRaw, maxGzip)
		}
	})
	t.Run("memory", func(t *testing.T) {
		// The data section and the start function together write what the linker's
		// data section wrote, but for the lines.
		m, err := parse(small)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.image()
		if err != nil {
			t.Fatal(err)
		}
		m, err = parse(linked)
		if err != nil {
			t.Fatal(err)
		}
		want, err := m.image()
		if err != nil {
			t.Fatal(err)
		}
		if err := dropLines(want); err != nil {
			t.Fatal(err)
		}
		at, buckets := findTable(want)
		writeTable(got, at, buckets)
		if !bytes.Equal(got, want) {
			t.Error("the memory differs")
		}
	})
	t.Run("twice", func(t *testing.T) {
		if _, err := shrink(small); err == nil {
			t.Error("a module without the table is shrunk again")
		}
	})
	t.Run("malformed", func(t *testing.T) {
		for n := 0; n < len(linked); n += 1 + n/3 {
			if _, err := shrink(linked[:n]); err == nil {
				t.Errorf("the first %d bytes are taken for a module", n)
			}
		}
		m, err := parse(linked)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range m {
			cut := append(module(nil), m...)
			cut[i].body = s.body[:len(s.body)/2]
			_, _ = shrink(cut.bytes()) // must not panic
		}
	})
}

func compressed(t *testing.T, b []byte) int {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

func TestBytesOfModule(t *testing.T) {
	text := []byte(header + "\x00\x03\x01xy" + "\x01\x04\x01\x60\x00\x00")
	m, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.bytes(); !bytes.Equal(got, text) {
		t.Errorf("%q becomes %q", text, got)
	}
	for _, bad := range []string{"", "\x00asm", header + "\x01", header + "\x01\x05\x00", header + "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		if _, err := parse([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a module", bad)
		}
	}
}

func TestAppendInt(t *testing.T) {
	for v, want := range map[int64]string{0: "\x00", 63: "\x3f", 64: "\xc0\x00", -1: "\x7f", -64: "\x40", -65: "\xbf\x7f", 1 << 20: "\x80\x80\xc0\x00"} {
		if got := string(appendInt(nil, v)); got != want {
			t.Errorf("%d becomes %q, not %q", v, got, want)
		}
	}
}
