"""The gain of a specialist over the general model as a chain of differences, each between two neighbours.

general -> general_equal (as many examples as the specialist) -> general_equal_text (as many texts, too) -> specialist.
theta of the whole is the sum of its parts, because all are estimated on the same tokens. A level may lack a link of the
chain; the part between its two neighbours then stands for both differences.
"""

import pandas as pd

from lib.design import GENERAL, LEVELS, balanced_text_of, equal_text_of, specialist_of
from lib.evaluation import contrasts, statistics
from lib.formatting import Sentences

GENERAL_EQUAL = "general_equal"  # the general model after as many examples as the specialist
WHOLE = "all"
MIX = "equal parts of levels"
# what changes from one role in the chain to the next
PARTS = {
    ("general", "equal examples"): "examples",
    ("general", "equal text"): "examples and amount of text",
    ("equal examples", "equal text"): "amount of text",
    ("equal examples", "specialist"): "amount of text and level",
    ("equal text", "specialist"): "level",
    ("equal text", "balanced text"): MIX,
    ("balanced text", "specialist"): "level, from equal parts",
}
SUBJECTS = {  # of the parts that can be named alone, in the order of the chain
    "examples": "the number of examples",
    "amount of text": "the amount of text",
    "level": "training on the level alone",
}
SUBSET = "decomposition"
NONE = pd.DataFrame(columns=["name", "level", "a", "b", "reason", *contrasts.ESTIMATES])
NONE = NONE.astype(dict.fromkeys(contrasts.ESTIMATES, float))
SAY = Sentences(__file__)


def chain(level, models):
    """[(role, model)] from the general model to the specialist of a level, of those models that there are.

    models: names of the models with scores at the level, GENERAL_EQUAL among them.
    """
    roles = {"general": GENERAL, "equal examples": GENERAL_EQUAL, "equal text": equal_text_of(level)}
    roles["specialist"] = specialist_of(level)
    return [(role, model) for role, model in roles.items() if model in models]


def pairs_at(level, models):
    """Pairs (part, a, b) at a level: the whole, its parts in order, and the two with levels in equal parts.

    Empty where the chain has no link between the general model and the specialist.
    """
    links = chain(level, models)
    roles = [role for role, _ in links]
    if len(links) < 3 or roles[0] != "general" or roles[-1] != "specialist":
        return []
    pairs = [(WHOLE, GENERAL, specialist_of(level))]
    for (first, a), (second, b) in zip(links, links[1:]):
        pairs.append((PARTS[first, second], a, b))
    balanced = balanced_text_of(level)
    if balanced in models and "equal text" in roles:
        pairs.append((PARTS["equal text", "balanced text"], equal_text_of(level), balanced))
        pairs.append((PARTS["balanced text", "specialist"], balanced, specialist_of(level)))
    return pairs


def estimate(scores, equal, learners_known, options):
    """decomposition.csv: rows of `contrasts.estimate` with the part as name; no row where no level has a control.

    scores: of all models; equal: of the general model at equal examples; options: keywords of `contrasts.estimate`.
    """
    rows = pd.concat([scores, equal])
    used = rows["model"].isin([GENERAL, GENERAL_EQUAL])
    for name_of in (specialist_of, equal_text_of, balanced_text_of):
        used |= rows["model"] == rows["level"].map(name_of)
    rows = rows[used]
    models = rows.groupby("level")["model"].unique()
    pairs = {level: pairs_at(level, set(models.get(level, []))) for level in LEVELS}
    if not any(pairs.values()):
        return NONE
    sums = statistics.learner_sums(rows, subset=SUBSET, learners_known=learners_known)
    return contrasts.estimate_all(sums, pairs, **options)


def sentences(table):
    """Markdown: a line a level that says which parts of the specialist's gain are shown, and which are open.

    table: of `estimate`.
    """
    lines = []
    for level in LEVELS:
        rows = table[(table["level"] == level)].dropna(subset="theta").set_index("name")
        if WHOLE in rows.index:
            lines.append(_sentence(level, rows))
    return SAY("decomposition", lines=lines)


def _sentence(level, rows):
    chained = rows[rows.index.isin(PARTS.values()) & ~rows.index.isin([MIX, "level, from equal parts"])]
    parts = [{"name": name, "side": side(row), "row": row} for name, row in chained.iterrows()]
    mix = rows.loc[MIX] if MIX in rows.index else None
    mix_side = None if mix is None else side(mix)
    return SAY("level", level=level, whole=rows.loc[WHOLE], parts=parts, mix=mix, mix_side=mix_side)


def side(row):
    """helps, hurts or open: whether a part is shown to raise or to lower the specialist's gain."""
    if row["ci_lo"] > 0:
        return "helps"
    return "hurts" if row["ci_hi"] < 0 else "open"


def title(table):
    """The title of the figure: which parts are shown at which levels."""
    found = {}
    rows = table.dropna(subset="theta")
    for _, row in rows[rows["name"].isin(SUBJECTS)].iterrows():
        if side(row) != "open":
            found.setdefault((row["name"], side(row)), []).append(row["level"])
    shown = [(SUBJECTS[name], way, levels) for (name, way), levels in found.items()]
    said = SAY("title", found=shown)
    return said[0].upper() + said[1:]
