package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// zipreelServer is a gateway and its address.
type zipreelServer struct {
	*process
	url, admin string
}

// startZipreel serves the prefix node as source t.
func (b *bench) startZipreel(core int, node string, flags ...string) (*zipreelServer, error) {
	listen, err := freePort()
	if err != nil {
		return nil, err
	}
	admin, err := freePort()
	if err != nil {
		return nil, err
	}
	argv := append([]string{b.zipreel, "serve", "--listen", listen, "--admin-listen", admin, "--log-level", "warn"}, flags...)
	p, err := launch(b.dir, "zipreel", core, append(argv, "t="+node)...)
	if err != nil {
		return nil, err
	}
	z := &zipreelServer{p, "http://" + listen, "http://" + admin}
	if err := p.answers(z.url + "/healthz"); err != nil {
		p.stop()
		return nil, err
	}
	return z, nil
}

// entry is the URL of an archive's entry.
func (z *zipreelServer) entry(archive, name string) string {
	return z.url + "/v/t/" + archive + "/" + name
}

const nginxHead = `daemon off; master_process on; worker_processes 1; worker_rlimit_nofile 20000;
%s
pid DIR/nginx.pid; error_log DIR/error.log error;
events { worker_connections 10000; }
http {
  access_log off; etag on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 65;
  open_file_cache max=1000 inactive=600s; open_file_cache_valid 600s;
  client_body_temp_path DIR/t1; proxy_temp_path DIR/t2; fastcgi_temp_path DIR/t3; uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
  types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; application/zip zip; }
  proxy_cache_path DIR/cache levels=1:2 keys_zone=one:10m max_size=4g inactive=60m use_temp_path=off;
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_cache one; proxy_cache_valid 200 206 1h;
`

// startNginx starts nginx with one worker and the servers given, in which DIR stands for a folder of its own.
func (b *bench) startNginx(name string, core int, probe string, servers ...string) (*process, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	conf := fmt.Sprintf(nginxHead, user) + strings.Join(servers, "\n") + "\n}\n"
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(conf, "DIR", dir)), 0o644); err != nil {
		return nil, err
	}
	p, err := launch(b.dir, name, core, "nginx", "-p", dir, "-c", file)
	if err != nil {
		return nil, err
	}
	if err := p.answers(probe); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// nginxFiles is a server of files.
func nginxFiles(address, root string, options ...string) string {
	return fmt.Sprintf("  server { listen %s backlog=4096; root %s; %s }", address, root, strings.Join(options, " "))
}

// nginxCache is a caching server in front of a node.
func nginxCache(address, node string, options ...string) string {
	return fmt.Sprintf("  server { listen %s backlog=4096; %s location / { proxy_pass http://%s; } }", address, strings.Join(options, " "), node)
}

const vcl = `vcl 4.1;
backend default { .host = "%s"; .port = "%s"; }
sub vcl_backend_response { set beresp.ttl = 1h; }
`

// startVarnish starts varnish in front of a node, with all it keeps in memory.
func (b *bench) startVarnish(core int, address, node, probe string) (*process, error) {
	dir := filepath.Join(b.dir, "varnish")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "default.vcl")
	host, port, _ := strings.Cut(node, ":")
	if err := os.WriteFile(file, fmt.Appendf(nil, vcl, host, port), 0o644); err != nil {
		return nil, err
	}
	p, err := launch(b.dir, "varnish", core, "varnishd", "-j", "none", "-F", "-n", filepath.Join(dir, "n"), "-f", file, "-a", address, "-s", "malloc,256m",
		"-p", "feature=+http2")
	if err != nil {
		return nil, err
	}
	if err := p.answers(probe); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}
