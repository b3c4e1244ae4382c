"""Claims about the costs of models, with those of their bases."""

import numpy as np
import pandas as pd
import pytest

from lib.evaluation import costs


def test_a_models_cost_includes_its_base():
    own = {"status": "trained", "reason": None, "examples_seen": 100, "megabytes": 1.0, "parameters_total": 7}
    own |= {"best_at": 80, "stopped_at": 100}
    runs = pd.DataFrame([
        own | {"model": "general", "seed": 0, "init_from": "scratch", "valid_perplexity": 4, "start_perplexity": 9},
        own | {"model": "general", "seed": 1, "init_from": "scratch", "valid_perplexity": 9, "start_perplexity": 9},
        own | {"model": "a1_transfer", "seed": 0, "init_from": "general", "valid_perplexity": 2, "start_perplexity": 4},
        {"model": "b2", "seed": 0, "init_from": "scratch", "status": "n/a", "reason": "there is no text"},
    ])  # fmt: skip
    cost = costs.cost_table(runs, ["b2", "general", "a1_transfer"]).set_index("model")
    assert cost.index.tolist() == ["b2", "general", "a1_transfer"] and cost["seeds"].tolist() == [0, 2, 1]
    assert cost.loc["general", "still_improving"] == 0 and np.isnan(cost.loc["b2", "still_improving"])
    assert (
        cost.loc["general", "valid_perplexity"] == pytest.approx(6) and cost.loc["b2", "reason"] == "there is no text"
    )
    hours = costs.training_hours(cost.reset_index(), runs, [3600, 7200, 1800]).set_index("model")["hours"]
    assert hours["general"] == 1.5 and hours["a1_transfer"] == 2.0 and np.isnan(hours["b2"])
