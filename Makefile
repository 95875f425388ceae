# make            builds, tests and lints
# make help       lists the targets
#
# Nothing but Go and make is needed for build and test. Tools are built from
# their own modules under tools/ into bin/tools, at the versions pinned there.

GO    ?= go
BIN   := bin
TOOLS := $(BIN)/tools

# The same flags everywhere: what one target has compiled, the next finds in the
# cache, and the rule engine is compiled once rather than once per target.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)

# What the binaries say about themselves. Taken from git where there is one; an
# image build, which has none, passes them in. The time is that of the commit,
# so that two builds of one commit are the same bytes.
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
REVISION   ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
BRANCH     ?= $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)
BUILD_DATE ?= $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)

INFO    := github.com/prometheus/common/version
LDFLAGS := -s -w \
	-X $(INFO).Version=$(VERSION) \
	-X $(INFO).Revision=$(REVISION) \
	-X $(INFO).Branch=$(BRANCH) \
	-X $(INFO).BuildDate=$(BUILD_DATE)

# Packages that run concurrently and do not need the rule engine, which takes
# minutes to compile with the race detector.
RACE ?= ./exporter/... ./internal/web/... ./internal/demo/... ./cmd/upheld-exporter/...

FUZZTIME ?= 10s

.PHONY: all
all: build test lint ## build, test, lint (the default)

.PHONY: help
help: ## show the targets
	@awk -F ':.*## ' '/^[a-zA-Z_-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## bin/upheld and bin/upheld-exporter: static, reproducible
	$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/...

.PHONY: cross
cross: ## compile the programs for macOS, for which releases have them too
	GOOS=darwin GOARCH=arm64 $(GO) build ./cmd/...

# Packages that are tested at once: at least four, since some of them mostly wait.
PACKAGES := $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1); echo $$((n > 4 ? n : 4)))

# Tests make much garbage and keep little. If it is collected less often, they use a
# fifth less CPU, and up to 400 MB instead of 200 for a package.
.PHONY: test
test: export GOGC ?= 400
test: ## every test that needs only Go, of long tables a sample; others skip themselves and say so
	$(GO) test -p $(PACKAGES) -timeout 60m ./... # go's own ten minutes are short for the rule engine on a slow machine

.PHONY: test-all
test-all: export UPHELD_TEST_ALL ?= 1
test-all: test ## the same with every case of the tests that otherwise take a sample ("every" also repeats them under more names)

.PHONY: test-race
test-race: ## what runs concurrently, under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -skip '^TestBrowser' $(RACE)

