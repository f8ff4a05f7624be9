module zipreel/bench/zipindex

go 1.26.0

require github.com/minio/zipindex v0.4.0

require (
	github.com/klauspost/compress v1.17.9 // indirect
	github.com/philhofer/fwd v1.1.3-0.20240612014219-fbbf4953d986 // indirect
	github.com/tinylib/msgp v1.2.0 // indirect
)
