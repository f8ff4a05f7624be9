package zipindex_test

import (
	"errors"
	"slices"
	"testing"

	"zipreel/zipindex"
	"zipreel/zipindex/ziptest"
)

// tailBytes is what the gateway reads first.
const tailBytes = 68 << 10

// parseTail parses as the gateway does: the archive's end first, then what NeedMore asks for. It answers how often that was.
func parseTail(data []byte, lim zipindex.Limits) (x *zipindex.Index, asked int, err error) {
	size := int64(len(data))
	off := max(0, size-tailBytes)
	for {
		x, err := zipindex.Parse(data[off:], off, size, lim)
		var more *zipindex.NeedMore
		if !errors.As(err, &more) {
			return x, asked, err
		}
		asked++
		if more.Off < 0 || more.Off >= off {
			return nil, asked, errors.New("NeedMore asks for bytes that were given")
		}
		off = more.Off
	}
}

func codeOf(err error) zipindex.Code {
	var e *zipindex.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestParse(t *testing.T) {
	for _, c := range ziptest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			x, err := zipindex.Parse(c.Data, 0, int64(len(c.Data)), zipindex.Limits{})
			y, asked, tailErr := parseTail(c.Data, zipindex.Limits{})
			if asked > 3 {
				t.Errorf("NeedMore was answered %d times, want at most 3", asked)
			}
			if codeOf(err) != c.Code || codeOf(tailErr) != c.Code || (err == nil) != (c.Code == "") {
				t.Fatalf("Parse = %v; from its end: %v; want code %q", err, tailErr, c.Code)
			}
			if c.Code != "" {
				return
			}
			if x.Size() != y.Size() || !slices.Equal(slices.Collect(x.All()), slices.Collect(y.All())) {
				t.Error("read from its end the archive has another index")
			}
			checkEntries(t, x, c)
		})
	}
}

// checkEntries compares an index with what the case wants of its entries.
func checkEntries(t *testing.T, x *zipindex.Index, c ziptest.Case) {
	t.Helper()
	if want := len(c.Served) + len(c.Hidden); x.Len() != want {
		t.Errorf("Len = %d, want %d", x.Len(), want)
	}
	for name, want := range c.Hidden {
		e, ok := x.Lookup(name)
		if !ok || e.Refused() == nil || e.Refused().Code != want {
			t.Errorf("Lookup(%q) = %+v, %v, refused %v; want it refused: %s", name, e, ok, e.Refused(), want)
		}
	}
	for _, name := range c.Served {
		e, ok := x.Lookup(name)
		if !ok || e.Name != name || e.Refused() != nil {
			t.Errorf("Lookup(%q) = %+v, %v, refused %v; want it served", name, e, ok, e.Refused())
			continue
		}
		_, err := e.CheckLocal(c.Data[e.HeaderOffset:e.End])
		if codeOf(err) != c.Local[name] || (err == nil) != (c.Local[name] == "") {
			t.Errorf("CheckLocal of %q = %v, want code %q", name, err, c.Local[name])
		}
	}
	for _, name := range []string{"no such entry", "a.t", "a.ts ", "a.ts/x", "\xff", "zzz"} {
		if e, ok := x.Lookup(name); ok {
			t.Errorf("Lookup(%q) = %+v, want nothing", name, e)
		}
	}
}

// TestParseFromShortTails starts with fewer bytes than the end records take.
func TestParseFromShortTails(t *testing.T) {
	for _, c := range ziptest.Cases() {
		if c.Code != "" {
			continue
		}
		size := int64(len(c.Data))
		want, err := zipindex.Parse(c.Data, 0, size, zipindex.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int64{0, 1, 21, 22, 23, 42, 98, 150, 1000} {
			off, asked := max(0, size-n), 0
			x, err := zipindex.Parse(c.Data[off:], off, size, zipindex.Limits{})
			for more := (*zipindex.NeedMore)(nil); errors.As(err, &more) && more.Off >= 0 && more.Off < off; asked++ {
				off = more.Off
				x, err = zipindex.Parse(c.Data[off:], off, size, zipindex.Limits{})
			}
			if err != nil || asked > 3 || x.Size() != want.Size() || x.Len() != want.Len() {
				t.Errorf("%s: Parse from the last %d bytes = %v after %d NeedMore", c.Name, n, err, asked)
			}
		}
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	_, err := zipindex.Parse([]byte("no archive"), 0, 10, zipindex.Limits{})
	if want := "zip-not-found at byte 10: no end-of-central-directory record"; err == nil || err.Error() != want {
		t.Errorf("Parse = %v, want %s", err, want)
	}
	if got, want := (&zipindex.NeedMore{Off: 5}).Error(), "need archive bytes from 5"; got != want {
		t.Errorf("NeedMore = %q, want %q", got, want)
	}
}
