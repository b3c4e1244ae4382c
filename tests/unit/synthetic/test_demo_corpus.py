"""Claims about the demo's corpus: invented, the same at every run, and like EFCAMDAT in what the study measures."""

import difflib
import hashlib
import os
import re
import subprocess
import sys
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest

from lib.corpus import reading
from lib.design import LEVELS
from lib.experiment import parameters
from lib.experiment.files import write_table
from lib.synthetic import demo_corpus

LETTERS = re.compile(r"[^\W\d_]+")


@pytest.fixture(scope="module")
def corpus():
    return demo_corpus.embedded_corpus()


def digest(table):
    return hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()


def by_level(values, corpus):
    return values.groupby(corpus["cefr"]).mean()[LEVELS].tolist()


def test_the_same_seed_gives_the_same_bytes_in_another_process():
    code = "from tests.unit.synthetic import test_demo_corpus as t\n"
    code += "print(t.digest(t.demo_corpus.embedded_corpus(300, seed=4)))"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    np.random.seed(1)  # the global state must not matter
    assert other.stdout.strip() == digest(demo_corpus.embedded_corpus(300, seed=4))
    assert other.stdout.strip() != digest(demo_corpus.embedded_corpus(300, seed=5))


def test_the_module_and_its_data_say_that_it_is_synthetic():
    data = demo_corpus.__file__.replace(".py", ".yaml")
    assert "SYNTHETIC" in demo_corpus.__doc__
    assert "no learner" in demo_corpus.SYNTHETIC
    with open(data, encoding="utf-8") as file:
        assert file.readline().startswith("# SYNTHETIC")


def test_the_columns_are_those_of_the_cleaned_subcorpus(corpus):
    assert list(corpus) == demo_corpus.COLUMNS
    assert {str(kind) for kind in corpus.dtypes} == {"int64", "str"}
    assert corpus["writing_id"].is_unique
    assert corpus["writing_id"].between(1, 99_999).all()
    assert corpus["learner_id"].between(1, 99_999).all()


