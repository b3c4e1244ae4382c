"""What the check reads of a file: pieces of text, each with its position."""

from typing import NamedTuple


class Piece(NamedTuple):
    """Some text of a file and its position; text is None where it cannot be read, and `position` then says why."""

    position: str
    text: str | None


def under(position, pieces):
    """The same pieces, their positions within `position`."""
    for piece in pieces:
        yield piece._replace(position=", ".join(filter(None, [position, piece.position])))
