"""Tables with a row for each text or learner, whatever their shape: known by the name of their id column, or by ids."""

import csv
import io
import re

ROLE = re.compile(r"learner|writer|student|participant|pupil")  # alone: of people, or of teacher and student models
CODE = re.compile(r"""^\s*[\w.\[\]"']+\s*=[^=]|[\w\])]\s*[\[(][^\])]*$""")  # a line or a cell of a program
ID_COLUMN = re.compile(
    r"(?:(?:text|learner|writing|essay|student|user|author|writer|participant|pupil|candidate|script|doc|document|"
    r"submission|response|subject|person)(?:s)?(?:id|ids|no|nr|num|number|code|key|hash|uuid|guid|pseudonym|index|name))"
    r"|learner|writer|student|participant|pupil|idlearner|idtext|idstudent|idwriting|idof(?:text|learner|writer)"
)
FIELD = re.compile(r"""^[\s\-{,]*["']?([\w .#\\-]{4,30})["']?\s*[:=]\s*\S""", re.MULTILINE)  # key: value, a line each
KEYED = re.compile(r"""[<\s"'{,]([\w.#-]{4,30})["']?\s{0,2}[:=>]\s{0,2}["']?(\w*\d\w*)""")  # <text_id>24, text-id="24"
NAME = re.compile(r"[\w .#\\-]+")  # not a piece of code, as frame[["text_id"
FEWEST_FIELDS = 3
DELIMITERS = ",;\t|&"
LONG_ID = 5  # characters; shorter ids are found among counts
FEWEST_IDS = 20
FEWEST_ROWS = 8  # of a table, one for each word of a sentence
REASON = "a table with a row for each text or learner must stay where the corpus is"


def is_id_column(name):
    """True for text_id, "Learner ID", essayNumber, text\\_id, writer and the like; not for n_learners or learners."""
    name = str(name).strip("\"' ")
    return NAME.fullmatch(name) is not None and ID_COLUMN.fullmatch(re.sub(r"[\W_]", "", name).lower()) is not None


def reasons(text, rows=None):
    """Sentences on id columns that a text shows: in the header of a table, or as fields that recur.

    rows: lists of cells where the format has tables of its own; else the text's lines are split by each delimiter.
    """
    tables = [rows] if rows is not None else delimited(text)
    names = set().union(*map(_header_names, tables))
    if rows is None:
        names |= _header_words(text)
        fields = [name for name in FIELD.findall(text) if is_id_column(name)]
        names |= {name for name in fields if fields.count(name) >= FEWEST_FIELDS}
        values = {}
        for name, value in KEYED.findall(text):
            values.setdefault(name.removeprefix("data-"), set()).add(value)
        names |= {name for name in values if is_id_column(name) and len(values[name]) >= FEWEST_FIELDS}
    return [f"column {name.strip()}: {REASON}" for name in sorted(names)]


def holds_ids(name, values):
    """Whether a column is one of ids by its name; one that is only called student or learner needs FEWEST_FIELDS."""
    few = len({str(value) for value in values}) < FEWEST_FIELDS
    return is_id_column(name) and not (few and ROLE.fullmatch(name.strip("\"' ").lower()))


def _header_names(table):
    """Id columns in the first row of a table, lists of cells."""
    header = table[0] if table else []
    if any(map(CODE.search, header)):
        return set()
    columns = [[row[at] for row in table[1:] if len(row) > at] for at in range(len(header))]
    return {name for name, values in zip(header, columns) if holds_ids(name, values)}


def in_order(table):
    """Yield the rows of a table in the order of each column of different integers that are in another order."""
    body = table[1:]
    width = min(map(len, body), default=0)
    for column in range(width):
        cells = [row[column] for row in body]
        if len(cells) >= FEWEST_ROWS and all(map(str.isdecimal, cells)) and len(set(cells)) == len(cells):
            order = sorted(body, key=lambda row, column=column: int(row[column]))
            if order != body:
                yield order


def delimited(text):
    """Yield the rows of a text, split by each delimiter that occurs in half of its lines, and in two or more."""
    lines = [line for line in text.splitlines() if line.strip()]
    for delimiter in DELIMITERS:
        table = [line for line in lines if delimiter in line]
        if len(table) > 1 and 2 * len(table) >= len(lines):
            yield [[cell.strip() for cell in row] for row in _rows(table, delimiter)]


def _rows(lines, delimiter):
    try:
        return list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    except csv.Error:  # a field beyond its limit
        return [line.split(delimiter) for line in lines]


def _header_words(text):
    """Id columns in the header of a table that is aligned with spaces, as pandas prints it."""
    lines = text.splitlines()
    found = set()
    for number, (header, first, second) in enumerate(zip(lines, lines[1:], lines[2:]), 1):
        width = len(first.split())
        names = header.split()
        aligned = width > 1 and len(second.split()) == width and width - len(names) in (0, 1)
        if aligned and any(character.isdigit() for character in first) and any(map(is_id_column, names)):
            rows = [line.split() for line in lines[number:] if len(line.split()) == width]
            columns = list(zip(*rows))[-len(names) :]  # the first may be an index without a name
            found |= {name for name, values in zip(names, columns) if holds_ids(name, values)}
    return found


def has_ids(values, ids):
    """True where half of the values or more, and at least FEWEST_IDS, are ids of the corpus' texts.

    values: str; ids: a set of str, of which short ones do not count.
    """
    known = {value for value in values if len(value) >= LONG_ID and value in ids}
    return len(known) >= FEWEST_IDS and len(known) >= len(set(values)) / 2
