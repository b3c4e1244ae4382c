"""Claims about where the user of a file finds a row of it again."""

from lib.corpus.formats.notes import Notes, locate_row, locate_rows


def test_rows_are_found_again_over_gaps_and_sheets():
    notes = Notes()
    for row, sheet in [(2, "a"), (3, "a"), (6, "a"), (2, "b"), (3, "b")]:
        notes.count_row(row, sheet)
    assert notes.starts == [[0, "a", 2], [2, "a", 6], [3, "b", 2]]
    source = {"file": "c", "rows": 5, "starts": notes.starts}
    assert [locate_row(source, n) for n in range(5)] == [
        "c, sheet a, row 2", "c, sheet a, row 3", "c, sheet a, row 6", "c, sheet b, row 2", "c, sheet b, row 3"
    ]  # fmt: skip


def test_rows_are_told_by_their_file_but_not_by_one_that_only_lends():
    sources = [{"file": "x", "rows": 9, "lends": True}, {"file": "y", "rows": 2}, {"file": "z", "rows": 1}]
    assert locate_rows(sources, [1, 2, 3]) == ["y, row 3", "z, row 2", "row 2"]
    assert locate_rows(None, [0]) == ["row 2"]


def test_a_row_is_called_what_its_file_calls_it():
    assert locate_row({"file": "c", "starts": [[0, None, 1]], "row_name": "writing"}, 3) == "c, writing 4"
