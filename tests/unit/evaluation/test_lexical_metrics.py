"""Claims about words that models write: English or not, their level, and rates calculated by hand."""

import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.evaluation import lexical_metrics
from tests.helpers.any_text import TEXTS, quickly

ANSWERS = ["I don’t recieve a letter", "two cats", "it can't be"]
INFILLS = ["I buyed teh cat", "2 chesse, lunch!", ""]


def test_a_word_is_in_the_dictionary_with_its_clitic_and_not_misspelt():
    assert [lexical_metrics.cefr_level(word) for word in ["don't", "cats", "people's", "lunch"]] == ["A1"] * 4
    assert [lexical_metrics.cefr_level(word) for word in ["can't", "won't"]] == [
        lexical_metrics.cefr_level(word) for word in ["can", "will"]
    ]
    assert {lexical_metrics.cefr_level(word) for word in ["recieve", "buyed", "becouse", "chesse", "xqz"]} == {
        "unlisted"
    }
    assert lexical_metrics.cefr_level("notwithstanding") in ("C1", "C2")


def test_word_counts_are_the_hand_counts():
    table = lexical_metrics.count_by_level(pd.Series(ANSWERS, index=[5, 7, 9]))
    assert table.index.tolist() == [5, 7, 9]
    assert table["n_words"].tolist() == [5, 2, 3] and table["unlisted"].tolist() == [1, 0, 0]
    assert (table[lexical_metrics.CEFR_PROFILE].sum(axis=1) == table["n_words"]).all()
    assert lexical_metrics.count_by_level(pd.Series(INFILLS))["n_words"].tolist() == [4, 2, 0]  # a digit is not a word


def test_no_texts_have_no_words():
    assert lexical_metrics.count_by_level(pd.Series([], dtype=str)).columns.tolist() == [
        *lexical_metrics.CEFR_PROFILE,
        "n_words",
    ]


def rows(n, right, learner, level="A1", model="a1", seed=0):
    """Rows with columns n and right; one text per row."""
    table = pd.DataFrame({"n": n, "right": right, "learner_id": learner, "level": level, "model": model, "seed": seed})
    return table.assign(text_id=np.arange(len(table)), all=10, bad=[1, *[2] * (len(table) - 1)])


def test_a_rate_is_the_hand_calculation_over_learners():
    table = rows([4, 2, 3, 1], [1, 1, 0, 1], ["x", "x", "y", "z"])
    found = lexical_metrics.rates(
        table, {"rate": ("right", "n"), "ratio": ("right", "n", "bad", "all")}, min_learners=2
    ).iloc[0]
    assert found["rate"] == pytest.approx(3 / 10) and (found["n"], found["n_learners"]) == (4, 3)
    assert found["ratio"] == pytest.approx((3 / 10) / (7 / 40))
    # 27 samples of x (2 of 6), y (0 of 3), z (1 of 1): y alone is the least, z alone the most, each 1 of 27
    assert (found["rate_lo"], found["rate_hi"]) == (0, 1)


def test_seeds_are_averaged_and_learners_resampled():
    one_seed = rows([10] * 40, [k % 2 for k in range(40)], [f"l{k // 2}" for k in range(40)])
    two_seeds = pd.concat([one_seed, one_seed.assign(seed=1)])
    a, b = (lexical_metrics.rates(table, {"rate": ("right", "n")}).iloc[0] for table in (one_seed, two_seeds))
    assert a.equals(b) and a["n"] == 40  # 20 learners, each with one right and one wrong text: no spread between them
    assert a["rate_lo"] == a["rate_hi"] == a["rate"] == pytest.approx(0.05)
    unknown = one_seed.assign(learner_id=one_seed["text_id"].astype(str))  # as 01_extract replaces missing ids
    by_text = lexical_metrics.rates(unknown, {"rate": ("right", "n")}, learners_known=False).iloc[0]
    assert by_text["n_learners"] == 40 and by_text["rate_lo"] < 0.05 < by_text["rate_hi"]


def test_few_learners_or_a_zero_denominator_give_no_rate():
    few = rows([1, 1, 1], [1, 1, 0], ["x", "y", "z"])
    many = rows([1] * 6, [1] * 6, list("abcdef"), level="C1").assign(bad=0)
    found = lexical_metrics.rates(
        pd.concat([few, many]), {"rate": ("right", "n"), "ratio": ("right", "n", "bad", "all")}
    )
    found = found.set_index("level")
    assert np.isnan(found.loc["A1", "rate"]) and found.loc["A1", "n_learners"] == 3
    assert found.loc["C1", "rate"] == 1 and found.loc["C1", ["ratio", "ratio_lo", "ratio_hi"]].isna().all()


