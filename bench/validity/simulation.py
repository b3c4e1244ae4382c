"""Do the decision rules keep their promises? `.venv/bin/python bench/validity/simulation.py [STUDIES [CONDITION ...]]`

Simulates whole studies as scores per text, at EFCAMDAT's size, and judges them as 06 and 07 would: how often intervals
hold the truth, how often a claim is made though the truth is its margin, and how often a true gain is found.
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
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from lib.design import CONTINUED, GENERAL, LEVELS, specialist_of, transfer_of
from lib.evaluation import comparisons, statistics
from lib.evaluation.contrasts import counts_towards_pooled_variance, satterthwaite, seed_parts
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


def truths(level, theta, over_transfer):
    """{model: its true ln PPL above that of the model which is best at this level}. over_transfer: as in `study`."""
    own, transfer = specialist_of(level), transfer_of(level)
    if over_transfer is None:
        return {GENERAL: theta, own: 0.0}
    return {own: over_transfer[0], GENERAL: over_transfer[1], CONTINUED: over_transfer[2], transfer: 0.0}


def study(rng, seeds, noise, spread, theta=MARGIN, uneven=False, learners=LEARNERS, by_text=False, over_transfer=None,
          transfer_noise=1.0):  # fmt: skip
    """One study, {level: (tokens, losses, moves)}. theta: the true value of general minus specialist at every level.

    tokens [learners]; losses: {model: nll without seed noise [learners]}; moves: {model: change of ln PPL [seeds]}.
    Learners write 1 to many texts of unequal length; what a text gains varies by learner and by text, half each, so
    that theta has the standard error spread / sqrt(learners); each training run moves its model's ln PPL by noise (sd).
    by_text: as if each text had its own writer. over_transfer: true ln PPL of specialist, general model and the one
    trained longer above the transfer model, which then takes part; its noise is transfer_noise times that of others.
    """
    common = {model: rng.normal(0, noise * SHARED**0.5, seeds) for model in (GENERAL, CONTINUED)}
    found = {}
    for level, size in learners.items():
        writer = np.repeat(np.arange(min(size, STAND_IN)), rng.geometric(1 / PER_LEARNER, min(size, STAND_IN)))
        tokens = 1 + rng.negative_binomial(2, 0.05, len(writer))
        unit = np.arange(len(writer)) if by_text else writer
        hard = 2.5 + rng.normal(0, 0.3, len(writer))
        losses, moves = {}, {}
        for model, truth in truths(level, theta, over_transfer).items():
            gain = truth + _variation(rng, writer, tokens) * spread / np.sqrt(2 * size)
            losses[model] = np.bincount(unit, tokens * (hard + gain))
            moves[model] = _moves(rng, model, level, seeds, noise, common, uneven, transfer_noise)
        found[level] = np.bincount(unit, tokens), losses, moves
    return found


def _variation(rng, writer, tokens):
    """What a text's ln PPL deviates, by learner and by text, half each, so that its mean over tokens has variance 1."""
    each = np.bincount(writer, tokens)
    width = np.sqrt((each @ each + tokens @ tokens) / 2) / tokens.sum()
    return (rng.normal(0, 1, len(each))[writer] + rng.normal(0, 1, len(writer))) / 2**0.5 / width


def _moves(rng, model, level, seeds, noise, common, uneven, transfer_noise):
    """How far each seed moves a model's ln PPL at a level."""
    if model in common:
        return common[model] + rng.normal(0, noise * (1 - SHARED) ** 0.5, seeds)
    if model == transfer_of(level):
        return rng.normal(0, noise * transfer_noise, seeds)
    return rng.normal(0, noise * (UNEVEN[level] if uneven else 1), seeds)


def as_sums(simulated):
    """A study as LearnerSums, which lib.evaluation takes."""
    tables = []
    for level, (tokens, losses, moves) in simulated.items():
        for model, loss in losses.items():
            for seed, move in enumerate(moves[model]):
                rows = {"model": model, "level": level, "seed": seed, "learner": np.arange(len(tokens))}
                tables.append(pd.DataFrame(rows | {"nll_text": loss + move * tokens, "n_tokens": tokens}))
    table = pd.concat(tables, ignore_index=True)
    return statistics.LearnerSums(table, "training_mix", "without_copies", True)


def planned_pairs(simulated):
    """{level: the planned pairs of models that take part}; the best specialist is the level's own."""
    pairs = comparisons.planned_pairs([CONTINUED], {level: specialist_of(level) for level in LEVELS})
    return {level: [pair for pair in pairs[level] if set(pair[1:]) <= simulated[level][1].keys()] for level in LEVELS}


def estimates(simulated, draws=DRAWS):
    """{name of a contrast: a frame by level with theta, se, df, se_data and n_learners}.

    A short way to the numbers of `contrasts.estimate_all`, which a test compares: it spares the tables of scores.
    """
    pooled = _pooled_seed_variance(simulated)
    found = {}
    for level, pairs in planned_pairs(simulated).items():
        tokens, losses, moves = simulated[level]
        models = list(losses)
        means = [losses[model] + moves[model].mean() * tokens for model in models]
        resampled = statistics.resampled_sums(np.column_stack([*means, tokens]).astype(float), draws)
        resampled = pd.DataFrame(resampled, columns=[*models, "tokens"])
        for name, a, b in pairs:
            difference = means[models.index(a)] - means[models.index(b)]
            numerators = resampled[a] - resampled[b]
            se_data, df_data = statistics.ratio_se(numerators, resampled["tokens"], pd.Series(tokens))
            seed_terms = seed_parts([moves[a], moves[b]], pooled)
            se, df = satterthwaite([(se_data**2, df_data), *seed_terms])
            found[name, level] = difference.sum() / tokens.sum(), se, df, se_data, len(tokens)
    table = pd.DataFrame(found, ["theta", "se", "df", "se_data", "n_learners"]).T
    return {name: table.loc[name] for name in table.index.unique(0)}


