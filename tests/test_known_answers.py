"""Corpora whose answer is known: that they follow the laws they promise, and that a trained model finds its own."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import chi2_contingency, chisquare

from lib.corpus import reading
from lib.evaluation import scoring, statistics
from lib.evaluation.scoring import KEYS
from lib.experiment import parameters
from lib.masking import frozen_masks, token_index, tokenization
from lib.models import initialization
from lib.synthetic import demo_corpus, known_answers, optimal_model
from lib.training import dataset, loop

sys.path.append("bench")  # scripts, no package
import known_answers as checks

DRAWING = parameters.load("params/two_levels/masks.yaml")
EQUAL = [known_answers.identical_levels, known_answers.disjoint_vocabularies, known_answers.known_law]


@pytest.mark.parametrize("make", known_answers.CORPORA.values(), ids=known_answers.CORPORA)
def test_every_corpus_is_in_the_embedded_ones_columns_and_no_learner_or_prompt_has_two_levels(make):
    table = make(2000, seed=2)
    assert list(table) == demo_corpus.COLUMNS and len(table) == 2000
    assert (table.groupby("learner_id")["cefr"].nunique() == 1).all()
    assert (table.groupby("topic_id")["cefr"].nunique() == 1).all()
    assert table["text"].nunique() > 0.98 * len(table)
    assert table["wordcount"].std() > 0.15 * table["wordcount"].mean()  # no length is given away
    assert make(2000, seed=2).equals(table) and not make(2000, seed=3).equals(table)


@pytest.mark.parametrize("make", EQUAL, ids=[make.__name__ for make in EQUAL])
def test_levels_are_equally_large_where_nothing_else_is_said(make):
    assert make(2000)["cefr"].value_counts().nunique() == 1


def test_disjoint_vocabularies_share_no_word():
    vocabulary = known_answers.disjoint_vocabularies(1000).groupby("cefr")["text"].agg(lambda all: set(words(all)))
    assert vocabulary.map(len).sum() == len(set.union(*vocabulary)) == 5 * (2 * known_answers.ODD + known_answers.NOISE)


def test_identical_levels_use_words_alike_and_a_known_law_does_not_tell_of_its_twins():
    assert word_by_level(known_answers.identical_levels(3000, seed=3)) > 0.001
    assert word_by_level(known_answers.known_law(2000)) > 0.001  # by words alone A2, with each word twice, is like A1
    assert word_by_level(known_answers.disjoint_vocabularies(1000)) < 1e-6  # the same test tells real levels apart


def words(texts):
    return " ".join(texts).replace(".", "").lower().split()


def word_by_level(table):
    """p of level against word, taking one word from each text, since words of one text depend on each other."""
    rng = np.random.default_rng(0)
    drawn = pd.Series([rng.choice(words([text])) for text in table["text"]])
    return chi2_contingency(pd.crosstab(drawn, table["cefr"])).pvalue


def test_words_of_the_known_law_come_as_often_as_it_says():
    table = known_answers.known_law(4000)
    drawn = pd.Series(words(table.loc[table["cefr"] == "A1", "text"])).value_counts()
    names, chances = known_answers.law()
    assert chisquare(drawn.reindex(names), chances * drawn.sum()).pvalue > 0.001
    twins = [text.split() for text in table.loc[table["cefr"] == "A2", "text"]]
    assert all(text[::2] == text[1::2] for text in twins)


def test_hidden_levels_are_at_odds_80_to_20_and_only_y_given_x_tells():
    table = known_answers.hidden_levels(8000)
    x, y, noise = table["text"].str.split(n=2, expand=True).to_numpy().T
    assert pd.crosstab(x, [table["cefr"], y]).gt(0).sum(axis=1).tolist() == [2] * known_answers.ODD  # y of A1, y of A2
    level_of = table["cefr"].groupby([x, y]).nunique()
    assert (level_of == 1).all() and len(level_of) == 2 * known_answers.ODD
    for seen in (x, y, [text.split()[0] for text in noise], [len(text) for text in noise]):
        assert chi2_contingency(pd.crosstab(np.asarray(seen), table["cefr"])).pvalue > 0.001
    assert table["cefr"].value_counts(normalize=True)["A1"] == 0.8


def test_permuted_labels_tell_nothing_though_the_texts_are_those_of_hidden_levels():
    true, shuffled = known_answers.hidden_levels(4000), known_answers.permuted_labels(4000)
    assert sorted(true["text"]) == sorted(shuffled["text"])
    pair = shuffled["text"].str.split().str[:2].str.join(" ")
    assert chi2_contingency(pd.crosstab(pair, shuffled["cefr"])).pvalue > 0.001
    assert shuffled["cefr"].value_counts(normalize=True)["A1"] == pytest.approx(0.8, abs=0.03)


def test_shared_structure_gives_the_small_level_too_few_pairs_to_learn_and_no_new_ones():
    table = known_answers.shared_structure(4000)
    met = {level: {tuple(text.split()[i : i + 2]) for text in texts for i in range(2, len(text.split()), 2)}
           for level, texts in table.groupby("cefr")["text"]}  # fmt: skip
    assert met["A2"] < met["A1"] and len(met["A1"]) == known_answers.FACTS
    assert (table["cefr"] == "A2").sum() == 200


def test_what_a_mask_hides_and_leaves_is_told_word_by_word():
    texts = pd.DataFrame({"text_id": [1], "text": ["ba di ko lu"]})
    frozen = pd.DataFrame({"char_offset": [0, 6], "char_length": [2, 5]}).assign(text_id=1, mask_type="mix", mask_set=0)
    row = optimal_model.hidden_words(texts, frozen).iloc[0]
    assert (row["words"], row["visible"]) == (["ba", "ko", "lu"], ["di"])


def test_only_masks_that_hide_x_or_y_are_worth_the_level():
    (x, *_), y = known_answers.pair_words(), known_answers.pair_words()[-1]
    assert [optimal_model.hides_pair(words) for words in ([x], ["noise", y], ["noise"], [])] == [
        True,
        True,
        False,
        False,
    ]
    assert [optimal_model.is_y(words) for words in ([y], [x], [x, y], ["noise"])] == [True, False, False, False]


def test_known_answers_are_written_from_the_command_line(tmp_path):
    words = ["known-answer-corpus", "identical_levels", tmp_path / "a.csv", "--texts", "50"]
    subprocess.run([sys.executable, "-m", "lib", *words], check=True)
    assert len(reading.read(tmp_path / "a.csv", parameters.load("params/demo/corpus.yaml"))[0]) == 50


def trained_and_scored(texts, examples=4800):
    """Scores of a small model and of the oracle, on single blanked words of texts that it was not trained on."""
    tokenizer = tokenization.tokenizer("bpe", texts["text"], DRAWING.vocabulary)
    first = tokenizer.convert_tokens_to_ids("<|startofinfill|>")
    index = token_index.build(texts, tokenizer, "rules", DRAWING.max_length)
    held_out = index["text_id"] % 5 == 0
    settings = parameters.load("params/two_levels/a1.yaml")
    settings = settings.model_copy(update={"examples": examples, "eval_every": examples})
    torch.manual_seed(0)
    model = initialization.model(settings, tokenizer, DRAWING.max_length)
    frozen = frozen_masks.freeze(index[held_out], DRAWING, "word", 1)
    blanks = scoring.frozen_examples(index[held_out], frozen, first)
    return model, dataset.Steps(index[~held_out], DRAWING, settings, 0, first), blanks, settings, frozen


@pytest.mark.parametrize("level, alarm", [("A1", False), ("A2", True)])
def test_no_model_beats_the_oracle_of_a_known_law_unless_answers_leak(level, alarm, tmp_path):
    table = known_answers.known_law(4000).query("cefr == @level")
    texts = table[["writing_id", "learner_id", "text"]].rename(columns={"writing_id": "text_id"})
    model, items, blanks, settings, frozen = trained_and_scored(texts)
    loop.train(model, items, blanks, settings, 0, tmp_path, "a1", {})
    own = scoring.score(model, *blanks).merge(texts[["text_id", "learner_id"]], on="text_id")
    hidden = optimal_model.hidden_words(texts, frozen)
    nats = hidden.assign(nll_text=[optimal_model.nats(words) for words in hidden["words"]])
    best = own.drop(columns="nll_text").merge(nats[[*KEYS, "nll_text"]], on=KEYS)
    both = pd.concat([own.assign(model="own"), best.assign(model="oracle")])
    sums = statistics.learner_sums(both.assign(seed=0, level="A1", copied=False), "word")
    found = statistics.contrasts(sums, [("own-oracle", "own", "oracle")], "A1").iloc[0]
    assert (found["ci_hi"] < 0) == alarm
    assert alarm or np.exp(found["theta"]) <= 1.06


def study(gains, learned=True):
    """What the checks ask of a study: gains of own models in %, known to .1 of a point."""
    rows = pd.DataFrame({"name": "general-own", "level": list(gains), "gain_pct": list(gains.values()), "why": ""})
    rows = rows.assign(theta=np.log1p(rows["gain_pct"] / 100), se=0.001, df=40, ci_lo=0.0, ci_hi=0.0, provisional=False)
    return SimpleNamespace(primary=lambda name: rows, learned=lambda level: learned)


@pytest.mark.parametrize("gains, learned, verdicts", [
    ({"A1": 3.9, "A2": -3.9}, True, ["holds", "holds"]),
    ({"A1": 4.1, "A2": 0.0}, True, ["FAILS", "holds"]),
    ({"A1": 0.0, "A2": -4.1}, True, ["FAILS", "holds"]),
    ({"A1": 25.0, "A2": 0.0}, True, ["FAILS", "FAILS"]),
    ({"A1": 0.0, "A2": 0.0}, False, ["VOID", "VOID"]),
])  # fmt: skip
def test_a_check_of_no_gain_fails_either_way_and_is_void_where_nothing_was_learned(gains, learned, verdicts):
    assert [row["verdict"] for row in checks.identical_levels(study(gains, learned))] == verdicts


def test_every_corpus_has_its_checks():
    assert set(checks.CHECKS) == set(known_answers.CORPORA)
