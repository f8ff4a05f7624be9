package doctor

import (
	"context"
	"net/http"
	"strconv"
	"strings"
)

// headed asks for the size, which nodes whose URLs name the range tell in no other way.
func headed(ctx context.Context, e *exam) Finding {
	needed := e.way == byQuery && e.cfg.SizeURL == ""
	if e.way == byQuery && e.cfg.SizeURL != "" {
		return skip("not needed: the size URL tells the size")
	}
	say := func(format string, args ...any) Finding {
		if needed {
			return noHead.stop(format, args...)
		}
		return note(format+"; not needed", args...)
	}
	a, err := e.ask(ctx, question{method: http.MethodHead})
	switch {
	case err != nil:
		return say("HEAD: %v", cause(err))
	case a.status != http.StatusOK:
		return say("HEAD is answered with status %d", a.status)
	case a.length < 0 || a.coded() != "":
		return say("HEAD does not tell the size")
	case e.size >= 0 && a.length != e.size:
		return say("HEAD tells another size, %s", size(a.length))
	}
	e.size = a.length
	e.report.Size = e.size
	return ok("200 with the size")
}

// validated looks at what the node says of the archive's state, and whether it is of one mind.
func validated(ctx context.Context, e *exam) Finding {
	a, err := e.ask(ctx, e.part(0, 1))
	if err != nil {
		return broken.warn("%v", cause(err))
	}
	tag, modified := a.header.Get("Etag"), a.header.Get("Last-Modified")
	_, dateErr := http.ParseTime(modified)
	switch {
	case len(e.etags) > 1:
		return manyTags.warn("%d ETags for one archive, %s and %s", len(e.etags), strconv.Quote(e.etags[0]), strconv.Quote(e.etags[1]))
	case strong(tag):
		return ok("strong ETag %s", tag)
	case tag != "":
		return weakTag.warn("weak ETag %s", strconv.Quote(tag))
	case dateErr == nil:
		return noTag.warn("Last-Modified only, %s", modified)
	}
	return noValidator.warn("neither ETag nor Last-Modified")
}

// strong says whether an ETag may stand in If-Match (RFC 9110 §8.8.3.2).
func strong(tag string) bool { return len(tag) >= 2 && tag[0] == '"' }

// matched asks under a wrong ETag, and under the right one.
func matched(ctx context.Context, e *exam) Finding {
	if len(e.etags) != 1 || !strong(e.etags[0]) {
		return skip("no strong ETag to ask under")
	}
	status := func(tag string) (int, error) {
		q := e.part(0, 1)
		q.header = map[string]string{"If-Match": tag}
		a, err := e.ask(ctx, q)
		if err != nil {
			return 0, err
		}
		return a.status, nil
	}
	right, err := status(e.etags[0])
	if err != nil {
		return broken.fail("If-Match: %v", cause(err))
	}
	if right >= 300 {
		return ownTag.fail("status %d under its own ETag", right)
	}
	wrong, err := status(`"zipreel-doctor"`)
	if err != nil || wrong != http.StatusPreconditionFailed {
		return noMatch.warn("another ETag than its own is not refused (status %d, not 412)", wrong)
	}
	return ok("412 under another ETag than its own")
}

// compressed asks for a range as clients do that take compressed answers.
func compressed(ctx context.Context, e *exam) Finding {
	if e.way == byWhole {
		return skip("not asked: there are no ranges")
	}
	q := e.part(0, min(probe, max(e.size, 1)))
	q.header = map[string]string{"Accept-Encoding": "gzip"}
	a, err := e.ask(ctx, q)
	switch {
	case err != nil:
		return gzipped.warn("%v", cause(err))
	case a.coded() != "":
		return gzipped.warn("with Accept-Encoding: gzip, a range comes coded as %s", a.coded())
	case a.status != e.partStatus():
		return gzipped.warn("with Accept-Encoding: gzip, a range is answered with status %d", a.status)
	}
	return ok("none, even where gzip is asked for")
}

// shared looks whether pages of other sites might read from the node. They need not: they read from the gateway.
func shared(ctx context.Context, e *exam) Finding {
	q := e.part(0, 1)
	q.header = map[string]string{"Origin": "https://player.example"}
	a, err := e.ask(ctx, q)
	if err != nil {
		return note("not known: %v", cause(err))
	}
	allowed := strings.TrimSpace(a.header.Get("Access-Control-Allow-Origin"))
	if allowed == "" {
		return note("none, and none needed: pages read from the gateway")
	}
	return note("Access-Control-Allow-Origin: %s; not needed: pages read from the gateway", allowed)
}
