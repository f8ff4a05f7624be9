package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"zipreel/gateway/origin"
)

// nodeConfig is one storage node of a source.
type nodeConfig struct {
	URL          string            `yaml:"url"`
	Headers      map[string]string `yaml:"headers"`
	Username     string            `yaml:"username"`
	Password     string            `yaml:"password"`
	PasswordFile string            `yaml:"password_file"`
	Token        string            `yaml:"token"`
	TokenFile    string            `yaml:"token_file"`
	CA           string            `yaml:"ca"`
	Cert         string            `yaml:"cert"`
	Key          string            `yaml:"key"`
	Proxy        string            `yaml:"proxy"`
}

// texts are the values in which ${NAME} may stand.
func (n *nodeConfig) texts() map[string]*string {
	return map[string]*string{"url": &n.URL, "username": &n.Username, "password": &n.Password, "token": &n.Token, "proxy": &n.Proxy,
		"password_file": &n.PasswordFile, "token_file": &n.TokenFile, "ca": &n.CA, "cert": &n.Cert, "key": &n.Key}
}

// http is how the node is connected to, and what it is shown.
func (n nodeConfig) http(folder string) (cfg origin.HTTPConfig, err error) {
	if cfg.Header, err = n.header(); err != nil {
		return cfg, err
	}
	if cfg.Authorization, err = n.authorization(folder); err != nil {
		return cfg, err
	}
	if cfg.TLS, err = n.tls(folder); err != nil {
		return cfg, err
	}
	if n.Proxy != "" {
		cfg.Proxy, err = proxyURL(n.Proxy)
	}
	return cfg, err
}

var (
	headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$") // RFC 9110 §5.6.2
	ownHeaders = []string{"Range", "If-Match", "If-Range", "Accept-Encoding", "Host", "Connection", "Content-Length", "Transfer-Encoding"}
)

// header are the headers that are sent with every request.
func (n nodeConfig) header() (http.Header, error) {
	header := http.Header{}
	for name, value := range n.Headers {
		canonical := http.CanonicalHeaderKey(name)
		value, err := expand("header "+name, value)
		switch {
		case err != nil:
			return nil, err
		case !headerName.MatchString(name):
			return nil, fmt.Errorf("%q is no header's name", name)
		case slices.Contains(ownHeaders, canonical):
			return nil, fmt.Errorf("the header %s is zipreel's own, and is not to be set", canonical)
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return nil, fmt.Errorf("the value of the header %s holds a line break or another control character", canonical)
		}
		header.Set(name, value)
	}
	return header, nil
}

// tls is nil where the node needs nothing of its own.
func (n nodeConfig) tls(folder string) (*tls.Config, error) {
	if n.CA == "" && n.Cert == "" && n.Key == "" {
		return nil, nil
	}
	cfg := &tls.Config{}
	if n.CA != "" {
		pem, err := readPEM("ca", within(folder, n.CA))
		if err != nil {
			return nil, err
		}
		cfg.RootCAs, err = x509.SystemCertPool()
		if err != nil {
			cfg.RootCAs = x509.NewCertPool()
		}
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca: %s holds no certificate; it must be PEM, with BEGIN CERTIFICATE", n.CA)
		}
	}
	if n.Cert == "" && n.Key == "" {
		return cfg, nil
	}
	if n.Cert == "" || n.Key == "" {
		return nil, errors.New("cert and key go together: the client certificate and its key")
	}
	cert, err := readPEM("cert", within(folder, n.Cert))
	if err != nil {
		return nil, err
	}
	key, err := readPEM("key", within(folder, n.Key))
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("cert %s and key %s: %w", n.Cert, n.Key, err)
	}
	cfg.Certificates = []tls.Certificate{pair}
	return cfg, nil
}

const maxPEMBytes = 4 << 20

func readPEM(key, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(key+": read", path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPEMBytes))
	if err != nil {
		return nil, fileError(key+": read", path, err)
	}
	return data, nil
}

func proxyURL(written string) (*url.URL, error) {
	u, err := url.Parse(written)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		return nil, errors.New("proxy is no URL of a proxy; write http://HOST:PORT, https:// or socks5://")
	}
	return u, nil
}
