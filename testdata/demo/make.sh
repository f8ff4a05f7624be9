#!/usr/bin/env bash
# Makes the demo title, aurora.zip: 24 s of northern lights in two variants with sound, subtitles in two languages, a cover, an
# animated preview and thumbnails. Everything is computed by ffmpeg; nothing is downloaded. Needs ffmpeg with libx264 and libwebp.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ff=(ffmpeg -nostdin -v error -y)
seconds=24
font=$(fc-list : file family 2>/dev/null | grep -m1 -i 'DejaVuSans.ttf' | cut -d: -f1 || true)

# The sky: two curtains of light over a night gradient, computed small and scaled up, which keeps them soft.
curtain() { echo "exp(-pow((Y-($1+5*sin(X/13+T*$2)+3*sin(X/5.5-T*$3)))/($4+3*sin(X/9+T/3)),2))*(0.6+0.4*sin(X/7+T*$3))"; }
a=$(curtain 15 0.45 0.7 7)
b=$(curtain 21 -0.35 0.5 9)
"${ff[@]}" -f lavfi -i "nullsrc=s=96x54:r=25:d=$seconds,format=gbrp,geq=r='min(255,6+14*Y/54+40*($b)+24*($a))':g='min(255,10+22*Y/54+175*($a)+60*($b))':b='min(255,30+46*Y/54+105*($a)+130*($b))'" \
  -c:v ffv1 sky.mkv
# Stars and mountains stand still.
"${ff[@]}" -f lavfi -i "nullsrc=s=640x360,format=rgba,geq=r=255:g=255:b=255:a='if(lt(Y,275)*gt(random(1),0.9988),90+140*random(2),0)'" -frames:v 1 stars.png
"${ff[@]}" -f lavfi -i "nullsrc=s=640x360,format=rgba,geq=r=3:g=7:b=14:a='if(gt(Y,322-34*abs(sin(X/97+0.6))-20*abs(sin(X/41+2))-5*abs(sin(X/13))),255,if(gt(Y,296-30*abs(sin(X/71+2.2))-16*abs(sin(X/29))),120,0))'" -frames:v 1 hills.png
title="null"
if [ -n "$font" ]; then
  title="drawtext=fontfile=$font:text='Aurora':fontsize=54:fontcolor=white:x=(w-tw)/2:y=(h-th)/2-30:alpha='clip((t-1)/1.5,0,1)*clip((6-t)/1.5,0,1)*0.9'"
fi
"${ff[@]}" -i sky.mkv -loop 1 -i stars.png -loop 1 -i hills.png -filter_complex \
  "[0]scale=640:360:flags=bicubic[s];[s][1]overlay=shortest=1[t];[t][2]overlay=shortest=1,$title,fade=in:0:25,fade=out:st=$((seconds - 1)):d=1,format=yuv420p[v]" \
  -map '[v]' -c:v ffv1 film.mkv

# The music: four slow chords, each of three voices that swell and fade.
voice() { echo "0.075*sin(2*PI*$1*t)*sin(PI*mod(t,6)/6)*(1+0.2*sin(2*PI*0.2*t))"; }
chord() { echo "($(voice "$1")+$(voice "$2")+$(voice "$3")+0.5*$(voice "$4"))"; }
"${ff[@]}" -f lavfi -i "aevalsrc='if(lt(t,6),$(chord 110 164.81 220 329.63),if(lt(t,12),$(chord 87.31 174.61 220 261.63),if(lt(t,18),$(chord 98 146.83 196 293.66),$(chord 82.41 164.81 207.65 246.94))))':s=48000:d=$seconds" \
  -af "aecho=0.8:0.7:120|260:0.35|0.2,afade=in:d=1.5,afade=out:st=$((seconds - 2)):d=2,pan=stereo|c0=c0|c1=c0" music.wav

encode() { # name width height kbit/s audio-kbit/s
  mkdir -p "title/$1"
  "${ff[@]}" -i film.mkv -i music.wav -vf "scale=$2:$3" -c:v libx264 -preset veryslow -profile:v high -level 3.0 -b:v "$4k" -maxrate "$(($4 * 3 / 2))k" -bufsize "$(($4 * 2))k" \
    -g 100 -keyint_min 100 -sc_threshold 0 -c:a aac -b:a "$5k" -threads 1 -bitexact -f hls -hls_time 4 -hls_playlist_type vod \
    -hls_segment_type fmp4 -hls_flags independent_segments -hls_fmp4_init_filename init.mp4 -hls_segment_filename "title/$1/seg_%03d.m4s" "title/$1/index.m3u8"
}
encode 360p 640 360 300 64
encode 180p 320 180 110 48

subtitles() { # language, then cues
  mkdir -p "title/subs/$1"
  { printf 'WEBVTT\n\n'; cat; } > "title/subs/$1/cues.vtt"
  printf '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%d\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:%d.0,\ncues.vtt\n#EXT-X-ENDLIST\n' $seconds $seconds > "title/subs/$1/index.m3u8"
}
subtitles en <<'C'
00:00:07.000 --> 00:00:11.000
One archive. Every segment inside.

00:00:12.000 --> 00:00:16.500
Storage knows nothing of video:
it answers ranges of bytes.

00:00:17.500 --> 00:00:22.000
And the lights dance all the same.
C
subtitles de <<'C'
00:00:07.000 --> 00:00:11.000
Ein Archiv. Jedes Segment darin.

00:00:12.000 --> 00:00:16.500
Der Speicher weiß nichts von Video:
er liefert Bytes.

00:00:17.500 --> 00:00:22.000
Und die Lichter tanzen trotzdem.
C
cat > title/master.m3u8 <<'C'
#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,URI="subs/en/index.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,URI="subs/de/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=560000,AVERAGE-BANDWIDTH=380000,RESOLUTION=640x360,FRAME-RATE=25.000,CODECS="avc1.64001e,mp4a.40.2",SUBTITLES="subs"
360p/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=240000,AVERAGE-BANDWIDTH=165000,RESOLUTION=320x180,FRAME-RATE=25.000,CODECS="avc1.64001e,mp4a.40.2",SUBTITLES="subs"
180p/index.m3u8
C

"${ff[@]}" -ss 9 -i film.mkv -frames:v 1 -q:v 3 -bitexact title/cover.jpg
"${ff[@]}" -ss 6 -t 4 -i film.mkv -vf "fps=10,scale=320:180" -c:v libwebp_anim -q:v 60 -loop 0 -bitexact title/preview.webp
mkdir -p title/thumbs
"${ff[@]}" -i film.mkv -vf "fps=1/2,scale=160:90,tile=4x3" -frames:v 1 -q:v 5 -bitexact title/thumbs/sprite.jpg
{
  printf 'WEBVTT\n'
  for i in $(seq 0 11); do
    printf '\n00:00:%02d.000 --> 00:00:%02d.000\nsprite.jpg#xywh=%d,%d,160,90\n' $((2 * i)) $((2 * i + 2)) $((i % 4 * 160)) $((i / 4 * 90))
  done
} > title/thumbs/thumbnails.vtt

cd "$root"
go run ./cmd/zipreel pack "$work/title" -o "$here/aurora.zip"
go run ./cmd/zipreel verify "$here/aurora.zip"
