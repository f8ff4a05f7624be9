package stores

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"

	"zipreel/gateway/origin"
	"zipreel/gateway/origin/origintest"
)

// TestIPFS reads through kubo, which has no peers: an archive by its own CID, and archives in a folder.
func TestIPFS(t *testing.T) {
	program := built(t, "ZIPREEL_KUBO", "test-ipfs")
	dir, gateway, api := t.TempDir(), freeAddress(t), freeAddress(t)
	env := []string{"IPFS_PATH=" + filepath.Join(dir, "repo")}
	run(t, env, program, "init", "--profile", "test")
	run(t, env, program, "config", "Addresses.Gateway", "/ip4/127.0.0.1/tcp/"+portOf(gateway))
	run(t, env, program, "config", "Addresses.API", "/ip4/127.0.0.1/tcp/"+portOf(api))
	run(t, env, program, "config", "--json", "Addresses.Swarm", "[]")
	data := origintest.Data(0, 3_000_000)
	for _, name := range []string{"films/a.zip", "films/sub/b c+%.zip"} {
		writeFile(t, filepath.Join(dir, name), data)
	}
	folder := run(t, env, program, "add", "-Q", "-r", "--cid-version=1", filepath.Join(dir, "films"))
	file := run(t, env, program, "add", "-Q", filepath.Join(dir, "films", "a.zip"))
	serve(t, gateway, env, program, "daemon", "--offline")
	for _, tt := range []struct{ cid, path, archive string }{
		{folder, "/", "a.zip"}, {folder, "/", "sub/b c+%.zip"}, {folder, "/sub/b c+%.zip", "b c+%.zip"}, {file, "", file},
	} {
		base, err := origin.IPFSBase("http://"+gateway, tt.cid, tt.path)
		if err != nil {
			t.Fatal(err)
		}
		o, err := origin.NewHTTP(origin.HTTPConfig{Base: base, Name: tt.archive, AllowPrivate: true})
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		var want *origin.Validator
		for _, r := range [][2]int64{{origin.Tail, 70_000}, {0, 10}, {1_000_000, 2_000_000}} {
			body, err := o.Read(t.Context(), tt.archive, r[0], r[1], want)
			if err != nil {
				t.Fatalf("%+v: %v", tt, err)
			}
			got, err := io.ReadAll(body)
			body.Close()
			if err != nil || !bytes.Equal(got, data[body.Off:body.Off+body.N]) || body.N != r[1] || body.Size != int64(len(data)) {
				t.Errorf("%+v: %d bytes from %d of %d, %v", tt, len(got), body.Off, body.Size, err)
			}
			want = &body.Validator
		}
		if !want.Strong() {
			t.Errorf("%+v: ETag %s", tt, want.ETag)
		}
	}
}
