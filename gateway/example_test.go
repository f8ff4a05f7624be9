package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"zipreel/gateway"
	"zipreel/gateway/origin"
)

// A website mounts the gateway below a path of its own.
func Example() {
	storage := httptest.NewServer(http.FileServer(http.Dir("../testdata/demo"))) // any server that answers ranges
	defer storage.Close()

	films, err := origin.NewHTTP(origin.HTTPConfig{
		Base:         storage.URL + "/", // archives are named below it
		AllowPrivate: true,              // this storage is on a loopback address
	})
	if err != nil {
		panic(err)
	}
	gw, err := gateway.New(gateway.Config{
		Sources: []gateway.Source{{Name: "films", Origin: films}},
	})
	if err != nil {
		panic(err)
	}
	defer gw.Close()

	site := http.NewServeMux()
	site.Handle("/watch/", http.StripPrefix("/watch", gw))
	site.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `<video controls src="/watch/v/films/aurora.zip"></video>`)
	})
	server := httptest.NewServer(site)
	defer server.Close()

	res, err := http.Get(server.URL + "/watch/v/films/aurora.zip")
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	fmt.Println(res.StatusCode, res.Header.Get("Content-Type"))
	// Output: 200 application/vnd.apple.mpegurl
}
