"""Claims about the facts of EFCAMDAT: they add up, and each course level has its CEFR band."""

import pytest

from lib.corpus import efcamdat
from lib.design import LEVELS


def test_counts_by_level_and_by_first_language_are_of_the_same_texts():
    assert sum(efcamdat.PUBLISHED["level"].values()) == sum(efcamdat.PUBLISHED["l1"].values()) == 723_282


def test_texts_and_their_lengths_are_known_for_every_level():
    assert efcamdat.PUBLISHED["level"] == efcamdat.TEXTS
    assert list(efcamdat.TEXTS) == list(efcamdat.CHARACTERS) == LEVELS


@pytest.mark.parametrize(("number", "band"), {1: "A1", 3: "A1", 4: "A2", 9: "B1", 10: "B2", 15: "C1", 16: "C2"}.items())
def test_three_course_levels_make_a_band(number, band):
    assert efcamdat.EF_LEVELS[str(number)] == band and len(efcamdat.EF_LEVELS) == 16
