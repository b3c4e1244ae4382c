# The study as a graph: once (01, 02), once per model (03, 04, 05), once (06, 07).
# Data files are outputs; the executed notebooks are logs, kept when a notebook fails.
import os
import signal
import sys
import yaml
from lib.experiment import folders, parameters
from lib.workflow import arguments, estimates, job
from lib.workflow.progress import events

os.environ[job.GRAPH_VARIABLE] = str(os.getpid())  # jobs end when this process does
signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # a cluster's warning of the time limit is for a training, which saves
events.report()  # to make run or make demo, which shows what goes on

GIVEN = arguments.from_environment() | config  # by make run; or by Snakemake's own --config
EXPERIMENT = str(GIVEN.get("experiment", "demo"))
CORPUS = GIVEN.get("corpus", arguments.EMBEDDED)
CORPUS = CORPUS if isinstance(CORPUS, list) else arguments.corpus_files(str(CORPUS))
PARAMS = str(GIVEN.get("params", "params/demo")).rstrip("/")
SETTINGS = parameters.load_profile(PARAMS)
MODELS = {name: p for name, p in SETTINGS.items() if isinstance(p, parameters.Train)}
INFILLING_MODELS = [name for name, p in MODELS.items() if p.infill]
MACHINE = parameters.load_machine(str(GIVEN.get("profile", "laptop")))
SEEDS = next(iter(MODELS.values())).seeds
RUN = folders.Experiment(EXPERIMENT, root=".").folder.as_posix()

# The manifest of a result is written last and certifies the other files, so rules depend on manifests only.
# `update` keeps the old one until the new one is written, and restores it if the job fails.
MANIFEST = "manifest.json"
PREPARED = f"{RUN}/corpus/{MANIFEST}"
MASKED = [f"{RUN}/masks/{MANIFEST}", f"{RUN}/tokenizer/{MANIFEST}"]
TRAINED = expand(f"{RUN}/models/{{{{model}}}}/seed{{seed}}/{MANIFEST}", seed=SEEDS)
SCORED = expand(f"{RUN}/evaluation/{{{{model}}}}/seed{{seed}}/{MANIFEST}", seed=SEEDS)
INFILLED = expand(f"{RUN}/infills/{{{{model}}}}/seed{{seed}}/{MANIFEST}", seed=SEEDS)
COMPARED = f"{RUN}/compare/{MANIFEST}"
VERDICTS = f"{RUN}/hypotheses/{MANIFEST}"

# One notebook with a parameter file; see lib/workflow/job.py. Every name is quoted, so that none is read by the shell.
JOB = "exec {params.job:q} {log:q} {params.settings:q} --gpus {resources.gpu} --threads {threads} "
JOB += "--attempt {resources.attempt}"


def notebook(name, **values):
    """The command for a notebook, as words. values: parameters that are in no file, or functions of the wildcards."""
    def command(wildcards):
        words = [sys.executable, "-m", "lib", "job", f"notebooks/{name}.ipynb", f"--experiment={EXPERIMENT}"]
        for key, value in values.items():
            value = value(wildcards) if callable(value) else value
            words.append("--value=" + yaml.safe_dump({key: value}, default_flow_style=True, width=float("inf")))
        return words
    return command


def settings(name):
    """The parameter file of a rule as an option of its command; {model} stands for the model."""
    return lambda wildcards: "--settings=" + settings_file(name, wildcards)


def settings_file(name, wildcards):
    return f"{PARAMS}/{wildcards.model if name == '{model}' else name}.yaml"


def watched(name):
    """The parameter file as an input of a rule."""
    return lambda wildcards: without_braces([settings_file(name, wildcards)])


def without_braces(files):
    """Snakemake would read braces in a path as wildcards. Such a file is used, but its time is not watched."""
    return [file for file in files if "{" not in file]


def for_models(pattern, models=MODELS):
    return expand(pattern, model=models)


def n_gpus(wildcards):
    return MODELS[wildcards.model].devices if MACHINE.device == "cuda" else 0


