package gateway_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"zipreel/gateway"
)

// title is an archive with range links, packed in two passes: segments first, so that playlists know where they lie.
type title struct {
	files []file
	t     testing.TB
}

func (ti *title) add(name string, data []byte) { ti.files = append(ti.files, file{name, data}) }

// link is a URI with the range of what was added before.
func (ti *title) link(uri, name string) string {
	data, offsets := makeZip(ti.t, ti.files...)
	_ = data
	for _, f := range ti.files {
		if f.name == name {
			return uri + "?" + rangeOf(offsets[name], len(f.data))
		}
	}
	ti.t.Fatalf("no file %q", name)
	return ""
}

func (ti *title) zip() []byte {
	data, _ := makeZip(ti.t, ti.files...)
	return data
}

func TestRangeLinksAreRewritten(t *testing.T) {
	ti := &title{t: t}
	ti.add("720p/init.mp4", append([]byte("\x00\x00\x00\x18ftypiso5"), pattern(1, 500)...))
	ti.add("720p/a:b.m4s", pattern(2, 3000))
	ti.add("audio/ü 1.m4s", pattern(3, 3000))
	ti.add("single.mp4", pattern(4, 9000))
	ti.add("720p/gone.m4s", pattern(5, 100))
	_, offsets := makeZip(t, ti.files...)
	src := "#EXTM3U\r\n#EXT-X-VERSION:7\r\n# a comment\r\n\r\n#EXT-X-VENDOR:x=\"y,z\",foo\r\n" +
		`#EXT-X-MAP:URI="` + ti.link("init.mp4", "720p/init.mp4") + "\"\r\n" +
		"#EXTINF:2.00000,\r\n" + ti.link("wrong-name.m4s", "720p/a:b.m4s") + "&x=1\r\n" +
		"#EXTINF:2.00000,\r\n" + strings.Replace(ti.link("../audio/x.m4s", "audio/ü 1.m4s"), ",", "%2C", 1) + "\r\n" +
		"#EXTINF:2,\r\n" + fmt.Sprintf("x.mp4?range=%d,%d", offsets["single.mp4"]+100, 50) + "\r\n" +
		"#EXTINF:2,\r\nx.mp4?range=1,99999999\r\n#EXTINF:2,\r\nx.mp4?range=-1,5\r\n" +
		"#EXTINF:2,\r\nhttps://other.example/s.m4s?range=1,2\r\n#EXTINF:2,\r\n/720p/gone.m4s\r\n#EXTINF:2,\r\ngone.m4s\r\n#EXT-X-ENDLIST"
	ti.add("720p/index.m3u8", []byte(src))
	f := newFixture(t)
	f.films.Set("bbb.zip", ti.zip(), `"v1"`)
	res := f.get("/v/films/bbb.zip/720p/index.m3u8")
	crc := fmt.Sprintf("%08x", crcOf(pattern(4, 9000)))
	want := "#EXTM3U\r\n#EXT-X-VERSION:7\r\n# a comment\r\n\r\n#EXT-X-VENDOR:x=\"y,z\",foo\r\n" +
		"#EXT-X-MAP:URI=\"init.mp4\"\r\n#EXTINF:2.00000,\r\n./a:b.m4s?x=1\r\n#EXTINF:2.00000,\r\n../audio/%C3%BC%201.m4s\r\n" +
		"#EXTINF:2,\r\n../~/" + crc + "/100,50/single.mp4\r\n" +
		"#EXTINF:2,\r\nx.mp4?range=1,99999999\r\n#EXTINF:2,\r\nx.mp4?range=-1,5\r\n" +
		"#EXTINF:2,\r\nhttps://other.example/s.m4s?range=1,2\r\n#EXTINF:2,\r\ngone.m4s\r\n#EXTINF:2,\r\ngone.m4s\r\n#EXT-X-ENDLIST"
	wantHeader(t, res, "Content-Type", "application/vnd.apple.mpegurl")
	wantHeader(t, res, "Cache-Control", "public, max-age=60")
	wantBody(t, res, 200, []byte(want))

	wantBody(t, f.get("/v/films/bbb.zip/~/"+crc+"/100,50/single.mp4"), 200, pattern(4, 9000)[100:150])
	wantBody(t, f.get("/v/films/bbb.zip/~/"+crc+"/100,50/single.mp4", "Range", "bytes=10-19"), 206, pattern(4, 9000)[110:120])
	wantProblem(t, f.get("/v/films/bbb.zip/~/00000001/100,50/single.mp4"), 404, "link-outside-archive")
	wantHeader(t, f.get("/v/films/bbb.zip/~/"+crc+"/100,50/single.mp4"), "Cache-Control", "public, max-age=31536000, immutable")
	res = f.get(fmt.Sprintf("/v/films/bbb.zip/single.mp4?range=%d%%2C50", offsets["single.mp4"]+100))
	wantHeader(t, res, "Cache-Control", "public, max-age=3600") // another version of the archive has other bytes there
	wantBody(t, res, 200, pattern(4, 9000)[100:150])
	wantBody(t, f.get(fmt.Sprintf("/v/films/bbb.zip/x?range=%d,3000", offsets["720p/a:b.m4s"])), 200, pattern(2, 3000))
}

