"""Claims about near duplicates, the split, the copied flag and keyed learner ids."""

import re
import threading

import numpy as np
import pandas as pd
import pytest

from lib import errors
from lib.corpus import cleaning, column_mapping, near_duplicates, pseudonyms, split

RUNS = [3311869002701168043, 17304744732367252994, 5228947402101247292, 12966620206701928815]
KEYS = [2273993408520465529, 5863092317123074054, 135306420154268467]
WORDS = ["cat", "dog", "sun", "bus", "tea", "pen", "map"]


def learners(n_learners=300, texts_each=4, seed=0):
    """Made-up corpus rows as `corpus.clean` leaves them: each learner has one L1 and climbs through two levels."""
    rng = np.random.default_rng(seed)
    rows = []
    for learner in range(n_learners):
        first, l1 = rng.choice(4, p=[0.4, 0.3, 0.2, 0.1]), rng.choice(["Arabic", "French", "Turkish"])
        for n in range(texts_each):
            level, words = first + n // 2, " ".join(rng.choice(WORDS, 30))
            topic = str(10 * level + rng.integers(10))
            rows.append((len(rows), f"L{learner}", column_mapping.LEVELS[level], l1, topic, words))
    return pd.DataFrame(rows, columns=["text_id", "learner_id", "level", "l1", "topic_id", "text"])


def dealt(texts, seed=0, held_out=0.0, valid=0.1):
    """All rows, `split` being a part or a reason."""
    texts = texts.assign(
        group=near_duplicates.near_duplicates(texts["text"]), held_out=split.on_held_out_prompt(texts, held_out, seed)
    )
    return texts.assign(split=split.parts(texts, valid, 0.1, seed))


def parted(texts, **asked):
    texts = dealt(texts, **asked)
    return texts[texts["split"].isin(split.PARTS)]


def off(texts, by):
    """Largest distance from 80/10/10, in percentage points."""
    shares = pd.crosstab(texts[by], texts["split"], normalize="index")
    return 100 * (shares - [0.1, 0.8, 0.1]).abs().max().max()


def nearly(text):
    """The text with its fourth word and its last but one left out."""
    return re.sub(r"^(\S+ \S+ \S+) \S+(.*) \S+ (\S+)$", r"\1\2 \3", text)


def with_pages(texts, share, seed=0):
    """A share of the texts follow one of ten pages, with one word changed."""
    rng, texts = np.random.default_rng(seed), texts.copy()
    pages = [rng.choice(WORDS, 30) for _ in range(10)]
    for row in np.flatnonzero(rng.random(len(texts)) < share):
        words = pages[row % 10].copy()
        words[rng.integers(30)] = f"name{'abcdefghij'[row % 7]}"
        texts.loc[row, "text"] = " ".join(words)
    return texts


def exact_groups(texts, n=near_duplicates.RUN, alike=near_duplicates.ALIKE):
    """The slow way: every pair, Python sets, the smallest row of a group as its name."""
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    sets = [{tuple(w[i : i + n]) for i in range(len(w) - n + 1)} for w in words]
    group = list(range(len(texts)))
    for i in range(len(sets)):
        for j in range(i):
            if len(sets[i] & sets[j]) >= alike * len(sets[i] | sets[j]) > 0:
                old, new = max(group[i], group[j]), min(group[i], group[j])
                group = [new if g == old else g for g in group]
    return group


def test_words_are_those_of_the_regular_expression():
    texts = ["I ATE l’été; it's naïve!", "", "😀", "x_1, ٣ مرحبا  x_1", "one\x00two\ud800three", "ONE Two"]
    runs, starts = near_duplicates.word_runs(pd.Series(texts, dtype=object), 1)
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    assert np.diff(starts).tolist() == [len(w) for w in words]
    named = dict(zip(sum(words, []), runs.tolist()))
    assert [named[word] for word in sum(words, [])] == runs.tolist() and len(set(named.values())) == len(named)


def test_runs_do_not_reach_across_texts_or_blocks(monkeypatch):
    texts = pd.Series(["a b c d", "e f", "", "c d e f", "a b c"])
    whole = near_duplicates.word_runs(texts, 3)
    monkeypatch.setattr(near_duplicates, "BLOCK", 2)
    in_blocks = near_duplicates.word_runs(texts, 3)
    assert np.diff(whole[1]).tolist() == [2, 0, 0, 2, 1] and whole[0][0] == whole[0][4]
    assert len(set(whole[0])) == 4 and all((a == b).all() for a, b in zip(whole, in_blocks))