def test_error_preservation_by_hand():
    """Learners: 1 of 10 words misspelt; the model: 2 of 6 (buyed, chesse; the list holds teh by mistake)."""
    of_learners, of_model = (lexical_metrics.count_by_level(pd.Series(texts)) for texts in (ANSWERS, INFILLS))
    table = (
        of_learners.add_prefix("true_")
        .join(of_model)
        .assign(learner_id=list("xyz"), text_id=[1, 2, 3], model="a1", seed=0)
    )
    columns = ("unlisted", "n_words", "true_unlisted", "true_n_words")
    found = lexical_metrics.rates(table.assign(level="A1"), {"error_preservation": columns}, min_learners=2).iloc[0]
    assert found["error_preservation"] == pytest.approx((2 / 6) / (1 / 10))


def test_without_rows_the_table_has_the_same_columns():
    filled_table = lexical_metrics.rates(rows([4], [1], ["x"]), {"rate": ("right", "n")})
    assert list(lexical_metrics.rates(rows([4], [1], ["x"]).head(0), {"rate": ("right", "n")})) == list(filled_table)


@pytest.mark.parametrize(("answer", "rank"), [("lunch", 2), ("dinner", 1), ("Lunch", 0), ("pasta", 0)])
def test_the_rank_of_an_answer_ignores_spaces(answer, rank):
    assert lexical_metrics.answer_rank(answer, [" dinner", " lunch ", "lunch"]) == rank


PAIRS = [("abb", "bba", 1, 1.0), ("abb", "bba", 2, 0.5), ("ab", "cd", 1, 0.0), (" a ", "a", 2, 1.0)]


@pytest.mark.parametrize(("a", "b", "n", "share"), PAIRS)
def test_overlap_counts_letters_as_multisets(a, b, n, share):
    assert lexical_metrics.ngram_overlap(a, b, n) == share


INVENTED = st.one_of(
    st.text(string.ascii_lowercase, min_size=24, max_size=26),
    st.builds(str.__mul__, st.sampled_from(string.ascii_lowercase), st.integers(24, 400)),
)


@quickly
@given(INVENTED)
@example("z" * 25)
def test_an_invented_word_is_unlisted(word):
    assert lexical_metrics.cefr_level(word) == "unlisted"


def test_the_longest_words_of_the_list_are_found():
    listed = ["demethylchlortetracycline", "electrocardiographically", "polytetrafluoroethylene"]
    assert "unlisted" not in map(lexical_metrics.cefr_level, listed)


@quickly
@given(TEXTS)
def test_the_words_of_any_text_have_levels(text):
    assert lexical_metrics.cefr_level(text) in lexical_metrics.CEFR_PROFILE
    row = lexical_metrics.count_by_level(pd.Series([text])).iloc[0]
    assert row[lexical_metrics.CEFR_PROFILE].sum() == row["n_words"]


@quickly
@given(TEXTS, TEXTS)
def test_any_two_fillings_can_be_compared(one, other):
    assert lexical_metrics.answer_rank(one, [one, other]) == 1
    assert lexical_metrics.ngram_overlap(one, one, 2) == 1 and 0 <= lexical_metrics.ngram_overlap(one, other, 2) <= 1


OPTIONS = {"learners_known": True, "draws": 50, "min_learners": 2}


def filled(model, infills):
    """A row per blank, with the learner's answer and the model's filling."""
    table = pd.DataFrame({"answer": ["two cats", "a lettr"], "infill": infills, "text_id": ["1", "2"]})
    table = table.assign(learner_id=["x", "y"], level="A1", model=model, seed=0, exact=False, top5=[True, False])
    return table.assign(unigram_overlap=0.5, bigram_overlap=0.25)


@pytest.fixture
def samples():
    return pd.concat(
        [filled("a1", ["two dogs", "a xqzt xqzt"]), filled("general", ["cats", "cats"])], ignore_index=True
    )


def test_nonwords_are_compared_with_those_of_learners(samples):
    table = lexical_metrics.model_metrics(samples, samples, **OPTIONS).set_index("model")
    assert table.loc["a1", "kind"] == "specialist" and table.loc["a1", "top5"] == 0.5
    assert table.loc["a1", "nonwords"] == pytest.approx(2 / 5)
    assert table.loc["a1", "true_nonwords"] == pytest.approx(1 / 4)
    assert table.loc["a1", "error_preservation"] == pytest.approx(8 / 5) and table.loc["general", "nonwords"] == 0
    assert lexical_metrics.error_preservation(table).startswith(
        "Error preservation could be estimated in 2 of 2 cells. It lies between 0.0 and 1.6 there."
    )


def test_learners_words_are_counted_once(samples):
    table = lexical_metrics.cefr_profiles(samples, **OPTIONS).set_index("model")
    assert table["kind"].to_dict() == {"learners": "learners", "a1": "specialist", "general": "general"}
    assert table.loc["learners", "n"] == 2 and table.loc["learners", "unlisted"] == pytest.approx(1 / 4)


def test_without_samples_both_tables_are_empty(samples):
    none = samples.iloc[:0]
    assert (
        lexical_metrics.model_metrics(none, none, **OPTIONS).empty
        and lexical_metrics.cefr_profiles(none, **OPTIONS).empty
    )
