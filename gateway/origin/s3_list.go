package origin

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	pageKeys     = 1000 // keys that are asked for at once
	maxPages     = 100  // of one listing
	listWithin   = 30 * time.Second
	maxPageBytes = 8 << 20 // a key takes at most 1,024 bytes, and its markup some more
)

// s3Page is an answer of ListObjectsV2.
type s3Page struct {
	Contents []struct {
		Key          string
		Size         int64
		LastModified time.Time
	}
	EncodingType          string
	IsTruncated           bool
	NextContinuationToken string
}

// List implements Lister: objects below the prefix whose names end in .zip, in any case. It looks at 100,000 objects at most.
func (s *S3) List(ctx context.Context, after string, max int) ([]Object, error) {
	if !s.Prefix() {
		if s.Name() > after && max > 0 {
			return []Object{{Name: s.Name()}}, nil
		}
		return nil, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, listWithin, errStalled)
	defer cancel()
	query := url.Values{"list-type": {"2"}, "encoding-type": {"url"}, "max-keys": {fmt.Sprint(pageKeys)}, "prefix": {s.key}}
	if after != "" {
		query.Set("start-after", s.key+after)
	}
	var list []Object
	for range maxPages {
		page, err := s.page(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, c := range page.Contents {
			name, ok := s.nameOf(c.Key, page.EncodingType)
			if ok && name > after && len(list) < max {
				list = append(list, Object{name, c.Size, c.LastModified})
			}
		}
		if len(list) >= max || !page.IsTruncated || page.NextContinuationToken == "" {
			break
		}
		query.Set("continuation-token", page.NextContinuationToken)
	}
	return list, nil
}

// nameOf is the archive's name of an object's key. ok is false for what is no archive.
func (s *S3) nameOf(key, encoding string) (name string, ok bool) {
	if encoding == "url" {
		decoded, err := url.QueryUnescape(key)
		if err != nil {
			return "", false
		}
		key = decoded
	}
	name, ok = strings.CutPrefix(key, s.key)
	return name, ok && len(name) > 4 && strings.EqualFold(name[len(name)-4:], ".zip") && isName(name)
}

// page asks for one page of the listing.
func (s *S3) page(ctx context.Context, query url.Values) (*s3Page, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, sizeWithin, errStalled)
	defer cancel()
	r := &request{o: s.HTTP, exact: true}
	u := *s.bucket
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	res, _, err := r.resolve(ctx, http.MethodGet, &u)
	if err != nil {
		return nil, r.kindOf(ctx, err)
	}
	defer res.Body.Close()
	r.status = res.StatusCode
	if err := r.checkStatus(res); err != nil {
		return nil, err
	}
	page := &s3Page{}
	limited := &io.LimitedReader{R: res.Body, N: maxPageBytes}
	err = xml.NewDecoder(limited).Decode(page)
	switch {
	case err == nil:
		return page, nil
	case ctx.Err() != nil:
		return nil, r.kindOf(ctx, err)
	}
	return nil, r.fail(ErrUnavailable, errors.New("the listing cannot be read"))
}
