"""Claims about Parquet: what a data frame holds comes through, and a damaged file is refused."""

import pytest

from lib.corpus import reading
from lib.errors import CorpusError
from tests.helpers.corpora import many, read, read_bytes, settings


def test_a_data_frame_comes_through(tmp_path):
    rows = many(4).assign(writing_id=[1, 2, 3, 4], learner_id=[1.0, 1.0, None, 2.0], l1=["Thai", None, "NA", "Thai"])
    rows.to_parquet(tmp_path / "c")
    found = read(tmp_path / "c")
    assert found["text_id"].tolist() == list("1234") and found["text"].tolist() == rows["text"].tolist()
    assert found["learner_id"].tolist() == ["1", "1", "", "2"] and found["l1"].tolist() == ["Thai", "", "", "Thai"]


def test_rows_without_anything_are_skipped_and_counted(tmp_path):
    rows = many(4).astype(object)
    rows.iloc[1:3] = None
    rows.to_parquet(tmp_path / "c")
    found, (source,) = reading.read_corpus(tmp_path / "c", settings())
    assert found["text_id"].tolist() == ["1", "4"] and source["empty_rows"] == 2
    assert source["starts"] == [[0, None, 1], [1, None, 4]]


def test_a_damaged_file_is_refused(tmp_path):
    many(4).to_parquet(tmp_path / "c")
    with pytest.raises(CorpusError, match="damaged or incomplete Parquet"):
        read_bytes(tmp_path, (tmp_path / "c").read_bytes()[:-9])
