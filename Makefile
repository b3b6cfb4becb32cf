# Each target makes its own virtual environment and installs what it needs.
PYTHON ?= python3
VENV ?= .venv

.PHONY: demo test bench test-editors vsix clean

demo: $(VENV)/installed
	$(VENV)/bin/mistral-lsp demo

test: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m pytest

bench: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m bench

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
