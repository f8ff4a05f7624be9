package doctor

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

const (
	probe      = 4096    // bytes of a range that is asked for to look at it
	smallWhole = 4 << 20 // a whole archive instead of a range is taken up to here
	queryProbe = 16
)

// ranged asks for two ranges that overlap: they must be what was asked for, and agree where they meet.
func ranged(ctx context.Context, e *exam) Finding {
	a := e.first
	switch a.status {
	case http.StatusOK:
		return e.whole(a)
	case http.StatusRequestedRangeNotSatisfiable:
		if strings.EqualFold(a.header.Get("Content-Range"), "bytes */0") {
			return empty.stop("the object is empty")
		}
		return noRange.fail("status 416 to its first byte")
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return noRange.fail("status %d to a range", a.status)
	}
	if wrong, why := a.wrong(0, 1); wrong != nil {
		return wrong.fail("%s", why)
	}
	_, _, e.size, _ = a.stated()
	n := min(probe, e.size)
	one, f := e.exact(ctx, 0, n)
	if f != nil {
		return *f
	}
	two, f := e.exact(ctx, n/2, n-n/2)
	if f != nil {
		return *f
	}
	if !bytes.Equal(one.body[n/2:], two.body) {
		return disagrees.fail("two ranges that overlap differ in bytes %d-%d", n/2, n-1)
	}
	e.way = byHeader
	e.report.Size, e.report.Dialect = e.size, "range"
	if one.more {
		return longer.warn("206 and the right bytes, and more after them")
	}
	return ok("206, Content-Range and bytes are right; %s in all", size(e.size))
}

// whole is a node that gives the archive for a range.
func (e *exam) whole(a *answer) Finding {
	if a.coded() != "" {
		return coded.fail("200, coded as %s", a.coded())
	}
	if a.length < 0 {
		return noRange.fail("200 with the whole archive, of unknown length")
	}
	if a.length > smallWhole {
		return noRange.fail("200 with the whole archive, %s", size(a.length))
	}
	e.way, e.size = byWhole, a.length
	e.report.Size, e.report.Dialect = e.size, "range"
	return small.warn("200 with the whole archive, which is small: %s", size(a.length))
}

// exact asks for a range by the Range header, and answers a finding when what comes is not just that.
func (e *exam) exact(ctx context.Context, off, n int64) (*answer, *Finding) {
	a, err := e.ask(ctx, question{span: fmt.Sprintf("bytes=%d-%d", off, off+n-1), n: n})
	if err != nil {
		f := broken.fail("bytes %d-%d: %v", off, off+n-1, cause(err))
		return nil, &f
	}
	if wrong, why := a.wrong(off, n); wrong != nil {
		f := wrong.fail("bytes %d-%d: %s", off, off+n-1, why)
		return nil, &f
	}
	if _, _, total, _ := a.stated(); total != e.size {
		f := otherRange.fail("one answer says %d bytes in all, another %d", e.size, total)
		return nil, &f
	}
	return a, nil
}

// wrong says what is wrong with the answer to a range (RFC 9110 §15.3.7); nil when nothing is. That more than the range
// comes is no fault here.
func (a *answer) wrong(off, n int64) (*advice, string) {
	if a.status == http.StatusOK {
		return &noRange, "status 200"
	} else if a.status != http.StatusPartialContent {
		return &broken, "status " + strconv.Itoa(a.status)
	}
	if strings.HasPrefix(strings.ToLower(a.header.Get("Content-Type")), "multipart/byteranges") {
		return &multipart, "several ranges (multipart/byteranges) for one"
	}
	if a.coded() != "" {
		return &coded, "coded as " + a.coded() + " though identity was asked for"
	}
	gotOff, gotN, total, ok := a.stated()
	switch {
	case a.header.Get("Content-Range") == "":
		return &noTotal, "206 without Content-Range"
	case !ok:
		return &noTotal, "Content-Range " + strconv.Quote(a.header.Get("Content-Range")) + " cannot be read"
	case total < 0:
		return &noTotal, "Content-Range without the total"
	case gotOff != off || gotN != n:
		return &otherRange, fmt.Sprintf("bytes %d-%d came instead", gotOff, gotOff+gotN-1)
	case a.length >= 0 && a.length < n || a.broken == nil && int64(len(a.body)) < n:
		return &otherRange, fmt.Sprintf("%d bytes came", max(a.length, int64(len(a.body))))
	case a.broken != nil && int64(len(a.body)) < n:
		return &broken, fmt.Sprintf("it broke off after %d bytes of %d", len(a.body), n)
	}
	return nil, ""
}

