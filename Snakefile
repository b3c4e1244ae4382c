# The study as a graph: once (01, 02), once per model (03, 04, 05), once (06, 07).
# Data files are outputs; the executed notebooks are logs, kept when a notebook fails.
import json
import os
import shlex
import signal
import sys
from lib.experiment import folders, parameters
from lib.workflow import estimates, arguments

shell.prefix(f"export PATH='{os.path.dirname(sys.executable)}':$PATH; ")  # the environment that runs this file

signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # a cluster's warning of the end is meant for a training, which saves

EXPERIMENT = config.get("experiment", "demo")
CORPUS = config.get("corpus", arguments.EMBEDDED)
CORPUS = CORPUS if isinstance(CORPUS, list) else arguments.corpus_files(str(CORPUS))
PARAMS = config.get("params", "params/demo").rstrip("/")
ASKED = parameters.load_profile(PARAMS)
MODELS = {name: p for name, p in ASKED.items() if isinstance(p, parameters.Train)}
WRITERS = [name for name, p in MODELS.items() if p.infill]
MACHINE = parameters.load_machine(config.get("profile", "laptop"))
SEEDS = next(iter(MODELS.values())).seeds
RUN = folders.Experiment(EXPERIMENT, root=".").folder.as_posix()
# A result is the manifest in its folder: written last, it vouches for the other files. So it is what the graph knows of;
# `update` lets it stand until a new one is there, and puts it back where a job fails: a mistake costs no result.
VOUCHED = "manifest.json"
PREPARED, MASKED = f"{RUN}/corpus/{VOUCHED}", expand(f"{RUN}/{{place}}/{VOUCHED}", place=["masks", "tokenizer"])
TRAINED, SCORED, FILLED = (
    expand(f"{RUN}/{place}/{{{{model}}}}/seed{{seed}}/{VOUCHED}", seed=SEEDS) for place in ["models", "evaluation", "infills"]
)
COMPARED, VERDICTS = f"{RUN}/compare/{VOUCHED}", f"{RUN}/hypotheses/{VOUCHED}"


def notebook(name, *values):
    """One notebook with the parameter file that the rule names, and more values, each as YAML; see lib/workflow/job.py."""
    words = f"python -m lib job notebooks/{name}.ipynb '{{log}}' --settings '{{input.settings}}' --experiment '{EXPERIMENT}' "
    words += "--gpus {resources.gpu} --threads {threads} --attempt {resources.attempt}"
    return words + "".join(f" --value {value}" for value in values)


def listed(name, values):
    """A list as YAML, quoted for the shell; braces doubled, since Snakemake formats the command."""
    return shlex.quote(json.dumps({name: values})).replace("{", "{{").replace("}", "}}")


def every(pattern, models=MODELS):
    return expand(pattern, model=models)


def gpus(wildcards):
    return MODELS[wildcards.model].devices if MACHINE.device == "cuda" else 0


def planned(what):
    """A resource of a training, by the planner; known only where the machine's speed is, and needed only there."""
    def found(wildcards):
        if MACHINE.tflops is None:
            return 0
        one = estimates.model(MODELS[wildcards.model], ASKED["masks"], MACHINE, 1e12 * MACHINE.tflops, estimates.lengths())
        return {"runtime": estimates.minutes(one["hours"], MACHINE), "mem_mb": int(1000 * one["host_gb"])}[what]
    return found


ONE = {"attempt": lambda wildcards, attempt: attempt, "gpu": 0}  # resources of every job, sent for the how manieth time
OF_A_MODEL = ONE | {"gpu": lambda wildcards: min(gpus(wildcards), 1)}
TRAINING = ONE | {"gpu": gpus, "runtime": planned("runtime"), "mem_mb": planned("mem_mb")}

wildcard_constraints:
    model="|".join(MODELS),


rule all:  # every result, not the last ones only: a deleted one in between is then made again
    input: PREPARED, MASKED, every(TRAINED), every(SCORED), every(FILLED, WRITERS), COMPARED, VERDICTS
    message: "the study is complete"


rule embedded_corpus:
    output: arguments.EMBEDDED
    message: "generating the embedded synthetic corpus"
    shell: "python -m lib demo-corpus '{output}'"


rule extract:
    input: corpus=CORPUS, settings=f"{PARAMS}/corpus.yaml"
    output: update(PREPARED)
    resources: **ONE
    log: f"{RUN}/notebooks/01_extract.ipynb"
    message: "01 extract"
    shell: notebook("01_extract", listed("corpus", [os.path.relpath(file, "notebooks") for file in CORPUS]))


rule mask:
    input: PREPARED, settings=f"{PARAMS}/masks.yaml"
    output: update(MASKED)
    resources: **ONE
    log: f"{RUN}/notebooks/02_mask.ipynb"
    message: "02 mask"
    shell: notebook("02_mask")


def base(wildcards):
    """A transfer model waits for the model it starts from."""
    first = MODELS[wildcards.model].init_from
    return expand(TRAINED, model=first) if first in MODELS else []


rule train:
    input: MASKED, base, settings=f"{PARAMS}/{{model}}.yaml"
    output: update(TRAINED)
    threads: MACHINE.threads
    resources: **TRAINING
    log: f"{RUN}/notebooks/03_train.{{model}}.ipynb"
    message: "03 train {wildcards.model}"
    shell: notebook("03_train")


rule evaluate:
    input: TRAINED, settings=f"{PARAMS}/{{model}}.yaml"
    output: update(SCORED)
    threads: MACHINE.threads
    resources: **OF_A_MODEL
    log: f"{RUN}/notebooks/04_evaluate.{{model}}.ipynb"
    message: "04 evaluate {wildcards.model}"
    shell: notebook("04_evaluate")


rule infill:
    input: TRAINED, settings=f"{PARAMS}/infill.yaml"
    output: update(FILLED)
    threads: MACHINE.threads
    resources: **OF_A_MODEL
    log: f"{RUN}/notebooks/05_infill.{{model}}.ipynb"
    message: "05 infill {wildcards.model}"
    shell: notebook("05_infill", "'model: {wildcards.model}'", listed("seeds", SEEDS))


rule compare:
    input: every(TRAINED), every(SCORED), every(FILLED, WRITERS), settings=f"{PARAMS}/hypotheses.yaml"
    output: update(COMPARED)
    resources: **ONE
    log: f"{RUN}/notebooks/06_compare.ipynb"
    message: "06 compare"
    shell: notebook("06_compare", listed("models", list(MODELS)), listed("seeds", SEEDS))


rule hypotheses:
    input: COMPARED, settings=f"{PARAMS}/hypotheses.yaml"
    output: update(VERDICTS)
    resources: **ONE
    log: f"{RUN}/notebooks/07_hypotheses.ipynb"
    message: "07 hypotheses"
    shell: notebook("07_hypotheses")
