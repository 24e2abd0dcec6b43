# make train: set up and train on the bundled tunes     make test: set up and run every check
# make soak: thousands of damaged files, and commands killed at random moments, for about an hour
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
ARGS ?=

.PHONY: train test soak install lint wheel clean

train: $(INSTALLED)
	@test -n "$(ARGS)" || echo "Aird's Airs, 1,180 tunes of 1778 to 1801: an LSTM for 8 epochs, each tune in any key from -5 to +5 semitones."
	@echo "The full run, 15 epochs on longer passages: $(BIN)/python -m midiaug.train model=lstm 'aug.shifts=[-5,5]'"
	@$(BIN)/python -m midiaug.train model=lstm 'aug.shifts=[-5,5]' data.window=128 trainer.max_epochs=8 $(ARGS)

test: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)  # small models: more threads only wait for each other

soak: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python tests/soak.py $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

install: $(INSTALLED)

# the mark is set last: an installation that was broken off goes on at the next call
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "midiaug needs Python 3.11 or newer; call make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing midiaug into .venv, once: some minutes, and 2 GB of disk"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[tunes,parquet,joblib,slurm,optuna,notebook,dev]'
	@touch $@
	@echo "installed; next: . $(BIN)/activate"

wheel: $(INSTALLED)
	@rm -rf dist
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@ls dist/*.whl

clean:
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
