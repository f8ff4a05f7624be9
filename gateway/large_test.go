package gateway_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"zipreel/gateway"
)

// hugeArchive is one entry of n bytes, each a function of its place, without holding them.
type hugeArchive struct {
	head, tail []byte
	n          int64
}

func newHugeArchive(name string, n int64) *hugeArchive {
	le := binary.LittleEndian
	local := append([]byte("PK\x03\x04"), make([]byte, 26)...)
	le.PutUint32(local[18:], uint32(n))
	le.PutUint32(local[22:], uint32(n))
	le.PutUint16(local[26:], uint16(len(name)))
	local = append(local, name...)
	central := append([]byte("PK\x01\x02"), make([]byte, 42)...)
	le.PutUint32(central[20:], uint32(n))
	le.PutUint32(central[24:], uint32(n))
	le.PutUint16(central[28:], uint16(len(name)))
	central = append(central, name...)
	end := append([]byte("PK\x05\x06"), make([]byte, 18)...)
	le.PutUint16(end[8:], 1)
	le.PutUint16(end[10:], 1)
	le.PutUint32(end[12:], uint32(len(central)))
	le.PutUint32(end[16:], uint32(int64(len(local))+n))
	return &hugeArchive{local, append(central, end...), n}
}

func (h *hugeArchive) size() int64 { return int64(len(h.head)) + h.n + int64(len(h.tail)) }

func hugeByte(i int64) byte { return byte(i ^ i>>8 ^ i>>16 ^ i>>24) }

func (h *hugeArchive) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		switch at := off + int64(i); {
		case at < int64(len(h.head)):
			p[i] = h.head[at]
		case at < int64(len(h.head))+h.n:
			p[i] = hugeByte(at - int64(len(h.head)))
		case at < h.size():
			p[i] = h.tail[at-int64(len(h.head))-h.n]
		default:
			return i, io.EOF
		}
	}
	return len(p), nil
}

func TestRangesOfHugeEntry(t *testing.T) {
	f := newFixture(t)
	h := newHugeArchive("movie.mp4", 3<<30)
	f.films.SetReaderAt("huge.zip", h, h.size(), `"v1"`)
	check := func(off, n int64) {
		t.Helper()
		res := f.get("/v/films/huge.zip/movie.mp4", "Range", rangeHeader(off, n))
		got := body(t, res)
		if res.StatusCode != 206 || int64(len(got)) != n {
			t.Fatalf("status %d, %d bytes, want %d", res.StatusCode, len(got), n)
		}
		for i, b := range got {
			if b != hugeByte(off+int64(i)) {
				t.Fatalf("byte %d of the range is wrong", i)
			}
		}
	}
	check(0, 1000)
	read := func() (n int64) {
		for _, r := range f.films.Reads() {
			n += r.N
		}
		return n
	}
	before := read()
	check(2<<30, 100_000)
	if n := read() - before; n > 1<<20 {
		t.Errorf("a range of 100,000 bytes took %d bytes from storage, want at most 1 MiB", n)
	}
	before, reads := read(), len(f.films.Reads())
	check(2<<30+100_000, 4<<20)
	if n, k := read()-before, len(f.films.Reads())-reads; n > 5<<20 || k != 1 {
		t.Errorf("the next 4 MiB took %d bytes in %d reads, want one of at most 5 MiB", n, k)
	}
	before = read()
	check(2<<30, 4<<20)
	if n := read() - before; n != 0 {
		t.Errorf("%d bytes were read again", n)
	}
}

func rangeHeader(off, n int64) string {
	return "bytes=" + itoa(off) + "-" + itoa(off+n-1)
}

// TestOpenEndedRangeReadsAheadABit: a viewer asks for gigabytes and takes one.
func TestOpenEndedRangeReadsAheadABit(t *testing.T) {
	f := newFixture(t)
	h := newHugeArchive("movie.mp4", 3<<30)
	f.films.SetReaderAt("huge.zip", h, h.size(), `"v1"`)
	server := httptest.NewServer(f)
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", server.URL+"/v/films/huge.zip/movie.mp4", nil)
	req.Header.Set("Range", "bytes=0-")
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.CopyN(io.Discard, res.Body, 1<<20); err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, r := range f.films.Reads() {
		n += r.N
	}
	if n > 32<<20+200<<10 {
		t.Errorf("%d bytes asked of storage for a viewer who took one MiB, want at most 32 MiB and the index", n)
	}
}

// TestLargeEntryIsProved: an entry of several spans, delivered whole, ends only when its CRC agrees.
func TestLargeEntryIsProved(t *testing.T) {
	f := newFixture(t, func(c *gateway.Config) { c.Memory = 64 << 20 })
	movie := bytes.Repeat(pattern(7, 1<<20), 33)
	movie[20<<20] ^= 1
	data, offsets := makeZip(t, file{"movie.mp4", movie})
	f.films.Set("good.zip", data, `"v1"`)
	wantBody(t, f.get("/v/films/good.zip/movie.mp4"), 200, movie)

	data = bytes.Clone(data)
	data[offsets["movie.mp4"]+21<<20] ^= 1
	f.films.Set("bad.zip", data, `"v1"`)
	defer func() {
		if r := recover(); r != http.ErrAbortHandler {
			t.Errorf("wrong bytes ended with %v, want the connection cut", r)
		}
	}()
	res := f.get("/v/films/bad.zip/movie.mp4")
	t.Errorf("wrong bytes were answered with %d", res.StatusCode)
}
