"""Claims about what notebook 01 says of a corpus: each sentence says what the numbers say."""

import pandas as pd
import pytest

from lib.corpus.damage import SIGNS
from lib.corpus.report import corpus_report
from lib.design import LEVELS

FACTS = {
    "few_learners": [], "few_prompts": [], "any_known": True, "all_known": True, "n_unnamed": 0, "n_texts": 300,
    "two_l1s": 0, "two_nationalities": 0, "similar_l1s": [], "unread_sheets": [], "lending_files": [],
    "has_prompts": True, "copied_share": 0.05, "damage": [], "text_column": "text",
    "formats": ["csv"],
}  # fmt: skip
SUMMARY = {
    "text_column": "text", "n_rows": 2000, "n_words": 12345, "n_near_duplicates": 40, "n_copied": 26,
    "n_outside_train": 653, "n_shared_passages": 54,
}  # fmt: skip


def per_level(*numbers):
    return pd.Series(numbers, LEVELS)


def compared(
    texts=(500, 400, 300, 200, 100), words=(20, 30, 40, 50, 60), imbalance=(0.18, 0.22), copied=(9, 2, 0, 0, 0)
):
    signs = pd.DataFrame(0.0, LEVELS, list(SIGNS))
    signs.loc["B1", "remains of markup"] = 0.034
    return corpus_report.compare_with_expectations(
        per_level(*texts),
        2000,
        per_level(*words),
        dict(zip(["level", "l1"], imbalance)),
        per_level(*copied),
        100,
        signs,
    ).splitlines()


def test_what_is_as_expected_is_called_so():
    counts, levels, length, balance, copied, signs = compared()
    assert "25.0% of the 2,000 rows were dropped" in counts
    assert "falls with every level, as expected" in levels
    assert "rises with every level, as expected: A1 20, A2 30, B1 40, B2 50, C1 60 words" in length
    assert "a level is 0.18 points, as expected. That of a first language is 0.22 points, as expected." in balance
    assert "11 of the 100 validation and test texts are flagged (11.0%), 9 of them at A1. No level has more." in copied
    assert "At most 3.4% of a level's texts have remains of markup, and at most 0.0%" in signs


def test_what_is_against_the_expectation_is_called_so():
    _, levels, length, balance, copied, _ = compared(
        (100, 400, 300, 200, 100), (20, 30, 25, 50, 60), (0.51, float("nan")), (0, 0, 0, 0, 0)
    )
    assert "does not fall with every level, against the expectation" in levels
    assert "does not rise with every level, against the expectation" in length
    assert (
        "0.51 points, against the expectation. That of a first language is unknown, since none is as large" in balance
    )
    assert "so none at any level." in copied


def test_equal_levels_neither_fall_nor_rise():
    _, levels, length, *_ = compared((20,) * 5, (10,) * 5)
    assert "does not fall with every level" in levels and "does not rise with every level" in length


def test_of_equal_levels_none_is_called_the_largest():
    letter = corpus_report.summarize([], per_level(*[20] * 5), [], any_known=True, all_known=True, **SUMMARY)
    assert "Every level has 20 texts. 40 texts" in " ".join(letter.split()) and "largest" not in letter
    last = corpus_report.answer(
        per_level(*[2] * 5), n_rows=100, n_texts=100, n_learners=30, any_known=True, all_known=True, example_texts=[]
    )
    assert last.endswith("10 are test texts that were not copied, 2 at each level.**")


def test_a_corpus_without_faults_raises_no_concern():
    assert corpus_report.list_concerns(**FACTS) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"few_learners": ["B2", "C1"]}, "Fewer than 20 test learners, so the level is not shown to others: B2, C1."),
        ({"any_known": False, "all_known": False}, "The corpus names no learners, so the same learner may be"),
        (
            {"all_known": False, "n_unnamed": 1200},
            "1,200 of 300 texts name no learner .an empty cell, NA.. .* every verdict is provisional.",
        ),
        ({"all_known": False, "n_unnamed": 9, "formats": ["csv", "xlsx"]}, "NA, merged cells.. Their"),
        ({"two_l1s": 3}, "3 learners have two first languages. Do the learners' numbers restart in each file"),
        ({"two_nationalities": 4}, "4 learners have two nationalities. .* put the file's name before each number"),
        ({"similar_l1s": [("Portugese", "Portuguese")]}, "First languages that may be one: Portugese and Portuguese."),
        ({"unread_sheets": ["old (hidden, not read)"]}, "Sheets that were not read: old .hidden, not read.."),
        ({"lending_files": ["all.csv"]}, "Only learners, prompts and first languages were taken from all.csv"),
        ({"few_prompts": ["A1"]}, "One or two prompts, or one with half of the texts, dominate A1"),
        ({"has_prompts": False}, "The corpus names no prompts"),
        ({"copied_share": 0.06}, "Over 5% of validation and test texts repeat training text .6%.."),
        ({"damage": ["remains of markup"]}, "over 1 % of a level's texts have remains of markup."),
        ({"text_column": "text_corrected"}, "This is the corrected text"),
    ],
)
def test_each_fault_raises_its_own_concern(changes, sentence):
    (concern,) = corpus_report.list_concerns(**FACTS | changes)
    assert pd.Series([concern]).str.contains(sentence).item(), concern


@pytest.mark.parametrize(
    ("any_known", "all_known", "sentence"),
    [
        (True, True, "No learner and no group of near duplicates is in two splits."),
        (True, False, "No named learner and no group"),
        (False, False, "learners are unknown."),
    ],
)
def test_the_letter_claims_no_more_than_is_known(any_known, all_known, sentence):
    sources = [{"file": "a.csv", "format": "csv", "rows": 1500}, {"file": "b.xlsx", "format": "xlsx", "rows": 500}]
    letter = corpus_report.summarize(
        sources, per_level(500, 400, 300, 200, 100), [], any_known=any_known, all_known=all_known, **SUMMARY
    )
    assert sentence in letter and "none that a rule raises" in letter
    assert "a.csv (csv, 1,500 rows); b.xlsx (xlsx, 500 rows); text from the column *text*" in letter
    assert "1,500 usable texts of 12,345 words.\n500 rows were dropped" in letter


def test_the_letter_lists_its_concerns():
    letter = corpus_report.summarize(
        [], per_level(5, 4, 3, 2, 1), ["One.", "Two."], any_known=True, all_known=True, **SUMMARY
    )
    assert letter.endswith("**Concerns:**\n\n- One.\n- Two.")


@pytest.mark.parametrize(
    ("any_known", "all_known", "whom"),
    [(True, True, "by 846 learners"), (True, False, "names in part"), (False, False, "does not name")],
)
def test_the_answer_counts_learners_only_where_all_are_known(any_known, all_known, whom):
    last = corpus_report.answer(
        per_level(94, 80, 60, 47, 31), n_rows=3300, n_texts=3261, n_learners=846, any_known=any_known,
        all_known=all_known, example_texts=[],
    )  # fmt: skip
    assert whom in last and ("846" in last) == all_known and "no text of this corpus" in last
    assert "312 are test texts that were not copied, from 94 at A1 to 31 at C1.**" in last
