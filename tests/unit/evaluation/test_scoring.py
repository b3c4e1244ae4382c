"""Claims about scores: sums of -ln p that do not depend on the rest of a batch, and the unigram baseline."""

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
def examples(index, drawing, first_special):
    masks = pd.concat([frozen_masks.draw_frozen(index, drawing, kind, 2) for kind in ["training_mix", "document"]])
    return scoring.frozen_examples(index, masks, first_special)


@pytest.fixture(scope="module")
def scores(model, examples):
    return scoring.score(model, *examples)


def test_packed_scores_are_those_of_single_texts(model, examples, scores):
    for i in range(0, len(scores), 7):
        single = [examples[0].iloc[[i]], examples[1][i : i + 1], examples[2][i : i + 1]]
        unpacked = scoring.score(model, *single, batch_tokens=1)
        assert np.abs(unpacked[SUMS] - scores.iloc[[i]][SUMS]).max().max() < 1e-4


def test_neither_order_nor_batch_size_changes_a_score(model, examples, scores):
    shuffled = np.random.default_rng(0).permutation(len(scores))
    again = scoring.score(
        model, examples[0].iloc[shuffled], *([arrays[i] for i in shuffled] for arrays in examples[1:]), batch_tokens=300
    )
    assert np.abs(again[SUMS] - scores.iloc[shuffled][SUMS]).max().max() < 1e-4


def test_running_out_of_memory_changes_no_score(model, examples, scores, monkeypatch):
    token_losses = packing.token_losses

    def out_of_memory(model, batch):
        if batch["input_ids"].shape[1] > 150:
            raise torch.OutOfMemoryError("too large")
        return token_losses(model, batch)

    monkeypatch.setattr(packing, "token_losses", out_of_memory)
    again = scoring.score(model, *examples)
    assert np.abs(again[SUMS] - scores[SUMS]).max().max() < 1e-4
    monkeypatch.setattr(packing, "token_losses", lambda *_: out_of_memory(model, {"input_ids": torch.zeros(1, 151)}))
    with pytest.raises(torch.OutOfMemoryError):
        scoring.score(model, *examples)


def test_sums_by_role_are_the_hand_sums(model, examples, scores):
    for row, tokens, roles in list(zip(scores.itertuples(), *examples[1:]))[::11]:
        ln_p = model(torch.tensor(tokens[None].astype(int))).logits[0].log_softmax(-1).detach().numpy()
        surprisal = np.array([-ln_p[t - 1, tokens[t]] for t in range(1, len(tokens))])
        by_role = [surprisal[roles[1:] == role] for role in (INFILL, INFILL_SPECIAL, CONTEXT)]
        by_role[2] = (
            by_role[2] if row.mask_type == "training_mix" else np.zeros(0)
        )  # elsewhere the context is not scored
        assert [row.n_tokens, row.n_end, row.n_context] == [len(values) for values in by_role]
        answers, ends, context = (values.sum() for values in by_role)
        expected = [answers, answers + ends, context]
        assert [row.nll_text, row.nll_full, row.nll_context] == pytest.approx(expected, abs=1e-3)


def test_a_level_prefix_is_no_target_and_changes_no_count(model, index, drawing, first_special, scores, tokenizer):
    levels = pd.Series(np.resize(["A1", "B2"], len(index)))
    digits = level_tokens(tokenizer, levels)
    assert [tokenizer.decode(token) for token in digits[:2]] == ["1", "4"]
    masks = pd.concat([frozen_masks.draw_frozen(index, drawing, kind, 2) for kind in ["training_mix", "document"]])
    prefixed = scoring.frozen_examples(index, masks, first_special, digits)
    text_rows = pd.Index(index["text_id"]).get_indexer(prefixed[0]["text_id"])
    assert [tokens[0] for tokens in prefixed[1]] == digits[text_rows].tolist()
    again = scoring.score(model, *prefixed)
    counts = ["text_id", "mask_type", "mask_set", "n_chars", "n_tokens", "n_end", "n_context"]
    pd.testing.assert_frame_equal(again[counts], scores[counts])
    assert (again["nll_text"] != scores["nll_text"]).mean() > 0.9  # but it is read


