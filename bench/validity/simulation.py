"""Do the decision rules keep their promises? `.venv/bin/python bench/validity/simulation.py [STUDIES [CONDITION ...]]`

Simulates whole studies as scores per text, at EFCAMDAT's size, and lets lib/ judge them as 06 and 07 would: how often
intervals hold the truth, how often a claim is made though the truth is its margin, and how often a true gain is found.
Writes bench/records/simulation.json and simulation.csv (power against gain); where conditions are named, the others
stay as they are.
"""

import json
import multiprocessing
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from lib.design import CONTINUED, GENERAL, LEVELS, specialist_of, transfer_of
from lib.evaluation import comparisons, statistics
from lib.evaluation.contrasts import counts_towards_pooled_variance, estimate_all
from lib.experiment import parameters
from lib.experiment.files import read_csv, read_json, write_json, write_table
from lib.hypotheses import decision_rules

TEXTS = {"A1": 341_155, "A2": 215_344, "B1": 116_539, "B2": 40_238, "C1": 10_006}  # of EFCAMDAT, as published
PER_LEARNER = sum(TEXTS.values()) / 174_743  # all of them at one level: the fewest learners that there can be
LEARNERS = {level: round(n / 10 / PER_LEARNER) for level, n in TEXTS.items()}  # in a test part of 10 %
STAND_IN = 250  # learners simulated for a larger level, C1 has its own: with a spread that gives its standard error
SHARED = 0.5  # of the seed variance of a model that is scored at all levels is common to these
UNEVEN = dict(zip(LEVELS, [0.4, 0.7, 1.0, 1.5, 2.0]))  # seed sd of small levels' models beside large ones'
DRAWS = 400  # of the bootstrap
GAINS = (0.10, 0.125, 0.15, 0.2, 0.3)  # true ones, for the curves of power
REAL = 0.163  # the same spread in 2,868 texts of real learners (CEFR-ASAG, ELLIPSE), levels of over 25 test learners
RECORD, CURVES = "bench/records/simulation.json", "bench/records/simulation.csv"
SETTINGS = parameters.load_file("params/efcamdat/hypotheses.yaml")
MARGIN = np.log1p(SETTINGS.h1_margin)
H3_MARGIN = np.log1p(SETTINGS.h3_margin)
FAR = np.log(1.5)  # a true difference that every study shows
PROCESSES = 2


def measured():
    """(spread, noise) of ln PPL that the committed demo shows: between learners in general minus own; between seeds."""
    own = read_csv("figures/demo/h1_gains.csv")
    spread = np.sqrt((own["se_data"] ** 2 * own["n_learners"]).mean())
    ppl = read_csv("figures/demo/matrix.csv").query(
        "mask_type == 'training_mix' and test != 'all_levels' and seed_sd > 0"
    )
    home = [counts_towards_pooled_variance(*cell) for cell in zip(ppl["model"], ppl["test"], strict=True)]
    by_model = (ppl[home]["seed_sd"] ** 2).groupby(ppl["model"][home])
    return float(spread), float(np.sqrt(by_model.mean().mean()))


def excesses(level, theta, over_transfer):
    """{model: its true ln PPL above that of the model which is best at this level}. over_transfer: as in `study`."""
    own, transfer = specialist_of(level), transfer_of(level)
    if over_transfer is None:
        return {GENERAL: theta, own: 0.0}
    return {own: over_transfer[0], GENERAL: over_transfer[1], CONTINUED: over_transfer[2], transfer: 0.0}


def study(rng, seeds, noise, spread, theta=MARGIN, uneven=False, learners=LEARNERS, by_text=False, over_transfer=None,
          transfer_noise=1.0):  # fmt: skip
    """One study as LearnerSums. theta: the true value of general minus specialist at every level.

    Learners write 1 to many texts of unequal length; what a text gains varies by learner and by text, half each, so
    that theta has the standard error spread / sqrt(learners); each training run moves its model's ln PPL by noise (sd).
    by_text: as if each text had its own writer. over_transfer: true ln PPL of specialist, general model and the one
    trained longer above the transfer model, which then takes part; its noise is transfer_noise times that of others.
    """
    common = {model: rng.normal(0, noise * SHARED**0.5, seeds) for model in (GENERAL, CONTINUED)}
    tables = []
    for level, size in learners.items():
        writer = np.repeat(np.arange(min(size, STAND_IN)), rng.geometric(1 / PER_LEARNER, min(size, STAND_IN)))
        tokens = 1 + rng.negative_binomial(2, 0.05, len(writer))
        each = np.bincount(writer, tokens)
        width = np.sqrt((each @ each + tokens @ tokens) / 2) / tokens.sum()  # standard error of theta, were they 1 wide
        unit = np.arange(len(writer)) if by_text else writer
        total = np.bincount(unit, tokens)
        hard = np.bincount(unit, tokens * (2.5 + rng.normal(0, 0.3, len(writer))))
        truth = excesses(level, theta, over_transfer)
        own_spread = spread if len(truth) == 2 else spread / 2**0.5  # a difference of two models that both vary
        for model, excess in truth.items():
            varies = (rng.normal(0, 1, len(each))[writer] + rng.normal(0, 1, len(writer))) / 2**0.5
            varies = varies * own_spread / np.sqrt(size) / width
            if len(truth) == 2 and model != GENERAL:
                varies = 0
            extra = np.bincount(unit, tokens * (excess + varies))
            moves = _moves(rng, model, level, seeds, noise, common, uneven, transfer_noise)
            tables.append({"model": model, "level": level, "seed": np.repeat(np.arange(seeds), len(total)),
                           "learner": np.tile(np.arange(len(total)), seeds),
                           "nll_text": (hard + extra + np.multiply.outer(moves, total)).ravel(),
                           "n_tokens": np.tile(total, seeds)})  # fmt: skip
    table = pd.concat(map(pd.DataFrame, tables), ignore_index=True)
    return statistics.LearnerSums(table, "training_mix", "without_copies", True)


