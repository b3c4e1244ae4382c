"""Claims about JSON: lines or a list, and the layouts of two public collections."""

import json

import pytest

from lib.corpus import cleaning, reading
from lib.errors import CorpusError
from tests.helpers.corpora import many, read_bytes, settings

BEA = {"id": "1-9", "userid": "u4", "cefr": "B1", "text": "I has cat.",
       "edits": [[0, [[2, 5, "have"], [6, 6, "a "], [9, 10, None]]], [1, [[0, 1, "He"]]]]}  # fmt: skip
UNIVERSAL = {"title": "t", "lang": "en", "source_name": "s", "format": "paragraph-level", "category": "learner",
             "cefr_level": "A2", "license": "l", "text": "I like it."}  # fmt: skip


def lines(*objects):
    return "\n".join(json.dumps(one) for one in objects)


@pytest.mark.parametrize("write", [lambda rows: lines(*rows), json.dumps, lambda rows: lines(*rows) + "\n\n"])
def test_lines_and_lists_give_the_same_table(tmp_path, write):
    rows = read_bytes(tmp_path, write(many(3).to_dict("records")))
    assert rows["text"].tolist() == many(3)["text"].tolist() and rows["learner_id"].tolist() == ["0", "0", "1"]


def test_what_an_object_lacks_is_empty(tmp_path):
    one, other = many(2).assign(topic_id=3).to_dict("records")
    rows = read_bytes(tmp_path, lines({k: one[k] for k in ("writing_id", "cefr", "text")}, other | {"l1": None}))
    assert rows["learner_id"].tolist() == ["", "0"] and rows["l1"].tolist() == ["", ""]
    assert rows["topic_id"].tolist() == ["", "3"]


@pytest.mark.parametrize(("write", "name"), [(lambda rows: lines(*rows), "line"), (json.dumps, "entry")])
def test_objects_without_anything_are_skipped_and_counted(tmp_path, write, name):
    rows = [*many(2).to_dict("records"), {"cefr": "", "text": None}, {"writing_id": 9, "cefr": "Z1", "text": "So"}]
    (tmp_path / "c").write_text(write(rows), encoding="utf-8")
    found, sources = reading.read_corpus(tmp_path / "c", settings())
    assert len(found) == 3 and sources[0]["empty_rows"] == 1
    with pytest.raises(CorpusError, match=f"c, {name} 4: 'Z1'"):
        cleaning.clean_texts(found, None, sources)


def test_universal_cefr_is_known_by_file_and_line(tmp_path):
    rows = read_bytes(tmp_path, lines(UNIVERSAL, UNIVERSAL | {"cefr_level": "C1"}), "kw.jsonl")
    assert rows["text_id"].tolist() == ["kw:1", "kw:2"] and rows["level"].tolist() == ["A2", "C1"]


def test_edits_of_the_first_annotator_give_the_corrected_text(tmp_path):
    for column, text in {"text": "I has cat.", "text_corrected": "I have a cat."}.items():
        rows = read_bytes(tmp_path, lines(BEA), text_column=column)
        assert rows["text"].tolist() == [text] and rows["learner_id"].tolist() == ["u4"]


@pytest.mark.parametrize(("pair", "text"), [("\\ud83d\\ude00", "😀"), ("\\ud83d", "\ufffd")])
def test_halves_of_a_character_are_joined_or_marked(tmp_path, pair, text):
    content = '{"id": 1, "cefr": "A1", "text": "' + pair.replace("\\\\", "\\") + '"}'
    assert read_bytes(tmp_path, content)["text"].tolist() == [text]


@pytest.mark.parametrize("content", ['{"id": 1}\n{"id": 2, "text"', '{"id": 1}\n[2]'])
def test_a_line_that_is_no_object_is_refused_by_its_number(tmp_path, content):
    with pytest.raises(CorpusError, match="line 2 is n"):
        read_bytes(tmp_path, content)
