"""Claims about titles: they say what the numbers say, and change with them."""

import numpy as np
import pandas as pd

from lib.figures import titles


def test_the_least_surprised_is_named_at_each_level_with_models():
    rows = [("a1", "A1", 5), ("general", "A1", 6), ("general", "B1", 6), ("b1_transfer", "B1", 5), ("c1", "C1", np.nan)]
    matrix = pd.DataFrame(rows, columns=["model", "test", "ppl"]).assign(mask_type="training_mix")
    assert titles.lowest_perplexity(matrix).endswith(": specialist at A1; transfer at B1")
    assert titles.lowest_perplexity(matrix.assign(ppl=np.nan)).endswith(": n/a")


def test_a_level_where_types_disagree_is_said_to():
    gains = [1, 2, 1, 2, -3, np.nan]
    rows = pd.DataFrame({"level": ["A1", "A1", "A2", "A2", "B1", "B2"], "gain_pct": gains})
    rows = rows.assign(gain_lo=[0.5, 0.1, -0.1, 1, -5, np.nan], gain_hi=[2, 3, 4, 5, -1, np.nan])
    assert titles.span_types(rows).endswith(": the own model at A1; the general model at B1; neither at A2")


def test_the_greatest_gain_is_told_where_any_could_be_compared():
    rows, read = pd.DataFrame({"b": ["a1", "a1_transfer"], "gain_pct": [-2.0, -1.0]}), pd.Series({"specialist": 2.0})
    assert titles.cost(rows, read) == "Least is lost with a1_transfer: -1.0 %"
    rows["gain_pct"] = [20.0, 10.0]
    both = pd.Series({"specialist": 2.0, "transfer": 5.0})
    assert titles.cost(rows, both) == (
        "Most is gained with a1: +20.0 %; transfer reads 2.5 times the examples of an own model")  # fmt: skip
    assert titles.cost(rows.assign(gain_pct=np.nan), both) == "No level could be compared"


def test_the_gain_that_h1_needs_is_told_of_levels_that_were_tested():
    mde = pd.DataFrame({"level": ["A1", "A2", "B1"], "mde_above_margin_pct": [40.0, 22.0, np.nan]})
    assert titles.sample_size(mde, 0.1) == (
        "A true gain of 22 % (A2) to 40 % (A1) is needed to be shown above the margin of 10 %")  # fmt: skip
    assert titles.sample_size(mde[2:], 0.1) == "No level could be tested"


def test_groups_whose_interval_holds_zero_stay_open():
    rows = pd.DataFrame({"gain_pct": [5, -5, 1, np.nan], "gain_lo": [1, -9, -1, np.nan], "gain_hi": [9, -1, 3, np.nan]})
    said = titles.first_languages(rows)
    assert said.startswith("In 1 of 3 groups") and "in 1 the general" in said


def test_training_that_stopped_too_early_is_told():
    def curves(*ends):
        return pd.concat(pd.DataFrame({"model": f"m{i}", "seed": 0, "examples": [0, 1, 2],
                                       "valid_perplexity": [9, 5, end]}) for i, end in enumerate(ends))  # fmt: skip

    assert titles.learning_curves(curves(4, 4)) == "At its last look every model was still getting better"
    assert titles.learning_curves(curves(6, 6)) == "At its last look no model was still getting better"
    assert titles.learning_curves(curves(6, 4)) == "At their last look 1 of 2 models were still getting better"
