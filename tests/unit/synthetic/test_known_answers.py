"""Claims about corpora with a known answer: each follows the distribution that its docstring states."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, chisquare

from lib.corpus import reading
from lib.experiment import parameters
from lib.synthetic import demo_corpus, known_answers

EQUAL = [known_answers.identical_levels, known_answers.disjoint_vocabularies, known_answers.known_law]


@pytest.mark.parametrize("make", known_answers.CORPORA.values(), ids=known_answers.CORPORA)
def test_a_corpus_has_the_demos_columns_and_one_level_a_learner(make):
    table = make(2000, seed=2)
    assert list(table) == demo_corpus.COLUMNS and len(table) == 2000
    assert (table.groupby("learner_id")["cefr"].nunique() == 1).all()
    assert (table.groupby("topic_id")["cefr"].nunique() == 1).all()
    assert table["text"].nunique() > 0.98 * len(table)
    assert table["wordcount"].std() > 0.15 * table["wordcount"].mean()  # the length reveals no answer
    assert make(2000, seed=2).equals(table) and not make(2000, seed=3).equals(table)


@pytest.mark.parametrize("make", EQUAL, ids=[make.__name__ for make in EQUAL])
def test_levels_are_equally_large_by_default(make):
    assert make(2000)["cefr"].value_counts().nunique() == 1


def test_disjoint_vocabularies_share_no_word():
    vocabulary = known_answers.disjoint_vocabularies(1000).groupby("cefr")["text"].agg(lambda all: set(words(all)))
    assert vocabulary.map(len).sum() == len(set.union(*vocabulary)) == 5 * (2 * known_answers.ODD + known_answers.NOISE)


def test_only_disjoint_levels_differ_in_single_words():
    assert word_by_level(known_answers.identical_levels(3000, seed=3)) > 0.001
    assert word_by_level(known_answers.known_law(2000)) > 0.001  # by words alone A2, with each word twice, is like A1
    assert word_by_level(known_answers.disjoint_vocabularies(1000)) < 1e-6  # the same test separates real levels


def words(texts):
    return " ".join(texts).replace(".", "").lower().split()


def word_by_level(table):
    """p of level against word, taking one word from each text, since words of one text depend on each other."""
    rng = np.random.default_rng(0)
    drawn = pd.Series([rng.choice(words([text])) for text in table["text"]])
    return chi2_contingency(pd.crosstab(drawn, table["cefr"])).pvalue


def test_words_of_the_known_law_follow_its_distribution():
    table = known_answers.known_law(4000)
    drawn = pd.Series(words(table.loc[table["cefr"] == "A1", "text"])).value_counts()
    names, chances = known_answers.law()
    assert chisquare(drawn.reindex(names), chances * drawn.sum()).pvalue > 0.001
    repeated = [text.split() for text in table.loc[table["cefr"] == "A2", "text"]]
    assert all(text[::2] == text[1::2] for text in repeated)


def test_hidden_levels_conflict_80_to_20_and_only_in_y_given_x():
    table = known_answers.hidden_levels(8000)
    x, y, noise = table["text"].str.split(n=2, expand=True).to_numpy().T
    assert pd.crosstab(x, [table["cefr"], y]).gt(0).sum(axis=1).tolist() == [2] * known_answers.ODD  # y of A1, y of A2
    level_of = table["cefr"].groupby([x, y]).nunique()
    assert (level_of == 1).all() and len(level_of) == 2 * known_answers.ODD
    for visible in (x, y, [text.split()[0] for text in noise], [len(text) for text in noise]):
        assert chi2_contingency(pd.crosstab(np.asarray(visible), table["cefr"])).pvalue > 0.001
    assert table["cefr"].value_counts(normalize=True)["A1"] == 0.8


def test_permuted_labels_are_independent_of_the_texts():
    true, shuffled = known_answers.hidden_levels(4000), known_answers.permuted_labels(4000)
    assert sorted(true["text"]) == sorted(shuffled["text"])
    pair = shuffled["text"].str.split().str[:2].str.join(" ")
    assert chi2_contingency(pd.crosstab(pair, shuffled["cefr"])).pvalue > 0.001
    assert shuffled["cefr"].value_counts(normalize=True)["A1"] == pytest.approx(0.8, abs=0.03)


def test_shared_structure_gives_the_small_level_too_few_pairs():
    table = known_answers.shared_structure(4000)
    seen = {level: {tuple(text.split()[i : i + 2]) for text in texts for i in range(2, len(text.split()), 2)}
            for level, texts in table.groupby("cefr")["text"]}  # fmt: skip
    assert seen["A2"] < seen["A1"] and len(seen["A1"]) == known_answers.FACTS
    assert (table["cefr"] == "A2").sum() == 200


def test_levels_that_differ_in_text_alone_have_one_grammar():
    table = known_answers.amount_of_text(1800)
    assert table["cefr"].value_counts().to_dict() == {"A1": 300, "A2": 1500}
    assert word_by_level(table) > 0.001


def test_levels_conflict_in_one_word_of_seven():
    table = known_answers.conflicting_word(4000)
    assert table["cefr"].value_counts().to_dict() == {"A1": 2000, "A2": 2000}
    assert table["wordcount"].mean() == pytest.approx(7, abs=0.1)
    x, y, noise = table["text"].str.split(n=2, expand=True).to_numpy().T
    assert (table["cefr"].groupby([x, y]).nunique() == 1).all()
    for visible in (x, y, [text.split()[0] for text in noise]):
        assert chi2_contingency(pd.crosstab(np.asarray(visible), table["cefr"])).pvalue > 0.001


def test_known_answers_are_written_from_the_command_line(tmp_path):
    words = ["known-answer-corpus", "identical_levels", tmp_path / "a.csv", "--texts", "50"]
    subprocess.run([sys.executable, "-m", "lib", *words], check=True)
    assert len(reading.read_corpus(tmp_path / "a.csv", parameters.load_file("params/demo/corpus.yaml"))[0]) == 50