def _moves(rng, model, level, seeds, noise, common, uneven, transfer_noise):
    """How far each seed moves a model's ln PPL at a level."""
    if model in common:
        return common[model] + rng.normal(0, noise * (1 - SHARED) ** 0.5, seeds)
    if model == transfer_of(level):
        return rng.normal(0, noise * transfer_noise, seeds)
    return rng.normal(0, noise * (UNEVEN[level] if uneven else 1), seeds)


def contrasts(sums, draws=DRAWS):
    """The planned contrasts of the models that take part, as 06_compare makes them; the best specialist is the own."""
    pairs = comparisons.planned_pairs([CONTINUED], {level: specialist_of(level) for level in LEVELS})
    models = set(sums.table["model"])
    pairs = {level: [pair for pair in pairs[level] if models.issuperset(pair[1:])] for level in LEVELS}
    return estimate_all(sums, pairs, draws=draws)


def outcomes(rows, rule=decision_rules.h1):
    """The outcome of a hypothesis at each level, as 07_hypotheses decides it."""
    verdicts = rule(rows, SETTINGS).query("level != 'all'").set_index("level")["verdict"]
    return verdicts.map(decision_rules.outcome)


def shown(rows, gain=SETTINGS.h1_margin):
    """Levels at which H1 is claimed by the rule's own two steps alone, had the true gain been another: theta moves with
    it, exactly. rows: contrasts of a study whose true gain is the margin."""
    rows = rows[rows["name"] == "general_vs_specialist"]
    theta = rows["theta"] + np.log1p(gain) - MARGIN
    return statistics.holm(statistics.p_above(theta, rows["se"], rows["df"], MARGIN)) < SETTINGS.alpha


def covered(rows, truth):
    """Whether each interval holds its truth. rows: of one contrast."""
    return ((rows["ci_lo"] <= truth) & (rows["ci_hi"] >= truth)).to_numpy()


def judged(condition, gains, seed):
    """A study at the margin, by level: does the interval hold it, which claims are made, would H1 be at other gains."""
    rows = contrasts(study(np.random.default_rng(seed), **condition))
    main = rows[rows["name"] == "general_vs_specialist"]
    h1, h2 = outcomes(rows), outcomes(rows, decision_rules.h2)
    p_below = statistics.p_above(-main["theta"], main["se"], main["df"], -MARGIN)
    no_seeds = main.assign(se=main["se_data"], df=main["n_learners"] - 1)
    return {"covered": covered(main, MARGIN), "h1": h1.isin(decision_rules.HOLDS), "no_seeds": shown(no_seeds),
            "h1_refuted": h1 == decision_rules.NOT_SUPPORTED, "h2": h2.isin(decision_rules.HOLDS),
            "uncorrected": p_below < SETTINGS.alpha,
            "power": np.array([shown(rows, gain) for gain in gains]).reshape(len(gains), len(LEVELS))}  # fmt: skip


def judged_h3(condition, gains, seed):
    """A study of transfer models, by level: do the intervals hold the truth, and what is claimed of H3."""
    rows = contrasts(study(np.random.default_rng(seed), **condition))
    truths = dict(zip(decision_rules.H3_TESTS, condition["over_transfer"], strict=True))
    found = {name: covered(rows[rows["name"] == name], truth) for name, truth in truths.items()}
    h3 = outcomes(rows, decision_rules.h3)
    return found | {"h3": h3 == decision_rules.SUPPORTED, "h3_refuted": h3 == decision_rules.NOT_SUPPORTED,
                    "longer": h3 == decision_rules.LONGER_TRAINING}  # fmt: skip