def test_no_frozen_mask_is_cut(index, examples, scores):
    n_ids = index.set_index("text_id")["ids"].list.len()
    whole = n_ids[scores["text_id"]].to_numpy() + 1 + 2 * scores["n_end"].to_numpy()
    assert whole.tolist() == [len(tokens) for tokens in examples[1]]


def test_a_frozen_mask_that_cuts_a_token_is_refused(index, first_special):
    spans = [[0, "training_mix", 0, 4, 0, 1], [0, "training_mix", 0, 4, 1, 1]]  # two spans in the token "She"
    with pytest.raises(ValueError, match="run 02_mask again"):
        scoring.frozen_examples(index, pd.DataFrame(spans, columns=frozen_masks.MASK_COLUMNS), first_special)


def test_the_scores_of_a_missing_model_have_the_same_columns(examples, scores):
    empty = scoring.unscored(examples[0])
    assert len(empty) == 0 and empty.dtypes.to_dict() == scores.dtypes.to_dict()


def test_the_unigram_baseline_is_add_one_smoothing():
    keys, tokens, roles = pd.DataFrame({"text_id": [1]}), [np.array([2, 0, 3])], [np.array([CONTEXT, INFILL, INFILL])]
    baseline = scoring.unigram(keys, tokens, roles, np.array([0, 0, 0, 1, 2, 2]), 4)
    assert baseline["n_tokens"].item() == 2 and baseline["nll_text"].item() == pytest.approx(
        -np.log(4 / 10) - np.log(1 / 10)
    )


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("prefixed", [False, True])
def test_each_of_few_texts_has_a_row(model, index, drawing, first_special, scores, n, prefixed):
    """A level may have no test text at all: the table then has no row, and the same columns."""
    masks = (
        frozen_masks.draw_frozen(index.iloc[:n], drawing, "document", 1)
        if n
        else pd.DataFrame(columns=frozen_masks.MASK_COLUMNS)
    )
    prefix = np.full(len(index), 5) if prefixed else None
    keys, tokens, roles = scoring.frozen_examples(index, masks, first_special, prefix)
    assert len(keys) == len(tokens) == len(roles) == n
    found, baseline = scoring.score(model, keys, tokens, roles), scoring.unigram(keys, tokens, roles, np.arange(9), 600)
    assert len(found) == len(baseline) == n
    assert found[SUMS].dtypes.tolist() == scores[SUMS].dtypes.tolist()
    assert [table["n_tokens"].dtype for table in (found, baseline)] == [np.int64] * 2
    assert baseline["nll_text"].dtype == float


@pytest.fixture(scope="module")
def rows(index):
    """A1 has training and test texts, B1 test texts only."""
    level = np.where(np.arange(len(index)) < 40, "A1", "B1")
    split = np.where(np.arange(len(index)) < 20, "train", "test")
    return index.assign(level=level, split=split, learner_id="x", copied=False)


def test_the_baseline_counts_the_levels_own_training_texts(rows, drawing, tokenizer):
    frozen = frozen_masks.draw_frozen(rows[rows["split"] == "test"], drawing, "training_mix", 1)
    baseline = scoring.unigram_scores(rows, frozen, len(tokenizer), scores=None)
    assert set(baseline["level"]) == {"A1"} and (baseline["model"] == "unigram").all()
    train = rows[rows["split"] == "train"]
    counts = np.bincount(np.concatenate(train["ids"].to_list()), minlength=len(tokenizer)) + 1
    most_likely = np.log(counts.sum() / counts.max())
    assert (baseline["nll_text"] >= baseline["n_tokens"] * most_likely - 1e-9).all()


def test_scores_of_other_tokens_are_recognised(rows, drawing, tokenizer):
    frozen = frozen_masks.draw_frozen(rows[rows["split"] == "test"], drawing, "training_mix", 1)
    baseline = scoring.unigram_scores(rows, frozen, len(tokenizer), scores=None)
    models = baseline.assign(model="a1")
    assert scoring.same_tokens_as(baseline, models)
    assert not scoring.same_tokens_as(baseline.assign(n_tokens=baseline["n_tokens"] + 1), models)
    assert not scoring.same_tokens_as(baseline, models.iloc[1:])
