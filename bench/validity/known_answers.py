"""What the study finds where the answer is known: `make known-answers`, or bench/validity/known_answers.py NAME ...

Makes each corpus of lib/synthetic/known_answers.py, runs it through `make run`, and holds what comes out against
what must: expected, got, and whether that is within a tolerance fixed beforehand. A check is VOID where nothing was
learned that it could be read from. Writes bench/records/known_answers.json; exit status 1 unless all checks hold.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from bench.validity import optimal_model
from lib.evaluation import contrasts, statistics
from lib.evaluation.scoring import KEYS
from lib.experiment import parameters
from lib.experiment.files import read_csv, read_json
from lib.experiment.folders import Experiment
from lib.hypotheses import decision_rules
from lib.synthetic import known_answers

PROFILES = {"identical_levels": "known_answers", "disjoint_vocabularies": "known_answers"}  # the others: two_levels
PROFILES |= {"amount_of_text": "amount_of_text"}
SEED_NOISE = 0.02  # assumed sd of ln PPL between seeds
SETTINGS = parameters.load_file("params/known_answers/hypotheses.yaml")
RECORD = "bench/records/known_answers.json"


class Study:
    """The results of one run, as the checks ask for them."""

    def __init__(self, name):
        self.run = Experiment(f"known-{name}".replace("_", "-"), ".")
        self.texts = pd.read_parquet(self.run.texts)
        self.contrasts = read_csv(self.run.compare("contrasts.csv")).query("subset == 'without_copies'")
        matrix = read_csv(self.run.compare("ppl_matrix.csv")).query("mask_type == 'training_mix'")
        self.ppl = matrix.set_index(["model", "test"])["ppl"]
        self.seeds = sorted(int(folder.name[4:]) for folder in self.run.model("general", 0).parent.glob("seed*"))

    def primary(self, name):
        """The contrast on the training mix, by level, as 06 wrote it."""
        rows = self.contrasts
        return rows[(rows["name"] == name) & (rows["mask_type"] == "training_mix") & rows["theta"].notna()]

    def contrast(self, masks):
        """general - own at each level on these masks only (rows of `hidden`), as 06 makes it."""
        levels = sorted(masks["level"].unique())
        models = ["general", *map(str.lower, levels)]
        scores = pd.concat(self.scores(model, seed) for model in models for seed in self.seeds)
        sums = statistics.learner_sums(scores.merge(masks[[*KEYS, "level"]], on=[*KEYS, "level"]))
        each = [
            contrasts.estimate(sums, [("general_vs_specialist", "general", level.lower())], level) for level in levels
        ]
        return pd.concat(each, ignore_index=True)

    def hidden(self, mask_type="training_mix"):
        """What the test masks hide, one row a mask, with its level; of the texts that count."""
        frozen = pd.read_parquet(self.run.frozen_masks("test")).query(f"mask_type == '{mask_type}'")
        texts = self.texts[~self.texts["copied"]]
        words = optimal_model.hidden_words(texts, frozen[frozen["text_id"].isin(texts["text_id"])])
        return words.merge(texts[["text_id", "level"]], on="text_id")

    def scores(self, model, seed=0):
        return pd.read_parquet(self.run.scores(model, seed)).assign(model=model, seed=seed)

    def learned(self, level, floor=0.9):
        """Whether the level's own model is clearly below the floor of guessing single tokens."""
        return bool(self.ppl[level.lower(), level] < floor * self.ppl["unigram", level])

    def moved(self, model):
        """Whether training halved a model's perplexity at least."""
        story = read_json(self.run.model(model, 0) / "train.json")
        return bool(story["valid_perplexity"] < story["start_perplexity"] / 2)


def row(check, expected, got, holds, learned=True):
    verdict = "VOID" if not learned else "holds" if holds else "FAILS"
    return {"check": check, "expected": expected, "got": got, "verdict": verdict}


def no_gain(what, study, percent, rows=None):
    """Gains of own models and H1, from rows of contrasts: the study's own, or others."""
    rows = study.primary("general_vs_specialist") if rows is None else rows
    gains = rows.set_index("level")["gain_pct"].dropna()
    learned = all(study.learned(level) for level in gains.index)
    verdicts = decision_rules.h1(rows, SETTINGS).query("level != 'all'")
    named = ", ".join(verdicts.loc[verdicts["verdict"].map(decision_rules.outcome).isin(decision_rules.HOLDS), "level"])
    told = ", ".join(f"{level} {gain:+.1f}" for level, gain in gains.items())
    return [row(f"{what}: gain, %", f"within ±{percent} at every level", told, gains.abs().max() <= percent, learned),
            row(f"{what}: H1", "supported nowhere", named or "nowhere", not named, learned)]  # fmt: skip


