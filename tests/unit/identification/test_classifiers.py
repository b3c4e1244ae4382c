"""Claims about classifiers: made-up perplexities whose right level is known, and scikit-learn's own answers."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from lib.design import LEVELS
from lib.identification import classifiers


def right(answers, levels):
    return (np.asarray(answers) == levels).mean()


def test_separated_levels_are_all_identified(surprisal, balanced):
    levels, _ = balanced
    log_ppl = surprisal(levels, 5)
    assert right(classifiers.least_perplexed(log_ppl), levels) == 1
    assert right(classifiers.calibrated_level(classifiers.calibrate(log_ppl, levels), log_ppl), levels) == 1


def test_equal_models_are_right_by_chance(surprisal, balanced):
    levels, _ = balanced
    fitted = classifiers.calibrate(surprisal(levels, 0, seed=1), levels)
    for answers in [
        classifiers.least_perplexed(surprisal(levels, 0, seed=2)),
        classifiers.calibrated_level(fitted, surprisal(levels, 0, seed=2)),
    ]:
        assert 0.1 < right(answers, levels) < 0.3


def test_a_tie_goes_to_the_lowest_of_the_levels():
    log_ppl = pd.DataFrame([[2, 1, 1, 3, 1], [1, 1, 1, 1, 1], [2, 2, 2, 1, 1.0]], columns=LEVELS)
    assert classifiers.least_perplexed(log_ppl).tolist() == ["A2", "A1", "B2"]


def test_identical_models_are_no_obstacle_to_calibration(balanced):
    levels, _ = balanced
    same = pd.DataFrame(np.full((len(levels), 5), 2.0), columns=LEVELS)
    shares = classifiers.probabilities(classifiers.calibrate(same, levels), classifiers.features(same))
    assert shares == pytest.approx(np.full(shares.shape, 0.2), abs=1e-3)


def test_calibration_mends_a_model_that_is_always_surprised(surprisal, balanced):
    levels, _ = balanced
    valid, test = surprisal(levels, 2, seed=1), surprisal(levels, 2, seed=2)
    valid["B1"], test["B1"] = valid["B1"] + 4, test["B1"] + 4  # as if it had been trained for less long
    raw = classifiers.least_perplexed(test)
    assert "B1" not in raw and right(raw, levels) < 0.85
    assert right(classifiers.calibrated_level(classifiers.calibrate(valid, levels), test), levels) > 0.98


def test_calibration_on_a_shifted_corpus_can_do_harm(surprisal, balanced):
    levels, _ = balanced
    fitted = classifiers.calibrate(surprisal(levels, 2, seed=1) + [0, 0, 4, 0, 0], levels)
    shifted = surprisal(levels, 2, seed=2)  # where the bias that was calibrated away does not exist
    assert right(classifiers.least_perplexed(shifted), levels) > 0.98
    assert right(classifiers.calibrated_level(fitted, shifted), levels) < 0.5


@pytest.mark.parametrize("present", [LEVELS, ["A1", "A2", "C1"], ["A2", "B2"]])
def test_probabilities_are_those_of_scikit_learn(surprisal, balanced, present):
    levels, _ = balanced
    rows = np.isin(levels, present)
    inputs = classifiers.features(surprisal(levels, 0.5)[rows])
    fitted = json.loads(json.dumps(classifiers.fit(inputs, levels[rows])))
    scaler = StandardScaler().fit(inputs)
    model = LogisticRegression(C=classifiers.STRENGTH, max_iter=10_000).fit(scaler.transform(inputs), levels[rows])
    expected = model.predict_proba(scaler.transform(inputs))
    assert fitted["levels"] == present
    assert classifiers.probabilities(fitted, inputs) == pytest.approx(expected, abs=1e-9)
    assert (classifiers.most_probable(fitted, inputs) == model.predict(scaler.transform(inputs))).all()


def test_features_keep_the_perplexities_and_part_the_mean():
    log_ppl = pd.DataFrame([[1, 2, 3, 4, 5.0]], columns=LEVELS)
    assert classifiers.features(log_ppl).tolist() == [[-2, -1, 0, 1, 2, 3]]
