# make demo | live | test | lint, on a machine with nothing but Python (3.11 or newer), git and make.

PYTHON ?= python3
# Processes that run the tests, 1.5 to 2 GiB each.
WORKERS ?= 2
BIN := .venv/bin
# The CUDA build of jax where an NVIDIA driver answers, the CPU build elsewhere.
CUDA := $(shell nvidia-smi -L >/dev/null 2>&1 && echo cuda12)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO := runs/demo
# A demo that was interrupted goes on where it stopped; a state is a folder whose name is a number,
# which one that was being saved has not got yet.
RESUME = $(if $(shell ls $(dir $@)state 2>/dev/null | grep -xE '[0-9]+'),--resume)
# $(call say,STAGE,DONE,LEFT): what comes next, and how long all the rest will take here, by the time
# since the simulation began and by the seconds that the stages before and after this moment took on
# two cores. A demo that goes on where it stopped knows no such beginning, and says nothing of it.
# The live page needs of the demo no more than the frame-wise listener.
IS_LIVE := $(filter live,$(MAKECMDGOALS))
IS_NEW := $(if $(IS_LIVE)$(wildcard $(DEMO)/data/simulation.json),,yes)
say = @echo "demo: $(1)$(if $(IS_NEW)$(IS_LIVE),, goes on)$(if $(IS_NEW),$$(begun=$$(cat $(DEMO)/.begun); \
	echo ", about $$(( ($$(date +%s) - begun) * $(3) / $(2) / 60 + 1 )) minutes left"))"

# A training that is told to stop saves, and has succeeded; but what needs it has to wait.
FINISHED = @test -e $@ || { echo "demo: stopped before its end; make demo goes on with it"; exit 1; }

.PHONY: demo live test test-slow lint clean

demo: $(DEMO)/evaluation/metrics.json
	@echo; echo "data          $(DEMO)/data"
	@echo "FIBER         $(DEMO)/tokenizer $(DEMO)/predictor"
	@echo "its scores    $(DEMO)/fiber_evaluation/metrics.json $(DEMO)/fiber_evaluation/report.html"
	@echo "frame-wise    $(DEMO)/framewise"
	@for stage in tokenizer predictor framewise; do \
		echo "training      $(DEMO)/$$stage/training_report.html"; done
	@echo "predictions   $(DEMO)/evaluation/predictions.npz"
	@echo "scores        $(DEMO)/evaluation/metrics.json $(DEMO)/evaluation/report.html"
	@ls $(DEMO)/evaluation/videos/*.mp4 | sed 's/^/video         /'

# make live SYSTEM=RUN serves another system; OPTIONS="--port 9000" and the like go to the server.
live: $(if $(SYSTEM),,$(DEMO)/framewise/training_report.html) .venv/.live
	$(BIN)/python -m jaxreact.live --system $(or $(SYSTEM),$(DEMO)/framewise) $(OPTIONS)

test: .venv/.test
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

test-slow: .venv/.test
	$(BIN)/python -m pytest -m "slow and not paced" --numprocesses $(WORKERS) --dist worksteal
	$(BIN)/python -m pytest -m "slow and paced"

lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

clean:
	rm -rf .venv $(DEMO)

$(DEMO)/data/simulation.json: | .venv/.core
	@mkdir -p $(DEMO) && date +%s > $(DEMO)/.begun
	$(BIN)/python -m jaxreact.data.simulate --out $(DEMO)/data --split 144 16 2

$(DEMO)/cache/cache.json: $(DEMO)/data/simulation.json
	$(call say,cache,29,660)
	$(BIN)/python -m jaxreact.data.prepare --data $(DEMO)/data --out $(DEMO)/cache

$(DEMO)/tokenizer/training_report.html: $(DEMO)/cache/cache.json
	$(call say,tokenizer,58,631)
	$(BIN)/python train_tokenizer.py demo --data $(DEMO)/cache --out $(DEMO)/tokenizer $(RESUME)
	$(FINISHED)

$(DEMO)/predictor/training_report.html: $(DEMO)/tokenizer/training_report.html
	$(call say,predictor,172,517)
	$(BIN)/python train_predictor.py demo --data $(DEMO)/cache --tokenizer $(DEMO)/tokenizer \
		--out $(DEMO)/predictor $(RESUME)
	$(FINISHED)

$(DEMO)/fiber_evaluation/metrics.json: $(DEMO)/predictor/training_report.html
	$(call say,evaluation of FIBER,497,192)
	$(BIN)/python evaluate.py --data $(DEMO)/data --split val --run $(DEMO)/predictor \
		--out $(DEMO)/fiber_evaluation

$(DEMO)/framewise/training_report.html: $(DEMO)/cache/cache.json \
		$(if $(IS_LIVE),,$(DEMO)/fiber_evaluation/metrics.json)
	$(call say,frame-wise listener,554,135)
	$(BIN)/python -m jaxreact.train framewise demo --data $(DEMO)/cache --out $(DEMO)/framewise \
		$(RESUME)
	$(FINISHED)

$(DEMO)/evaluation/metrics.json: $(DEMO)/framewise/training_report.html
	$(call say,evaluation,652,37)
	$(BIN)/python evaluate.py --data $(DEMO)/data --split val --run $(DEMO)/framewise \
		--out $(DEMO)/evaluation --render 1

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/.core: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) --editable ".$(if $(CUDA),[$(CUDA)])"
	@touch $@

.venv/.test: .venv/.core
	$(PIP) --editable ".[test,torch,track,live,export]"
	@touch $@

.venv/.live: .venv/.core
	$(PIP) --editable ".[track,live]"
	@touch $@

.venv/.dev: .venv/.test
	$(PIP) --editable ".[dev]"
	@touch $@
