# zipreel. `make help` lists the targets.
SHELL := /bin/bash
GO    ?= go
DEMO  := testdata/demo/aurora.zip
WEB   := web/dist/index.html
PAGE  := $(shell find web/src web/public web/index.html web/package.json web/vite.config.ts web/tsconfig.json -type f 2>/dev/null)
FUZZTIME ?= 60s

.PHONY: help run build web setup test unit race faults fuzz fuzz-short bench microbench lint players test-s3 test-ipfs clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: build ## build all, serve the demo title on http://127.0.0.1:8080/
	bin/zipreel serve $(DEMO)

build: $(WEB) ## build bin/zipreel with the page in it
	$(GO) build -trimpath -o bin/zipreel ./cmd/zipreel

web: $(WEB) ## build the page into web/dist
$(WEB): $(PAGE)
	cd web && npm ci --no-audit --no-fund && npm run build
	@touch $@

setup: ## install what the tests need (Debian packages, npm packages)
	test/setup.sh

test: setup $(WEB) ## everything: checks, unit tests with the race detector, short fuzzing, real players
	$(GO) build ./... && $(GO) vet ./...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	cd web && npm run check && npm test
	ZIPREEL_TEST_TOOLS=1 $(GO) test -race -timeout 15m $$($(GO) list ./... | grep -v '^zipreel/test')
	$(MAKE) --no-print-directory fuzz-short
	ZIPREEL_TEST_TOOLS=1 $(GO) test -count=1 -timeout 15m ./test/...
	$(MAKE) --no-print-directory test-s3

test-s3: ## reads of a real S3 store, versitygw, built from the Go module proxy (a minute or three, once)
	$(GO) -C test/s3 build -o ../../bin/versitygw github.com/versity/versitygw/cmd/versitygw
	ZIPREEL_VERSITYGW=$(CURDIR)/bin/versitygw $(GO) test -race -timeout 5m -run '^TestS3$$' ./test/stores

test-ipfs: ## reads through a real IPFS gateway, kubo without peers, built from the Go module proxy (four minutes or more, once)
	$(GO) -C test/ipfs build -o ../../bin/ipfs github.com/ipfs/kubo/cmd/ipfs
	ZIPREEL_KUBO=$(CURDIR)/bin/ipfs $(GO) test -race -timeout 5m -run '^TestIPFS$$' ./test/stores

unit: ## unit tests alone, quick, with whatever tools are there
	$(GO) test $$($(GO) list ./... | grep -v '^zipreel/test')

race: ## unit tests with the race detector
	$(GO) test -race $$($(GO) list ./... | grep -v '^zipreel/test')

players: ## real players against the gateway
	ZIPREEL_TEST_TOOLS=1 $(GO) test -count=1 -v -timeout 15m ./test/...

faults: ## storage, networks and viewers that misbehave: a table of what came of each fault (two minutes)
	@mkdir -p bin
	@ZIPREEL_FAULT_TABLE=$(CURDIR)/bin/faults.md $(GO) test -count=1 -timeout 10m ./test/faults >&2; code=$$?; cat bin/faults.md; exit $$code

fuzz: ## fuzz every parser for FUZZTIME each (60s)
	@FUZZTIME=$(FUZZTIME) test/fuzz.sh

fuzz-short: ## fuzz every parser with a few thousand inputs
	@FUZZTIME=5000x test/fuzz.sh

bench: ## side by side with other servers, into bench/results.md (30 minutes; with BENCH_QUICK=1 five)
	bench/setup.sh
	$(GO) run ./bench

microbench: ## benchmarks of the packages
	$(GO) test -run '^$$' -bench . -benchmem ./zipindex ./playlist ./gateway/...

lint: ## golangci-lint, built from the Go module proxy
	test/lint.sh

clean: ## remove what was built
	rm -rf bin web/dist/assets web/dist/index.html
