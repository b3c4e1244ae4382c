"""The extraction gap: does a model predict its training texts better than test texts like them?

Each test text is paired with a training text of the same level and similar length. Two measures are taken on blanks in
both: perplexity (as in Carlini et al. 2021), and how often the most probable filling of a single missing word is the
learner's word. Intervals are from a bootstrap over learners, in training and test texts separately.
"""

import numpy as np
import pandas as pd

from lib.evaluation import scoring, statistics
from lib.infilling import decoding
from lib.masking import frozen_masks

DRAWS = 2000  # resamples


def pairs(train, test, limit, seed):
    """Rows of `train` and of `test`, paired: same level, nearest length, each row once; at most `limit` pairs.

    Both are frames with level and n_tokens. Returns (train, test) with equal index.
    """
    available = train.sort_values("n_tokens", kind="stable")
    train_rows, test_rows = [], []
    for row in test.sample(min(limit, len(test)), random_state=seed).itertuples():
        same_level = available[available["level"] == row.level]
        if len(same_level):
            nearest = (same_level["n_tokens"] - row.n_tokens).abs().idxmin()
            train_rows.append(nearest)
            test_rows.append(row.Index)
            available = available.drop(nearest)
    return train.loc[train_rows].reset_index(drop=True), test.loc[test_rows].reset_index(drop=True)


def learner_sums(model, tokenizer, rows, mask_settings, first_special):
    """Sums by learner: nll_text and n_tokens on the training mix, right and words for single words."""
    mix = frozen_masks.draw_frozen(rows, mask_settings, "training_mix", 1)
    scores = scoring.score(model, *scoring.frozen_examples(rows, mix, first_special))
    scores = scores[["text_id", "nll_text", "n_tokens"]]
    words = frozen_masks.draw_frozen(rows, mask_settings, "word", 1).drop_duplicates("text_id")  # the first blank alone
    keys, *examples = scoring.frozen_examples(rows, words, first_special)
    prompts, answers = [], []
    for tokens, roles in zip(*examples):
        prompts.append(decoding.build_prompt(tokens, roles))
        answers.append(decoding.split_answers(tokenizer, tokens, roles)[0])
    fillings, _ = decoding.sample_infills(model, tokenizer, prompts, np.ones(len(prompts), int))
    right = [filling[0].strip() == answer.strip() for filling, answer in zip(fillings, answers)]
    filled = pd.DataFrame({"text_id": keys["text_id"], "right": np.array(right, float), "words": 1.0})
    by_text = rows[["text_id", "learner_id"]].merge(scores, how="left").merge(filled, how="left").fillna(0)
    return by_text.groupby("learner_id")[["nll_text", "n_tokens", "right", "words"]].sum()


def gaps(train, test, alpha, seed):
    """{gap, gap_lo, gap_hi, exact, exact_lo, exact_hi, n_learners} from two results of `learner_sums`.

    gap: the relative increase of perplexity from training to test texts; exact: the difference in the proportion of
    exact words, training minus test texts. Intervals are percentiles, two-sided at alpha.
    """
    train_values, test_values = train.to_numpy(float), test.to_numpy(float)
    estimates = _gap_and_exact(train_values.sum(axis=0, keepdims=True), test_values.sum(axis=0, keepdims=True))
    resampled_train = statistics.resampled_sums(train_values, DRAWS, seed)
    resampled_test = statistics.resampled_sums(test_values, DRAWS, seed + 1)
    resampled = _gap_and_exact(resampled_train, resampled_test)
    measures = {"n_learners": min(len(train), len(test))}
    for name, estimate, values in zip(["gap", "exact"], estimates, resampled):
        low, high = np.nanquantile(values, [alpha / 2, 1 - alpha / 2])
        measures |= {name: float(estimate[0]), f"{name}_lo": float(low), f"{name}_hi": float(high)}
    return measures


def _gap_and_exact(train, test):
    """Both measures, float [n] each, from sums [n, 4] in the columns of `learner_sums`."""
    gap = np.expm1(test[:, 0] / test[:, 1] - train[:, 0] / train[:, 1])
    return gap, train[:, 2] / train[:, 3] - test[:, 2] / test[:, 3]
