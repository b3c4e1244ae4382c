"""Claims about the words of verdicts: every outcome has its own, and they state no more than the numbers show."""

import functools
import itertools
import re

import numpy as np
import pandas as pd
import pytest

from lib.design import LEVELS
from lib.evaluation.contrasts import select
from lib.hypotheses import decision_rules, robustness, verdict_text
from lib.hypotheses.decision_rules import NOT_SUPPORTED, OVERALL, PROVISIONAL
from tests.helpers.contrasts import PARAMS, WIDE, everything, table

DECIDED_BY = {"H1": "general_vs_specialist", "H2": "general_vs_best_specialist", "H3": "specialist_vs_transfer"}
OUTCOMES = [("H1", theta, "specialist") for theta in (0.3, 0.0, WIDE, None, [0.3, 0.0, WIDE, None, 0.3])]
OUTCOMES += [("H2", theta, "best specialist")
             for theta in (0.0, (-0.09, 0.01), -0.3, 0.2, WIDE, None, [0.0] + [0.2] * 4)]  # fmt: skip
OUTCOMES += [("H3", theta, "transfer") for theta in (0.1, 0.0, WIDE, None, [0.1, 0.0, WIDE, None, 0.1])]
FAILED = pd.DataFrame({"check": ["masks equal for all models"], "holds": [False], "detail": ["a1"]})
SOUND = FAILED.assign(holds=True)


def decided(hypothesis="H1", thetas=0.3, checks=None, provisional=False):
    rows = everything(**{DECIDED_BY[hypothesis]: thetas}).assign(provisional=provisional)
    return decision_rules.decide(rows, PARAMS, checks)


@pytest.mark.parametrize("provisional", [False, True])
@pytest.mark.parametrize("hypothesis, thetas, about", OUTCOMES)
def test_every_outcome_has_words_that_name_it(hypothesis, thetas, about, provisional):
    found = decided(hypothesis, thetas, provisional=provisional)
    levels = found[(found["hypothesis"] == hypothesis) & (found["level"] != OVERALL)]
    for _, row in levels.iterrows():
        words = verdict_text.verdict_sentence(row)
        assert about in words and words.startswith(f"At {row['level']} ") and words.endswith(".")
        assert "{" not in words and "nan" not in words
        assert ("(provisional)" in words) == row["verdict"].endswith(PROVISIONAL)
    title = verdict_text.hypothesis_title(hypothesis, found)
    assert about.lower() in title.lower()
    assert all(level in title for level in LEVELS) or "at every level" in title
    assert ("(provisional)" in title) == levels["verdict"].str.endswith(PROVISIONAL).any()


def test_no_two_outcomes_have_the_same_words():
    thetas = {"H1": [0.3, 0.0, WIDE, None], "H2": [0.0, (-0.09, 0.01), -0.3, 0.2, WIDE, None],
              "H3": [0.1, 0.0, WIDE, None]}  # fmt: skip
    for hypothesis, values in thetas.items():
        tables = [decided(hypothesis, value) for value in [*values, [values[0]] * 4 + [None]]]
        tables += [decided(hypothesis, 0.3, FAILED)]
        tables += [decision_rules.decide(everything(continued_vs_transfer=0.0), PARAMS)] * (hypothesis == "H3")
        titles = [verdict_text.hypothesis_title(hypothesis, found) for found in tables]
        assert len(set(titles)) == len(titles), titles
        firsts = [found[found["hypothesis"] == hypothesis].iloc[0] for found in tables[: len(values)]]
        levels = [verdict_text.verdict_sentence(row) for row in firsts]
        assert len(set(levels)) == len(levels), levels


def test_titles_state_the_conclusion_level_by_level():
    found = decision_rules.decide(
        everything(general_vs_specialist=[0.3, 0.0, WIDE, None, 0.3], continued_vs_transfer=0.0), PARAMS
    )
    assert verdict_text.hypothesis_title("H1", found) == (
        "Specialists beat the general model by more than 10 % at A1 and C1; they do not at A2; open at B1; "
        "not tested at B2")  # fmt: skip
    assert verdict_text.hypothesis_title("H2", found) == (
        "The general model and the best specialist are within 10 % of each other at every level")  # fmt: skip
    assert verdict_text.hypothesis_title("H3", found) == (
        "Transfer beats the specialist and the general model, but not a general model trained as long, at every level"
    )


def test_a_title_in_which_nothing_holds_begins_with_what_is_refuted():
    assert verdict_text.hypothesis_title("H2", decided("H2", [0.2, 0.2, WIDE, WIDE, 0.2])) == (
        "The general model is more than 10 % behind the best specialist at A1, A2 and C1; open at B1 and B2"
    )
    assert verdict_text.hypothesis_title("H1", decided("H1", WIDE)) == (
        "It is open at every level whether specialists beat the general model by more than 10 %"
    )


