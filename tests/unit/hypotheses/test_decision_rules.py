"""Claims about the rules of H1, H2 and H3: each decides as its statement says."""

import numpy as np
import pandas as pd
import pytest

from lib.design import LEVELS
from lib.evaluation import contrasts, statistics
from lib.hypotheses import decision_rules
from lib.hypotheses.decision_rules import OVERALL, PROVISIONAL
from tests.helpers.contrasts import PARAMS, WIDE, everything, table


def verdicts(rule, contrasts):
    return rule(contrasts, PARAMS).set_index("level")["verdict"]


@pytest.mark.parametrize(
    "thetas, by_level, overall",
    [
        (0.2, ["supported"] * 5, "supported"),
        (0.0, ["not supported"] * 5, "not supported"),
        (WIDE, ["inconclusive"] * 5, "inconclusive"),
        (None, ["n/a"] * 5, "n/a"),
        (
            [0.2, 0.0, WIDE, 0.2, None],
            ["supported", "not supported", "inconclusive", "supported", "n/a"],
            "partly (A1, B2)",
        ),
        ([0.2, 0.2, 0.2, 0.2, None], ["supported"] * 4 + ["n/a"], "partly (A1, A2, B1, B2)"),
        ([0.0, 0.0, 0.0, 0.0, WIDE], ["not supported"] * 4 + ["inconclusive"], "inconclusive"),
        ([0.0, 0.0, 0.0, 0.0, None], ["not supported"] * 4 + ["n/a"], "inconclusive"),
    ],
)
def test_h1_follows_its_rule(thetas, by_level, overall):
    assert verdicts(decision_rules.h1, table(general_vs_specialist=thetas)).tolist() == [*by_level, overall]


def test_h1_needs_holm_not_five_single_tests():
    rows = table(general_vs_specialist=(np.log(1.10) + 2 * 0.01, 0.01))  # t = 2: p = .026 at each level
    found = decision_rules.h1(rows, PARAMS).set_index("level")
    assert found.loc["A1", "p"] < 0.05 < found.loc["A1", "p_adjusted"]
    assert found.loc[OVERALL, "verdict"] == "inconclusive"


def test_h1_says_strong_only_above_25_percent():
    reasons = decision_rules.h1(table(general_vs_specialist=[0.3, 0.2, 0.2, 0.0, None]), PARAMS)["reason"]
    assert ["strong" in reason for reason in reasons[:5]] == [True, False, False, False, False]


@pytest.mark.parametrize(
    "thetas, by_level, overall",
    [
        (0.0, ["equivalent"] * 5, "equivalent"),
        ((-0.09, 0.01), ["supported"] * 5, "supported"),
        (-0.3, ["general better"] * 5, "general better"),
        (0.2, ["not supported"] * 5, "not supported"),
        (WIDE, ["inconclusive"] * 5, "inconclusive"),
        (None, ["n/a"] * 5, "n/a"),
        (
            [0.0, (-0.09, 0.01), -0.3, 0.0, 0.0],
            ["equivalent", "supported", "general better", "equivalent", "equivalent"],
            "supported",
        ),
        (
            [0.0, 0.2, WIDE, None, -0.3],
            ["equivalent", "not supported", "inconclusive", "n/a", "general better"],
            "partly (A1, C1)",
        ),
        ([0.2, WIDE, WIDE, WIDE, None], ["not supported"] + ["inconclusive"] * 3 + ["n/a"], "not supported"),
    ],
)
def test_h2_follows_its_rule(thetas, by_level, overall):
    assert verdicts(decision_rules.h2, table(general_vs_best_specialist=thetas)).tolist() == [*by_level, overall]


