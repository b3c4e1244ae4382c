"""Statistical disclosure control of the tables that are shared: no number of few learners, and none that reveals one.

Primary suppression hides cells under a threshold of learners. Secondary suppression hides further cells, so that no
difference of what is shown rests on fewer learners; counts are rounded. Hundepool et al. (2012), Statistical Disclosure
Control, Wiley, chapters 4 and 5.
"""

import numpy as np
import pandas as pd

from lib import design
from lib.design import ALL_LEVELS
from lib.evaluation import contrasts
from lib.hypotheses.decision_rules import OVERALL

SMALL = 20  # learners
TEXTS_PER_LEARNER = 5  # assumed where learners are unknown: SMALL learners then count as 5 SMALL texts
PRIMARY = "without_copies"  # the subset of texts on which verdicts rest
VALIDATION = "validation"  # in the name of a criterion that is about the validation set
OVER_LEVELS = "Specificity"  # in the name of a criterion that is about several levels
REASON = "too few learners"  # in figures, too; it does not say whether a cell itself is small
OTHER = "other"  # the row of all groups of a table that are not named
ROUNDING = {"n_texts": 5, "n_learners": 5, "n_learners_sampled": 5, "n": 5, "n_sampled": 5}
ROUNDING |= {"n_words": 100, "n_tokens": 100}
FIXED = {"seeds", "margin", "examples", "examples_seen", "megabytes", "parameters_total"}  # no statistics of learners
FIXED |= {"still_improving"}


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
    enough learners, or nothing is left to be shown.

    groups: learners of each group; whole: learners of all groups together; incomplete: whether texts are in no group. A
    learner may be in several groups, so the hidden ones have at least whole - (sum of the others). Each of them has one
    learner or more, so with SMALL and one for each, the number of any of them stays uncertain by SMALL.
    """
    hidden = hidden.copy()
    incomplete = incomplete or hidden.any()
    while incomplete and not hidden.all() and whole - groups[~hidden].sum() < SMALL + hidden.sum():
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


def hide_subsets(table):
    """Rows of contrasts whose texts differ from the PRIMARY ones by those of fewer than SMALL learners, as bool.

    Subtracting one from the other would give the numbers of those texts.
    """
    key = ["name", "level", "mask_type"]
    primary = table[table["subset"] == PRIMARY].drop_duplicates(key).set_index(key)
    primary = primary.reindex(pd.MultiIndex.from_frame(table[key]))
    tokens = primary["n_tokens"].to_numpy(float)
    other_texts = (table["n_tokens"] != tokens) & ~np.isnan(tokens)
    return other_texts & ((table["n_learners"] - primary["n_learners"].to_numpy(float)).abs() < SMALL)


def hide_margin(matrix):
    """Rows of the perplexity matrix over all levels that would reveal hidden levels, as bool."""
    level = matrix["test"] != ALL_LEVELS
    hidden = pd.Series(False, matrix.index)
    for _, rows in matrix.groupby(["model", "mask_type"]):
        shown = rows[level[rows.index] & rows["ppl"].notna()]
        margin = rows[~level[rows.index]]
        if len(shown) < level[rows.index].sum():
            n_hidden = level[rows.index].sum() - len(shown)
            hidden[margin.index] = margin["n_learners"] - shown["n_learners"].sum() < SMALL + n_hidden
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
    if hidden.any() and counts.loc[hidden, "n_learners"].sum() >= SMALL + hidden.sum():
        rest = counts.loc[hidden, numbers].sum().to_frame().T.assign(**{column: OTHER})
        shown = pd.concat([shown, rest], ignore_index=True)
    return round_counts(shown)


def protect(tables, small, learners_known=True):
    """The tables of a study without small cells and without numbers that would reveal one; counts are rounded.

    tables: {name: frame} of 06 and 07; small: {split: levels with fewer than SMALL learners}; learners_known: otherwise
    n_learners counts texts.
    """
    safe = {name: _without_small(table, small, learners_known) for name, table in tables.items()}
    safe["contrasts"] = hide(safe["contrasts"], hide_subsets(tables["contrasts"]))
    wholes = contrasts.select(tables["contrasts"])
    wholes = pd.concat([wholes, _over_levels(wholes, tables["ppl_matrix"], small["test"])])
    safe["by_l1"] = without_hidden_groups(safe["by_l1"], wholes, ["name", "level"])
    safe["by_group"] = without_hidden_groups(safe["by_group"], wholes, ["name", "level", "by"])
    margin = hide_margin(safe["ppl_matrix"])
    safe["ppl_matrix"] = hide(safe["ppl_matrix"], margin)
    safe["original_criteria"] = _protect_criteria(safe["original_criteria"], small, margin.any())
    if small["test"]:
        safe["verdicts"] = _without_overall_numbers(safe["verdicts"], small["test"])
    if small["valid"]:
        continued = safe["cost"]["init_from"].isin(safe["cost"]["model"])  # they begin with another model's perplexity
        safe["cost"] = hide(safe["cost"], continued, ["start_perplexity"])
    return {name: round_counts(table) for name, table in safe.items()}


def _over_levels(wholes, matrix, hidden_levels):
    """Rows of all texts of all levels. They are in no table, but the sum of all first languages would give them, and
    then the rest of the levels; so where a level is hidden, tokens are infinite, and no sum of groups is complete."""
    learners = matrix.loc[matrix["test"] == ALL_LEVELS, "n_learners"].max()
    rows = wholes.groupby("name", as_index=False)["n_tokens"].sum()
    rows = rows.assign(level=ALL_LEVELS, n_learners=learners)
    return rows.assign(n_tokens=np.inf) if hidden_levels else rows


def _without_small(table, small, learners_known):
    """The table without numbers that rest on fewer than SMALL learners."""
    hidden = pd.Series(False, table.index)
    if "n_learners" in table:
        least = SMALL if learners_known else SMALL * TEXTS_PER_LEARNER
        counts = table.filter(like="n_learners")  # of single words and of sampled infills, in one row
        hidden |= (counts < least).any(axis=1)
    level = table.get("level", table.get("test"))
    if level is not None:
        hidden |= level.isin(small["test"])
    columns = measured(table)
    if "valid_perplexity" in table:
        hidden |= table["model"].map(design.level_of).isin(small["valid"])
        columns = ["valid_perplexity", "start_perplexity"]
    if "note" in table:  # contains numbers of all levels
        table = table.drop(columns="note")
    return hide(table, hidden, columns)


def without_hidden_groups(table, wholes, by):
    """Rows of groups that may be shown; other groups are left out with their labels.

    table: rows of first languages (column l1) or of other groups (columns by and group) with n_learners and n_tokens;
    wholes: rows of all texts of a level; by: columns that are the same in a partition of a level's texts.
    """
    wholes = wholes[["name", "level", "n_learners", "n_tokens"]]
    if "by" in by:
        wholes = wholes.merge(table[["by"]].drop_duplicates(), how="cross")
        wholes = wholes[wholes["by"] != "copies"]  # their whole has copies, and is hidden itself where they are few
    over_levels = table["level"] == ALL_LEVELS
    hidden = table["theta"].isna() | ~(table["n_learners"] >= SMALL)
    before = None
    while before is None or (hidden != before).any():  # a level's partition, then a first language's partition by level
        before = hidden
        hidden = hide_in_partitions(table, by, wholes, hidden)
        if over_levels.any():
            sums = table[over_levels & ~hidden][["name", "l1", "n_learners", "n_tokens"]]
            rest = hide_in_partitions(table[~over_levels], ["name", "l1"], sums, hidden[~over_levels])
            hidden = pd.concat([rest, hidden[over_levels]]).reindex(table.index)
    return table[~hidden].reset_index(drop=True)


def _protect_criteria(criteria, small, margin_hidden):
    """Criteria of the original plan; at hidden levels neither the value nor whether it passes its limit."""
    on_validation = criteria["criterion"].str.contains(VALIDATION)
    hidden = criteria["level"].isin(small["test"]) & ~on_validation
    hidden |= criteria["level"].isin(small["valid"]) & on_validation
    if margin_hidden:
        hidden |= (criteria["level"] == ALL_LEVELS) & ~on_validation
    if small["test"]:  # a mean over the other levels gives the product of those that are hidden
        hidden |= criteria["criterion"].str.contains(OVER_LEVELS)
    criteria = hide(criteria, hidden, ["value"])
    return criteria.assign(passed=criteria["passed"].astype(object).mask(hidden, "n/a"))


def _without_overall_numbers(verdicts, hidden_levels):
    """Verdicts without the numbers over all levels, which are those of one level, and without corrected p-values,
    which depend on the ranks of all levels."""
    verdicts = hide(verdicts, verdicts["level"] == OVERALL)
    reason = verdicts["reason"].astype(object).mask(verdicts["level"].isin(hidden_levels))
    return verdicts.assign(p_adjusted=np.nan, reason=reason)
