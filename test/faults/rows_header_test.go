package faults

import (
	"net/http"
	"time"
)

// headerRows are faults before the first byte of a body.
var headerRows = []row{
	{
		id: "5a", fault: "the only node's first answer takes 12 s", must: "503 origin-slow within 8 s, while the read goes on: a retry finds it",
		arm:  func(s *stage) { s.does(nth(1, fault{wait: 12 * time.Second})) },
		want: "plays", wants: map[viewer]string{curl: "503 origin-slow"}, adds: 14 * time.Second,
	},
	{
		id: "5b", fault: "a node's headers hang while it is played", must: "hedged to the other node", nodes: 2, warm: []string{index},
		arm: func(s *stage) { s.nodes[0].does(media(fault{hang: true})) }, want: "plays", adds: 5 * time.Second,
	},
	{
		id: "5c", fault: "the only node never answers", must: "503 origin-slow, and 504 origin-timeout when the read ended after 60 s",
		play: playUntilTimeout, want: "504 origin-timeout",
	},
	{
		id: "10a", fault: "the only node answers 500", must: "503 origin-unavailable",
		arm: func(s *stage) { s.does(always(fault{status: 500})) }, want: "503 origin-unavailable", adds: 20 * time.Second, reads: 20,
	},
	{
		id: "10b", fault: "a node answers 502", must: "read from another node", nodes: 2,
		arm: func(s *stage) { s.nodes[0].does(always(fault{status: 502})) }, want: "plays",
	},
	{
		id: "10c", fault: "a node answers 504 in place of media", must: "read from another node", nodes: 2, warm: []string{index},
		arm: func(s *stage) { s.nodes[0].does(media(fault{status: 504})) }, want: "plays",
	},
	{
		id: "11a", fault: "the only node answers 503 and Retry-After: 20", must: "503 + Retry-After, honoured for all viewers; cached content goes on",
		warm: []string{"/720p/seg0.ts"}, want: "503 origin-unavailable", adds: 20 * time.Second,
		arm:   func(s *stage) { s.does(always(fault{status: 503, header: "Retry-After: 20\r\n"})) },
		after: func(s *stage, _ viewer, got played) { wantQuiet(s, got) },
	},
	{
		id: "11b", fault: "the only node answers 429 and Retry-After: 20", must: "the same",
		warm: []string{"/720p/seg0.ts"}, want: "503 origin-unavailable", adds: 20 * time.Second,
		arm:   func(s *stage) { s.does(always(fault{status: 429, header: "Retry-After: 20\r\n"})) },
		after: func(s *stage, _ viewer, got played) { wantQuiet(s, got) },
	},
	{
		id: "11c", fault: "one of two nodes answers 503 and Retry-After", must: "read from another node; the first is left alone", nodes: 2,
		arm: func(s *stage) { s.nodes[0].does(always(fault{status: 503, header: "Retry-After: 20\r\n"})) }, want: "plays",
		after: func(s *stage, _ viewer, _ played) {
			if n := len(s.nodes[0].asked()); n > 1 {
				s.errorf("the node was asked %d times", n)
			}
		},
	},
	{
		id: "12a", fault: "the node refuses credentials that have expired (401)", must: "refreshed once",
		origin: renewing(&tokens), arm: func(s *stage) { s.does(refuseOldToken) }, want: "plays",
	},
	{
		id: "12b", fault: "the node answers 403", must: "502 origin-denied; the 403 is not passed on",
		arm: func(s *stage) { s.does(always(fault{status: 403})) }, want: "502 origin-denied", adds: 12 * time.Second,
	},
	{
		id: "12c", fault: "a node answers 401", must: "read from the other node", nodes: 2,
		arm: func(s *stage) { s.nodes[0].does(always(fault{status: 401})) }, want: "plays",
	},
	{
		id: "13a", fault: "the archive is not there (404)", must: "404, remembered for 5 s",
		arm: func(s *stage) { s.does(always(fault{status: 404})) }, want: "404 not-found-archive",
		after: func(s *stage, _ viewer, _ played) { wantRemembered(s, 404) },
	},
	{
		id: "13b", fault: "the archive is gone (410) on one node of two", must: "the other one is asked", nodes: 2,
		arm: func(s *stage) { s.nodes[0].does(always(fault{status: 410})) }, want: "plays",
	},
	{
		id: "13c", fault: "all nodes answer 404 or 410", must: "404", nodes: 2,
		arm: func(s *stage) {
			s.nodes[0].does(always(fault{status: 404}))
			s.nodes[1].does(always(fault{status: 410}))
		}, want: "404 not-found-archive",
	},
	{
		id: "28", fault: "redirects to a signed URL that expires after every third read", must: "the target is kept until refused, then resolved anew", nodes: 2,
		origin: onlyFirst, arm: armExpiringLinks, want: "plays", reads: 20, bytes: 1 << 20,
		after: func(s *stage, _ viewer, _ played) {
			if front, store := len(s.nodes[0].asked()), len(s.nodes[1].asked()); front > store {
				s.errorf("%d redirects for %d reads", front, store)
			}
		},
	},
	{
		id: "29a", fault: "a redirect loop", must: "502 origin-redirect after 3 hops",
		arm:  func(s *stage) { s.does(always(fault{status: 302, header: "Location: /" + archiveName + "\r\n"})) },
		want: "502 origin-redirect", adds: 10 * time.Second, reads: 24,
	},
	{
		id: "29b", fault: "a redirect to a private address", must: "502 origin-redirect, and nothing is asked there", nodes: 2,
		origin: throughFirst, want: "502 origin-redirect", adds: 10 * time.Second, reads: 24,
		arm: func(s *stage) {
			s.nodes[0].does(always(fault{status: 302, header: "Location: " + s.nodes[1].url() + archiveName + "\r\n"}))
		},
		after: func(s *stage, _ viewer, _ played) { wantUnasked(s.nodes[1], s) },
	},
	{
		id: "29c", fault: "a redirect from https to http", must: "502 origin-redirect, and nothing is asked there", tls: trustedNode,
		origin: trusting, want: "502 origin-redirect", adds: 10 * time.Second, reads: 24, before: addPlainNode,
		arm: func(s *stage) {
			s.nodes[0].does(always(fault{status: 307, header: "Location: " + s.nodes[1].url() + archiveName + "\r\n"}))
		},
		after: func(s *stage, _ viewer, _ played) { wantUnasked(s.nodes[1], s) },
	},
	{
		id: "29e", fault: "the node's own address is private, and that is not allowed", must: "502 origin-denied, and nothing is asked there",
		origin: publicOnly, want: "502 origin-denied", adds: 10 * time.Second,
		after: func(s *stage, _ viewer, _ played) { wantUnasked(s.nodes[0], s) },
	},
	{
		id: "29d", fault: "a redirect to another host", must: "followed, without the credentials", nodes: 2,
		origin: withBearerAtFirst, want: "plays", reads: 12,
		arm: func(s *stage) {
			s.nodes[0].does(always(fault{status: 302, header: "Location: " + s.nodes[1].url() + archiveName + "\r\n"}))
		},
		after: func(s *stage, _ viewer, _ played) {
			for _, q := range s.nodes[1].asked() {
				if q.authorization != "" {
					s.errorf("credentials went to another host")
				}
			}
			if q := s.nodes[0].asked(); q[0].authorization == "" {
				s.errorf("no credentials went to the node")
			}
		},
	},
}