def test_h1_and_h2_never_contradict_each_other_on_the_same_difference():
    for theta in (0.3, np.log(1.10) + 2 * 0.01, 0.0, -0.3):  # the second: p = .026 at each level, not enough for five
        both = table(general_vs_specialist=(theta, 0.01), general_vs_best_specialist=(theta, 0.01))
        specialised, suffices = verdicts(decision_rules.h1, both), verdicts(decision_rules.h2, both)
        assert ((specialised == "supported") == (suffices == "not supported")).all()
        assert ((specialised == "not supported") == suffices.isin(decision_rules.HOLDS)).all()


def test_h2_at_every_level_needs_no_smaller_p():
    rows = table(general_vs_best_specialist=(np.log(1.10) - 2 * 0.01, 0.01))  # p = .026 at each level
    found = decision_rules.h2(rows.assign(b="b2"), PARAMS).set_index("level")
    assert set(found["verdict"]) == {"equivalent"}
    assert found.loc["A1", "p_adjusted"] == pytest.approx(found.loc["A1", "p"]) and found.loc["A1", "b"] == "b2"


# (theta, se) with p = .026, below .05 but not below .05 / 5
TWICE_BELOW = (np.log(1.10) - 2 * 0.01, 0.01)
TWICE_BELOW_H3 = (np.log(1.02) - 2 * 0.005, 0.005)


def at_one_level(name, theta, **others):
    """Verdicts where a contrast has `theta` at A1 and can show nothing at the other levels."""
    return table(**{name: [theta, WIDE, WIDE, WIDE, WIDE]}, **others)


@pytest.mark.parametrize(
    "rule, at_a1, everywhere, one, all_levels",
    [
        (
            decision_rules.h1,
            at_one_level("general_vs_specialist", TWICE_BELOW),
            table(general_vs_specialist=TWICE_BELOW),
            "inconclusive",
            "not supported",
        ),
        (
            decision_rules.h2,
            at_one_level("general_vs_best_specialist", TWICE_BELOW),
            table(general_vs_best_specialist=TWICE_BELOW),
            "inconclusive",
            "equivalent",
        ),
        (
            decision_rules.h3,
            at_one_level("continued_vs_transfer", TWICE_BELOW_H3, specialist_vs_transfer=0.2, general_vs_transfer=0.2),
            table(continued_vs_transfer=TWICE_BELOW_H3, specialist_vs_transfer=0.2, general_vs_transfer=0.2),
            "inconclusive",
            "longer training",
        ),
    ],
    ids=["H1 refuted", "H2 holds", "longer training"],
)
def test_a_claim_at_one_level_needs_more_than_at_all_five(rule, at_a1, everywhere, one, all_levels):
    assert verdicts(rule, at_a1)["A1"] == one
    assert verdicts(rule, everywhere).tolist() == [all_levels] * 6


@pytest.mark.parametrize("errors, expected", [(2.8, "not supported"), (2.6, "inconclusive")])  # p = .0039 and .0065
def test_h3_is_refuted_at_one_level_by_p_below_a_tenth_of_alpha(errors, expected):
    below = (np.log(1.02) - errors * 0.005, 0.005)
    rows = at_one_level("general_vs_transfer", below, specialist_vs_transfer=WIDE)
    assert verdicts(decision_rules.h3, rows)["A1"] == expected


@pytest.mark.parametrize(
    "own, general, control, expected",
    [
        (0.1, 0.1, 0.1, "supported"),
        (0.1, 0.1, None, "supported"),
        (0.1, 0.1, 0.0, "longer training"),
        (0.1, 0.1, WIDE, "inconclusive"),
        (0.1, WIDE, 0.1, "inconclusive"),
        (WIDE, WIDE, WIDE, "inconclusive"),
        (0.1, 0.0, 0.1, "not supported"),
        (0.0, 0.1, None, "not supported"),
        (0.1, (np.log(1.02) - 1.9 * 0.005, 0.005), None, "inconclusive"),  # p = .03: two chances to refute
        (None, 0.1, 0.1, "n/a"),
        (0.1, None, 0.1, "n/a"),
    ],
)
def test_h3_follows_its_rule(own, general, control, expected):
    rows = table(specialist_vs_transfer=own, general_vs_transfer=general, continued_vs_transfer=control)
    assert verdicts(decision_rules.h3, rows).tolist() == [expected] * 6


