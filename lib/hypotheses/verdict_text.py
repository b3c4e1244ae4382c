"""The words of verdicts, for pages and figures' titles: when a verdict changes, its words change.

Pure functions from the tables of 06 and 07 to plain or Markdown text.
"""

from pathlib import Path

import numpy as np

from lib.experiment.files import read_yaml
from lib.formatting import Sentences, join_names
from lib.hypotheses.decision_rules import HOLDS, HYPOTHESES, INVALID, OVERALL, PROVISIONAL, SUPPORTED, outcome

WORDS = read_yaml(Path(__file__).with_suffix(".yaml"))
SAY = Sentences(__file__)


def _claim(hypothesis, one, margin, short=False):
    """What the outcome `one` says, without its place; short: after a claim about other levels. margin: of ln PPL."""
    claims = WORDS["claims"][hypothesis]
    claims = claims | {known: words + claims[SUPPORTED] for known, words in WORDS["undecided"].items()}
    if short:
        claims |= WORDS["short"][hypothesis] | WORDS["short_undecided"]
    return claims[one].format(m=f"{100 * np.expm1(margin):.0f} %")


def hypothesis_title(hypothesis, verdicts):
    """The conclusion over all levels, as a figure's title: levels of one outcome together, those that hold first."""
    rows = verdicts[(verdicts["hypothesis"] == hypothesis) & (verdicts["level"] != OVERALL)]
    outcomes = rows.set_index("level")["verdict"].map(outcome)
    parts = []
    for one in [*WORDS["claims"][hypothesis], *WORDS["undecided"]]:
        levels = list(outcomes.index[outcomes == one])
        where = "at every level" if len(levels) == len(outcomes) else f"at {join_names(levels)}"
        claim = _claim(hypothesis, one, rows["margin"].iloc[0], short=bool(parts))
        parts += [f"{where} {claim}"] if levels else []
    stamp = PROVISIONAL if rows["verdict"].str.endswith(PROVISIONAL).any() else ""
    return "A" + "; ".join(parts)[1:] + stamp


def verdict_sentence(row):
    """A level's verdict in plain English: the claim, the stamp, the gain with its interval, why, and how robust."""
    low, mid, high = 100 * np.expm1(row[["ci_lo", "theta", "ci_hi"]].astype(float))
    gain = "" if np.isnan(mid) else f": {mid:+.1f} % in perplexity, interval {low:+.1f} to {high:+.1f} %"
    stamp = PROVISIONAL if row["verdict"].endswith(PROVISIONAL) else ""
    why = f" ({row['reason']})" if isinstance(row["reason"], str) and row["reason"] else ""
    claim = _claim(row["hypothesis"], outcome(row["verdict"]), row["margin"])
    return f"At {row['level']} {claim}{stamp}{gain}{why}.{_robust(row)}"


def _robust(row):
    """What asking in other ways showed; what could not be asked is told once for all verdicts, by `unasked`."""
    failed = [part[4:] for part in row["robust"].split("; ") if part.startswith("no: ")]
    told = f" Not robust: decided otherwise {' and '.join(failed)}."
    return told if failed else " Robust." * (row["robust"] == "yes")


def untested_analyses(verdicts):
    """The other ways of asking that could not be asked of every verdict, in their order."""
    parts = verdicts["robust"].str.extract(r"untested: (.*)")[0].dropna().str.split(", ").explode()
    return list(dict.fromkeys(parts))


def hypothesis_paragraph(hypothesis, verdicts, stamps=()):
    """Markdown: the conclusion over all levels, then a line a level; stamps told elsewhere are left out of it.

    Of an invalid study the conclusion alone."""
    rows = verdicts[verdicts["hypothesis"] == hypothesis]
    *levels, whole = (row for _, row in rows.assign(reason=rows["reason"].fillna("")).iterrows())
    for row in levels:
        for stamp in stamps:
            row["reason"] = row["reason"].replace(stamp, "").strip("; ")
    lines = [f"- {verdict_sentence(row)}" for row in levels if outcome(row["verdict"]) != INVALID]
    return "\n".join([f"**{hypothesis_title(hypothesis, verdicts)}.**{_robust(whole)}\n", *lines])


def beside_h3(one, margin):
    """Why transfer is advised at a level at which H3 has the outcome `one`; nothing where it holds. margin: a share."""
    asked = f" (H3 asks for more: to be shown over {100 * margin:.0f} % ahead of each rival"
    return "" if one in HOLDS else f"{asked}{WORDS['beside_h3'][one]})"


def equal_examples_sentence(contrasts, cost):
    """What beside H1 must be known: how many examples either side read, and the gains when both had read as many."""
    seen = cost.groupby("kind")["examples_seen"].mean().reindex(["general", "specialist"])
    seen = seen.map("{:,.0f}".format).replace("nan", "n/a")
    evenly = contrasts[(contrasts["subset"] == "equal examples") & (contrasts["name"] == "general_vs_specialist")]
    told = [f"{row.gain_pct:+.1f} % at {row.level} ({row.gain_lo:+.1f} to {row.gain_hi:+.1f})"
            for row in evenly.dropna(subset="gain_pct").itertuples()]  # fmt: skip
    return SAY("at_equal_examples", general=seen["general"], own=seen["specialist"], evenly=told)


def precondition_sentence(checks, stamps, cost):
    """Markdown: whether verdicts may be given, what is provisional about them, and which models are missing."""
    absent = [f"{row.model} ({row.reason})" for row in cost[cost["seeds"] == 0].itertuples()]
    return SAY("standing", valid=checks["holds"].all(), stamps=stamps, absent=absent)


def detectable_gains(mde, power):
    """Markdown: what this sample could have shown, a line a level; mde: the rows of mde.csv."""
    return SAY("sensitivity", levels=mde.dropna(subset="mde_above_margin_pct").to_dict("records"), power=power)


def limitations(report, cost):
    """Markdown: what this corpus and these models cannot tell. report: corpus/report.json."""
    size = cost["parameters_total"].median() / 1e6
    starts = sorted(set(cost.loc[cost["kind"].isin(["general", "specialist"]), "init_from"]))
    files = join_names([source["file"] for source in report["sources"]])
    return SAY("limits", report=report, files=files, size=size, starts=starts)


def answer_sentence(own, verdicts, checks):
    """The last sentence of the study. own: the rows general_vs_specialist of the primary contrasts."""
    if not checks["holds"].all():
        return f"No verdict can be given, for this does not hold: {join_names(failed_checks(checks))}."
    gains = own.dropna(subset="gain_pct").sort_values("gain_pct")
    ends = [f"{row.gain_pct:+.1f} % ({row.level})" for row in gains.itertuples()]
    return SAY("answer", ends=ends, conclusions=[hypothesis_title(h, verdicts) for h in HYPOTHESES])


def failed_checks(checks):
    """The names of the checks that fail."""
    return list(checks.loc[~checks["holds"], "check"])


def lowest_perplexity_sentence(versus, checks):
    """Markdown: which of own, general and transfer comes first at each level, in this sample. versus: the rows
    general_vs_specialist and general_vs_transfer of the primary contrasts."""
    tops = versus.dropna(subset="gain_pct").sort_values("gain_pct").groupby("level").last().reset_index()
    first = []
    for row in tops.itertuples():
        gain = f"{row.b} (gain {row.gain_pct:+.1f} %, interval {row.gain_lo:+.1f} to {row.gain_hi:+.1f})"
        first.append(f"at {row.level} {gain if row.gain_pct > 0 else 'the general model'}")
    return SAY("least_surprised", first=first, broken=failed_checks(checks))
