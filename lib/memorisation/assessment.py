"""Does a model know its training texts better than others like them? Asked before weights may leave.

Two measures: the extraction gap (extraction_gap.py), and canaries, which CANARIES=yes asks for (canary_training.py).
"""

from typing import Annotated

import pandas as pd
from pydantic import Field
from tqdm import tqdm

from lib.experiment import parameters
from lib.experiment.files import file_hash, read_csv, read_json, read_yaml, write_json
from lib.experiment.folders import existing_experiment
from lib.experiment.schemas import Count, Parameters, Share
from lib.masking import token_index
from lib.masking.examples import first_special_of
from lib.memorisation import canaries, canary_training, extraction_gap
from lib.models import loading

MAY, STAY, OPEN = "may leave", "must stay", "open"
FEWEST = 20  # learners in a part, to say anything
SAYS = {  # estimate, its interval, the limit
    "gap": "test texts surprise it {:+.1%} more than training texts ({:+.1%} to {:+.1%}; limit {:.0%})",
    "exact": "words of training texts are filled exactly {:+.1%} more often ({:+.1%} to {:+.1%}; limit {:.0%})",
    "exposure": "canaries planted once stand {:+.1f} bits above chance ({:+.1f} to {:+.1f}; limit {:.1f})",
}
NONE_PLANTED = "no canaries were planted: CANARIES=yes asks for it"


class Limits(Parameters):
    """params/memorisation.yaml."""

    texts: Count
    max_gap: Share
    max_exact: Share
    max_exposure: Annotated[float, Field(ge=0)]
    repeats: Annotated[list[Annotated[int, Field(gt=1)]], Field(min_length=1)]
    planted: Count
    candidates: Count
    alpha: Share
    seed: Annotated[int, Field(ge=0)]
    without_canaries: bool


def verdict(told, limits):
    """(verdict, why) in words: must stay where a measure is shown above its limit, may leave where all are below.

    told: what `extraction.gaps` returns and, where canaries were planted, what `canaries.above_chance` does.
    """
    few = told["n_learners"] < FEWEST
    asked = [name for name in SAYS if f"{name}_lo" in told and not (few and name != "exposure")]
    limit = {name: getattr(limits, f"max_{name}") for name in asked}
    ends = {name: SAYS[name].format(*(told[name + end] for end in ("", "_lo", "_hi")), limit[name]) for name in asked}
    above = [ends[name] for name in asked if told[f"{name}_lo"] > limit[name]]
    unsure = [ends[name] for name in asked if told[f"{name}_hi"] > limit[name]]
    if above:
        return STAY, "; ".join(above)
    if few:
        return OPEN, f"fewer than {FEWEST} learners in training or test texts: nothing can be shown"
    if unsure:
        return OPEN, "not shown below the limit: " + "; ".join(unsure)
    if not told.get("sensitive", True):
        return OPEN, "canaries do not stand out however often they were planted: the measure may be blind"
    if "exposure" not in told and not limits.without_canaries:
        return OPEN, f"no gap, but {NONE_PLANTED}"
    return MAY, "; ".join(ends.values())


def with_bases(told, bases):
    """told, {model/seed: report}, where no verdict is better than that of the model it began from.

    bases: {model/seed: that of its base}. Weights keep something of all that they were ever trained on.
    """

    def settled(one):
        base, own = bases.get(one), told[one]["verdict"]
        below = settled(base) if base in told else MAY
        return max(own, below, key=[MAY, OPEN, STAY].index)

    return {one: report if settled(one) == report["verdict"] else report
            | {"verdict": settled(one), "reason": f"it began from {bases[one]}, whose verdict is: {settled(one)}"}
            for one, report in told.items()}  # fmt: skip


def measure(run, model, seed, index, drawing, limits, planted=None):
    """The report of one model and seed: levels, gaps, verdict, why, and the hash of the weights that it speaks of.

    planted: what `twins.measure` returns of this model, if it was asked.
    """
    from transformers import AutoTokenizer

    folder = run.require(run.model(model, seed), "03_train")
    facts, order = read_json(folder / "train.json"), pd.read_parquet(folder / "order.parquet", columns=["text_id"])
    own = index[index["level"].isin(facts["levels"])]
    test = own[(own["split"] == "test") & ~own["copied"].astype(bool) & ~own["held_out"].astype(bool)]
    known = {"weights": file_hash(folder / "model.safetensors"), "levels": facts["levels"]}
    if order.empty:
        return known | {"verdict": MAY, "reason": "it has read no text of the corpus"}
    read, test = extraction_gap.pairs(own[own["text_id"].isin(order["text_id"])], test, limits.texts, limits.seed)
    told = {"n_learners": 0}
    if len(read):
        tokenizer, network = AutoTokenizer.from_pretrained(folder), loading.load_model(folder)
        first_special = first_special_of(tokenizer)
        sums = [extraction_gap.asked(network, tokenizer, rows, drawing, first_special) for rows in (read, test)]
        told = extraction_gap.gaps(*sums, limits.alpha, limits.seed)
    seen = canaries.above_chance(planted) if planted else {}
    said, why = verdict(told | seen, limits)
    if told["n_learners"] < FEWEST:  # a number that rests on few learners does not leave either
        told = {"n_learners": f"<{FEWEST}"}
    return known | {"verdict": said, "reason": why, "pairs": len(read)} | told | seen


def texts_of(run):
    """(rows of the index with level, learner and part, Masks parameters, split id)."""
    columns = ["text_id", "learner_id", "level", "split", "copied", "held_out"]
    texts = pd.read_parquet(run.require(run.texts, "01_extract"), columns=columns)
    index = token_index.read_index(run.require(run.index, "02_mask")).merge(texts, on="text_id")
    return index.assign(n_tokens=index["ids"].map(len)), run.mask_settings(), run.masks_report()["split_id"]


def trained(run):
    """{(model, seed): train.json} of the models that there are, in the order of 06_compare."""
    models = read_csv(run.require(run.compare("cost.csv"), "06_compare"))["model"]
    folders = [path for model in models for path in sorted(run.model(model, 0).parent.glob("seed*"))]
    facts = {(path.parent.name, int(path.name[4:])): read_json(path / "train.json") for path in folders}
    return {one: told for one, told in facts.items() if told["status"] == "trained"}


def assess(experiment, plant=False):
    """Write memorisation/memorisation.json of an experiment, aggregates only. plant: train twins with canaries, too."""
    run = existing_experiment(experiment).start("memorisation")
    limits = parameters.validate(Limits, read_yaml("params/memorisation.yaml"), "params/memorisation.yaml")
    (index, drawing, split_id), facts = texts_of(run), trained(run)
    found = canary_training.canary_runs(run, facts, index, drawing, limits, plant)
    told = {}
    for model, seed in (bar := tqdm(facts, unit=" models", ncols=100, leave=False)):
        bar.set_description(f"{model}, seed {seed}")
        told[f"{model}/seed{seed}"] = measure(run, model, seed, index, drawing, limits, found.get(model))
    told = with_bases(told, {f"{m}/seed{s}": f"{one['init_from']}/seed{s}" for (m, s), one in facts.items()})
    print("\n".join(f"{one}: {report['verdict']}: {report['reason']}" for one, report in told.items()))
    print(f"\n{canaries.told(found, limits) if found else NONE_PLANTED}\n")
    where, tables = run.folder / "memorisation/memorisation.json", {model: one["table"] for model, one in found.items()}
    report = {"limits": limits.model_dump(), "split_id": split_id, "models": told, "canaries": tables}
    write_json(report, where)
    print(f"{where}\nWhether weights may be passed on at all is for the corpus's licence to say.")
