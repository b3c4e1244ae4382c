"""`make identify`: the level of each text from its perplexities, of the study's test texts or of another corpus.

The results lie in runs/<experiment>/identification/<name of the texts>/: aggregates, a figure, and predictions.parquet
with a row for each text, which stays on this machine.
"""

import os
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import pandas as pd
from pydantic import Field
from tqdm import tqdm

from lib.corpus.report.inspection import split_names
from lib.design import LEVELS
from lib.errors import MissingResult
from lib.evaluation.statistics import learner_codes
from lib.experiment import code_hashes, parameters
from lib.experiment.files import file_hash, read_yaml, write_json, write_table
from lib.experiment.folders import IDENTIFICATION, OWN_TEXTS, existing_experiment
from lib.experiment.schemas import Count, Parameters, Share
from lib.figures import identification_figures, style
from lib.formatting import Sentences, format_number
from lib.identification import classifiers, measures, other_corpus, systems, text_scores

PARAMETERS = "params/identification.yaml"
OTHER = "corpus_"  # how the folders of results of other corpora begin
HEADINGS = ["accuracy", "macro F1", "quadratic kappa", "at most one level off"]  # of measures.MEASURES
SAY = Sentences(__file__)


class Settings(Parameters):
    """params/identification.yaml."""

    resamples: Annotated[int, Field(ge=100)]
    alpha: Share
    min_learners: Annotated[int, Field(ge=2)]
    min_texts: Count
    tfidf_texts: Count
    other_texts: Count
    seed: Annotated[int, Field(ge=0)]


class Tested(NamedTuple):
    """The texts to identify (text_id as index; level, learner_id, text), their perplexities, and what was left out."""

    name: str  # of the folder of results
    texts: pd.DataFrame
    by_seed: dict  # {kind: {seed: texts x levels}}
    left_out: dict  # {reason: texts}
    learners_known: bool


def identify(experiment=None, models=None, corpus=(), params="params/demo"):
    """Write runs/<experiment>/identification/<name>/ and print what came out.

    models: runs/<experiment>, instead of its name; corpus: files of another corpus; without, or with the study's own,
    its test texts are used; params: a folder whose corpus.yaml describes the other corpus. Raises MissingResult,
    StaleResult, CorpusError.
    """
    run = chosen_experiment(experiment, models).start("identify")
    settings = parameters.validate(Settings, read_yaml(PARAMETERS), PARAMETERS)
    every_kind = {kind: text_scores.trained_models(run, kind) for kind in text_scores.MODELS}
    text_scores.require_two(every_kind)
    kinds = {kind: facts for kind, facts in every_kind.items() if len(facts[0]) > 1}
    texts = pd.read_parquet(run.require(run.texts, "01_extract")).set_index("text_id")
    learned, first_seed = learn_from(run, texts, kinds)
    files = [file for file in split_names(corpus) if file and not is_own(run, file)]
    tested = other_texts(run, files, params, texts, kinds, settings) if files else own_texts(run, texts, kinds)
    log_ppl = {kind: text_scores.mean_over_seeds(by_seed) for kind, by_seed in tested.by_seed.items()}
    identified, remarks = systems.identify(learned, tested.texts, log_ppl, settings)
    codes, all_known = learner_codes(tested.texts.reset_index(), tested.learners_known)
    tables = measures.tabulate(tested.texts["level"], identified, codes, settings)
    by_seed = accuracy_by_seed(tested)
    report = describe(tested, every_kind, systems.comparable_levels(kinds), remarks, all_known)
    folder = run.folder / IDENTIFICATION / tested.name
    shutil.rmtree(folder, ignore_errors=True)
    write_results(folder, tables, by_seed, report)
    predictions = identified.assign(level=tested.texts["level"], learner=codes).reset_index()
    write_table(predictions, folder / "predictions.parquet")
    if not files:
        write_json(for_explorer(learned, first_seed, tested, settings), folder / classifiers.FILE)
    run.code = code_hashes.module_hashes("lib.identification.command")  # instead of a notebook's
    run.write_manifest(settings, folder)
    print(summary(tables[0], report, by_seed))
    print(folder)


def chosen_experiment(experiment, models):
    """The Experiment of a name, or of a folder runs/<name>. Raises MissingResult."""
    if not models:
        return existing_experiment(experiment or "demo")
    folder = Path(models.rstrip("/"))
    if folder.parent != Path("runs"):
        raise MissingResult(f"MODELS={models} is no experiment. Expected: a folder of runs/, such as MODELS=runs/demo.")
    return existing_experiment(folder.name)


def is_own(run, file):
    """Is this a file of the study's own corpus, as CORPUS names it elsewhere?"""
    hashes = {source["sha256"] for source in run.corpus_report()["sources"]}
    return os.path.isfile(file) and file_hash(file, 64) in hashes


def learn_from(run, texts, kinds):
    """(the Learned, {kind: perplexities of validation texts with the first seed}). texts: of 01, with text_id as index.

    Texts that are used: of levels that can be identified; neither copied nor on held-out prompts, outside training.
    """
    levels = systems.comparable_levels(kinds)
    usable = texts[texts["level"].isin(levels)]
    valid = usable[(usable["split"] == "valid") & ~usable["copied"] & ~usable["held_out"]]
    means, first_seed = {}, {}
    for kind, (models, seeds, _) in kinds.items():
        by_seed = text_scores.evaluated(run, models, seeds, "valid")
        common = by_seed[seeds[0]].index.intersection(valid.index)
        first_seed[kind] = by_seed[seeds[0]].loc[common]
        means[kind] = text_scores.mean_over_seeds(by_seed).loc[common]
    return systems.Learned(usable[usable["split"] == "train"], valid, means), first_seed


