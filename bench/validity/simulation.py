"""Do the decision rules keep their promises? `.venv/bin/python bench/validity/simulation.py [STUDIES [CONDITION ...]]`

Simulates whole studies as scores per text, at EFCAMDAT's size, and lets lib/ judge them as 06
and 07 would: how often intervals hold the truth, how often H1 is claimed though the true gain is the margin, and how
often a true gain is found. Writes bench/records/simulation.json and simulation.csv (power against gain); where
conditions are named, the others stay as they are.
"""

import gc
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from lib.design import LEVELS
from lib.evaluation import statistics
from lib.evaluation.contrasts import counts_towards_pooled_variance, estimate
from lib.experiment import parameters
from lib.experiment.files import read_csv, read_json, write_json, write_table
from lib.hypotheses import decision_rules

TEXTS = {"A1": 341_155, "A2": 215_344, "B1": 116_539, "B2": 40_238, "C1": 10_006}  # of EFCAMDAT, as published
PER_LEARNER = sum(TEXTS.values()) / 174_743  # all of them at one level: the fewest learners that there can be
LEARNERS = {level: round(n / 10 / PER_LEARNER) for level, n in TEXTS.items()}  # in a test part of 10 %
STAND_IN = 250  # learners simulated for a larger level, C1 has its own: with a spread that gives its standard error
SHARED = 0.5  # of the general model's seed variance is common to all levels
UNEVEN = dict(zip(LEVELS, [0.4, 0.7, 1.0, 1.5, 2.0]))  # seed sd of small levels' models beside large ones'
DRAWS = 400  # of the bootstrap
GAINS = (0.10, 0.125, 0.15, 0.2, 0.3)  # true ones, for the curves of power
REAL = 0.163  # the same spread in 2,868 texts of real learners (CEFR-ASAG, ELLIPSE), levels of over 25 test learners
RECORD, CURVES = "bench/records/simulation.json", "bench/records/simulation.csv"
SETTINGS = parameters.load_file("params/efcamdat/hypotheses.yaml")
MARGIN = np.log1p(SETTINGS.h1_margin)


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


def study(rng, seeds, noise, spread, theta=MARGIN, uneven=False, learners=LEARNERS, by_text=False):
    """One study as LearnerSums: theta is the same true value at every level.

    Learners write 1 to many texts of unequal length; what a text gains varies by learner and by text, half each, so
    that theta has the standard error spread / sqrt(learners); each training run moves its model's ln PPL by noise (sd).
    by_text: as if each text had its own writer.
    """
    common, tables = rng.normal(0, noise * SHARED**0.5, seeds), []
    for level, size in learners.items():
        writer = np.repeat(np.arange(min(size, STAND_IN)), rng.geometric(1 / PER_LEARNER, min(size, STAND_IN)))
        tokens = 1 + rng.negative_binomial(2, 0.05, len(writer))
        each = np.bincount(writer, tokens)
        width = np.sqrt((each @ each + tokens @ tokens) / 2) / tokens.sum()  # standard error of theta, were they 1 wide
        varies = (rng.normal(0, 1, len(each))[writer] + rng.normal(0, 1, len(writer))) / 2**0.5
        gain = theta + varies * spread / np.sqrt(size) / width
        unit = np.arange(len(writer)) if by_text else writer
        total = np.bincount(unit, tokens)
        hard, extra = (np.bincount(unit, tokens * x) for x in (2.5 + rng.normal(0, 0.3, len(writer)), gain))
        runs = {"general": common + rng.normal(0, noise * (1 - SHARED) ** 0.5, seeds)}
        runs[level.lower()] = rng.normal(0, noise * (UNEVEN[level] if uneven else 1), seeds)
        for model, moves in runs.items():
            nll = hard + extra * (model == "general") + np.multiply.outer(moves, total)
            tables.append({"model": model, "level": level, "seed": np.repeat(np.arange(seeds), len(total)),
                           "learner": np.tile(np.arange(len(total)), seeds), "nll_text": nll.ravel(),
                           "n_tokens": np.tile(total, seeds)})  # fmt: skip
    table = pd.concat(map(pd.DataFrame, tables), ignore_index=True)
    return statistics.LearnerSums(table, "training_mix", "without_copies", True)


def contrasts(sums, draws=DRAWS):
    """general - own at each level, as 06_compare makes it."""
    levels = sums.table["level"].unique()
    rows = [estimate(sums, [("general_vs_specialist", "general", level.lower())], level, draws) for level in levels]
    return pd.concat(rows, ignore_index=True)


