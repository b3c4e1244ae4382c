"""Claims about the words of 06: they name the best model of each level, or say that there is none."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib.hypotheses import comparison_text
from tests.helpers.contrasts import PARAMS, WIDE, table

SOUND = pd.DataFrame({"check": ["weights differ"], "holds": [True], "detail": ["none"]})


def test_the_best_model_of_each_level_is_named_with_its_gain():
    gains = pd.DataFrame({"level": ["A1", "A1", "B1"], "b": ["a1", "a1_transfer", "b1"], "gain_pct": [20.0, 10, -5]})
    gains = gains.assign(gain_lo=gains["gain_pct"] - 4, gain_hi=gains["gain_pct"] + 4)
    said = comparison_text.answer(gains, SOUND)
    assert "A1 specialist (gain +20.0 %, interval +16.0 to +24.0); general at B1." in said and "fair" not in said
    assert "weights differ" in comparison_text.answer(gains, SOUND.assign(holds=False))
    assert "general model: n/a." in comparison_text.answer(gains.assign(gain_pct=np.nan), SOUND)


def test_levels_are_named_where_the_specialist_finds_more_words():
    rows = pd.DataFrame({"level": ["A1", "A1", "B1", "B1"], "kind": ["specialist", "general"] * 2,
                         "top5": [0.3, 0.2, 0.1, 0.2]})  # fmt: skip
    assert comparison_text.top5_sentence(rows).endswith("at: A1.")
    assert comparison_text.top5_sentence(rows[rows["kind"] == "general"]).endswith("at: none.")
    assert "No model wrote infills" in comparison_text.top5_sentence(rows[:0])


def test_the_running_example_is_given_in_nats_or_said_to_be_missing():
    columns = pd.MultiIndex.from_product([["nll_text", "n_tokens"], ["general", "a1"]])
    nats = pd.DataFrame([[69.8, 63.4, 14, 14]], index=[4711], columns=columns)
    said = comparison_text.example_sentences(nats)
    assert said == "Text 4711, 14 answer tokens: 69.8 nats for the general model, 63.4 for the A1 specialist."
    assert "does not contain it" in comparison_text.example_sentences(nats[:0])


def classes_at(level, shares, theta=0.2):
    """Rows of by_class.csv of one level. shares: {class: share of theta}."""
    rows = pd.DataFrame({"group": list(shares), "theta_share": list(shares.values())})
    rows = rows.assign(level=level, token_share=0.5, contribution=theta * rows["theta_share"].fillna(0.1))
    rows = rows.assign(contribution_lo=rows["contribution"] - 0.1, contribution_hi=rows["contribution"] + 0.1)
    return pd.concat([rows.assign(by="blank"), rows.assign(by="word")])


def test_shares_of_the_gain_are_given_where_theta_is_not_zero():
    found = pd.concat([classes_at("A1", {"whole text": 0.25, "single word": 0.75}), classes_at("B1", {"word": np.nan})])
    said = comparison_text.class_sentences(found)
    by_blank = "whole text 25 % (-0.05 to +0.15; 50 % of tokens); single word 75 % (+0.05 to +0.25; 50 % of tokens)"
    assert f"**A1** (θ +0.20), by blank: {by_blank}. By word: {by_blank}." in said
    assert "**B1**: the interval of θ contains 0, so no shares are given." in said
    nothing = classes_at("A1", {"word": np.nan}, theta=np.nan)
    assert comparison_text.class_sentences(nothing).strip() == "No level could be compared."


@pytest.mark.parametrize("unit", ["token", "word"])
def test_margins_in_other_units_are_given_with_their_verdicts(unit):
    per_token = table(general_vs_specialist=[0.2, 0.0, WIDE, 0.2, None]).assign(group="token", tokens_per_unit=1.0)
    per_word = table(general_vs_specialist=0.3).assign(group="word", tokens_per_unit=2.0)
    rows = pd.concat([per_token, per_word]).assign(by="unit")
    said = comparison_text.unit_sentences(rows, SimpleNamespace(**vars(PARAMS), margin_per=unit))
    assert f"per {unit} (`margin_per`)" in said
    assert "- 10 % per token is 21.0 % per word. With" in said  # 1.1 squared
    assert "- With 10 % per token, the rule" in said
    assert "supported at A1 and B2; not supported at A2; inconclusive at B1; n/a at C1." in said
    verb = {"token": "would decide", "word": "decides"}[unit]
    assert f"10 % per word, the rule of H1 {verb}: supported at A1, A2, B1, B2 and C1." in said
