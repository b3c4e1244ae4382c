"""Claims about the parts of a gain: they add up, and each outcome has its sentence."""

import itertools

import numpy as np
import pandas as pd
import pytest

from lib.evaluation.attribution import decomposition
from tests.unit.evaluation.test_comparisons import OPTIONS, scores

C1_MODELS = ["general", "c1", "general_equal_text_c1", "general_balanced_text_c1"]
LOG_PPL = {"general": 2.0, "general_equal": 2.1, "c1": 2.3}
LOG_PPL |= {"general_equal_text_c1": 2.4, "general_balanced_text_c1": 2.2}


def scored(models):
    """Scores at C1 with these models' mean nats a token."""
    table = scores(models, level="C1")
    return table.assign(nll_text=table["model"].map(LOG_PPL) * table["n_tokens"])


def test_the_parts_add_up_to_the_whole():
    found = decomposition.estimate(scored(C1_MODELS), scored(["general_equal"]), True, OPTIONS)
    theta = found.set_index("name")["theta"]
    assert theta["examples"] == pytest.approx(-0.1) and theta["amount of text"] == pytest.approx(-0.3)
    assert theta["level"] == pytest.approx(0.1)
    assert theta[["examples", "amount of text", "level"]].sum() == pytest.approx(theta["all"])
    assert theta["equal parts of levels"] == pytest.approx(0.2)


def test_a_missing_link_joins_its_two_parts():
    no_text = decomposition.pairs_at("C1", {"general", "general_equal", "c1"})
    assert [name for name, _, _ in no_text] == ["all", "examples", "amount of text and level"]
    no_snapshot = decomposition.pairs_at("C1", {"general", "general_equal_text_c1", "c1"})
    assert [name for name, _, _ in no_snapshot] == ["all", "examples and amount of text", "level"]
    assert decomposition.pairs_at("C1", {"general", "c1"}) == []
    assert decomposition.pairs_at("C1", {"general", "general_equal"}) == []


def test_without_controls_there_is_no_part_and_a_sentence():
    none = decomposition.estimate(scored(["general", "c1"]), scored(["c1"])[:0], True, OPTIONS)
    assert none.empty and decomposition.sentences(none).startswith("No control was trained")


SIDES = {"helps": (0.02, 0.10), "hurts": (-0.10, -0.02), "open": (-0.05, 0.05)}


def table(**sides):
    """Rows of decomposition.csv at C1 with parts on these sides of zero."""
    rows = []
    for name, way in sides.items():
        low, high = SIDES[way]
        gains = 100 * np.expm1([(low + high) / 2, low, high])
        row = {"name": name.replace("_", " "), "level": "C1", "theta": (low + high) / 2, "ci_lo": low, "ci_hi": high}
        rows.append(row | dict(zip(["gain_pct", "gain_lo", "gain_hi"], gains)))
    return pd.DataFrame(rows)


WORDS = {"helps": "raises it by +6.2 % (+2.0 to +10.5)", "hurts": "lowers it: -5.8 %"}
WORDS["open"] = "is not shown to change it"


@pytest.mark.parametrize("examples, text, level", list(itertools.product(SIDES, repeat=3)))
def test_each_outcome_of_a_part_has_its_words(examples, text, level):
    said = decomposition.sentences(table(all="open", examples=examples, amount_of_text=text, level=level))
    assert said.count("\n") == 0 and said.startswith("- At C1 the specialist's gain over the general model is +0.0 % (")
    parts = said.split("Its parts: ")[1].split("; ")
    assert parts[0].startswith(f"the different number of examples {WORDS[examples]}")
    assert parts[1].startswith(f"the different amount of text at equal examples {WORDS[text]}")
    assert parts[2].startswith(f"training on the level alone, at equal examples and equal text, {WORDS[level]}")


@pytest.mark.parametrize(
    "way, words", [("helps", "is better at C1"), ("hurts", "is worse at C1"), ("open", "is not shown to differ at C1")]
)
def test_the_mix_of_levels_has_its_own_sentence(way, words):
    said = decomposition.sentences(table(all="open", level="open", equal_parts_of_levels=way))
    assert f"equal parts of all levels {words}" in said


def test_the_title_names_only_what_is_shown():
    shown = decomposition.title(table(all="hurts", examples="hurts", amount_of_text="open", level="helps"))
    assert shown == (
        "The number of examples lowers the specialist's gain at C1; "
        "training on the level alone raises the specialist's gain at C1"
    )
    assert decomposition.title(table(all="hurts", level="open")).startswith("No part of the specialists' gain is shown")
