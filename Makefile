.DEFAULT_GOAL := help
.PHONY: help run test lint bench fuzz

CARGO ?= cargo
# Seconds that each fuzz target runs in `make fuzz`.
FUZZ_SECONDS ?= 20

help: ## what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

run: ## build in release and open the workstation on a world to practise on
	@.ci/tools.sh build
	$(CARGO) run --release --locked -- sandbox

test: ## install the test peers if they are missing, then run everything
	@.ci/tools.sh test
	$(CARGO) test --locked

lint: ## formatting, clippy in both builds, documentation: no warning passes
	@.ci/tools.sh lint
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --no-default-features --features yubikey -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

bench: ## measure claviger as it is given out, beside the old tools (method in docs/benchmarks.md)
	@.ci/tools.sh test
	$(CARGO) bench --locked --profile dist

fuzz: ## run each fuzz target for a short while
	@.ci/tools.sh fuzz
	@for target in $$(cd fuzz && RUSTC_BOOTSTRAP=1 $(CARGO) fuzz list); do \
		echo "== fuzz $$target for $(FUZZ_SECONDS) s"; \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run "$$target" --target "$$(rustc -vV | sed -n 's/^host: //p')" -- \
			-max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 || exit 1; \
	done
