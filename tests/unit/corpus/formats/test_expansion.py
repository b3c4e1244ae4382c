"""Claims about small files that grow: each is refused, or read in linear time, and honest files are let in."""

import time

import pytest

from lib.corpus.formats import expansion
from lib.errors import CorpusError
from tests.helpers.bombs import BOMBS
from tests.helpers.corpora import read


@pytest.mark.parametrize("name", BOMBS)
def test_no_small_file_fills_the_memory_or_takes_hours(tmp_path, name):
    write, words = BOMBS[name]
    write(tmp_path / name)
    began = time.process_time()
    if words:
        with pytest.raises(CorpusError, match=words):
            read(tmp_path / name)
    else:
        assert len(read(tmp_path / name)) == 2
    assert time.process_time() - began < 10


def test_a_file_may_unpack_to_a_hundred_times_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(expansion, "RATIO_FROM", 0)
    (tmp_path / "c").write_bytes(bytes(10))
    expansion.refuse(tmp_path / "c", 1000)
    with pytest.raises(CorpusError, match="100 times its size"):
        expansion.refuse(tmp_path / "c", 1001)
