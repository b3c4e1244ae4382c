"""The words of verdicts, for pages and figures' titles: when a verdict changes, its words change.

Pure functions from the tables of 06 and 07 to plain or Markdown text.
"""

import numpy as np

from lib.formatting import bullets, listed
from lib.hypotheses.decision_rules import (
    ALL,
    EQUIVALENT,
    GENERAL_BETTER,
    HOLDS,
    HYPOTHESES,
    INCONCLUSIVE,
    INVALID,
    LONGER,
    NA,
    NOT,
    STAMP,
    SUPPORTED,
    outcome,
)

CLAIMS = {
    "H1": {SUPPORTED: "the level's own model beats the general model by more than {m}",
           NOT: "the level's own model does not beat the general model by {m}"},
    "H2": {GENERAL_BETTER: "the general model beats the best specialist by more than {m}",
           EQUIVALENT: "the general model and the best specialist are within {m} of each other",
           SUPPORTED: "the general model is within {m} of the best specialist",
           NOT: "the general model is more than {m} behind the best specialist"},
    "H3": {SUPPORTED: "transfer beats the level's own model and the general one by more than {m}",
           LONGER: "transfer beats its rivals through longer training, not through level text",
           NOT: "transfer does not beat every rival by {m}"}}  # fmt: skip
UNDECIDED = {INCONCLUSIVE: "it stays open whether ", NA: "it could not be tested whether ",
             INVALID: "no verdict can be given on whether "}  # fmt: skip
# After a first claim about other levels.
SHORT = {"H1": {NOT: "it does not"}, "H2": {NOT: "the general model is more than {m} behind"},
         "H3": {NOT: "it does not beat both"}}  # fmt: skip
SHORT_UNDECIDED = {INCONCLUSIVE: "it stays open", NA: "it could not be tested"}
BESIDE_H3 = {INCONCLUSIVE: ", which stays open", NOT: ", which it is shown not to be",
             NA: ", which could not be tested", LONGER: " for another reason than longer training"}  # fmt: skip


def _claim(hypothesis, one, margin, short=False):
    """What the outcome `one` says, without its place; short: after a claim about other levels. margin: of ln PPL."""
    claims = CLAIMS[hypothesis] | {known: words + CLAIMS[hypothesis][SUPPORTED] for known, words in UNDECIDED.items()}
    claims |= SHORT[hypothesis] | SHORT_UNDECIDED if short else {}
    return claims[one].format(m=f"{100 * np.expm1(margin):.0f} %")


def title(hypothesis, verdicts):
    """The conclusion over all levels, as a figure's title: levels of one outcome together, those that hold first."""
    rows = verdicts[(verdicts["hypothesis"] == hypothesis) & (verdicts["level"] != ALL)]
    outcomes = rows.set_index("level")["verdict"].map(outcome)
    parts = []
    for one in [*CLAIMS[hypothesis], *UNDECIDED]:
        levels = list(outcomes.index[outcomes == one])
        where = "at every level" if len(levels) == len(outcomes) else f"at {listed(levels)}"
        claim = _claim(hypothesis, one, rows["margin"].iloc[0], short=bool(parts))
        parts += [f"{where} {claim}"] if levels else []
    stamp = STAMP if rows["verdict"].str.endswith(STAMP).any() else ""
    return "A" + "; ".join(parts)[1:] + stamp


def sentence(row):
    """A level's verdict in plain English: the claim, the stamp, the gain with its interval, why, and how robust."""
    low, mid, high = 100 * np.expm1(row[["ci_lo", "theta", "ci_hi"]].astype(float))
    gain = "" if np.isnan(mid) else f": {mid:+.1f} % in perplexity, interval {low:+.1f} to {high:+.1f} %"
    stamp = STAMP if row["verdict"].endswith(STAMP) else ""
    why = f" ({row['why']})" if isinstance(row["why"], str) and row["why"] else ""
    claim = _claim(row["hypothesis"], outcome(row["verdict"]), row["margin"])
    return f"At {row['level']} {claim}{stamp}{gain}{why}.{_robust(row)}"


def _robust(row):
    """What asking in other ways showed; what could not be asked is told once for all verdicts, by `unasked`."""
    failed = [part[4:] for part in row["robust"].split("; ") if part.startswith("no: ")]
    told = f" Not robust: decided otherwise {' and '.join(failed)}."
    return told if failed else " Robust." * (row["robust"] == "yes")


def unasked(verdicts):
    """The other ways of asking that could not be asked of every verdict, in their order."""
    parts = verdicts["robust"].str.extract(r"untested: (.*)")[0].dropna().str.split(", ").explode()
    return list(dict.fromkeys(parts))


def paragraph(hypothesis, verdicts, stamps=()):
    """Markdown: the conclusion over all levels, then a line a level; stamps told elsewhere are left out of it.

    Of an invalid study the conclusion alone."""
    rows = verdicts[verdicts["hypothesis"] == hypothesis]
    *levels, whole = (row for _, row in rows.assign(why=rows["why"].fillna("")).iterrows())
    for row in levels:
        for stamp in stamps:
            row["why"] = row["why"].replace(stamp, "").strip("; ")
    lines = [f"- {sentence(row)}" for row in levels if outcome(row["verdict"]) != INVALID]
    return "\n".join([f"**{title(hypothesis, verdicts)}.**{_robust(whole)}\n", *lines])


