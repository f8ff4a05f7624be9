package origin

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// A content identifier in one of the forms that people write: base58 of a SHA-256 multihash (version 0), or base32, base36, base58 or
// base16 behind its letter (version 1; github.com/multiformats/cid).
var cidRule = regexp.MustCompile(`^(Qm[1-9A-HJ-NP-Za-km-z]{44}|b[a-z2-7]{20,120}|k[0-9a-z]{20,120}|z[1-9A-HJ-NP-Za-km-z]{20,120}|f[0-9a-f]{20,200})$`)

// IPFSBase is the URL of content below an IPFS gateway, for HTTPConfig.Base: of an archive, or of a folder when path ends in "/" or
// is only that. It is an HTTP node like any other. What has a CID never changes; that a gateway answers with what the CID stands
// for is not checked.
func IPFSBase(gateway, cid, path string) (string, error) {
	if !cidRule.MatchString(cid) {
		return "", fmt.Errorf("%q is no CID, as in QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnXrFh or bafybei…", cid)
	}
	if _, err := url.Parse(gateway); err != nil || strings.ContainsAny(gateway, "?#") {
		return "", errors.New("the IPFS gateway is no URL of a host, as in http://127.0.0.1:8081")
	}
	return strings.TrimSuffix(gateway, "/") + "/ipfs/" + cid + escapePath(path), nil
}
