package faults

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// poison puts toxiproxy between the gateway and a node: it can do to a TCP connection what a node cannot. toxic is as its API takes it.
func (s *stage) poison(node int, toxic string) (add func()) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(server, "node", "127.0.0.1:0", s.nodes[node].addr)
	must(p.Start())
	s.bases[node] = "http://" + p.Listen + "/"
	s.closers = append(s.closers, p.Stop)
	return func() {
		_, err := p.Toxics.AddToxicJson(strings.NewReader(toxic))
		must(err)
	}
}

// names is a DNS server for this process: it knows one address for every name, or none.
type names struct {
	conn    net.PacketConn
	gone    atomic.Bool
	queries atomic.Int64
}

// newNames takes the place of the system's resolver.
func newNames() *names {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(err)
	n := &names{conn: conn}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	go n.serve()
	return n
}

func (n *names) close() {
	n.conn.Close()
	net.DefaultResolver = &net.Resolver{}
}

// serve answers queries (RFC 1035 §4): 127.0.0.1 for A, nothing for the rest, or that there is no such name.
func (n *names) serve() {
	buf := make([]byte, 1500)
	for {
		m, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if m < 12 {
			continue
		}
		n.queries.Add(1)
		end := 12
		for end < m && buf[end] != 0 {
			end += 1 + int(buf[end])
		}
		end += 5 // the root, type and class
		if end > m {
			continue
		}
		head := [12]byte{buf[0], buf[1], 0x81, 0x80, 0, 1}
		answer := append(head[:], buf[12:end]...)
		switch {
		case n.gone.Load():
			answer[3] |= 3 // NXDOMAIN
		case binary.BigEndian.Uint16(buf[end-4:]) == 1:
			answer[7] = 1
			answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
		}
		n.conn.WriteTo(answer, from)
	}
}

// selfSigned is the configuration of a node whose certificate only who is given it trusts.
func selfSigned() (node *tls.Config, trusting *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	must(err)
	cert, err := x509.ParseCertificate(der)
	must(err)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: roots}
}
