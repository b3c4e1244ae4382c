"""Claims about words: every outcome has its own, they change with the verdict, and what was not asked is told once."""

import numpy as np
import pandas as pd
import pytest

from lib.design import LEVELS
from lib.hypotheses import decision_rules, verdict_text
from lib.hypotheses.decision_rules import NOT_SUPPORTED, OVERALL, PROVISIONAL
from tests.helpers.contrasts import PARAMS, WIDE, everything

DECIDED_BY = {"H1": "general_vs_specialist", "H2": "general_vs_best_specialist", "H3": "specialist_vs_transfer"}
OUTCOMES = [("H1", theta, "own model") for theta in (0.3, 0.0, WIDE, None, [0.3, 0.0, WIDE, None, 0.3])]
OUTCOMES += [("H2", theta, "best specialist")
             for theta in (0.0, (-0.09, 0.01), -0.3, 0.2, WIDE, None, [0.0] + [0.2] * 4)]  # fmt: skip
OUTCOMES += [("H3", theta, "transfer") for theta in (0.1, 0.0, WIDE, None, [0.1, 0.0, WIDE, None, 0.1])]
FAILED = pd.DataFrame({"check": ["masks equal for all models"], "holds": [False], "detail": ["a1"]})
SOUND = FAILED.assign(holds=True)
pytestmark = pytest.mark.usefixtures("quick_garbage_collection")


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
    assert about in title and all(level in title for level in LEVELS) or title.startswith("At every level ")
    assert ("(provisional)" in title) == levels["verdict"].str.endswith(PROVISIONAL).any()


def test_no_two_outcomes_share_their_words():
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
        "At A1 and C1 the level's own model beats the general model by more than 10 %; at A2 it does not; "
        "at B1 it stays open; at B2 it could not be tested")  # fmt: skip
    assert verdict_text.hypothesis_title("H2", found) == (
        "At every level the general model and the best specialist are within 10 % of each other")  # fmt: skip
    assert verdict_text.hypothesis_title("H3", found) == (
        "At every level transfer beats its rivals through longer training, not through level text")  # fmt: skip


def test_a_title_in_which_nothing_holds_begins_with_what_is_refuted():
    assert verdict_text.hypothesis_title("H2", decided("H2", [0.2, 0.2, WIDE, WIDE, 0.2])) == (
        "At A1, A2 and C1 the general model is more than 10 % behind the best specialist; at B1 and B2 it stays open"
    )
    assert verdict_text.hypothesis_title("H1", decided("H1", WIDE)) == (
        "At every level it stays open whether the level's own model beats the general model by more than 10 %"
    )


def test_a_verdict_that_another_way_of_asking_changes_says_which():
    ways = {"held-out prompts": None, "bits per character": everything(general_vs_specialist=0.0)}
    found = decision_rules.robustness(lambda rows: decision_rules.decide(rows, PARAMS), everything(), ways)
    h1 = found[found["hypothesis"] == "H1"]
    assert verdict_text.verdict_sentence(h1.iloc[0]).endswith("Not robust: decided otherwise by bits per character.")
    assert "held-out" not in verdict_text.hypothesis_paragraph("H1", found)
    assert verdict_text.untested_analyses(found) == ["held-out prompts"]


def test_robust_is_said_only_where_every_way_was_asked():
    for ways, end in [({"bits": everything()}, " Robust."), ({"bits": everything(), "prompts": None}, " %).")]:
        found = decision_rules.robustness(lambda rows: decision_rules.decide(rows, PARAMS), everything(), ways)
        words = verdict_text.verdict_sentence(found.iloc[0])
        assert words.endswith("Robust.") == (end == " Robust.") and "ntested" not in words


def test_a_stamp_told_above_is_not_told_again():
    rows = everything().assign(provisional=True, reason="one seed")
    found = decision_rules.decide(rows, PARAMS)
    assert "one seed" in verdict_text.hypothesis_paragraph("H1", found)
    assert "one seed" not in verdict_text.hypothesis_paragraph("H1", found, ["one seed"])


def test_an_invalid_study_gets_one_sentence_a_hypothesis_and_no_level():
    words = verdict_text.hypothesis_paragraph("H1", decided(checks=FAILED))
    assert words.startswith("**At every level no verdict can be given") and "\n- " not in words


def test_standing_names_the_stamps_and_the_models_that_are_missing():
    cost = pd.DataFrame({"model": ["a1", "b1"], "seeds": [0, 2], "reason": ["18 texts", None]})
    said = verdict_text.precondition_sentence(SOUND, ["one seed"], cost)
    assert "All checks hold" in said and "one seed" in said and "Not trained: a1 (18 texts)" in said
    assert "every verdict below is invalid" in verdict_text.precondition_sentence(FAILED, [], cost)


OTHERS = [decision_rules.INCONCLUSIVE, NOT_SUPPORTED, decision_rules.LONGER_TRAINING, decision_rules.NA]


@pytest.mark.parametrize("one", [*sorted(decision_rules.HOLDS), *OTHERS])
def test_transfer_advised_without_h3_says_what_h3_asks_beside(one):
    said = verdict_text.beside_h3(one, 0.02)
    assert ("over 2 % ahead of each rival" in said) == (one not in decision_rules.HOLDS)
    words = {
        decision_rules.INCONCLUSIVE: "open",
        NOT_SUPPORTED: "not to be",
        decision_rules.LONGER_TRAINING: "longer",
        decision_rules.NA: "tested",
    }
    assert words.get(one, "") in said


def test_sensitivity_gives_the_gain_that_would_be_shown_or_unknown():
    mde = pd.DataFrame(
        {"level": ["A1", "A2"], "mde_above_margin_pct": [42.0, np.nan], "gain_pct": [9.5, 1], "seed_share": np.nan}
    )
    said = verdict_text.detectable_gains(mde, 0.9)
    assert "42 % is shown" in said and "+9.5 %" in said and "unknown" in said and "A2" not in said
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
    assert ": -2.0 % (C1) to +5.0 % (A1)" in verdict_text.answer_sentence(own, decided(), SOUND)
    assert ": +5.0 % (A1)" in verdict_text.answer_sentence(own.head(1), decided(), SOUND)
    assert "No level could be compared" in verdict_text.answer_sentence(own.head(0), decided("H1", None), SOUND)
    assert verdict_text.answer_sentence(own, decided(checks=FAILED), FAILED).endswith("masks equal for all models.")


def test_beside_h1_stands_the_gain_at_equal_examples():
    cost = pd.DataFrame({"kind": ["general", "specialist", "specialist", "control"],
                         "examples_seen": [4000.0, 2400, 1600, 0]})  # fmt: skip
    rows = everything().assign(gain_pct=12.0, gain_lo=-1.0, gain_hi=26.0)
    without = verdict_text.equal_examples_sentence(rows, cost)
    assert "4,000 examples of all levels" in without and "2,000 of one" in without and "not tried" in without
    evenly = rows[rows["level"].isin(["A1", "B1"])].assign(subset="equal examples")
    told = verdict_text.equal_examples_sentence(pd.concat([rows, evenly]), cost)
    assert told.endswith("own model's gains would be +12.0 % at A1 (-1.0 to +26.0) and +12.0 % at B1 (-1.0 to +26.0).")


def test_examples_that_nobody_read_are_na():
    cost = pd.DataFrame({"kind": ["general", "specialist"], "examples_seen": [4000.0, np.nan]})
    told = verdict_text.equal_examples_sentence(everything().assign(gain_pct=np.nan), cost)
    assert "4,000 examples of all levels" in told and "n/a of one" in told
