package faults

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"strings"
)

const (
	archiveName = "aurora.zip"
	mountedAt   = "/v/films/" + archiveName
	segments    = 4 // of most titles
	segmentSize = 160 << 10
	filmSize    = 1536 << 10
)

// title is one archive, and what its entries hold.
type title struct {
	data    []byte
	entries map[string][]byte
	offsets map[string]int64 // of the data
}

// newTitle makes a title whose bytes tell its version, as packers do: media first, playlists last. film is the size of its
// longest entry; 0: there is none.
func newTitle(version, film, segments int) *title {
	t := &title{entries: map[string][]byte{}, offsets: map[string]int64{}}
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	add := func(name string, data []byte) {
		w, err := zw.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(data),
			CompressedSize64: uint64(len(data)), UncompressedSize64: uint64(len(data))})
		must(err)
		w.Write(data)
		t.entries[name] = data
	}
	if film > 0 {
		add("film.mp4", noise(version*100, film))
	}
	media := "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"
	for i := range segments {
		name := fmt.Sprintf("seg%d.ts", i)
		add("720p/"+name, noise(version*100+1+i, segmentSize))
		media += "#EXTINF:4,\n" + name + "\n"
	}
	add("extras.bin", noise(version*100+50, 72<<10)) // what the first read of an archive's end brings along
	add("720p/index.m3u8", []byte(media+"#EXT-X-ENDLIST\n"))
	add("master.m3u8", []byte("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\n720p/index.m3u8\n"))
	must(zw.Close())
	t.data = buf.Bytes()
	zr, err := zip.NewReader(bytes.NewReader(t.data), int64(len(t.data)))
	must(err)
	for _, f := range zr.File {
		t.offsets[f.Name], err = f.DataOffset()
		must(err)
	}
	return t
}

// noise is n bytes that tell seed and place.
func noise(seed, n int) []byte {
	b := make([]byte, n)
	x := uint32(seed)*2654435761 + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// entryOf answers the entry that a path below the mount is of.
func entryOf(path string) string { return strings.TrimPrefix(path, mountedAt+"/") }

// whose answers the version (its place in titles) of which the bytes are a whole entry, or -1.
func whose(titles []*title, entry string, got []byte) int {
	sum := sha256.Sum256(got)
	for i, t := range titles {
		if want, ok := t.entries[entry]; ok && sha256.Sum256(want) == sum {
			return i
		}
	}
	return -1
}

// begins says whether the bytes are the beginning of the entry in one of the titles.
func begins(titles []*title, entry string, got []byte) bool {
	for _, t := range titles {
		if bytes.HasPrefix(t.entries[entry], got) {
			return true
		}
	}
	return false
}

// must ends a row's process where what has nothing to do with the fault fails.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func asTimeout(err error, ne *net.Error) bool { return errors.As(err, ne) && (*ne).Timeout() }
