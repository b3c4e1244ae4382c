"""Statistical disclosure control of the tables that are shared: no number of few learners, and none that reveals one.

Primary suppression hides cells under a threshold of learners. Secondary suppression hides further cells, so that no
difference of what is shown rests on fewer learners; counts are rounded. Hundepool et al. (2012), Statistical Disclosure
Control, Wiley, chapters 4 and 5.
"""

import numpy as np
import pandas as pd

from lib.design import ALL_LEVELS

SMALL = 20  # learners
REASON = "too few learners"  # in figures, too; it does not say whether a cell itself is small
OTHER = "other"  # the row of all groups of a table that are not named
ROUNDING = {"n_texts": 5, "n_learners": 5, "n_learners_sampled": 5, "n": 5, "n_sampled": 5}
ROUNDING |= {"n_words": 100, "n_tokens": 100}
FIXED = {"seeds", "margin", "examples_seen", "megabytes", "parameters_total"}  # no statistics of learners


def measured(table):
    """Names of the columns that hold statistics of learners."""
    return [name for name in table.select_dtypes("number") if name not in FIXED]


def hide(table, hidden, columns=None):
    """The table without numbers where `hidden` (bool, a row each) is true; the column reason then says why."""
    columns = measured(table) if columns is None else columns
    table = table.copy()
    table[columns] = table[columns].astype(float).mask(hidden)
    if hidden.any() and "verdict" not in table:
        reason = table["reason"] if "reason" in table else pd.Series(index=table.index, dtype=object)
        table["reason"] = reason.astype(object).mask(hidden, REASON)
    return table


def round_counts(table):
    """The table with counts rounded to multiples of ROUNDING, so that differences of counts are inexact."""
    table = table.copy()
    for name, base in ROUNDING.items():
        if name in table:
            table[name] = base * (table[name].astype(float) / base).round()
    return table


def round_count(number, base=5):
    """A count in running text, rounded like those of tables."""
    return base * round(number / base)


def hide_in_partition(groups, whole, hidden, incomplete=False):
    """Which groups of a partition must be hidden, as bool: those in `hidden`, and more until what is hidden rests on
    SMALL learners or more, or nothing is left to be shown.

    groups: learners of each group; whole: learners of all groups together; incomplete: whether texts are in no group. A
    learner may be in several groups, so the hidden ones have at least whole - (sum of the others).
    """
    hidden = hidden.copy()
    incomplete = incomplete or hidden.any()
    while incomplete and not hidden.all() and whole - groups[~hidden].sum() < SMALL:
        hidden[groups[~hidden].idxmin()] = True
    return hidden


def hide_in_partitions(table, by, wholes, hidden):
    """`hide_in_partition` in each family of rows of a table with n_learners and n_tokens, as bool.

    by: columns that are the same in a family; wholes: a frame with `by`, n_learners and n_tokens, a row for each family
    of which the whole is shown; other families are left as they are. hidden: bool, rows that are hidden already.
    """
    hidden = hidden.copy()
    wholes = wholes.set_index(by)
    for key, rows in table.groupby(by, sort=False):
        if key not in wholes.index:
            continue
        whole = wholes.loc[key]
        incomplete = rows["n_tokens"][~hidden[rows.index]].sum() < whole["n_tokens"]
        hidden[rows.index] = hide_in_partition(rows["n_learners"], whole["n_learners"], hidden[rows.index], incomplete)
    return hidden


def hide_subsets(contrasts, primary):
    """Rows of contrasts whose texts differ from the primary ones by those of fewer than SMALL learners, as bool.

    primary: the subset of the primary results. Subtracting one from the other would give the numbers of those texts.
    """
    key = ["name", "level", "mask_type"]
    main = contrasts[contrasts["subset"] == primary].drop_duplicates(key).set_index(key)
    main = main.reindex(pd.MultiIndex.from_frame(contrasts[key]))
    tokens = main["n_tokens"].to_numpy(float)
    learners = main["n_learners"].to_numpy(float)
    other_texts = (contrasts["n_tokens"] != tokens) & ~np.isnan(tokens)
    few = (contrasts["n_learners"] - learners).abs() < SMALL
    return other_texts & few


def hide_margin(matrix):
    """Rows of the perplexity matrix over all levels that would reveal hidden levels, as bool."""
    level = matrix["test"] != ALL_LEVELS
    hidden = pd.Series(False, matrix.index)
    for _, rows in matrix.groupby(["model", "mask_type"]):
        shown = rows[level[rows.index] & rows["ppl"].notna()]
        margin = rows[~level[rows.index]]
        if len(shown) < level[rows.index].sum():
            few = margin["n_learners"] - shown["n_learners"].sum() < SMALL
            hidden[margin.index] = few
    return hidden


def count_groups(counts, column, ordered):
    """Counts of texts, learners and words by group, with small groups in one row OTHER, whose labels are left out.

    counts: a frame with `column`, n_texts, n_learners, n_words; each learner is in one group. ordered: keep all labels,
    as of the levels, and hide only their numbers.
    """
    numbers = ["n_texts", "n_learners", "n_words"]
    small = counts["n_learners"] < SMALL
    hidden = hide_in_partition(counts["n_learners"].astype(float), counts["n_learners"].sum(), small)
    if ordered:
        return round_counts(hide(counts, hidden, numbers))
    shown = counts[~hidden]
    if hidden.any() and counts.loc[hidden, "n_learners"].sum() >= SMALL:
        rest = counts.loc[hidden, numbers].sum().to_frame().T.assign(**{column: OTHER})
        shown = pd.concat([shown, rest], ignore_index=True)
    return round_counts(shown)
