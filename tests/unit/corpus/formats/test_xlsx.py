"""Claims about workbooks: what a cell holds, and which sheets are read."""

import zipfile

import pytest

from lib.corpus import cleaning, reading
from lib.errors import CorpusError
from tests.helpers.corpora import many, read, settings, table, write_xlsx


def test_empty_cells_of_a_workbook_are_empty_text(tmp_path):
    sheet = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="inlineStr"><is><t>level</t></is></c>'
        '<c r="C1" t="inlineStr"><is><t>text</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row><row r="4"/>'
    )
    rows = read(write_xlsx(None, tmp_path / "c", sheet=sheet))
    assert rows[["text_id", "level", "text"]].to_numpy().tolist() == [["1", "", ""]]


def test_columns_are_found_by_name_on_each_sheet(tmp_path):
    rows = many(9)
    turned = rows[3:6][list(rows)[::-1]].assign(more="x")
    spelt = rows[6:].rename(columns={"cefr": "CEFR Level", "text": "Text ", "writing_id": "writing-id"})
    path = write_xlsx(rows[:3], tmp_path / "c", more=[("b", turned, "visible"), ("c", spelt, "visible")])
    found, (source,) = reading.read_corpus(path, settings())
    assert (
        found["text"].tolist() == rows["text"].tolist() and found["learner_id"].tolist() == rows["learner_id"].tolist()
    )
    assert source["sheets"] == dict.fromkeys("sbc", "read: 3 rows")


def test_sheets_that_are_not_read_are_told(tmp_path):
    notes = table({}, {})[["l1"]].rename(columns={"l1": "What this is"})
    more = [("old", many(4), "hidden"), ("empty", None, "visible"), ("readme", notes, "visible")]
    found, (source,) = reading.read_corpus(write_xlsx(many(3), tmp_path / "c", more=more), settings())
    assert len(found) == 3 and source["sheets"] == {
        "s": "read: 3 rows", "old": "hidden, not read", "empty": "empty", "readme": "no texts: skipped, with 2 rows"
    }  # fmt: skip


def test_a_hidden_sheet_is_read_when_it_is_asked_for(tmp_path):
    path = write_xlsx(many(3), tmp_path / "c", more=[("old", many(4), "hidden")])
    assert len(read(path, sheets=["old"])) == 4 and len(read(path, sheets=["old", "s"])) == 7
    with pytest.raises(CorpusError, match="no sheet odl. It has: s, old. Correct `sheets:`"):
        read(path, sheets=["odl"])


def test_a_workbook_that_hides_all_is_refused_with_its_sheets(tmp_path):
    path = write_xlsx(None, tmp_path / "c", more=[("data", many(4), "hidden")])
    with pytest.raises(CorpusError, match="no sheet to read .s: empty; data: hidden, not read."):
        read(path)


def test_an_error_in_a_learners_cell_names_nobody(tmp_path):
    cell = '<c t="inlineStr"><is><t>{}</t></is></c>'.format
    header, row = ["id", "learner_id", "cefr", "text"], [cell("1"), '<c t="e"><v>#N/A</v></c>', cell("A1"), cell("Hi")]
    sheet = f"<row>{''.join(map(cell, header))}</row><row>{''.join(row)}</row>"
    assert read(write_xlsx(None, tmp_path / "c", sheet=sheet))["learner_id"].tolist() == [""]


def test_an_empty_first_sheet_hides_nothing(tmp_path):
    assert len(read(write_xlsx(None, tmp_path / "c", more=[("data", many(4), "visible")]))) == 4


def test_a_sheet_that_lacks_one_column_is_refused_by_its_name(tmp_path):
    path = write_xlsx(many(3), tmp_path / "c", more=[("B1", many(9)[3:].drop(columns="cefr"), "visible")])
    with pytest.raises(CorpusError, match="sheet B1: no column cefr.*name the sheets to read"):
        read(path)


def test_a_refusal_names_the_sheet_and_its_row(tmp_path):
    rows = many(9)[3:].assign(cefr=["A1", "A1", "C3", "B1", "B1", "B1"])
    found, sources = reading.read_corpus(write_xlsx(many(3), tmp_path / "c", more=[("b", rows, "visible")]), settings())
    with pytest.raises(CorpusError, match="c, sheet b, row 4: 'C3'"):
        cleaning.clean_texts(found, None, sources)


def test_empty_rows_between_texts_are_skipped_and_counted(tmp_path):
    rows = many(5).astype(object)
    rows.iloc[2:4] = ""
    found, (source,) = reading.read_corpus(write_xlsx(rows, tmp_path / "c"), settings())
    assert found["text_id"].tolist() == ["1", "2", "5"] and source["empty_rows"] == 2
    assert source["starts"] == [[0, "s", 2], [2, "s", 6]]


def test_a_workbook_whose_main_part_has_another_name_is_read(tmp_path):
    assert len(read(write_xlsx(many(4), tmp_path / "c", main="workbook22"))) == 4


@pytest.mark.parametrize(
    ("member", "content", "words"),
    [
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet", "LibreOffice .*ods.*save the table as .xlsx"),
        ("xl/workbook.bin", "", "binary workbook .*xlsb"),
        ("word/document.xml", "", "Word document"),
    ],
)
def test_other_archives_are_refused_by_their_right_name(tmp_path, member, content, words):
    with zipfile.ZipFile(tmp_path / "c.xlsx", "w") as archive:
        archive.writestr(member, content)
    with pytest.raises(CorpusError, match=words):
        read(tmp_path / "c.xlsx")
