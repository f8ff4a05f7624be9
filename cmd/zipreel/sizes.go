package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// size is a number of bytes, more than 0. It is written 512MiB, 2GB, 1.5GiB or 65536.
type size int64

// units in bytes. The decimal ones are of 1000, the others of 1024 (IEC 80000-13).
var units = map[string]float64{
	"": 1, "b": 1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}

// UnmarshalText reads a size. Units may be in any case and stand off by a space.
func (s *size) UnmarshalText(text []byte) error {
	written := strings.ToLower(string(text))
	number := strings.TrimRight(written, "abcdefghijklmnopqrstuvwxyz")
	unit, known := units[written[len(number):]]
	if !known {
		return fmt.Errorf("%q is no size: its unit must be B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, as in 512MiB", text)
	}
	number = strings.TrimSpace(number)
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.Trim(number, "0123456789.") != "" {
		return fmt.Errorf("%q is no size: write a number and a unit, as in 512MiB or 2GB", text)
	}
	if n *= unit; n < 1 || n >= math.MaxInt64 {
		return fmt.Errorf("%q is no possible size: it must be at least 1 byte and less than 8 EiB", text)
	}
	*s = size(n)
	return nil
}

// sizeOrOff is a size, or less than 0, written "off".
type sizeOrOff int64

// UnmarshalText reads a size or "off".
func (s *sizeOrOff) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*s = -1
		return nil
	}
	return (*size)(s).UnmarshalText(text)
}

// count is a number of things, at least 1.
type count int

// UnmarshalText reads a count.
func (c *count) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no possible number here: write a whole one of at least 1", text)
	}
	*c = count(n)
	return nil
}

// duration is a time.Duration of more than 0. It is written 500ms, 1.5s, 10m or 6h.
type duration time.Duration

// UnmarshalText reads a duration.
func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	switch {
	case err != nil:
		return fmt.Errorf("%q is no duration: write a number and a unit, as in 500ms, 1.5s, 10m or 6h", text)
	case v <= 0:
		return fmt.Errorf("%q is no possible duration: it must be more than 0", text)
	}
	*d = duration(v)
	return nil
}

// formatBytes writes n for people, with three digits: 1.46 MiB.
func formatBytes(n int64) string {
	v, i := float64(n), 0
	for ; v >= 1024 && i < 4; i++ {
		v /= 1024
	}
	decimals := 2
	switch {
	case i == 0:
		return strconv.FormatInt(n, 10) + " B"
	case v >= 100:
		decimals = 0
	case v >= 10:
		decimals = 1
	}
	return strconv.FormatFloat(v, 'f', decimals, 64) + " " + []string{"KiB", "MiB", "GiB", "TiB"}[i-1]
}