def _pooled_seed_variance(simulated):
    """`contrasts.pooled_seed_variance` of a study."""
    variances = {}
    for level, (_, _, moves) in simulated.items():
        for model in (GENERAL, specialist_of(level)):
            if len(moves[model]) > 1 and moves[model].any():
                variances.setdefault(model, []).append(np.var(moves[model], ddof=1))
    if not variances:
        return 0.0, 1.0
    n_seeds = len(moves[GENERAL])
    return np.mean([np.mean(found) for found in variances.values()]), len(variances) * (n_seeds - 1)


def outcomes(rows, rule):
    """The outcome of a hypothesis at each level, as 07_hypotheses decides it. rows: of contrasts.csv."""
    verdicts = rule(rows, SETTINGS).query("level != 'all'").set_index("level")["verdict"]
    return verdicts.map(decision_rules.outcome)


def p_above(rows, margin, side=1):
    """One-sided p by level of theta > margin, or with side=-1 of theta < margin."""
    return statistics.p_above(side * rows["theta"], rows["se"], rows["df"], side * margin)


def claims_of_h1(rows, gain=SETTINGS.h1_margin):
    """{claim: levels at which it is made, bool}, as decision_rules makes them, which a test compares.

    gain: the true one, instead of the margin; theta moves with it, exactly. The best specialist is the level's own.
    """
    rows = rows.assign(theta=rows["theta"] + np.log1p(gain) - MARGIN)
    below = p_above(rows, MARGIN, -1)
    return {"h1": statistics.holm(p_above(rows, MARGIN)) < SETTINGS.alpha,
            "h2": statistics.hochberg(below) < SETTINGS.alpha, "h2_uncorrected": below < SETTINGS.alpha}  # fmt: skip


def claims_of_h3(found):
    """The same for H3, its refutation, and longer training. found: as `estimates` returns them."""
    above = [p_above(found[name], H3_MARGIN) for name in decision_rules.H3_TESTS]
    below = [p_above(found[name], H3_MARGIN, -1) for name in decision_rules.H3_TESTS]
    both = np.maximum(above[0], above[1])
    smaller = np.minimum(below[0], below[1])
    alpha = SETTINGS.alpha
    h3 = statistics.holm(np.maximum(both, above[2])) < alpha
    longer = ~h3 & (statistics.hochberg(np.maximum(both, below[2])) < alpha)
    refuted = ~h3 & ~longer & (statistics.hochberg(np.minimum(2 * smaller, 1)) < alpha)
    beats_both = statistics.holm(both) < alpha
    uncorrected = (smaller < alpha / 2) | (beats_both & (below[2] < alpha))
    return {"h3": h3, "h3_refuted": refuted, "longer": longer, "h3_refutations_uncorrected": uncorrected & ~h3}


def covered(rows, truth):
    """Whether each interval holds its truth. rows: of one contrast."""
    half_width = stats.t.isf(SETTINGS.alpha / 2, rows["df"]) * rows["se"]
    return (abs(rows["theta"] - truth) <= half_width).to_numpy()


def judged(condition, gains, seed):
    """A study at the margin, by level: does the interval hold it, which claims are made, would H1 be at other gains."""
    rows = estimates(study(np.random.default_rng(seed), **condition))["general_vs_specialist"]
    no_seeds = rows.assign(se=rows["se_data"], df=rows["n_learners"] - 1)
    power = np.array([claims_of_h1(rows, gain)["h1"] for gain in gains]).reshape(len(gains), len(LEVELS))
    found = {"covered": covered(rows, MARGIN), "no_seeds": claims_of_h1(no_seeds)["h1"], "power": power}
    return found | claims_of_h1(rows)


def judged_h3(condition, gains, seed):
    """A study of transfer models, by level: do the intervals hold the truth, and what is claimed of H3."""
    rows = estimates(study(np.random.default_rng(seed), **condition))
    true = dict(zip(decision_rules.H3_TESTS, condition["over_transfer"], strict=True))
    return {name: covered(rows[name], truth) for name, truth in true.items()} | claims_of_h3(rows)


def simulated(pool, condition, studies, gains=()):
    """(record, power by gain and level) of many studies under one condition: keywords of `study`."""
    judge = judged_h3 if "over_transfer" in condition else judged
    each = pool.map(partial(judge, condition, gains), range(studies), chunksize=5)
    by_level = {name: np.mean([one[name] for one in each], axis=0) for name in each[0]}
    anywhere = {name: float(np.mean([np.any(one[name]) for one in each])) for name in each[0]}
    record = condition | {"studies": studies}
    if judge is judged_h3:
        record["coverage"] = {name: _by_level(by_level[name]) for name in decision_rules.H3_TESTS}
        for name in ("h3", "h3_refuted", "longer", "h3_refutations_uncorrected"):
            record |= {f"{name}_anywhere": anywhere[name], f"{name}_everywhere": _everywhere(each, name)}
        return record, None
    record |= {"coverage": _by_level(by_level["covered"]), "false_h1_anywhere": anywhere["h1"],
               "false_h1_without_seed_noise": anywhere["no_seeds"], "false_h1": _by_level(by_level["h1"]),
               "false_h2_anywhere": anywhere["h2"], "false_h2_without_correction": anywhere["h2_uncorrected"],
               "false_h2": _by_level(by_level["h2"]), "false_h2_everywhere": _everywhere(each, "h2")}  # fmt: skip
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
