"""Claims about near duplicates, the split, the copied flag and keyed learner ids."""

import numpy as np
import pandas as pd
import pytest

from lib import errors
from lib.corpus import cleaning, near_duplicates, split
from tests.helpers.made_up_learners import learners, nearly, with_pages


def all_assigned(texts, seed=0, held_out=0.0, valid=0.1):
    """All rows, with a split or a reason."""
    texts = texts.assign(
        group=near_duplicates.find_near_duplicates(texts["text"]),
        held_out=split.flag_held_out_prompts(texts, held_out, seed),
    )
    return texts.assign(split=split.assign_splits(texts, valid, 0.1, seed))


def with_split(texts, **options):
    texts = all_assigned(texts, **options)
    return texts[texts["split"].isin(split.SPLITS)]


def deviation(texts, by):
    """Largest distance from 80/10/10, in percentage points."""
    shares = pd.crosstab(texts[by], texts["split"], normalize="index")
    return 100 * (shares - [0.1, 0.8, 0.1]).abs().max().max()


def test_no_learner_is_in_two_splits():
    texts = with_split(with_pages(learners(), 0.2), held_out=0.1)
    assert texts.groupby("learner_id")["split"].nunique().max() == 1


def test_no_near_duplicates_are_in_two_splits():
    texts = with_split(with_pages(learners(), 0.2), held_out=0.1)
    assert texts.groupby("group")["split"].nunique().max() == 1 and texts["group"].duplicated().any()


def test_a_text_that_another_learner_nearly_repeats_is_for_training():
    texts = learners()
    texts.loc[5::40, "text"] = texts.loc[::40, "text"].map(nearly).to_numpy()  # another learner's
    texts.loc[21::40, "text"] = texts.loc[20::40, "text"].map(nearly).to_numpy()  # the same learner's
    result = all_assigned(texts)["split"]
    pairs = np.stack([result[::40], result[5::40]])
    assert np.isin(pairs, ["train", split.NEAR_DUPLICATE]).all() and (pairs == split.NEAR_DUPLICATE).any()
    own = np.stack([result[20::40], result[21::40]])
    assert (own[0] == own[1]).all() and set(own[0]) == set(split.SPLITS)


@pytest.mark.parametrize("seed", range(4))
def test_each_level_and_each_l1_is_divided_80_10_10(seed):
    texts = with_split(learners(3000), seed=seed)
    assert deviation(texts, "level") < 0.5 and deviation(texts, "l1") < 1


def test_balance_counts_what_stays():
    texts = all_assigned(with_pages(learners(3000), 0.3), held_out=0.1)
    ordinary = texts[texts["split"].isin(split.SPLITS) & ~texts["held_out"]]
    counts = texts["split"].value_counts()
    assert counts[split.NEAR_DUPLICATE] > 500 and counts[split.HELD_OUT_PROMPT] > 500
    assert deviation(ordinary, "level") < 0.5 and deviation(ordinary, "l1") < 1


def test_the_split_does_not_depend_on_the_order_of_rows():
    table = with_pages(learners(), 0.2).rename(columns={"text_id": "writing_id", "level": "cefr"}).astype(str)
    ids = []
    for rows in (table, table.sample(frac=1, random_state=3)):
        texts, _ = cleaning.clean_texts(rows.rename(columns={"writing_id": "text_id", "cefr": "level"}))
        ids.append(split.split_id(with_split(texts, held_out=0.1)))
    assert ids[0] == ids[1]


def test_another_seed_gives_another_split():
    assert split.split_id(with_split(learners(), seed=0)) != split.split_id(with_split(learners(), seed=1))


def test_without_learners_near_duplicates_stay_and_stay_together():
    texts = with_pages(learners(100, 2).assign(learner_id=""), 0.2)
    texts.loc[1::2, "text"] = texts.loc[::2, "text"].map(nearly).to_numpy()
    texts = all_assigned(texts)
    assert texts.groupby("group")["split"].nunique().max() == 1 and set(texts["split"]) == set(split.SPLITS)
    pairs = texts["split"].to_numpy().reshape(-1, 2)
    assert (pairs[:, 0] == pairs[:, 1]).mean() > 0.9  # a pair that shares too little may be separated


def test_held_out_prompts_are_seen_by_no_model_in_training():
    texts = all_assigned(learners(1000), held_out=0.12)
    assert set(texts.loc[texts["held_out"], "split"]) == {"test", split.HELD_OUT_PROMPT}
    assert not texts.loc[~texts["held_out"], "split"].eq(split.HELD_OUT_PROMPT).any()
    lost = texts.groupby("level")["held_out"].mean()
    assert lost.max() <= 0.12 and lost.min() > 0


def test_a_prompt_of_several_levels_is_held_out_at_all_or_none():
    texts = learners(1000)
    texts["topic_id"] = [str(n % 20) for n in range(len(texts))]
    held_out = split.flag_held_out_prompts(texts, 0.12, 0)
    assert held_out.groupby(texts["topic_id"]).nunique().max() == 1 and held_out.any()
    assert held_out.groupby(texts["level"]).mean().max() <= 0.12


def test_learners_of_held_out_prompts_alone_cost_training_nothing():
    texts = learners(1000, 1)
    texts = all_assigned(texts, held_out=0.12)
    assert set(texts.loc[texts["held_out"], "split"]) == {"test"}


def test_without_topics_or_share_no_prompt_is_held_out():
    assert not split.flag_held_out_prompts(learners().assign(topic_id=""), 0.2, 0).any()
    assert not split.flag_held_out_prompts(learners(), 0.0, 0).any()


def test_a_corpus_without_texts_is_refused():
    with pytest.raises(errors.CorpusError, match="All 0 texts"):
        all_assigned(learners(1).iloc[:0])


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_learners_are_refused_in_words(n):
    with pytest.raises(errors.CorpusError, match=rf"by {n} learner.*at least three.*learner_id"):
        all_assigned(learners(n))


def test_an_empty_split_is_refused_with_the_counts():
    with pytest.raises(errors.CorpusError, match=r"valid would be empty: \{'train': 7\d, 'valid': 0, 'test'"):
        all_assigned(learners(20), valid=1e-6)


def test_copied_flags_held_out_text_that_training_text_holds():
    long = "in my opinion the people in the city should to use more the bus and the bike"
    fresh = "yesterday we go to a farm where many small animals was sleeping under one big old tree"
    texts = pd.DataFrame({
        "text": [long, f"{long} because is good", fresh, f"{fresh} ok", "short one"],
        "split": ["train", "test", "valid", "valid", "test"],
    })  # fmt: skip
    assert split.flag_copied(texts, 0.3).tolist() == [False, True, False, False, False]


def test_copied_runs_do_not_reach_across_texts():
    texts = pd.DataFrame({"text": ["a b c d e f g h", "a b c d", "e f g h"], "split": ["train", "test", "test"]})
    assert not split.flag_copied(texts, 0.3).any()


@pytest.mark.parametrize(("share", "flagged"), [(0.5, True), (0.51, False)])
def test_a_text_is_copied_from_the_share_on(share, flagged):
    first = "a b c d e f g h"  # 1 run of 8 words; the test text has 2
    texts = pd.DataFrame({"text": [first, f"{first} i"], "split": ["train", "test"]})
    assert split.flag_copied(texts, share)[1] == flagged


def test_nothing_is_copied_from_training_texts_of_a_few_words():
    texts = pd.DataFrame({"text": ["a b c", "a b c d e f g h i"], "split": ["train", "test"]})
    assert not split.flag_copied(texts, 0.3).any()
