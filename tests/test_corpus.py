"""Claims about cleaning and parting a corpus."""

import re

import numpy as np
import pandas as pd
import pytest
from corpora import table

from lib import corpus, split


def learners(n_learners=300, texts_each=4, seed=0):
    """Made-up corpus rows as `corpus.clean` leaves them: each learner has one L1 and climbs through two levels."""
    rng = np.random.default_rng(seed)
    rows = []
    for learner in range(n_learners):
        first, l1 = rng.choice(4, p=[0.4, 0.3, 0.2, 0.1]), rng.choice(["Arabic", "French", "Turkish"])
        for n in range(texts_each):
            words = " ".join(rng.choice(["cat", "dog", "sun", "bus", "tea", "pen", "map"], 30))
            level = corpus.LEVELS[first + n // 2]
            rows.append((len(rows), f"L{learner}", level, l1, "1", words))
    return pd.DataFrame(rows, columns=["text_id", "learner_id", "level", "l1", "topic_id", "text"])


def parted(texts, seed=0):
    return texts.assign(split=split.parts(texts, 0.1, 0.1, seed))


def named(*rows):
    """Rows in this project's names, as reading leaves them."""
    return table(*rows).rename(columns={"writing_id": "text_id", "cefr": "level"})


@pytest.mark.parametrize("level", ["B1+", "Z9", "17", "0", "", "1e400", "1e999", "inf", "-1", "3.5"])
def test_an_unknown_level_is_refused_with_its_row(level):
    with pytest.raises(corpus.CorpusError, match=re.escape(f"1 texts have an unknown level (row 3: '{level}'")):
        corpus.clean(named({}, {"writing_id": "2", "cefr": level}))


def test_the_refusal_of_a_level_names_the_nearest_and_the_way_on():
    with pytest.raises(corpus.CorpusError, match="text id 1.*Expected: A1.*or 'B1-'.*Nearest: B1.*levels:"):
        corpus.clean(named({"cefr": "b1+"}), {"B1-": "B1"})


def test_the_refusal_of_a_level_quotes_40_characters_at_most():
    with pytest.raises(corpus.CorpusError) as error:
        corpus.clean(named({"cefr": "x" * 100}))
    assert "x" * 40 in str(error.value) and "x" * 41 not in str(error.value)


def test_ef_levels_become_cefr_bands():
    rows = named(*({"cefr": str(n), "writing_id": str(n), "text": "x" * n} for n in range(1, 17)))
    texts, dropped = corpus.clean(rows)
    assert texts["level"].tolist() == [band for band in corpus.LEVELS for _ in range(3)]
    assert dropped["level C2"] == 1


def test_each_dropped_text_is_counted_under_its_reason():
    rows = named(
        {}, {}, {"writing_id": "2", "cefr": "C2"}, {"writing_id": "3", "text": " \n"},
        {"writing_id": "4", "text": "I like cats!! 2"}, {"writing_id": "5", "text": "Something else."},
    )  # fmt: skip
    texts, dropped = corpus.clean(rows)
    assert texts["text_id"].tolist() == [1, 5]
    assert dropped == {"level C2": 1, "empty text": 1, "same row twice": 1, "same words as another text": 1}


def test_levels_that_are_left_out_are_counted():
    rows = named({"cefr": "A2.i"}, {"cefr": "0", "writing_id": "2"}, {"cefr": "b1", "writing_id": "3", "text": "Hi"})
    texts, dropped = corpus.clean(rows, {"A2.I": "A2", "0": "drop"})
    assert texts["level"].tolist() == ["A2", "B1"] and dropped["level left out"] == 1


@pytest.mark.parametrize("change", [{"text": "Another text."}, {"text": ""}, {"cefr": "C2"}, {"learner_id": "8"}])
def test_one_id_for_two_rows_is_refused(change):
    with pytest.raises(corpus.CorpusError, match=r"1 text ids stand for two different rows \(first: 1\)"):
        corpus.clean(named({}, change, {"writing_id": "2"}))


def test_a_text_without_id_is_refused():
    with pytest.raises(corpus.CorpusError, match="1 texts have no id .row 3"):
        corpus.clean(named({}, {"writing_id": ""}))


def test_ids_beyond_any_number_stay_text():
    ids = ["9" * 400, "9" * 399 + "8", "٣"]
    texts, _ = corpus.clean(named(*({"writing_id": name, "text": f"So {word}"} for name, word in zip(ids, "abc"))))
    assert sorted(texts["text_id"]) == sorted(ids)


def test_what_looks_like_no_value_is_a_text():
    texts = ["NA", "None", "null", "=1+1", "TRUE", "nan", '"', "\u202bright\u202c", "😀"]
    kept, dropped = corpus.clean(named(*({"writing_id": str(n), "text": text} for n, text in enumerate(texts))))
    assert kept["text"].tolist() == texts and not any(dropped.values())


@pytest.mark.parametrize("ids", [["10", "9", "2"], ["b", "a10", "a9"]])
def test_which_of_two_like_texts_stays_does_not_depend_on_the_order(ids):
    rows = named(*({"writing_id": name, "text": text} for name, text in zip(ids, ["Hi you", "hi, YOU!", "Hi you 2"])))
    kept = [corpus.clean(rows.iloc[order])[0] for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2])]
    assert len(kept[0]) == 1 and kept[0].equals(kept[1]) and kept[0].equals(kept[2])


