package origin

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// S3Config names archives in a bucket of Amazon S3 or of a store that speaks like it. Zero values mean the default.
type S3Config struct {
	Bucket string
	// Key is a prefix when it is empty or ends in "/": archives are named below it. Any other is one archive's own.
	Key string

	Endpoint string  // URL; default https://s3.REGION.amazonaws.com
	Region   string  // default us-east-1
	Style    S3Style // where the bucket's name goes

	// Who asks: Anonymous, or the key given here, or that of Profile in the files that the AWS tools share, or else the first that is found of
	// the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), those files, and the identity of the machine or container
	// that this runs on (at other endpoints than Amazon's only where the environment names one). Where none is found requests are not signed.
	Anonymous                          bool
	AccessKey, SecretKey, SessionToken string
	Profile                            string

	// HTTP holds how the store is connected to. Its Base, Dialect, SizeURL and Authorization are not used.
	HTTP HTTPConfig
}

// S3Style is where a bucket's name stands in URLs.
type S3Style uint8

const (
	S3Auto    S3Style = iota // in the host at Amazon's own endpoints, unless the name has a dot; in the path elsewhere
	S3Path                   // https://endpoint/bucket/key
	S3Virtual                // https://bucket.endpoint/key
)

const (
	defaultRegion = "us-east-1"
	// emptySHA256 is the digest of a request without a body.
	emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// S3 is an Origin over a bucket: an HTTP whose requests are signed (AWS Signature Version 4). Safe for concurrent use.
type S3 struct {
	*HTTP
	bucket *url.URL
	key    string
}

var (
	bucketRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$`)
	regionRule = regexp.MustCompile(`^[a-zA-Z0-9-]{1,64}$`)
)

// NewS3 checks the configuration. Nothing is asked of the store.
func NewS3(cfg S3Config) (*S3, error) {
	if !bucketRule.MatchString(cfg.Bucket) {
		return nil, fmt.Errorf("%q is no bucket's name", cfg.Bucket)
	}
	region := cfg.Region
	if region == "" {
		region = defaultRegion
	}
	if !regionRule.MatchString(region) {
		return nil, fmt.Errorf("%q is no region's name", region)
	}
	bucket, err := cfg.bucketURL(region)
	if err != nil {
		return nil, err
	}
	h := cfg.HTTP
	h.Base = bucket.String() + escapePath(cfg.Key)
	if h.Name == "" {
		h.Name = cfg.Key[strings.LastIndexByte(cfg.Key, '/')+1:]
	}
	h.Dialect, h.SizeURL, h.Authorization = RangeHeader, "", nil
	h.explain = explainS3(region)
	if h.signer, err = cfg.signer(region); err != nil {
		return nil, err
	}
	o, err := NewHTTP(h)
	if err != nil {
		return nil, err
	}
	return &S3{o, bucket, cfg.Key}, nil
}

// bucketURL is the bucket's own URL, which ends in "/".
func (cfg S3Config) bucketURL(region string) (*url.URL, error) {
	endpoint := cfg.Endpoint
	if endpoint == "" {
		endpoint = "https://s3." + region + ".amazonaws.com"
		if strings.HasPrefix(region, "cn-") {
			endpoint += ".cn"
		}
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return nil, errors.New("the S3 endpoint is no URL")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, errors.New("the S3 endpoint is no http or https URL with a host, as in https://s3.example.com")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the S3 endpoint takes no user, query or fragment: keys are settings of their own")
	}
	u = u.JoinPath("/")
	virtual := cfg.Style == S3Virtual || cfg.Style == S3Auto && cfg.Endpoint == "" && !strings.Contains(cfg.Bucket, ".")
	if virtual {
		u.Host = cfg.Bucket + "." + u.Host
		return u, nil
	}
	return u.JoinPath(cfg.Bucket, "/"), nil
}

// s3Refusal is the body of a refusal.
type s3Refusal struct {
	Code   string
	Region string
}

var s3Code = regexp.MustCompile(`^[A-Za-z0-9.]{1,64}$`)

// deniedS3 are refusals that are about credentials, whatever their status says: 400 at Amazon, and 404 of versitygw for a key that
// it does not know.
var deniedS3 = map[string]bool{
	"ExpiredToken": true, "InvalidToken": true, "TokenRefreshRequired": true, "AuthorizationHeaderMalformed": true, "XAdminUserNotFound": true,
}

// explainS3 reads what a refusal says: the store's code, and the bucket's region where that is another.
func explainS3(region string) func(*http.Response) (kind, cause error) {
	return func(res *http.Response) (kind, cause error) {
		var said s3Refusal
		if xml.NewDecoder(io.LimitReader(res.Body, refusalMax)).Decode(&said) != nil || !s3Code.MatchString(said.Code) {
			said.Code = "" // the answer to a HEAD, or of something that is no S3
		}
		there := res.Header.Get("X-Amz-Bucket-Region")
		if there == "" {
			there = said.Region
		}
		switch {
		case there != "" && there != region && regionRule.MatchString(there):
			return ErrDenied, fmt.Errorf("the bucket is in the region %s: set region, or AWS_REGION, to that", there)
		case said.Code == "":
			return nil, nil
		case deniedS3[said.Code]:
			kind = ErrDenied
		}
		return kind, fmt.Errorf("S3 says %s", said.Code)
	}
}
