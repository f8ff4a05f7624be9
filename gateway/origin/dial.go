package origin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// refused are address ranges that no public server has (IANA special-purpose registries), and those that embed an IPv4
// address: IPv4-mapped and -compatible ones, NAT64, Teredo and 6to4.
var refused = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	"::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
	"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func prefixes(list ...string) []netip.Prefix {
	ps := make([]netip.Prefix, len(list))
	for i, s := range list {
		ps[i] = netip.MustParsePrefix(s)
	}
	return ps
}

// public says whether an address may be reached by a source that is not allowed private ones.
func public(ip netip.Addr) bool {
	ip = ip.WithZone("")
	for _, p := range refused {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// checkAddress is a net.Dialer's Control: it sees the address that was resolved, on every connection.
func checkAddress(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !public(ap.Addr()) {
		return fmt.Errorf("%s: %w", ap.Addr(), ErrPrivate)
	}
	return nil
}

const (
	dialWithin = 2 * time.Second // resolving and connecting together
	keepKnown  = time.Hour       // last good addresses stand in while a name does not resolve
	maxKnown   = 4               // addresses of a name
	maxNames   = 1024
)

// dialer connects under the outbound rules, and remembers where a name's connections went.
type dialer struct {
	connect func(ctx context.Context, network, address string) (net.Conn, error) // a net.Dialer's, which tries IPv6 and IPv4 (RFC 8305)

	mu    sync.Mutex // guards following
	known map[string][]knownAddress
}

type knownAddress struct {
	address string // with its port
	at      time.Time
}

func newDialer(allowPrivate bool) *dialer {
	d := &net.Dialer{Timeout: dialWithin, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		d.Control = checkAddress
	}
	return &dialer{connect: d.DialContext, known: map[string][]knownAddress{}}
}

// dial is an http.Transport's DialContext. While a name does not resolve, the addresses stand in that it was last connected at.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.connect(ctx, network, address)
	if err == nil {
		d.remember(address, c.RemoteAddr().String())
		return c, nil
	}
	var dns *net.DNSError
	if !errors.As(err, &dns) {
		return nil, err
	}
	for _, known := range d.lastGood(address) {
		if c, err := d.connect(ctx, network, known); err == nil {
			return c, nil
		}
	}
	return nil, err
}

// remember puts an address first among those that a name was connected at.
func (d *dialer) remember(name, address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.known[name]; !ok && len(d.known) >= maxNames {
		clear(d.known)
	}
	list := []knownAddress{{address, time.Now()}}
	for _, k := range d.known[name] {
		if k.address != address && len(list) < maxKnown {
			list = append(list, k)
		}
	}
	d.known[name] = list
}

// lastGood answers the addresses that a name was connected at within the hour, the latest first.
func (d *dialer) lastGood(name string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var good []string
	for _, k := range d.known[name] {
		if time.Since(k.at) < keepKnown {
			good = append(good, k.address)
		}
	}
	return good
}
