"""The folder that may leave: runs/<experiment>/share/, of aggregates only, and only once the share check finds nothing.

Weights go along only where memorisation.json says of each model that they may; executed notebooks only as pages,
without pictures, whose letters nobody can check.
"""

import contextlib
import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from lib import design
from lib.errors import LeakFound
from lib.evaluation import statistics
from lib.experiment import manifest
from lib.experiment.files import file_hash, read_json, write_json, write_table
from lib.experiment.folders import existing_experiment, require_file
from lib.formatting import Sentences
from lib.masking import token_index
from lib.sharing import leak_check, notebook_pages, paper, report
from lib.sharing.aggregates import SMALL, Study

MODEL_FILES = ["README.md", "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"]
WEIGHTS = "model.safetensors"  # order.parquet, the list of texts in training order, never leaves
TEXTS = {".html", ".csv", ".md", ".tex", ".json"}
LETTERS = 4  # of a token; shorter ones are pieces of words
SAY = Sentences(__file__)
MAY = "may be shared"  # lib/memorisation/assessment.py's verdict


def stage(run, folder, weights=False, notebooks=False):
    """Put everything that would leave into `folder`. LeakFound for weights of which nobody says that they may."""
    study = Study(run)
    shown = [one for one in study.trained if _enough(study, *one)]
    for one in shown if weights else []:  # before minutes are spent on drawing
        _may_leave(run, *one)
    if weights:
        _own_words(run)
    report.write(study, folder)
    paper.write(study, folder / "paper")
    shutil.copy2(run.root / "CITATION.cff", folder)
    for name, table in study.tables.items():
        write_table(table, folder / f"tables/{name}.csv")
    for model, seed in shown:
        _card(run.model(model, seed), folder / f"cards/{model}/seed{seed}", weights)
    if notebooks:
        notebook_pages.write_notebooks(run, folder / "notebooks", pictures=False)
    without_folders(study, folder)
    words = SAY("readme", name=run.name, small=SMALL, weights=weights)
    (folder / "README.md").write_text(f"{words}\n", encoding="utf-8")


def without_folders(study, folder):
    """In the texts of `folder`, call the files that the study was given by their last name: a path may tell who works
    where. These are the corpus, and a tokenizer or a base model from a folder."""
    run, read = study.run, read_json(study.run.folder / "corpus" / manifest.MANIFEST)["inputs"]
    named = {one["init_from"] for one in study.trained.values()} | {study.masks["parameters"]["tokenizer"]}
    given = {Path(os.path.abspath(one)) for one in named if os.sep in one and os.path.exists(one)}
    given |= {(run.folder / one).resolve() for one in read if one.startswith("..")}
    ways = {str(one): one.name for one in given}
    ways |= {os.path.relpath(one, run.root / place): one.name for one in given for place in ["", "notebooks"]}
    for file in [file for file in leak_check.everything([folder]) if file.suffix in TEXTS]:
        text = file.read_text(encoding="utf-8")
        for way in sorted(ways, key=len, reverse=True):
            text = text.replace(way, ways[way])
        file.write_text(text, encoding="utf-8")


def _enough(study, model, seed):
    """Is the model trained, and does its card's perplexity rest on SMALL learners or more?"""
    return study.trained[model, seed]["status"] == "trained" and design.level_of(model) not in study.small["valid"]


def _card(source, target, weights):
    target.mkdir(parents=True)
    for name in [*MODEL_FILES, WEIGHTS] if weights else MODEL_FILES[:1]:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)  # without its mode: saved weights are their owner's alone


def rare_tokens(index, merges, vocabulary, least):
    """Tokens of LETTERS letters or more that stand in the texts of fewer than `least` learners, in themselves or as a
    part of longer ones: ids, sorted. A vocabulary trained on the corpus may hold a name so.

    index: a frame with ids and learner, a row a text; merges: pairs of tokens, in the order of the BPE's training;
    vocabulary: {token: id}.
    """
    lengths, ids = index["ids"].map(len), np.concatenate([np.asarray(one, np.int64) for one in index["ids"]])
    used = pd.DataFrame({"id": ids, "learner": np.repeat(index["learner"].to_numpy(), lengths)}).drop_duplicates()
    common = set(used["id"].value_counts().loc[lambda counts: counts >= least].index)
    for one, other in reversed(merges):  # what is merged comes after its parts
        if vocabulary[one + other] in common:
            common |= {vocabulary[one], vocabulary[other]}
    worded = {number for token, number in vocabulary.items() if sum(map(str.isalpha, token.strip("Ġ"))) >= LETTERS}
    trained = {vocabulary[one + other] for one, other in merges}
    return sorted((trained & worded) - common)


