"""Claims about the selection of contrasts; their estimates are tested in test_statistics.py."""

import pandas as pd

from lib.evaluation import contrasts


def test_primary_contrasts_are_of_the_mix_without_copies():
    table = pd.DataFrame(
        {
            "mask_type": ["training_mix", "training_mix", "word"],
            "subset": ["without_copies", "with_copies", "without_copies"],
        }
    )
    assert contrasts.select(table).index.tolist() == [0]
    assert contrasts.select(table, "training_mix", "with_copies").index.tolist() == [1]