def simulated(pool, condition, studies, gains=()):
    """(record, power by gain and level) of many studies under one condition: keywords of `study`."""
    judge = judged_h3 if "over_transfer" in condition else judged
    each = pool.map(partial(judge, condition, gains), range(studies), chunksize=5)
    by_level = {name: np.mean([one[name] for one in each], axis=0) for name in each[0]}
    anywhere = {name: float(np.mean([np.any(one[name]) for one in each])) for name in each[0]}
    record = condition | {"studies": studies}
    if judge is judged_h3:
        record["coverage"] = {name: _by_level(by_level[name]) for name in decision_rules.H3_TESTS}
        for name in ("h3", "h3_refuted", "longer"):
            record |= {f"{name}_anywhere": anywhere[name], f"{name}_everywhere": _everywhere(each, name)}
        return record, None
    record |= {"coverage": _by_level(by_level["covered"]), "false_h1_anywhere": anywhere["h1"],
               "false_h1_without_seed_noise": anywhere["no_seeds"], "false_h1": _by_level(by_level["h1"]),
               "false_h1_refuted_anywhere": anywhere["h1_refuted"], "false_h2_anywhere": anywhere["h2"],
               "false_h2_without_correction": anywhere["uncorrected"], "false_h2": _by_level(by_level["h2"]),
               "false_h2_everywhere": _everywhere(each, "h2")}  # fmt: skip
    return record, by_level["power"]


def _by_level(shares):
    return dict(zip(LEVELS, np.asarray(shares).round(4).tolist(), strict=True))


def _everywhere(each, name):
    return float(np.mean([np.all(one[name]) for one in each]))


def conditions(studies):
    """{name: (keywords of study, number of studies, gains)}: the demo's noise, and what if it were other."""
    spread, noise = measured()
    base, few = {"seeds": 3, "noise": noise, "spread": spread}, studies // 4
    real = base | {"noise": 0.01, "spread": REAL}
    five = {"learners": dict.fromkeys(LEVELS, 5)}
    found = {
        "three seeds": (base, studies, GAINS),
        "three seeds, small levels' models noisier": (base | {"uneven": True}, studies, ()),
        "two seeds": (base | {"seeds": 2}, studies // 2, ()),
        "one seed": (base | {"seeds": 1}, studies // 2, ()),
        "no seed noise, one seed": (base | {"seeds": 1, "noise": 0.0}, studies // 2, ()),
        "no seed noise, one seed, texts taken for learners":
            (base | {"seeds": 1, "noise": 0.0, "by_text": True}, studies // 2, ()),
        "three seeds, noise .02": (base | {"noise": 0.02}, few, GAINS),
        "three seeds, noise .01": (base | {"noise": 0.01}, studies, GAINS),
        "three seeds, noise .005": (base | {"noise": 0.005}, studies, GAINS),
        "three seeds, noise .01, real learners' spread": (real, studies, GAINS),
        "three seeds, noise .005, real learners' spread": (real | {"noise": 0.005}, studies, GAINS),
        "ten seeds": (base | {"seeds": 10}, few, GAINS),
        "ten seeds, noise .02": (base | {"seeds": 10, "noise": 0.02}, few, GAINS),
        "three seeds, five test learners a level": (base | five, studies, ()),
        "three seeds, noise .01, five test learners a level": (real | five, studies, ()),
    }  # fmt: skip
    settings = {
        "three seeds": base,
        "two seeds": base | {"seeds": 2},
        "three seeds, transfer twice as noisy": base | {"transfer_noise": 2.0},
        "three seeds, noise .01, real learners' spread": real,
        "the same, transfer twice as noisy": real | {"transfer_noise": 2.0},
    }
    truths = {
        "all rivals at the margin": (H3_MARGIN, H3_MARGIN, H3_MARGIN),
        "one rival at the margin": (H3_MARGIN, FAR, FAR),
        "longer training at the margin": (FAR, FAR, H3_MARGIN),
    }
    for setting, keywords in settings.items():
        for truth, over_transfer in truths.items():
            found[f"H3, {truth}: {setting}"] = (keywords | {"over_transfer": over_transfer}, studies // 2, ())
    return found


def curves(name, condition, studies, power):
    """Rows of simulation.csv: power by gain and level, with the simulation's own standard error."""
    table = pd.DataFrame(power, GAINS, LEVELS).rename_axis("gain").reset_index().melt("gain", None, "level", "power")
    table["error"] = np.sqrt(table["power"] * (1 - table["power"]) / studies)
    keys = {"condition": name, "seeds": condition["seeds"], "noise": condition["noise"]}
    return table.assign(**keys, learners=table["level"].map(LEARNERS))


def main(studies, names):
    """Simulate the conditions of these names, or all; the record grows by each, so that a run cut short leaves some."""
    inputs = {"learners": LEARNERS, "alpha": SETTINGS.alpha, "margin": SETTINGS.h1_margin, "draws": DRAWS}
    records = read_json(RECORD)["conditions"] if names else {}
    tables = [read_csv(CURVES)] if names else []
    with multiprocessing.Pool(PROCESSES) as pool:
        for name, (condition, number, gains) in conditions(studies).items():
            if names and name not in names:
                continue
            began = time.monotonic()
            record, power = simulated(pool, condition, number, gains)
            made = {"seconds": round(time.monotonic() - began), "commit": facts()["commit"]}
            tables = [table[table["condition"] != name] for table in tables]
            tables += [curves(name, condition, number, power)] if gains else []
            print(f"{made['seconds']} s, {name}: {json.dumps(record)}", flush=True)
            records[name] = record | made
            write_json(facts() | inputs | {"conditions": records}, RECORD)
            write_table(pd.concat(tables).round(4), CURVES)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 400, sys.argv[2:])
