package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	stopFFmpegWithin = 5 * time.Second
	maxComplaint     = 16 << 10 // bytes of what ffmpeg says that are kept
	segmentSeconds   = 4
)

// media is what ffprobe says of a media file.
type media struct {
	path     string
	video    string // codec's name; empty: no moving pictures
	pixels   string // pixel format
	audio    string // codec's name; empty: no sound
	duration time.Duration
}

// probeMedia asks ffprobe. Only files are read, whatever a playlist in place of a media file names.
func probeMedia(ctx context.Context, path string) (*media, error) {
	out, err := runFFmpeg(ctx, nil, "ffprobe", "-v", "error", "-protocol_whitelist", "file", "-of", "json",
		"-show_entries", "stream=codec_type,codec_name,pix_fmt:stream_disposition=attached_pic:format=duration", "file:"+path)
	if errors.Is(err, errNoFFmpeg) || ctx.Err() != nil {
		return nil, err
	} else if err != nil {
		return nil, fmt.Errorf("it is no media file that ffmpeg reads (%w); give one, or a folder with HLS or DASH", err)
	}
	var said struct {
		Streams []struct {
			Type        string `json:"codec_type"`
			Codec       string `json:"codec_name"`
			Pixels      string `json:"pix_fmt"`
			Disposition struct {
				Picture int `json:"attached_pic"`
			}
		}
		Format struct{ Duration string }
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return nil, fmt.Errorf("ffprobe's answer: %w", err)
	}
	m := &media{path: path}
	for _, s := range said.Streams {
		switch {
		case s.Type == "video" && m.video == "" && s.Disposition.Picture == 0:
			m.video, m.pixels = s.Codec, s.Pixels
		case s.Type == "audio" && m.audio == "":
			m.audio = s.Codec
		}
	}
	if m.video == "" && m.audio == "" {
		return nil, errors.New("it holds neither video nor audio; give a media file, or a folder with HLS or DASH")
	}
	if seconds, err := strconv.ParseFloat(said.Format.Duration, 64); err == nil && seconds > 0 && seconds < 1e9 {
		m.duration = time.Duration(seconds * float64(time.Second))
	}
	return m, nil
}

// segment writes the file as HLS into a folder. What browsers play is copied, anything else is encoded as H.264 and AAC.
func (m *media) segment(ctx context.Context, folder string, progress func(done, total int64)) error {
	args := []string{"-v", "error", "-nostdin", "-progress", "pipe:1", "-protocol_whitelist", "file,pipe", "-i", "file:" + m.path,
		"-map", "0:V:0?", "-map", "0:a:0?", "-map_metadata", "-1", "-fflags", "+bitexact"}
	args = append(args, m.codecs()...)
	args = append(args, "-f", "hls", "-hls_time", strconv.Itoa(segmentSeconds), "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4",
		"-hls_flags", "independent_segments", "-hls_fmp4_init_filename", "init.mp4",
		"-hls_segment_filename", filepath.Join(folder, "seg_%05d.m4s"), "-master_pl_name", "master.m3u8", filepath.Join(folder, "index.m3u8"))
	report := func(line string) {
		if at, ok := strings.CutPrefix(line, "out_time_us="); ok && m.duration > 0 {
			us, _ := strconv.ParseInt(at, 10, 64) // "N/A" at first
			progress(min(us, m.duration.Microseconds()), m.duration.Microseconds())
		}
	}
	if _, err := runFFmpeg(ctx, report, "ffmpeg", args...); err != nil {
		return err
	}
	if m.video == "" {
		return nil
	}
	at := strconv.FormatFloat(m.duration.Seconds()/10, 'f', 3, 64)
	_, err := runFFmpeg(ctx, nil, "ffmpeg", "-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe", "-ss", at, "-i", "file:"+m.path,
		"-map", "0:V:0", "-frames:v", "1", "-vf", "scale=-2:'min(720,ih)'", "-fflags", "+bitexact", "-update", "1", filepath.Join(folder, "cover.jpg"))
	return err
}

// codecs are the arguments that copy or encode.
func (m *media) codecs() []string {
	video := []string{"-c:v", "copy"}
	if m.video != "h264" || m.pixels != "yuv420p" && m.pixels != "yuvj420p" {
		video = []string{"-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-pix_fmt", "yuv420p",
			"-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2", "-force_key_frames", fmt.Sprintf("expr:gte(t,n_forced*%d)", segmentSeconds)}
	}
	audio := []string{"-c:a", "copy"}
	if m.audio != "aac" {
		audio = []string{"-c:a", "aac", "-b:a", "160k", "-ac", "2"}
	}
	return append(video, audio...)
}

var errNoFFmpeg = errors.New("a media file needs ffmpeg, which is not installed; install it, or give a folder with HLS or DASH")

// runFFmpeg runs one of ffmpeg's programs and answers its standard output, or hands that to eachLine. The error is the
// last thing it said.
func runFFmpeg(ctx context.Context, eachLine func(string), program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.WaitDelay = stopFFmpegWithin
	complaint := &tail{}
	cmd.Stderr = complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); errors.Is(err, exec.ErrNotFound) {
		return nil, errNoFFmpeg
	} else if err != nil {
		return nil, err
	}
	var kept bytes.Buffer
	if eachLine != nil {
		for s := bufio.NewScanner(out); s.Scan(); {
			eachLine(s.Text())
		}
	} else {
		io.Copy(&kept, io.LimitReader(out, 1<<20))
	}
	io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		if last := complaint.lastLine(); last != "" {
			err = errors.New(last)
		}
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	return kept.Bytes(), nil
}

// tail keeps the last maxComplaint bytes written to it.
type tail struct{ buf []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - maxComplaint; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) lastLine() string {
	lines := strings.Split(strings.TrimSpace(string(t.buf)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
