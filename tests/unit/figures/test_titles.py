"""Claims about titles: they state what the numbers show, and change with them."""

import numpy as np
import pandas as pd

from lib.figures import titles


def test_the_lowest_perplexity_is_named_at_each_level_with_models():
    rows = [("a1", "A1", 5), ("general", "A1", 6), ("general", "B1", 6), ("b1_transfer", "B1", 5), ("c1", "C1", np.nan)]
    matrix = pd.DataFrame(rows, columns=["model", "test", "ppl"]).assign(mask_type="training_mix")
    assert titles.lowest_perplexity(matrix).endswith(": specialist at A1; transfer at B1")
    assert titles.lowest_perplexity(matrix.assign(ppl=np.nan)).endswith(": n/a")


def test_a_level_at_which_span_types_disagree_is_named():
    gains = [1, 2, 1, 2, -3, np.nan]
    rows = pd.DataFrame({"level": ["A1", "A1", "A2", "A2", "B1", "B2"], "gain_pct": gains})
    rows = rows.assign(gain_lo=[0.5, 0.1, -0.1, 1, -5, np.nan], gain_hi=[2, 3, 4, 5, -1, np.nan])
    assert titles.span_types(rows).endswith(": specialist at A1; general model at B1; neither at A2")
    undecided = rows.assign(gain_lo=-1.0, gain_hi=1.0)
    assert titles.span_types(undecided).startswith("At no level is one model significantly better")
    assert titles.span_types(rows[5:]) == "No level could be compared"


def test_the_largest_gain_is_named_if_any_level_was_compared():
    rows = pd.DataFrame({"b": ["a1", "a1_transfer"], "gain_pct": [-2.0, -1.0]})
    examples = pd.Series({"specialist": 2.0})
    assert titles.cost(rows, examples) == "Smallest loss over the general model: A1 transfer, -1.0 %"
    rows["gain_pct"] = [20.0, 10.0]
    both = pd.Series({"specialist": 2.0, "transfer": 5.0})
    title = "Largest gain over the general model: A1 specialist, +20.0 %; "
    assert titles.cost(rows, both) == title + "transfer reads 2.5 times the examples of a specialist"
    assert titles.cost(rows.assign(gain_pct=np.nan), both) == "No level could be compared"


def test_the_detectable_gain_is_given_for_levels_that_were_tested():
    mde = pd.DataFrame({"level": ["A1", "A2", "B1"], "mde_above_margin_pct": [40.0, 22.0, np.nan]})
    title = "The minimum detectable gain above the margin of 10 % is 22 % (A2) to 40 % (A1)"
    assert titles.sample_size(mde, 0.1) == title
    assert titles.sample_size(mde[2:], 0.1) == "No level could be tested"


def test_groups_whose_interval_contains_zero_are_not_counted():
    rows = pd.DataFrame({"gain_pct": [5, -5, 1, np.nan], "gain_lo": [1, -9, -1, np.nan], "gain_hi": [9, -1, 3, np.nan]})
    title = titles.first_languages(rows)
    assert "better in 1 of 3 groups" in title and title.endswith("worse in 1")
    assert titles.token_classes(rows).endswith("better in 1 of 3 classes of tokens, and worse in 1")


def test_models_that_were_still_improving_are_counted():
    def curves(*ends):
        return pd.concat(pd.DataFrame({"model": f"m{i}", "seed": 0, "examples": [0, 1, 2],
                                       "valid_perplexity": [9, 5, end]}) for i, end in enumerate(ends))  # fmt: skip

    assert titles.learning_curves(curves(4, 4)) == "Every model was still improving at its last evaluation"
    assert titles.learning_curves(curves(6, 6)) == "No model was still improving at its last evaluation"
    assert titles.learning_curves(curves(6, 4)) == "1 of 2 models were still improving at their last evaluation"
