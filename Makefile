# make help lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 30s
# Code of others that only computes, in one goroutine: SQLite and the hash of
# passwords. Watched by the race detector it takes ten times as long, and shows
# nothing of ours.
UNWATCHED = $(foreach m,modernc.org/... golang.org/x/crypto/... github.com/pressly/goose/...,-gcflags=$(m)=-race=false)

.PHONY: help build run test deps format vet lint unit compat vuln vuln-if-reachable bench fuzz screenshots clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/latchkey, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/latchkey ./cmd/latchkey

run: build ## Build and serve on http://127.0.0.1:3000
	bin/latchkey serve

test: deps format vet lint unit compat vuln-if-reachable ## Install what tests need, then all checks and tests

lint: bin/tools/golangci-lint ## Run the linters
	bin/tools/golangci-lint run ./...

compat: bin/tools/oasdiff ## Refuse changes of /v1 that break its clients
	scripts/compat

vuln: bin/tools/govulncheck ## Look for known vulnerabilities (needs the network)
	scripts/vuln

bench: ## Measure, and write the report of bench
	go run ./bench

# One target at a time, as go test wants it.
fuzz: ## Fuzz every target for FUZZTIME (30s) each
	@set -e; grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -rn1 dirname | sort -u | while read -r dir; do \
	  for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$$dir"/*_test.go | cut -d' ' -f2); do \
	    echo "$$dir $$target"; go test "$$dir" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) </dev/null; \
	  done; \
	done

screenshots: deps ## Take the pictures of the documentation anew
	go test ./test/browser -count=1 -update

clean: ## Remove what was built
	rm -rf bin

deps:
	scripts/install-test-deps

format:
	@bad=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	  [ -z "$$bad" ] || { echo "not formatted (gofmt -w):"; echo "$$bad"; exit 1; }

vet:
	go vet ./...

# The tests in test drive the built binary, where the race detector sees nothing.
unit: build
	LATCHKEY_TEST_BINARY=$(CURDIR)/bin/latchkey go test -race $(UNWATCHED) -timeout 30m ./bench/... ./cmd/... ./internal/...
	LATCHKEY_TEST_BINARY=$(CURDIR)/bin/latchkey go test -timeout 20m ./test/...

vuln-if-reachable: bin/tools/govulncheck
	scripts/vuln --if-reachable

# With a warm build cache the tools take seconds; golangci-lint takes about two
# minutes on two cores the first time.
bin/tools/golangci-lint: tools/go.mod tools/go.sum
	go build -C tools -trimpath -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

bin/tools/oasdiff: tools/go.mod tools/go.sum
	go build -C tools -trimpath -o ../$@ github.com/oasdiff/oasdiff
	@touch $@

bin/tools/govulncheck: tools/go.mod tools/go.sum
	go build -C tools -trimpath -o ../$@ golang.org/x/vuln/cmd/govulncheck
	@touch $@
