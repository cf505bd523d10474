# Go, a C compiler, make and git are enough for `make run` and `make test`.
# `make check` fetches the linter; `make web`, `make check`, `make check-schema` and `make test-clients`
# need Node.

GOLANGCI_VERSION := v2.12.2
GOVULNCHECK_VERSION := v1.9.0
GOLANGCI := $(CURDIR)/bin/golangci-lint-$(GOLANGCI_VERSION)
# The linter's cache knows files by their path: two checkouts must not share it.
export GOLANGCI_LINT_CACHE := $(CURDIR)/bin/golangci-lint-cache

.PHONY: help run test test-short test-clients test-examples client bench crash soak fuzz vuln generate web migration fmt check check-generated check-mod check-schema check-web lint

run: ## Serve the demo on http://127.0.0.1:8080.
	go run ./cmd/convoke demo

help: ## What each target does.
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | expand -t 18

test: ## All tests; on PostgreSQL too when CONVOKE_TEST_POSTGRES names a server.
	CGO_ENABLED=1 go test -race -timeout 45m ./...

test-short: ## Every test in under a minute: without the race detector, on SQLite only, a few rounds of each race.
	CGO_ENABLED=1 CONVOKE_TEST_POSTGRES= CONVOKE_TEST_ROUNDS= go test -short ./...

test-clients: client ## The package @convoke/client, the npm clients of dashboards, and the audits of graphql-http, against the real server.
	cd server/testdata/clients && npm ci --no-audit --no-fund
	CGO_ENABLED=1 go test -race -count=1 -run 'TestTheClients|TestTheConvokeClient|TestTheAudits|TestCurlFollowsEvents' ./server

client: ## Builds and tests the npm package @convoke/client, in clients/js.
	cd clients/js/test/react18 && npm ci --no-audit --no-fund
	cd clients/js && npm ci --no-audit --no-fund && npm run build && npm run check && npm test

test-examples: ## The examples and GraphiQL in Chromium, against the demo.
	for e in urql apollo relay; do (cd examples/$$e && npm ci --no-audit --no-fund && npm run build) || exit 1; done
	cd examples/test && npm ci --no-audit --no-fund
	CGO_ENABLED=1 CONVOKE_TEST_BROWSER=yes go test -count=1 -run TestInABrowser ./cmd/convoke

bench: ## The benchmarks.
	go test -run '^$$' -bench . -benchmem ./...

crash: ## Kills the server 200 times on SQLite, and 20 times on PostgreSQL, and looks for what was lost.
	CONVOKE_TEST_KILLS=200 CONVOKE_TEST_KILLS_POSTGRES=20 go test -count=1 -timeout 30m -v -run TestNothingIsLostByKills ./cmd/convoke

soak: ## An hour of 100 requests a second with 500 sockets, and whether memory, goroutines or descriptors grow.
	CONVOKE_TEST_POSTGRES= CONVOKE_TEST_SOAK=1h go test -count=1 -timeout 90m -v -run TestNothingGrowsUnderLoad ./cmd/convoke

FUZZTIME := 60s

fuzz: ## Each fuzz target for FUZZTIME, two at a time.
	grep -rn '^func Fuzz' --include='*_test.go' . | sed 's|^\(.*\)/[^/]*:[0-9]*:func \(Fuzz[A-Za-z]*\).*|\1 \2 $(FUZZTIME)|' | \
		xargs -P 2 -n 3 .ci/fuzz

vuln: ## Known weaknesses in code that is reached, from https://vuln.go.dev.
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...

generate: ## Everything machine-written in Go.
	go generate ./...

web: ## The embedded pages, from web/src.
	cd web && npm ci --no-audit --no-fund && npm run build

migration: ## A migration to the ent schema: make migration NAME=add_groups CONVOKE_TEST_POSTGRES=postgres://…
	go run ent/migrate/migrations/diff.go $(NAME)

fmt: $(GOLANGCI) ## Format the Go code.
	$(GOLANGCI) fmt

check: check-mod check-generated check-schema check-web lint ## What is committed is formatted, linted and up to date.

check-mod: ## The modules are as go.sum has them, and everything builds.
	go mod verify
	go build -mod=readonly ./...

check-generated: generate ## The generated Go code is as committed.
	@git diff --exit-code -- ent graph docs/errors.md || { echo 'Generated code is out of date: commit what `make generate` changed.'; exit 1; }
	@test -z "$$(git status --porcelain -- ent graph docs/errors.md)" || { git status --short -- ent graph docs/errors.md; echo 'Generated files are missing from the commit.'; exit 1; }

check-schema: ## The schema breaks no client, and keeps the rules of graphql-eslint.
	cd graph/guard && npm ci --no-audit --no-fund && npm test && npm run breaking && npm run lint

check-web: web ## The pages are as committed.
	@git diff --exit-code --stat -- web || { echo 'The pages are out of date: commit what `make web` changed.'; exit 1; }
	@test -z "$$(git status --porcelain -- web)" || { git status --short -- web; echo 'Built pages are missing from the commit.'; exit 1; }

lint: $(GOLANGCI) ## Vet, format and lint the Go code.
	go vet ./...
	$(GOLANGCI) fmt --diff
	$(GOLANGCI) run

$(GOLANGCI):
	mkdir -p bin
	GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv bin/golangci-lint $@
