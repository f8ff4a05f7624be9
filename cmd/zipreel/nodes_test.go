package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zipreel/gateway"
	"zipreel/gateway/origin"
	"zipreel/gateway/origin/origintest"
)

// configured opens the sources of a configuration file. Files are written beside it.
func configured(t *testing.T, content string, files map[string]string) []gateway.Source {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := parseConfig(filepath.Join(folder, "zipreel.yaml"), []byte(content), nil)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := file.targets()
	if err != nil {
		t.Fatal(err)
	}
	places, err := groupTargets(targets)
	if err != nil {
		t.Fatal(err)
	}
	sources, err := openSources(places)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, s := range sources {
			s.Origin.(io.Closer).Close()
		}
	})
	return sources
}

// reads holds that a source answers the archive's bytes.
func reads(t *testing.T, s gateway.Source, name string, data []byte) {
	t.Helper()
	body, err := s.Origin.Read(t.Context(), name, 10, 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, data[10:110]) {
		t.Errorf("%d bytes, %v; want bytes 10+100 of the archive", len(got), err)
	}
}

// TestNodeCredentials: each way to give a node what it asks for reaches it.
func TestNodeCredentials(t *testing.T) {
	t.Setenv("ZIPREEL_TEST_USER", "user")
	t.Setenv("ZIPREEL_TEST_PASSWORD", "pass")
	t.Setenv("ZIPREEL_TEST_TOKEN", "tok")
	const basic = "Basic dXNlcjpwYXNz"
	tests := map[string]struct{ node, want string }{
		"basic":         {"username: user, password: pass", basic},
		"environment":   {"username: '${ZIPREEL_TEST_USER}', password: '${ZIPREEL_TEST_PASSWORD}'", basic},
		"password file": {"username: user, password_file: secret", basic},
		"token":         {"token: tok", "Bearer tok"},
		"token of env":  {"token: '${ZIPREEL_TEST_TOKEN}'", "Bearer tok"},
		"token file":    {"token_file: token", "Bearer tok"},
		"header":        {"headers: {Authorization: 'Key ${ZIPREEL_TEST_TOKEN}'}", "Key tok"},
	}
	data := origintest.Data(0, 1000)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := origintest.NewNode(t, map[string][]byte{"a.zip": data})
			config := fmt.Sprintf("sources:\n- {name: films, allow_private: true, nodes: [{url: %q, %s}]}\n", n.URL, tt.node)
			s := configured(t, config, map[string]string{"secret": "pass\n", "token": "tok\r\n"})
			reads(t, s[0], "a.zip", data)
			if got := n.Requests()[0].Authorization; got != tt.want {
				t.Errorf("the node got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestRefusedSecretFileIsReadAgain: a token that was replaced is used without a restart.
func TestRefusedSecretFileIsReadAgain(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "token")
	os.WriteFile(path, []byte("old"), 0o600)
	value, err := nodeConfig{TokenFile: "token"}.authorization(folder)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(path, []byte("new"), 0o600)
	for i, want := range []string{"Bearer old", "Bearer new", "Bearer new"} {
		if got, err := value(i == 1); err != nil || got != want {
			t.Errorf("call %d: %q, %v; want %q", i, got, err, want)
		}
	}
	os.Remove(path)
	if got, err := value(true); err != nil || got != "Bearer new" {
		t.Errorf("without its file: %q, %v; want the last one", got, err)
	}
}

// TestSourceKinds: the configuration of each kind of node.
func TestSourceKinds(t *testing.T) {
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION"} {
		t.Setenv(name, "")
	}
	data := origintest.Data(0, 1000)
	plain := origintest.NewNode(t, map[string][]byte{"a.zip": data})
	query := origintest.NewQueryNode(t)
	query.Put("a.zip", data)
	query.Set(origintest.QueryFault{NoHead: true})
	rules := origintest.S3Rules{AccessKey: "AK", SecretKey: "SK", Region: "eu-west-1"}
	s3 := origintest.NewS3Node(t, rules)
	s3.Put("x/a.zip", data)
	const cid = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnXrFh"
	ipfs := httptest.NewServer(http.StripPrefix("/ipfs/"+cid, plain))
	defer ipfs.Close()
	s3Settings := fmt.Sprintf("s3: {endpoint: %q, region: eu-west-1, access_key: AK, secret_key_file: secret, path_style: true}", s3.Endpoint)
	tests := map[string]struct {
		source    string
		immutable bool
		listed    bool
		archives  string
	}{
		"http":         {fmt.Sprintf("nodes: [{url: %q}]", plain.URL), false, false, ""},
		"one archive":  {fmt.Sprintf("nodes: [{url: '%sa.zip?x=y'}]", plain.URL), false, false, "a.zip"},
		"query":        {fmt.Sprintf("nodes: [{url: %q}], dialect: query, size_url: '/size/{archive}'", query.URL), false, false, ""},
		"template":     {fmt.Sprintf("nodes: [{url: '%s{archive}?range={offset},{size}'}], size_url: '%ssize/{archive}'", query.URL, query.URL), false, false, ""},
		"s3":           {"nodes: [{url: 's3://films/x/'}], " + s3Settings, false, true, ""},
		"s3, one":      {"nodes: [{url: 's3://films/x/a.zip'}], " + s3Settings, false, false, "a.zip"},
		"s3 and http":  {fmt.Sprintf("nodes: [{url: %q}, {url: 's3://films/x/'}], %s", plain.URL, s3Settings), false, true, ""},
		"ipfs":         {fmt.Sprintf("nodes: [{url: 'ipfs://%s/'}], gateways: [%q, %q]", cid, ipfs.URL, ipfs.URL+"/"), true, false, ""},
		"two, one out": {fmt.Sprintf("nodes: [{url: 'http://127.0.0.1:1/'}, {url: %q}]", plain.URL), false, false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := configured(t, "sources:\n- {name: films, allow_private: true, "+tt.source+"}\n", map[string]string{"secret": "SK\n"})[0]
			reads(t, s, "a.zip", data)
			lister, listed := s.Origin.(origin.Lister)
			if s.Immutable != tt.immutable || listed != tt.listed || strings.Join(s.Archives, " ") != tt.archives {
				t.Errorf("immutable %v, listed %v, archives %q; want %v, %v, %q", s.Immutable, listed, s.Archives, tt.immutable, tt.listed, tt.archives)
			}
			if listed {
				if list, err := lister.List(t.Context(), "", 10); err != nil || len(list) != 1 || list[0].Name != "a.zip" {
					t.Errorf("listed %v, %v", list, err)
				}
			}
		})
	}
}

