# The table of contents. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SWEEP ?= ladder
FAMILY ?= tiny
RUNS ?= runs
RESULTS ?= results
EVIDENCE ?= docs
TUNED = budget uniform lower llrd ema
PLACES = --runs $(RUNS) --out $(RESULTS)
SWEPT = machine.runs=$(RUNS) $(if $(SEEDS),seeds=$(SEEDS)) $(if $(BUDGET),budget=$(BUDGET)) \
	$(if $(MACHINE),machine=$(MACHINE)) $(if $(DATA),data=$(DATA)) $(if $(ROOT),data.root=$(ROOT)) \
	$(if $(filter-out tiny,$(FAMILY)),family=$(FAMILY) $(if $(DATA),,data=imagenet))

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-quick test-all check format bench ladder controls evidence ablations methods tables figures report notebooks paper tune landscape pretrain docs clean

help: ## List the targets
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.installed ## Make .venv and install the project with its extras; a second call does nothing

$(VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "clip-hparam needs Python 3.11 or newer: make setup PYTHON=python3.11")'
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --editable '.[databases,dev]'
	touch $@

demo: setup ## The paper's ladder in miniature with three seeds: 21 real fine-tuning runs, table and figure
	$(MAKE) --no-print-directory ladder SEEDS=$(or $(SEEDS),3)
	@cat $(RESULTS)/ladder.md
	@echo "figure: $(RESULTS)/ladder.png"

ladder: table-ladder ## Run the ladder and draw its table and figure: SEEDS=10; FAMILY=b16 ROOT=... MACHINE=slurm_node8 BUDGET=10d

controls: setup ## Zero-shot CLIP, a linear probe and random weights, as rows of the ladder's table
	$(PY) sweep.py -m sweeps=controls $(SWEPT)
	$(PY) -m analysis tables $(PLACES) --family $(FAMILY)

evidence: setup ## Rerun the ladder on three disjoint sets of ten seeds: docs/evidence_sets.md (SEEDS=2: of two)
	$(PY) benchmarks/evidence_sets.py --runs $(RUNS) --out $(EVIDENCE) --seeds $(or $(SEEDS),10) $(if $(DATA),data=$(DATA))

ablations: setup ## Run the ladder and all single knobs on a data set: docs/ablations.md (DATA=fashion_mnist, SEEDS=3)
	$(PY) benchmarks/ablations.py --runs $(RUNS) --out $(EVIDENCE) --seeds $(or $(SEEDS),3) --data $(or $(DATA),fashion_mnist) $(if $(ROOT),data.root=$(ROOT))

methods: setup ## Compare full fine-tuning, LoRA, LP-FT, WiSE-FT and a soup (SEEDS=3): docs/methods.md
	$(PY) sweep.py -m sweeps=methods keep_checkpoints=best 'eval_sets=[corruptions,glyphs]' $(SWEPT)
	$(VENV)/bin/clip-hparam wise-ft methods/zero_shot --alphas 0,0.25,0.5,0.75,1 --runs $(RUNS)
	$(VENV)/bin/clip-hparam soup methods/lp_ft methods/lp_ft_lower methods/lp_ft_lowest --runs $(RUNS)
	$(PY) -m analysis tables methods derived $(PLACES)
	@cat $(RESULTS)/methods_robustness.md

tables: setup ## Rebuild all tables from the records
	$(PY) -m analysis tables $(PLACES)

figures: setup ## Redraw all figures from the records
	$(PY) -m analysis figures $(PLACES)

table-%: setup ## Run the design sweeps/NAME.yaml, build its table and figure: make table-lr FAMILY=b16 ...
	$(PY) sweep.py -m sweeps=$* $(SWEPT)
	$(PY) -m analysis tables $* $(PLACES) --family $(FAMILY)
	$(PY) -m analysis figures $* $(PLACES) --family $(FAMILY)

report: setup ## One HTML page of all that is on record
	$(PY) -m analysis report $(PLACES)

notebooks: setup ## Run the notebooks on the records beside them and write their outputs
	$(PY) analysis/notebooks/write_outputs.py

paper: setup ## All tables and figures of FAMILY and one page, beside the published numbers: make paper FAMILY=b16
	$(PY) -m analysis tables $(PLACES) --family $(FAMILY)
	$(PY) -m analysis figures $(PLACES) --family $(FAMILY)
	$(PY) -m analysis report $(PLACES) --family $(FAMILY)

test: check $(VENV)/.docs ## What CI runs: checks, then the tests (TEST=path runs the tests of a file or folder)
	$(PY) -m pytest -n 3 $(TEST)

test-quick: setup ## Unit tests only: no subprocess, no training, at most 90 s
	$(PY) -m pytest tests/unit

test-all: check $(VENV)/.docs ## The same as test, and the slow tests
	$(PY) -m pytest -n 3 $(TEST) -m ""

check: setup ## Format, lint, types, import contracts
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: setup ## Format and fix what can be fixed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: setup ## Measure what the speed claims rest on, into benchmarks/RESULTS.json and .md: BENCH="step gather"
	$(PY) benchmarks/run.py $(BENCH)

tune: setup ## What the miniature's values were chosen from, on seeds 100 and up: docs/miniature.md
	set -e; for name in $(TUNED); do $(PY) sweep.py -m sweeps=tune_characters_$$name machine.runs=$(RUNS); done

landscape: setup ## Record the trials that benchmarks/search.py replays (half an hour of a core)
	$(PY) sweep.py -m sweeps=landscape machine.runs=$(RUNS)
	$(PY) benchmarks/landscape.py $(RUNS)

pretrain: setup ## Train the tiny CLIP of the package again (minutes)
	$(PY) -m clip_hparam.model.tiny_clip.pretrain

docs: $(VENV)/.docs ## Build the documentation site into site/, strictly: a broken link fails (SERVE=1: serve it)
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs $(if $(SERVE),serve,build --quiet)

$(VENV)/.docs: $(VENV)/.installed
	$(PY) -m pip install --quiet --editable '.[docs]'
	touch $@

clean: ## Remove results and caches; records in runs/ stay
	rm -rf $(RESULTS) site .pytest_cache .mypy_cache .ruff_cache build *.egg-info
