package players

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// media makes the titles once: a folder for each form.
var media = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(work, "media")
	script := `
set -e
mkdir -p ts/240p ts/360p fmp4/240p fmp4/360p single/240p single/360p aes subs/240p dash list
for v in 240:480x270:220:300k 360:640x360:440:600k; do IFS=: read -r n s f b <<< "$v"
  ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=$s:r=25 -f lavfi -i sine=frequency=$f:sample_rate=48000 -t 8 \
    -c:v libx264 -pix_fmt yuv420p -preset ultrafast -b:v $b -g 50 -keyint_min 50 -sc_threshold 0 -c:a aac -b:a 64k v$n.mp4
done
both="-i v240.mp4 -i v360.mp4 -map 0:v -map 0:a -map 1:v -map 1:a -c copy -f hls -hls_time 2 -hls_playlist_type vod -hls_list_size 0 -master_pl_name master.m3u8"
map="v:0,a:0,name:240p v:1,a:1,name:360p"
ffmpeg -nostdin -v error $both -var_stream_map "$map" -hls_segment_filename ts/%v/seg_%05d.ts ts/%v/index.m3u8
ffmpeg -nostdin -v error $both -hls_segment_type fmp4 -hls_flags independent_segments -var_stream_map "$map" -hls_segment_filename fmp4/%v/seg_%05d.m4s fmp4/%v/index.m3u8
ffmpeg -nostdin -v error $both -hls_segment_type fmp4 -hls_flags single_file+independent_segments -var_stream_map "$map" single/%v/index.m3u8
head -c 16 /dev/urandom > aes/video.key; printf 'video.key\naes/video.key\n' > keyinfo
ffmpeg -nostdin -v error -i v240.mp4 -c copy -f hls -hls_time 2 -hls_playlist_type vod -hls_key_info_file keyinfo -hls_segment_filename aes/seg_%05d.ts aes/index.m3u8
printf 'WEBVTT\n\n00:00.500 --> 00:03.000\nFirst words\n\n00:04.000 --> 00:07.000\nLast words\n' > en.vtt
ffmpeg -nostdin -v error -i v240.mp4 -i en.vtt -map 0:v -map 0:a -map 1:s -c:v copy -c:a copy -c:s webvtt -f hls -hls_time 2 -hls_playlist_type vod -master_pl_name master.m3u8 -var_stream_map "v:0,a:0,s:0,sgroup:subs,language:en" -hls_segment_filename subs/240p/seg_%05d.ts subs/240p/index.m3u8
ffmpeg -nostdin -v error -i v240.mp4 -i v360.mp4 -map 0:v -map 1:v -map 0:a -c copy -f dash -seg_duration 2 -adaptation_sets "id=0,streams=v id=1,streams=a" dash/manifest.mpd
ffmpeg -nostdin -v error -i v240.mp4 -i v360.mp4 -map 0:v -map 1:v -map 0:a -c copy -f dash -seg_duration 2 -use_template 0 -use_timeline 0 -adaptation_sets "id=0,streams=v id=1,streams=a" list/manifest.mpd
sed -i 's/ startNumber="1"//' list/manifest.mpd # ffmpeg takes it for the first segment to play
rm -f keyinfo v240.mp4 v360.mp4 en.vtt
`
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	out, err := try(dir, "bash", "-c", script)
	if err != nil {
		return "", fmt.Errorf("ffmpeg: %w\n%s", err, out)
	}
	return dir, nil
})

func mediaDir(t testing.TB) string {
	t.Helper()
	need(t, "ffmpeg", "ffmpeg")
	dir, err := media()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