.PHONY: lint
lint: $(TOOLS)/golangci-lint $(TOOLS)/actionlint ## golangci-lint, actionlint, the shell scripts' syntax
	$(TOOLS)/golangci-lint run --allow-parallel-runners ./...
	$(TOOLS)/golangci-lint run --allow-parallel-runners --build-tags integration ./test/...
	$(TOOLS)/actionlint
	bash -n .ci/run scripts/*

.PHONY: fmt
fmt: $(TOOLS)/gofumpt ## format the Go files
	$(TOOLS)/gofumpt -l -w .

.PHONY: bench
bench: ## every benchmark, with allocations
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: bench-exporter
bench-exporter: build $(TOOLS)/blackbox_exporter ## what upheld-exporter costs, beside blackbox_exporter (Linux, 20 minutes)
	$(GO) run ./test/bench/exporter -exporter $(BIN)/upheld-exporter -blackbox $(TOOLS)/blackbox_exporter

.PHONY: bench-generate
bench-generate: ## CPU, memory and files of check and generate for 10,000 service levels
	$(GO) test ./test/bench/generate -run '^$$' -bench . -benchtime 1x -timeout 30m

.PHONY: bench-rules
bench-rules: $(TOOLS)/sloth $(TOOLS)/pyrra ## what a month of rules costs and how exact they are, beside those of Sloth and Pyrra
	SLOTH=$(abspath $(TOOLS)/sloth) PYRRA=$(abspath $(TOOLS)/pyrra) $(GO) test ./test/bench/rules -run '^$$' -bench . -benchtime 1x -timeout 120m

.PHONY: bench-simulate
bench-simulate: ## CPU and memory of a month of rules in simulated time, of 1 and of 50 service levels
	$(GO) test ./test/bench/simulate -run '^$$' -bench . -benchtime 1x -timeout 60m

.PHONY: bench-prometheus
bench-prometheus: build $(TOOLS)/prometheus ## what 10,000 service levels cost a Prometheus that evaluates them (Linux, 25 minutes)
	$(GO) run ./test/bench/prometheus -upheld $(BIN)/upheld -prometheus $(TOOLS)/prometheus

.PHONY: bench-web
bench-web: ## what each page of upheld serve takes with 500 service levels and a month of their series
	$(GO) test ./internal/serve -run '^$$' -bench Pages -benchtime 5x -timeout 30m

.PHONY: bench-report
bench-report: build $(TOOLS)/prometheus ## what upheld report takes for a month of 20 million samples (Linux)
	$(GO) run ./test/bench/report -upheld $(BIN)/upheld -prometheus $(TOOLS)/prometheus

.PHONY: update
update: ## record the golden files again, then run every test on them
	scripts/update-golden
	$(GO) test ./...

.PHONY: integration
integration: prometheus-tools victoriametrics-tools $(TOOLS)/blackbox_exporter $(TOOLS)/alertmanager ## the programs against real Prometheus and Alertmanager servers
	$(GO) test -tags integration -count=1 -timeout 30m -v ./test/integration/...
	cd tools/dispatcher && $(GO) test -v ./... # notifications, as Alertmanager's own code sends them
	cd tools/perses && $(GO) test -v ./... # dashboards, as Perses' own types read them
	cd tools/operators && $(GO) test -v ./... # objects, as the Prometheus operator's own types read them
	cd tools/openslo && $(GO) test -v ./... # our reader of OpenSLO, and OpenSLO's own

EXAMPLES ?= $(sort $(dir $(wildcard examples/*.yaml examples/*/*.yaml)))

.PHONY: peers
peers: $(TOOLS)/sloth $(TOOLS)/pyrra ## what Sloth and Pyrra make today of their specifications, and what we make of them (builds both first)
	SLOTH=$(abspath $(TOOLS)/sloth) PYRRA=$(abspath $(TOOLS)/pyrra) $(GO) test ./internal/imports -v -count=1 -run 'Sloth|Pyrra'

.PHONY: examples
examples: build prometheus-tools victoriametrics-tools ## generate examples/ and let promtool, pint, amtool and vmalert judge it
	rm -rf $(BIN)/examples
	set -e; for dir in $(EXAMPLES); do \
		$(BIN)/upheld check $$dir; \
		$(BIN)/upheld generate $$dir -o $(BIN)/$$dir --tests; \
		TESTED=$(BIN)/examples/tested scripts/check-generated $(BIN)/$$dir; \
	done

.PHONY: boards
boards: ## draw every panel of the examples' dashboards with Grafana's components (needs Node, Chromium, npm ci in tools/boards)
	scripts/check-boards

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (10s) each
	scripts/fuzz $(FUZZTIME)

.PHONY: ci-all
ci-all: ## .ci/run with every case repeated, then what needs big tools or a database of the world: by hand before a release, and every week
	UPHELD_TEST_ALL=every .ci/run
	$(MAKE) peers goreleaser-check govulncheck integration-cortex boards

.PHONY: integration-cortex
integration-cortex: $(TOOLS)/cortex ## upheld push against a real Cortex (builds it first: seven minutes of CPU)
	$(GO) test -tags integration -count=1 -v -run '^TestPushToCortex$$' ./test/integration

.PHONY: goreleaser-check
goreleaser-check: $(TOOLS)/goreleaser ## .goreleaser.yaml by goreleaser's own check (builds it first: two to four minutes of CPU)
	$(TOOLS)/goreleaser check

