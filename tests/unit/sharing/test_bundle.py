"""Claims about what may leave: nothing without its reason."""

import numpy as np
import pandas as pd
import pytest

from lib import errors
from lib.experiment.files import write_json
from lib.experiment.folders import Experiment
from lib.sharing import bundle


def test_weights_stay_unless_a_report_lets_these_very_ones_go(tmp_path):
    run = Experiment("study", tmp_path)
    write_json({}, run.model("a1", 0) / bundle.WEIGHTS)
    known = {"weights": bundle.file_hash(run.model("a1", 0) / bundle.WEIGHTS), "reason": "a gap"}
    for told in [{}, {"a1/seed0": known | {"weights": "other", "verdict": bundle.MAY}},
                 {"a1/seed0": known | {"verdict": "must not be shared"}}]:  # fmt: skip
        write_json({"models": told}, run.folder / "memorisation/memorisation.json")
        with pytest.raises(errors.LeakFound):
            bundle._may_leave(run, "a1", 0)
    allowed = {"models": {"a1/seed0": known | {"verdict": bundle.MAY}}}
    write_json(allowed, run.folder / "memorisation/memorisation.json")
    bundle._may_leave(run, "a1", 0)


def test_a_vocabulary_that_learned_a_name_is_refused():
    """Anna is written by six learners, Xaver by one, and "Xave" only as a part of it."""
    vocabulary = {token: n for n, token in enumerate(["A", "X", "na", "Anna", "Ann", "Xav", "Xave", "Xaver", "e", "r"])}
    merges = [["X", "av"], ["Ann", "a"], ["Xav", "e"], ["Xave", "r"]]
    vocabulary |= {"av": 10, "a": 11}
    texts = pd.DataFrame({"ids": [[3, 0]] * 6 + [[7, 7, 7]], "learner": [*range(6), 6]})
    texts["ids"] = texts["ids"].map(np.array)
    assert bundle.rare_tokens(texts, merges, vocabulary, 5) == [vocabulary["Xave"], vocabulary["Xaver"]]
    everyone = pd.concat([texts, texts.iloc[-1:].assign(learner=6)] + [texts.iloc[-1:].assign(learner=n)
                          for n in range(7, 11)])  # fmt: skip
    assert bundle.rare_tokens(everyone, merges, vocabulary, 5) == []
