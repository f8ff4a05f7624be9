package origin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// pipeHTTP is an HTTP whose node is a function at the other end of a pipe, so that time can be the test's own.
func pipeHTTP(t *testing.T, node func(c net.Conn, req *http.Request)) *HTTP {
	o, err := NewHTTP(HTTPConfig{Base: "http://films.example/"})
	if err != nil {
		t.Fatal(err)
	}
	o.client.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
		c, server := net.Pipe()
		go func() {
			defer server.Close()
			for r := bufio.NewReader(server); ; {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				node(server, req)
			}
		}()
		return c, nil
	}
	return o
}

const tenOfTen = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n"

func TestStallsAreTimed(t *testing.T) {
	tests := map[string]struct {
		says []string // what the node writes, a pause before each
		wait time.Duration
		want error
		took time.Duration
	}{
		"prompt":                    {[]string{tenOfTen + "0123456789"}, 0, nil, 0},
		"headers after 59 s":        {[]string{tenOfTen + "0123456789"}, 59 * time.Second, nil, 59 * time.Second},
		"no headers in 60 s":        {[]string{tenOfTen}, 61 * time.Second, ErrTimeout, 60 * time.Second},
		"a byte every two seconds":  {[]string{tenOfTen, "01234", "56789"}, 2 * time.Second, nil, 6 * time.Second},
		"no byte for three seconds": {[]string{tenOfTen + "01234", "56789"}, 4 * time.Second, ErrTimeout, 7 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := pipeHTTP(t, func(c net.Conn, _ *http.Request) {
					for _, s := range tt.says {
						time.Sleep(tt.wait)
						io.WriteString(c, s)
					}
				})
				defer o.Close()
				began := time.Now()
				body, err := o.Read(t.Context(), "a.zip", 0, 10, nil)
				if err == nil {
					_, err = io.ReadAll(body)
					body.Close()
				}
				if !errors.Is(err, tt.want) || err != nil && tt.want == nil {
					t.Errorf("error %v, want %v", err, tt.want)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				time.Sleep(time.Minute) // the node ends
			})
		})
	}
}

// TestSlowReaderIsNoSlowNode: neither before the first byte that it asks for nor between two.
func TestSlowReaderIsNoSlowNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := pipeHTTP(t, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, tenOfTen)
			io.WriteString(c, "01234")
			io.WriteString(c, "56789")
		})
		defer o.Close()
		body, err := o.Read(t.Context(), "a.zip", 0, 10, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		for range 10 {
			time.Sleep(time.Minute)
			if _, err := io.ReadFull(body, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestCloseDoesNotWait for a node that never ends an answer whose bytes are all there, nor for the text of a refusal.
func TestCloseDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := pipeHTTP(t, func(c net.Conn, req *http.Request) {
			if req.URL.Path == "/refused.zip" {
				io.WriteString(c, "HTTP/1.1 503 Service Unavailable\r\nTransfer-Encoding: chunked\r\n\r\n")
				return
			}
			io.WriteString(c, "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/10\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n")
		})
		defer o.Close()
		began := time.Now()
		body, err := o.Read(t.Context(), "a.zip", 0, 10, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(body); err != nil || string(got) != "0123456789" {
			t.Errorf("%q, %v", got, err)
		}
		body.Close()
		if took := time.Since(began); took > endWithin {
			t.Errorf("took %v, want at most %v", took, endWithin)
		}
		began = time.Now()
		if _, err := o.Read(t.Context(), "refused.zip", 0, 10, nil); !errors.Is(err, ErrUnavailable) {
			t.Errorf("error %v, want ErrUnavailable", err)
		}
		if took := time.Since(began); took > endWithin {
			t.Errorf("a refusal took %v, want at most %v", took, endWithin)
		}
	})
}

// TestCancelledReadsSayWhy: for whom the read was is no node's fault, and can be told.
func TestCancelledReadsSayWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := pipeHTTP(t, func(c net.Conn, _ *http.Request) { io.WriteString(c, tenOfTen+"01234") })
		defer o.Close()
		why := errors.New("the viewer left")
		ctx, cancel := context.WithCancelCause(t.Context())
		body, err := o.Read(ctx, "a.zip", 0, 10, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		io.ReadFull(body, make([]byte, 5))
		time.AfterFunc(time.Second, func() { cancel(why) })
		began := time.Now()
		_, err = body.Read(make([]byte, 1))
		var oe *Error
		if !errors.As(err, &oe) || !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
			t.Errorf("error %v, want an *Error with context.Canceled and its cause", err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("ended %v after the read began, want 1 s", took)
		}
	})
}
