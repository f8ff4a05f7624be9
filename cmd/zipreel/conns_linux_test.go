package main

import (
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair is a connection of a viewer, and the viewer.
func pair(t *testing.T) (*viewerConn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	viewer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := viewerListener{l}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { viewer.Close(); c.Close() })
	return c.(*viewerConn), viewer
}

// unsent is how many bytes the kernel still holds back.
func unsent(t *testing.T, c *viewerConn) (n int) {
	t.Helper()
	raw, err := c.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQNSD) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestHeadWaitsForItsBody: the server's full buffer leaves with what follows, or when nothing follows.
func TestHeadWaitsForItsBody(t *testing.T) {
	c, viewer := pair(t)
	head, body := make([]byte, serverBuffer), make([]byte, 50_000)
	write := func(p []byte) {
		t.Helper()
		if n, err := c.Write(p); n != len(p) || err != nil {
			t.Fatalf("wrote %d of %d bytes, %v", n, len(p), err)
		}
	}
	read := func(n int) {
		t.Helper()
		viewer.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(viewer, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
	}
	for try := 1; ; try++ { // the kernel's timer may be quicker on a machine that does much else
		write(head)
		if n := unsent(t, c); n == serverBuffer {
			break
		} else if try == 10 {
			t.Fatalf("%d bytes are held back, want all of %d", n, serverBuffer)
		}
		read(serverBuffer)
	}
	write(body)
	read(serverBuffer + len(body))
	write(head)
	c.SetReadDeadline(time.Time{})
	if n := unsent(t, c); n != 0 {
		t.Errorf("%d bytes are held back though the answer has ended", n)
	}
	read(serverBuffer)
}

// TestHTTP2WaitsForNothing: its frames fill the same buffer, and no end of an answer is told.
func TestHTTP2WaitsForNothing(t *testing.T) {
	c, viewer := pair(t)
	viewer.Write([]byte("PRI * HTTP/2.0\r\n"))
	if _, err := c.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	c.Write(make([]byte, serverBuffer))
	if n := unsent(t, c); n != 0 {
		t.Errorf("%d bytes are held back", n)
	}
}
