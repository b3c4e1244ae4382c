"""Letters as the leak check compares them: one letter for all characters that look or decompose like it.

A character is decomposed (NFKD), loses its diacritics and its case, and is replaced by the ASCII letter with which it
can be confused (Unicode Technical Standard 39, from confusable_homoglyphs). Default-ignorable characters are skipped.
Digits and all other characters separate words.
"""

import functools
import re
import sys
import unicodedata

import numpy as np
from confusable_homoglyphs.confusables import confusables_data

SEPARATOR, IGNORED = 0, 1  # classes in the folding table; larger numbers are code points of folded letters
# Default_Ignorable_Code_Point of Unicode 16, without those of category Cf, which are ignored as well
DEFAULT_IGNORABLE = [(0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065)]
DEFAULT_IGNORABLE += [(0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF)]
UNIFORM = [(0x3400, 0x9FFF), (0xAC00, 0xD7A3), (0x20000, 0x323AF)]  # ideographs and Hangul syllables fold to themselves
NAMED = [(0x80, 0x33FF), (0xA000, 0xABFF), (0xD7A4, 0xD7FF), (0xF900, 0x1FFFF), (0xE0000, 0xE0FFF)]
LETTER_NAME = re.compile(  # small capitals, turned, barred, boxed and flag letters have no decomposition
    r"(?:LATIN|NEGATIVE|REGIONAL|SQUARED|CIRCLED|MODIFIER)\b.* ([A-Z])(?: WITH .*)?"
)


@functools.cache
def folding():
    """(table, expansions). table: uint32 by code point, SEPARATOR, IGNORED or a folded letter. expansions: what
    `str.translate` needs for characters that fold to several letters, such as ligatures."""
    table, expansions = np.zeros(sys.maxunicode + 1, np.uint32), {}
    for letter in range(ord("a"), ord("z") + 1):
        table[letter] = table[letter - 32] = letter
    for first, last in UNIFORM:
        table[first : last + 1] = np.arange(first, last + 1)
    for first, last in NAMED:
        for code in range(first, last + 1):
            folded = _fold(chr(code))
            if len(folded) > 1:
                expansions[code] = folded
            table[code] = ord(folded[0]) if folded else _class(chr(code))
    return table, expansions


def expand(text):
    """text with ligatures and the like as several letters, so that the folding table can be applied to each code."""
    if text.isascii():
        return text
    expansions = folding()[1]
    found = {character for character in set(text) if ord(character) in expansions}
    for character in found:
        text = text.replace(character, expansions[ord(character)])
    return text


def code_points(text):
    """uint32 [characters]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def is_ignored(character):
    code = ord(character)
    return (
        unicodedata.category(character)[0] == "M"
        or unicodedata.category(character) == "Cf"
        or any(first <= code <= last for first, last in DEFAULT_IGNORABLE)
    )


def _class(character):
    return IGNORED if is_ignored(character) else SEPARATOR


def _fold(character):
    """The letters that a character represents, lower case; "" for what is no letter."""
    if is_ignored(character):
        return ""
    letters = unicodedata.normalize("NFKD", character)
    return "".join(_base(letter) for letter in letters if not is_ignored(letter))


def _base(letter):
    if letter.isascii():
        return letter.lower() if letter.isalpha() else ""
    named = LETTER_NAME.fullmatch(unicodedata.name(letter, ""))
    if named:
        return named[1].lower()
    if not letter.isalpha():
        return ""
    found = _confusable(letter) or _confusable(letter.upper())
    return found or "".join(part for part in letter.casefold() if part.isalpha())


def _confusable(letter):
    """The ASCII letters that look like a letter of another script, or "". Symbols stay separators."""
    if len(letter) > 1 or not letter.isalpha():
        return ""
    similar = [entry["c"] for entry in confusables_data.get(letter, [])]
    ascii_letters = [word for word in similar if word.isascii() and word.isalpha()]
    return min(ascii_letters, key=len).lower() if ascii_letters else ""
