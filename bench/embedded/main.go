// Command embedded is zipreel as a handler in somebody else's program, behind TLS: what cached answers cost there.
package main

import (
	"flag"
	"log"
	"net/http"

	"zipreel/gateway"
	"zipreel/gateway/origin"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "`HOST:PORT`")
	cert := flag.String("cert", "", "`FILE` with a TLS certificate and its key")
	flag.Parse()
	log.Fatal(serve(*listen, *cert, flag.Arg(0)))
}

// serve presents the archives below a URL as source t.
func serve(listen, cert, base string) error {
	storage, err := origin.NewHTTP(origin.HTTPConfig{Base: base, AllowPrivate: true})
	if err != nil {
		return err
	}
	gw, err := gateway.New(gateway.Config{Sources: []gateway.Source{{Name: "t", Origin: storage}}})
	if err != nil {
		return err
	}
	defer gw.Close()
	return http.ListenAndServeTLS(listen, cert, cert, gw)
}
