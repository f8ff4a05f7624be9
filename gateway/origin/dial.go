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

// errPrivate is the cause of a connection that the outbound rules refuse.
var errPrivate = errors.New("address is not public; allow_private allows it for a source")

// refused are address ranges that no public server has (IANA special-purpose registries), and those that embed an IPv4 address.
var refused = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	"::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16",
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
	if ip.Is4In6() {
		ip = ip.Unmap()
	}
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
		return fmt.Errorf("%s: %w", ap.Addr(), errPrivate)
	}
	return nil
}

const (
	dialWithin   = 2 * time.Second
	keepResolved = time.Hour // last good addresses stand in while names do not resolve
	maxResolved  = 1024
)

// dialer connects under the outbound rules, and remembers the last good addresses of a name.
type dialer struct {
	net    net.Dialer
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)

	mu       sync.Mutex // guards following
	resolved map[string]resolved
}

type resolved struct {
	addrs []netip.Addr
	at    time.Time
}

func newDialer(allowPrivate bool) *dialer {
	d := &dialer{
		net: net.Dialer{Timeout: dialWithin, KeepAlive: 30 * time.Second},
		lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		resolved: map[string]resolved{},
	}
	if !allowPrivate {
		d.net.Control = checkAddress
	}
	return d
}

// dial is an http.Transport's DialContext.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return d.net.DialContext(ctx, network, address)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*dialWithin)
	defer cancel()
	addrs, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var first error
	for _, a := range addrs {
		c, err := d.net.DialContext(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// resolve answers a name's addresses, or, while name servers fail, those it had before.
func (d *dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := d.lookup(ctx, host)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil || len(addrs) == 0 {
		if old, ok := d.resolved[host]; ok && time.Since(old.at) < keepResolved {
			return old.addrs, nil
		}
		if err == nil {
			err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
		}
		return nil, err
	}
	if len(d.resolved) >= maxResolved {
		clear(d.resolved)
	}
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	d.resolved[host] = resolved{addrs, time.Now()}
	return addrs, nil
}
