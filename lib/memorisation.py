"""Does a model know its training texts better than others like them? The extraction gap, before weights may leave.

    python -m lib.memorisation EXPERIMENT     # writes runs/<experiment>/memorisation/memorisation.json, aggregates only

Each test text is paired with a training text that the model has read, of the same level and about as long. The model is
asked about blanks in both: how surprised it is (as in Carlini et al. 2021, by perplexity), and how often its most
probable filling of one missing word is the very word. Learners are drawn again with replacement, each part by itself.
Exposure of canaries (Carlini et al. 2019) needs texts planted before training: see README.
"""

import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import yaml
from pydantic import Field

from lib import indexing, infilling, manifest, params, prepare, scoring, stats
from lib.files import digest
from lib.runs import Experiment, Missing, read_csv, read_json, write_json
from lib.schemas import Count, Parameters, Share

MAY, STAY, OPEN = "may leave", "must stay", "open"
FEWEST = 20  # learners in a part, to say anything
DRAWS = 2000  # resamples


class Limits(Parameters):
    """params/memorisation.yaml."""

    texts: Count
    max_gap: Share
    max_exact: Share
    max_exposure: Annotated[float, Field(ge=0)]
    times: Annotated[list[Count], Field(min_length=2)]
    planted: Count
    candidates: Count
    alpha: Share
    seed: Annotated[int, Field(ge=0)]
    without_canaries: bool


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
    mix = scoring.frozen_examples(rows, prepare.freeze(rows, drawing, "mix", 1), first_special)
    scores = scoring.score(model, *mix)[["text_id", "nll_text", "n_tokens"]]
    words = prepare.freeze(rows, drawing, "word", 1).drop_duplicates("text_id")  # the first blank alone
    keys, tokens, roles = scoring.frozen_examples(rows, words, first_special)
    prompts = [infilling.prompt(*one) for one in zip(tokens, roles)]
    fillings, _ = infilling.fill(model, tokenizer, prompts, np.ones(len(prompts), int))
    answers = [infilling.answers(tokenizer, *one)[0] for one in zip(tokens, roles)]
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
    drawn = both(*(stats.resampled_sums(part, DRAWS, seed + n) for n, part in enumerate(values)))
    told = {"n_learners": min(len(read), len(test))}
    for name, value, spread in zip(["gap", "exact"], found, drawn):
        low, high = np.nanquantile(spread, [alpha / 2, 1 - alpha / 2])
        told |= {name: float(value[0]), f"{name}_lo": float(low), f"{name}_hi": float(high)}
    return told


def verdict(told, limits):
    """(verdict, why) in words: must stay where a gap is shown above its limit, may leave where both are shown below."""
    limit = {"gap": limits.max_gap, "exact": limits.max_exact}
    words = {"gap": "test texts surprise it {:+.1%} more than training texts",
             "exact": "words of training texts are filled exactly {:+.1%} more often"}  # fmt: skip
    if told["n_learners"] < FEWEST:
        return OPEN, f"fewer than {FEWEST} learners in training or test texts: nothing can be shown"
    ends = {name: f"{words[name].format(told[name])} ({told[f'{name}_lo']:+.1%} to {told[f'{name}_hi']:+.1%}; "
            f"limit {limit[name]:.0%})" for name in limit}  # fmt: skip
    above = [ends[name] for name in limit if told[f"{name}_lo"] > limit[name]]
    unsure = [ends[name] for name in limit if told[f"{name}_hi"] > limit[name]]
    if above:
        return STAY, "; ".join(above)
    if unsure:
        return OPEN, "not shown below the limit: " + "; ".join(unsure)
    if not limits.without_canaries:
        return OPEN, "no gap, but no canaries were measured; params/memorisation.yaml, without_canaries, decides"
    return MAY, "; ".join(ends.values())


def measure(run, model, seed, index, drawing, limits):
    """The report of one model and seed: levels, gaps, verdict, why, and the hash of the weights that it speaks of."""
    from transformers import AutoTokenizer

    folder = run.need(run.model(model, seed), "03_train")
    facts, order = read_json(folder / "train.json"), pd.read_parquet(folder / "order.parquet", columns=["text_id"])
    own = index[index["level"].isin(facts["levels"])]
    test = own[(own["split"] == "test") & ~own["copied"].astype(bool) & ~own["held_out"].astype(bool)]
    known = {"weights": digest(folder / "model.safetensors"), "levels": facts["levels"]}
    read, test = pairs(own[own["text_id"].isin(order["text_id"])], test, limits.texts, limits.seed)
    if read.empty:
        said = (OPEN, "no test text can be paired") if len(order) else (MAY, "it has read no text of the corpus")
        return known | dict(zip(("verdict", "why"), said))
    tokenizer, network = AutoTokenizer.from_pretrained(folder), scoring.load(folder)
    first_special = tokenizer.convert_tokens_to_ids("<|startofinfill|>")
    sums = [asked(network, tokenizer, rows, drawing, first_special) for rows in (read, test)]
    told = gaps(*sums, limits.alpha, limits.seed)
    said, why = verdict(told, limits)
    if told["n_learners"] < FEWEST:  # a number that rests on few learners does not leave either
        told = {"n_learners": f"<{FEWEST}"}
    return known | {"verdict": said, "why": why, "pairs": len(read)} | told


def main(name):
    run = Experiment(Path(name).name, root=".")
    with open("params/memorisation.yaml", encoding="utf-8") as file:
        limits = params.check(Limits, yaml.safe_load(file), "params/memorisation.yaml")
    report = read_json(run.need(run.folder / "masks/report.json", "02_mask"))
    drawing = params.check(params.Masks, report["parameters"], "masks/report.json")
    columns = ["text_id", "learner_id", "level", "split", "copied", "held_out"]
    texts = pd.read_parquet(run.need(run.texts, "01_extract"), columns=columns)
    index = indexing.read(run.need(run.index, "02_mask")).merge(texts, on="text_id")
    index["n_tokens"] = index["ids"].map(len)
    told, models = {}, read_csv(run.need(run.compare("cost.csv"), "06_compare"))["model"]
    for folder in [path for model in models for path in sorted(run.model(model, 0).parent.glob("seed*"))]:
        if read_json(folder / "train.json")["status"] == "trained":
            one = f"{folder.parent.name}/{folder.name}"
            told[one] = measure(run, folder.parent.name, int(folder.name[4:]), index, drawing, limits)
            print(f"{one}: {told[one]['verdict']}: {told[one]['why']}", flush=True)
    where = run.folder / "memorisation/memorisation.json"
    write_json({"limits": limits.model_dump(), "split_id": report["split_id"], "models": told}, where)
    print(f"{where}\nWhether weights may be passed on at all is for the corpus's licence to say.")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (Missing, manifest.Stale, params.ParameterError) as error:
        sys.exit(str(error))
