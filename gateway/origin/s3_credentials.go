package origin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	sigv4 "github.com/minio/minio-go/v7/pkg/signer"
	"golang.org/x/sync/singleflight"
)

const (
	identityWithin = 5 * time.Second // for an answer of whoever issues credentials
	renewAhead     = 5 * time.Minute // of credentials' end
	lookAgain      = time.Minute     // where none were found
)

// s3Signer signs requests with the credentials that are found. Reading and issuing them waits for nobody in particular, and
// everybody waits for the same.
type s3Signer struct {
	region    string
	named     string // what the configuration names, for errors; empty: whatever is found
	providers []credentials.Provider

	flight  singleflight.Group
	held    atomic.Pointer[heldKey]
	renewed atomic.Int64 // when, in Unix nanoseconds
}

// heldKey is a key and when it is to be had anew. One that is empty means that requests are not signed.
type heldKey struct {
	credentials.Value
	until time.Time // zero: when it is refused
}

func (k *heldKey) fresh() bool { return k != nil && (k.until.IsZero() || time.Now().Before(k.until)) }

// signer is nil where requests are not to be signed.
func (cfg S3Config) signer(region string) (signer, error) {
	s := &s3Signer{region: region}
	given := cfg.AccessKey != "" || cfg.SecretKey != ""
	switch {
	case cfg.Anonymous && (given || cfg.Profile != ""):
		return nil, errors.New("anonymous, and a key or profile as well: choose one")
	case cfg.Anonymous:
		return nil, nil
	case given && (cfg.AccessKey == "" || cfg.SecretKey == ""):
		return nil, errors.New("a half of a key: access_key and secret_key go together")
	case given && cfg.Profile != "":
		return nil, errors.New("a key and a profile: choose one")
	case given:
		v := credentials.Value{AccessKeyID: cfg.AccessKey, SecretAccessKey: cfg.SecretKey, SessionToken: cfg.SessionToken, SignerType: credentials.SignatureV4}
		s.held.Store(&heldKey{Value: v})
	case cfg.Profile != "":
		s.named = fmt.Sprintf("profile %q", cfg.Profile)
		s.providers = []credentials.Provider{&credentials.FileAWSCredentials{Profile: cfg.Profile}}
	default:
		s.providers = []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}
		if cfg.Endpoint == "" || hasIdentity() {
			s.providers = append(s.providers, &credentials.IAM{Client: identityClient()})
		}
	}
	return s, nil
}

// identityClient asks whoever issues credentials. Elsewhere than in Amazon's machines nobody is at the address that is asked.
func identityClient() *http.Client {
	d := &net.Dialer{Timeout: time.Second}
	return &http.Client{Timeout: identityWithin, Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
}

// hasIdentity says whether the environment names who issues credentials.
func hasIdentity() bool {
	for _, name := range []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

func (s *s3Signer) sign(req *http.Request) error {
	key, err := s.key(req.Context(), false)
	if err != nil {
		return err
	}
	if key.AccessKeyID != "" {
		req.Header.Set("X-Amz-Content-Sha256", emptySHA256)
		sigv4.SignV4(*req, key.AccessKeyID, key.SecretAccessKey, key.SessionToken, s.region)
	}
	return nil
}

func (s *s3Signer) refuses(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusUnauthorized || status == http.StatusForbidden
}

func (s *s3Signer) renew(refused *http.Request) bool {
	last, now := s.renewed.Load(), time.Now().UnixNano()
	due := now-last >= int64(renewEvery) && s.renewed.CompareAndSwap(last, now)
	key, err := s.key(refused.Context(), due)
	if err != nil || key.AccessKeyID == "" {
		return false
	}
	same := strings.Contains(refused.Header.Get("Authorization"), "Credential="+key.AccessKeyID+"/")
	return !same || refused.Header.Get("X-Amz-Security-Token") != key.SessionToken
}

// key answers the key that is held while it is fresh.
func (s *s3Signer) key(ctx context.Context, renew bool) (*heldKey, error) {
	held := s.held.Load()
	if held.fresh() && !renew || len(s.providers) == 0 {
		return held, nil
	}
	found := s.flight.DoChan("", func() (any, error) {
		key, err := s.find()
		if err == nil {
			s.held.Store(key)
		}
		return key, err
	})
	select {
	case <-ctx.Done():
		return nil, ended(ctx)
	case f := <-found:
		if f.Err == nil {
			return f.Val.(*heldKey), nil
		}
		if held != nil && time.Now().Before(held.Expiration) {
			return held, nil
		}
		return nil, f.Err
	}
}

// find asks one provider after the other.
func (s *s3Signer) find() (*heldKey, error) {
	for _, p := range s.providers {
		v, err := p.RetrieveWithCredContext(&credentials.CredContext{Client: identityClient()})
		switch {
		case err == nil && v.AccessKeyID != "" && v.SecretAccessKey != "":
			key := &heldKey{Value: v}
			if !v.Expiration.IsZero() {
				key.until = v.Expiration.Add(-renewAhead)
			}
			return key, nil
		case s.named != "":
			return nil, fmt.Errorf("%s of the AWS files gives no key", s.named)
		}
	}
	return &heldKey{until: time.Now().Add(lookAgain)}, nil
}