// TestS3OfTheEnvironment: what a command line does not name.
func TestS3OfTheEnvironment(t *testing.T) {
	data := origintest.Data(0, 1000)
	s3 := origintest.NewS3Node(t, origintest.S3Rules{AccessKey: "AK", SecretKey: "SK", Region: "eu-west-1"})
	s3.Put("a.zip", data)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL_S3": "", "AWS_ENDPOINT_URL": s3.Endpoint, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "AWS_SESSION_TOKEN": ""} {
		t.Setenv(name, value)
	}
	a, err := openArchive(context.Background(), "ls", "s3://films/a.zip", storageFlags{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if got := make([]byte, 1000); a.size != 1000 {
		t.Errorf("size %d", a.size)
	} else if _, err := a.ReadAt(got, 0); err != nil || !bytes.Equal(got, data) {
		t.Errorf("other bytes, or %v", err)
	}
}

// TestPrivateNodesAreRefused: of a configuration file without allow_private, of every kind.
func TestPrivateNodesAreRefused(t *testing.T) {
	n := origintest.NewNode(t, map[string][]byte{"a.zip": origintest.Data(0, 1000)})
	const cid = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnXrFh"
	for name, source := range map[string]string{
		"http":  fmt.Sprintf("nodes: [{url: %q}]", n.URL),
		"query": fmt.Sprintf("nodes: [{url: %q}], dialect: query", n.URL),
		"s3":    fmt.Sprintf("nodes: [{url: 's3://films/'}], s3: {endpoint: %q, anonymous: true}", n.URL),
		"ipfs":  fmt.Sprintf("nodes: [{url: 'ipfs://%s/'}], gateways: [%q]", cid, n.URL),
	} {
		s := configured(t, "sources:\n- {name: films, "+source+"}\n", nil)[0]
		if _, err := s.Origin.Read(t.Context(), "a.zip", 0, 10, nil); !errors.Is(err, origin.ErrPrivate) {
			t.Errorf("%s: %v, want ErrPrivate", name, err)
		}
	}
	if got := len(n.Requests()); got != 0 {
		t.Errorf("it was asked %d times", got)
	}
}

// TestClientCertificate: a node of its own authority that asks who is there, and sends on to another that must not be told.
func TestClientCertificate(t *testing.T) {
	data := origintest.Data(0, 1000)
	n := origintest.NewNode(t, map[string][]byte{"a.zip": data})
	certificate, key := newCertificate(t)
	clients := map[string]int{} // certificates seen, by server
	serve := func(name string, h http.Handler) *httptest.Server {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			clients[name] += len(r.TLS.PeerCertificates)
			h.ServeHTTP(w, r)
		}))
		server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	other := serve("other", n)
	own := serve("own", http.RedirectHandler(other.URL+"/a.zip", http.StatusFound))
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate().Raw})
	config := fmt.Sprintf("sources:\n- {name: films, allow_private: true, nodes: [{url: '%s/', ca: ca.pem, cert: client.pem, key: client.key}]}\n", own.URL)
	s := configured(t, config, map[string]string{"ca.pem": string(ca), "client.pem": certificate, "client.key": key})
	reads(t, s[0], "a.zip", data)
	if clients["own"] != 1 || clients["other"] != 0 {
		t.Errorf("certificates shown: %v; want one to the node itself alone", clients)
	}
}