def test_a_prompt_belongs_to_one_level(corpus):
    assert (corpus.groupby("topic")["cefr"].nunique() == 1).all()
    assert (corpus.groupby("topic")["topic_id"].nunique() == 1).all()
    assert corpus.groupby("cefr")["topic"].nunique().between(8, 10).all()
    assert (corpus["cefr"].map(LEVELS.index) == (corpus["level"] - 1) // 3).all()


def test_learners_write_several_texts_and_never_move_down(corpus):
    assert 800 < corpus["learner_id"].nunique() < 1000
    ordered = corpus.sort_values(["learner_id", "date"])
    steps = ordered.groupby("learner_id")["level"].diff().dropna()
    assert (steps >= 0).all()
    assert (steps > 0).mean() > 0.3
    assert not corpus.duplicated(["learner_id", "topic"]).any()


def test_levels_shrink_as_in_efcamdat_and_c1_is_large_enough(corpus):
    counts = corpus["cefr"].value_counts()
    assert counts.index.tolist() == LEVELS
    assert counts["C1"] >= 300
    assert counts.sum() == 3300


def test_ten_first_languages_with_enough_texts_each(corpus):
    counts = corpus["l1"].value_counts()
    assert len(counts) == 10
    assert counts.min() >= 120
    assert counts.index[0] == "Portuguese"
    assert (corpus.groupby("learner_id")["l1"].nunique() == 1).all()


def test_texts_get_longer_with_the_level(corpus):
    words = by_level(corpus["wordcount"], corpus)
    assert words == sorted(words)
    assert 22 < words[0] < 30
    assert 70 < words[-1] < 85


def test_errors_get_fewer_with_the_level(corpus):
    changed = [
        sum(a != b for a, b in zip(text.split(), corrected.split()))
        for text, corrected in zip(corpus["text"], corpus["text_corrected"])
    ]
    rate = by_level(pd.Series(changed) / corpus["wordcount"], corpus)
    assert rate == sorted(rate, reverse=True)
    assert rate[0] > 3 * rate[-1]
    small_i = by_level(corpus["text"].str.contains(r"\bi\b") / corpus["text"].str.count(r"\b[Ii]\b").clip(1), corpus)
    assert small_i[0] > small_i[2] > small_i[4]


def test_first_languages_change_the_use_of_articles(corpus):
    articles = corpus["text"].str.lower().str.count(r"\b(?:a|an|the)\b") / corpus["wordcount"]
    low = corpus["cefr"].isin(["A1", "A2", "B1"])
    bare = corpus["l1"].isin(["Mandarin", "Russian", "Japanese", "Turkish"])
    assert articles[low & bare].mean() < 0.85 * articles[low & ~bare].mean()


def test_text_corrected_differs_only_in_spelling(corpus):
    assert (corpus["text"] != corpus["text_corrected"]).mean() > 0.3
    for text, corrected in zip(corpus["text"], corpus["text_corrected"]):
        assert LETTERS.sub("w", text) == LETTERS.sub("w", corrected)
        for a, b in zip(LETTERS.findall(text), LETTERS.findall(corrected)):
            assert a == b or difflib.SequenceMatcher(None, a.lower(), b.lower()).ratio() > 0.45, (a, b)


def test_every_kind_of_noise_occurs_in_a_few_texts(corpus):
    text, n = corpus["text"], len(corpus)
    questions = {prompt["topic"]: prompt["ask"] for prompt in demo_corpus.PROMPTS}
    twice = text.duplicated(keep=False)
    counts = {
        "exact duplicates": (twice & ~corpus.duplicated(["text", "learner_id"], keep=False)).sum(),
        "near duplicates": near_duplicates(corpus),
        "question copied": sum(t.startswith(questions[topic]) for t, topic in zip(text, corpus["topic"])),
        "glued sentences": text.str.contains(r"[a-z][.!?][A-Z]").sum(),
        "curly quotes": text.str.contains("[’“”]").sum(),
        "emoji": text.str.contains("[\U0001f300-\U0001faff❤]").sum(),
        "doubled apostrophes": text.str.contains("''").sum(),
        "masked names": text.str.contains(r"\bxxx\b").sum(),
    }
    assert all(0.004 * n < count < 0.025 * n for count in counts.values()), counts
    assert {"NA", "None", "=1+1"} <= set(text)


def near_duplicates(corpus):
    """Pairs of texts on a topic by two learners that share most, not all, of their words in order."""
    found = 0
    for _, group in corpus.groupby("topic"):
        shingles = [set(zip(w, w[1:], w[2:])) for w in group["text"].str.split()]
        for i, a in enumerate(shingles):
            found += any(len(a & b) > 0.6 * len(b) > 0 and a != b for b in shingles[:i] if b)
    return found


def test_model_answers_are_copied_word_for_word(corpus):
    answers = {prompt["topic"]: demo_corpus._model_answer(prompt) for prompt in demo_corpus.PROMPTS}
    copied = [text.startswith(answers[topic]) for text, topic in zip(corpus["text"], corpus["topic"])]
    assert 10 < sum(copied) < 60


def test_most_texts_share_few_word_sequences(corpus):
    writers, runs = defaultdict(set), []
    for learner, text in zip(corpus["learner_id"], corpus["text"]):
        words = re.findall(r"\w+", text.lower())
        runs.append([tuple(words[i : i + 8]) for i in range(len(words) - 7)])
        for run in runs[-1]:
            writers[run].add(learner)
    shared = pd.Series([np.mean([len(writers[run]) > 1 for run in some]) for some in runs if some])
    assert shared.mean() < 0.2
    assert (shared >= 0.3).mean() < 0.15


def test_longer_texts_have_paragraphs(corpus):
    lines = by_level(corpus["text"].str.count("\n") > 0, corpus)
    assert lines[0] < 0.3
    assert min(lines[2:]) > 0.6


def test_the_running_example_occurs_once_and_fits_its_writer(corpus):
    example = demo_corpus.EXAMPLE_LEARNER
    row = corpus.set_index("writing_id").loc[4711]
    assert (row["learner_id"], row["cefr"], row["l1"], row["nationality"]) == (93, "A1", "Spanish", "mx")
    assert row["text"] == example["text"]
    assert example["sentence"] in row["text"].replace("\n", " ")
    assert corpus["text"].str.contains(example["sentence"], regex=False).sum() == 1
    others = corpus[corpus["learner_id"] == 93]
    assert len(others) > 1
    assert not others["text"].str.contains("my (?:brother|father|mother|uncle)").any()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_running_example_occurs_with_any_seed(seed):
    small = demo_corpus.embedded_corpus(200, seed=seed)
    assert len(small) == 200
    assert small.set_index("writing_id").loc[4711, "text"] == demo_corpus.EXAMPLE_LEARNER["text"]


def test_every_template_is_filled_completely(corpus):
    assert not corpus["text"].str.contains(r"[<>|()]").drop(corpus.index[corpus["text"].str.contains(":\\)")]).any()


def test_the_projects_reader_accepts_what_the_generator_writes(tmp_path, corpus):
    write_table(corpus, tmp_path / "corpus.csv")
    read, _ = reading.read_corpus(tmp_path / "corpus.csv", parameters.load_file("params/demo/corpus.yaml"))
    assert read["text"].tolist() == corpus["text"].tolist()


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("go fishing", ["goes fishing", "went fishing", "gone fishing", "going fishing"]),
        ("swim", ["swims", "swam", "swum", "swimming"]),
        ("study hard", ["studies hard", "studied hard", "studied hard", "studying hard"]),
        ("watch TV", ["watches TV", "watched TV", "watched TV", "watching TV"]),
        ("dance", ["dances", "danced", "danced", "dancing"]),
        ("have a dog", ["has a dog", "had a dog", "had a dog", "having a dog"]),
    ],
)
def test_verbs_are_inflected(verb, forms):
    assert [demo_corpus.inflect(verb, form) for form in ("s", "ed", "en", "ing")] == forms