def test_groups_are_those_of_comparing_every_pair():
    texts = with_pages(learners(60, 3), 0.5)["text"]
    texts.iloc[1::9] = texts.iloc[::9].map(nearly).to_numpy()[: len(texts.iloc[1::9])]
    groups = near_duplicates.near_duplicates(texts)
    assert groups.tolist() == exact_groups(texts.tolist()) and 10 < groups.nunique() < 170


def test_all_texts_of_a_bucket_are_compared_not_only_those_side_by_side():
    texts = pd.Series(["a b c d e f", "u v w x y z", "g h i j k l", "a b c d e f g", "u v w x y z a"])
    parent, key = np.arange(5), np.zeros(5, np.uint64)
    near_duplicates._unite(np.arange(5), key, *near_duplicates._distinct(*near_duplicates.word_runs(texts, 3)), parent)
    assert near_duplicates._roots(parent).tolist() == [0, 1, 2, 0, 1]


def test_signatures_are_the_same_on_every_machine():
    runs, starts = near_duplicates.word_runs(pd.Series(["She ate leftover pasta for lunch."]), near_duplicates.RUN)
    assert runs.tolist() == RUNS
    assert near_duplicates._band_keys(runs, starts)[:3, 0].tolist() == KEYS


def test_a_text_under_three_words_is_nobodys_near_duplicate():
    texts = pd.Series(["", "Hi", "hi!", "I am", "", "I am fine", "I am fine."])
    assert near_duplicates.near_duplicates(texts).tolist() == [0, 1, 2, 3, 4, 5, 5]


def test_a_page_copied_by_thousands_is_one_group():
    texts = with_pages(learners(1500, 2), 1)["text"].iloc[::10]  # one page
    assert near_duplicates.near_duplicates(pd.concat([texts] * 10)).nunique() == 1


def test_no_learner_is_in_two_parts():
    texts = parted(with_pages(learners(), 0.2), held_out=0.1)
    assert texts.groupby("learner_id")["split"].nunique().max() == 1


def test_no_near_duplicates_are_in_two_parts():
    texts = parted(with_pages(learners(), 0.2), held_out=0.1)
    assert texts.groupby("group")["split"].nunique().max() == 1 and texts["group"].duplicated().any()


def test_a_text_that_another_learner_nearly_repeats_serves_for_training_only():
    texts = learners()
    texts.loc[5::40, "text"] = texts.loc[::40, "text"].map(nearly).to_numpy()  # another learner's
    texts.loc[21::40, "text"] = texts.loc[20::40, "text"].map(nearly).to_numpy()  # the same learner's
    result = dealt(texts)["split"]
    pairs = np.stack([result[::40], result[5::40]])
    assert np.isin(pairs, ["train", split.NEARLY]).all() and (pairs == split.NEARLY).any()
    own = np.stack([result[20::40], result[21::40]])
    assert (own[0] == own[1]).all() and set(own[0]) == set(split.PARTS)


@pytest.mark.parametrize("seed", range(4))
def test_each_level_is_parted_80_10_10_and_each_l1(seed):
    texts = parted(learners(3000), seed=seed)
    assert off(texts, "level") < 0.5 and off(texts, "l1") < 1


def test_balance_counts_what_stays():
    texts = dealt(with_pages(learners(3000), 0.3), held_out=0.1)
    ordinary = texts[texts["split"].isin(split.PARTS) & ~texts["held_out"]]
    assert (texts["split"] == split.NEARLY).sum() > 500 and (texts["split"] == split.PROMPT).sum() > 500
    assert off(ordinary, "level") < 0.5 and off(ordinary, "l1") < 1


def test_the_split_does_not_depend_on_the_order_of_rows():
    table = with_pages(learners(), 0.2).rename(columns={"text_id": "writing_id", "level": "cefr"}).astype(str)
    ids = []
    for rows in (table, table.sample(frac=1, random_state=3)):
        texts, _ = cleaning.clean(rows.rename(columns={"writing_id": "text_id", "cefr": "level"}))
        ids.append(split.split_id(parted(texts, held_out=0.1)))
    assert ids[0] == ids[1]


def test_another_seed_gives_another_split():
    assert split.split_id(parted(learners(), seed=0)) != split.split_id(parted(learners(), seed=1))


def test_without_learners_near_duplicates_stay_together_and_none_is_dropped():
    texts = with_pages(learners(100, 2).assign(learner_id=""), 0.2)
    texts.loc[1::2, "text"] = texts.loc[::2, "text"].map(nearly).to_numpy()
    texts = dealt(texts)
    assert texts.groupby("group")["split"].nunique().max() == 1 and set(texts["split"]) == set(split.PARTS)
    pairs = texts["split"].to_numpy().reshape(-1, 2)
    assert (pairs[:, 0] == pairs[:, 1]).mean() > 0.9  # a pair that shares too little may part


