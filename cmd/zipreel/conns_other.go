//go:build !linux

package main

func (c *viewerConn) sendMore(p []byte) (int, error) { return c.Conn.Write(p) }

func (c *viewerConn) push() {}
