"""Exposure of planted canaries: what a training remembers of single texts (Carlini et al. 2019, The Secret Sharer).

A canary is a made-up row of random words. Some are planted among the training texts of a model's twin.
A canary's exposure says how far it stands out, by the twin's perplexity, among others like it that were never planted.
"""

import numpy as np
import pandas as pd

from lib.evaluation import scoring, statistics
from lib.formatting import Sentences
from lib.masking import frozen_masks, token_index
from lib.memorisation.extraction_gap import DRAWS

WORDS = 12  # of a canary; a tokenizer knows hundreds at least, so no two are alike by chance
CANDIDATE, NEVER, ONCE = -1, 0, 1  # times planted; candidates are those that the others are ranked among
SAY = Sentences(__file__)
COLUMNS = ["times", "canaries", "exposure", "exposure_lo", "exposure_hi"]


def sentences(tokenizer, n, seed):
    """n different rows of WORDS random words, each of which the tokenizer writes as one token. No text of a corpus."""
    decoded = {tokenizer.decode([token]).strip() for token in range(len(tokenizer))}
    words = sorted(word for word in decoded if len(word) > 2 and word.isascii() and word.isalpha() and word.islower())
    ids, _, _ = token_index.encode_all(tokenizer.backend_tokenizer, [f" {word}" for word in words])
    words = [word for word, tokens in zip(words, ids) if len(tokens) == 1]
    if len(words) < 2 * WORDS:
        raise ValueError(f"The tokenizer writes {len(words)} words as one token; {2 * WORDS} are needed for canaries.")
    rows = np.random.default_rng(seed).choice(words, (n, WORDS))
    return [f"{' '.join(row)}." for row in rows]


def invent(tokenizer, limits, levels):
    """The canaries of a twin: a frame text_id, text, level, times. Those planted k times take as many texts as others.

    limits: `memorisation.Limits`; levels: CEFR levels, given to canaries in turn.
    """
    groups = {CANDIDATE: limits.candidates, NEVER: limits.planted, ONCE: limits.planted}
    groups |= {times: max(1, limits.planted // times) for times in limits.repeats}
    times = np.repeat(list(groups), list(groups.values()))
    found = pd.DataFrame({"text": sentences(tokenizer, len(times), limits.seed), "times": times})
    turn = np.arange(len(found)) % len(levels)
    return found.assign(text_id=[f"canary {n}" for n in found.index], level=np.array(levels)[turn])


def copies(canaries):
    """A row for each time that a canary is planted, as a text of its own, with other masks."""
    rows = canaries.loc[canaries.index.repeat(canaries["times"].clip(0))]
    number = rows.groupby("text_id").cumcount().astype(str)
    return rows.assign(text_id=rows["text_id"] + ", copy " + number)


def surprise(model, canaries, drawing, first_special, first=None):
    """Mean -ln p of a canary's tokens under the frozen masks of the mix, blanks and context alike: float [canaries].

    canaries: rows of an index; first: as in `scoring.frozen_examples`.
    """
    frozen = frozen_masks.draw_frozen(canaries, drawing, "training_mix", drawing.frozen_masks_per_text)
    scores = scoring.score(model, *scoring.frozen_examples(canaries, frozen, first_special, first))
    sums = scores.groupby("text_id")[["nll_text", "nll_context", "n_tokens", "n_context"]].sum()
    sums = sums.reindex(canaries["text_id"])
    return ((sums["nll_text"] + sums["nll_context"]) / (sums["n_tokens"] + sums["n_context"])).to_numpy()


def exposure(surprise, candidates):
    """log2 of the number of candidates - log2 of the rank among them, in bits: float [canaries].

    surprise: float [canaries], the less the better remembered; candidates: float [n], theirs. A canary counts among
    the candidates, so that at most log2(n + 1) is reached (Carlini et al. 2019, definition 5).
    """
    rank = 1 + (np.asarray(candidates)[None] < np.asarray(surprise)[:, None]).sum(1)
    return np.log2(len(candidates) + 1) - np.log2(rank)


def chance(n):
    """The mean exposure of what was never planted, among n candidates: every rank is as probable; 1.44 for large n."""
    return float(np.log2(n + 1) - np.log2(np.arange(1, n + 2)).mean())


def by_times(times, surprise, limits):
    """A frame of COLUMNS, a row a number of times planted: mean exposure, and its interval over canaries at alpha."""
    bits = exposure(surprise, surprise[times == CANDIDATE])
    rows, ends = [], [limits.alpha / 2, 1 - limits.alpha / 2]
    for own in sorted(set(times) - {CANDIDATE}):
        here = bits[times == own]
        drawn = statistics.resampled_sums(here[:, None], DRAWS, limits.seed)[:, 0] / len(here)
        rows.append([int(own), len(here), float(here.mean()), *map(float, np.quantile(drawn, ends))])
    return pd.DataFrame(rows, columns=COLUMNS)


def above_chance(found):
    """exposure, exposure_lo, exposure_hi of canaries planted once, in bits above chance; sensitive: are those planted
    most often seen at all? found: what `twins.measure` returns."""
    rows = {row["times"]: row for row in found["table"]}
    once, most = rows[ONCE], rows[max(rows)]
    told = {name: once[name] - found["chance"] for name in ("exposure", "exposure_lo", "exposure_hi")}
    return told | {"sensitive": most["exposure_lo"] > found["chance"]}


def told(found, limits):
    """A table, and what it says and does not say. found: {model: what `twins.measure` returns}, not empty."""
    above = {model: above_chance(one) for model, one in found.items()}
    remembering = [model for model, one in above.items() if one["exposure_lo"] > limits.max_exposure]
    free = [model for model, one in above.items() if one["exposure_hi"] <= limits.max_exposure and one["sensitive"]]
    rest = [model for model in found if model not in remembering + free]
    parts = {"remember texts that were there once": remembering, "do not": free, "stay open": rest}
    parts = [f"{', '.join(models)} {words}" for words, models in parts.items() if models]
    bits = {"chance": chance(limits.candidates), "most": np.log2(limits.candidates + 1)}
    return SAY("told", table=table(found).to_string(index=False), parts=parts, limits=limits, **bits)


def table(found):
    """A frame with a row a model: mean exposure by times planted, in words. found: as for `told`."""
    rows = []
    for model, one in found.items():
        planted = {"model": model, "planted": f"{one['planted']} of {one['texts'] + one['planted']}"}
        planted["examples a text"] = f"{one['examples_a_text']:.1f}"
        for row in one["table"]:
            times = {NEVER: "never", ONCE: "once"}.get(row["times"], f"{row['times']} times")
            planted[times] = "{exposure:.1f} ({exposure_lo:.1f} to {exposure_hi:.1f})".format(**row)
        rows.append(planted)
    return pd.DataFrame(rows)