def robust(**alternatives):
    """Verdicts of a study in which H1 holds, with `robust` by these alternative analyses."""
    decide = functools.partial(decision_rules.decide, params=PARAMS)
    return robustness.robustness(decide, everything(), alternatives)[0]


def test_a_verdict_names_the_analyses_that_contradict_it():
    found = robust(prompts=None, bits=everything(general_vs_specialist=[0.3, 0.0, 0.3, 0.3, 0.3]))
    h1 = found[found["hypothesis"] == "H1"]
    assert verdict_text.verdict_sentence(h1.iloc[1]).endswith("Not robust: contradicted by bits.")
    words = verdict_text.hypothesis_paragraph("H1", found)
    assert "prompts" not in words and "**Specialists" in words
    assert words.splitlines()[0].endswith(".** Not robust: contradicted by bits at A2.")
    assert verdict_text.untested_analyses(found) == ["prompts"]


def test_an_analysis_that_decides_nothing_cannot_tell():
    found = robust(bits=everything(general_vs_specialist=[0.3, 0.3, WIDE, 0.3, 0.3]))
    words = verdict_text.hypothesis_paragraph("H1", found)
    assert "ot robust" not in words and "contradict" not in words
    assert words.splitlines()[0].endswith(".** No conclusion by: bits at B1.")
    assert words.count("No conclusion by: bits.") == 1 and words.count("Robust.") == 4


def test_robust_is_said_only_where_every_analysis_was_run():
    for alternatives, expected in [({"bits": everything()}, True), ({"bits": everything(), "prompts": None}, False)]:
        words = verdict_text.verdict_sentence(robust(**alternatives).iloc[0])
        assert words.endswith("Robust.") == expected and "ntested" not in words


CLASSES = [0.3, 0.1, 0.05, 0.0, -0.3, WIDE, None]
STATES = list(itertools.product(CLASSES, [0.3, 0.0, WIDE, None], [False, True], [SOUND]))
STATES += [(theta, 0.3, True, FAILED) for theta in CLASSES]


@pytest.mark.parametrize("theta, other, provisional, checks", STATES)
def test_sentences_state_no_more_than_the_verdicts(theta, other, provisional, checks):
    """All outcomes of the three hypotheses with all outcomes of an alternative analysis."""
    rows = everything(**dict.fromkeys(["general_vs_specialist", "general_vs_best_specialist"], theta))
    rows = pd.concat([rows[~rows["name"].isin(["specialist_vs_transfer"])], table(specialist_vs_transfer=theta)])
    alternative = everything(**dict.fromkeys([*DECIDED_BY.values()], other))
    decide = functools.partial(decision_rules.decide, params=PARAMS, checks=checks)
    found, comparisons = robustness.robustness(decide, rows.assign(provisional=provisional), {"bits": alternative})
    for hypothesis in decision_rules.HYPOTHESES:
        words = verdict_text.hypothesis_paragraph(hypothesis, found)
        assert not re.search(r"\bnan\b|[{}]|None|  |\.\.|%%", words), words
        levels = found[(found["hypothesis"] == hypothesis) & (found["level"] != OVERALL)]
        outcomes = set(levels["verdict"].map(decision_rules.outcome))
        results = set(comparisons.loc[comparisons["hypothesis"] == hypothesis, "result"])
        assert ("contradicted by" in words) == (robustness.CONTRADICTS in results)
        assert ("No conclusion by" in words) == (robustness.CANNOT_TELL in results)
        assert ("(provisional)" in words) == (provisional and outcomes != {"n/a"} and checks is SOUND)
        assert ("No verdict can be given" in words) == (checks is FAILED)
        assert (" open " in words.splitlines()[0].lower()) == (outcomes == {"inconclusive"})
        if outcomes == {"n/a"}:
            assert "not tested" in words and "gain of" not in words
    gains = select(rows.assign(gain_pct=100 * np.expm1(rows["theta"])))
    answer = verdict_text.answer_sentence(gains[gains["name"] == "general_vs_specialist"], found, checks)
    assert ("No verdict" in answer) == (checks is FAILED) and "nan" not in answer


def test_h3_gives_the_gain_over_the_rival_it_names():
    rows = everything(specialist_vs_transfer=0.0, general_vs_transfer=0.1, continued_vs_transfer=-0.2)
    found = decision_rules.decide(rows, PARAMS)
    words = verdict_text.verdict_sentence(found[found["hypothesis"] == "H3"].iloc[0])
    assert "gain of the A1 transfer model over the stronger rival, the A1 specialist, +0.0 %, interval" in words
    longer = decision_rules.decide(everything(continued_vs_transfer=0.0), PARAMS)
    words = verdict_text.verdict_sentence(longer[longer["hypothesis"] == "H3"].iloc[0])
    assert "over the stronger rival, the general model trained longer, +0.0 %" in words


def test_a_reason_given_above_is_not_repeated():
    rows = everything().assign(provisional=True, reason="one seed")
    found = decision_rules.decide(rows, PARAMS)
    assert "one seed" in verdict_text.hypothesis_paragraph("H1", found)
    assert "one seed" not in verdict_text.hypothesis_paragraph("H1", found, ["one seed"])


