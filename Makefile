# Thin doors: what is done stands in lib/, the Snakefile and the notebooks. Whoever has no make: python -m lib --help
PYTHON := $(shell command -v python3.11 || command -v python3)
PARAMS ?= params/demo
EXPERIMENT ?= $(notdir $(PARAMS:/=))# a folder of runs/
CORPUS ?=# the embedded one by default, for the demo
PROFILE ?= laptop# or gpu-server, slurm: a folder of profiles/
CORES ?=# jobs side by side, where the profile's number is not wanted
ONLY ?=# the manifest.json of a result, to go no further than that
TENSORBOARD ?=# a folder, where TensorBoard's logs are wanted
export PARAMS EXPERIMENT CORPUS PROFILE CORES ONLY TENSORBOARD MODEL TO# so that the shell need not read what they hold
export PYTHONUTF8 = 1# whatever the locale: paths and texts hold more than ASCII
export HF_HUB_DISABLE_TELEMETRY = 1# nothing phones home, from JupyterLab and tests either
export DISABLE_SAFETENSORS_CONVERSION = 1
LIB = .venv/bin/python -m lib
NAMED = --experiment "$$EXPERIMENT"
STUDY_OF = $(if $(filter file,$(origin EXPERIMENT)),,$(NAMED)) --corpus "$$CORPUS" --params "$$PARAMS" --profile "$$PROFILE"
RUNNING = --cores "$$CORES" --only "$$ONLY" --tensorboard "$$TENSORBOARD"
SHARED = $(if $(filter yes,$(WEIGHTS)),--weights) $(if $(filter yes,$(NOTEBOOKS)),--notebooks)

.PHONY: help demo run plan status renew report share-check share paper memorisation test faults known-answers slurm-test \
	lab browser export outputs
help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1	\2/p' Makefile | expand -t 20

demo: .venv/ready  ## all seven notebooks, eleven small models and their controls on the embedded synthetic corpus
	@$(LIB) demo --profile "$$PROFILE" $(RUNNING)

run: .venv/ready  ## the same on any corpus: make run EXPERIMENT=name CORPUS=file, or CORPUS="file file" [PARAMS=params/demo]
	@$(LIB) run $(STUDY_OF) $(RUNNING)

plan: .venv/ready  ## hours, memory and disk of a study before it runs, for PROFILE: make plan PARAMS=params/efcamdat PROFILE=slurm
	@$(LIB) plan $(STUDY_OF)

status:  ## of EXPERIMENT: what is done, what goes on, what is stale and why, what stopped
	@$(LIB) status $(NAMED)

renew:  ## forget what older code made of EXPERIMENT; make run, or make demo, then makes it again
	@$(LIB) renew $(NAMED)

report: .venv/ready  ## of EXPERIMENT: one offline page of the whole study, and its notebooks as pages
	@$(LIB) report $(NAMED)

paper: .venv/ready  ## of EXPERIMENT: methods, tables, figures and references for LaTeX
	@$(LIB) paper $(NAMED)

memorisation: .venv/ready  ## of EXPERIMENT: does any model know its training texts better than others like them? [CANARIES=yes]
	@$(LIB) memorisation $(NAMED) $(if $(filter yes,$(CANARIES)),--canaries)

share-check: .venv/ready  ## may it be shared? all that make share would take and has built, or FILES="file folder"
	@$(LIB) share-check $(NAMED) $(SHARED) -- $(FILES)

share: .venv/ready  ## what may be shared, checked, in runs/<experiment>/share [WEIGHTS=yes] [NOTEBOOKS=yes]
	@$(LIB) share $(NAMED) $(SHARED)

test: demo  ## style, claims, and the seven notebooks against their committed outputs
	.venv/bin/ruff check .
	.venv/bin/pytest -n 2 --dist worksteal

known-answers: .venv/ready  ## six corpora whose answer is known, through the same door as a user's, and what came out
	@.venv/bin/python bench/validity/known_answers.py

faults: .venv/ready  ## every fault the study must survive, injected into real runs, with what was expected and seen
	@$(LIB) serve .venv/bin/python tests/faults/faults.py

slurm-test: .venv/ready  ## root, slurm-wlm, munge: a study on a SLURM of this one machine; STUDY=demo for the whole demo
	.venv/bin/python tests/slurm/check.py $(STUDY)

lab: .venv/ready  ## JupyterLab at the first notebook
	.venv/bin/jupyter lab --ServerApp.root_dir="$(CURDIR)" notebooks/01_extract.ipynb

browser: demo  ## all notebooks in JupyterLab, in headless Chromium, which must be installed; screenshots in runs/browser/
	@.venv/bin/python -c "import playwright" 2> /dev/null || .venv/bin/python -m pip install --quiet -e ".[browser]"
	.venv/bin/pytest tests/browser/report.py tests/browser/lab.py tests/browser/notebooks.py

export: .venv/ready  ## for upstream ILM: make export MODEL=runs/demo/models/a1/seed0 TO=folder; without MODEL, EXPERIMENT's texts
	@test -n "$$TO" || { echo "Where to? make export MODEL=runs/demo/models/a1/seed0 TO=folder"; exit 2; }
	@$(LIB) $(if $(MODEL),export-model "$$MODEL",export-texts $(NAMED)) "$$TO"

outputs: demo  ## run the notebooks in place with their defaults, to commit what they show
	.venv/bin/python tools/refresh_outputs.py
	.venv/bin/python tools/verdict_table.py

.venv/ready: requirements.txt constraints.txt pyproject.toml
	@echo "installing into .venv: two to four minutes, 2.3 GB"
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.PHONY: docs
docs: .venv/ready  ## documentation and notebooks as a site that needs no network, in runs/site
	@.venv/bin/python -c "import furo, myst_nb" 2> /dev/null || .venv/bin/python -m pip install --quiet -c constraints.txt -e ".[docs]"
	@.venv/bin/python -m sphinx -b html -W --keep-going -q -c docs -d runs/site/doctrees . runs/site/html
	@echo "Open runs/site/html/docs/index.html"
