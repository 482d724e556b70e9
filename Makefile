# Everything a newcomer needs: make demo, make test. `make` alone lists the rest.
#
#   PYTHON=python3.12    the interpreter that makes .venv
#   PIP_ARGS="..."       handed to pip install, for another build of torch: give
#                        --extra-index-url and the address PyTorch's own site names for
#                        your machine. Start from `make clean-all`: pip leaves an installed
#                        build of torch alone where its version fits.
#   WORKERS=2            processes that run the tests
#   PYTEST_ARGS="..."    handed to pytest

PYTHON ?= python3
PIP_ARGS ?=
WORKERS ?= 2
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := .venv-peers
PEER_NAMES := $(patsubst benchmarks/peers/%/requirements.txt,%,$(wildcard benchmarks/peers/*/requirements.txt))
DEMO := runs/demo

# One thread a worker: with more, torch's threads of all workers wait for the same cores.
PYTEST := OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false $(BIN)/python -m pytest -q -rs \
  -n $(WORKERS) --dist worksteal --hypothesis-profile=ci

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup python-fits demo serve check test test-long docs browser peers clean clean-all force

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY)  ## make .venv with pinned dependencies, if they changed

# Given PIP_ARGS are always carried out.
ifneq ($(strip $(PIP_ARGS)),)
$(READY): force
endif

# constraints.txt pins torch without a build suffix, so that a CUDA build of 2.13.0 fits as well.
$(READY): pyproject.toml constraints.txt Makefile | python-fits
	@if ! $(BIN)/python -c '' 2>/dev/null; then echo "making $(VENV)"; $(PYTHON) -m venv --clear $(VENV); fi
	@echo "installing into $(VENV); the first time this takes some minutes"
	$(BIN)/python -m pip install -q --disable-pip-version-check $(PIP_ARGS) -c constraints.txt torch==2.13.0 -e '.[dev,docs]'
	@touch $@

python-fits:
	@if $(BIN)/python -c '' 2>/dev/null; then python=$(BIN)/python; else python="$(PYTHON)"; fi; \
	found=$$($$python -c 'import sys; print(*sys.version_info[:2], sep=".")' 2>/dev/null) || { \
	  echo "error: $$python does not run; Shelfwise needs Python 3.11 or newer." >&2; \
	  echo "       Install one and say which: make setup PYTHON=python3.11" >&2; exit 1; }; \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $$python is Python $$found; Shelfwise needs 3.11 or newer." >&2; \
	  echo "       Say which: make setup PYTHON=python3.11 (first make clean-all, where $(VENV) is the old one)" >&2; exit 1; }

demo: setup  ## sample shop, prepare, train, evaluate, three requests; under 10 minutes
	$(BIN)/shelfwise demo --out $(DEMO)

serve: setup  ## start the service and the storefront on the demo's run
	@if [ ! -f $(DEMO)/run/manifest.json ]; then \
	  echo "error: there is no run in $(DEMO)/run yet; make it with: make demo" >&2; exit 1; fi
	$(BIN)/shelfwise serve $(DEMO)/run

check: setup  ## lint, format, types, import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup check  ## check, then every test but the long ones
	$(PYTEST) -m "not long" $(PYTEST_ARGS)

test-long: setup check  ## check, then every test at full counts
	$(PYTEST) -m "long or not long" $(PYTEST_ARGS)

docs: setup  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "site/index.html"

# Tests that need a browser are skipped where there is none, so its absence fails nothing.
browser:  ## install Chromium for the tests of the storefront, where apt can
	@if command -v chromium >/dev/null; then echo "browser: $$(command -v chromium)"; \
	elif ! command -v apt-get >/dev/null || [ "$$(id -u)" != 0 ]; then \
	  echo "browser: no chromium found, and it is installed only by root where apt-get is."; \
	  echo "         Install your system's package so that the command chromium runs;"; \
	  echo "         until then the tests that need it are skipped."; \
	else \
	  export DEBIAN_FRONTEND=noninteractive; \
	  echo "browser: installing chromium"; \
	  if apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium >/dev/null; \
	  then echo "browser: $$(command -v chromium || echo 'the package brought no command chromium')"; \
	  else echo "browser: apt-get could not install chromium; the tests that need it are skipped"; fi; \
	fi

peers: $(PEER_NAMES:%=$(PEERS)/%.ready)  ## make .venv-peers/NAME for each library that benchmarks compare with

# They ask for versions that exclude each other, so each has an environment of its own. One that
# does not install leaves its reason in NAME.failed, for benchmarks to report, and stops no other:
# what broke in a build of its own, which pip shows indented, then pip's last words.
$(PEERS)/%.ready: benchmarks/peers/%/requirements.txt | python-fits
	@mkdir -p $(PEERS); rm -f $@ $(PEERS)/$*.failed; echo "installing $* into $(PEERS)/$*"
	@if { $(PEERS)/$*/bin/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(PEERS)/$*; } \
	  && $(PEERS)/$*/bin/python -m pip install -q --disable-pip-version-check $(PIP_ARGS) -r $<; \
	then touch $@; fi >$(PEERS)/$*.log 2>&1
	@if [ ! -f $@ ]; then { sed -nE 's/^ +([A-Za-z.]+Error: )/\1/p' $(PEERS)/$*.log | tail -n 1; \
	  grep -v '^WARNING' $(PEERS)/$*.log | tail -n 5; } >$(PEERS)/$*.failed; \
	  echo "peers: $* did not install; its last words are in $(PEERS)/$*.failed"; fi

clean:  ## remove caches, builds and the demo; keep .venv and other runs
	rm -rf build dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage $(DEMO)
	find src tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

clean-all: clean  ## remove .venv and .venv-peers as well
	rm -rf $(VENV) $(PEERS)
