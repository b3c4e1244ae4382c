"""Claims about letters: what looks alike is one letter, what nobody sees is none."""

import pytest

from lib.sharing.reading import characters


def folded(text):
    codes = characters.folding()[0][characters.code_points(characters.expand(text))]
    letters = {characters.SEPARATOR: " ", characters.IGNORED: ""}
    return "".join(letters.get(code, chr(code)) for code in codes.tolist())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Café CAFÉ cafe\u0301", "cafe cafe cafe"),
        ("ｆｕｌｌ 𝐦𝐲 Ⓜⓨ 🅼🆈 ᴍʏ 🇲🇾", "full my my my my my"),
        ("Mу grаndmоthеr κιτ", "my grandmother kit"),  # Cyrillic and Greek
        ("ﬁne ĳs æ ø ł", "fine ijs ae o l"),
        ("g\u200bo\u034fl\u3164d\ufe0f \u00ad", "gold "),
        ("a1b2 c_d", "a b  c d"),
        ("١ │ ² €", "       "),
        ("中文 한국", "中文 한국"),
    ],
)
def test_letters_that_look_alike_are_one(written, read):
    assert folded(written) == read


def test_every_ascii_letter_is_itself_and_digits_are_none():
    assert folded("abcXYZ019-") == "abcxyz    "
