package players

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// titles are the forms of one title, by the entry that players open.
var titles = []struct {
	name, entry string
	frames      int // of one variant
}{
	{"ts", "ts/master.m3u8", 200},
	{"fmp4", "fmp4/master.m3u8", 200},
	{"single", "single/master.m3u8", 200},
	{"aes", "aes/index.m3u8", 200},
	{"subs", "subs/240p/master.m3u8", 200},
	{"dash", "dash/manifest.mpd", 200},
}

// packings make an archive of a folder.
var packings = []struct {
	name string
	pack func(t testing.TB, dir, archive string)
}{
	{"pack", func(t testing.TB, dir, archive string) {
		run(t, dir, zipreel(t), "pack", dir, "-o", archive)
	}},
	{"zip", func(t testing.TB, dir, archive string) {
		need(t, "zip", "zip")
		run(t, dir, "zip", "-q", "-0", "-r", archive, ".")
	}},
}

// stage puts a storage node, with the archives and the plain folder on it, behind a gateway.
func stage(t testing.TB) (n *node, g *gateway) {
	t.Helper()
	dir := mediaDir(t)
	n = startNode(t)
	for _, p := range packings {
		p.pack(t, dir, filepath.Join(n.root, p.name+".zip"))
	}
	if err := os.CopyFS(filepath.Join(n.root, "plain"), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return n, startGateway(t, "films="+n.url+"/")
}

// sources are where a title is played from: the plain files are the control group.
func sources(n *node, g *gateway) map[string]string {
	return map[string]string{
		"plain": n.url + "/plain/",
		"pack":  g.url + "/v/films/pack.zip/",
		"zip":   g.url + "/v/films/zip.zip/",
	}
}

func TestPlayers(t *testing.T) {
	n, g := stage(t)
	players := []struct {
		name, command, pkg string
		play               func(t *testing.T, url string, frames int)
		skip               string // titles this player cannot play from plain files either
	}{
		{"ffmpeg", "ffmpeg", "ffmpeg", playFFmpeg, ""},
		{"mpv", "mpv", "mpv", playMPV, ""},
		{"vlc", "cvlc", "vlc-bin", playVLC, ""},
		{"gstreamer", "gst-launch-1.0", "gstreamer1.0-tools", playGStreamer, ""},
	}
	for _, p := range players {
		for from, base := range sources(n, g) {
			for _, title := range titles {
				t.Run(p.name+"/"+from+"/"+title.name, func(t *testing.T) {
					need(t, p.command, p.pkg)
					p.play(t, base+title.entry, title.frames)
				})
			}
		}
	}
}

// playFFmpeg counts every frame and hears no complaint.
func playFFmpeg(t *testing.T, url string, frames int) {
	out := run(t, work, "ffprobe", "-v", "error", "-strict", "experimental", "-count_frames", "-select_streams", "v:0",
		"-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", url)
	if got := strings.Fields(out); len(got) == 0 || strings.Trim(got[0], ",") != fmt.Sprint(frames) {
		t.Errorf("%s: frames %q, want %d", url, out, frames)
	}
	if out := run(t, work, "ffmpeg", "-nostdin", "-v", "error", "-strict", "experimental", "-i", url, "-f", "null", "-"); out != "" {
		t.Errorf("%s: %s", url, out)
	}
}

func playMPV(t *testing.T, url string, _ int) {
	out := run(t, work, "mpv", "--no-config", "--vo=null", "--ao=null", "--ao-null-untimed=yes", "--untimed", url)
	if !strings.Contains(out, "End of file") {
		t.Errorf("%s: %s", url, out)
	}
}

// playVLC looks at what VLC wrote, since it exits with 0 whatever happens. It refuses to run as root.
func playVLC(t *testing.T, url string, _ int) {
	dir, err := os.MkdirTemp(work, "vlc-")
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(dir, 0o777)
	file := filepath.Join(dir, "out.ts")
	args := []string{"cvlc", "-I", "dummy", "--no-interact", "--sout", "#std{access=file,mux=ts,dst=" + file + "}", url, "vlc://quit"}
	if os.Getuid() == 0 {
		args = append([]string{"runuser", "-u", "nobody", "--"}, args...)
	}
	out := run(t, dir, "env", append([]string{"HOME=" + dir}, args...)...)
	info, err := os.Stat(file)
	if err != nil || info.Size() < 100_000 {
		t.Fatalf("%s: VLC wrote nothing to speak of: %v\n%s", url, err, out)
	}
	seconds := run(t, work, "ffprobe", "-v", "quiet", "-show_entries", "format=duration", "-of", "csv=p=0", file)
	var s float64
	fmt.Sscan(seconds, &s)
	if s < 7.5 {
		t.Errorf("%s: VLC played %q seconds, want 8", url, strings.TrimSpace(seconds))
	}
}

func playGStreamer(t *testing.T, url string, _ int) {
	run(t, work, "gst-launch-1.0", "-q", "playbin3", "uri="+url, "video-sink=fakesink sync=false", "audio-sink=fakesink sync=false", "text-sink=fakesink sync=false")
}
