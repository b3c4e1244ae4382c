"""Claims about another corpus: which of its texts count, and that models score them as they score their own."""

import numpy as np
import pandas as pd
import pytest

from lib.errors import CorpusError, ParameterError
from lib.evaluation import scoring
from lib.identification import other_corpus
from lib.masking import frozen_masks

LONG = "On Sunday my whole family went to the lake and we swam until it was too cold for everybody"
KNOWN = pd.DataFrame({"text": [LONG, "Hello, I am Ann."], "split": ["train", "valid"]})


def write(tmp_path, rows):
    file = tmp_path / "other.csv"
    pd.DataFrame(rows, columns=["text_id", "learner_id", "level", "text"]).to_csv(file, index=False)
    return [str(file)]


def read(files, levels=("A1", "A2"), most=100):
    return other_corpus.read_texts(files, "params/demo", KNOWN, list(levels), "text", most, 1)


ROWS = [
    [1, "a", "A1", "I like my new house."],
    [2, "b", "A2", "hello I am ANN"],  # the models have seen it
    [3, "c", "A2", f"{LONG}. Then we went home."],  # a copy with an addition
    [4, "d", "C1", "Notwithstanding these objections, the policy was adopted."],  # no model
    [5, "e", "A2", "We live in a small town."],
]


def test_texts_that_the_models_may_have_seen_are_left_out(tmp_path):
    texts, left_out = read(write(tmp_path, ROWS))
    assert texts["text_id"].tolist() == [1, 5] and texts["learner_id"].tolist() == ["a", "e"]
    assert left_out == {"level without models": 1, "in the models' own corpus, or copied from it": 2}


def test_a_large_corpus_is_sampled_by_level(tmp_path):
    rows = [[n, n, "A1" if n % 2 else "A2", f"This is number {'x' * n} of them."] for n in range(20)]
    texts, left_out = read(write(tmp_path, rows), most=3)
    assert texts["level"].value_counts().to_dict() == {"A1": 3, "A2": 3} and sum(left_out.values()) == 14


def test_a_corpus_without_usable_texts_is_refused_in_words(tmp_path):
    with pytest.raises(CorpusError, match="1 level without models") as found:
        read(write(tmp_path, ROWS[3:4]))
    assert "Notwithstanding" not in str(found.value) and "A1, A2" in str(found.value)
    with pytest.raises(ParameterError, match="corpus.yaml"):
        other_corpus.read_texts([], tmp_path, KNOWN, ["A1"], "text", 9, 1)


def test_masks_are_drawn_as_those_of_the_study(texts, index, tokenizer, first_special, drawing):
    drawn = frozen_masks.draw_frozen(index, drawing, "training_mix", drawing.frozen_masks_per_text)
    expected = scoring.frozen_examples(index, drawn, first_special)
    found = other_corpus.masked_examples(texts, tokenizer, first_special, drawing)
    assert found[0].equals(expected[0]) and all(map(np.array_equal, found[1], expected[1]))


def test_every_model_and_seed_scores_every_text(texts, model, tokenizer, first_special, drawing, monkeypatch):
    class Run:
        def model(self, name, seed):
            return name, seed

        def require(self, path, made_by):
            return path

        def mask_settings(self):
            return drawing

    monkeypatch.setattr(other_corpus.tokenization, "load_run_tokenizer", lambda run: (tokenizer, first_special))
    loaded = []
    monkeypatch.setattr(other_corpus.loading, "load_model", lambda folder: loaded.append(folder) or model)
    found = other_corpus.score(Run(), texts.head(4), {"specialists": ({"A1": "a1", "B1": "b1"}, [0, 1], {})})
    assert sorted(loaded) == [("a1", 0), ("a1", 1), ("b1", 0), ("b1", 1)]
    table = found["specialists"][1]
    assert table.columns.tolist() == ["A1", "B1"] and table.index.tolist() == [0, 1, 2, 3]
    assert (table["A1"] == table["B1"]).all() and (table > 0).all(axis=None)
