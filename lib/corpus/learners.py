"""Who wrote a text, as far as the corpus says."""

import re

from lib.errors import CorpusError

# Cells, in lower case, that say that a value is not known. The last ones are errors of spreadsheets.
UNKNOWN = {"", "na", "n/a", "n.a.", "nan", "<na>", "nat", "null", "none", "nil", "\\n", "-", "--", "?", "unknown"}
UNKNOWN |= {".", "n/k", "missing", "#n/a", "#na", "#nv", "#n/d", "#nd"}
SPREADSHEET_ERROR = re.compile(r"#\S{1,12}[!?]")  # such as #REF! and #NAME?, in any language
SCIENTIFIC = r"[0-9]+(?:[.,][0-9]+)?[eE]\+[0-9]+"  # how a spreadsheet shows a long number
OVER_15_DIGITS = r"[0-9]{16,}"  # a spreadsheet keeps 15 digits of a number


def any_learner_known(texts):
    """Does the corpus name any learner?"""
    return bool((texts["learner_id"] != "").any())


def all_learners_known(texts):
    """Does the corpus name the learner of every text?"""
    return bool((texts["learner_id"] != "").all())


def count_in_words(texts):
    """The number of learners: exact where all are known, "at least" those named where some are, else "unknown"."""
    n_named = texts.loc[texts["learner_id"] != "", "learner_id"].nunique()
    if all_learners_known(texts):
        return f"{n_named:,}"
    return f"at least {n_named:,}" if n_named else "unknown"


def learner_or_text_id(texts):
    """The learner of each text, a Series; a text without learner id counts as a learner of its own."""
    return texts["learner_id"].where(texts["learner_id"] != "", "text " + texts["text_id"].astype(str))


def blank_unknown(cells):
    """A Series of str with "" where a cell only says that its value is not known."""
    return cells.mask(cells.isin([cell for cell in cells.unique() if _is_unknown(cell.strip())]), "")


def _is_unknown(cell):
    return cell.casefold() in UNKNOWN or bool(SPREADSHEET_ERROR.fullmatch(cell))


def refuse_rounded_ids(ids, column, file):
    """Refuse ids that a spreadsheet has shortened: 1.00111E+11, or 100111000111000000 for all of 100111000111000xyz.

    ids: a Series of str. column: the column's name. Raises CorpusError.
    """
    distinct = ids.drop_duplicates()
    faults = {
        "shown with a power of ten": distinct[distinct.str.fullmatch(SCIENTIFIC)],
        "rounded to 15 digits": _rounded(distinct),
    }
    for fault, changed in faults.items():
        if len(changed):
            first = ", ".join(changed[:3])
            raise CorpusError(
                f"{file}: {len(changed):,} of {len(distinct):,} ids in {column} are {fault} (first: {first}). Several "
                "ids may have become one. Expected: ids as they were given. Import the column as text, or take the "
                "file from which the spreadsheet was made."
            )


def _rounded(ids):
    """Ids with zeros after the 15th digit, where these are more than half of the long ids: fewer may be chance."""
    long_ids = ids[ids.str.fullmatch(OVER_15_DIGITS)]
    rounded = long_ids[long_ids.str[15:].str.strip("0") == ""]
    if len(rounded) > max(1, len(long_ids) / 2):
        return rounded
    return rounded[:0]


def learners_with_two_values(texts, column):
    """The number of learners who have two or more values in a column, such as two first languages."""
    pairs = texts[["learner_id", column]].drop_duplicates()
    pairs = pairs[(pairs["learner_id"] != "") & (pairs[column] != "")]
    return int((pairs["learner_id"].value_counts() > 1).sum())
