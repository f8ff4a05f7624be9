// Command bare is the limit that zipreel is held against: net/http answering the same bytes with the same headers, and nothing
// else. Each object is a file NAME.body, and NAME.head with its header lines. With -crowd it reads what it answers from a node, once for all who ask.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
)

type object struct {
	header http.Header
	file   string
	body   []byte
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "`HOST:PORT`")
	cert := flag.String("cert", "", "`FILE` with a TLS certificate and its key; none: no TLS")
	how := flag.String("send", "write", "how bodies are sent: write, pieces, sendfile, read")
	node := flag.String("crowd", "", "`URL` of an archive: answers are ranges of it, read once for all who ask")
	flag.Parse()
	if *node != "" {
		log.Fatal(http.ListenAndServe(*listen, newCrowd(*node)))
	}
	send, ok := ways[*how]
	if !ok {
		log.Fatalf("-send: nothing is named %q", *how)
	}
	objects, err := read(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(serve(*listen, *cert, objects, send))
}

func serve(listen, cert string, objects map[string]object, send way) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	s := &http.Server{Addr: listen, Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o, ok := objects[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		for name, values := range o.header {
			h[name] = values
		}
		if err := send(w, o.file, o.body); err != nil {
			log.Print(err)
		}
	})}
	if cert != "" {
		return s.ListenAndServeTLS(cert, cert)
	}
	return s.ListenAndServe()
}

// read answers the objects of a folder by the paths they are asked for.
func read(dir string) (map[string]object, error) {
	heads, err := filepath.Glob(filepath.Join(dir, "*.head"))
	if err != nil || len(heads) == 0 {
		return nil, fmt.Errorf("no *.head in %q (%v)", dir, err)
	}
	objects := map[string]object{}
	for _, name := range heads {
		head, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		lines := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(head), strings.NewReader("\r\n"))))
		header, err := lines.ReadMIMEHeader()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		base := strings.TrimSuffix(name, ".head")
		body, err := os.ReadFile(base + ".body")
		if err != nil {
			return nil, err
		}
		objects["/"+filepath.Base(base)] = object{http.Header(header), base + ".body", body}
	}
	return objects, nil
}
