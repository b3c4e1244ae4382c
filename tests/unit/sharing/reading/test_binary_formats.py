"""Claims about PDF, parquet and safetensors: hidden text is read, and what holds none passes."""

import struct

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save

from lib.sharing.reading import binary_formats
from lib.sharing.reading.documents import Reader
from tests.helpers import planted_files


def read_parquet(content):
    return binary_formats.read_parquet(content, Reader().pieces)


def texts(pieces):
    return " ".join(piece.text or "" for piece in pieces)


@pytest.mark.parametrize("name", ["page", "title", "outline", "XMP", "annotation", "unused object"])
def test_text_of_a_pdf_is_read_wherever_it_is(name):
    pieces = list(binary_formats.read_pdf(planted_files.PDFS[name]("Anna sells clocks")))
    assert "Anna sells clocks" in texts(pieces)


@pytest.mark.parametrize("name", ["attachment", "form", "image", "after the end", "before the start"])
def test_parts_of_a_pdf_that_are_not_read_are_refused(name):
    assert [piece for piece in binary_formats.read_pdf(planted_files.PDFS[name]("x")) if piece.text is None]


def test_a_drawing_without_more_passes():
    assert all(piece.text is not None for piece in binary_formats.read_pdf(planted_files.pdf("Gains")))


def test_metadata_index_and_cells_of_parquet_are_read():
    frame = pd.DataFrame({"cells": ["One"], "lists": [["Two", "three"]]}, index=["four"])
    found = texts(read_parquet(planted_files.parquet(frame)))
    assert all(word in found for word in ["One", "Two three", "four", "pandas", "lists"])


def test_bytes_in_no_column_of_parquet_are_refused():
    content = planted_files.parquet(pd.DataFrame({"a": [1]}))
    assert all(piece.text is not None for piece in read_parquet(content))
    (footer,) = struct.unpack("<I", content[-8:-4])
    end = len(content) - 8 - footer
    hidden = content[:end] + b"Anna" + content[end:]
    assert [piece for piece in read_parquet(hidden) if piece.text is None]


def test_tensors_of_integers_are_decoded_and_others_refused():
    content = save({"w": np.array([ord(letter) for letter in "old clocks"], np.uint8)}, {"note": "Anna"})
    pieces = list(binary_formats.read_safetensors(content))
    assert "old clocks" in texts(pieces) and "Anna" in texts(pieces) and pieces[-1].text is None


def test_unused_categories_and_bytes_in_cells_are_found():
    frame = pd.DataFrame({"a": pd.Categorical(["x"], categories=["x", "Anna sells"]), "b": [b"\0\1"]})
    pieces = list(read_parquet(planted_files.parquet(frame)))
    assert "Anna sells" in texts(pieces)
    assert [piece.position for piece in pieces if piece.text is None][0].startswith("column b, bytes")


def test_integers_that_became_decimals_are_decoded():
    frame = pd.DataFrame({"a": [*(float(ord(letter)) for letter in "old clocks"), None]})
    assert "old clocks" in texts(read_parquet(planted_files.parquet(frame)))
