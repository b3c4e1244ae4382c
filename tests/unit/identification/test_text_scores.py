"""Claims about a text's perplexity: what is summed, over what, and which models have one."""

import numpy as np
import pandas as pd
import pytest

from lib.errors import MissingResult
from lib.experiment.files import write_json, write_table
from lib.experiment.folders import Experiment
from lib.identification import text_scores

ROWS = pd.DataFrame(
    {
        "text_id": [1, 1, 1, 2, 3, 4, 5],
        "mask_type": ["training_mix", "training_mix", "word", *["training_mix"] * 4],
        "nll_text": [6.0, 2.0, 90.0, 5.0, 9.0, 9.0, 0.0],
        "n_tokens": [3, 1, 9, 5, 3, 3, 0],
        "copied": [False, False, False, False, True, False, False],
        "held_out": [False, False, False, False, False, True, False],
    }
)


def test_masks_of_a_text_are_summed_before_dividing():
    assert text_scores.log_perplexity(ROWS).to_dict() == {1: 2.0, 2: 1.0}  # not the copied, held out and empty ones


def test_texts_of_another_corpus_are_neither_copied_nor_held_out():
    assert text_scores.log_perplexity(ROWS.drop(columns=["copied", "held_out"])).to_dict() == {1: 2, 2: 1, 3: 3, 4: 3}


def test_seeds_are_averaged_in_logarithms():
    frames = {0: pd.DataFrame({"A1": [np.log(10)]}), 1: pd.DataFrame({"A1": [np.log(1000)]})}
    assert np.exp(text_scores.mean_over_seeds(frames)).loc[0, "A1"] == pytest.approx(100)


def test_models_that_are_absent_or_untrained_have_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(Experiment, "require", lambda run, path, made_by: path)
    run = Experiment("study", tmp_path)
    for seed in (0, 2):
        write_json({"status": "trained"}, run.model("a1", seed) / "train.json")
    write_json({"status": "n/a", "reason": "no text of B1"}, run.model("b1", 0) / "train.json")
    models, seeds, reasons = text_scores.trained_models(run, "specialists")
    assert models == {"A1": "a1"} and seeds == [0, 2]
    assert reasons["B1"] == "b1 is n/a: no text of B1" and "no model c1" in reasons["C1"]
    with pytest.raises(MissingResult, match="no text of B1"):
        text_scores.require_two({"specialists": (models, seeds, reasons)})


def test_only_texts_that_every_model_has_scored_are_used(tmp_path, monkeypatch):
    monkeypatch.setattr(Experiment, "require", lambda run, path, made_by: path)
    run = Experiment("study", tmp_path)
    write_table(ROWS, run.scores("a1", 0))
    write_table(ROWS[ROWS["text_id"] != 2], run.scores("a2", 0))
    (table,) = text_scores.evaluated(run, {"A1": "a1", "A2": "a2"}, [0], "scores").values()
    assert table.index.tolist() == [1] and table.columns.tolist() == ["A1", "A2"]
