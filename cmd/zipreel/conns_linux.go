package main

import (
	"net"
	"os"
	"syscall"
)

// sendMore writes p and has the kernel wait a moment for what follows (send(2), MSG_MORE), so that both leave in whole segments: at most 200 ms, or until push.
func (c *viewerConn) sendMore(p []byte) (n int, err error) {
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok {
		return c.Conn.Write(p)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	c.more = true
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		for {
			n, failed = syscall.SendmsgN(int(fd), p, nil, nil, syscall.MSG_MORE|syscall.MSG_NOSIGNAL)
			if failed != syscall.EINTR {
				return failed != syscall.EAGAIN
			}
		}
	})
	if err == nil && failed != nil {
		err = os.NewSyscallError("sendmsg", failed)
	}
	return max(n, 0), err
}

// push sends what the kernel still holds back.
func (c *viewerConn) push() {
	c.more = false
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.SetNoDelay(true) // tcp(7): setting it sends what is pending
	}
}
