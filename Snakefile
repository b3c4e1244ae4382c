# The study as a graph: once (01, 02), once per model (03, 04, 05), once (06, 07).
# Data files are outputs; the executed notebooks are logs, kept when a notebook fails.
import json
import os
import shlex
import sys
from lib import params

shell.prefix(f"export PATH='{os.path.dirname(sys.executable)}':$PATH; ")  # the environment that runs this file

EMBEDDED = "runs/synthetic_corpus.csv"


def corpus_files(words):
    """The files that words, parted by spaces, name: the longest run of words that is a file, then the rest."""
    for n in range(len(words), 0, -1):
        file = " ".join(words[:n])
        if os.path.exists(file) or file == EMBEDDED:
            return [file, *corpus_files(words[n:])]
    if words:
        raise WorkflowError(f"There is no corpus file {' '.join(words)}. Expected: CORPUS=file or CORPUS='file file'.")
    return []


EXPERIMENT = config.get("experiment", "demo")
CORPUS = corpus_files(str(config.get("corpus", EMBEDDED)).split(" "))
PARAMS = config.get("params", "params/demo").rstrip("/")
MODELS = {name: p for name, p in params.profile(PARAMS).items() if isinstance(p, params.Train)}
WRITERS = [name for name, p in MODELS.items() if p.infill]
SEEDS = next(iter(MODELS.values())).seeds
RUN = f"runs/{EXPERIMENT}"
VOUCHED = "manifest.json"  # written last into each folder of results
TRAINED = expand(f"{RUN}/models/{{{{model}}}}/seed{{seed}}/{{file}}", seed=SEEDS, file=["train.json", VOUCHED])
SCORED = expand(f"{RUN}/evaluation/{{{{model}}}}/seed{{seed}}/{{file}}", seed=SEEDS, file=["scores.parquet", "valid.parquet", VOUCHED])
FILLED = expand(f"{RUN}/infills/{{{{model}}}}/seed{{seed}}/{{file}}", seed=SEEDS, file=["words.parquet", "samples.parquet", VOUCHED])
COMPARED = expand(f"{RUN}/compare/{{file}}", file=[f"{table}.csv" for table in "ppl_matrix contrasts by_type by_l1 by_group word_metrics word_levels cost preconditions clock".split()] + [VOUCHED])


def notebook(name):
    """papermill on one notebook, in its folder, one thread, with the parameter file that the rule names."""
    return (
        f"OMP_NUM_THREADS={{threads}} python lib/warm.py papermill notebooks/{name}.ipynb '{{log}}' --cwd notebooks -k python3 "
        f"--no-progress-bar --log-level ERROR -f '{{input.settings}}' -r experiment '{EXPERIMENT}' 2> '{{log}}.txt'"
    )


def listed(name, values):
    """A list as papermill's -y takes it, quoted for the shell; braces doubled, since Snakemake formats the command."""
    return shlex.quote(json.dumps({name: values})).replace("{", "{{").replace("}", "}}")


def every(pattern, models=MODELS):
    return expand(pattern, model=models)


wildcard_constraints:
    model="|".join(MODELS),


VERDICTS = expand(f"{RUN}/hypotheses/{{file}}", file=["verdicts.csv", "seed_criteria.csv", "mde.csv", "recommendation.json", VOUCHED])
PREPARED = expand(f"{RUN}/{{file}}", file="corpus/texts.parquet corpus/report.json corpus/manifest.json masks/index.parquet masks/valid.parquet masks/test.parquet masks/report.json masks/manifest.json tokenizer/tokenizer.json tokenizer/manifest.json".split())


rule all:  # every result, not the last ones only: a deleted one in between is then made again
    input: PREPARED, every(TRAINED), every(SCORED), every(FILLED, WRITERS), COMPARED, VERDICTS
    message: "the study is complete"


rule embedded_corpus:
    output: EMBEDDED
    message: "generating the embedded synthetic corpus"
    shell: "python -m lib.synthetic '{output}'"


rule extract:
    input: corpus=CORPUS, settings=f"{PARAMS}/corpus.yaml"
    output: PREPARED[:3]
    log: f"{RUN}/notebooks/01_extract.ipynb"
    message: "01 extract"
    shell: notebook("01_extract") + " -y " + listed("corpus", [os.path.relpath(file, "notebooks") for file in CORPUS])


rule mask:
    input: rules.extract.output, settings=f"{PARAMS}/masks.yaml"
    output: PREPARED[3:]
    log: f"{RUN}/notebooks/02_mask.ipynb"
    message: "02 mask"
    shell: notebook("02_mask")


def base(wildcards):
    """A transfer model waits for the model it starts from."""
    first = MODELS[wildcards.model].init_from
    return expand(TRAINED, model=first) if first in MODELS else []


rule train:
    input: rules.mask.output, base, settings=f"{PARAMS}/{{model}}.yaml"
    output: TRAINED
    log: f"{RUN}/notebooks/03_train.{{model}}.ipynb"
    message: "03 train {wildcards.model}"
    shell: notebook("03_train")


rule evaluate:
    input: TRAINED, settings=f"{PARAMS}/{{model}}.yaml"
    output: SCORED
    log: f"{RUN}/notebooks/04_evaluate.{{model}}.ipynb"
    message: "04 evaluate {wildcards.model}"
    shell: notebook("04_evaluate")


rule infill:
    input: TRAINED, settings=f"{PARAMS}/infill.yaml"
    output: FILLED
    log: f"{RUN}/notebooks/05_infill.{{model}}.ipynb"
    message: "05 infill {wildcards.model}"
    shell: notebook("05_infill") + " -r model '{wildcards.model}' " + f"-y 'seeds: {SEEDS}'"


rule compare:
    input: every(TRAINED), every(SCORED), every(FILLED, WRITERS), settings=f"{PARAMS}/hypotheses.yaml"
    output: COMPARED
    log: f"{RUN}/notebooks/06_compare.ipynb"
    message: "06 compare"
    shell: notebook("06_compare") + f" -y 'models: {list(MODELS)}' -y 'seeds: {SEEDS}'"


rule hypotheses:
    input: COMPARED, settings=f"{PARAMS}/hypotheses.yaml"
    output: VERDICTS
    log: f"{RUN}/notebooks/07_hypotheses.ipynb"
    message: "07 hypotheses"
    shell: notebook("07_hypotheses")