def identical_levels(study):
    return no_gain("identical levels", study, 4)


def permuted_labels(study):
    return no_gain("permuted labels", study, 4)


def disjoint_vocabularies(study):
    """With a word left the level is no secret; with none the first word costs the general model ln 5, once a text."""
    masks = study.hidden()
    blind = masks[masks["visible"].str.len() == 0]
    seeing = study.contrast(masks.drop(blind.index))
    rows = no_gain("disjoint vocabularies, context left", study, 3, seeing)
    nats = study.contrast(blind)
    nats = (nats["theta"] * nats["n_tokens"]).sum() / len(blind)
    return [*rows, row("disjoint vocabularies, whole text blanked: nats a text", "1.609 ± 0.25", f"{nats:.3f}",
                       abs(nats - np.log(5)) <= 0.25)]  # fmt: skip


def hidden_levels(study):
    """Where y alone is blanked theta is one number; on all the masks really drawn, that times the share they are worth.

    There the rest, noise, is worth nothing but as noisy, so what is asked is whether the study's interval holds theta.
    """
    masks, rows = study.hidden(), []
    masks["worth"] = [optimal_model.hides_pair(words) for words in masks["words"]]
    alone = study.contrast(masks[masks["words"].map(optimal_model.is_y)]).set_index("level")
    drawn = study.primary("general_vs_specialist").set_index("level")
    for level, tolerance in {"A1": 0.05, "A2": 0.25}.items():
        true, got, found = -np.log(known_answers.MIX[level]), alone.loc[level, "theta"], drawn.loc[level]
        share = masks.loc[masks["level"] == level, "worth"].sum() / found["n_tokens"]
        told = f"{found['theta']:.4f} ({found['ci_lo']:.4f} to {found['ci_hi']:.4f})"
        rows += [row(f"hidden levels: theta at {level} where y alone is blanked", f"{true:.3f} ± {tolerance}",
                     f"{got:.3f}", abs(got - true) <= tolerance, study.learned(level)),
                 row(f"hidden levels: theta at {level}, all masks", f"{true * share:.4f} in the interval", told,
                     found["ci_lo"] <= true * share <= found["ci_hi"], study.learned(level))]  # fmt: skip
    return rows


def shared_structure(study):
    rows, learned = [], study.ppl["a2_transfer", "A2"] < 0.9 * study.ppl["unigram", "A2"]
    for rival in ("specialist", "general"):
        got = study.primary(f"{rival}_vs_transfer").set_index("level").loc["A2", "theta"]
        rows.append(row(f"shared structure: {rival} - transfer at A2, nats", "over .2", f"{got:.2f}", got > 0.2,
                        learned))  # fmt: skip
    return rows


def known_law(study):
    """The alarm: a model shown to beat the oracle. It must be silent at A1 and fire at A2, whose answers leak."""
    rows = []
    for level, leaks in {"A1": False, "A2": True}.items():
        found, model = against_oracle(study, level), level.lower()
        ratio, alarm = np.exp(found["theta"]), bool(found["ci_hi"] < 0)
        told = f"{ratio:.3f} ({np.exp(found['ci_lo']):.3f} to {np.exp(found['ci_hi']):.3f})"
        if leaks:
            rows.append(row("leaked answers: perplexity / oracle's", "shown below 1: the alarm fires", told, alarm))
        else:
            rows.append(row("known law: perplexity / oracle's", "1.00 to 1.06, not shown below 1", told,
                            ratio <= 1.06 and not alarm, study.moved(model)))  # fmt: skip
    return rows


def against_oracle(study, level):
    """The contrast own - oracle, of single blanked words, with the oracle as if it were a model."""
    masks = study.hidden("word").query("level == @level")
    nats = masks.assign(nll_text=[optimal_model.nats(words) for words in masks["words"]])
    own = study.scores(level.lower()).query("mask_type == 'word' and level == @level and not copied")
    best = own.drop(columns="nll_text").merge(nats[[*KEYS, "nll_text"]], on=KEYS).assign(model="oracle")
    sums = statistics.learner_sums(pd.concat([own, best]), "word")
    return contrasts.estimate(sums, [("own-oracle", level.lower(), "oracle")], level).iloc[0]


