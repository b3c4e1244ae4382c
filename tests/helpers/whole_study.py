"""A whole study in this process, in seconds: the cells of the seven notebooks, on any small corpus, with tiny models.

What takes long and decides nothing is left out: files of figures, progress bars, and most steps of training.
"""

import contextlib
import io
import os
import shutil
from pathlib import Path
from unittest import mock

import matplotlib.pyplot as plt
import pandas as pd

from lib.design import LEVELS
from lib.experiment import parameters
from lib.experiment.files import read_json
from lib.synthetic.demo_corpus import embedded_corpus

ROOT = Path(__file__).parents[2]
TINY = {"seeds": [0], "max_examples": 16, "eval_every": 8, "score_at": [8], "examples_per_step": 8}
TINY |= {"n_embd": 16, "n_head": 1}
MODELS = ["a1", "b1", "c1", "general", "b1_transfer", "general_equal_text_c1"]
SMALL = {
    "masks": {"vocabulary_size": 300, "masks_per_text": 1, "frozen_masks_per_text": 1},
    "infill": {"words_per_level": 2, "samples_per_level": 1},
    "hypotheses": {"bootstrap_resamples": 100, "min_learners": 2},
}
TRAITS = ["as it is", "one learner", "tiny words", "near duplicates", "one prompt"]  # of a level
SIZES = {"none": 0, "one": 1, "two": 2, "few": 6, "many": 30}  # texts of a level


def any_corpus(rng, sizes):
    """A corpus in EFCAMDAT's columns with so many texts at each level, and with or without learners, L1s and prompts.

    rng: a numpy generator, which also decides whether a level has one learner, one text many times, or empty words.
    """
    texts = embedded_corpus(800, seed=int(rng.integers(5))).astype(str)
    parts = []
    for level, n in zip(LEVELS, sizes, strict=True):
        part = texts[texts["cefr"] == level].sample(n, random_state=int(rng.integers(99)))
        trait = rng.choice(TRAITS, p=[0.6] + [0.1] * 4)
        if trait == "one learner":
            part["learner_id"] = f"only {level}"
        if trait == "tiny words":
            part["text"] = [f"{chr(97 + k % 26)}{k}" for k in range(n)]
        if trait == "near duplicates" and n:
            part["text"] = [f"{part['text'].iloc[0]} {k}" for k in range(n)]
        if trait == "one prompt":
            part["topic_id"] = "1"
        parts.append(part)
    corpus = pd.concat(parts)
    for column in ["learner_id", "l1", "topic_id"]:
        known = rng.choice(["all", "some", "none", "no column"])
        if known == "no column":
            corpus = corpus.drop(columns=column)
        elif known != "all":
            corpus.loc[rng.random(len(corpus)) < {"some": 0.3, "none": 1}[known], column] = ""
    return corpus.drop(columns=["topic"], errors="ignore")


class Study:
    """A study in `folder`, an empty folder, which is the current one while its notebooks run."""

    def __init__(self, folder, corpus, snapshots, held_out_prompts=0.0):
        self.folder = Path(folder)
        (self.folder / "runs").mkdir(parents=True)
        shutil.copytree(ROOT / "notebooks", self.folder / "notebooks")
        shutil.copytree(ROOT / "bench/records", self.folder / "bench/records")
        corpus.to_csv(self.folder / "corpus.csv", index=False)
        self.settings = {name: self._settings(name) for name in ["corpus", *SMALL, *MODELS]}
        self.settings["corpus"] |= {"held_out_prompts": held_out_prompts, "stop_if_too_small": False}
        self.settings["general"]["snapshot_at"] = dict.fromkeys(LEVELS, 8) if snapshots else {}

    def _settings(self, name):
        values = parameters.load_file(ROOT / f"params/demo/{name}.yaml").model_dump()
        return values | SMALL.get(name, TINY)

    def run(self):
        """Run all notebooks; returns {name of a notebook, with .model: its variables}."""
        cells = {}
        corpus = {"corpus": ["../corpus.csv"], "min_test_learners": SMALL["hypotheses"]["min_learners"]}
        cells["01"] = self.notebook("01_extract", self.settings["corpus"] | corpus)
        cells["02"] = self.notebook("02_mask", self.settings["masks"])
        for model in sorted(MODELS, key=lambda name: "_" in name):  # a transfer model needs its base
            for name in ["03_train", "04_evaluate"]:
                cells[f"{name[:2]}.{model}"] = self.notebook(name, self.settings[model])
            infill = self.settings["infill"] | {"model": model, "seeds": [0]}
            cells[f"05.{model}"] = self.notebook("05_infill", infill)
        cells["06"] = self.notebook("06_compare", self.settings["hypotheses"] | {"models": MODELS, "seeds": [0]})
        cells["07"] = self.notebook("07_hypotheses", self.settings["hypotheses"])
        return cells

    def notebook(self, name, values):
        """Run one notebook with these parameters; returns its variables."""
        cell = values | {"experiment": "tiny"}
        here = os.getcwd()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(io.StringIO()) as shown, mock.patch("lib.figures.style.save"):
                for source in code_cells(name):
                    exec(compile(source, name, "exec"), cell)  # noqa: S102
        finally:
            plt.close("all")
            os.chdir(here)
        cell["__shown__"] = shown.getvalue()
        return cell


def code_cells(name):
    """The sources of the code cells of a notebook, without that of parameters."""
    cells = [cell for cell in read_json(ROOT / f"notebooks/{name}.ipynb")["cells"] if cell["cell_type"] == "code"]
    return ["".join(cell["source"]) for cell in cells if "parameters" not in cell["metadata"].get("tags", [])]
