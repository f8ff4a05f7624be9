package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"zipreel/bench/title"
)

const (
	seeks        = 5
	togetherSeen = 20      // viewers of one segment
	seekBytes    = 2100000 // of a segment: six are 12.6 MB
	playBytes    = 256 << 10
	playSegments = 150
)

// reads counts what is asked of storage.
func (b *bench) reads() (string, error) {
	text, err := b.coldStarts()
	if err != nil {
		return "", err
	}
	t := table{head: []string{"Reading one title", "sequential play: reads", "MB read / MB played", "5 seeks + 20 viewers: reads", "MB read", "MB unique"}}
	gateways := []struct {
		name  string
		start func(node string) (*process, string, error)
	}{
		{"zipreel", func(node string) (*process, string, error) {
			z, err := b.startZipreel(b.server, node)
			if err != nil {
				return nil, "", err
			}
			return z.process, z.entry("title.zip", ""), nil
		}},
		{"rclone 1.76 serve http", b.startRclone},
	}
	missing := ""
	for i, g := range gateways {
		play, seek, err := b.playAndSeek(g.start)
		if err != nil && i > 0 {
			missing += fmt.Sprintf("%s is left out: %v.\n\n", g.name, err)
			continue
		}
		if err != nil {
			return "", err
		}
		t.add(g.name, count(float64(play.reads)), fmt.Sprintf("%.1f / %.1f", float64(play.bytes)/1e6, playSegments*playBytes/1e6),
			count(float64(seek.reads)), fmt.Sprintf("%.1f", float64(seek.bytes)/1e6), fmt.Sprintf("%.1f", (1+seeks)*seekBytes/1e6))
		if i == 0 {
			missing = goal("reads for 5 seeks and 20 viewers", float64(seek.reads), atMost, 1+seeks) +
				goal("MB for 5 seeks and 20 viewers", float64(seek.bytes)/1e6, atMost, 12.7) + "\n"
		}
	}
	return text + t.String() + missing, nil
}

// coldStarts counts reads until a viewer who opens a title has its playlists and a segment.
func (b *bench) coldStarts() (string, error) {
	t := table{head: []string{"Cold start, entries", "directory, MB", "multivariant: reads", "MB", "ms", "media playlist: reads", "first segment: reads", "all, MB"}}
	for _, entries := range []int{100, 7200, 100_000, 1_000_000} {
		row, err := b.coldStart(entries)
		if err != nil {
			return "", err
		}
		t.add(row...)
	}
	return t.String() + "Segments of 256 KiB; the media playlist lists the first 7,200. The tail that holds the directory often holds the playlists.\n\n", nil
}

func (b *bench) coldStart(entries int) ([]string, error) {
	n, err := startNode(title.New(entries, playBytes))
	if err != nil {
		return nil, err
	}
	defer n.stop()
	z, err := b.startZipreel(b.server, n.url)
	if err != nil {
		return nil, err
	}
	defer z.stop()
	var got [3]reading
	for i, name := range []string{title.Multivariant, title.Media, title.Name(0)} {
		if got[i], err = n.during(func() error { return get(z.entry("title.zip", name)) }); err != nil {
			return nil, err
		}
	}
	mb := func(r ...reading) string {
		sum := int64(0)
		for _, one := range r {
			sum += one.bytes
		}
		return fmt.Sprintf("%.2f", float64(sum)/1e6)
	}
	_, tail := n.title.Tail()
	return []string{count(float64(entries)), fmt.Sprintf("%.2f", float64(len(tail))/1e6), count(float64(got[0].reads)), mb(got[0]),
		fmt.Sprintf("%.1f", float64(got[0].took)/1e6), count(float64(got[1].reads)), count(float64(got[2].reads)), mb(got[:]...)}, nil
}

func get(url string) error {
	_, _, err := fetch(url)
	return err
}

// playAndSeek plays a title through, and on a fresh gateway whose directory is known lets one viewer seek and twenty watch one segment.
func (b *bench) playAndSeek(start func(node string) (*process, string, error)) (play, seek reading, err error) {
	play, err = b.counted(title.New(playSegments, playBytes), start, func(base string) error {
		for i := range playSegments {
			if err := get(base + title.Name(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return play, seek, err
	}
	seek, err = b.counted(title.New(100, seekBytes), start, func(base string) error {
		for i := range seeks {
			if err := get(base + title.Name(90-i*17)); err != nil {
				return err
			}
		}
		return watchTogether(base + title.Name(3))
	})
	return play, seek, err
}

// counted answers what f, given the base of entries' URLs, has the node asked for once the directory is known.
func (b *bench) counted(t *title.Title, start func(string) (*process, string, error), f func(base string) error) (reading, error) {
	n, err := startNode(t)
	if err != nil {
		return reading{}, err
	}
	defer n.stop()
	p, base, err := start(n.url)
	if err != nil {
		return reading{}, err
	}
	defer p.stop()
	if err := get(base + title.Multivariant); err != nil {
		return reading{}, err
	}
	return n.during(func() error { return f(base) })
}

func watchTogether(url string) error {
	var all sync.WaitGroup
	errs := make([]error, togetherSeen)
	for i := range errs {
		all.Go(func() { errs[i] = get(url) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

const rcloneBuild = 3 * time.Minute

// startRclone builds rclone when it is first asked for, and serves what is in the node's title.zip.
func (b *bench) startRclone(node string) (*process, string, error) {
	program := filepath.Join(b.dir, "bin", "rclone")
	if !installed(program) {
		ctx, cancel := context.WithTimeout(context.Background(), rcloneBuild)
		defer cancel()
		cmd := exec.CommandContext(ctx, "taskset", "-c", "0-"+strconv.Itoa(cores()-1), "go", "build", "-o", program, ".")
		cmd.Dir = filepath.Join("bench", "rclone")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, "", fmt.Errorf("it does not build within %v: %w: %s", rcloneBuild, err, out)
		}
	}
	address, err := freePort()
	if err != nil {
		return nil, "", err
	}
	p, err := launch(b.dir, "rclone", b.server, program, "serve", "http", "--config", "/dev/null", "--addr", address, ":archive::http,url='"+node+"':title.zip")
	if err != nil {
		return nil, "", err
	}
	if err := p.answers("http://" + address + "/" + title.Multivariant); err != nil {
		p.stop()
		return nil, "", err
	}
	return p, "http://" + address + "/", nil
}
