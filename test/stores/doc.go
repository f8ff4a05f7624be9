// Package stores holds tests of gateway/origin with real servers: nginx, versitygw as an S3 store, and kubo as an IPFS gateway. The
// last two are built from the Go module proxy, in modules of their own (test/s3, test/ipfs); `make test-s3` and `make test-ipfs`
// build them and say where they are (ZIPREEL_VERSITYGW, ZIPREEL_KUBO).
package stores
