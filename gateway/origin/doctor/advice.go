package doctor

import "fmt"

// What is said of each fault. Costs are those of the gateway: its errors' codes, or what it reads more.

const settingQuery = "dialect: query"

var (
	noName = advice{code: "origin-dns", cost: "nothing there can be played",
		mend: []string{"check the host's spelling, and that this machine's resolver knows it (getent hosts HOST)"}}
	noConnection = advice{code: "origin-unavailable", cost: "nothing there can be played",
		mend: []string{"check address and port, that the server runs, and the firewalls in between"}}
	silent = advice{code: "origin-slow", cost: "viewers get 503 after 8 s, and 504 origin-timeout when a minute has passed",
		mend: []string{"look into the server's log and at its load; does it read the whole file before it answers?"}}
	plain = advice{cost: "whoever is on the way can read and change what viewers get; only CRCs are checked",
		mend:    []string{"nginx: listen 443 ssl; with ssl_certificate (certbot --nginx)", "Caddy: name the host in the Caddyfile, and it has a certificate", "S3: use the https endpoint"},
		setting: "url: https://…"}
	badTLS = advice{code: "origin-tls", cost: "nothing there can be played; there is no way around the check",
		mend:    []string{"nginx: ssl_certificate needs the full chain (fullchain.pem), for this very host", "Caddy: gets and renews certificates itself; is port 80 or 443 open to the world?"},
		setting: "ca: FILE with the node's own authority, for a private one"}
	expires = advice{code: "origin-tls", cost: "from that day on nothing there can be played",
		mend: []string{"nginx: certbot renew, and a reload", "Caddy: renews by itself; look into its log for why it does not"}}
	badRedirect = advice{code: "origin-redirect", cost: "nothing there can be played",
		mend:    []string{"nginx, Caddy: let the URL answer itself, or redirect once, to https", "S3: use the endpoint of the bucket's own region"},
		setting: "url: where the redirects should have led"}
	redirects = advice{cost: "one request more for each archive and gateway; where it leads is remembered",
		setting: "url: where it leads, if that does not change"}
	signedLink = advice{cost: "one request more for each archive and gateway, and one whenever the link has expired"}
	denied     = advice{code: "origin-denied", cost: "nothing there can be played",
		mend:    []string{"a signed URL: has it expired? sign anew", "nginx: auth_basic, allow and deny; may its user read the file?", "S3: a bucket policy with s3:GetObject; also 403 where there is no such key"},
		setting: "username and password, token or headers for the node; --header and USER:PASSWORD@ here"}
	notFound = advice{code: "not-found-archive", cost: "this archive cannot be played; that it is missing is remembered for 5 s",
		mend: []string{"check the URL; upper and lower case differ on most servers"}}
	failing = advice{code: "origin-unavailable", cost: "nothing there can be played while it goes on",
		mend: []string{"look into the server's log"}}
)

// Ranges.
var (
	noRange = advice{code: "origin-no-range", cost: "nothing over 4 MiB can be played",
		mend: []string{
			"nginx: no gzip, sub_filter, ssi or max_ranges 0 for .zip; behind proxy_pass: proxy_force_ranges on;",
			"Caddy: file_server answers ranges; no encode for .zip",
			"S3: answers ranges; a CDN before it has to pass Range on",
			"others: many simple servers have none (python -m http.server): caddy file-server has"},
		setting: settingQuery + ", if the server takes ?range=OFFSET%2CSIZE"}
	small   = advice{cost: "the whole archive is read for each segment, and over 4 MiB viewers get 502 origin-no-range", mend: noRange.mend}
	noTotal = advice{code: "origin-bad-range", cost: "archives cannot be opened: their size is not known",
		mend: []string{"nginx, Caddy, S3: send bytes FIRST-LAST/TOTAL by themselves; look for a script or proxy that writes headers of its own"}}
	otherRange = advice{code: "origin-bad-range", cost: "nothing there can be played: what comes is not what was asked for",
		mend: []string{"nginx: with slice, proxy_set_header Range $slice_range and $slice_range in proxy_cache_key",
			"others: look for a cache that keeps ranges under the URL alone"}}
	disagrees = advice{code: "checksum-node", cost: "viewers get wrong bytes, which CRCs find: cut off, again and again",
		mend: []string{"look for a load balancer over servers that do not hold the same file, and for a cache that mixes versions",
			"list such servers as nodes of their own: they are told apart by what they deliver"}}
	longer = advice{cost: "a connection for each read: it is dropped with what is too much",
		mend: []string{"look for a script or proxy that writes Content-Length itself"}}
	multipart = advice{code: "origin-bad-range", cost: "nothing there can be played",
		mend: []string{"look for a proxy that rewrites Range, or asks for more than one"}}
	coded = advice{code: "origin-bad-range", cost: "nothing there can be played: ranges of compressed bytes are other bytes",
		mend: []string{"nginx: gzip off; brotli off; for .zip, and not application/zip in gzip_types", "Caddy: no encode for .zip (encode takes a matcher)",
			"S3: upload without Content-Encoding; a CDN: no compression for .zip"}}
	broken = advice{code: "origin-unavailable", cost: "reads are begun again where they broke, three times; then viewers are cut off",
		mend: []string{"look into the server's log; nginx: send_timeout, proxy_read_timeout, proxy_max_temp_file_size"}}
	empty = advice{code: "zip-not-found", cost: "there is nothing to play",
		mend: []string{"upload the archive again"}}
	noDialect = advice{code: "origin-no-range", cost: "there is no way left to read a part of the archive",
		mend: []string{"turn Range requests on (above)", "others: a URL that names the range in another way is a template: https://host/{archive}?from={offset}&to={end}"}}
	noSuffix = advice{cost: "one read more whenever an archive is opened, and one the first time",
		mend: []string{"nginx, Caddy, S3: answer bytes=-N by themselves; look for a proxy or CDN that does not", "others: Azure Blob Storage has no suffix ranges"}}
	no416 = advice{cost: "that an archive was replaced by a shorter one is noticed one read later, if at all",
		mend: []string{"nginx, Caddy, S3: answer 416 by themselves; look for a proxy or CDN that does not"}}
	bare416 = advice{cost: "one read more when an archive was replaced by a shorter one", mend: no416.mend}
	noHead  = advice{code: "origin-bad-range", cost: "archives cannot be opened: a node whose URLs name the range tells the size in no other way",
		mend: []string{"let HEAD be answered as GET would, with Content-Length", "signed URLs are mostly good for GET alone"}, setting: "size_url: where a number or {\"size\": number} is answered"}
)