def _own_words(run):
    """Raises LeakFound where the tokenizer learned words from the corpus that few learners wrote."""
    facts = run.masks_report()
    if facts["parameters"]["tokenizer"] != "bpe":
        return
    known = run.corpus_report()["learners_known"]
    file = run.require(run.tokenizer, "02_mask") / "tokenizer.json"
    texts = pd.read_parquet(run.require(run.texts, "01_extract"), columns=["text_id", "learner_id"])
    index = token_index.read_index(run.require(run.index, "02_mask"))[["text_id", "ids"]].merge(texts, on="text_id")
    index["learner"], least = (
        statistics.learner_codes(index, known)[0],
        leak_check.FEW if known else leak_check.FEW_TEXTS,
    )
    coder = read_json(file)["model"]
    found = rare_tokens(index, coder["merges"], coder["vocab"], least)
    if found:
        shown = ", ".join(map(str, found[:8])) + ", …" * (len(found) > 8)
        raise LeakFound(
            f"{file} goes along with the weights, and {len(found)} of its tokens stand in the texts of fewer than "
            f"{least} learners: {shown}. They may be names. Set a smaller vocabulary, or tokenizer: gpt2, in "
            "masks.yaml and run the study again; or share without WEIGHTS=yes."
        )


def _may_leave(run, model, seed):
    """Raises LeakFound unless the memorisation report speaks of these very weights and says that they may leave."""
    path = require_file(run.folder / "memorisation/memorisation.json", "make memorisation").resolve()
    told = read_json(path)["models"].get(f"{model}/seed{seed}")
    if told is None or told["weights"] != file_hash(run.model(model, seed) / WEIGHTS):
        raise LeakFound(f"{path} does not know the weights of {model}, seed {seed}, as they are now: make memorisation")
    if told["verdict"] != MAY:
        raise LeakFound(f"{model}, seed {seed}: {told['verdict']}: {told['reason']}. Share without WEIGHTS=yes.")


def found_in(run, paths):
    """(findings of the share check in these files and folders, number of files)."""
    known = run.corpus_report()["learners_known"]
    files = leak_check.everything(paths)
    texts = run.require(run.texts, "01_extract")
    return leak_check.check(files, texts, known, leak_check.published(files, run.root)), len(files)


@contextlib.contextmanager
def _staged(run, *more):
    """A folder with all that would leave; it is gone afterwards, unless it was moved."""
    folder = run.folder / "share.unchecked"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        print("Building what would leave, then looking it up in the corpus.", flush=True)
        stage(run, folder, *more)
        places = Counter(file.relative_to(folder).parts[0] for file in leak_check.everything([folder]))
        print("Files:", ", ".join(f"{name} ({n})" if n > 1 else name for name, n in sorted(places.items())))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check(experiment, weights, notebooks, files=()):
    """Print what the share check finds in these files and folders, or in all that `build` would let leave.

    Returns 1 if it is anything, else 0. weights, notebooks: as in `stage`.
    """
    run = existing_experiment(experiment)
    again = f"make share-check EXPERIMENT={run.name}"
    if files:
        return _checked(run, files, f'{again} FILES="{" ".join(map(str, files))}"')
    with _staged(run, weights, notebooks) as folder:
        return _checked(run, [folder], again)


def build(experiment, weights, notebooks):
    """runs/<experiment>/share/, if the check of it is clean; returns 1 if it is not. More: see `stage`."""
    run = existing_experiment(experiment)
    with _staged(run, weights, notebooks) as folder:
        if _checked(run, [folder], f"make share EXPERIMENT={run.name}"):
            return 1
        rule = f"no {leak_check.split.NGRAM} words in a row that fewer than {leak_check.FEW} learners wrote"
        hashes = {str(file.relative_to(folder)): file_hash(file) for file in leak_check.everything([folder])}
        write_json({"files": hashes, "rule": rule}, folder / "checked.json")
        shutil.rmtree(run.folder / "share", ignore_errors=True)
        folder.rename(run.folder / "share")
        print(f"{run.folder / 'share'} may leave.")
        return 0


def _checked(run, paths, again):
    findings, n_files = found_in(run, paths)
    leak_check.tell(findings, n_files, again)
    return int(len(findings) > 0)
