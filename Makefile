# Each target makes its own virtual environment and installs what it needs.
PYTHON ?= python3
VENV ?= .venv

.PHONY: demo test soak lock audit licences wheel bench bench-slice quality.csv test-editors vsix clean

demo: $(VENV)/installed
	$(VENV)/bin/mistral-lsp demo

test: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m pytest --ignore tests/editors --numprocesses 3 --dist loadfile

# What must hold all day, at length; about half an hour. The tests do the same for a minute.
soak: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m bench.soak

bench: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m bench

# What CI runs of the benches: quality may not fall, times are only printed.
# ctransformers comes compiled, so that its answers are the same on every machine.
SLICE = humaneval-single/8 truth/2 --engine ctransformers

bench-slice: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m bench.quality $(SLICE) --compare bench/data/quality.csv
	$(VENV)/bin/python -m bench.latency --places 1 --keys 8

quality.csv: $(VENV)/installed-for-tests
	$(VENV)/bin/python -m bench.quality $(SLICE) --csv bench/data/quality.csv

test-editors: $(VENV)/installed-for-tests
	bash tests/editors/run.sh $(VENV)/bin/python
	bash tests/editors/vscode/run.sh $(VENV)/bin/mistral-lsp
	bash tests/editors/vscode/run.sh $(VENV)/bin/mistral-lsp fresh
	bash tests/editors/vscode/run.sh $(VENV)/bin/mistral-lsp latency

# Twice with the commit's time; the same bytes must come out.
vsix:
	cd editors/vscode && npm ci
	mkdir -p build
	export SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct || echo 315532800) && \
	  cd editors/vscode && npm run package && mv mistral-lsp.vsix ../../build/first.vsix && npm run package
	cmp build/first.vsix editors/vscode/mistral-lsp.vsix
	$(PYTHON) -m zipfile --list editors/vscode/mistral-lsp.vsix

clean:
	rm -rf $(VENV) $(TOOLS) build dist *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --editable .
	touch $@

# llama-cpp-python is compiled here, which takes some minutes and a C++ compiler. The tests try the
# benches, too.
# What is installed is what the lock names, byte for byte.
$(VENV)/installed-for-tests: pyproject.toml requirements.lock | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@ $(VENV)/installed

# The tools of a release, apart from what they look at.
TOOLS ?= .venv-release

$(TOOLS)/installed:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet uv==0.13.9 pip-audit==2.10.1 pip-licenses==5.5.5
	touch $@

lock: $(TOOLS)/installed
	$(TOOLS)/bin/uv pip compile pyproject.toml --extra fast --extra dev --extra bench --universal \
	  --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet -o requirements.lock

audit: $(TOOLS)/installed
	$(TOOLS)/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip

licences: $(TOOLS)/installed $(VENV)/installed
	$(TOOLS)/bin/pip-licenses --python $(VENV)/bin/python --order license --with-urls

# Twice from what is committed, with the commit's time; the same bytes must come out.
wheel:
	rm -rf build/wheel && mkdir -p build/wheel/one build/wheel/two
	for copy in one two; do \
	  git archive HEAD | tar -x -C build/wheel/$$copy && \
	  SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(PYTHON) -m pip wheel --quiet --no-deps \
	    --wheel-dir build/wheel/$$copy/dist build/wheel/$$copy || exit 1; \
	done
	cmp build/wheel/one/dist/*.whl build/wheel/two/dist/*.whl
	$(PYTHON) -m zipfile --list build/wheel/one/dist/*.whl
	mkdir -p dist && cp build/wheel/one/dist/*.whl dist/
