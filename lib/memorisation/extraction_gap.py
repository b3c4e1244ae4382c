"""The extraction gap: does a model know texts that it has read better than others like them?

Each test text is paired with a training text that the model has read, of the same level and about as long. The model
is asked about blanks in both: how surprised it is (as in Carlini et al. 2021, by perplexity), and how often its most
probable filling of one missing word is the very word. Learners are drawn again with replacement, each part by itself.
"""

import numpy as np
import pandas as pd

from lib.evaluation import scoring, statistics
from lib.infilling import decoding
from lib.masking import frozen_masks

DRAWS = 2000  # resamples


def pairs(read, test, limit, seed):
    """Rows of `read` and of `test`, paired: same level, nearest length, each row once; at most `limit` pairs.

    Both are frames with level and n_tokens. Returns (read, test) with equal index.
    """
    chosen, free = [], read.sort_values("n_tokens", kind="stable")
    for row in test.sample(min(limit, len(test)), random_state=seed).itertuples():
        same = free[free["level"] == row.level]
        if len(same):
            nearest = (same["n_tokens"] - row.n_tokens).abs().idxmin()
            chosen.append((nearest, row.Index))
            free = free.drop(nearest)
    one, other = zip(*chosen) if chosen else ((), ())
    return read.loc[list(one)].reset_index(drop=True), test.loc[list(other)].reset_index(drop=True)


def asked(model, tokenizer, rows, drawing, first_special):
    """Sums by learner of what the model makes of blanks in rows: nll, tokens (the mix), right, words (one word)."""
    mix = scoring.frozen_examples(rows, frozen_masks.draw_frozen(rows, drawing, "training_mix", 1), first_special)
    scores = scoring.score(model, *mix)[["text_id", "nll_text", "n_tokens"]]
    words = frozen_masks.draw_frozen(rows, drawing, "word", 1).drop_duplicates("text_id")  # the first blank alone
    keys, tokens, roles = scoring.frozen_examples(rows, words, first_special)
    prompts = [decoding.build_prompt(*one) for one in zip(tokens, roles)]
    fillings, _ = decoding.sample_infills(model, tokenizer, prompts, np.ones(len(prompts), int))
    answers = [decoding.split_answers(tokenizer, *one)[0] for one in zip(tokens, roles)]
    right = [filling[0].strip() == answer.strip() for filling, answer in zip(fillings, answers)]
    filled = pd.DataFrame({"text_id": keys["text_id"], "right": np.array(right, float), "words": 1.0})
    each = rows[["text_id", "learner_id"]].merge(scores, how="left").merge(filled, how="left").fillna(0)
    return each.groupby("learner_id")[["nll_text", "n_tokens", "right", "words"]].sum()


def gaps(read, test, alpha, seed):
    """{gap, gap_lo, gap_hi, exact, exact_lo, exact_hi, n_learners} from sums by learner, as `asked` gives them.

    gap: how much higher perplexity is on test than on training texts, as a share; exact: how much larger the share of
    words filled exactly is on training than on test texts. Intervals: percentiles, two-sided at alpha.
    """

    def both(a, b):
        gap = np.expm1(b[:, 0] / b[:, 1] - a[:, 0] / a[:, 1])
        return gap, a[:, 2] / a[:, 3] - b[:, 2] / b[:, 3]

    values = [part.to_numpy(float) for part in (read, test)]
    found = both(*(part.sum(axis=0, keepdims=True) for part in values))
    drawn = both(*(statistics.resampled_sums(part, DRAWS, seed + n) for n, part in enumerate(values)))
    told = {"n_learners": min(len(read), len(test))}
    for name, value, spread in zip(["gap", "exact"], found, drawn):
        low, high = np.nanquantile(spread, [alpha / 2, 1 - alpha / 2])
        told |= {name: float(value[0]), f"{name}_lo": float(low), f"{name}_hi": float(high)}
    return told
