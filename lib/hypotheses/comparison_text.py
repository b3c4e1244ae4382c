"""The words of 06: what the comparison of models found, before any hypothesis is tested. For 07: which tokens a gain
comes from, and what the margin is per word and per character."""

import numpy as np

from lib.design import LEVELS, display_name
from lib.formatting import Sentences
from lib.hypotheses.decision_rules import h1, outcome
from lib.hypotheses.verdict_text import failed_checks

SAY = Sentences(__file__)


def answer(gains, checks):
    """Markdown: which of specialist, general and transfer model has the lowest perplexity at each level in this sample.

    gains: the rows general_vs_specialist and general_vs_transfer of the primary contrasts; checks: preconditions.
    """
    highest = gains.dropna(subset="gain_pct").sort_values("gain_pct").groupby("level").last().reset_index()
    best = []
    for row in highest.itertuples():
        if row.gain_pct > 0:
            interval = f"interval {row.gain_lo:+.1f} to {row.gain_hi:+.1f}"
            best.append(f"{display_name(row.b)} (gain {row.gain_pct:+.1f} %, {interval})")
        else:
            best.append(f"general at {row.level}")
    return SAY("answer", best=best, failed=failed_checks(checks))


def top5_sentence(in_level):
    """At which levels the specialist's five most probable infills contain the learner's word more often than those of
    the general model. in_level: rows of word_metrics.csv of a level's own models and the general model."""
    if in_level.empty:
        return SAY("top5", any=False, better=[])
    top5 = in_level.pivot(index="level", columns="kind", values="top5")
    top5 = top5.reindex(LEVELS, columns=["specialist", "general"])
    better = list(top5.index[top5["specialist"] > top5["general"]])
    return SAY("top5", any=True, better=better)


def example_sentences(nats):
    """What the answers in the running example's text cost. nats: as `lib.evaluation.comparisons.nats_of_texts` returns
    it for the models general and a1."""
    rows = []
    for text_id, row in nats.iterrows():
        costs = {"general": row["nll_text", "general"], "specialist": row["nll_text", "a1"]}
        rows.append(costs | {"text_id": text_id, "n_tokens": row["n_tokens", "a1"]})
    return SAY("example", rows=rows)


def class_sentences(by_class):
    """Markdown: which share of theta each class of tokens contributes, with the interval of its contribution, a line a
    level. by_class: by_class.csv."""
    rows = []
    for level in LEVELS:
        at_level = by_class[(by_class["level"] == level) & by_class["contribution"].notna()]
        shares = {by: at_level[at_level["by"] == by] for by in ("blank", "word")}
        lines = {by: found.to_dict("records") for by, found in shares.items()}
        sided = bool(len(at_level)) and bool(at_level["theta_share"].notna().any())
        theta = shares["word"]["contribution"].sum()
        rows.append(lines | {"level": level, "any": bool(len(at_level)), "sided": sided, "theta": theta})
    return SAY("classes", rows=rows)


def unit_sentences(by_class, settings):
    """Markdown: what the margin of H1 is in other units, and what H1's rule would decide with the margin per word or
    per character. by_class: by_class.csv; settings: hypotheses.yaml."""
    by_unit = by_class[(by_class["by"] == "unit") & by_class["theta"].notna()]
    units = []
    for unit, rows in by_unit.groupby("group", sort=False):
        verdicts = h1(rows, settings).query("level != 'all'").set_index("level")["verdict"].map(outcome)
        equal = 100 * np.expm1(np.log1p(settings.h1_margin) * rows["tokens_per_unit"])
        found = {verdict: list(levels) for verdict, levels in verdicts.groupby(verdicts, sort=False).groups.items()}
        units.append({"unit": unit, "lowest": equal.min(), "highest": equal.max(), "verdicts": found})
    return SAY("units", units=units, margin=100 * settings.h1_margin, decides=settings.margin_per)
