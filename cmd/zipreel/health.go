package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

type healthCmd struct {
	URL string `arg:"" optional:"" name:"url" help:"The gateway's URL (default: the configured address on this machine)."`

	ConfigFlag configFlag `embed:""`
	Listen     string     `default:"${listen}" placeholder:"HOST:PORT" help:"The gateway's address where no URL is given (default ${default})."`
	Timeout    duration   `default:"3s" placeholder:"TIME" help:"How long to wait for the answer (default ${default})."`
}

// Help is shown by the parser.
func (healthCmd) Help() string {
	return `Exits with 0 when the gateway is ready for viewers, with 1 when it is not, or stops, or cannot be reached.

Examples:

    zipreel health
    zipreel health http://127.0.0.1:8080

In a Dockerfile:

    HEALTHCHECK CMD ["zipreel", "health"]`
}

// Run is called by the parser.
func (c *healthCmd) Run() error {
	base, err := c.base()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(c.Timeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil {
		return usagef("%s is not a URL", base)
	}
	res, err := direct.RoundTrip(req)
	if ctx.Err() != nil {
		return fmt.Errorf("%s has not answered within %v; is it overloaded, or another program's address?", base, time.Duration(c.Timeout))
	}
	if err != nil {
		return fmt.Errorf("%s cannot be reached: %v; is the gateway running, and on this address?", base, err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is not ready: it answered %s", base, res.Status)
	}
	fmt.Printf("%s is ready\n", base)
	return nil
}

// base is the gateway's URL, without a final slash.
func (c *healthCmd) base() (string, error) {
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return "", usagef("%q is no URL of a gateway; write http://HOST:PORT", withoutSecrets(c.URL))
		}
		u.RawQuery, u.Fragment = "", ""
		return strings.TrimRight(u.String(), "/"), nil
	}
	host, port, err := net.SplitHostPort(c.Listen)
	switch {
	case err != nil:
		return "", usagef("--listen: %q is no address; write HOST:PORT, as in 127.0.0.1:8080", c.Listen)
	case port == "0":
		return "", usagef("--listen: port 0 says that the gateway chose its port itself; give its URL: zipreel health http://HOST:PORT")
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}