func TestPlaylistWithoutLinksIsUntouched(t *testing.T) {
	src := "\xef\xbb\xbf#EXTM3U\n\n#EXT-X-FOO:bar\n#EXTINF:2,x\na.ts?q=%20+&x\n"
	f := newFixture(t)
	data, _ := makeZip(t, file{"a.ts", transportStream(1, 3)}, file{"i.m3u8", []byte(src)})
	f.films.Set("bbb.zip", data, `"v1"`)
	wantBody(t, f.get("/v/films/bbb.zip/i.m3u8"), 200, []byte(src))
}

func TestExtensionlessSegments(t *testing.T) {
	ti := &title{t: t}
	ti.add("v/seg0", transportStream(1, 10))
	ti.add("v/seg1", transportStream(2, 10))
	ti.add("e/init", pattern(3, 400))
	ti.add("e/seg0", pattern(4, 400))
	ti.add("v/list", []byte("#EXTM3U\n#EXTINF:2,\n"+ti.link("seg0", "v/seg0")+"\n#EXTINF:2,\nseg1\n"))
	ti.add("e/i.m3u8", []byte("#EXTM3U\n#EXT-X-MAP:URI=\"init\"\n#EXTINF:2,\nseg0\n"))
	f := newFixture(t)
	f.films.Set("bbb.zip", ti.zip(), `"v1"`)
	res := f.get("/v/films/bbb.zip/v/list")
	wantHeader(t, res, "Content-Type", "application/vnd.apple.mpegurl")
	wantBody(t, res, 200, []byte("#EXTM3U\n#EXTINF:2,\nseg0.ts\n#EXTINF:2,\nseg1.ts\n"))
	wantBody(t, f.get("/v/films/bbb.zip/e/i.m3u8"), 200, []byte("#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2,\nseg0.m4s\n"))
	res = f.get("/v/films/bbb.zip/v/seg0.ts")
	wantHeader(t, res, "Content-Type", "video/mp2t")
	wantHeader(t, res, "Link", `<seg1.ts>; rel="next"`)
	wantBody(t, res, 200, transportStream(1, 10))
	res = f.get("/v/films/bbb.zip/v/seg0")
	wantHeader(t, res, "Content-Type", "video/mp2t")
	wantBody(t, res, 200, transportStream(1, 10))
	wantProblem(t, f.get("/v/films/bbb.zip/v/seg0.exe"), 404, "not-found-entry")
}

// TestExtensionIsNoOthersName: an entry without an extension is not linked as another entry that has one.
func TestExtensionIsNoOthersName(t *testing.T) {
	ti := &title{t: t}
	content := map[string][]byte{}
	for i, name := range []string{"seg", "seg.ts", "seg.ts.ts", "one"} {
		content[name] = transportStream(i+1, 10)
		ti.add(name, content[name])
	}
	ti.add("a.m3u8", []byte("#EXTM3U\n#EXTINF:2,\nseg\n#EXTINF:2,\n"+ti.link("x", "seg")+"\n#EXTINF:2,\nseg.ts\n#EXTINF:2,\nseg.ts.ts\n#EXTINF:2,\none\n"))
	f := newFixture(t)
	f.films.Set("bbb.zip", ti.zip(), `"v1"`)
	wantBody(t, f.get("/v/films/bbb.zip/a.m3u8"), 200, []byte("#EXTM3U\n#EXTINF:2,\nseg.ts.ts.ts\n#EXTINF:2,\nseg.ts.ts.ts\n#EXTINF:2,\nseg.ts\n#EXTINF:2,\nseg.ts.ts\n#EXTINF:2,\none.ts\n"))
	for url, name := range map[string]string{"seg.ts.ts.ts": "seg", "seg.ts": "seg.ts", "seg.ts.ts": "seg.ts.ts", "one.ts": "one", "seg": "seg"} {
		wantBody(t, f.get("/v/films/bbb.zip/"+url), 200, content[name])
	}
	for _, url := range []string{"one.ts.ts", "seg.ts.ts.ts.ts", "seg.mp4.ts"} {
		wantProblem(t, f.get("/v/films/bbb.zip/"+url), 404, "not-found-entry")
	}
}

