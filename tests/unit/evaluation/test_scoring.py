"""Claims about scores: sums of -ln p that nothing beside a text can change, and models that are what they say."""

import numpy as np
import pandas as pd
import pytest
import torch

from lib.evaluation import scoring
from lib.masking import frozen_masks
from lib.masking.examples import CONTEXT, INFILL, INFILL_SPECIAL, level_tokens
from lib.models import packing

SUMS = ["nll_text", "nll_full", "nll_context"]


@pytest.fixture(scope="module")
def asked(index, drawing, first_special):
    masks = pd.concat([frozen_masks.draw_frozen(index, drawing, kind, 2) for kind in ["training_mix", "document"]])
    return scoring.frozen_examples(index, masks, first_special)


@pytest.fixture(scope="module")
def scores(model, asked):
    return scoring.score(model, *asked)


def test_packed_scores_are_those_of_each_text_alone(model, asked, scores):
    for i in range(0, len(scores), 7):
        one = [asked[0].iloc[[i]], asked[1][i : i + 1], asked[2][i : i + 1]]
        alone = scoring.score(model, *one, batch=1)
        assert np.abs(alone[SUMS] - scores.iloc[[i]][SUMS]).max().max() < 1e-4


def test_no_order_and_no_batch_size_changes_a_score(model, asked, scores):
    mixed = np.random.default_rng(0).permutation(len(scores))
    again = scoring.score(model, asked[0].iloc[mixed], *([part[i] for i in mixed] for part in asked[1:]), batch=300)
    assert np.abs(again[SUMS] - scores.iloc[mixed][SUMS]).max().max() < 1e-4


def test_too_little_memory_for_a_batch_changes_no_score(model, asked, scores, monkeypatch):
    plain = packing.token_losses

    def short_of_memory(model, batch):
        if batch["input_ids"].shape[1] > 150:
            raise torch.OutOfMemoryError("no room")
        return plain(model, batch)

    monkeypatch.setattr(packing, "token_losses", short_of_memory)
    again = scoring.score(model, *asked)
    assert np.abs(again[SUMS] - scores[SUMS]).max().max() < 1e-4
    monkeypatch.setattr(packing, "token_losses", lambda *_: short_of_memory(model, {"input_ids": torch.zeros(1, 151)}))
    with pytest.raises(torch.OutOfMemoryError):
        scoring.score(model, *asked)


def test_sums_by_role_are_those_added_by_hand(model, asked, scores):
    for row, tokens, roles in list(zip(scores.itertuples(), *asked[1:]))[::11]:
        ln_p = model(torch.tensor(tokens[None].astype(int))).logits[0].log_softmax(-1).detach().numpy()
        surprisal = np.array([-ln_p[t - 1, tokens[t]] for t in range(1, len(tokens))])
        by_role = [surprisal[roles[1:] == role] for role in (INFILL, INFILL_SPECIAL, CONTEXT)]
        by_role[2] = (
            by_role[2] if row.mask_type == "training_mix" else np.zeros(0)
        )  # elsewhere the context is not scored
        assert [row.n_tokens, row.n_end, row.n_context] == [len(part) for part in by_role]
        answers, ends, context = (part.sum() for part in by_role)
        expected = [answers, answers + ends, context]
        assert [row.nll_text, row.nll_full, row.nll_context] == pytest.approx(expected, abs=1e-3)


def test_a_level_token_is_no_target_and_changes_no_count(model, index, drawing, first_special, scores, tokenizer):
    levels = pd.Series(np.resize(["A1", "B2"], len(index)))
    digits = level_tokens(tokenizer, levels)
    assert [tokenizer.decode(token) for token in digits[:2]] == ["1", "4"]
    masks = pd.concat([frozen_masks.draw_frozen(index, drawing, kind, 2) for kind in ["training_mix", "document"]])
    told = scoring.frozen_examples(index, masks, first_special, digits)
    owner = pd.Index(index["text_id"]).get_indexer(told[0]["text_id"])
    assert [tokens[0] for tokens in told[1]] == digits[owner].tolist()
    again = scoring.score(model, *told)
    counts = ["text_id", "mask_type", "mask_set", "n_chars", "n_tokens", "n_end", "n_context"]
    pd.testing.assert_frame_equal(again[counts], scores[counts])
    assert (again["nll_text"] != scores["nll_text"]).mean() > 0.9  # but it is seen


