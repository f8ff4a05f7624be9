package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMediaCodecs(t *testing.T) {
	tests := []struct {
		m                    media
		copyVideo, copyAudio bool
	}{
		{media{video: "h264", pixels: "yuv420p", audio: "aac"}, true, true},
		{media{video: "h264", pixels: "yuvj420p", audio: "mp3"}, true, false},
		{media{video: "h264", pixels: "yuv422p10le", audio: "aac"}, false, true},
		{media{video: "mpeg4", pixels: "yuv420p"}, false, false},
	}
	for _, tt := range tests {
		args := strings.Join(tt.m.codecs(), " ")
		if got := strings.Contains(args, "-c:v copy"); got != tt.copyVideo {
			t.Errorf("%+v: video is copied: %v, want %v (%s)", tt.m, got, tt.copyVideo, args)
		}
		if got := strings.Contains(args, "-c:a copy"); got != tt.copyAudio {
			t.Errorf("%+v: audio is copied: %v, want %v (%s)", tt.m, got, tt.copyAudio, args)
		}
	}
}

// program puts a shell script called name into PATH, alone.
func program(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

func TestProbeMedia(t *testing.T) {
	tests := []struct {
		name, script string
		want         media
		wantErr      string
	}{
		{
			"a film", `echo '{"streams":[{"codec_type":"video","codec_name":"mjpeg","disposition":{"attached_pic":1}},
				{"codec_type":"audio","codec_name":"aac"},{"codec_type":"video","codec_name":"h264","pix_fmt":"yuv420p"},
				{"codec_type":"audio","codec_name":"ac3"}],"format":{"duration":"1.500"}}'`,
			media{path: "x", video: "h264", pixels: "yuv420p", audio: "aac", duration: 1500 * time.Millisecond}, "",
		},
		{"no length", `echo '{"streams":[{"codec_type":"audio","codec_name":"aac"}],"format":{}}'`, media{path: "x", audio: "aac"}, ""},
		{"subtitles", `echo '{"streams":[{"codec_type":"subtitle"}]}'`, media{}, "it holds neither video nor audio"},
		{"no media", "echo first >&2; echo 'x: Invalid data' >&2; exit 1", media{}, "it is no media file that ffmpeg reads (ffprobe: x: Invalid data)"},
		{"nonsense", "echo hello", media{}, "ffprobe's answer: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			program(t, "ffprobe", tt.script)
			got, err := probeMedia(t.Context(), "x")
			switch {
			case tt.wantErr != "":
				if err == nil || !strings.HasPrefix(err.Error(), tt.wantErr) {
					t.Errorf("error %v, want %q", err, tt.wantErr)
				}
			case err != nil:
				t.Error(err)
			case *got != tt.want:
				t.Errorf("probeMedia = %+v, want %+v", *got, tt.want)
			}
		})
	}
}

func TestFFmpegIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := probeMedia(t.Context(), "x"); !errors.Is(err, errNoFFmpeg) {
		t.Errorf("error %v, want %v", err, errNoFFmpeg)
	}
}

func TestSegmentReportsProgress(t *testing.T) {
	program(t, "ffmpeg", `echo out_time_us=N/A; echo frame=1; echo out_time_us=500000; echo out_time_us=2500000`)
	m := &media{path: "x", audio: "aac", duration: 2 * time.Second}
	var got []int64
	if err := m.segment(t.Context(), t.TempDir(), func(done, _ int64) { got = append(got, done) }); err != nil {
		t.Fatal(err)
	}
	if want := []int64{0, 500_000, 2_000_000}; !slices.Equal(got, want) {
		t.Errorf("progress %v, want %v", got, want)
	}
}

func TestTailKeepsTheLastLine(t *testing.T) {
	var long tail
	for range 100 {
		long.Write([]byte(strings.Repeat("x", 1000) + "\n"))
	}
	long.Write([]byte("the end\n\n"))
	if got := long.lastLine(); got != "the end" || len(long.buf) > maxComplaint {
		t.Errorf("the last line is %q of %d bytes kept, want %q of %d at most", got, len(long.buf), "the end", maxComplaint)
	}
	if got := (&tail{}).lastLine(); got != "" {
		t.Errorf("the last line of nothing is %q", got)
	}
}
