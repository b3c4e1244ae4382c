"""The words of verdicts, for pages and titles of figures. When a verdict changes, its words change.

Pure functions from the tables of 06 and 07 to plain or Markdown text.
"""

from pathlib import Path

import numpy as np

from lib.design import CONTINUED, GENERAL, display_name
from lib.experiment.files import read_yaml
from lib.formatting import Sentences, join_names
from lib.hypotheses.decision_rules import HOLDS, HYPOTHESES, INVALID, NA, OVERALL, PROVISIONAL, SUPPORTED, outcome
from lib.hypotheses.robustness import CANNOT_TELL, CONTRADICTS, UNTESTED, robust_parts

WORDS = read_yaml(Path(__file__).with_suffix(".yaml"))
SAY = Sentences(__file__)


def _percent(margin):
    """A margin of ln PPL as "10 %"."""
    return f"{100 * np.expm1(margin):.0f} %"


def _claim(hypothesis, found, margin):
    """What the outcome `found` says of one level. margin: of ln PPL."""
    claims = WORDS["claims"][hypothesis]
    undecided = {found: words + claims[SUPPORTED] for found, words in WORDS["undecided"].items()}
    return (claims | undecided)[found].format(m=_percent(margin))


def _clause(hypothesis, found, where, margin, first):
    """What the outcome `found` says of several levels, in a title. first: whether no clause precedes it."""
    words = WORDS["titles"][hypothesis] | WORDS["undecided_titles"]
    if not first:
        words |= WORDS["short"][hypothesis] | WORDS["short_undecided"]
    claim = WORDS["open_claims"][hypothesis].format(m=_percent(margin))
    return words[found].format(m=_percent(margin), where=where, claim=claim)


def hypothesis_title(hypothesis, verdicts):
    """The conclusion over all levels, as the title of a figure. Levels of one outcome are named together, and those at
    which the hypothesis holds come first."""
    rows = verdicts[(verdicts["hypothesis"] == hypothesis) & (verdicts["level"] != OVERALL)]
    outcomes = rows.set_index("level")["verdict"].map(outcome)
    clauses = []
    for found in [*WORDS["titles"][hypothesis], *WORDS["undecided_titles"]]:
        levels = list(outcomes.index[outcomes == found])
        if not levels:
            continue
        where = "at every level" if len(levels) == len(outcomes) else f"at {join_names(levels)}"
        clauses.append(_clause(hypothesis, found, where, rows["margin"].iloc[0], first=not clauses))
    title = "; ".join(clauses)
    suffix = PROVISIONAL if rows["verdict"].str.endswith(PROVISIONAL).any() else ""
    return title[0].upper() + title[1:] + suffix


def verdict_sentence(row):
    """A level's verdict in plain English: the claim, the gain with its interval, the reason, and its robustness."""
    claim = _claim(row["hypothesis"], outcome(row["verdict"]), row["margin"])
    suffix = PROVISIONAL if row["verdict"].endswith(PROVISIONAL) else ""
    reason = f" ({row['reason']})" if isinstance(row["reason"], str) and row["reason"] else ""
    return f"At {row['level']} {claim}{suffix}{_gain(row)}{reason}.{_robust(row)}"


def _gain(row):
    """Whose gain over whom a verdict row rests on, with its interval; nothing where there is no estimate."""
    low, gain, high = 100 * np.expm1(row[["ci_lo", "theta", "ci_hi"]].astype(float))
    if np.isnan(gain):
        return ""
    names = {GENERAL: "the general model", CONTINUED: "the general model trained longer"}
    rival = names.get(row["a"], f"the {display_name(row['a'])}")
    better = f"the {display_name(row['b'])}"
    if row["hypothesis"] == "H3":
        better += " model"
        rival = f"the stronger rival, {rival},"
    return f": gain of {better} over {rival} {gain:+.1f} %, interval {low:+.1f} to {high:+.1f} %"


def _robust(row):
    """What the alternative analyses say of a level's verdict. Those that could not be run are named once, elsewhere."""
    if row["robust"] == "yes":
        return " Robust."
    parts = robust_parts(row["robust"])
    return SAY("robust", contradicted=parts[CONTRADICTS], undecided=parts[CANNOT_TELL])


