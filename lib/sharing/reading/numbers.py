"""Texts that are written as numbers: ids of the shared tokenizer, code points and bytes; and base64 or hexadecimal."""

import base64
import binascii
import contextlib
import re

FEWEST = 8  # numbers in a row
NUMBER = re.compile(r"(?<![\w.+-])\d{1,6}(?![\w]|\.\d)")
RUN = re.compile(r"(?<![\w.+-])\d{1,6}(?:[\s,;|\[\]\"']+\d{1,6}){7,}(?![\w]|\.\d)")
BETWEEN_LINES = r"[\s>\"',+\\]{1,12}"  # of a mail that is quoted, or of strings in code
BASE64 = re.compile(rf"(?:[A-Za-z0-9+/_-]{{32,}}{BETWEEN_LINES})*[A-Za-z0-9+/_-]{{32,}}={{0,2}}")
HEX = re.compile(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s,:]{0,2}){20,}")
WHOLE_FLOAT = re.compile(r"(?<=\d)\.0+(?![\d.])")
LETTERS = re.compile(r"[^\W\d_]")


def whole(text):
    """The text with numbers such as 474.0 as 474: a column of integers with a gap is one of floats."""
    return WHOLE_FLOAT.sub("", text)


def as_utf8(data):
    """Bytes of text in UTF-16 or UTF-32, which has many zeros, as UTF-8; other bytes as they are."""
    if data.count(0) * 4 < len(data):
        return data
    for encoding in ["utf-32", "utf-32-be", "utf-16", "utf-16-be"]:
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if len(LETTERS.findall(text)) > len(text) / 2:
                return text.encode("utf-8", "replace")
    return data


def runs(text):
    """Lists of at least FEWEST integers that follow each other in a text, between spaces, commas or brackets."""
    return [[int(number) for number in NUMBER.findall(found[0])] for found in RUN.finditer(text)]


def as_texts(numbers, decode_ids=None):
    """Yield (position, text): what the numbers say as code points, and as token ids.

    decode_ids: of a tokenizer, takes a list of ids; None where there is no tokenizer.
    """
    numbers = [number for number in numbers if number >= 0]
    if len(numbers) < FEWEST:
        return
    as_codes = "".join(map(chr, (number for number in numbers if 9 <= number < 0x110000 and not _surrogate(number))))
    if len(LETTERS.findall(as_codes)) >= len(numbers) / 2:
        yield "character codes", as_codes
    if decode_ids is not None:
        yield "token ids", decode_ids(numbers)


def _surrogate(number):
    return 0xD800 <= number < 0xE000


def encoded(text):
    """Yield (characters, position, bytes) of what may be base64 or hexadecimal."""
    for found in BASE64.finditer(text):
        joined = re.sub(r"[\s>\"',\\]", "", found[0]).replace("-", "+").replace("_", "/").rstrip("=")
        yield found[0], "base64", from_base64(joined[: len(joined) - (len(joined) % 4 == 1)])
    for found in HEX.finditer(text):
        digits = re.sub(r"0x|\\x|[\s,:]", "", found[0])
        yield found[0], "hexadecimal", as_utf8(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def from_base64(text):
    """The bytes, or none where the text is no base64; a reader then says that it can read nothing."""
    try:
        return as_utf8(base64.b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return b""
