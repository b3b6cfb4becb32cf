# Each target makes its own virtual environment and installs what it needs.
PYTHON ?= python3
VENV ?= .venv

.PHONY: demo test soak bench bench-slice quality.csv test-editors vsix clean

demo: $(VENV)/installed
	$(VENV)/bin/mistral-lsp demo

test: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m pytest

# What must hold all day, at length; about half an hour. The tests do the same for a minute.
soak: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m bench.soak

bench: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m bench

# What CI runs of the benches: quality may not fall, times are only printed.
# ctransformers comes compiled, so that its answers are the same on every machine.
SLICE = humaneval-single/8 truth/2 --engine ctransformers

bench-slice: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m bench.quality $(SLICE) --compare bench/quality.csv
	$(VENV)/bin/python -m bench.latency --places 1 --keys 8

quality.csv: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m bench.quality $(SLICE) --csv bench/quality.csv

test-editors: $(VENV)/installed-for-tests
	bash tests/editors/vscode/run.sh $(VENV)/bin/mistral-lsp

vsix:
	cd editors/vscode && npm ci && npm run package

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --editable .
	touch $@

# llama-cpp-python is compiled here, which takes some minutes and a C++ compiler. The tests try the
# benches, too.
$(VENV)/installed-for-tests: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --editable '.[fast,dev,bench]'
	touch $@ $(VENV)/installed