def _robust_overall(rows, whole):
    """What the alternative analyses say of an overall verdict: at which levels each contradicts or cannot tell."""
    if whole["robust"] == "yes":
        return " Robust at every level."
    found = {CONTRADICTS: {}, CANNOT_TELL: {}}
    for row in rows:
        parts = robust_parts(row["robust"])
        for result, levels_by_analysis in found.items():
            for analysis in parts[result]:
                levels_by_analysis.setdefault(analysis, []).append(row["level"])
    contradicted, undecided = (
        [f"{analysis} at {join_names(levels)}" for analysis, levels in by_analysis.items()]
        for by_analysis in found.values()
    )
    return SAY("robust", contradicted=contradicted, undecided=undecided)


def untested_analyses(verdicts):
    """The alternative analyses that could not be run for every verdict, in their order."""
    names = []
    for value in verdicts["robust"]:
        names += robust_parts(value)[UNTESTED]
    return list(dict.fromkeys(names))


def untested_sentence(verdicts):
    """Which alternative analyses could not be run for every verdict."""
    return SAY("untested", analyses=untested_analyses(verdicts))


def hypothesis_paragraph(hypothesis, verdicts, stamps=()):
    """Markdown: the conclusion over all levels, then a line a level; of an invalid study the conclusion alone.

    stamps: reasons why verdicts are provisional that the page gives elsewhere, and that are left out here.
    """
    rows = verdicts[verdicts["hypothesis"] == hypothesis]
    *levels, whole = (row for _, row in rows.assign(reason=rows["reason"].fillna("")).iterrows())
    for row in levels:
        for stamp in stamps:
            row["reason"] = row["reason"].replace(stamp, "").strip("; ")
    lines = [f"- {verdict_sentence(row)}" for row in levels if outcome(row["verdict"]) != INVALID]
    return "\n".join([f"**{hypothesis_title(hypothesis, verdicts)}.**{_robust_overall(levels, whole)}\n", *lines])


def h3_requirement(found, margin):
    """What H3 requires beyond a recommendation of transfer, at a level at which H3 has the outcome `found`; nothing
    where it holds. margin: a share of perplexity."""
    if found in HOLDS:
        return ""
    return f" (H3 requires more: a lead of over {100 * margin:.0f} % over each rival{WORDS['h3_requires'][found]})"


def equal_examples_sentence(contrasts, cost):
    """How many examples the general model and the specialists read, and the gains at equal numbers of examples."""
    seen = cost.groupby("kind")["examples_seen"].mean().reindex(["general", "specialist"])
    seen = seen.map("{:,.0f}".format).replace("nan", NA)
    equal = contrasts[(contrasts["subset"] == "equal examples") & (contrasts["name"] == "general_vs_specialist")]
    gains = []
    for row in equal.dropna(subset="gain_pct").itertuples():
        gains.append(f"{row.gain_pct:+.1f} % at {row.level} ({row.gain_lo:+.1f} to {row.gain_hi:+.1f})")
    return SAY("equal_examples", general=seen["general"], specialist=seen["specialist"], gains=gains)


def precondition_sentence(checks, stamps, cost):
    """Markdown: whether verdicts may be given, why they are provisional, and which models are missing."""
    absent = [f"{row.model} ({row.reason})" for row in cost[cost["seeds"] == 0].itertuples()]
    return SAY("preconditions", valid=checks["holds"].all(), stamps=stamps, absent=absent)


def detectable_gains(mde, power):
    """Markdown: what this sample could have shown, a line a level. mde: the rows of mde.csv."""
    return SAY("detectable", levels=mde.dropna(subset="mde_above_margin_pct").to_dict("records"), power=100 * power)


def limitations(report, cost):
    """Markdown: what this corpus and these models cannot tell. report: corpus/report.json."""
    size = cost["parameters_total"].median() / 1e6
    starts = sorted(set(cost.loc[cost["kind"].isin(["general", "specialist"]), "init_from"]))
    files = join_names([source["file"] for source in report["sources"]])
    return SAY("limits", report=report, files=files, size=size, starts=starts)


def answer_sentence(gains, verdicts, checks):
    """The last sentence of the study. gains: the rows general_vs_specialist of the primary contrasts."""
    if not checks["holds"].all():
        return f"No verdict can be given, because a precondition fails: {join_names(failed_checks(checks))}."
    ordered = gains.dropna(subset="gain_pct").sort_values("gain_pct")
    ends = [f"{row.gain_pct:+.1f} % ({row.level})" for row in ordered.itertuples()]
    return SAY("answer", ends=ends, conclusions=[hypothesis_title(name, verdicts) for name in HYPOTHESES])


def failed_checks(checks):
    """The names of the preconditions that fail."""
    return list(checks.loc[~checks["holds"], "check"])