// queried asks for a range in the URL's query where the Range header gets none, or the whole archive.
func queried(ctx context.Context, e *exam) Finding {
	before := e.way
	if before == byHeader {
		return skip("not needed: ranges work")
	}
	why := "the URL has a range= of its own"
	if !e.base.Query().Has("range") {
		e.way = byQuery
		why = e.queryWorks(ctx)
	}
	if why != "" {
		e.way = before
		if before == byWhole {
			return skip("not needed, and not understood: " + why)
		}
		return noDialect.stop("?range=0%%2C%d: %s", queryProbe, why)
	}
	e.report.Dialect = "query"
	f := e.report.finding("range")
	f.Mark, f.Code, f.Cost, f.Setting = Warn, "", "", settingQuery
	return ok("?range=0%%2C%d is answered with just those bytes", queryProbe)
}

// queryWorks asks for two ranges that overlap, and says what is wrong with the answers, if anything is.
func (e *exam) queryWorks(ctx context.Context) string {
	one, why := e.queryPart(ctx, 0, queryProbe)
	if why != "" {
		return why
	}
	two, why := e.queryPart(ctx, queryProbe/2, queryProbe/2)
	if why == "" && !bytes.Equal(one.body[queryProbe/2:], two.body) {
		why = "two ranges that overlap differ"
	}
	return why
}

// queryPart asks for a range in the query; why says what is wrong with the answer, if anything is.
func (e *exam) queryPart(ctx context.Context, off, n int64) (a *answer, why string) {
	a, err := e.ask(ctx, e.part(off, n))
	switch {
	case err != nil:
		return nil, cause(err).Error()
	case a.status != http.StatusOK:
		return nil, "status " + strconv.Itoa(a.status)
	case a.coded() != "":
		return nil, "coded as " + a.coded()
	case a.length < 0:
		return nil, "200 of unknown length"
	case a.length != n || a.more:
		return nil, "200 with " + size(a.length)
	case int64(len(a.body)) < n:
		return nil, fmt.Sprintf("it broke off after %d bytes", len(a.body))
	}
	return a, ""
}

const suffixBytes = 64

// suffixed asks for the archive's last bytes, as the first read of an archive does.
func suffixed(ctx context.Context, e *exam) Finding {
	if e.way != byHeader {
		return skip("not used here")
	}
	n := min(suffixBytes, e.size)
	a, err := e.ask(ctx, question{span: fmt.Sprintf("bytes=-%d", n), n: n})
	if err != nil {
		return noSuffix.warn("%v", cause(err))
	}
	if _, why := a.wrong(e.size-n, n); why != "" {
		return noSuffix.warn("bytes=-%d: %s", n, why)
	}
	last, f := e.exact(ctx, e.size-n, n)
	if f != nil {
		return *f
	}
	if !bytes.Equal(a.body, last.body) {
		return disagrees.fail("the last %d bytes are others when they are asked for by their place", n)
	}
	return ok("bytes=-%d is answered with the last %d bytes", n, n)
}

// beyondEnd asks for bytes that are not there.
func beyondEnd(ctx context.Context, e *exam) Finding {
	if e.way != byHeader {
		return skip("not used here")
	}
	a, err := e.ask(ctx, e.part(e.size, 1))
	total := fmt.Sprintf("bytes */%d", e.size)
	switch {
	case err != nil:
		return no416.warn("%v", cause(err))
	case a.status != http.StatusRequestedRangeNotSatisfiable:
		return no416.warn("status %d beyond the end, not 416", a.status)
	case !strings.EqualFold(a.header.Get("Content-Range"), total):
		return bare416.warn("416 without Content-Range: %s", total)
	}
	return ok("416 with the size")
}

// size writes a number of bytes as a person would.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