def test_every_frozen_mask_arrives_whole(index, asked, scores):
    n_ids = index.set_index("text_id")["ids"].list.len()
    whole = n_ids[scores["text_id"]].to_numpy() + 1 + 2 * scores["n_end"].to_numpy()
    assert whole.tolist() == [len(tokens) for tokens in asked[1]]


def test_a_frozen_mask_that_cuts_a_token_is_refused(index, first_special):
    spans = [[0, "training_mix", 0, 4, 0, 1], [0, "training_mix", 0, 4, 1, 1]]  # two spans in the token "She"
    with pytest.raises(ValueError, match="run 02_mask again"):
        scoring.frozen_examples(index, pd.DataFrame(spans, columns=frozen_masks.MASK_COLUMNS), first_special)


def test_the_table_of_a_model_that_is_not_there_has_the_same_columns(asked, scores):
    empty = scoring.unscored(asked[0])
    assert len(empty) == 0 and empty.dtypes.to_dict() == scores.dtypes.to_dict()


def test_the_unigram_floor_is_add_one_counting():
    keys, tokens, roles = pd.DataFrame({"text_id": [1]}), [np.array([2, 0, 3])], [np.array([CONTEXT, INFILL, INFILL])]
    floor = scoring.unigram(keys, tokens, roles, np.array([0, 0, 0, 1, 2, 2]), 4)
    assert floor["n_tokens"].item() == 2 and floor["nll_text"].item() == pytest.approx(-np.log(4 / 10) - np.log(1 / 10))


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("told", [False, True])
def test_however_few_texts_are_asked_there_is_a_row_for_each(model, index, drawing, first_special, scores, n, told):
    """A level may have no test text at all: the table then has no row, and the same columns."""
    masks = (
        frozen_masks.draw_frozen(index.iloc[:n], drawing, "document", 1)
        if n
        else pd.DataFrame(columns=frozen_masks.MASK_COLUMNS)
    )
    first = np.full(len(index), 5) if told else None
    keys, tokens, roles = scoring.frozen_examples(index, masks, first_special, first)
    assert len(keys) == len(tokens) == len(roles) == n
    found, floor = scoring.score(model, keys, tokens, roles), scoring.unigram(keys, tokens, roles, np.arange(9), 600)
    assert len(found) == len(floor) == n
    assert found[SUMS].dtypes.tolist() == scores[SUMS].dtypes.tolist()
    assert [table["n_tokens"].dtype for table in (found, floor)] == [np.int64] * 2
    assert floor["nll_text"].dtype == float


@pytest.fixture(scope="module")
def rows(index):
    """A1 has training and test texts, B1 test texts only."""
    level = np.where(np.arange(len(index)) < 40, "A1", "B1")
    split = np.where(np.arange(len(index)) < 20, "train", "test")
    return index.assign(level=level, split=split, learner_id="x", copied=False)


def test_the_floor_guesses_by_the_levels_own_training_text(rows, drawing, tokenizer):
    frozen = frozen_masks.draw_frozen(rows[rows["split"] == "test"], drawing, "training_mix", 1)
    floor = scoring.unigram_scores(rows, frozen, len(tokenizer), scores=None)
    assert set(floor["level"]) == {"A1"} and (floor["model"] == "unigram").all()
    train = rows[rows["split"] == "train"]
    counts = np.bincount(np.concatenate(train["ids"].to_list()), minlength=len(tokenizer)) + 1
    most_likely = np.log(counts.sum() / counts.max())
    assert (floor["nll_text"] >= floor["n_tokens"] * most_likely - 1e-9).all()


def test_scores_are_of_the_same_tokens_or_not(rows, drawing, tokenizer):
    frozen = frozen_masks.draw_frozen(rows[rows["split"] == "test"], drawing, "training_mix", 1)
    floor = scoring.unigram_scores(rows, frozen, len(tokenizer), scores=None)
    models = floor.assign(model="a1")
    assert scoring.same_tokens_as(floor, models)
    assert not scoring.same_tokens_as(floor.assign(n_tokens=floor["n_tokens"] + 1), models)
    assert not scoring.same_tokens_as(floor, models.iloc[1:])
