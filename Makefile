# Thin doors: what is done stands in the Snakefile and the notebooks.
PYTHON := $(shell command -v python3.11 || command -v python3)
PARAMS ?= params/demo
EXPERIMENT ?= $(notdir $(PARAMS:/=))# so that no other study lands in runs/demo
EMBEDDED := runs/synthetic_corpus.csv
CORPUS ?= $(if $(filter demo,$(EXPERIMENT)),$(EMBEDDED))
PROFILE ?= laptop# or gpu-server, slurm: a folder of profiles/
CORES ?=# jobs side by side, where the profile's number is not wanted
export PYTHONUTF8 = 1# whatever the locale: paths and texts hold more than ASCII
export HF_HUB_DISABLE_TELEMETRY = 1# nothing phones home
export DISABLE_SAFETENSORS_CONVERSION = 1
ONLY ?=# the manifest.json of a result, to go no further than that
export ILM_CEFR_TENSORBOARD = $(abspath $(TENSORBOARD))# a folder, where TensorBoard's logs are wanted
ALONE = .venv/bin/python -m lib.workflow.run "$(EXPERIMENT)" "$(CORPUS)" "$(PARAMS)" "$(PROFILE)"
ON_SLURM = $(shell grep -sl '^executor: slurm' profiles/$(PROFILE)/config.yaml)
SERVED = .venv/bin/python -m $(if $(ON_SLURM),lib.workflow.slurm "$(EXPERIMENT)",lib.workflow.fork_server serve)
BY_HASHES = --rerun-triggers software-env --max-checksum-file-size 0# no notes of earlier runs: lib.workflow.run has marked what is stale
RUN = $(ALONE) $(SERVED) .venv/bin/snakemake --profile profiles/$(PROFILE) $(if $(CORES),--cores $(CORES)) \
	--quiet host reason --nolock --rerun-incomplete $(BY_HASHES)

.PHONY: demo run plan status renew asked report share-check share paper memorisation test faults known-answers slurm-test lab browser \
	export outputs
demo:  ## all seven notebooks, eleven small models and their controls on the embedded synthetic corpus
	@$(MAKE) --no-print-directory run EXPERIMENT=demo CORPUS=$(EMBEDDED) PARAMS=params/demo

run: asked .venv/ready  ## the same on any corpus: make run EXPERIMENT=name CORPUS=file, or CORPUS="file file" [PARAMS=params/demo]
	@$(RUN) --config experiment="$(EXPERIMENT)" corpus="$(CORPUS)" params="$(PARAMS)" profile="$(PROFILE)" \
		-- $(ONLY) || \
		{ test $$? = 3 || .venv/bin/python -m lib.workflow.summary "$(EXPERIMENT)" failed; exit 1; }
	@test -n "$(ONLY)" || .venv/bin/python -m lib.workflow.summary "$(EXPERIMENT)"

plan: .venv/ready  ## hours, memory and disk of a study before it runs, for PROFILE: make plan PARAMS=params/efcamdat PROFILE=slurm
	@.venv/bin/python -m lib.workflow.plan "$(EXPERIMENT)" "$(CORPUS)" "$(PARAMS)" "$(PROFILE)"

status:  ## of EXPERIMENT: what is done, what goes on, what is stale and why, what stopped
	@.venv/bin/python -m lib.workflow.status "$(EXPERIMENT)"

renew:  ## forget what older code made of EXPERIMENT; make run, or make demo, then makes it again
	@.venv/bin/python -m lib.workflow.status "$(EXPERIMENT)" renew

report: .venv/ready  ## of EXPERIMENT: one offline page of the whole study, and its notebooks as pages
	@.venv/bin/python -m lib.sharing.report "$(EXPERIMENT)"

paper: .venv/ready  ## of EXPERIMENT: methods, tables, figures and references for LaTeX
	@.venv/bin/python -m lib.sharing.paper "$(EXPERIMENT)"

memorisation: .venv/ready  ## of EXPERIMENT: does any model know its training texts better than others like them? [CANARIES=yes]
	@CANARIES="$(CANARIES)" .venv/bin/python -m lib.memorisation.assessment "$(EXPERIMENT)"

share-check: .venv/ready  ## may it leave? all that make share would take, or FILES="file folder"
	@WEIGHTS="$(WEIGHTS)" NOTEBOOKS="$(NOTEBOOKS)" .venv/bin/python -m lib.sharing.bundle "$(EXPERIMENT)" check $(FILES)

share: .venv/ready  ## what may leave, checked, in runs/<experiment>/share [WEIGHTS=yes] [NOTEBOOKS=yes]
	@WEIGHTS="$(WEIGHTS)" NOTEBOOKS="$(NOTEBOOKS)" .venv/bin/python -m lib.sharing.bundle "$(EXPERIMENT)" build

asked:
	@test -n "$(CORPUS)" || { echo "Which corpus? make run EXPERIMENT=$(EXPERIMENT) CORPUS=file.csv"; exit 2; }
	@test "$(origin EXPERIMENT) $(EXPERIMENT)" != "file demo" -o "$(CORPUS)" = "$(EMBEDDED)" || \
		{ echo "Under what name, so that it does not replace the demo? make run EXPERIMENT=mine CORPUS=\"$(CORPUS)\""; exit 2; }

test: demo  ## style, claims, and the seven notebooks against their committed outputs
	.venv/bin/ruff check .
	.venv/bin/pytest -n 2 --dist worksteal

known-answers: .venv/ready  ## six corpora whose answer is known, through the same door as a user's, and what came out
	@.venv/bin/python bench/validity/known_answers.py

faults: .venv/ready  ## every fault the study must survive, injected into real runs, with what was expected and seen
	@.venv/bin/python -m lib.workflow.fork_server serve .venv/bin/python tests/faults/faults.py

slurm-test: .venv/ready  ## root, slurm-wlm, munge: a study on a SLURM of this one machine; STUDY=demo for the whole demo
	.venv/bin/python tests/slurm/check.py $(STUDY)

lab: .venv/ready  ## JupyterLab at the first notebook
	.venv/bin/jupyter lab --ServerApp.root_dir="$(CURDIR)" notebooks/01_extract.ipynb

browser: demo  ## all notebooks in JupyterLab, in headless Chromium, which must be installed; screenshots in runs/browser/
	@.venv/bin/python -c "import playwright" 2> /dev/null || .venv/bin/python -m pip install --quiet -e ".[browser]"
	.venv/bin/pytest tests/browser/report.py tests/browser/lab.py tests/browser/notebooks.py

export: .venv/ready  ## for upstream ILM: make export MODEL=runs/demo/models/a1/seed0 TO=folder; without MODEL, EXPERIMENT's texts
	@test -n "$(TO)" || { echo "Where to? make export MODEL=runs/demo/models/a1/seed0 TO=folder"; exit 2; }
	@.venv/bin/python -m lib.sharing.upstream_ilm $(if $(MODEL),model "$(MODEL)",texts "runs/$(EXPERIMENT)") "$(TO)"

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
