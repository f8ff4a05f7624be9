package faults

import (
	"fmt"
	"net/url"
	"sync/atomic"

	"zipreel/gateway/origin"
)

// tokens counts how often credentials were issued.
var tokens atomic.Int64

// renewing gives a node's requests a bearer token, and another one when it was refused.
func renewing(issued *atomic.Int64) func(*stage, int, *origin.HTTPConfig) {
	return func(_ *stage, _ int, cfg *origin.HTTPConfig) {
		issued.Store(1)
		cfg.Authorization = func(renew bool) (string, error) {
			if renew {
				issued.Add(1)
			}
			return fmt.Sprintf("Bearer %d", issued.Load()), nil
		}
	}
}

// refuseOldToken takes the second token only.
func refuseOldToken(q request) fault {
	if q.authorization != "Bearer 2" {
		return fault{status: 401}
	}
	return fault{}
}

var trustedNode, nodeTrust = selfSigned()

// trusting is a gateway that trusts the nodes' certificate.
func trusting(_ *stage, _ int, cfg *origin.HTTPConfig) { cfg.TLS = nodeTrust }

// addPlainNode adds a node that the gateway is not told of.
func addPlainNode(s *stage) {
	n := newNode(nil)
	n.put(archiveName, s.title.data, 1)
	s.nodes = append(s.nodes, n)
}

// onlyFirst makes all the gateway's nodes the first one.
func onlyFirst(s *stage, _ int, cfg *origin.HTTPConfig) { cfg.Base = s.nodes[0].url() }

// withBearerAtFirst is onlyFirst with credentials.
func withBearerAtFirst(s *stage, node int, cfg *origin.HTTPConfig) {
	onlyFirst(s, node, cfg)
	cfg.Authorization = origin.Bearer("secret")
}

// throughFirst is a public name, reached through the first node as a proxy.
func throughFirst(s *stage, _ int, cfg *origin.HTTPConfig) {
	u, err := url.Parse(s.nodes[0].url())
	must(err)
	cfg.Base, cfg.Proxy, cfg.AllowPrivate = "http://storage.example/", u, false
}

// armExpiringLinks makes the first node redirect to the second under a key that is good for three reads.
func armExpiringLinks(s *stage) {
	var issued atomic.Int64
	used := map[string]int{}
	s.nodes[0].does(func(request) fault {
		return fault{status: 302, header: fmt.Sprintf("Location: %s%s?key=%d\r\n", s.nodes[1].url(), archiveName, issued.Add(1))}
	})
	s.nodes[1].does(func(q request) fault {
		if used[q.query]++; used[q.query] > 3 {
			return fault{status: 403}
		}
		return fault{}
	})
}

// publicOnly is a source of a configuration file that allows no private addresses.
func publicOnly(_ *stage, _ int, cfg *origin.HTTPConfig) { cfg.AllowPrivate = false }