// newCertificate is a client's, with its key, in PEM.
func newCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "zipreel"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// title is a small archive: segments of n bytes, seg0.ts and so on, and their playlist.
func title(t *testing.T, segments, n int) (archive []byte) {
	t.Helper()
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	list := "#EXTM3U\n"
	for i := range segments {
		name := fmt.Sprintf("seg%d.ts", i)
		list += "#EXTINF:2,\n" + name + "\n"
		if err := addEntry(zw, name, origintest.Data(byte(i), n), false); err != nil {
			t.Fatal(err)
		}
	}
	if err := addEntry(zw, "index.m3u8", []byte(list), false); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// served gets a path of a gateway over the sources.
func served(t *testing.T, gw *gateway.Gateway, path string) []byte {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "127.0.0.1"
	w := httptest.NewRecorder()
	gw.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: status %d: %s", path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

func newGateway(t *testing.T, sources []gateway.Source) *gateway.Gateway {
	t.Helper()
	gw, err := gateway.New(gateway.Config{Sources: sources})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gw.Close() })
	return gw
}

// TestQueryNodePlays: behind links that are good for one range and have ended when the next one is asked for, a title costs a question of
// size, one read for its directory and playlist, and one for each segment.
func TestQueryNodePlays(t *testing.T) {
	n := origintest.NewQueryNode(t)
	n.Put("a.zip", title(t, 1, 500_000))
	gw := newGateway(t, configured(t, fmt.Sprintf("sources:\n- {name: films, allow_private: true, nodes: [{url: %q}], dialect: query}\n", n.URL), nil))
	served(t, gw, "/v/films/a.zip/index.m3u8")
	cold := len(n.Requests())
	if got := served(t, gw, "/v/films/a.zip/seg0.ts"); !bytes.Equal(got, origintest.Data(0, 500_000)) {
		t.Errorf("%d other bytes", len(got))
	}
	if all := n.Requests(); cold != 3 || len(all) != 5 {
		t.Errorf("%d requests until the playlist, %d in all, want 3 and 5: HEAD, then each range with its link\n%s", cold, len(all), strings.Join(all, "\n"))
	}
}

// TestNodesOfDifferentKinds hold one archive, under validators that have nothing in common: whichever of them is left, it plays.
func TestNodesOfDifferentKinds(t *testing.T) {
	archive := title(t, 3, 500_000)
	plain := origintest.NewNode(t, nil)
	bare := origintest.NewQueryNode(t)
	s3 := origintest.NewS3Node(t, origintest.S3Rules{AccessKey: "AK", SecretKey: "SK", Region: "us-east-1"})
	plain.Put("a.zip", archive)
	plain.Put("a.zip", archive) // at another time
	bare.Put("a.zip", archive)
	s3.Put("a.zip", archive)
	bare.Set(origintest.QueryFault{NoValidators: true, Bare: true})
	config := fmt.Sprintf("sources:\n- {name: films, allow_private: true, nodes: [{url: %q}, {url: '%s{archive}?range={offset},{size}'}, {url: 's3://films/'}],"+
		" s3: {endpoint: %q, access_key: AK, secret_key: SK}}\n", plain.URL, bare.URL, s3.Endpoint)
	down := []func(out bool){
		func(out bool) { plain.Set(origintest.Fault{Reset: out}) },
		func(out bool) { bare.Set(origintest.QueryFault{NoValidators: true, Bare: true, Expired: out}) },
		func(out bool) { s3.Set(origintest.Fault{Reset: out}) },
	}
	only := func(left int) {
		for i, set := range down {
			set(i != left)
		}
	}
	plays := func(gw *gateway.Gateway, segment int) {
		t.Helper()
		if got := served(t, gw, fmt.Sprintf("/v/films/a.zip/seg%d.ts", segment)); !bytes.Equal(got, origintest.Data(byte(segment), 500_000)) {
			t.Errorf("%d other bytes", len(got))
		}
	}
	for left := range down { // from the directory on
		only(left)
		plays(newGateway(t, configured(t, config, nil)), 0)
	}
	for known := range down { // after another one's directory
		only(known)
		gw := newGateway(t, configured(t, config, nil))
		served(t, gw, "/v/films/a.zip/index.m3u8")
		for left := range down {
			only(left)
			plays(gw, left)
		}
	}
}