def found(rows, rule=decision_rules.h1):
    """Levels at which a hypothesis holds, as 07_hypotheses decides it; H2's best specialist is the level's own here."""
    named = rows.assign(name="general_vs_best_specialist") if rule is decision_rules.h2 else rows
    verdicts = rule(named, SETTINGS).query("level != 'all'").set_index("level")["verdict"]
    return verdicts.map(decision_rules.outcome).isin(decision_rules.HOLDS)


def shown(rows, gain=SETTINGS.h1_margin):
    """The same by the rule's own two steps alone, had the true gain been another: theta moves with it, exactly."""
    theta = rows["theta"] + np.log1p(gain) - MARGIN
    return statistics.holm(statistics.p_above(theta, rows["se"], rows["df"], MARGIN)) < SETTINGS.alpha


def judged(seed, condition, gains):
    """A study at the margin, by level: does the interval hold it, is H1 claimed, or H2, would H1 be at other gains."""
    rows = contrasts(study(np.random.default_rng(seed), **condition))
    no_seeds = rows.assign(se=rows["se_data"], df=rows["n_learners"] - 1)
    return {"covered": ((rows["ci_lo"] <= MARGIN) & (rows["ci_hi"] >= MARGIN)).to_numpy(),
            "claimed": found(rows).to_numpy(), "no_seeds": shown(no_seeds),
            "sufficed": found(rows, decision_rules.h2).to_numpy(),
            "power": np.array([shown(rows, gain) for gain in gains]).reshape(len(gains), len(LEVELS))}  # fmt: skip


def simulated(condition, studies, gains=()):
    """(record, power by gain and level) of many studies under one condition: keywords of `study`."""
    each = [judged(seed, condition, gains) for seed in range(studies)]
    mean = {name: np.mean([one[name] for one in each], axis=0) for name in each[0]}
    anywhere = {name: float(np.mean([one[name].any() for one in each])) for name in ("claimed", "no_seeds")}
    record = condition | {"studies": studies, "coverage": dict(zip(LEVELS, mean["covered"].round(4).tolist())),
                          "false_h1_anywhere": anywhere["claimed"], "false_h1_without_seed_noise": anywhere["no_seeds"],
                          "false_h1": dict(zip(LEVELS, mean["claimed"].round(4).tolist())),
                          "false_h2": dict(zip(LEVELS, mean["sufficed"].round(4).tolist())),
                          "false_h2_everywhere": float(np.mean([one["sufficed"].all() for one in each]))}  # fmt: skip
    return record, mean["power"]


def conditions(studies):
    """{name: (keywords of study, number of studies, gains)}: the demo's noise, and what if it were other."""
    spread, noise = measured()
    base, few = {"seeds": 3, "noise": noise, "spread": spread}, studies // 4
    return {
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
        "three seeds, noise .01, real learners' spread": (base | {"noise": 0.01, "spread": REAL}, studies, GAINS),
        "three seeds, noise .005, real learners' spread": (base | {"noise": 0.005, "spread": REAL}, studies, GAINS),
        "ten seeds": (base | {"seeds": 10}, few, GAINS),
        "ten seeds, noise .02": (base | {"seeds": 10, "noise": 0.02}, few, GAINS),
    }  # fmt: skip


def curves(name, condition, studies, power):
    """Rows of simulation.csv: power by gain and level, with the simulation's own standard error."""
    table = pd.DataFrame(power, GAINS, LEVELS).rename_axis("gain").reset_index().melt("gain", None, "level", "power")
    table["error"] = np.sqrt(table["power"] * (1 - table["power"]) / studies)
    keys = {"condition": name, "seeds": condition["seeds"], "noise": condition["noise"]}
    return table.assign(**keys, learners=table["level"].map(LEARNERS))


def main(studies, names):
    """Simulate the conditions of these names, or all; the record grows by each, so that a run cut short leaves some."""
    gc.freeze()  # statsmodels' Holm collects garbage at each call: 0.1 s to look through what imports have left
    inputs = {"learners": LEARNERS, "alpha": SETTINGS.alpha, "margin": SETTINGS.h1_margin, "draws": DRAWS}
    records = read_json(RECORD)["conditions"] if names else {}
    tables = [read_csv(CURVES)] if names else []
    for name, (condition, number, gains) in conditions(studies).items():
        if names and name not in names:
            continue
        began = time.monotonic()
        record, power = simulated(condition, number, gains)
        made = {"seconds": round(time.monotonic() - began), "commit": facts()["commit"]}
        tables = [table[table["condition"] != name] for table in tables]
        tables += [curves(name, condition, number, power)] if gains else []
        print(f"{made['seconds']} s, {name}: {json.dumps(record)}", flush=True)
        records[name] = record | made
        write_json(facts() | inputs | {"conditions": records}, RECORD)
        write_table(pd.concat(tables).round(4), CURVES)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 400, sys.argv[2:])