def own_texts(run, texts, kinds):
    """The Tested of the study's test texts."""
    levels = systems.comparable_levels(kinds)
    by_seed = {kind: text_scores.evaluated(run, *facts[:2], "scores") for kind, facts in kinds.items()}
    test = texts[(texts["split"] == "test") & ~texts["held_out"]]
    left_out = {"copied from training texts": int(test["copied"].sum())}
    test = test[~test["copied"]]
    left_out["level without models"] = int((~test["level"].isin(levels)).sum())
    known = run.corpus_report()["learners_known"]
    return _with_scores(OWN_TEXTS, test[test["level"].isin(levels)], by_seed, left_out, known)


def other_texts(run, files, params, texts, kinds, settings):
    """The Tested of another corpus, scored now by all models. texts: of the models' own corpus."""
    levels = systems.comparable_levels(kinds)
    seen = texts[texts["split"] != "test"]  # by models and classifiers
    column = run.corpus_report()["text_column"]
    table, left_out = other_corpus.read_texts(files, params, seen, levels, column, settings.other_texts, settings.seed)
    run.add_inputs(files)
    by_seed = other_corpus.score(run, table, kinds, partial(tqdm, unit=" models", ncols=100, leave=False))
    name = OTHER + re.sub(r"[^\w.-]+", "-", Path(files[0]).stem)
    known = bool((table["learner_id"] != "").all())
    return _with_scores(name, table.set_index("text_id"), by_seed, left_out, known)


def _with_scores(name, texts, by_seed, left_out, learners_known):
    """A Tested of those texts that all models have scored. Raises MissingResult if there are none."""
    common = texts.index
    for tables in by_seed.values():
        for table in tables.values():
            common = common.intersection(table.index)
    left_out = left_out | {"too long for the models, or too short for a mask": len(texts) - len(common)}
    left_out = {reason: n for reason, n in left_out.items() if n}
    if not len(common):
        raise MissingResult(f"No text is left to identify. Left out: {left_out or 'nothing; there are no test texts'}.")
    scored = {kind: {seed: table.loc[common] for seed, table in tables.items()} for kind, tables in by_seed.items()}
    return Tested(name, texts.loc[common], scored, left_out, learners_known)


def accuracy_by_seed(tested):
    """A frame: of each kind and single seed, the accuracy of the least perplexed model."""
    rows = []
    for kind, by_seed in tested.by_seed.items():
        for seed, log_ppl in by_seed.items():
            right = classifiers.least_perplexed(log_ppl) == tested.texts["level"].to_numpy()
            rows.append({"system": systems.RAW.format(kind), "seed": seed, "accuracy": right.mean()})
    return pd.DataFrame(rows)


def describe(tested, every_kind, levels, remarks, all_known):
    """report.json: what the numbers rest on. levels: those that can be identified."""
    reasons = {}
    for kind, (_, _, of_levels) in every_kind.items():
        reasons |= {f"{kind}, {level}": reason for level, reason in of_levels.items()}
    counts = tested.texts["level"].value_counts().reindex(LEVELS, fill_value=0)
    return {
        "texts": tested.name,
        "levels": levels,
        "n_texts": {level: int(n) for level, n in counts.items() if level in levels},
        "no_texts": [level for level in levels if not counts[level]],
        "seeds": {kind: seeds for kind, (_, seeds, _) in every_kind.items()},
        "left_out": tested.left_out,
        "without_model": reasons,
        "remarks": remarks,
        "learners_known": all_known,
    }


def write_results(folder, tables, by_seed, report):
    """Write the aggregates and the figure."""
    measured, differences, confusion = tables
    for name, table in {
        "measures": measured,
        "differences": differences,
        "confusion": confusion,
        "by_seed": by_seed,
    }.items():
        write_table(table, folder / f"{name}.csv")
    write_json(report, folder / "report.json")
    if len(confusion):
        drawn = identification_figures.confusions(confusion, identification_figures.title(measured))
        style.save(drawn, folder, "figure", confusion)


def for_explorer(learned, first_seed, tested, settings):
    """classifier.json: the calibrated classifier of the specialists for a single seed, and how often it is right.

    The explorer reads one seed of each model, so its classifier is fitted on perplexities of one seed, too.
    """
    kind = next(iter(first_seed))
    log_ppl = first_seed[kind]
    classifier, remark = systems.calibration(log_ppl, learned.valid["level"].loc[log_ppl.index], settings.min_texts)
    facts = {"kind": kind, "remark": remark, "classifier": classifier}
    if classifier:
        of_test = next(iter(tested.by_seed[kind].values()))
        right = classifiers.calibrated_level(classifier, of_test) == tested.texts["level"].to_numpy()
        facts |= {"accuracy": float(right.mean()), "n_texts": len(right)}
    return facts


def summary(measured, report, by_seed):
    """What the command prints."""
    rows = ["{:32} {:24} {:24} {:24} {}".format("system", *HEADINGS)]
    for row in measured.to_dict("records"):
        cells = [f"{row['system']:32}"]
        for name in measures.MEASURES:
            form = "{:.2f}" if name == "kappa" else "{:.1%}"
            ends = [format_number(row[f"{name}{end}"], form) for end in ("", "_lo", "_hi")]
            cells.append("{} ({} to {})".format(*ends).ljust(24))
        rows.append(" ".join(cells).rstrip())
    seeds = by_seed.groupby("system")["accuracy"].agg(["min", "max"]).reset_index().to_dict("records")
    n_learners = int(measured["n_learners"].max()) if len(measured) else 0
    return SAY("summary", report=report, rows=rows, seeds=seeds, n_learners=n_learners)
