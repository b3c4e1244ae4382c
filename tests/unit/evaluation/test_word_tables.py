"""Claims about the two tables of words that models write."""

import pandas as pd
import pytest

from lib.evaluation import lexical_metrics

HOW = {"learners_known": True, "draws": 50, "min_learners": 2}


def filled(model, infills):
    """A row a blank: what a learner wrote, and what the model wrote there."""
    table = pd.DataFrame({"answer": ["two cats", "a lettr"], "infill": infills, "text_id": ["1", "2"]})
    table = table.assign(learner_id=["x", "y"], level="A1", model=model, seed=0, exact=False, top5=[True, False])
    return table.assign(unigram_overlap=0.5, bigram_overlap=0.25)


@pytest.fixture
def drawn():
    return pd.concat(
        [filled("a1", ["two dogs", "a xqzt xqzt"]), filled("general", ["cats", "cats"])], ignore_index=True
    )


def test_errors_are_shares_of_words_beside_those_of_learners(drawn):
    table = lexical_metrics.of_models(drawn, drawn, **HOW).set_index("model")
    assert table.loc["a1", "kind"] == "specialised" and table.loc["a1", "top5"] == 0.5
    assert table.loc["a1", "nonwords"] == pytest.approx(2 / 5)
    assert table.loc["a1", "true_nonwords"] == pytest.approx(1 / 4)
    assert table.loc["a1", "error_preservation"] == pytest.approx(8 / 5) and table.loc["general", "nonwords"] == 0
    assert lexical_metrics.preservation(table).startswith("Error preservation could be told in 2 of 2 cells. There")


def test_learners_words_are_counted_once(drawn):
    table = lexical_metrics.levels_of_words(drawn, **HOW).set_index("model")
    assert table["kind"].to_dict() == {"learners": "learners", "a1": "specialised", "general": "general"}
    assert table.loc["learners", "n"] == 2 and table.loc["learners", "unlisted"] == pytest.approx(1 / 4)


def test_where_nobody_wrote_there_are_two_empty_tables(drawn):
    none = drawn.iloc[:0]
    assert lexical_metrics.of_models(none, none, **HOW).empty and lexical_metrics.levels_of_words(none, **HOW).empty
