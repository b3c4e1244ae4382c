"""Claims about documents within a text: records are found where they stand, and masks are filled."""

import time

import pytest

from lib.sharing.reading import embedded

ROWS = [{"token": "In", "guess": "It's"}, {"token": "February", "guess": 'a "week"'}]
LONG = [*ROWS, {"token": "I", "guess": None, "p": 0.5}]


def test_records_are_found_as_json_and_as_python_shows_them():
    text = f'var a = {{"x": 1}}; var spec = {str(ROWS * 2)}; and {LONG!r} end'
    assert list(embedded.records(text)) == [ROWS * 2, LONG]


def test_code_and_open_brackets_are_no_records():
    assert list(embedded.records('f = table[["text_id", name]] + ["' + "x" * 99)) == []
    assert list(embedded.records("{{'a': 'a template', 'b': 'with doubled braces, as in f-strings of Python'}}")) == []


def test_many_open_brackets_take_no_time():
    began = time.process_time()
    assert list(embedded.records('["' * 20_000)) == []
    assert time.process_time() - began < 5


def test_masks_are_filled_with_their_answers_in_their_order():
    line = "I <|infill_word|> an <|infill_ngram|> car.<|startofinfill|>buy<|endofinfill|>orange old<|endofinfill|>"
    assert embedded.filled(f"other\n{line}\nmore") == "I buy an orange old car."
    assert embedded.filled("I <|infill_word|> it") == ""


def test_leaves_of_json_are_read_with_their_paths():
    document = {"a": [{"b": "x"}, {"b": 2.0}], "c": 1.5, "d": True}
    found = [leaf for leaf in embedded.leaves(document, ()) if leaf[0][-1][0] != "keys"]
    assert found == [((("a", 1), ("b", "")), "x"), ((("a", 2), ("b", "")), 2)]


def test_lines_of_json_are_one_document_and_a_repeated_key_none():
    assert embedded.parsed_json('{"a": 1}\n{"a": 2}') == [{"a": 1}, {"a": 2}]
    assert embedded.parsed_json('{"a": 1, "a": 2}') is embedded.parsed_json("[1") is None


@pytest.mark.parametrize("form", ["{'w': 'old', 'p': 1}", '{"w": "old", "p": 1}', "w: old", 'w = "old"', "T(w='old')"])
def test_a_field_is_read_in_any_notation(form):
    assert embedded.fields(form)["w"] == ["old"]
