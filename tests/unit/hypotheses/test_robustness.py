"""Claims about robustness: an analysis contradicts only what it shows the opposite of."""

import functools

import pytest

from lib.experiment.files import read_csv
from lib.hypotheses import decision_rules, robustness
from lib.hypotheses.decision_rules import OVERALL
from lib.hypotheses.robustness import AGREES, CANNOT_TELL, CONTRADICTS, UNTESTED
from tests.helpers.contrasts import PARAMS, WIDE, everything

decide = functools.partial(decision_rules.decide, params=PARAMS)


def robust(primary, hypothesis="H1", **alternatives):
    """`robust` of a hypothesis by level."""
    found, _ = robustness.robustness(decide, primary, alternatives)
    return found[found["hypothesis"] == hypothesis].set_index("level")["robust"]


def test_robust_is_yes_only_if_every_analysis_agrees():
    assert set(robust(everything(), chars=everything(), spans=everything(general_vs_specialist=0.2))) == {"yes"}


def test_an_open_analysis_cannot_tell_and_does_not_contradict():
    found = robust(everything(), spans=everything(general_vs_specialist=[0.3, WIDE, 0.3, 0.3, 0.3]))
    assert found[["A1", "A2"]].tolist() == ["yes", "cannot tell: spans"]


def test_an_analysis_that_shows_the_opposite_contradicts():
    found = robust(everything(), chars=everything(general_vs_specialist=[0.3, 0.0, 0.3, 0.3, 0.3]), prompts=None)
    assert found["A1"] == "untested: prompts"
    assert found["A2"] == found[OVERALL] == "no: contradicted by chars; untested: prompts"


def test_overall_verdicts_have_the_robustness_of_their_levels():
    chars = everything(general_vs_specialist=[0.3, 0.0, 0.3, 0.3, 0.3])
    spans = everything(general_vs_specialist=[0.3, 0.3, WIDE, 0.3, 0.3])
    found = robust(everything(), chars=chars, spans=spans)
    assert found[OVERALL] == "no: contradicted by chars; cannot tell: spans"
    one_level = everything(general_vs_specialist=[0.3, None, None, None, None])
    assert robust(one_level, chars=everything())[OVERALL] == "yes"


@pytest.mark.parametrize(
    "primary, other, expected",
    [
        (0.3, (0.11, 0.005), AGREES),
        (0.3, WIDE, CANNOT_TELL),
        (0.3, 0.0, CONTRADICTS),
        (0.0, WIDE, CANNOT_TELL),
        (0.0, 0.3, CONTRADICTS),
        (WIDE, WIDE, AGREES),
        (WIDE, 0.3, CANNOT_TELL),  # its interval lies within the wide one
        (WIDE, 0.0, CANNOT_TELL),
        (WIDE, 0.9, CONTRADICTS),  # its interval does not meet the wide one
        (0.3, None, UNTESTED),
    ],
)
def test_estimates_and_intervals_decide_what_an_analysis_says(primary, other, expected):
    _, found = robustness.robustness(
        decide, everything(general_vs_specialist=primary), {"chars": everything(general_vs_specialist=other)}
    )
    assert set(found.loc[found["hypothesis"] == "H1", "result"]) == {expected}


def test_h2_is_contradicted_where_its_own_claim_is():
    within, close = everything(general_vs_best_specialist=(-0.09, 0.01)), everything(general_vs_best_specialist=0.0)
    better, behind = (everything(general_vs_best_specialist=theta) for theta in (-0.3, 0.2))
    assert robust(within, "H2", chars=close)["A1"] == robust(within, "H2", chars=better)["A1"] == "yes"
    assert robust(close, "H2", chars=within)["A1"] == "cannot tell: chars"
    assert robust(close, "H2", chars=better)["A1"] == "no: contradicted by chars"
    assert robust(within, "H2", chars=behind)["A1"] == "no: contradicted by chars"


def test_h3_compares_intervals_only_with_the_same_rival():
    primary = everything(specialist_vs_transfer=(0.1, 0.05))
    same_rival = everything(specialist_vs_transfer=(0.5, 0.05))
    other_rival = everything(specialist_vs_transfer=(0.5, 0.005))
    assert robust(primary, "H3", chars=same_rival)["A1"] == "no: contradicted by chars"
    assert robust(primary, "H3", chars=other_rival)["A1"] == "cannot tell: chars"
    longer = everything(continued_vs_transfer=0.0)
    assert robust(longer, "H3", chars=everything())["A1"] == "no: contradicted by chars"


def test_a_level_that_no_analysis_tested_is_not_contradicted():
    found = robust(everything(), spans=everything(general_vs_specialist=[0.3, 0.3, 0.3, 0.3, None]))
    assert (found["A1"], found["C1"], found[OVERALL]) == ("yes", "untested: spans", "untested: spans")


def test_robust_is_never_yes_without_an_analysis():
    assert set(robust(everything())) == {"untested"}
    assert set(decide(everything())["robust"]) == {"untested"}
    assert set(robust(everything(general_vs_specialist=None), chars=everything())) == {"n/a"}


def test_being_provisional_does_not_contradict():
    provisional = everything().assign(provisional=True)
    assert set(robust(everything(), chars=provisional)) == set(robust(provisional, chars=everything())) == {"yes"}


def test_a_value_of_robust_is_read_as_it_was_written():
    value = "no: contradicted by chars, held-out prompts; cannot tell: spans; untested: copies"
    parts = robustness.robust_parts(value)
    assert parts == {CONTRADICTS: ["chars", "held-out prompts"], CANNOT_TELL: ["spans"], UNTESTED: ["copies"]}
    assert not any(robustness.robust_parts("yes").values())


def test_every_analysis_of_the_demo_finds_its_contrasts():
    found = robustness.alternatives(read_csv("runs/demo/compare/contrasts.csv"))
    assert [name for name, rows in found.items() if rows is None] == ["held-out prompts"]  # the demo holds none out
    assert found["equal examples"]["name"].str.endswith("_vs_transfer").any()  # the rows of H3
