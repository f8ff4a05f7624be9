package origin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"zipreel/gateway/origin"
	"zipreel/gateway/origin/origintest"
)

const cid = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnXrFh"

// TestIPFS: a gateway sends folders to their own host's path, and names content by its CID.
func TestIPFS(t *testing.T) {
	origintest.Run(t, func(t *testing.T) origintest.Fixture {
		n := origintest.NewNode(t, nil)
		gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/ipfs/"+cid+"/"); ok {
				w.Header().Set("Location", "/served/"+rest)
				w.WriteHeader(http.StatusMovedPermanently)
				return
			}
			r.URL.Path = strings.TrimPrefix(r.URL.Path, "/served")
			n.ServeHTTP(w, r)
		}))
		t.Cleanup(func() {
			gateway.CloseClientConnections()
			gateway.Close()
		})
		base, err := origin.IPFSBase(gateway.URL, cid, "/")
		if err != nil {
			t.Fatal(err)
		}
		return origintest.Fixture{Origin: newHTTP(t, origin.HTTPConfig{Base: base}), Set: func(_ *testing.T, name string, data []byte) { n.Put(name, data) }}
	})
}

func TestIPFSBase(t *testing.T) {
	const v1 = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
	tests := []struct{ gateway, cid, path, want string }{
		{"http://127.0.0.1:8081", cid, "", "http://127.0.0.1:8081/ipfs/" + cid},
		{"https://ipfs.example/", v1, "/a b.zip", "https://ipfs.example/ipfs/" + v1 + "/a%20b.zip"},
		{"https://ipfs.example/x/", v1, "/", "https://ipfs.example/x/ipfs/" + v1 + "/"},
		{"https://ipfs.example", "bucket", "", ""},
		{"https://ipfs.example", cid + "x", "", ""},
		{"https://ipfs.example", "../../" + cid, "", ""},
		{"https://ipfs.example/?a=b", cid, "", ""},
		{"http://%zz", cid, "", ""},
	}
	for _, tt := range tests {
		got, err := origin.IPFSBase(tt.gateway, tt.cid, tt.path)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("IPFSBase(%q, %q, %q) = %q, %v; want %q", tt.gateway, tt.cid, tt.path, got, err, tt.want)
		}
	}
}