// nth makes a script of a fault that one read has.
func nth(n int, f fault) func(request) fault {
	return func(q request) fault {
		if q.n == n {
			return f
		}
		return fault{}
	}
}

// wantQuiet holds a gateway to a node's Retry-After.
func wantQuiet(s *stage, got played) {
	if got.Retry == "" || len(got.Retry) < 2 {
		s.errorf("Retry-After %q, want about 20", got.Retry)
	}
	if n := len(s.nodes[0].asked()); n > 1 {
		s.errorf("the node was asked %d times though it wanted to be left alone", n)
	}
	if a := s.player().get(mountedAt+"/720p/seg0.ts", "", time.Minute); a.String() != "plays" {
		s.errorf("cached content: %v", a)
	}
}

// wantRemembered asks again, and for no read.
func wantRemembered(s *stage, status int) {
	before := len(s.nodes[0].asked())
	a := s.player().get(mountedAt+"/720p/seg0.ts", "", time.Minute)
	if now := len(s.nodes[0].asked()); a.status != status || now != before {
		s.errorf("asked again: %v, with %d reads", a, now-before)
	}
}

func wantUnasked(n *node, s *stage) {
	if asked := len(n.asked()); asked > 0 {
		s.errorf("%d requests where none may go", asked)
	}
}

// playUntilTimeout asks until the answer is no 503 any more.
func playUntilTimeout(s *stage) played {
	s.does(always(fault{hang: true}))
	p := s.player()
	began := time.Now()
	for time.Since(began) < 90*time.Second {
		a := p.get(mountedAt+"/720p/seg2.ts", "", time.Minute)
		p.log.Outcome = a.String()
		if a.status != http.StatusServiceUnavailable {
			break
		}
	}
	p.log.Took = time.Since(began)
	if p.log.Outcome != "504 origin-timeout" || p.log.Tries < 7 {
		s.errorf("%s after %d tries in %v", p.log.Outcome, p.log.Tries, p.log.Took)
	}
	p.client.CloseIdleConnections()
	return p.log
}
