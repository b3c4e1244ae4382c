"""How the gain of a specialist over the general model depends on the number of examples that both have read.

While models were trained, 03 scored the validation texts after the numbers of examples in `score_at`, with the weights
of that moment. So both models of a point have read equally many examples, and their scores are paired.
"""

import numpy as np
import pandas as pd

from lib.design import GENERAL, LEVELS, SPECIALIST_LEVEL, specialist_of
from lib.evaluation import contrasts, statistics
from lib.formatting import Sentences, join_names

NAME = "general_vs_specialist"
COLUMNS = ["name", "level", "examples", "a", "b", "reason", *contrasts.ESTIMATES]
NONE = pd.DataFrame(columns=COLUMNS).astype(dict.fromkeys(["examples", *contrasts.ESTIMATES], float))
SAY = Sentences(__file__)


def read_scores(run, runs):
    """valid_scores.parquet of the general model and the specialists, with model and seed; None where none was kept.

    run: the Experiment; runs: a frame with model and seed, of which the manifests are checked.
    """
    tables = []
    for row in runs.itertuples():
        path = run.model(row.model, row.seed) / "valid_scores.parquet"
        if row.model in (GENERAL, *SPECIALIST_LEVEL) and path.exists():
            run.require(path, "03_train")
            tables.append(pd.read_parquet(path).assign(model=row.model, seed=row.seed))
    return pd.concat(tables, ignore_index=True) if tables else None


def estimate(scores, texts, learners_known, options):
    """gain_curve.csv: the gain at each level after each number of examples at which both models were scored.

    scores: of `read_scores`; texts: text_id, level, learner_id and copied; options: keywords of `contrasts.estimate`.
    Returns its rows and examples.
    """
    if scores is None:
        return NONE
    rows = scores.merge(texts[["text_id", "level", "learner_id", "copied"]], on="text_id", validate="m:1")
    own = (rows["model"] == GENERAL) | (rows["model"].map(SPECIALIST_LEVEL) == rows["level"])
    # columns that no estimate here uses
    rows = rows[own].assign(mask_type="training_mix", mask_set=0, n_chars=1, nll_full=0.0, n_context=1, nll_context=0.0)
    tables = []
    for (level, examples), at_point in rows.groupby(["level", "examples"]):
        pair = (NAME, GENERAL, specialist_of(level))
        both = at_point.groupby("text_id")["model"].transform("nunique") == 2
        if both.any():
            sums = statistics.learner_sums(at_point[both], learners_known=learners_known)
            tables.append(contrasts.estimate(sums, [pair], level, **options).assign(examples=examples))
    return pd.concat(tables, ignore_index=True)[COLUMNS] if tables else NONE


def crossing(gains):
    """(kind, examples before, examples after) of the point estimates of one level, in order of examples.

    kind: "ahead" or "behind" where the specialist is so at all points, "overtaken" or "overtakes" where the order
    changes once, between the two numbers, and "several" where it changes more often.
    """
    ahead = (gains["gain_pct"] > 0).to_numpy()
    changes = np.flatnonzero(ahead[1:] != ahead[:-1])
    if len(changes) == 0:
        return ("ahead" if ahead[0] else "behind"), None, None
    if len(changes) > 1:
        return "several", None, None
    before, after = gains["examples"].iloc[[changes[0], changes[0] + 1]]
    return ("overtaken" if ahead[0] else "overtakes"), int(before), int(after)


def by_level(table):
    """{level: rows with an estimate, in order of examples}, of levels with two points or more."""
    found = {}
    for level in LEVELS:
        rows = table[table["level"] == level].dropna(subset="gain_pct").sort_values("examples")
        if len(rows) > 1:
            found[level] = rows
    return found


def sentences(table):
    """Markdown: a line a level: the gain at the first and the last point, and where one model overtakes the other."""
    lines = []
    for level, rows in by_level(table).items():
        kind, before, after = crossing(rows)
        ends = {"first": rows.iloc[0], "last": rows.iloc[-1]}
        lines.append(SAY("level", level=level, kind=kind, before=before, after=after, side=side(rows.iloc[-1]), **ends))
    return SAY("curves", lines=lines)


def side(row):
    """ahead, behind or open: what the interval of the specialist's gain at a point shows."""
    if row["ci_lo"] > 0:
        return "ahead"
    return "behind" if row["ci_hi"] < 0 else "open"


def title(table):
    """The title of the figure: what the intervals at the last point of each level show."""
    groups = {"ahead": [], "behind": [], "open": []}
    for level, rows in by_level(table).items():
        groups[side(rows.iloc[-1])].append(level)
    words = {"ahead": "the specialist is ahead", "behind": "the general model is ahead", "open": "open"}
    shown = [f"{words[way]} at {join_names(levels)}" for way, levels in groups.items() if levels]
    return f"At the last equal number of examples: {'; '.join(shown) or 'n/a'}"
