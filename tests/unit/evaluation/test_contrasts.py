"""Claims about rows of contrasts; their estimates are tested with what they rest on, in test_statistics.py."""

import pandas as pd

from lib.evaluation import contrasts


def test_primary_contrasts_are_of_the_mix_without_copies():
    table = pd.DataFrame({"mask_type": ["mix", "mix", "word"], "subset": ["unflagged", "all", "unflagged"]})
    assert contrasts.chosen(table).index.tolist() == [0]
    assert contrasts.chosen(table, "mix", "all").index.tolist() == [1]
