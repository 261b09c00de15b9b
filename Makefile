# Two commands matter: `make demo` and `make test`. Each sets up what it needs first.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
DATA   ?= demo-data
PORT   ?= 8000
WORKERS ?= auto

.PHONY: setup demo serve test check lint bench messages clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    set up, build the demo in $(DATA)/ and serve it on port $(PORT)"
	@echo "make serve   serve the data folder $(DATA)/ again"
	@echo "make test    set up and run every test (real PostgreSQL, real Chromium)"
	@echo "make check   format, lint, types, import contracts, tests with branch coverage"
	@echo "make bench   run the benchmarks"
	@echo "make clean   remove what setup and tests made; keeps $(DATA)/"

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Lotseal needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: setup
	$(BIN)/lotseal demo --data $(DATA) --port $(PORT)

serve: setup
	LOTSEAL_DATA=$(DATA) $(BIN)/lotseal serve --port $(PORT)

test: setup
	$(PYTHON) tests/install.py
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q

check: setup lint
	$(PYTHON) tests/install.py
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q --cov --cov-report=term:skip-covered

# mypy and import-linter want the package under its own name, whatever the checkout is called.
lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@mkdir -p .cache/package && ln -sfn ../.. .cache/package/lotseal
	cd .cache/package && ../../$(BIN)/mypy --config-file ../../pyproject.toml -p lotseal.signing -p lotseal.trace -p lotseal.web
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python bench/scan.py
	$(BIN)/python bench/codes.py
	$(BIN)/python bench/qr.py
	$(BIN)/python bench/labels.py
	$(BIN)/python bench/log.py
	$(BIN)/python bench/issue.py

messages: setup
	$(BIN)/python web/translations/update.py

clean:
	rm -rf $(VENV) .cache build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
