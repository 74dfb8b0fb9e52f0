# What one does here:  make demo | make test | make quick | make check | make docs | make coverage
#                      make wheel | make lock | make clean
# Needs make and Python 3.11, 3.12 or 3.13 (another one than found: make PYTHON=/path/to/python3.12 test).

VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv)

SUITS := import sys, venv$(if $(UV),,, ensurepip); sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(SUITS)' 2>/dev/null && { command -v $$python; break; }; done)

# The main job, small enough for a few minutes on two cores; make demo DEMO="--draws 200" for tighter intervals.
DEMO ?= --draws 60 --runs 2 --reasons 8 --spending 8

# Small matrices: threads inside numpy cost more than they bring.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1
export MKL_NUM_THREADS = 1

.PHONY: demo test quick lint types contracts check docs coverage wheel lock clean

demo: $(VENV)/runtime.stamp
	$(BIN)/innovex compare --shipped $(DEMO)

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest $(ARGS)

# The inner loop: all but what is marked slow, in a few processes.
quick: $(VENV)/test.stamp
	$(BIN)/python -m pytest -q -m "not slow" $(SEVERAL) $(ARGS)
SEVERAL := --numprocesses logical --maxprocesses 4 --dist loadfile

# Which lines the tests reach. A line of a kernel counts if a test ran it in plain Python: compiled code is not seen.
coverage: $(VENV)/test.stamp
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -m "not slow or plain" $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/test.stamp
	$(BIN)/mypy

contracts: $(VENV)/test.stamp
	$(BIN)/lint-imports

check: lint types contracts

docs: $(VENV)/test.stamp
	$(BIN)/python -m docs.build_pages

# `build` goes first, or files that were deleted would still come along.
wheel: $(VENV)/test.stamp
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	rm -rf build
	@ls dist/*.whl

# The locks hold no addresses: packages come from wherever the machine is set to take them, and the hashes hold.
# Newer versions: make lock UPGRADE=--upgrade
lock:
	uv pip compile $(LOCKING) $(UPGRADE) --output-file requirements.txt
	uv pip compile $(LOCKING) $(UPGRADE) --extra test --extra docs --constraint requirements.txt --output-file requirements-test.txt
	@! grep -n "://" requirements.txt requirements-test.txt
LOCKING := pyproject.toml --quiet --universal --python-version 3.11 --extra build \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate

clean:
	rm -rf $(VENV) build dist docs/_build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find simulator scenarios experiments calibration tests -name __pycache__ -prune -exec rm -rf {} +

# The environment: made once, filled from the lock, the project itself linked in.

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "innovex needs Python 3.11, 3.12 or 3.13 with venv, and none was found:" \
		"install one, or name it with PYTHON=/path/to/python3.12"; exit 1; }
	@"$(PYTHON)" -c '$(SUITS)' || { echo "innovex needs Python 3.11, 3.12 or 3.13 with venv, and" \
		"$(PYTHON) is not that: name another with PYTHON=/path/to/python3.12"; exit 1; }
ifeq ($(UV),)
	"$(PYTHON)" -m venv $(VENV)
else
	$(UV) venv --quiet --seed --python "$(PYTHON)" $(VENV)
endif

ifeq ($(UV),)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
else
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
endif

# The stamps of what is installed; the test lock holds the runtime lock.
$(VENV)/runtime.stamp: requirements.txt
$(VENV)/test.stamp: requirements-test.txt
$(VENV)/%.stamp: pyproject.toml | $(BIN)/python
	$(INSTALL) --only-binary :all: --require-hashes -r $(filter %.txt,$^)
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@