// TestDashBases: what is relative to a BaseURL is found below what has become of it.
func TestDashBases(t *testing.T) {
	ti := &title{t: t}
	ti.add("v/big.mp4", pattern(1, 1000))
	ti.add("v/init.mp4", pattern(2, 100))
	_, offsets := makeZip(t, ti.files...)
	whole, part := ti.link("x.mp4", "v/big.mp4"), fmt.Sprintf("../v/big.mp4?range=%d,500", offsets["v/big.mp4"]+10)
	crc := fmt.Sprintf("%08x", crcOf(pattern(1, 1000)))
	init := ti.link("init.mp4", "v/init.mp4")
	mpd := func(base, init, media string) string {
		return `<MPD><Period><BaseURL>` + base + `</BaseURL><SegmentTemplate initialization="` + init + `" media="` + media + `"/></Period></MPD>`
	}
	for name, test := range map[string]struct{ src, want string }{
		"a folder":                  {mpd("../v/", "init.mp4", "$Number$.m4s"), mpd("../v/", "init.mp4", "$Number$.m4s")},
		"a part":                    {mpd(part, "init.mp4", "$Number$.m4s"), mpd("../~/"+crc+"/10,500/v/big.mp4", "../../../../v/init.mp4", "../../../../v/$Number$.m4s")},
		"a part, range links":       {mpd(part, init, "../v/x?range=1,9999"), mpd("../~/"+crc+"/10,500/v/big.mp4", "../../../../v/init.mp4", "../../../../v/../v/x?range=1,9999")},
		"an entry in another place": {mpd(whole, init, "gone.m4s"), mpd("../v/big.mp4", "init.mp4", "../dash/gone.m4s")},
		"the root":                  {mpd("/", "v/init.mp4", "v/$Number$.m4s"), mpd("../", "v/init.mp4", "v/$Number$.m4s")},
		"from the root":             {mpd("/v/", "init.mp4", "/v/$Number$.m4s"), mpd("../v/", "init.mp4", "../v/$Number$.m4s")},
		"elsewhere":                 {mpd("https://cdn.example/v/", init, "/v/$Number$.m4s"), mpd("https://cdn.example/v/", init, "/v/$Number$.m4s")},
	} {
		t.Run(name, func(t *testing.T) {
			ti := &title{t: t, files: slices.Clone(ti.files)}
			ti.add("dash/m.mpd", []byte(test.src))
			f := newFixture(t)
			f.films.Set("bbb.zip", ti.zip(), `"v1"`)
			wantBody(t, f.get("/v/films/bbb.zip/dash/m.mpd"), 200, []byte(test.want))
		})
	}
}

func TestDashRangeLinks(t *testing.T) {
	ti := &title{t: t}
	ti.add("dash/v/1.m4s", pattern(1, 2000))
	ti.add("dash/v/2.m4s", pattern(2, 2000))
	l1 := ti.link("1.m4s", "dash/v/1.m4s")
	l2 := strings.Replace(ti.link("2.m4s", "dash/v/2.m4s"), "?", "?a=1&amp;", 1)
	mpd := func(a, b string) string {
		return `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet><Representation id="x"><BaseURL>v/</BaseURL>` +
			`<SegmentList><SegmentURL media="` + a + `"/><SegmentURL media="` + b + `"/></SegmentList></Representation></AdaptationSet></Period></MPD>`
	}
	ti.add("dash/m.mpd", []byte(mpd(l1, l2)))
	f := newFixture(t)
	f.films.Set("bbb.zip", ti.zip(), `"v1"`)
	res := f.get("/v/films/bbb.zip/dash/m.mpd")
	wantHeader(t, res, "Content-Type", "application/dash+xml")
	wantBody(t, res, 200, []byte(mpd("1.m4s", "2.m4s?a=1")))
}

