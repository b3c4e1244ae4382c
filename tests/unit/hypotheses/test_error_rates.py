"""Claims about the error rates of the rules, as the simulation's record has them."""

import pandas as pd
import pytest

from lib.hypotheses import error_rates


def test_error_rates_show_the_worst_and_the_best_level():
    condition = {"seeds": 3, "noise": 0.05, "spread": 0.2, "studies": 8, "coverage": {"A1": 0.96, "C1": 0.93},
                 "false_h1_anywhere": 0.04, "false_h1_without_seed_noise": 0.8, "false_h1": {"A1": 0.01}}  # fmt: skip
    record = {"conditions": {"three seeds": condition, "two seeds": condition | {"seeds": 2}}}
    table = error_rates.simulated_error_rates(record)
    assert table["condition"].tolist() == ["three seeds", "two seeds"] and table["seeds"].tolist() == [3, 2]
    assert table.loc[0, ["coverage_lowest", "coverage_highest"]].tolist() == [0.93, 0.96]
    assert table["false_h1_without_seed_noise"].tolist() == [0.8, 0.8]


@pytest.mark.parametrize("false, said", [(0.03, "In none of 2 conditions"), (0.2, "In 2 of 2 conditions")])
def test_conditions_with_too_many_false_claims_are_counted(false, said):
    rates = pd.DataFrame({"condition": ["three seeds", "three seeds, noise .005", "one seed"], "seeds": [3, 3, 1]})
    rates = rates.assign(noise=0.048, studies=400, false_h1_anywhere=[false, false, 0.9])
    text = error_rates.error_rate_sentences(rates.assign(false_h1_without_seed_noise=0.8))
    assert said in text and f"{100 * false:.0f} to {100 * false:.0f} % of studies" in text and "80 % of studies" in text
