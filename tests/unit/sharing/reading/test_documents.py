"""Claims about reading files: everything in them is read, each piece has its position, the rest is refused."""

import base64
import json

import pytest

from lib.sharing.reading.documents import Reader, certificate


def pieces(content, **settings):
    content = content if isinstance(content, bytes) else content.encode()
    return [tuple(piece) for piece in Reader(**settings).pieces(content)]


def test_a_string_of_json_is_named_by_its_path():
    found = dict(pieces(json.dumps({"cells": [{"x": "One or two words"}, {"x": ["Three, ", "or four words"]}]})))
    assert found["cells 1, x"] == "One or two words"
    assert found["cells 2, x"].split() == ["Three,", "or", "four", "words"]


def test_strings_with_the_same_path_are_read_together():
    found = dict(pieces(json.dumps([{"w": "My"}, {"w": "old"}, {"w": "clock"}])))
    assert found["all of item, w"].split() == ["My", "old", "clock"]


def test_a_key_that_comes_twice_hides_nothing():
    assert any("Anna" in text for _, text in pieces('{"a": "Anna sells clocks", "a": 1}'))


def test_embedded_documents_are_read_too():
    found = pieces("![](data:text/plain;base64,SGVsbG8gQW5uYQ==)")
    assert ("embedded text/plain", "Hello Anna") in found


def test_documents_in_documents_end_somewhere():
    text = "x"
    for _ in range(12):
        text = json.dumps({"a": text, "note": "long enough to be read"})
    assert any(text is None and "too deep" in position for position, text in pieces(text))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\x01binary", "unknown binary"),
        (b"PAR1 torn\xff", "it cannot be read as parquet"),
        (b"\x89PNG\r\n\x1a\n\x00", "PNG image"),
        (b"PK\x03\x04\xff", "zip archive"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "it declares entities"),
    ],
)
def test_what_cannot_be_read_is_reported(content, reason):
    assert [text for position, text in pieces(content) if position.startswith(reason)] == [None]


def test_an_image_passes_only_if_its_hash_is_certified():
    image = b"\x89PNG\r\n\x1a\n\x00"
    assert pieces(image, certified={certificate(image)}) == []
    assert len(pieces(image + b"a", certified={certificate(image)})) == 1


def test_ids_of_the_tokenizer_are_decoded():
    found = dict(pieces("ids: [7, 3, 9, 1, 4, 4, 2, 8]", decode_ids=lambda ids: "-".join(map(str, ids))))
    assert found["token ids"] == "7-3-9-1-4-4-2-8"
    rows = "\n".join(f"{n};{token}" for n, token in enumerate([7, 3, 9, 1, 4, 4, 2, 8]))
    found = [text for name, text in pieces(rows, decode_ids=lambda ids: "-".join(map(str, ids))) if name == "token ids"]
    assert "7-3-9-1-4-4-2-8" in found


def test_elements_of_one_name_and_decoded_latin_1_are_read():
    found = dict(pieces("<p><i>My</i> <b>x y z</b> <i>old</i> <b>x</b> <i>clock</i></p>"))
    assert found["all <i>"].split() == ["My", "old", "clock"]
    letters = base64.b64encode("Une horloge dorée, bien sûr, au bord du port".encode("latin-1")).decode()
    assert ("base64", "Une horloge dorée, bien sûr, au bord du port") in pieces(letters)


def test_names_of_files_are_decoded():
    letters = base64.b64encode(b"Anna sells clocks near the harbour").decode()
    found = [tuple(piece) for piece in Reader().names(f"folder\nfolder/F9_{letters}.txt")]
    assert ("base64", "Anna sells clocks near the harbour") in found