def beside_h3(one, margin):
    """Why transfer is advised at a level at which H3 has the outcome `one`; nothing where it holds. margin: a share."""
    asked = f" (H3 asks for more: to be shown over {100 * margin:.0f} % ahead of each rival"
    return "" if one in HOLDS else f"{asked}{BESIDE_H3[one]})"


def at_equal_examples(contrasts, cost):
    """What beside H1 must be known: how many examples either side read, and the gains when both had read as many."""
    seen = cost.groupby("kind")["examples_seen"].mean().reindex(["general", "specialised"])
    seen = seen.map("{:,.0f}".format).replace("nan", "n/a")
    read = (f"The general model read {seen['general']} examples of all levels, a level's own model on average "
            f"{seen['specialised']} of one.")  # fmt: skip
    evenly = contrasts[(contrasts["subset"] == "equal examples") & (contrasts["name"] == "general-own")]
    parts = [f"{row.gain_pct:+.1f} % at {row.level} ({row.gain_lo:+.1f} to {row.gain_hi:+.1f})"
             for row in evenly.dropna(subset="gain_pct").itertuples()]  # fmt: skip
    told = f"Had it stopped where the own model's budget ends, the own model's gains would be {listed(parts)}."
    return f"{read} {told if parts else 'Part of a gain may come from that; equal numbers were not tried.'}"


def standing(checks, stamps, cost):
    """Markdown: whether verdicts may be given, what is provisional about them, and which models are missing."""
    told = {"Valid": "All checks hold.", "Provisional": "Nothing known is missing, so verdicts carry no such stamp.",
            "Complete": "All models were trained."}  # fmt: skip
    if not checks["holds"].all():
        told["Valid"] = "A check fails: **every verdict below is invalid**, and so is every number it rests on."
    if stamps:
        told["Provisional"] = f"All verdicts are: {'; '.join(stamps)}."
    absent = cost[cost["seeds"] == 0]
    if len(absent):
        why = "; ".join(f"{row.model} ({row.why})" for row in absent.itertuples())
        told["Complete"] = f"Not trained: {why}. What would need one says n/a."
    return bullets(told)


def sensitivity(mde, power):
    """Markdown: what this sample could have shown, a line a level; mde: the rows of mde.csv."""
    lines = []
    for row in mde.dropna(subset="h1_pct").itertuples():
        seeds = f"{row.seed_share:.0%}" if row.seed_share == row.seed_share else "unknown"
        lines.append(f"- At {row.level} a true gain of {row.h1_pct:.0f} % is shown to be above the margin in "
                     f"{power:.0%} of such studies; {row.gain_pct:+.1f} % was measured. Seeds' part in the variance: "
                     f"{seeds}.")  # fmt: skip
    return "\n".join(lines) or "No level could be tested."


def limits(report, cost):
    """Markdown: what this corpus and these models cannot tell. report: corpus/report.json."""
    size = cost["parameters_total"].median() / 1e6
    starts = sorted(set(cost.loc[cost["kind"].isin(["general", "specialised"]), "init_from"]))
    files = listed([source["file"] for source in report["sources"]])
    corpus = f"What holds for {files} need not hold for learners of another school or time."
    if "synthetic" in files:
        corpus = "Synthetic texts: verdicts show that the method works, and say nothing about learners."
    text = f"The column `{report['text_column']}`: what learners typed, errors included."
    if report["text_column"] == "text_corrected":
        text = "The column `text_corrected`, an automatic correction: models saw fewer errors than learners made."
    return bullets({
        "This corpus": corpus,
        "This text": text,
        "These models": f"{size:,.1f} million parameters each, started from: {listed(starts)}. Larger ones may differ.",
        "Copied texts": f"{report['copied']['test']:,} test texts repeat training text. They count for robustness "
                        "only.",
    })  # fmt: skip


def answer(own, verdicts, checks):
    """The last sentence of the study. own: the rows general-own of the primary contrasts."""
    if not checks["holds"].all():
        failed = listed(list(checks.loc[~checks["holds"], "check"]))
        return f"No verdict can be given, for this does not hold: {failed}."
    gains = own.dropna(subset="gain_pct").sort_values("gain_pct")
    ends = [f"{row.gain_pct:+.1f} % ({row.level})" for row in gains.itertuples()]
    from_to = f"{ends[0]} to {ends[-1]}" if len(ends) > 1 else "".join(ends)
    span = (f"The general model's perplexity against the own model's, on its level: {from_to}." if ends else
            "No level could be compared.")  # fmt: skip
    return " ".join([span, *(f"{title(h, verdicts)}." for h in HYPOTHESES)])


def least_surprised(versus, checks):
    """Markdown: which of own, general and transfer comes first at each level, in this sample. versus: the rows
    general-own and general-transfer of the primary contrasts."""
    tops = versus.dropna(subset="gain_pct").sort_values("gain_pct").groupby("level").last().reset_index()
    first = []
    for row in tops.itertuples():
        gain = f"{row.b} (gain {row.gain_pct:+.1f} %, interval {row.gain_lo:+.1f} to {row.gain_hi:+.1f})"
        first.append(f"at {row.level} {gain if row.gain_pct > 0 else 'the general model'}")
    broken = list(checks.loc[~checks["holds"], "check"])
    unfair = f" But the comparison is not fair, since this does not hold: {listed(broken)}." if broken else ""
    return f"Of own, general and transfer, with the gain over general: {'; '.join(first) or 'n/a'}.{unfair}"
