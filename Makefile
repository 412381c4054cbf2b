# kubectl doik. `make help` lists the targets.

GO        ?= go
BIN       := bin/kubectl-doik
INSTALL   ?= $(or $(shell $(GO) env GOBIN),$(shell $(GO) env GOPATH)/bin)
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS   := -s -w -X github.com/kubectl-doik/kubectl-doik/pkg/plugin.releaseVersion=$(VERSION)
TESTFLAGS ?=
# The race detector needs cgo and a C compiler.
RACE      := $(if $(and $(filter 1,$(shell $(GO) env CGO_ENABLED)),$(shell command -v $$($(GO) env CC))),-race)

# The lab's packages with goroutines. The rest is tested with the flags that the lab is built with: compiling all of
# Kubernetes once more for the race detector takes ten minutes.
LAB_RACED := kubelet provisioner fleet

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Start the lab, apply the study's StatefulSet, scale it to 5 and back to 3, and show sts-status and check
	@test/demo

.PHONY: build
build: ## Build bin/kubectl-doik, and beside it what completes kubectl doik
	@CGO_ENABLED=0 GOFLAGS=-buildvcs=false $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/kubectl-doik
	@$(BIN) completion kubectl > bin/kubectl_complete-doik && chmod 0755 bin/kubectl_complete-doik

.PHONY: release-files
release-files: build # What a release's archives hold beside the binary, into bin/release: completions and the licences of what is linked
	@mkdir -p bin/release/completions
	@$(BIN) completion bash > bin/release/completions/kubectl-doik.bash
	@$(BIN) completion zsh > bin/release/completions/_kubectl-doik
	@$(BIN) completion fish > bin/release/completions/kubectl-doik.fish
	@$(BIN) completion powershell > bin/release/completions/kubectl-doik.ps1
	@cp bin/kubectl_complete-doik bin/release/completions/
	@$(GO) run ./test/release/licenses > bin/release/THIRD_PARTY_LICENSES

.PHONY: debug-image
debug-image: # Print the debug pod's image, whose digest a release pins
	@sed -n 's/^\tdebugImageTag = "\(.*\)"$$/docker.io\/\1/p' pkg/plugin/kube/debugpod.go

.PHONY: krew-manifest
krew-manifest: ## Write krew/doik.yaml for the release in dist: TAG=v1.2.3 [BASE_URL=where its archives are]
	@krew/manifest '$(TAG)' $(BASE_URL) > krew/doik.yaml.part && mv krew/doik.yaml.part krew/doik.yaml

.PHONY: build-race
build-race: # Build the plugin with the race detector, for tests on a cluster
	@GOFLAGS=-buildvcs=false $(GO) build $(RACE) -ldflags '$(filter-out -s -w,$(LDFLAGS))' -o bin/race/kubectl-doik ./cmd/kubectl-doik

.PHONY: install
install: build ## Install kubectl-doik and its completion for kubectl into INSTALL (Go's bin folder)
	@mkdir -p '$(INSTALL)'
	install -m 0755 $(BIN) bin/kubectl_complete-doik '$(INSTALL)'

.PHONY: test
test: ## Run every test that this machine can run, and say which it can't
	@test/all

.PHONY: test-unit
test-unit: ## Unit tests, golden files and the scripts that drive the built binary (no cluster)
	$(GO) test $(RACE) $(TESTFLAGS) ./...
	cd test/lab && $(GO) test $(RACE) $(TESTFLAGS) $(LAB_RACED:%=./internal/%)
	cd test/lab && CGO_ENABLED=0 $(GO) test -trimpath $(TESTFLAGS) ./internal/...

.PHONY: test-integration
test-integration: ## Tests against the real control plane of test/lab (no root)
	test/integration/run $(TESTFLAGS)

.PHONY: test-e2e
test-e2e: ## Tests against the real node of test/node (root, Linux), or against the cluster of E2E_KUBECONFIG
	test/e2e/run $(TESTFLAGS)

.PHONY: test-faults
test-faults: ## Every row of the table of faults, in the lab and on the node; a run in CI leaves some out
	test/integration/run -run '^TestFaults$$' $(TESTFLAGS)
	test/e2e/run -run '^TestFaults$$' $(TESTFLAGS)

.PHONY: lab-up lab-down
lab-up: ## Start the lab and print what to export
	@test/lab/up
lab-down: ## Stop the lab
	@test/lab/down

.PHONY: node-up node-down
node-up: ## Start the real node and print what to export
	@test/node/up
node-down: ## Stop the real node
	@test/node/down

.PHONY: test-release
test-release: ## Build a release twice, compare, and install it with krew (goreleaser and krew are built the first time)
	test/release/run $(TESTFLAGS)

.PHONY: bench bench-node
bench: ## Measure against peers in the lab, and print ratios
	@test/integration/bench
bench-node: ## Measure what only the real node has: mysql-topology on 20 servers
	@test/node/run $(GO) test -tags e2e -count 1 -timeout 30m -run '^$$' -bench . -benchtime 1x ./test/e2e/

.PHONY: golden
golden: ## Update the golden files; review the diff before you commit it
	$(GO) test $$(grep -rl kubectl-doik/test/golden --include='*_test.go' pkg | xargs -n 1 dirname | sort -u | sed 's,^,./,') -update

.PHONY: api
api: ## Write docs/api.md and docs/schema, the reference of the reports, from the comments of pkg/plugin/api/v1alpha1
	$(GO) run ./test/apidoc

.PHONY: examples
examples: ## Take the snapshots of docs/examples again, in the lab and on the node (root, Linux)
	@test/examples/run

.PHONY: picture
picture: ## Draw docs/sts-status.svg, the README's picture, from a real run in the lab
	@test/picture/run

.PHONY: lint
lint: ## go vet and golangci-lint with the import rules of the design
	@test/lint

.PHONY: clean
clean: lab-down ## Remove what was built here; caches outside the checkout stay
	rm -rf bin dist
