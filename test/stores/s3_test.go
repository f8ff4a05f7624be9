package stores

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7/pkg/signer"

	"zipreel/gateway/origin"
	"zipreel/gateway/origin/origintest"
)

const (
	accessKey = "zipreel"
	secretKey = "not+so/secret"
	region    = "eu-west-3"
)

// everybody may read objects of the bucket and list them.
const everybody = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:ListBucket"],
"Resource":["arn:aws:s3:::public/*","arn:aws:s3:::public"]}]}`

// store is versitygw over a folder.
type store struct{ endpoint string }

func startStore(t *testing.T) store {
	program := built(t, "ZIPREEL_VERSITYGW", "test-s3")
	dir, address := t.TempDir(), freeAddress(t)
	for _, d := range []string{"data", "meta"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"ROOT_ACCESS_KEY=" + accessKey, "ROOT_SECRET_KEY=" + secretKey}
	serve(t, address, env, program, "--port", address, "--region", region, "posix", "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "data"))
	s := store{"http://" + address}
	for _, bucket := range []string{"private", "public"} {
		s.put(t, "/"+bucket, nil)
	}
	s.put(t, "/public?policy", []byte(everybody))
	return s
}

// put sends a signed PUT.
func (s store) put(t *testing.T, path string, data []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, s.endpoint+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	req.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	res, err := http.DefaultClient.Do(signer.SignV4(*req, accessKey, secretKey, "", region))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		text, _ := io.ReadAll(res.Body)
		t.Fatalf("PUT %s: %s\n%s", path, res.Status, text)
	}
}

func (s store) open(t *testing.T, cfg origin.S3Config) *origin.S3 {
	t.Helper()
	cfg.Endpoint, cfg.Region, cfg.HTTP.AllowPrivate = s.endpoint, region, true
	o, err := origin.NewS3(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// TestS3 reads a real store, signed and as everybody.
func TestS3(t *testing.T) {
	s := startStore(t)
	tests := map[string]origin.S3Config{
		"signed":         {Bucket: "private", AccessKey: accessKey, SecretKey: secretKey},
		"below a prefix": {Bucket: "private", Key: "2024/ä b+c/", AccessKey: accessKey, SecretKey: secretKey},
		"anonymous":      {Bucket: "public", Anonymous: true},
	}
	for name, cfg := range tests {
		t.Run(name, func(t *testing.T) {
			origintest.Run(t, func(t *testing.T) origintest.Fixture {
				return origintest.Fixture{Origin: s.open(t, cfg), Set: func(t *testing.T, name string, data []byte) {
					s.put(t, "/"+cfg.Bucket+"/"+escape(cfg.Key+name), data)
				}}
			})
		})
	}
	t.Run("refused", func(t *testing.T) { s.refuses(t) })
	t.Run("listed", func(t *testing.T) { s.lists(t) })
}

func escape(key string) string {
	elems := strings.Split(key, "/")
	for i, e := range elems {
		elems[i] = strings.ReplaceAll(url.QueryEscape(e), "+", "%20")
	}
	return strings.Join(elems, "/")
}

func (s store) refuses(t *testing.T) {
	s.put(t, "/private/a.zip", origintest.Data(0, 1000))
	tests := map[string]struct {
		cfg  origin.S3Config
		kind error
		says string
	}{
		"anonymous":      {origin.S3Config{Bucket: "private", Anonymous: true}, origin.ErrDenied, "AccessDenied"},
		"wrong secret":   {origin.S3Config{Bucket: "private", AccessKey: accessKey, SecretKey: "x"}, origin.ErrDenied, "SignatureDoesNotMatch"},
		"unknown key":    {origin.S3Config{Bucket: "private", AccessKey: "x", SecretKey: "x"}, origin.ErrDenied, "XAdminUserNotFound"},
		"no such bucket": {origin.S3Config{Bucket: "other", AccessKey: accessKey, SecretKey: secretKey}, origin.ErrNotFound, "NoSuchBucket"},
	}
	for name, tt := range tests {
		_, err := s.open(t, tt.cfg).Read(t.Context(), "a.zip", 0, 10, nil)
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %v that says %s", name, err, tt.kind, tt.says)
		}
	}
}

func (s store) lists(t *testing.T) {
	keys := []string{"l/a b.zip", "l/a+b%20&.zip", "l/b.zip", "l/sub/c.ZIP", "l/ü.zip"}
	for _, key := range append(keys, "l/notes.txt", "m.zip") {
		s.put(t, "/public/"+escape(key), origintest.Data(0, 100+len(key)))
	}
	o := s.open(t, origin.S3Config{Bucket: "public", Key: "l/", Anonymous: true})
	var got []string
	for after := ""; ; {
		page, err := o.List(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page {
			got = append(got, "l/"+object.Name)
			if object.Size != int64(100+2+len(object.Name)) || object.Modified.IsZero() {
				t.Errorf("%+v", object)
			}
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].Name
	}
	if !slices.Equal(got, keys) {
		t.Errorf("listed %q, want %q", got, keys)
	}
}
