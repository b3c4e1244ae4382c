"""Claims about numbers, durations and lists in sentences."""

import pytest

from lib import formatting


@pytest.mark.parametrize(
    ("hours", "words"), [(1e-4, "0.36 seconds"), (0.02, "72 seconds"), (0.2, "12 minutes"), (35.27, "35.3 hours")]
)
def test_time_is_told_in_units_that_fit(hours, words):
    assert formatting.time_of(hours) == words


def test_disk_is_told_in_units_that_fit():
    assert formatting.size_of(0.0154) == "15 MB" and formatting.size_of(12.34) == "12.3 GB"
