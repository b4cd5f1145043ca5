# Needs make and Python 3.11 or later, nothing else. Another Python: make demo PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH := $(shell grep '^torch==' constraints.txt)
CPU_INDEX := https://download.pytorch.org/whl/cpu

# A setting of the user's shell must not change what is measured here.
unexport PYTHONHOME PYTHONPATH PYTHONSTARTUP PYTHONWARNINGS PYTEST_ADDOPTS

.PHONY: demo test test-long size

demo: $(VENV)/installed-demo
	$(BIN)/python examples/demo.py

test: $(VENV)/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-long: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2 --dist worksteal -m long --hypothesis-profile=long

size:
	$(PYTHON) benchmarks/base_size.py

$(VENV)/installed-demo: pyproject.toml constraints.txt
	$(call announce,125)
	$(call install,train)

$(VENV)/installed-test: pyproject.toml constraints.txt
	$(call announce,170)
	$(call install,test)

# The megabytes are the sum of the wheels for Linux on x86-64, PyTorch's apart.
define announce
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Foveal needs Python 3.11 or later, and $(PYTHON) is `$(PYTHON) --version 2>&1`."; \
	  echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Installing into $(VENV): about $(1) MB to download, and PyTorch, about 200 MB for the CPU."
	@if [ "`uname -s`" = Linux ] && ! ls -d $(VENV)/lib/*/site-packages/torch >/dev/null 2>&1; then \
	  echo "On Linux PyTorch usually comes with CUDA: several GB. To have the CPU one, stop and say:"; \
	  echo "  $(PYTHON) -m venv $(VENV) && $(BIN)/pip install $(TORCH) --index-url $(CPU_INDEX)"; \
	fi
endef

define install
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip --disable-pip-version-check install -c constraints.txt -e '.[$(1)]'
	@touch $@
endef
