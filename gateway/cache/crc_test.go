package cache

import (
	"hash/crc32"
	"testing"
)

func FuzzCombine(f *testing.F) {
	f.Add([]byte("hello, "), []byte("world"))
	f.Add([]byte{}, []byte{0})
	f.Add([]byte{1}, []byte{})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		got := combine(crc32.ChecksumIEEE(a), crc32.ChecksumIEEE(b), int64(len(b)))
		if want := crc32.ChecksumIEEE(append(append([]byte{}, a...), b...)); got != want {
			t.Errorf("combine = %08x, want %08x", got, want)
		}
	})
}
