"""Claims about the error rates of the rules, as the simulation's record has them."""

import pytest

from lib.hypotheses import error_rates

H1 = {"seeds": 3, "noise": 0.05, "spread": 0.2, "studies": 400, "coverage": {"A1": 0.96, "C1": 0.93},
      "false_h1_anywhere": 0.04, "false_h2_anywhere": 0.03, "false_h1_without_seed_noise": 0.8}  # fmt: skip
H3 = {"seeds": 3, "noise": 0.05, "studies": 400, "h3_anywhere": 0.01, "h3_refuted_anywhere": 0.05,
      "longer_anywhere": 0.02, "coverage": {"general_vs_transfer": {"A1": 0.97, "C1": 0.94},
                                            "specialist_vs_transfer": {"A1": 0.95, "C1": 0.92}}}  # fmt: skip


def record(**changes):
    """A record with three conditions of H1 and one of H3."""
    conditions = {"three seeds": H1, "three seeds, noise .005": H1, "one seed": H1 | {"seeds": 1}, "H3": H3}
    return {"conditions": {name: found | changes.get(name, {}) for name, found in conditions.items()}}


def test_error_rates_show_the_worst_and_the_best_level():
    table = error_rates.simulated_error_rates(record())
    assert table["condition"].tolist() == ["three seeds", "three seeds, noise .005", "one seed"]
    assert table["seeds"].tolist() == [3, 3, 1]
    assert table.loc[0, ["coverage_lowest", "coverage_highest"]].tolist() == [0.93, 0.96]
    assert table["false_h1_without_seed_noise"].tolist() == [0.8] * 3


def test_error_rates_of_h3_are_over_its_contrasts():
    table = error_rates.h3_error_rates(record())
    assert table["condition"].tolist() == ["H3"] and table["h3_refuted_anywhere"].tolist() == [0.05]
    assert table.loc[0, ["coverage_lowest", "coverage_highest"]].tolist() == [0.92, 0.97]


@pytest.mark.parametrize(
    "changes, said",
    [
        ({}, "- **H1**: 4 to 4 % of studies in 2 conditions, in none of them more than chance"),
        (
            {"three seeds": {"false_h1_anywhere": 0.2}},
            "- **H1**: 4 to 20 % of studies in 2 conditions; more than chance explains at a true rate of 5 % in 1 of "
            "them (three seeds).",
        ),
        ({"one seed": {"false_h1_anywhere": 0.9}}, "- **H1**: 4 to 4 %"),
        ({"H3": {"longer_anywhere": 0.3}}, "- **longer training**: 30 to 30 % of studies in 1 conditions; more than"),
    ],
)
def test_conditions_with_too_many_false_claims_are_named(changes, said):
    found = record(**changes)
    rates = error_rates.simulated_error_rates(found)
    text = error_rates.error_rate_sentences(rates, error_rates.h3_error_rates(found))
    assert said in text and "80 % of studies would" in text
