// Package cache keeps the content of entries, cut into spans of bytes, and
// fills what is missing: one fill for any number of viewers, who read the bytes
// as they arrive.
package cache

import (
	"context"
	"errors"
	"time"
)

// Object is the content of one entry: the key of its spans. An entry whose
// name, size and CRC stay is the same object in the next version of its archive.
type Object struct {
	Source, Archive, Entry string
	Size                   int64  // bytes of content (inflated)
	CRC                    uint32 // CRC-32 (IEEE) of the content
}

// Config bounds a Cache. Zero means the default.
type Config struct {
	Memory   int64         // bytes of finished spans kept; default 512 MiB
	Inflight int64         // bytes of spans being filled; default 512 MiB
	Whole    int64         // objects up to this size are one span; default 32 MiB
	Span     int64         // span size of larger objects; default 512 KiB
	Ahead    int64         // most bytes one fill of a larger object reads; default 32 MiB
	Linger   time.Duration // how long a fill lives on after Reader.Leave; default 60 s
}

// Fill delivers the content bytes [off, off+n) of an object into w. It is
// detached from who asked first: ctx ends when nobody waits any more, when the fill's
// own time is over, or on Close.
type Fill func(ctx context.Context, off, n int64, w *Sink) error

// Outcome says where a reader's first bytes came from.
type Outcome uint8

const (
	Hit    Outcome = iota // all there
	Miss                  // this reader started a fill
	Shared                // another reader's fill was joined
)

var (
	ErrChecksum = errors.New("content does not fit its CRC-32") // wrapped in *ChecksumError
	ErrBusy     = errors.New("too many bytes being filled")
	ErrClosed   = errors.New("cache closed")
)

// ChecksumError says which CRC the bytes that were read have.
type ChecksumError struct {
	Object Object
	Got    uint32
}

func (e *ChecksumError) Error() string { return ErrChecksum.Error() }
func (e *ChecksumError) Unwrap() error { return ErrChecksum }

type Cache struct{}

func New(cfg Config) *Cache { panic("stub") }

// Open reads [off, off+n) of obj. It does not block and starts no fill: Next does.
func (c *Cache) Open(obj Object, off, n int64, fill Fill) *Reader { panic("stub") }

// Put keeps a whole object's content that was read along with something
// else. It is checked against the CRC; data is kept, not copied (unless it is a small part of a larger array).
func (c *Cache) Put(obj Object, data []byte) error { panic("stub") }

// Has says whether all of the object is kept.
func (c *Cache) Has(obj Object) bool { panic("stub") }

// Proved says whether the object's whole content has been seen to fit its CRC.
func (c *Cache) Proved(obj Object) bool { panic("stub") }

// Drop forgets every span of obj.
func (c *Cache) Drop(obj Object) { panic("stub") }

// Stats are totals since New, and what is held now.
type Stats struct {
	Hits, Misses, Shared, Fills, Evicted, ChecksumErrors int64
	Bytes, Inflight, Spans                               int64
}

func (c *Cache) Stats() Stats { panic("stub") }

// Close ends all fills and waits for them.
func (c *Cache) Close() { panic("stub") }

// Reader hands out an object's bytes in order. Not for concurrent use.
type Reader struct{}

// Next waits for bytes and answers the next piece: at least one byte, valid and immutable as long as the caller wants. io.EOF
// after the last. The error of a fill is answered as it is; ctx's when the wait was cut short.
// A reader over the whole object ends in io.EOF only when the content fits the CRC: the last
// 16 KiB are not handed out before that.
func (r *Reader) Next(ctx context.Context) ([]byte, error) { panic("stub") }

// Outcome is known after the first Next.
func (r *Reader) Outcome() Outcome { panic("stub") }

// Close ends the reader. A fill nobody reads any more stops, unless more than half of it has arrived.
func (r *Reader) Close() { panic("stub") }

// Leave is Close for a viewer who was sent away and told to come back: the fill lives on for Linger.
func (r *Reader) Leave() { panic("stub") }

// Sink takes a fill's bytes in order.
type Sink struct{}

// Write takes the next bytes (copied). More than n in all is an error.
func (s *Sink) Write(p []byte) (int, error) { panic("stub") }

// Next answers the free space for the next bytes, to be read into and then told with Wrote: saves the copy.
func (s *Sink) Next() []byte { panic("stub") }

// Wrote says that m bytes of what Next answered are filled.
func (s *Sink) Wrote(m int) error { panic("stub") }