def test_letters_of_every_script_tell_texts_apart():
    folded = corpus.fold(pd.Series(["Hi привет 1", "Hi пока", "hi, Привет!", "!?", "123"]))
    assert folded.tolist() == ["hiпривет", "hiпока", "hiпривет", "!?", "123"]


def test_no_learner_is_in_two_parts():
    texts = parted(learners())
    assert texts.groupby("learner_id")["split"].nunique().max() == 1


def test_each_level_is_parted_80_10_10():
    texts = parted(learners(3000))
    shares = pd.crosstab(texts["level"], texts["split"], normalize="index")
    assert (shares - [0.1, 0.8, 0.1]).abs().max().max() < 0.005
    by_l1 = pd.crosstab(texts["l1"], texts["split"], normalize="index")
    assert (by_l1 - [0.1, 0.8, 0.1]).abs().max().max() < 0.01


def test_the_split_does_not_depend_on_the_order_of_rows():
    table_ = learners().astype(str)
    both = [corpus.clean(t)[0] for t in (table_, table_.sample(frac=1, random_state=3))]
    assert split.split_id(parted(both[0])) == split.split_id(parted(both[1]))


def test_without_learners_texts_that_share_their_words_stay_together():
    texts = learners(100, 2).assign(learner_id="")
    texts.loc[1::2, "text"] = texts.loc[::2, "text"].str.replace("^cat", "dog", regex=True).to_numpy() + " map"
    texts = parted(texts)
    pairs = texts["split"].to_numpy().reshape(-1, 2)
    assert (pairs[:, 0] == pairs[:, 1]).all()


def test_copied_flags_held_out_text_that_training_text_holds():
    long = "in my opinion the people in the city should to use more the bus and the bike"
    fresh = "yesterday we go to a farm where many small animals was sleeping under one big old tree"
    texts = pd.DataFrame({
        "text": [long, f"{long} because is good", fresh, f"{fresh} ok", "short one"],
        "split": ["train", "test", "valid", "valid", "test"],
    })  # fmt: skip
    assert split.copied(texts, 0.3).tolist() == [False, True, False, False, False]


def test_copied_runs_do_not_reach_across_texts():
    texts = pd.DataFrame({"text": ["a b c d e f g h", "a b c d", "e f g h"], "split": ["train", "test", "test"]})
    assert not split.copied(texts, 0.3).any()


def test_learner_ids_leave_as_keyed_hashes(tmp_path, monkeypatch):
    texts = learners(20)
    hashes = []
    for key in ["one", "two", "one"]:
        monkeypatch.setenv("ILM_CEFR_KEY", str(tmp_path / key))
        hashes.append(split.hashed_learners(texts))
    assert hashes[0].equals(hashes[2]) and not hashes[0].equals(hashes[1])
    assert hashes[0].nunique() == 20 and not set(hashes[0]) & set(texts["learner_id"])
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0
