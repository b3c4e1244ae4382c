"""Claims about expectations: they are met, refuted or open as intervals say, never by a point alone."""

import pandas as pd
import pytest

from lib.hypotheses import decision_rules, expectations
from lib.hypotheses.expectations import AGAINST, MET, OPEN, UNKNOWN
from tests.helpers.contrasts import PARAMS, WIDE, contrast, everything, table

AHEAD, BEHIND = 0.3, -0.3


def line(word, contrasts=None, by_type=None, halved=(), smallest="C1"):
    """The line of comparison that begins with this word."""
    none = table(general_vs_specialist=None)
    by_type = none.assign(mask_type="word") if by_type is None else by_type
    contrasts = none if contrasts is None else contrasts
    text = expectations.comparison_expectations(contrasts, by_type, halved, smallest)
    return next(line for line in text.splitlines() if line.startswith(f"- **{word}"))


OUTCOMES = [(AHEAD, MET, ("A1, A2, B1, B2 and C1", "none", "none")),
            ([AHEAD, AHEAD, BEHIND, AHEAD, WIDE], AGAINST, ("A1, A2 and B2", "B1", "C1")),
            ([AHEAD, WIDE, AHEAD, AHEAD, None], OPEN, ("A1, B1 and B2", "none", "A2")),
            (WIDE, OPEN, ("none", "none", "A1, A2, B1, B2 and C1")),
            (None, UNKNOWN, ("none", "none", "none"))]  # fmt: skip


@pytest.mark.parametrize("other", ["specialist_vs_transfer", "general_vs_transfer"])
@pytest.mark.parametrize(("thetas", "word", "levels"), OUTCOMES)
def test_transfer_is_judged_by_the_intervals_of_both_differences(thetas, word, levels, other):
    rivals = {"specialist_vs_transfer": AHEAD, "general_vs_transfer": AHEAD} | {other: thetas}
    said = line("Transfer", table(**rivals))
    assert said.endswith(f" Result: {word}.")
    assert [part.split(" at: ")[1] for part in said.split(". Result")[0].split("; ")] == list(levels)


@pytest.mark.parametrize(("thetas", "word", "levels"), OUTCOMES)
def test_a_specialist_is_compared_with_every_other_specialist(thetas, word, levels):
    b1 = thetas if thetas is None else AHEAD
    rows = table(a1_vs_specialist=thetas, b1_vs_specialist=b1, general_vs_specialist=BEHIND)
    said = line("Specialist of the level", rows)
    assert said.endswith(f" Result: {word}.")
    assert f"than another specialist at: {levels[1]}; open at: {levels[2]}." in said


@pytest.mark.parametrize(("theta", "word"), [(0.8, MET), (0.6, AGAINST), ((0.7, 0.1), OPEN), (None, UNKNOWN)])
def test_half_of_the_unigram_baseline_is_a_margin_of_ln_2(theta, word):
    said = line("Unigram baseline", table(unigram_vs_specialist=theta), halved=["A1"])
    assert f" Result: {word}. " in said and said.endswith("without an interval) at: A1.")


@pytest.mark.parametrize(("at_c1", "word"), [(BEHIND, MET), (AHEAD, AGAINST), (WIDE, OPEN), (None, UNKNOWN)])
def test_the_level_with_the_fewest_texts_is_expected_to_lose(at_c1, word):
    rows = table(general_vs_specialist=[AHEAD] * 4 + [at_c1])
    assert line("General or specialist", rows).endswith(f"a loss was expected there. Result: {word}.")
    assert "A2 has the fewest training texts" in line("General or specialist", rows, smallest="A2")
    assert line("General or specialist", rows, smallest="A2").endswith(f"Result: {AGAINST}.")
    assert "fewest" not in line("General or specialist", rows, smallest=None)


@pytest.mark.parametrize(("whole", "part", "word"), [(0.5, 0.3, MET), (0.3, 0.5, AGAINST), (0.5, (0.4, 0.1), OPEN),
                                                     (0.5, None, UNKNOWN)])  # fmt: skip
def test_a_type_is_the_greatest_only_where_intervals_do_not_meet(whole, part, word):
    rows = [contrast("general_vs_specialist", "A1", theta) | {"mask_type": kind}
            for kind, theta in [("document", whole), ("word", part), ("ngram", None),
                                ("training_mix", 9.0)]]  # fmt: skip
    assert line("Span type", by_type=pd.DataFrame(rows)).endswith(f" Result: {word}.")


def verdicts(thetas, smallest="C1", **rivals):
    decided = decision_rules.decide(everything(general_vs_specialist=thetas), PARAMS)
    return expectations.verdict_expectations(decided, table(**rivals), 0.02, smallest)


def test_the_level_with_the_fewest_texts_comes_from_the_data():
    rows = [("A1", "train", 30), ("A1", "test", 1), ("B1", "train", 20), ("B2", "train", 0), ("C1", "train", 25)]
    report = {"by_level": pd.DataFrame(rows, columns=["level", "split", "n_texts"]).to_dict("list")}
    assert expectations.fewest_texts(report) == "B1"
    assert expectations.fewest_texts({"by_level": {"level": [], "split": [], "n_texts": []}}) is None
    said = verdicts([0.3, 0.3, 0.3, 0, 0], "B1", specialist_vs_transfer=0.1, general_vs_transfer=0.1)
    assert f"B1 has the fewest training texts, so H1 was expected to fail there. Result: {AGAINST}." in said
    for theta, result in [(0.0, MET), (WIDE, OPEN), (None, UNKNOWN)]:
        said = verdicts([0.3, 0.3, theta, 0, 0], "B1", specialist_vs_transfer=0.1, general_vs_transfer=0.1)
        assert f"fail there. Result: {result}." in said


def test_verdicts_may_be_as_expected_or_contrary_to_it():
    as_expected = verdicts([0.3, 0, 0, 0, 0], specialist_vs_transfer=0.1, general_vs_transfer=[0.1, 0, 0, 0, 0])
    assert "It holds at: A1. All of these are low levels. Result: as expected" in as_expected
    assert "against the general model at: A1. Result: as expected" in as_expected
    otherwise = verdicts(0.3, specialist_vs_transfer=0.0, general_vs_transfer=0.1)
    assert "not expected to hold at B2 and C1. Result: contrary to expectation" in otherwise
    assert "against the specialist at: none" in otherwise and otherwise.count("contrary to expectation") >= 3
    nothing = verdicts(WIDE, specialist_vs_transfer=0.0, general_vs_transfer=0.0)
    assert "the expectation about low levels is not confirmed" in nothing and "neither rival is beaten" in nothing


def test_where_nothing_was_tested_no_expectation_is_judged():
    decided = decision_rules.decide(everything(), PARAMS).assign(verdict="n/a")
    said = expectations.verdict_expectations(decided, everything(), 0.02, "C1")
    assert said.strip() == "No hypothesis was tested at any level, so no expectation is met or contradicted."