@pytest.mark.parametrize(
    "control, overall", [([0.1, 0.0, 0.1, 0.0, 0.0], "partly (A1, B1)"), ([0.0, 0.0, 0.0, 0.0, WIDE], "inconclusive")]
)
def test_h3_is_partly_so_where_the_control_is_beaten(control, overall):
    rows = table(specialist_vs_transfer=0.1, general_vs_transfer=0.1, continued_vs_transfer=control)
    assert verdicts(decision_rules.h3, rows)[OVERALL] == overall


def test_h3_refuted_or_explained_everywhere_is_not_supported():
    rows = table(specialist_vs_transfer=[0.1, 0.1, 0.0, 0.0, 0.0], general_vs_transfer=0.1, continued_vs_transfer=0.0)
    assert verdicts(decision_rules.h3, rows)[OVERALL] == "not supported"


def test_h3_without_the_control_does_not_exclude_longer_training():
    without = decision_rules.h3(table(specialist_vs_transfer=0.1, general_vs_transfer=0.1), PARAMS)
    assert "longer training not excluded" in without.loc[0, "reason"]
    nothing_to_explain = decision_rules.h3(table(specialist_vs_transfer=0.0, general_vs_transfer=0.1), PARAMS)
    assert "longer training" not in nothing_to_explain.loc[0, "reason"]
    beaten = decision_rules.h3(
        table(specialist_vs_transfer=0.1, general_vs_transfer=0.1, continued_vs_transfer=0.1), PARAMS
    )
    assert "longer training" not in beaten.loc[0, "reason"]


def test_h3_shows_the_weakest_contrast():
    rows = table(specialist_vs_transfer=0.2, general_vs_transfer=0.1, continued_vs_transfer=0.15)
    first = decision_rules.h3(rows, PARAMS).loc[0]
    assert first["theta"] == pytest.approx(0.1) and (first["a"], first["b"]) == ("general", "a1_transfer")
    assert first["p"] == pytest.approx(float(statistics.p_above(0.1, 0.005, 40, np.log(1.02))))


def test_h3_shows_the_rival_that_refutes_it_and_not_the_control():
    rows = table(specialist_vs_transfer=0.0, general_vs_transfer=0.1, continued_vs_transfer=-0.2)
    first = decision_rules.h3(rows, PARAMS).loc[0]
    assert first["verdict"] == "not supported" and first["a"] == "a1" and first["theta"] == pytest.approx(0)


def test_h3_shows_the_control_where_longer_training_is_the_reason():
    rows = table(specialist_vs_transfer=0.1, general_vs_transfer=0.1, continued_vs_transfer=0.0)
    first = decision_rules.h3(rows, PARAMS).loc[0]
    assert first["verdict"] == "longer training" and first["a"] == "general_continued"


def test_h3_shows_the_control_where_only_it_leaves_h3_open():
    both = (np.log(1.02) + 2.7 * 0.005, 0.005)  # p = .005, times five levels: below .05
    control = (np.log(1.02) + 2.5 * 0.005, 0.005)  # p = .008
    continued = [control, WIDE, WIDE, WIDE, WIDE]
    rows = table(specialist_vs_transfer=both, general_vs_transfer=0.1, continued_vs_transfer=continued)
    first = decision_rules.h3(rows, PARAMS).loc[1]
    assert first["verdict"] == "inconclusive" and first["a"] == "general_continued"
    assert first["reason"] == decision_rules.NO_LEAD


def test_a_hypothesis_without_contrasts_is_not_available():
    found = decision_rules.decide(table(general_vs_specialist=0.3), PARAMS).set_index(["hypothesis", "level"])
    assert found.loc[("H2", "A1"), ["verdict", "reason"]].tolist() == [
        "n/a",
        "general_vs_best_specialist was not compared",
    ]
    assert found.loc[("H3", OVERALL), "verdict"] == "n/a"


