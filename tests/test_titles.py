"""Claims about titles: they say what the numbers say, and change with them."""

import numpy as np
import pandas as pd

from lib import titles


def test_the_least_surprised_is_named_level_by_level_and_a_level_without_models_left_out():
    rows = [("a1", "A1", 5), ("general", "A1", 6), ("general", "B1", 6), ("b1_transfer", "B1", 5), ("c1", "C1", np.nan)]
    matrix = pd.DataFrame(rows, columns=["model", "test", "ppl"]).assign(mask_type="mix")
    assert titles.least_surprised(matrix).endswith(": own at A1; transfer at B1")
    assert titles.least_surprised(matrix.assign(ppl=np.nan)).endswith(": n/a")


def test_a_level_where_types_disagree_is_said_to():
    rows = pd.DataFrame({"level": ["A1", "A1", "A2", "A2", "B1"], "gain_pct": [1, 2, -1, 2, np.nan]})
    assert titles.types_of_blanks(rows).endswith(": the own model at A1; now one, now the other at A2")


def test_groups_whose_interval_holds_zero_stay_open():
    rows = pd.DataFrame({"gain_pct": [5, -5, 1, np.nan], "gain_lo": [1, -9, -1, np.nan], "gain_hi": [9, -1, 3, np.nan]})
    said = titles.first_languages(rows)
    assert said.startswith("In 1 of 3 groups") and "in 1 the general" in said


def test_training_that_stopped_too_early_is_told():
    def curves(*ends):
        return pd.concat(pd.DataFrame({"model": f"m{i}", "seed": 0, "examples": [0, 1, 2],
                                       "valid_perplexity": [9, 5, end]}) for i, end in enumerate(ends))  # fmt: skip

    assert titles.learned(curves(4, 4)) == "At its last look every model was still getting better"
    assert titles.learned(curves(6, 6)) == "At its last look no model was still getting better"
    assert titles.learned(curves(6, 4)) == "At their last look 1 of 2 models were still getting better"
