"""Claims about tables with a row for each text or learner: they are known in any shape, and tables of counts pass."""

import json

import pandas as pd
import pytest

from lib.sharing.reading import row_tables
from lib.sharing.reading.documents import Reader

TABLE = pd.DataFrame({"text_id": [4711, 4712, 4713], "nll": [2.5, 1.5, 3.5]})
SPELLINGS = [
    "text_id",
    "Text ID",
    "textId",
    "TEXT-ID",
    r"text\_id",
    "learner",
    "Learner-ID",
    "essay number",
    "writing_id",
]
SPELLINGS += ["writing_id", "student code", "user_id", "participant", "script no.", "submission_uuid", "id_learner"]


@pytest.mark.parametrize("name", SPELLINGS)
def test_an_id_column_is_known_by_its_name(name):
    assert row_tables.is_id_column(name)


@pytest.mark.parametrize(
    "name", ["n_learners", "learners", "texts", "n_texts", "text", "level", "model", "split_id", 'frame[["text_id"']
)
def test_a_column_of_counts_is_no_id_column(name):
    assert not row_tables.is_id_column(name)


SHAPES = {
    "commas": TABLE.to_csv(index=False),
    "one row": "text_id,nll\n4711,2.5\n",
    "semicolons": TABLE.to_csv(sep=";"),
    "tabs": "results\n" + TABLE.to_csv(sep="\t"),
    "pipes": "| text_id | nll |\n|---|---|\n| 4711 | 2.5 |\n",
    "LaTeX": "\\toprule\ntext\\_id & nll \\\\\n4711 & 2.5 \\\\\n",
    "spaces": TABLE.to_string(),
    "HTML": TABLE.to_html(),
    "records": TABLE.to_json(orient="records"),
    "columns": TABLE.to_json(orient="columns"),
    "split": TABLE.to_json(orient="split"),
    "rows": json.dumps([["text_id", "nll"], [4711, 2.5]]),
    "lines": TABLE.to_json(orient="records", lines=True),
    "YAML": "".join(f"- text_id: {number}\n  nll: 1\n" for number in TABLE["text_id"]),
    "in a notebook": json.dumps({"cells": [{"outputs": [{"data": {"text/html": [TABLE.to_html()]}}]}]}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_table_of_texts_is_refused_in_any_shape(shape):
    found = [piece.position for piece in Reader().pieces(SHAPES[shape].encode()) if piece.text is None]
    assert found and all(row_tables.REASON in position for position in found)
    harmless = SHAPES[shape].replace("text_id", "level").replace("text\\_id", "level")
    assert not [piece for piece in Reader().pieces(harmless.encode()) if piece.text is None]


def test_a_column_of_text_ids_is_refused_whatever_its_name():
    ids = frozenset(str(number) for number in range(100_000, 100_100))
    text = "\n".join(f"{n},{number}" for n, number in enumerate(sorted(ids)[:30]))
    assert [piece for piece in Reader(known_ids=ids).pieces(f"a,b\n{text}".encode()) if piece.text is None]
    assert not [piece for piece in Reader().pieces(f"a,b\n{text}".encode()) if piece.text is None]


def test_a_line_of_code_is_no_header():
    code = 'columns = ["text_id", "learner_id", "level"]\nframe = table[["text_id", "level"]]\n'
    assert row_tables.reasons(code) == []


@pytest.mark.parametrize("form", ["csv", "to_string", "to_html", "records"])
def test_a_column_called_student_needs_three_people(form):
    models = pd.DataFrame({"model": ["GPT", "LSTM"], "student": ["small", "tiny"], "nll": [2.5, 1.5]})
    people = pd.DataFrame({"n": [1, 2, 3], "student": ["Anna", "Ben", "Cleo"], "nll": [2.5, 1.5, 3.5]})
    for table, refused in [(models, False), (people, True)]:
        texts = {"csv": table.to_csv(index=False), "to_string": table.to_string(), "to_html": table.to_html(),
                 "records": table.to_json(orient="records")}  # fmt: skip
        pieces = Reader().pieces(texts[form].encode())
        assert any(piece.text is None for piece in pieces) is refused


def test_rows_are_read_in_the_order_of_their_numbers():
    words = sorted(["my", "old", "clock", "is", "near", "the", "harbour", "now"])
    table = [["word", "n"], *([word, str((3 * n) % 8)] for n, word in enumerate(words))]
    (ordered,) = row_tables.in_order(table)
    assert [row[1] for row in ordered] == list("01234567")
    assert list(row_tables.in_order([table[0], *ordered])) == []
