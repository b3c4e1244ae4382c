"""Claims about pieces of text: their positions are nested."""

from lib.sharing.reading.piece import Piece, under


def test_a_position_is_named_within_another():
    assert list(under("page 1", [Piece("line 2", "a"), Piece("", "b")])) == [("page 1, line 2", "a"), ("page 1", "b")]
