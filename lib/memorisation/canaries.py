"""Exposure of planted canaries: how far a model memorises single texts (Carlini et al. 2019, The Secret Sharer).

A canary is a row of random words. Some are planted among the training texts of a canary run. A canary's exposure is
its rank by perplexity among other canaries that were never planted.
"""

import numpy as np
import pandas as pd

from lib.evaluation import scoring, statistics
from lib.formatting import Sentences
from lib.masking import frozen_masks, token_index
from lib.memorisation.extraction_gap import DRAWS

WORDS = 12  # of a canary; tokenizers have hundreds of words, so equal canaries are improbable
CANDIDATE, NEVER, ONCE = -1, 0, 1  # times planted; candidates are those among which the others are ranked
SENTENCES = Sentences(__file__)
COLUMNS = ["times", "canaries", "exposure", "exposure_lo", "exposure_hi"]


def random_sentences(tokenizer, n, seed):
    """n rows of WORDS random words, each a single token of the tokenizer. They contain no text of a corpus.

    Raises ValueError if the tokenizer has too few such words.
    """
    decoded = {tokenizer.decode([token]).strip() for token in range(len(tokenizer))}
    words = sorted(word for word in decoded if len(word) > 2 and word.isascii() and word.isalpha() and word.islower())
    ids, _, ends = token_index.encode_all(tokenizer.backend_tokenizer, [f" {word}" for word in words])
    ids = [own[end > 0] for own, end in zip(ids, ends)]  # without a start token
    words = [word for word, tokens in zip(words, ids) if len(tokens) == 1]
    if len(words) < 2 * WORDS:
        raise ValueError(f"The tokenizer has {len(words)} words of one token; {2 * WORDS} are needed for canaries.")
    rows = np.random.default_rng(seed).choice(words, (n, WORDS))
    return [f"{' '.join(row)}." for row in rows]


def make_canaries(tokenizer, limits, levels):
    """The canaries of a canary run: a frame with text_id, text, level and times (planted).

    For each number of times, about as many texts are planted. limits: `assessment.Limits`; levels: CEFR levels,
    assigned to canaries in turn.
    """
    groups = {CANDIDATE: limits.candidates, NEVER: limits.planted, ONCE: limits.planted}
    groups |= {times: max(1, limits.planted // times) for times in limits.repeats}
    times = np.repeat(list(groups), list(groups.values()))
    canaries = pd.DataFrame({"text": random_sentences(tokenizer, len(times), limits.seed), "times": times})
    level = np.array(levels)[np.arange(len(canaries)) % len(levels)]
    return canaries.assign(text_id=[f"canary {n}" for n in canaries.index], level=level)


def planted_texts(canaries):
    """A row for each time that a canary is planted, as a text of its own with its own masks."""
    rows = canaries.loc[canaries.index.repeat(canaries["times"].clip(0))]
    number = rows.groupby("text_id").cumcount().astype(str)
    return rows.assign(text_id=rows["text_id"] + ", copy " + number)


def mean_surprisal(model, canaries, mask_settings, first_special, prefix=None):
    """Mean -ln p of each canary's tokens, answers and context, under frozen masks of the mix: float [canaries].

    canaries: rows of a token index; prefix: as in `scoring.frozen_examples`.
    """
    frozen = frozen_masks.draw_frozen(canaries, mask_settings, "training_mix", mask_settings.frozen_masks_per_text)
    scores = scoring.score(model, *scoring.frozen_examples(canaries, frozen, first_special, prefix))
    sums = scores.groupby("text_id")[["nll_text", "nll_context", "n_tokens", "n_context"]].sum()
    sums = sums.reindex(canaries["text_id"])
    return ((sums["nll_text"] + sums["nll_context"]) / (sums["n_tokens"] + sums["n_context"])).to_numpy()


def exposure(surprisal, candidates):
    """log2(number of candidates) - log2(rank among them), in bits: float [canaries].

    surprisal: float [canaries], lower if better memorised; candidates: float [n], their surprisal. A canary counts
    among the candidates, so the maximum is log2(n + 1) (Carlini et al. 2019, definition 5).
    """
    rank = 1 + (np.asarray(candidates)[None] < np.asarray(surprisal)[:, None]).sum(1)
    return np.log2(len(candidates) + 1) - np.log2(rank)


def chance(n):
    """The expected exposure without planting, among n candidates: all ranks are equally probable; 1.44 for large n."""
    return float(np.log2(n + 1) - np.log2(np.arange(1, n + 2)).mean())


def by_times(times, surprisal, limits):
    """A frame of COLUMNS, a row per number of times planted: mean exposure and its interval over canaries."""
    bits = exposure(surprisal, surprisal[times == CANDIDATE])
    ends = [limits.alpha / 2, 1 - limits.alpha / 2]
    rows = []
    for n_times in sorted(set(times) - {CANDIDATE}):
        values = bits[times == n_times]
        resampled = statistics.resampled_sums(values[:, None], DRAWS, limits.seed)[:, 0] / len(values)
        low, high = map(float, np.quantile(resampled, ends))
        rows.append([int(n_times), len(values), float(values.mean()), low, high])
    return pd.DataFrame(rows, columns=COLUMNS)


def above_chance(report):
    """exposure, exposure_lo, exposure_hi of canaries planted once, in bits above chance, and sensitive.

    sensitive: is the exposure of those planted most often above chance? report: the result of
    `canary_training.measure`.
    """
    rows = {row["times"]: row for row in report["table"]}
    once, most = rows[ONCE], rows[max(rows)]
    measures = {name: once[name] - report["chance"] for name in ("exposure", "exposure_lo", "exposure_hi")}
    return measures | {"sensitive": most["exposure_lo"] > report["chance"]}


def summary(reports, limits):
    """A table, and what it shows and does not show. reports: {model: result of `canary_training.measure`}."""
    groups = {"Memorise texts read once": [], "Do not": [], "Open": []}
    for model, report in reports.items():
        measures = above_chance(report)
        if measures["exposure_lo"] > limits.max_exposure:
            groups["Memorise texts read once"].append(model)
        elif measures["exposure_hi"] <= limits.max_exposure and measures["sensitive"]:
            groups["Do not"].append(model)
        else:
            groups["Open"].append(model)
    bits = {"chance": chance(limits.candidates), "highest": np.log2(limits.candidates + 1)}
    return SENTENCES("summary", table=table(reports).to_string(index=False), groups=groups, limits=limits, **bits)


def table(reports):
    """A frame with a row per model: mean exposure by times planted, formatted. reports: as in `summary`."""
    rows = []
    for model, report in reports.items():
        row = {"model": model, "planted": f"{report['planted']} of {report['texts'] + report['planted']}"}
        row["examples per text"] = f"{report['examples_per_text']:.1f}"
        for group in report["table"]:
            times = {NEVER: "never", ONCE: "once"}.get(group["times"], f"{group['times']} times")
            row[times] = "{exposure:.1f} ({exposure_lo:.1f} to {exposure_hi:.1f})".format(**group)
        rows.append(row)
    return pd.DataFrame(rows)
