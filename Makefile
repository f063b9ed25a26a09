# Every command below builds .venv by itself, reuses it while it is current, and says what it does.
# Needs Python 3.11 or newer (with venv), make and gcc; `make PYTHON=/path/to/python3 ...` picks another Python.

VENV := .venv
RUN := $(VENV)/bin/python
# A file at a time goes to whichever process is free, in the order that tests/conftest.py gives them.
PYTEST_FLAGS ?= -n 2 --dist loadfile --no-loadscope-reorder
SUITABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python3.14,\
    $(shell $(p) -c '$(SUITABLE)' 2>/dev/null && echo $(p))))

NO_PYTHON = No Python 3.11 or newer with its venv module was found (tried $(or $(PYTHON),python3)): install one, on \
    Debian and Ubuntu by apt install python3 python3-venv, or name one by make PYTHON=/path/to/python3.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint types bench table notebooks clean rebuild

help:
	@echo 'make demo       from chosen points to a measured convolution, on a photograph; pictures in demo/out/'
	@echo 'make test       every test and every docstring example'
	@echo 'make lint       ruff'
	@echo 'make types      mypy'
	@echo 'make table      measured errors beside the published ones'
	@echo 'make notebooks  run every notebook and store its outputs'
	@echo 'make bench      every script in benchmarks/: times and ratios against peers; about ten minutes'
	@echo 'make clean      remove .venv and everything else that was made here'

# One stamp per set of extras, written last.
STAMPS := $(VENV)/.demo $(VENV)/.dev $(VENV)/.bench

# .venv/.home is removed before pip starts and written after it ends, and holds the folder .venv was built in.
# It reads as something else when a build was cut short, the folder was moved, or its Python is gone.
ifneq ($(shell $(RUN) -c 'print(open("$(VENV)/.home").read())' 2>/dev/null),$(CURDIR))
$(STAMPS): rebuild
endif

$(STAMPS): $(VENV)/.%: pyproject.toml
	@$(or $(PYTHON),false) -c '$(SUITABLE)' 2>/dev/null || { echo "$(NO_PYTHON)" >&2; exit 2; }
	@if [ "$$(cat $(VENV)/.home 2>/dev/null)" != '$(CURDIR)' ] || ! $(RUN) -c '' 2>/dev/null; then \
	    echo 'Building $(VENV) with $(PYTHON).'; \
	    $(PYTHON) -m venv --clear $(VENV) || exit; \
	fi
	@echo "Installing this library and its '$*' packages into $(VENV): minutes the first time, seconds later."
	@rm -f $(VENV)/.home
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@printf %s '$(CURDIR)' > $(VENV)/.home
	@touch $@ $(if $(filter dev,$*),$(VENV)/.demo) # dev holds all that demo needs

demo: $(VENV)/.demo
	@echo 'Running demo/demo.py.'
	@$(RUN) demo/demo.py

test: $(VENV)/.dev
	@echo 'Running every test and docstring example in two processes.'
	@$(RUN) -m pytest $(PYTEST_FLAGS)

lint: $(VENV)/.dev
	@echo 'Checking style with ruff.'
	@$(RUN) -m ruff check .

types: $(VENV)/.dev
	@echo 'Checking types with mypy.'
	@$(RUN) -m mypy

table: $(VENV)/.dev
	@echo 'Measuring the errors that stand in published tables.'
	@$(RUN) -m error_analysis table

notebooks: $(VENV)/.dev
	@echo 'Running every notebook and storing its outputs.'
	@$(RUN) notebooks/execute.py

bench: $(VENV)/.dev $(VENV)/.bench
	@set -e; for script in benchmarks/*.py; do echo "Running $$script."; $(RUN) "$$script"; done

clean:
	@echo 'Removing $(VENV), caches, built files and demo/out.'
	@rm -rf $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info demo/out
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
