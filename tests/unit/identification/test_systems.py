"""Claims about the systems: who answers, which levels they know, and why one has no answer."""

import numpy as np
import pandas as pd
import pytest

from lib.design import LEVELS
from lib.identification import systems
from lib.identification.systems import Learned, comparable_levels, identify

WORDS = dict(zip(LEVELS, ["dog cat", "school friend", "holiday travel", "economy policy", "hermeneutic discourse"]))


def texts_of(levels):
    index = pd.RangeIndex(len(levels), name="text_id")
    return pd.DataFrame({"level": levels, "text": [WORDS[level] for level in levels]}, index=index)


@pytest.fixture
def learned(surprisal, balanced):
    texts = texts_of(balanced[0])
    kinds = dict.fromkeys(["specialists", "transfer models"], surprisal(balanced[0], 2, seed=1))
    return Learned(texts, texts, kinds)


def test_all_systems_answer_every_text(learned, surprisal, balanced, settings):
    levels, _ = balanced
    found, remarks = identify(learned, texts_of(levels), dict.fromkeys(learned.log_ppl, surprisal(levels, 2)), settings)
    assert list(found) == systems.SYSTEMS and found.notna().all(axis=None) and remarks == {}
    right = found.eq(pd.Series(levels), axis=0).mean()
    assert right.drop(["length", "majority"]).min() > 0.95 and right["majority"] == 0.2


def test_a_kind_with_too_few_models_is_na_with_the_reason(learned, surprisal, balanced, settings):
    levels, _ = balanced
    found, remarks = identify(learned, texts_of(levels), {"specialists": surprisal(levels, 2)}, settings)
    assert found["transfer models, calibrated"].isna().all() and found["specialists, calibrated"].notna().all()
    assert remarks["transfer models, least perplexed"] == "fewer than two trained models"


def test_levels_without_models_in_one_kind_are_left_out():
    models = {level: level.lower() for level in LEVELS}
    without_b1 = {level: model for level, model in models.items() if level != "B1"}
    kinds = {"specialists": (without_b1, [0], {}), "transfer models": (models, [0], {})}
    assert comparable_levels(kinds) == ["A1", "A2", "B2", "C1"]
    kinds["transfer models"] = ({"A1": "a1"}, [0], {})
    assert comparable_levels(kinds) == ["A1", "A2", "B2", "C1"], "a single model identifies nothing"


def test_a_level_with_few_validation_texts_is_never_answered(surprisal):
    levels = pd.Series(np.repeat(["A1", "A2", "C1"], [20, 20, 2]))
    classifier, remark = systems.calibration(surprisal(levels, 3), levels, min_texts=5)
    assert classifier["levels"] == ["A1", "A2"] and "C1" in remark and "never answers" in remark


@pytest.mark.parametrize("counts", [[20, 0], [20, 2], [0, 0]])
def test_one_level_of_validation_texts_is_too_few(surprisal, counts):
    levels = pd.Series(np.repeat(["A1", "A2"], counts))
    classifier, remark = systems.calibration(surprisal(levels, 3), levels, min_texts=5)
    assert classifier is None and "two are needed" in remark


def test_a_baseline_that_cannot_learn_is_na_with_the_reason(learned, surprisal, settings):
    levels = ["A1", "A2"]
    alike = learned._replace(train=texts_of(["A1"] * 5))
    found, remarks = identify(alike, texts_of(levels), {"specialists": surprisal(levels, 2)}, settings)
    assert found["TF-IDF"].isna().all() and "one level only" in remarks["TF-IDF"]
    assert found["majority"].tolist() == ["A1", "A1"]
