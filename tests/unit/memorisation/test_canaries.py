"""Claims about canaries: exposure is the hand calculation, and repetition raises it."""

import numpy as np
import pytest

from lib.memorisation import canaries
from tests.helpers.memorisation_limits import LIMITS


def test_exposure_is_the_hand_calculation():
    candidates = np.arange(1.0, 8)  # seven, and the canary itself
    bits = canaries.exposure([0.5, 1.5, 3.5, 9.0], candidates)
    assert bits == pytest.approx([3, 2, 1, 0])


@pytest.mark.parametrize("n", [7, 1000])
def test_canaries_never_planted_have_1_44_bits_by_chance(n):
    rng = np.random.default_rng(0)
    bits = [canaries.exposure(rng.random(1), rng.random(n))[0] for _ in range(4000)]
    assert np.mean(bits) == pytest.approx(canaries.chance(n), abs=0.08)
    assert canaries.chance(100_000) == pytest.approx(1 / np.log(2), abs=1e-3)


def test_canaries_differ_and_each_repetition_takes_as_many_texts(tokenizer):
    made = canaries.make_canaries(tokenizer, LIMITS, ["A1", "A2"])
    assert made["text"].is_unique and set(made["level"]) == {"A1", "A2"}
    assert made["times"].value_counts().to_dict() == {-1: 200, 0: 16, 1: 16, 4: 4, 16: 1}
    planted = canaries.planted_texts(made)
    assert planted["times"].value_counts().to_dict() == {1: 16, 4: 16, 16: 16}
    assert planted["text_id"].is_unique, "else all copies would have the same masks"


def test_a_tokenizer_with_too_few_words_is_refused(tokenizer, monkeypatch):
    monkeypatch.setattr(canaries, "WORDS", 10_000)
    with pytest.raises(ValueError, match="20000 are needed"):
        canaries.random_sentences(tokenizer, 3, 0)


def test_repetition_raises_exposure(found):
    table = {row["times"]: row for row in found["a1"]["table"]}
    never, once, four, sixteen = (table[times] for times in (0, 1, 4, 16))
    chance = canaries.chance(200)
    assert never["exposure_lo"] < chance < never["exposure_hi"]
    assert chance + 1 < once["exposure"] < four["exposure"] <= sixteen["exposure"]
    assert canaries.above_chance(found["a1"])["sensitive"]


def test_the_summary_follows_the_estimates(found):
    assert "Memorise texts read once: a1." in canaries.summary(found, LIMITS)
    forgetful = found["a1"] | {"table": [row | {"exposure": 1.4, "exposure_lo": 1.2, "exposure_hi": 1.6} if
                                         row["times"] < 16 else row for row in found["a1"]["table"]]}  # fmt: skip
    assert "Do not: a2." in canaries.summary({"a2": forgetful}, LIMITS)
    insensitive = forgetful | {"table": [row | {"exposure_lo": 1.2} for row in forgetful["table"]]}
    assert "Open: a2." in canaries.summary({"a2": insensitive}, LIMITS)
