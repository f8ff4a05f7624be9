// Package access decides who may ask.
package access

import (
	"net"
	"net/netip"
	"strings"
)

// Hosts are the Host header values that are answered: a guard against DNS
// rebinding, where a foreign page reaches a gateway on a loopback address under its own name. The zero
// value answers all.
type Hosts struct{ names map[string]bool }

// NewHosts answers only the given names, with any port. None given: all are answered. Where
// "127.0.0.1" is given, all of 127.0.0.0/8 is answered, since no name server is asked for any of it.
func NewHosts(names []string) Hosts {
	if len(names) == 0 {
		return Hosts{}
	}
	h := Hosts{names: make(map[string]bool, len(names))}
	for _, n := range names {
		h.names[hostname(n)] = true
	}
	return h
}

// Allow says whether a request with this Host header is answered.
func (h Hosts) Allow(host string) bool {
	if h.names == nil {
		return true
	}
	name := hostname(host)
	if h.names[name] {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Is4() && ip.IsLoopback() && h.names["127.0.0.1"]
}

// hostname is a Host header without its port, brackets and final dot, in lower case.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
