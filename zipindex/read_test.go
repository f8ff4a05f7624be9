package zipindex_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"zipreel/zipindex"
	"zipreel/zipindex/ziptest"
)

// countingReader counts reads, and fails them where err is set.
type countingReader struct {
	*bytes.Reader
	reads int
	err   error
}

func (r *countingReader) ReadAt(p []byte, off int64) (int, error) {
	r.reads++
	if r.err != nil {
		return 0, r.err
	}
	return r.Reader.ReadAt(p, off)
}

func TestRead(t *testing.T) {
	var many ziptest.Archive
	for i := range 3000 {
		many.Files = append(many.Files, ziptest.File{Name: fmt.Sprintf("video/segment_%07d.ts", i), Data: []byte{byte(i)}})
	}
	large := many.Build()
	broken := errors.New("broken")
	for _, test := range []struct {
		name  string
		data  []byte
		size  int64 // 0: of data
		err   error // of the reader
		code  zipindex.Code
		want  error
		reads int
	}{
		{name: "few entries", data: ziptest.Archive{Files: many.Files[:10]}.Build(), reads: 1},
		{name: "a directory of more than 68 KiB", data: large, reads: 2},
		{name: "cut off", data: large[:len(large)-1000], code: zipindex.CodeIncomplete, reads: 2},
		{name: "its first entry is still being written", data: large[:20], code: zipindex.CodeIncomplete, reads: 2},
		{name: "something else", data: bytes.Repeat([]byte("x"), 100_000), code: zipindex.CodeNotFound, reads: 2},
		{name: "nothing", code: zipindex.CodeNotFound, reads: 2},
		{name: "less than nothing", size: -1, code: zipindex.CodeNotFound},
		{name: "shorter than said", data: large, size: int64(len(large)) + 10, want: io.ErrUnexpectedEOF, reads: 1},
		{name: "cannot be read", data: large, err: broken, want: broken, reads: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &countingReader{Reader: bytes.NewReader(test.data), err: test.err}
			size := test.size
			if size == 0 {
				size = int64(len(test.data))
			}
			x, err := zipindex.Read(r, size, zipindex.Limits{})
			if codeOf(err) != test.code || test.want != nil && !errors.Is(err, test.want) || (x == nil) != (err != nil) {
				t.Errorf("%v, want %q %v", err, test.code, test.want)
			}
			if r.reads != test.reads {
				t.Errorf("%d reads, want %d", r.reads, test.reads)
			}
		})
	}
}
