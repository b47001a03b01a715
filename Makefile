# One command each: `make serve` runs the main job, `make test` the tests, `make check` all that CI runs.
# Every target sets up what it needs; the stamp is written last, so that an interrupted set-up is done again.

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.stamp
RUN := $(VENV)/bin/
HOST ?= 127.0.0.1
PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: abuse attacks bench build check clean conformance constraints datasets dead-code differential docs fuzz help lint mutants pythons quick serve test types

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(RUN)python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

build: $(STAMP) ## check the publication and write a release
	$(RUN)twingraph build

serve: build ## build a release and serve it (HOST=, PORT=)
	$(RUN)twingraph serve --host $(HOST) --port $(PORT)

quick: $(STAMP) ## run the tests that need no server, build or browser: over a thousand, at every save
	$(RUN)pytest -q -n auto -m "not slow"

test: $(STAMP) ## run all tests, in as many processes as there are cores
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null \
		|| echo "No Chromium here: tests of pages are skipped; on Debian: apt-get install chromium chromium-driver" >&2
	$(RUN)pytest -n auto

conformance: $(STAMP) ## ask the W3C's suites over HTTP and write docs/conformance.md
	$(RUN)pytest -n auto tests/conformance --conformance-page docs/conformance.md

datasets: $(STAMP) ## publish public data sets and write docs/datasets.md (ARGS='--datasets-from DIR'); npm
	$(RUN)pytest tests/datasets --datasets-page docs/datasets.md $(ARGS)

differential: $(STAMP) ## compare with Apache Jena (ARGS='--seed 1 --count 10000'); Java and Maven
	cd tests && ../$(RUN)python -m differential $(ARGS)

lint: $(STAMP) ## look for faults in style
	$(RUN)ruff format --check src tests docs bench
	$(RUN)ruff check src tests docs bench

types: $(STAMP) ## check the types: strictly in src, less so in tests and bench
	$(RUN)mypy
	$(RUN)mypy --config-file tests/mypy.ini tests bench

dead-code: $(STAMP) ## look for code that nothing in src uses
	$(RUN)vulture

check: $(STAMP) ## all that CI runs, and how long each step took
	@.ci/step --begin
	@.ci/step "style" $(MAKE) --no-print-directory lint
	@.ci/step "types" $(MAKE) --no-print-directory types
	@.ci/step "dead code" $(MAKE) --no-print-directory dead-code
	@.ci/step "check of the publication" $(RUN)twingraph check --examples
	@.ci/step "coverage of the documents" $(RUN)twingraph coverage
	@.ci/step "tests" $(RUN)pytest -n auto --cov --cov-report=term
	@.ci/step "soak under abuse" $(RUN)python bench/abuse.py --seconds 120
	@.ci/step "wheel" .ci/wheel $(RUN)python
	@.ci/step --times

pythons: $(STAMP) ## run the quick tests and use the wheel with each other Python of the classifiers that is here
	@.ci/step --begin
	@.ci/pythons
	@.ci/step --times

mutants: $(STAMP) ## change the code at random and see whether tests notice (ARGS='rdf check server/http workers')
	$(RUN)python bench/mutants.py $(ARGS)

docs: $(STAMP) ## write docs/reference.md and docs/questions.md anew
	$(RUN)python docs/generate_reference.py

bench: $(STAMP) ## compare with other servers, a few minutes; writes docs/benchmarks.md (ARGS='--triples 1000000 --full')
	$(RUN)python bench/install.py
	$(RUN)python bench/run.py $(ARGS)

abuse: $(STAMP) ## abuse a server for an hour and tell what has grown (ARGS='--seconds 600')
	$(RUN)python bench/abuse.py $(or $(ARGS),--seconds 3600)

attacks: $(STAMP) ## print what each of four attacks does to memory and to another client, as a table
	$(RUN)python bench/attacks.py $(ARGS)

fuzz: $(STAMP) ## ask mutated queries of the W3C's suites and list what fails (ARGS='--count 200000')
	$(RUN)python bench/fuzz.py $(ARGS)

constraints: ## renew constraints.txt from the newest versions
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(RUN)python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	{ echo "# The versions that CI runs with; renew with: make constraints"; \
	  $(RUN)pip freeze --exclude-editable | grep -viE '^(pip|setuptools)=='; } > constraints.txt
	touch $(STAMP)

clean: ## remove the environment and every cache
	rm -rf $(VENV) $(VENV)-* .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov
