// Package origintest holds what every Origin must do, and a storage node that misbehaves on demand. It is for tests.
package origintest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"zipreel/gateway/origin"
)

// Fixture is an Origin over archives that a test can change.
type Fixture struct {
	Origin origin.Origin
	// Set puts an archive there, or another in its place.
	Set func(t *testing.T, name string, data []byte)
}

// Data is n bytes that tell their place and a version.
func Data(version byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8)*3 ^ version
	}
	return b
}

// Run holds an Origin against the contract of origin.Origin.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	data := Data(0, 200_000)
	read := func(t *testing.T, f Fixture, name string, off, n int64, want *origin.Validator) (*origin.Body, []byte) {
		t.Helper()
		body, err := f.Origin.Read(context.Background(), name, off, n, want)
		if err != nil {
			t.Fatalf("Read(%q, %d, %d): %v", name, off, n, err)
		}
		defer body.Close()
		got, err := io.ReadAll(body)
		if err != nil || int64(len(got)) != body.N {
			t.Fatalf("Read(%q, %d, %d): %d bytes of %d, %v", name, off, n, len(got), body.N, err)
		}
		return body, got
	}
	fails := func(t *testing.T, f Fixture, name string, off, n int64, want *origin.Validator, kind error) {
		t.Helper()
		body, err := f.Origin.Read(context.Background(), name, off, n, want)
		if err == nil {
			body.Close()
		}
		var oe *origin.Error
		if !errors.Is(err, kind) || !errors.As(err, &oe) {
			t.Errorf("Read(%q, %d, %d) = %v, want an *origin.Error of kind %v", name, off, n, err, kind)
		}
	}
	tests := map[string]func(t *testing.T, f Fixture){
		"exact": func(t *testing.T, f Fixture) {
			for _, r := range [][2]int64{{0, 1}, {0, 200_000}, {1000, 70_000}, {199_999, 1}} {
				body, got := read(t, f, "a.zip", r[0], r[1], nil)
				if !bytes.Equal(got, data[r[0]:r[0]+r[1]]) || body.Off != r[0] || body.Size != 200_000 || body.Validator.Size != 200_000 {
					t.Errorf("[%d, +%d): Off %d, N %d, Size %d, or other bytes", r[0], r[1], body.Off, body.N, body.Size)
				}
			}
		},
		"tail": func(t *testing.T, f Fixture) {
			for _, n := range []int64{1, 69_632, 200_000, 1 << 40} {
				body, got := read(t, f, "a.zip", origin.Tail, n, nil)
				if k := min(n, 200_000); !bytes.Equal(got, data[200_000-k:]) || body.Off != 200_000-k || body.Size != 200_000 {
					t.Errorf("last %d: Off %d, N %d, Size %d, or other bytes", n, body.Off, body.N, body.Size)
				}
			}
		},
		"past the end": func(t *testing.T, f Fixture) {
			body, got := read(t, f, "a.zip", 199_990, 100, nil)
			if len(got) != 10 || body.N != 10 {
				t.Errorf("%d bytes, N %d, want the 10 that are there", len(got), body.N)
			}
			fails(t, f, "a.zip", 200_000, 1, nil, origin.ErrBadRange)
			fails(t, f, "a.zip", 1<<40, 1, nil, origin.ErrBadRange)
		},
		"names": func(t *testing.T, f Fixture) {
			for _, name := range []string{"sub/dir/a b.zip", "100%.zip", "a+b.zip", "ü.zip", "a;b=c&d?e#f.zip", "no-extension"} {
				f.Set(t, name, data[:5000])
				if _, got := read(t, f, name, 10, 100, nil); !bytes.Equal(got, data[10:110]) {
					t.Errorf("%q: other bytes", name)
				}
			}
		},
		"not found": func(t *testing.T, f Fixture) {
			for _, name := range []string{"b.zip", "a.zip/x", "../a.zip", "sub/../a.zip", "/a.zip", "./a.zip", "", "a.zip\x00", `..\a.zip`, "."} {
				fails(t, f, name, 0, 10, nil, origin.ErrNotFound)
			}
		},
		"version": func(t *testing.T, f Fixture) {
			body, _ := read(t, f, "a.zip", 0, 10, nil)
			v := body.Validator
			again, got := read(t, f, "a.zip", 5, 10, &v)
			if !bytes.Equal(got, data[5:15]) || again.Validator != v {
				t.Errorf("under its own validator %+v: %+v", v, again.Validator)
			}
			f.Set(t, "a.zip", Data(1, 150_000))
			fails(t, f, "a.zip", 5, 10, &v, origin.ErrChanged)
			fails(t, f, "a.zip", origin.Tail, 10, &v, origin.ErrChanged)
			if _, got := read(t, f, "a.zip", 5, 10, nil); !bytes.Equal(got, Data(1, 150_000)[5:15]) {
				t.Error("other bytes after the change")
			}
		},
		"concurrent": func(t *testing.T, f Fixture) {
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					off := int64(i * 1000)
					if _, got := read(t, f, "a.zip", off, 50_000, nil); !bytes.Equal(got, data[off:off+50_000]) {
						t.Errorf("reader %d: other bytes", i)
					}
				})
			}
			wg.Wait()
		},
		"cancelled": func(t *testing.T, f Fixture) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if body, err := f.Origin.Read(ctx, "a.zip", 0, 10, nil); err == nil {
				body.Close()
				t.Error("a cancelled read was answered")
			} else if !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want context.Canceled in it", err)
			}
		},
		"cancelled on the way": func(t *testing.T, f Fixture) {
			f.Set(t, "big.zip", Data(0, 4<<20))
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			body, err := f.Origin.Read(ctx, "big.zip", 0, 4<<20, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			io.ReadFull(body, make([]byte, 10))
			cancel()
			// A local file may still be read to its end. What must not be is a clean end before it.
			rest, err := io.ReadAll(body)
			if err == nil && int64(len(rest))+10 != body.N || err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%d bytes of %d, %v", len(rest)+10, body.N, err)
			}
		},
		"empty": func(t *testing.T, f Fixture) {
			f.Set(t, "empty.zip", nil)
			if body, got := read(t, f, "empty.zip", origin.Tail, 10, nil); len(got) != 0 || body.Size != 0 || body.Off != 0 {
				t.Errorf("%d bytes from %d of %d, want none", len(got), body.Off, body.Size)
			}
			fails(t, f, "empty.zip", 0, 1, nil, origin.ErrBadRange)
		},
		"closed early": func(t *testing.T, f Fixture) {
			for range 20 {
				body, err := f.Origin.Read(context.Background(), "a.zip", 0, 200_000, nil)
				if err != nil {
					t.Fatal(err)
				}
				io.ReadFull(body, make([]byte, 10))
				body.Close()
			}
			read(t, f, "a.zip", 0, 200_000, nil)
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			f.Set(t, "a.zip", data)
			test(t, f)
		})
	}
}
