"""Claims about the best model that there can be of a known law: no other comes below it."""

import numpy as np
import pandas as pd
import pytest
import torch

from bench.validity import optimal_model
from lib.evaluation import contrasts, scoring, statistics
from lib.evaluation.scoring import KEYS
from lib.experiment import parameters
from lib.masking import frozen_masks, token_index, tokenization
from lib.models import initialization
from lib.synthetic import known_answers
from lib.training import dataset, loop

DRAWING = parameters.load_file("params/two_levels/masks.yaml")


def words(texts):
    return " ".join(texts).replace(".", "").lower().split()


def test_what_a_mask_hides_and_leaves_is_told_word_by_word():
    texts = pd.DataFrame({"text_id": [1], "text": ["ba di ko lu"]})
    frozen = pd.DataFrame({"char_offset": [0, 6], "char_length": [2, 5]}).assign(
        text_id=1, mask_type="training_mix", mask_set=0
    )
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


def trained_and_scored(texts, examples=4800):
    """Scores of a small model and of the oracle, on single blanked words of texts that it was not trained on."""
    tokenizer = tokenization.make_tokenizer("bpe", texts["text"], DRAWING.vocabulary_size)
    first = tokenizer.convert_tokens_to_ids("<|startofinfill|>")
    index = token_index.build_index(texts, tokenizer, "rules", DRAWING.max_length)
    held_out = index["text_id"] % 5 == 0
    settings = parameters.load_file("params/two_levels/a1.yaml")
    settings = settings.model_copy(update={"max_examples": examples, "eval_every": examples})
    torch.manual_seed(0)
    model = initialization.initial_model(settings, tokenizer, DRAWING.max_length)
    frozen = frozen_masks.draw_frozen(index[held_out], DRAWING, "word", 1)
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
    found = contrasts.estimate(sums, [("own-oracle", "own", "oracle")], "A1").iloc[0]
    assert (found["ci_hi"] < 0) == alarm
    assert alarm or np.exp(found["theta"]) <= 1.06
