# `make chat` and `make test` do their own set-up: a .venv from the lock file, nothing else on the machine is touched.
VENV ?= .venv
OK := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do $$p -c "$(OK)" 2>/dev/null && { echo $$p; break; }; done)
PY := $(VENV)/bin/python
ARGS ?=

.PHONY: chat test check eval mutants serve bench soak fuzz engine lock clean

chat: $(VENV)/.ready
	@$(VENV)/bin/reelchat $(ARGS)

test: $(VENV)/.ready check
	@$(PY) -m pytest -n auto -q $(ARGS)
	@$(PY) -m evals

check: $(VENV)/.ready
	@$(PY) -m ruff check -q .
	@$(PY) -m ruff format -q --check .
	@$(PY) -m mypy --no-error-summary

eval serve: $(VENV)/.ready
	@$(VENV)/bin/reelchat $@ $(ARGS)

mutants: $(VENV)/.ready
	@$(PY) -m evals $@ $(ARGS)

bench soak fuzz engine: $(VENV)/.ready
	@$(PY) -m evals.$@ $(ARGS)

# Universal: one file for every system and Python; hashes, no addresses.
lock:
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate --group dev pyproject.toml -o requirements.lock

# Not compiled: a quarter of the time it takes goes into modules that nobody imports.
$(VENV)/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "reelchat needs Python 3.11, 3.12 or 3.13 / 需要 Python 3.11–3.13"; exit 1; }
	@test -x $(PY) || "$(PYTHON)" -m venv $(VENV)
	@echo "Installing into $(VENV), once / 首次安装……"
	@$(PY) -m pip install -q --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
