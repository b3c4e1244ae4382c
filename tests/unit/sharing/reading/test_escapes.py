"""Claims about escapes: a text is read as its writer meant it."""

import pytest

from lib.sharing.reading import escapes


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"caf\u00e9 \x41 \u{1F600} \U00000042", "café A 😀 B"),
        (r"\ud83d\ude00", "😀"),
        (r"one\ntwo", "one two"),
        ("R&amp;D &quot;q&quot; &amp;lt;", 'R&D "q" <'),
        ("\x1b[31mred\x1b[0m [1;32mgreen", "red green"),
        ("%4dy caf%C3%A9 100%", "My café 100%"),
        ("%254dy %u0063af%u00e9", "My café"),
        ("caf=C3=A9 and mo=\nre", "café and more"),
        ("".join(chr(0xE0000 + ord(letter)) for letter in "Anna"), "Anna"),
        ("an ordinary line\nand another", "an ordinary line\nand another"),
    ],
)
def test_text_is_read_as_it_is_meant(written, read):
    assert escapes.decode(written) == read
