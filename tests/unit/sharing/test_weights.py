"""Claims about weights: none is shared unless the memorisation report clears it, with no rare word in its tokenizer."""

import numpy as np
import pandas as pd
import pytest

from lib import errors
from lib.experiment.files import file_hash, write_json
from lib.experiment.folders import Experiment
from lib.sharing import weights


def test_weights_stay_unless_a_report_clears_these_very_ones(tmp_path):
    run = Experiment("study", tmp_path)
    write_json({}, run.model("a1", 0) / weights.WEIGHTS)
    known = {"weights": file_hash(run.model("a1", 0) / weights.WEIGHTS), "reason": "a gap"}
    other_weights = known | {"weights": "other", "verdict": weights.MAY_BE_SHARED}
    for report in [{}, {"a1/seed0": other_weights}, {"a1/seed0": known | {"verdict": "must not be shared"}}]:
        write_json({"models": report}, run.folder / "memorisation/memorisation.json")
        with pytest.raises(errors.LeakFound):
            weights.require_cleared(run, "a1", 0)
    cleared = {"models": {"a1/seed0": known | {"verdict": weights.MAY_BE_SHARED}}}
    write_json(cleared, run.folder / "memorisation/memorisation.json")
    weights.require_cleared(run, "a1", 0)


def test_a_vocabulary_that_learned_a_name_is_refused():
    """Anna is written by six learners, Xaver by one, and "Xave" only as a part of it."""
    tokens = ["A", "X", "na", "Anna", "Ann", "Xav", "Xave", "Xaver", "e", "r", "av", "a"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    merges = [["X", "av"], ["Ann", "a"], ["Xav", "e"], ["Xave", "r"]]
    texts = pd.DataFrame({"ids": [[3, 0]] * 6 + [[7, 7, 7]], "learner": [*range(6), 6]})
    texts["ids"] = texts["ids"].map(np.array)
    assert weights.rare_tokens(texts, merges, vocabulary, 5) == [vocabulary["Xave"], vocabulary["Xaver"]]
    last = texts.iloc[-1:]
    everyone = pd.concat([texts, *(last.assign(learner=learner) for learner in [6, 7, 8, 9, 10])])
    assert weights.rare_tokens(everyone, merges, vocabulary, 5) == []


def test_only_weights_of_manifests_are_certified(tmp_path):
    run = Experiment("study", tmp_path)
    write_json({"files": {weights.WEIGHTS: "aa", "order.parquet": "bb"}}, run.model("a1", 0) / "manifest.json")
    write_json({"files": {"train.json": "cc"}}, run.model("b1", 1) / "manifest.json")
    assert weights.weight_hashes(run) == {"aa"}