def test_an_invalid_study_gets_one_sentence_a_hypothesis_and_no_level():
    words = verdict_text.hypothesis_paragraph("H1", decided(checks=FAILED))
    assert words.startswith("**No verdict can be given at every level on whether") and "\n- " not in words


def test_preconditions_name_the_reasons_and_the_missing_models():
    cost = pd.DataFrame({"model": ["a1", "b1"], "seeds": [0, 2], "reason": ["18 texts", None]})
    said = verdict_text.precondition_sentence(SOUND, ["one seed"], cost)
    assert "All preconditions hold" in said and "one seed" in said and "Not trained: a1 (18 texts)" in said
    assert "Every verdict below is invalid" in verdict_text.precondition_sentence(FAILED, [], cost)


OTHERS = [decision_rules.INCONCLUSIVE, NOT_SUPPORTED, decision_rules.LONGER_TRAINING, decision_rules.NA]


@pytest.mark.parametrize("found", [*sorted(decision_rules.HOLDS), *OTHERS])
def test_transfer_recommended_without_h3_says_what_h3_requires(found):
    said = verdict_text.h3_requirement(found, 0.02)
    assert ("a lead of over 2 % over each rival" in said) == (found not in decision_rules.HOLDS)
    words = {
        decision_rules.INCONCLUSIVE: "open",
        NOT_SUPPORTED: "shown not to have",
        decision_rules.LONGER_TRAINING: "trained as long",
        decision_rules.NA: "tested",
    }
    assert words.get(found, "") in said


def test_detectable_gains_are_given_by_level():
    mde = pd.DataFrame(
        {"level": ["A1", "A2"], "mde_above_margin_pct": [42.0, np.nan], "gain_pct": [9.5, 1], "seed_share": np.nan}
    )
    said = verdict_text.detectable_gains(mde, 0.9)
    assert "A1 a true gain of 42 % would be shown" in said and "90 % of such studies" in said and "A2" not in said
    assert "measured gain is +9.5 %" in said and "an unknown share of the variance" in said
    none = verdict_text.detectable_gains(mde.assign(mde_above_margin_pct=np.inf), 0.9)
    assert "too small to show any gain" in none and "inf" not in none
    assert verdict_text.detectable_gains(mde.tail(1), 0.9) == "No level could be tested."


@pytest.mark.parametrize("column, file, said", [
    ("text", "essays.csv", "errors included"),
    ("text_corrected", "essays.csv", "fewer errors than learners made"),
    ("text", "synthetic", "say nothing about learners"),
])  # fmt: skip
def test_limits_name_the_text_that_was_used(column, file, said):
    cost = pd.DataFrame({"kind": ["general"], "init_from": ["gpt2"], "parameters_total": [124e6]})
    report = {"text_column": column, "sources": [{"file": file}], "copied": {"test": 3}}
    assert said in verdict_text.limitations(report, cost) and "gpt2" in verdict_text.limitations(report, cost)


def test_the_last_sentence_has_a_number_or_says_why_not():
    own = pd.DataFrame({"level": ["A1", "C1"], "gain_pct": [5.0, -2.0]})
    assert "range from -2.0 % (C1) to +5.0 % (A1)" in verdict_text.answer_sentence(own, decided(), SOUND)
    assert "gain over the general model is +5.0 % (A1)" in verdict_text.answer_sentence(own.head(1), decided(), SOUND)
    assert "No level could be compared" in verdict_text.answer_sentence(own.head(0), decided("H1", None), SOUND)
    assert verdict_text.answer_sentence(own, decided(checks=FAILED), FAILED).endswith("masks equal for all models.")


def test_the_gain_at_equal_examples_is_given_beside_h1():
    cost = pd.DataFrame({"kind": ["general", "specialist", "specialist", "control"],
                         "examples_seen": [4000.0, 2400, 1600, 0]})  # fmt: skip
    rows = everything().assign(gain_pct=12.0, gain_lo=-1.0, gain_hi=26.0)
    without = verdict_text.equal_examples_sentence(rows, cost)
    assert "4,000 examples of all levels" in without and "2,000 examples of its level" in without
    assert "not tried" in without
    equal = rows[rows["level"].isin(["A1", "B1"])].assign(subset="equal examples")
    told = verdict_text.equal_examples_sentence(pd.concat([rows, equal]), cost)
    assert told.endswith("the gains are +12.0 % at A1 (-1.0 to +26.0) and +12.0 % at B1 (-1.0 to +26.0).")


def test_unknown_numbers_of_examples_are_na():
    cost = pd.DataFrame({"kind": ["general", "specialist"], "examples_seen": [4000.0, np.nan]})
    told = verdict_text.equal_examples_sentence(everything().assign(gain_pct=np.nan), cost)
    assert "4,000 examples of all levels" in told and "read n/a examples of its level" in told
