package origin

import (
	"encoding/base64"
	"net/http"
	"sync"
	"time"
)

// Authorization answers the value of the header of this name (RFC 9110 §11.6.2); an empty one is not sent. It is called for
// every request; renew says that the node has refused the last value, so that one that was kept is to be had anew.
type Authorization func(renew bool) (string, error)

// Basic is the Authorization of a user and a password (RFC 7617).
func Basic(user, password string) Authorization {
	value := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	return func(bool) (string, error) { return value, nil }
}

// Bearer is the Authorization of a token (RFC 6750).
func Bearer(token string) Authorization {
	return func(bool) (string, error) { return "Bearer " + token, nil }
}

// signer puts credentials on requests to the node's own host.
type signer interface {
	// sign is called for every request before it is sent.
	sign(req *http.Request) error
	// renew gets credentials anew, and says whether they are others than those of the request that was refused.
	renew(refused *http.Request) bool
	// refuses says whether an answer may mean that the credentials have expired.
	refuses(status int) bool
}

const renewEvery = 10 * time.Second // at most: a node that denies is no reason to storm whoever issues credentials

// headerSigner is a signer that sets a header.
type headerSigner struct {
	value Authorization

	mu      sync.Mutex // guards following
	renewed time.Time
}

func (s *headerSigner) sign(req *http.Request) error {
	value, err := s.value(false)
	if err == nil && value != "" {
		req.Header.Set("Authorization", value)
	}
	return err
}

func (s *headerSigner) renew(refused *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := s.renewed.IsZero() || time.Since(s.renewed) >= renewEvery
	if due {
		s.renewed = time.Now()
	}
	value, err := s.value(due)
	return err == nil && value != refused.Header.Get("Authorization")
}

func (s *headerSigner) refuses(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// setCredentials chooses what signs requests.
func (o *HTTP) setCredentials() {
	switch {
	case o.cfg.signer != nil:
		o.signer = o.cfg.signer
	case o.cfg.Authorization != nil:
		o.signer = &headerSigner{value: o.cfg.Authorization}
	}
}
