package zipindex_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"log"

	"zipreel/zipindex"
)

// A stored entry's content is a range of the archive.
func ExampleRead() {
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	segment, _ := w.CreateHeader(&zip.FileHeader{Name: "video/segment_1.ts", Method: zip.Store})
	io.WriteString(segment, "a segment")
	w.Close()

	r := bytes.NewReader(archive.Bytes())
	x, err := zipindex.Read(r, r.Size(), zipindex.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	e, ok := x.Lookup("video/segment_1.ts")
	if !ok || e.Refused() != nil {
		log.Fatal("no such entry")
	}
	off, exact := e.DataOffset()
	if !exact { // the local header may have other extra fields than the directory tells
		header := make([]byte, e.HeaderLen())
		r.ReadAt(header, e.HeaderOffset)
		if off, err = e.CheckLocal(header); err != nil {
			log.Fatal(err)
		}
	}
	data := make([]byte, e.Size)
	r.ReadAt(data, off)
	fmt.Printf("%d bytes at %d: %s\n", e.Size, off, data)
	// Output: 9 bytes at 48: a segment
}
