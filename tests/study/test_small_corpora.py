"""Claims about whole studies of corpora that lack nearly everything: each verdict is a number, or n/a with a reason."""

import numpy as np
import pytest

from lib.design import LEVELS
from tests.helpers.whole_study import SIZES, Study, any_corpus

CASES = {  # texts at each level; learners, L1s and prompts; weights kept earlier; held-out prompts
    "levels without texts, nothing else known": (["many", "none", "many", "one", "few"], 5, True, 0.0),
    "one text, no C1, held-out prompts": (["one", "many", "two", "many", "none"], 2, False, 0.3),
}


@pytest.fixture(scope="module", params=CASES)
def cells(request, tmp_path_factory):
    """The variables of all notebooks of a study."""
    sizes, seed, snapshots, held_out_prompts = CASES[request.param]
    corpus = any_corpus(np.random.default_rng(seed), [SIZES[size] for size in sizes])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ILM_CEFR_KEY", str(tmp_path_factory.mktemp("key") / "key"))
        return Study(tmp_path_factory.mktemp("study") / "here", corpus, snapshots, held_out_prompts).run()


def test_the_study_ends_with_a_number_or_a_reason(cells):
    verdicts = cells["07"]["verdicts"].query("level in @LEVELS", local_dict={"LEVELS": LEVELS})
    is_na = verdicts["verdict"] == "n/a"
    assert verdicts.loc[is_na, "reason"].ne("").all() and verdicts.loc[~is_na, "theta"].notna().all()
    contrasts = cells["06"]["differences"]
    assert (contrasts["theta"].notna() | contrasts["reason"].ne("")).all()


def test_a_model_is_trained_where_there_are_texts_to_learn_from(cells):
    sizes = cells["01"]["sizes"]
    for level, model in {"A1": "a1", "B1": "b1", "C1": "c1"}.items():
        has_texts = sizes.loc[level, "train"] > 0 and sizes.loc[level, "valid"] > 0
        assert bool(cells[f"04.{model}"]["trained"]) <= has_texts
        assert cells[f"03.{model}"]["missing"] or has_texts
    assert cells["04.general"]["trained"] == [0]
    assert bool(cells["03.general_equal_text_c1"]["missing"]) == (sizes.loc["C1", "train"] == 0)


def test_the_reason_of_01_is_that_of_the_verdict(cells):
    """A level for which 01 saw no way has no verdict in 07."""
    hopeless = cells["01"]["sizes"].query("reason != ''").index
    verdicts = cells["07"]["verdicts"]
    assert (verdicts.loc[verdicts["level"].isin(hopeless) & (verdicts["hypothesis"] == "H1"), "verdict"] == "n/a").all()