func TestMainPlaylist(t *testing.T) {
	multi, media := []byte("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx.m3u8\n"), []byte("#EXTM3U\n#EXTINF:1,\ns.ts\n")
	mpd := []byte("<MPD/>")
	tests := []struct {
		name, archive, path, want string
		files                     []file
	}{
		{"multivariant wins", "b.zip", "/v/films/b.zip", "b.zip/hls/deep/m.m3u8", []file{{"a.m3u8", media}, {"hls/deep/m.m3u8", multi}, {"x.mpd", mpd}}},
		{"a range of another entry", "b.zip", "/v/films/b.zip?a=1&range=5,10", "b.zip/m.m3u8?a=1", []file{{"m.m3u8", multi}}},
		{"a range alone", "b.zip", "/v/films/b.zip?range=5,10", "b.zip/m.m3u8", []file{{"m.m3u8", multi}}},
		{"shallowest", "b.zip", "/v/films/b.zip?x=1", "b.zip/m2.m3u8?x=1", []file{{"hls/m.m3u8", multi}, {"m2.m3u8", multi}}},
		{"media", "b.zip", "/v/films/b.zip/", "a%20b.m3u8", []file{{"hls/m.m3u8", media}, {"a b.m3u8", media}, {"x.mpd", mpd}}},
		{"dash", "sub/b.zip", "/v/films/sub/b.zip", "b.zip/x.mpd", []file{{"d/x.mpd", mpd}, {"x.mpd", mpd}}},
		{"hash", "bafy", "/v/films/bafy", "bafy/-/m.m3u8", []file{{"m.m3u8", multi}}},
		{"hash, slash alone", "bafy", "/v/films/bafy/", "-/m.m3u8", []file{{"m.m3u8", multi}}},
		{"hash, slash", "bafy", "/v/films/bafy/-/", "m.m3u8", []file{{"m.m3u8", multi}}},
		{"hash, marker", "bafy", "/v/films/bafy/-", "-/m.m3u8", []file{{"m.m3u8", multi}}},
		{"empty playlists come last", "b.zip", "/v/films/b.zip", "b.zip/hls/m.m3u8", []file{{"a.m3u8", []byte("#EXTM3U\n#EXT-X-VERSION:3\n")}, {"hls/m.m3u8", media}}},
		{"an empty one alone", "b.zip", "/v/films/b.zip", "b.zip/a.m3u8", []file{{"a.m3u8", []byte("#EXTM3U\n#EXT-X-VERSION:3\n")}}},
		{"of a Mac", "b.zip", "/v/films/b.zip", "b.zip/hls/a/m.m3u8", append(appleDoubles(9), file{"hls/a/m.m3u8", media})},
		{"encoded slash", "sub/b.zip", "/v/films/sub%2Fb.zip", "sub%2Fb.zip/m.m3u8", []file{{"m.m3u8", multi}}},
		{"colon", "a:b.zip", "/v/films/a:b.zip", "./a:b.zip/m.m3u8", []file{{"m.m3u8", multi}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			data, _ := makeZip(t, tt.files...)
			f.films.Set(tt.archive, data, `"v1"`)
			res := f.get(tt.path)
			wantHeader(t, res, "Location", tt.want)
			wantBody(t, res, 302, nil)
		})
	}
}

// appleDoubles are what a Mac's archiver puts beside n playlists.
func appleDoubles(n int) (files []file) {
	for i := range n {
		files = append(files, file{fmt.Sprintf("__MACOSX/._%d.m3u8", i), []byte("\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ")})
	}
	return files
}

// TestMounted walks from an archive's bare URL to its segments, below a prefix and behind a reverse proxy.
func TestMounted(t *testing.T) {
	ti := &title{t: t}
	ti.add("720p/s 1.ts", transportStream(1, 50))
	ti.add("720p/i.m3u8", []byte("#EXTM3U\n#EXTINF:2,\n"+ti.link("s%201.ts", "720p/s 1.ts")+"\n"))
	ti.add("m.m3u8", []byte("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n"+ti.link("720p/i.m3u8", "720p/i.m3u8")+"\n"))
	f := newFixture(t, func(c *gateway.Config) { c.Hosts = gateway.LoopbackHosts() })
	f.films.Set("bbb.zip", ti.zip(), `"v1"`)
	mounted := httptest.NewServer(http.StripPrefix("/watch/here", f))
	defer mounted.Close()
	to, _ := url.Parse(mounted.URL + "/watch/here")
	proxy := httptest.NewServer(http.StripPrefix("/tv", httputil.NewSingleHostReverseProxy(to)))
	defer proxy.Close()
	for _, base := range []string{mounted.URL + "/watch/here", proxy.URL + "/tv"} {
		for _, path := range []string{"/v/films/bbb.zip", "/v/films/bbb.zip/", "/v/films/bbb.zip/-/", "/v/films/bbb.zip/m.m3u8"} {
			at, text := fetch(t, base+path)
			at, text = fetch(t, follow(t, at, text))
			_, seg := fetch(t, follow(t, at, text))
			if !bytes.Equal(seg, transportStream(1, 50)) {
				t.Fatalf("%s leads to %d other bytes", base+path, len(seg))
			}
		}
	}
}

// fetch follows redirects and answers where it ended.
func fetch(t *testing.T, from string) (*url.URL, []byte) {
	t.Helper()
	res, err := http.Get(from)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	b := body(t, res)
	if res.StatusCode != 200 {
		t.Fatalf("%s: %s: %s", from, res.Status, b)
	}
	return res.Request.URL, b
}

// follow resolves a playlist's last line.
func follow(t *testing.T, at *url.URL, text []byte) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	to, err := at.Parse(lines[len(lines)-1])
	if err != nil {
		t.Fatal(err)
	}
	return to.String()
}