.PHONY: release
release: $(TOOLS)/goreleaser ## the release of the tag that is checked out, as a draft
	scripts/release-notes $$(git describe --tags --exact-match) > $(BIN)/release-notes.md
	$(TOOLS)/goreleaser release --clean --release-notes $(BIN)/release-notes.md

.PHONY: govulncheck
govulncheck: $(TOOLS)/govulncheck ## known vulnerabilities; skipped when their database cannot be reached
	scripts/govulncheck $(TOOLS)/govulncheck

.PHONY: check-api
check-api: $(TOOLS)/apidiff ## what has changed for programs that import our packages, since the last release or BASE=commit
	scripts/check-api $(TOOLS)/apidiff $(BASE)

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN)

# Tools. Each is built when its go.mod changes.

.PHONY: tools
tools: prometheus-tools victoriametrics-tools $(TOOLS)/blackbox_exporter $(TOOLS)/alertmanager $(TOOLS)/golangci-lint $(TOOLS)/actionlint ## build what integration, examples and lint run

.PHONY: prometheus-tools
prometheus-tools: $(TOOLS)/prometheus $(TOOLS)/promtool $(TOOLS)/pint $(TOOLS)/amtool

PACKAGE_golangci-lint := github.com/golangci/golangci-lint/v2/cmd/golangci-lint
PACKAGE_gofumpt       := mvdan.cc/gofumpt
PACKAGE_actionlint    := github.com/rhysd/actionlint/cmd/actionlint
PACKAGE_pint          := github.com/cloudflare/pint/cmd/pint
PACKAGE_amtool        := github.com/prometheus/alertmanager/cmd/amtool
PACKAGE_blackbox_exporter := github.com/prometheus/blackbox_exporter
PACKAGE_sloth         := github.com/slok/sloth/cmd/sloth
PACKAGE_govulncheck   := golang.org/x/vuln/cmd/govulncheck
PACKAGE_apidiff       := golang.org/x/exp/cmd/apidiff
PACKAGE_goreleaser    := github.com/goreleaser/goreleaser/v2

$(TOOLS)/%: tools/%/go.mod
	$(GO) -C tools/$* build -ldflags '-s -w' -o $(abspath $@) $(PACKAGE_$*)

# The modules of these lack the pages that they embed.
$(TOOLS)/alertmanager: tools/alertmanager/go.mod scripts/build-without-page
	scripts/build-without-page $@ alertmanager github.com/prometheus/alertmanager github.com/prometheus/alertmanager/cmd/alertmanager ui/app/dist $(INFO).Version

$(TOOLS)/pyrra: tools/pyrra/go.mod scripts/build-without-page
	scripts/build-without-page $@ pyrra github.com/pyrra-dev/pyrra github.com/pyrra-dev/pyrra ui/build main.version

# Cortex takes Prometheus' labels for slices, which they are with this tag alone: without it, it panics.
$(TOOLS)/cortex: tools/cortex/go.mod
	$(GO) -C tools/cortex build -tags slicelabels -ldflags '-s -w' -o $(abspath $@) github.com/cortexproject/cortex/cmd/cortex

# VictoriaMetrics' two programs share a module too.
.PHONY: victoriametrics-tools
victoriametrics-tools: $(TOOLS)/vmalert $(TOOLS)/victoria-metrics

$(TOOLS)/vmalert $(TOOLS)/victoria-metrics: $(TOOLS)/%: tools/victoriametrics/go.mod
	$(GO) -C tools/victoriametrics build -ldflags '-s -w' -o $(abspath $@) github.com/VictoriaMetrics/VictoriaMetrics/app/$*

# Prometheus' two programs share a module. Its service discoveries, with the
# clouds' client libraries, are left out: they are most of the compile time.
$(TOOLS)/prometheus $(TOOLS)/promtool: $(TOOLS)/%: tools/prometheus/go.mod
	$(GO) -C tools/prometheus build -tags remove_all_sd \
		-ldflags "-s -w -X $(INFO).Version=$$($(GO) -C tools/prometheus list -m -f '{{.Version}}' github.com/prometheus/prometheus)" \
		-o $(abspath $@) github.com/prometheus/prometheus/cmd/$*
