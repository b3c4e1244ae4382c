"""Claims about whose a text is."""

import pandas as pd

from lib.corpus import learners
from lib.evaluation.statistics import whose


def test_a_text_without_learner_is_a_learner_of_its_own():
    texts = pd.DataFrame({"text_id": [1, 2, 3, 4], "learner_id": ["x", "", "x", ""]})
    assert learners.of(texts).tolist() == ["x", "text 2", "x", "text 4"]
    numbers, named = whose(texts)
    assert numbers.tolist() == [0, 1, 0, 2] and not named
    assert whose(texts, learners_known=False)[0].tolist() == [0, 1, 2, 3]
    assert whose(texts.assign(learner_id=None))[0].tolist() == [0, 1, 2, 3]


def test_learners_are_known_where_one_is_named():
    assert learners.known(pd.DataFrame({"learner_id": ["", "x"]}))
    assert not learners.known(pd.DataFrame({"learner_id": ["", ""]}))
