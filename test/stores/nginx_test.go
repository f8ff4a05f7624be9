package stores

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"zipreel/gateway/origin/origintest"
)

// TestNginx over a folder, plain, as a proxy before itself, and sending on to itself.
func TestNginx(t *testing.T) {
	needNginx(t)
	for _, path := range []string{"/", "/proxied/", "/redirected/"} {
		t.Run(path, func(t *testing.T) {
			origintest.Run(t, func(t *testing.T) origintest.Fixture {
				address, root := startNginx(t)
				return origintest.Fixture{
					Origin: newHTTP(t, "http://"+address+path),
					Set:    func(t *testing.T, name string, data []byte) { writeFile(t, filepath.Join(root, name), data) },
				}
			})
		})
	}
}

// needNginx skips, or fails where all tools must be there.
func needNginx(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("nginx"); err != nil {
		if os.Getenv("ZIPREEL_TEST_TOOLS") == "1" {
			t.Fatal("nginx is missing: install Debian's nginx-light, or run test/setup.sh")
		}
		t.Skip("nginx is missing (Debian: nginx-light)")
	}
}

func startNginx(t *testing.T) (address, root string) {
	dir := t.TempDir()
	address, root = freeAddress(t), filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	conf := fmt.Sprintf(`%[1]s worker_processes 1; daemon off; pid %[2]s/pid; error_log %[2]s/error.log;
events { worker_connections 256; }
http {
  access_log off;
  map $request_uri $rest { ~^/redirected/(?<r>.*)$ $r; }
  client_body_temp_path %[2]s/t1; proxy_temp_path %[2]s/t2; fastcgi_temp_path %[2]s/t3; uwsgi_temp_path %[2]s/t4; scgi_temp_path %[2]s/t5;
  server {
    listen %[3]s; root %[2]s/root;
    location /proxied/ { proxy_pass http://%[3]s/; proxy_http_version 1.1; proxy_set_header Connection ""; }
    location /redirected/ { return 302 http://%[3]s/$rest; }
    location /rangeless/ { alias %[2]s/root/; max_ranges 0; }
    location /compressed/ { alias %[2]s/root/; gzip on; gzip_types *; gzip_http_version 1.0; }
    location /tagless/ { alias %[2]s/root/; etag off; }
    location /closing/ { alias %[2]s/root/; keepalive_timeout 0; }
  }
}`, user, dir, address)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	serve(t, address, nil, "nginx", "-c", path, "-e", filepath.Join(dir, "error.log"))
	return address, root
}
