package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
)

// A file is a header of 32 bytes and the data: the magic, the data's length (8 bytes) and CRC-32C (4), little-endian, and the first 12 bytes of the name it was written
// under, so that a file that got another's name is none.

const (
	diskMagic  = "zrspan1\n"
	diskHeader = 32
	half       = ".part" // of a file that is being written
)

// file names a file by the SHA-256, cut to 16 bytes, of what it holds.
type file struct {
	sum  [16]byte
	blob bool // not a span
}

const blobSuffix = ".blob"

// errDamaged is about a file that holds something else than was written.
var errDamaged = errors.New("damaged")

// errOpen is about a file of which nothing was read.
var errOpen = errors.New("not opened")

// fileOf is the file of a span.
func fileOf(key spanKey) file {
	h := make([]byte, 0, 256)
	for _, s := range []string{"span", key.obj.Source, key.obj.Archive, key.obj.Entry} {
		h = binary.AppendUvarint(h, uint64(len(s)))
		h = append(h, s...)
	}
	h = binary.LittleEndian.AppendUint64(h, uint64(key.obj.Size))
	h = binary.LittleEndian.AppendUint32(h, key.obj.CRC)
	h = binary.LittleEndian.AppendUint64(h, uint64(key.i))
	sum := sha256.Sum256(h)
	return file{sum: [16]byte(sum[:])}
}

func blobOf(name string) file {
	sum := sha256.Sum256([]byte("blob:" + name))
	return file{[16]byte(sum[:]), true}
}

// path is the file's place: a folder for each first byte.
func (f file) path() string {
	s := hex.EncodeToString(f.sum[:])
	if f.blob {
		return s[:2] + "/" + s + blobSuffix
	}
	return s[:2] + "/" + s
}

// size is what a file of so many bytes of data takes.
func (f file) size(data int) int64 { return int64(data) + diskHeader }

// parseFile reads a path.
func parseFile(path string) (f file, ok bool) {
	dir, name, _ := strings.Cut(path, "/")
	name, f.blob = strings.CutSuffix(name, blobSuffix)
	b, err := hex.DecodeString(name)
	if err != nil || len(b) != len(f.sum) {
		return f, false
	}
	f.sum = [16]byte(b)
	return f, strings.HasPrefix(name, dir) && f.path()[3:3+len(name)] == name
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (f file) header(data []byte) []byte {
	h := make([]byte, 0, diskHeader)
	h = append(h, diskMagic...)
	h = binary.LittleEndian.AppendUint64(h, uint64(len(data)))
	h = binary.LittleEndian.AppendUint32(h, crc32.Checksum(data, castagnoli))
	return append(h, f.sum[:12]...)
}

// writeFile writes beside the file's place and renames.
func writeFile(root *os.Root, f file, data []byte) error {
	name := f.path()
	w, err := root.OpenFile(name+half, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		if err = root.Mkdir(name[:2], 0o700); err == nil || errors.Is(err, os.ErrExist) {
			w, err = root.OpenFile(name+half, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		}
	}
	if err != nil {
		return err
	}
	if _, err = w.Write(f.header(data)); err == nil {
		_, err = w.Write(data)
	}
	if err = errors.Join(err, w.Close()); err == nil {
		err = root.Rename(name+half, name)
	}
	if err != nil {
		root.Remove(name + half)
	}
	return err
}

// readFile reads and checks a file whose data has at most limit bytes, into buf where that is large enough.
func readFile(root *os.Root, f file, limit int64, buf []byte) ([]byte, error) {
	r, err := root.Open(f.path())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errOpen, err)
	}
	defer r.Close()
	var h [diskHeader]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, short("header", err)
	}
	n := binary.LittleEndian.Uint64(h[8:])
	if string(h[:8]) != diskMagic || !bytes.Equal(h[20:], f.sum[:12]) || n > uint64(limit) {
		return nil, fmt.Errorf("%w: it is another file", errDamaged)
	}
	if uint64(len(buf)) < n {
		info, err := r.Stat()
		if err != nil {
			return nil, err
		}
		if info.Size() != int64(n)+diskHeader {
			return nil, fmt.Errorf("%w: it has another length than it says", errDamaged)
		}
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, short("data", err)
	}
	if crc32.Checksum(buf, castagnoli) != binary.LittleEndian.Uint32(h[16:]) {
		return nil, fmt.Errorf("%w: its checksum is wrong", errDamaged)
	}
	return buf, nil
}

// short tells a file that ends too early from one that cannot be read.
func short(what string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends in its %s", errDamaged, what)
	}
	return fmt.Errorf("%s: %w", what, err)
}
