package players

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// frames is how many each title has: 8 s at 25 a second.
const frames = 200

// titles are the forms of one title, by the entry that players open.
var titles = []struct{ name, entry string }{
	{"ts", "ts/master.m3u8"},
	{"fmp4", "fmp4/master.m3u8"},
	{"single", "single/master.m3u8"},
	{"aes", "aes/index.m3u8"},
	{"subs", "subs/240p/master.m3u8"},
	{"dash", "dash/manifest.mpd"},
	{"list", "list/manifest.mpd"},
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
	{"linked", packLinked},
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

// source is a place that titles are played from.
type source struct{ name, base string }

// sources are the plain files, the control group, and the archives behind the gateway: what a player plays from the one it must
// play the same from the others.
func sources(n *node, g *gateway) []source {
	list := []source{{"plain", n.url + "/plain/"}}
	for _, p := range packings {
		list = append(list, source{p.name, g.url + "/v/films/" + p.name + ".zip/"})
	}
	return list
}

// TestPlayers plays every title from every source to its end, with every frame.
func TestPlayers(t *testing.T) {
	n, g := stage(t)
	players := []struct {
		name, command, pkg string
		play               func(t *testing.T, url string)
	}{
		{"ffmpeg", "ffmpeg", "ffmpeg", playFFmpeg},
		{"mpv", "mpv", "mpv", playMPV},
		{"vlc", "cvlc", "vlc-bin", playVLC},
		{"gstreamer", "gst-launch-1.0", "gstreamer1.0-tools", playGStreamer},
	}
	for _, p := range players {
		for _, from := range sources(n, g) {
			for _, title := range titles {
				t.Run(p.name+"/"+from.name+"/"+title.name, func(t *testing.T) {
					need(t, p.command, p.pkg)
					t.Parallel()
					p.play(t, from.base+title.entry)
				})
			}
		}
	}
}

// playFFmpeg counts every frame and hears no complaint.
func playFFmpeg(t *testing.T, url string) {
	out := run(t, work, "ffprobe", "-v", "error", "-strict", "experimental", "-count_frames", "-select_streams", "v:0",
		"-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", url)
	if got := strings.Fields(out); len(got) == 0 || strings.Trim(got[0], ",") != strconv.Itoa(frames) {
		t.Errorf("%s: frames %q, want %d", url, out, frames)
	}
	if out := run(t, work, "ffmpeg", "-nostdin", "-v", "error", "-strict", "experimental", "-i", url, "-f", "null", "-"); out != "" {
		t.Errorf("%s: %s", url, out)
	}
}

// playMPV looks for the last frame, which mpv counts from 0.
func playMPV(t *testing.T, url string) {
	out := run(t, work, "mpv", "--no-config", "--vo=null", "--ao=null", "--ao-null-untimed=yes", "--untimed",
		"--term-status-msg=frame ${estimated-frame-number}.", url)
	if !strings.Contains(out, "End of file") || !strings.Contains(out, fmt.Sprintf("frame %d.", frames-1)) {
		t.Errorf("%s: %s", url, out)
	}
}

// playVLC looks at what VLC wrote, since it exits with 0 whatever happens; its muxer keeps the last half second to itself.
func playVLC(t *testing.T, url string) {
	dir, err := os.MkdirTemp(work, "vlc-")
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(dir, 0o777)
	file := filepath.Join(dir, "out.ts")
	args := []string{"cvlc", "-I", "dummy", "--no-interact", "--sout", "#std{access=file,mux=ts,dst=" + file + "}", url, "vlc://quit"}
	if os.Getuid() == 0 { // VLC refuses to run as root
		args = append([]string{"runuser", "-u", "nobody", "--"}, args...)
	}
	said := run(t, dir, "env", append([]string{"HOME=" + dir}, args...)...)
	out, err := try(work, "ffprobe", "-v", "quiet", "-count_packets", "-select_streams", "v:0", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", file)
	var got int
	if fmt.Sscan(out, &got); err != nil || got < frames-25 || got > frames {
		t.Errorf("%s: VLC wrote %q frames, want about %d: %v\n%s", url, strings.TrimSpace(out), frames, err, said)
	}
}

// playGStreamer counts what reaches the video sink.
func playGStreamer(t *testing.T, url string) {
	out := run(t, work, "gst-launch-1.0", "-v", "playbin3", "uri="+url,
		"video-sink=fakesink name=screen sync=false silent=false", "audio-sink=fakesink sync=false", "text-sink=fakesink sync=false")
	if got := strings.Count(out, "screen: last-message = chain"); got != frames {
		t.Errorf("%s: %d frames, want %d", url, got, frames)
	}
}