def amount_of_text(study):
    """A1 differs from A2 in its amount of text alone: the general model is better, and not on equal text."""
    whole = study.primary("general_vs_specialist").set_index("level").loc["A1"]
    told = f"{whole['gain_pct']:+.1f} ({whole['gain_lo']:+.1f} to {whole['gain_hi']:+.1f})"
    equal = study.primary("general_equal_text_a1_vs_specialist").set_index("level").loc["A1"]
    learned = study.learned("A1")
    return [row("amount of text: gain at A1, %", "shown below 0", told, whole["gain_hi"] < 0, learned),
            row("amount of text: gain at A1 over general on equal text, %", "within ±4", f"{equal['gain_pct']:+.1f}",
                abs(equal["gain_pct"]) <= 4, learned)]  # fmt: skip


def conflicting_word(study):
    """Where y alone is blanked theta is ln 2; over all masks H1 must be supported where the truth gives it power."""
    masks, rows = study.hidden(), []
    masks["worth"] = [optimal_model.hides_pair(words) for words in masks["words"]]
    alone = study.contrast(masks[masks["words"].map(optimal_model.is_y)]).set_index("level")
    primary = study.primary("general_vs_specialist")
    verdicts = decision_rules.h1(primary, SETTINGS).set_index("level")["verdict"].map(decision_rules.outcome)
    for level in ("A1", "A2"):
        got, learned = alone.loc[level, "theta"], study.learned(level)
        power = power_of_h1(study, masks, level)
        holds = verdicts[level] in decision_rules.HOLDS or power < SETTINGS.power
        rows += [row(f"conflicting word: theta at {level} where y alone is blanked", f"{np.log(2):.3f} ± 25 %",
                     f"{got:.3f}", abs(got / np.log(2) - 1) <= 0.25, learned),
                 row(f"conflicting word: H1 at {level}", f"supported, with power {power:.2f}", verdicts[level], holds,
                     learned)]  # fmt: skip
    return rows


def power_of_h1(study, masks, level):
    """The chance that H1 is shown at a level if models are the best possible: from the test masks, without any score
    but the numbers of tokens. SEED_NOISE is assumed; Holm's stricter half of alpha for two levels."""
    scores = study.scores(level.lower()).query("mask_type == 'training_mix' and not copied")
    worth = scores.merge(masks.loc[masks["level"] == level, [*KEYS, "worth"]], on=KEYS)
    learners = worth.groupby("learner_id")[["worth", "n_tokens"]].sum()
    nats = np.log(2) * learners["worth"]
    theta = nats.sum() / learners["n_tokens"].sum()
    spread = np.sqrt(((nats - theta * learners["n_tokens"]) ** 2).sum()) / learners["n_tokens"].sum()
    se = np.hypot(spread, SEED_NOISE)  # the noise of two models, the mean of two seeds each
    return float(stats.norm.sf(stats.norm.isf(SETTINGS.alpha / 2) - (theta - np.log1p(SETTINGS.h1_margin)) / se))


CHECKS = {check.__name__: check for check in (identical_levels, disjoint_vocabularies, hidden_levels, permuted_labels,
                                              shared_structure, known_law, amount_of_text,
                                              conflicting_word)}  # fmt: skip


def run(name):
    """Make a corpus and its study, on one core; returns seconds."""
    began, corpus = time.monotonic(), f"runs/{name}.csv"
    if not os.path.exists(corpus):  # a finished run on the same corpus is looked at only
        subprocess.run([sys.executable, "-m", "lib", "known-answer-corpus", name, corpus], check=True)
    profile = f"params/{PROFILES.get(name, 'two_levels')}"
    experiment = f"EXPERIMENT=known-{name}".replace("_", "-")
    words = ["make", "--no-print-directory", "run", experiment, f"CORPUS={corpus}", f"PARAMS={profile}", "CORES=1"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return round(time.monotonic() - began)


if __name__ == "__main__":
    names, began = sys.argv[1:] or list(CHECKS), time.monotonic()
    with ThreadPoolExecutor(2) as pool:  # two studies at once: alone, each leaves a core idle in 01, 02, 06 and 07
        seconds = dict(zip(names, pool.map(run, names)))
    results = {name: {"seconds": seconds[name], "checks": CHECKS[name](Study(name))} for name in names}
    table = pd.DataFrame([check for result in results.values() for check in result["checks"]])
    print(table.to_string(index=False, justify="left"))
    with open(RECORD, "w", encoding="utf-8") as file:
        json.dump(facts() | {"seconds": round(time.monotonic() - began)} | results, file, indent=2)
    sys.exit(int((table["verdict"] != "holds").any()))