def test_two_rows_for_one_level_are_refused():
    rows = table(general_vs_specialist=0.3)
    with pytest.raises(ValueError, match="general_vs_specialist occurs twice"):
        decision_rules.h1(pd.concat([rows, rows.assign(mask_type="word")]), PARAMS)


def test_a_provisional_contrast_marks_its_level_and_the_overall_row():
    rows = everything()
    rows["provisional"] = (rows["level"] == "B1") & rows["name"].isin(
        ["general_vs_specialist", "continued_vs_transfer"]
    )
    found = decision_rules.decide(rows, PARAMS).set_index(["hypothesis", "level"])["verdict"]
    assert found["H1"].tolist() == ["supported"] * 2 + ["supported (provisional)"] + ["supported"] * 2 + [
        "supported (provisional)"
    ]
    assert found[("H3", "B1")] == "supported (provisional)" and not found["H2"].str.endswith(PROVISIONAL).any()
    assert decision_rules.outcome(found[("H1", "B1")]) == "supported"


def test_the_overall_row_counts_the_levels():
    last = decision_rules.h1(table(general_vs_specialist=[0.2, 0.0, WIDE, 0.2, None]), PARAMS).iloc[-1]
    assert last["reason"] == "supported at A1, B2; not supported at A2; inconclusive at B1; n/a at C1"
    assert np.isnan(last["theta"]) and last["margin"] == pytest.approx(np.log(1.10))


def test_a_round_trip_through_csv_changes_no_verdict(tmp_path):
    rows = everything(general_vs_specialist=[0.2, 0.0, WIDE, 0.2, None])
    rows.to_csv(tmp_path / "contrasts.csv", index=False)
    again = pd.read_csv(tmp_path / "contrasts.csv", keep_default_na=False, na_values=[""])
    pd.testing.assert_frame_equal(decision_rules.decide(again, PARAMS), decision_rules.decide(rows, PARAMS))


# from scores to verdicts


def test_identical_levels_give_equivalence_and_no_specialisation():
    rng, rows = np.random.default_rng(8), []
    for level in LEVELS:
        text = pd.DataFrame(
            {
                "text_id": [f"{level}{k}" for k in range(120)],
                "level": level,
                "copied": False,
                "learner_id": [f"{level}{k // 3}" for k in range(120)],
                "mask_type": "training_mix",
                "mask_set": 0,
                "n_tokens": rng.integers(5, 20, 120),
                "n_chars": 50,
                "n_context": 60,
                "nll_context": 90.0,
            }
        )
        hard = rng.normal(2.5, 0.3, 120)
        for model in ("general", level.lower(), f"{level.lower()}_transfer"):
            for seed in (0, 1):
                nll = text["n_tokens"] * (hard + rng.normal(0, 0.05, 120) + rng.normal(0, 0.005))
                rows.append(text.assign(model=model, seed=seed, nll_text=nll, nll_full=nll + 1))
    sums = statistics.learner_sums(pd.concat(rows))
    found = []
    for level in LEVELS:
        own, transfer = level.lower(), f"{level.lower()}_transfer"
        pairs = [
            ("general_vs_specialist", "general", own),
            ("general_vs_best_specialist", "general", own),
            ("specialist_vs_transfer", own, transfer),
            ("general_vs_transfer", "general", transfer),
        ]
        found.append(contrasts.estimate(sums, pairs, level, draws=500))
    decided = decision_rules.decide(pd.concat(found), PARAMS).set_index(["hypothesis", "level"])["verdict"]
    assert decided[("H1", OVERALL)] == "not supported"
    assert decided[("H2", OVERALL)] == "equivalent"
    assert decided[("H3", OVERALL)] in ("not supported", "inconclusive")
