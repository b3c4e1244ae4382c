"""Claims about the stamp on verdicts of models that were still improving when their budget ended."""

import pandas as pd

from lib.evaluation.attribution import budget_limits

RUNS = pd.DataFrame(
    [
        ("general", 80, 80, 80),
        ("general", 60, 80, 80),
        ("a1", 40, 80, 80),
        ("a1_transfer", 0, 80, 80),
        ("initial", 0, 0, 0),
    ],
    columns=["model", "best_at", "stopped_at", "examples_seen"],
).assign(status="trained")


def test_a_model_is_limited_if_its_last_evaluation_was_the_best():
    found = budget_limits.still_improving(RUNS)
    assert found.to_dict() == {"general": 0.5, "a1": 0.0, "a1_transfer": 0.0}


def test_the_stamp_counts_models_with_a_limited_seed():
    cost = pd.DataFrame({"model": ["general", "a1", "initial"], "still_improving": [0.5, 0.0, float("nan")]})
    assert budget_limits.stamp(cost).startswith("Budget-limited: 1 of 2 trained models were still improving")
    assert budget_limits.stamp(cost.assign(still_improving=[0.0, 0.0, float("nan")])) == ""