// What the gateway reads.
var (
	private   = advice{setting: "allow_private: true, in a configuration file; the command line may name such addresses"}
	unread    = advice{cost: "nothing there can be played", mend: []string{"mend what is said above"}}
	noArchive = advice{cost: "this archive is refused as a whole",
		mend: []string{"pack it again, with zip -0 -r or zipreel pack; was it uploaded to its end?"}}
	noPlaylist = advice{code: "not-found-playlist", cost: "the archive cannot be opened as a title; its entries are served by their names",
		mend: []string{"pack the folder with the playlists in it; zipreel ls shows what is there"}}
	unserved = advice{cost: "those entries get 415; the others are served", mend: []string{"zipreel ls says which and why"}}
)

// State.
var (
	weakTag = advice{cost: "If-Match cannot be used: a replaced archive is noticed by size, time and CRC, and a segment that was begun is cut off",
		mend: []string{"nginx: gzip and sub_filter make ETags weak; off for .zip", "Caddy: no encode for .zip", "S3: always strong; look at the CDN before it"}}
	noTag = advice{cost: weakTag.cost,
		mend: []string{"nginx: etag on; (the default for files; behind proxy_pass the server behind it sends it)", "Caddy, S3: send it by themselves; a CDN must not take it off"}}
	noValidator = advice{cost: "a replaced archive of the same size is noticed only when its directory is looked at again (--revalidate, 60 s)", mend: noTag.mend}
	manyTags    = advice{cost: "each other ETag looks like a replaced archive: three reads in the place of one, to compare directories",
		mend:    []string{"nginx: several servers of one file have one ETag when its time and size are the same: rsync -t", "Apache: FileETag MTime Size"},
		setting: "nodes: the servers behind the balancer, each by its own URL; nodes may have different ETags"}
	ownTag = advice{code: "archive-changed", cost: "every read after the first is refused",
		mend: []string{"look for a proxy that changes ETags (compression adds -gzip) and passes If-Match on"}}
	noMatch = advice{cost: "a replaced archive is noticed from the answer instead, by its ETag: one read in vain, and nothing wrong",
		mend: []string{"nginx: honours it for files and what it caches", "Caddy, S3: honour it; a CDN has to pass If-Match on"}}
	gzipped = advice{cost: "nothing now: zipreel asks for identity. A cache in between that keeps the coded form means 502 origin-bad-range", mend: coded.mend}
)

// Speed.
var (
	noKeepAlive = advice{cost: "each read first pays for a connection: two round trips more with TLS",
		mend: []string{"nginx: keepalive_timeout 65s; keepalive_requests 1000;", "Caddy, S3: keep them; look at the proxy in between"}}
	slow = advice{cost: "a segment that is not cached starts that much later; over 8 s viewers get 503 origin-slow",
		mend:    []string{"bring the gateway nearer to the storage, or a node nearer to the gateway"},
		setting: "a second node of the same NAME: what is late is asked of the other as well"}
	unsteady = advice{code: "origin-unavailable", cost: "reads are tried three times; then viewers get 503",
		mend: []string{"does the server limit requests? nginx: limit_req with a burst; S3: 503 Slow Down passes"}}
	thin = advice{cost: "one viewer of 8 Mbit/s needs 1 MiB/s: more of them stall, unless what they watch is cached",
		mend: []string{"nginx: no limit_rate; sendfile on;", "S3: same region as the gateway"}, setting: "memory: more of it; or a second node of the same NAME"}
	trickle = advice{cost: fmt.Sprintf("under %d KiB/s the gateway goes on at another node; with one alone players stall", leaveRate>>10), mend: thin.mend, setting: "a second node of the same NAME"}
)
