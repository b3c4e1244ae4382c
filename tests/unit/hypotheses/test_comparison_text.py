"""Claims about the words of 06: they name the best model of each level, or say that there is none."""

import numpy as np
import pandas as pd

from lib.hypotheses import comparison_text

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
