"""Claims about the facts of EFCAMDAT: they add up, and each course level has its CEFR band."""

import pytest

from lib.corpus import efcamdat
from lib.design import LEVELS
from tests.helpers.corpora import settings


def test_counts_by_level_and_by_first_language_are_of_the_same_texts():
    assert sum(efcamdat.PUBLISHED["level"].values()) == sum(efcamdat.PUBLISHED["l1"].values()) == 723_282


def test_texts_and_their_lengths_are_known_for_every_level():
    assert efcamdat.PUBLISHED["level"] == efcamdat.TEXTS
    assert list(efcamdat.TEXTS) == list(efcamdat.CHARACTERS) == LEVELS


@pytest.mark.parametrize(("number", "band"), {1: "A1", 3: "A1", 4: "A2", 9: "B1", 10: "B2", 15: "C1", 16: "C2"}.items())
def test_three_course_levels_make_a_band(number, band):
    assert efcamdat.EF_LEVELS[str(number)] == band and len(efcamdat.EF_LEVELS) == 16


@pytest.mark.parametrize(
    ("names", "changes", "wanted"),
    [
        (["writing_id"], {}, True),
        (["writing_id", "id"], {}, False),
        (["essay_id"], {"columns": {"text_id": "essay_id"}}, False),
        (["writing_id"], {"levels": {"B1+": "B1"}}, False),
    ],
)
def test_a_corpus_with_mapped_columns_or_levels_is_another(names, changes, wanted):
    sources = [{"columns": {"text_id": name}} for name in names]
    assert efcamdat.is_efcamdat(sources, settings(**changes)) == wanted
