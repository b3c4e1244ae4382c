"""Claims about the words of files: escapes and invisible marks are undone, and each piece says where it stands."""

import json

import pytest

from lib.sharing import text_extraction


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"caf\u00e9 \x41", "café a"),
        (r"one\ntwo", "one two"),
        ("R&amp;D &quot;q&quot;", 'r&d "q"'),
        ("\x1b[31mred\x1b[0m [1;32mgreen", "red green"),
        ("in\u200bvisi\u00adble _emphasis_", "invisible  emphasis "),
        ("\ufb01ne \uff21", "fine a"),
    ],
)
def test_text_is_read_as_it_is_meant(written, read):
    assert text_extraction.spoken(written) == read


def pieces(tmp_path, name, content):
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return [tuple(piece) for piece in text_extraction.pieces(tmp_path / name)]


def test_a_string_of_json_is_named_by_its_place(tmp_path):
    found = pieces(tmp_path, "a.json", json.dumps({"cells": [{"x": "One"}, {"x": ["Two, ", "three"]}]}))
    assert {where: text.split() for where, text in found if where} == {
        "cells 1, x": ["one"],
        "cells 2, x": ["two,", "three"],
    }


def test_what_is_embedded_is_read_too(tmp_path):
    found = pieces(tmp_path, "a.md", "![](data:text/plain;base64,SGVsbG8gQW5uYQ==)")
    assert ("embedded text/plain", "hello anna") in found


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [("a.bin", b"x", ".bin files are not read by the check"), ("a.parquet", b"torn", "it cannot be read as PARQUET")],
)
def test_what_cannot_be_read_is_said_to_be_so(tmp_path, name, content, reason):
    ((where, text),) = pieces(tmp_path, name, content)
    assert where.startswith(reason) and text is None


def test_pixels_pass_only_beside_the_same_drawing_in_letters(tmp_path):
    assert [text for _, text in pieces(tmp_path, "a.png", b"\x89PNG")] == [None]
    (tmp_path / "a.svg").write_text("<svg/>")
    assert pieces(tmp_path, "a.png", b"\x89PNG") == []
