package origin_test

import (
	"io"
	"testing"

	"zipreel/gateway/origin"
	"zipreel/gateway/origin/origintest"
)

// BenchmarkRead is one range of 64 KiB of each kind of node on loopback.
func BenchmarkRead(b *testing.B) {
	const n = 64 << 10
	data := origintest.Data(0, 1<<20)
	plain := origintest.NewNode(b, map[string][]byte{"a.zip": data})
	query := origintest.NewQueryNode(b)
	query.Put("a.zip", data)
	query.Set(origintest.QueryFault{Direct: true})
	s3 := origintest.NewS3Node(b, s3Rules)
	s3.Put("a.zip", data)
	kinds := []struct {
		name string
		open func() (origin.Origin, error)
	}{
		{"http", func() (origin.Origin, error) {
			return origin.NewHTTP(origin.HTTPConfig{Base: plain.URL, AllowPrivate: true})
		}},
		{"query", func() (origin.Origin, error) {
			return origin.NewHTTP(origin.HTTPConfig{Base: query.URL, Dialect: origin.RangeQuery, AllowPrivate: true})
		}},
		{"s3", func() (origin.Origin, error) {
			return origin.NewS3(origin.S3Config{Bucket: "films", Endpoint: s3.Endpoint, Region: s3Rules.Region,
				AccessKey: s3Rules.AccessKey, SecretKey: s3Rules.SecretKey, HTTP: origin.HTTPConfig{AllowPrivate: true}})
		}},
	}
	for _, kind := range kinds {
		b.Run(kind.name, func(b *testing.B) {
			o, err := kind.open()
			if err != nil {
				b.Fatal(err)
			}
			defer o.(io.Closer).Close()
			first, err := o.Read(b.Context(), "a.zip", 0, 1, nil)
			if err != nil {
				b.Fatal(err)
			}
			first.Close()
			buf := make([]byte, n)
			b.SetBytes(n)
			b.ReportAllocs()
			for b.Loop() {
				body, err := o.Read(b.Context(), "a.zip", n, n, &first.Validator)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(body, buf); err != nil {
					b.Fatal(err)
				}
				body.Close()
			}
		})
	}
}
