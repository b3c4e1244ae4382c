"""Who wrote a text, as far as the corpus says."""

import re

from lib.errors import CorpusError

# What stands in a cell, folded, whose value is not known. Excel writes its errors so.
UNKNOWN = {"", "na", "n/a", "n.a.", "nan", "<na>", "nat", "null", "none", "nil", "\\n", "-", "--", "?", "unknown"}
UNKNOWN |= {".", "n/k", "missing", "#n/a", "#na", "#nv", "#n/d", "#nd"}
FAULT = re.compile(r"#\S{1,12}[!?]")  # such as #REF! and #NAME?, in any language
SCIENTIFIC = r"[0-9]+(?:[.,][0-9]+)?[eE]\+[0-9]+"  # how a spreadsheet shows a long number
LONG = r"[0-9]{16,}"  # a spreadsheet keeps 15 digits of a number


def is_known(texts):
    """Does the corpus name any learner?"""
    return bool((texts["learner_id"] != "").any())


def all_learners_known(texts):
    """Does the corpus name the learner of every text?"""
    return bool((texts["learner_id"] != "").all())


def learner_or_text_id(texts):
    """The learner of each text, a Series; a text without learner id is a learner of its own."""
    return texts["learner_id"].where(texts["learner_id"] != "", "text " + texts["text_id"].astype(str))


def stated(cells):
    """A Series of str with "" where a cell only says that its value is not known."""
    unknown = [cell for cell in cells.unique() if cell.strip().casefold() in UNKNOWN or FAULT.fullmatch(cell.strip())]
    return cells.mask(cells.isin(unknown), "")


def refuse_rounded(ids, what, file):
    """Refuse ids that a spreadsheet has shortened: 1.00111E+11, or 100111000111000000 for all of 100111000111000xyz.

    ids: a Series of str. what: the column's name. Raises CorpusError.
    """
    found = ids.drop_duplicates()
    short = found[found.str.fullmatch(SCIENTIFIC)]
    digits = found[found.str.fullmatch(LONG)]
    rounded = digits[digits.str[15:].str.strip("0") == ""]
    if len(rounded) <= max(1, len(digits) / 2):
        rounded = rounded[:0]
    for fault, changed in {"shown with a power of ten": short, "rounded to 15 digits": rounded}.items():
        if len(changed):
            first = ", ".join(changed[:3])
            raise CorpusError(
                f"{file}: {len(changed):,} of {len(found):,} ids in {what} are {fault} (first: {first}): several may "
                "have become one. Expected: ids as they were given. Import the column as text, or take the file that "
                "the spreadsheet was made from."
            )


def learners_with_two_values(texts, column):
    """How many learners have two or more values in a column, such as two first languages."""
    facts = texts[["learner_id", column]].drop_duplicates()
    facts = facts[(facts["learner_id"] != "") & (facts[column] != "")]
    return int((facts["learner_id"].value_counts() > 1).sum())
