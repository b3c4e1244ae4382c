"""Claims about expectations: they are met, refuted or open as intervals say, never by a point alone."""

import pandas as pd
import pytest

from lib.hypotheses import decision_rules, expectations
from lib.hypotheses.expectations import AGAINST, MET, OPEN, UNKNOWN
from tests.helpers.contrasts import PARAMS, WIDE, contrast, everything, table

AHEAD, BEHIND = 0.3, -0.3
pytestmark = pytest.mark.usefixtures("quick_garbage_collection")


def told(word, contrasts=None, by_type=None, halved=()):
    """The line of comparison that begins with this word."""
    none = table(general_vs_specialist=None)
    by_type = none.assign(mask_type="word") if by_type is None else by_type
    lines = expectations.comparison_expectations(none if contrasts is None else contrasts, by_type, halved).splitlines()
    return next(line for line in lines if line.startswith(f"- **{word}"))


OUTCOMES = [(AHEAD, MET, ("A1, A2, B1, B2 and C1", "none", "none")),
            ([AHEAD, AHEAD, BEHIND, AHEAD, WIDE], AGAINST, ("A1, A2 and B2", "B1", "C1")),
            ([AHEAD, WIDE, AHEAD, AHEAD, None], OPEN, ("A1, B1 and B2", "none", "A2")),
            (WIDE, OPEN, ("none", "none", "A1, A2, B1, B2 and C1")),
            (None, UNKNOWN, ("none", "none", "none"))]  # fmt: skip


@pytest.mark.parametrize("other", ["specialist_vs_transfer", "general_vs_transfer"])
@pytest.mark.parametrize(("thetas", "word", "levels"), OUTCOMES)
def test_transfer_is_judged_by_the_intervals_of_both_differences(thetas, word, levels, other):
    rivals = {"specialist_vs_transfer": AHEAD, "general_vs_transfer": AHEAD} | {other: thetas}
    said = told("Transfer", table(**rivals))
    assert said.endswith(f"; {word}.")
    assert [part.split(" at: ")[1] for part in said.split("; ")[:3]] == list(levels)


@pytest.mark.parametrize(("thetas", "word", "levels"), OUTCOMES)
def test_the_own_model_is_held_against_every_other_specialist(thetas, word, levels):
    b1 = thetas if thetas is None else AHEAD
    rows = table(a1_vs_specialist=thetas, b1_vs_specialist=b1, general_vs_specialist=BEHIND)
    said = told("Own level", rows)
    assert said.endswith(f"; {word}.") and f"more surprised than one at: {levels[1]}; open at: {levels[2]};" in said


@pytest.mark.parametrize(("theta", "word"), [(0.8, MET), (0.6, AGAINST), ((0.7, 0.1), OPEN), (None, UNKNOWN)])
def test_half_of_the_floor_is_a_margin_of_ln_2(theta, word):
    said = told("Floor", table(unigram_vs_specialist=theta), halved=["A1"])
    assert f"; {word}. " in said and said.endswith("without an interval) at: A1.")


@pytest.mark.parametrize(("at_c1", "word"), [(BEHIND, MET), (AHEAD, AGAINST), (WIDE, OPEN), (None, UNKNOWN)])
def test_c1_is_expected_to_lose_and_may_stay_open(at_c1, word):
    assert told("General or own", table(general_vs_specialist=[AHEAD] * 4 + [at_c1])).endswith(f"should lose: {word}.")


@pytest.mark.parametrize(("whole", "part", "word"), [(0.5, 0.3, MET), (0.3, 0.5, AGAINST), (0.5, (0.4, 0.1), OPEN),
                                                     (0.5, None, UNKNOWN)])  # fmt: skip
def test_a_type_is_the_greatest_only_where_intervals_do_not_meet(whole, part, word):
    rows = [contrast("general_vs_specialist", "A1", theta) | {"mask_type": kind}
            for kind, theta in [("document", whole), ("word", part), ("ngram", None),
                                ("training_mix", 9.0)]]  # fmt: skip
    assert told("Type of blank", by_type=pd.DataFrame(rows)).endswith(f"; {word}.")


def verdicts(thetas, **rivals):
    return expectations.verdict_expectations(
        decision_rules.decide(everything(general_vs_specialist=thetas), PARAMS), table(**rivals), 0.02
    )


def test_what_came_out_may_go_for_or_against_what_was_expected():
    as_expected = verdicts([0.3, 0, 0, 0, 0], specialist_vs_transfer=0.1, general_vs_transfer=[0.1, 0, 0, 0, 0])
    assert "It holds at: A1. All below B2, as expected" in as_expected
    assert "over the general model at: A1; as expected" in as_expected
    otherwise = verdicts(0.3, specialist_vs_transfer=0.0, general_vs_transfer=0.1)
    assert "B2 and C1 among them, against what was expected" in otherwise
    assert "over the own model at: none" in otherwise and otherwise.count("against what was expected") >= 2
    nothing = verdicts(WIDE, specialist_vs_transfer=0.0, general_vs_transfer=0.0)
    assert "nothing speaks for low levels" in nothing and "neither rival is beaten" in nothing