def estimated(resource):
    """A resource of a training as the planner estimates it: runtime or mem_mb. Only a cluster asks for it, whose
    machine.yaml says how fast it is."""
    def estimate(wildcards):
        if MACHINE.tflops is None:
            return 0
        rate = 1e12 * MACHINE.tflops
        needs = estimates.model(
            MODELS[wildcards.model], SETTINGS["masks"], MACHINE, rate, estimates.lengths(), MODELS
        )
        if resource == "runtime":
            return estimates.minutes(needs["hours"], MACHINE)
        return int(1000 * needs["host_gb"])
    return estimate


ANY_JOB = {"attempt": lambda wildcards, attempt: attempt, "gpu": 0}  # attempt: 1 for the first submission
MODEL_JOB = ANY_JOB | {"gpu": lambda wildcards: min(n_gpus(wildcards), 1)}
TRAINING = ANY_JOB | {"gpu": n_gpus, "runtime": estimated("runtime"), "mem_mb": estimated("mem_mb")}

wildcard_constraints:
    model="|".join(MODELS),


rule all:  # every result is a target, so that a deleted intermediate one is rebuilt
    input:
        PREPARED, MASKED, for_models(TRAINED), for_models(SCORED), for_models(INFILLED, INFILLING_MODELS),
        COMPARED, VERDICTS
    message: "the study is complete"


rule embedded_corpus:
    output: arguments.EMBEDDED
    params: command=lambda wildcards: [sys.executable, "-m", "lib", "demo-corpus"]
    message: "generating the embedded synthetic corpus"
    shell: "exec {params.command:q} {output:q}"


rule extract:
    input: lambda wildcards: without_braces(CORPUS), watched("corpus")
    output: update(PREPARED)
    params:
        job=notebook(
            "01_extract",
            corpus=[os.path.relpath(file, "notebooks") for file in CORPUS],
            min_test_learners=SETTINGS["hypotheses"].min_learners,
        ),
        settings=settings("corpus"),
    resources: **ANY_JOB
    log: f"{RUN}/notebooks/01_extract.ipynb"
    message: "01 extract"
    shell: JOB


rule mask:
    input: PREPARED, watched("masks")
    output: update(MASKED)
    params: job=notebook("02_mask"), settings=settings("masks")
    resources: **ANY_JOB
    log: f"{RUN}/notebooks/02_mask.ipynb"
    message: "02 mask"
    shell: JOB


def base_model(wildcards):
    """A transfer model waits for the model it starts from."""
    base = MODELS[wildcards.model].init_from
    return expand(TRAINED, model=base) if base in MODELS else []


rule train:
    input: MASKED, base_model, watched("{model}")
    output: update(TRAINED)
    params: job=notebook("03_train"), settings=settings("{model}")
    threads: MACHINE.threads
    resources: **TRAINING
    log: f"{RUN}/notebooks/03_train.{{model}}.ipynb"
    message: "03 train {wildcards.model}"
    shell: JOB


rule evaluate:
    input: TRAINED, watched("{model}")
    output: update(SCORED)
    params: job=notebook("04_evaluate"), settings=settings("{model}")
    threads: MACHINE.threads
    resources: **MODEL_JOB
    log: f"{RUN}/notebooks/04_evaluate.{{model}}.ipynb"
    message: "04 evaluate {wildcards.model}"
    shell: JOB


rule infill:
    input: TRAINED, watched("infill")
    output: update(INFILLED)
    params:
        job=notebook("05_infill", model=lambda wildcards: wildcards.model, seeds=SEEDS),
        settings=settings("infill"),
    threads: MACHINE.threads
    resources: **MODEL_JOB
    log: f"{RUN}/notebooks/05_infill.{{model}}.ipynb"
    message: "05 infill {wildcards.model}"
    shell: JOB


rule compare:
    input: for_models(TRAINED), for_models(SCORED), for_models(INFILLED, INFILLING_MODELS), watched("hypotheses")
    output: update(COMPARED)
    params: job=notebook("06_compare", models=list(MODELS), seeds=SEEDS), settings=settings("hypotheses")
    resources: **ANY_JOB
    log: f"{RUN}/notebooks/06_compare.ipynb"
    message: "06 compare"
    shell: JOB


rule hypotheses:
    input: COMPARED, watched("hypotheses")
    output: update(VERDICTS)
    params: job=notebook("07_hypotheses"), settings=settings("hypotheses")
    resources: **ANY_JOB
    log: f"{RUN}/notebooks/07_hypotheses.ipynb"
    message: "07 hypotheses"
    shell: JOB