def test_held_out_prompts_are_seen_by_no_model_in_training():
    texts = dealt(learners(1000), held_out=0.12)
    assert set(texts.loc[texts["held_out"], "split"]) == {"test", split.PROMPT}
    assert not texts.loc[~texts["held_out"], "split"].eq(split.PROMPT).any()
    lost = texts.groupby("level")["held_out"].mean()
    assert lost.max() <= 0.12 and lost.min() > 0


def test_a_prompt_of_several_levels_is_held_out_at_all_or_none():
    texts = learners(1000)
    texts["topic_id"] = [str(n % 20) for n in range(len(texts))]
    held_out = split.on_held_out_prompt(texts, 0.12, 0)
    assert held_out.groupby(texts["topic_id"]).nunique().max() == 1 and held_out.any()
    assert held_out.groupby(texts["level"]).mean().max() <= 0.12


def test_learners_with_nothing_but_held_out_prompts_cost_training_nothing():
    texts = learners(1000, 1)
    texts = dealt(texts, held_out=0.12)
    assert set(texts.loc[texts["held_out"], "split"]) == {"test"}


def test_without_topics_or_share_no_prompt_is_held_out():
    assert not split.on_held_out_prompt(learners().assign(topic_id=""), 0.2, 0).any()
    assert not split.on_held_out_prompt(learners(), 0.0, 0).any()


def test_a_corpus_without_texts_is_refused():
    with pytest.raises(errors.CorpusError, match="All 0 texts"):
        dealt(learners(1).iloc[:0])


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_learners_are_refused_in_words(n):
    with pytest.raises(errors.CorpusError, match=rf"by {n} learner.*at least three.*learner_id"):
        dealt(learners(n))


def test_an_empty_part_is_refused_with_the_counts():
    with pytest.raises(errors.CorpusError, match=r"valid would be empty: \{'train': 7\d, 'valid': 0, 'test'"):
        dealt(learners(20), valid=1e-6)


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


@pytest.mark.parametrize(("share", "flagged"), [(0.5, True), (0.51, False)])
def test_a_text_is_copied_from_the_share_on(share, flagged):
    first = "a b c d e f g h"  # 1 run of 8 words; the test text has 2
    texts = pd.DataFrame({"text": [first, f"{first} i"], "split": ["train", "test"]})
    assert split.copied(texts, share)[1] == flagged


def test_nothing_is_copied_from_training_texts_of_a_few_words():
    texts = pd.DataFrame({"text": ["a b c", "a b c d e f g h i"], "split": ["train", "test"]})
    assert not split.copied(texts, 0.3).any()


def test_learner_ids_leave_as_keyed_hashes(tmp_path, monkeypatch):
    texts = learners(20)
    hashes = []
    for key in ["one", "two", "one"]:
        monkeypatch.setenv("ILM_CEFR_KEY", str(tmp_path / key))
        hashes.append(pseudonyms.hashed_learners(texts))
    assert hashes[0].equals(hashes[2]) and not hashes[0].equals(hashes[1])
    assert hashes[0].nunique() == 20 and not set(hashes[0]) & set(texts["learner_id"])
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0


def test_runs_that_start_together_share_one_whole_key(tmp_path, monkeypatch):
    monkeypatch.setenv("ILM_CEFR_KEY", str(tmp_path / "folder/key"))
    keys, gate = [], threading.Barrier(8)

    def start():
        gate.wait()
        keys.append(pseudonyms._learner_key())

    threads = [threading.Thread(target=start) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(keys) == 8 and len(set(keys)) == 1 and len(keys[0]) == 64
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["key"]


@pytest.mark.parametrize(
    ("content", "words"), [(b" \n", "is empty"), (b"letmein\xff", "is unusable"), (None, "is unusable")]
)
def test_a_useless_key_is_refused_and_not_shown(tmp_path, monkeypatch, content, words):
    path = tmp_path / "key"
    path.mkdir() if content is None else path.write_bytes(content)
    monkeypatch.setenv("ILM_CEFR_KEY", str(path))
    with pytest.raises(errors.CorpusError, match=words) as error:
        pseudonyms.hashed_learners(learners(3))
    assert "letmein" not in str(error.value) and "ILM_CEFR_KEY" in str(error.value)
    assert error.value.__context__ is None or error.value.__suppress_context__  # a traceback shows no key either
