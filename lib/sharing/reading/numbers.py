"""Texts that are written as numbers: ids of the shared tokenizer, code points and bytes; and base64 or hexadecimal."""

import base64
import binascii
import contextlib
import re

FEWEST = 8  # numbers in a row; words that are encoded one by one
SHORTEST = 32  # characters of base64
NUMBER = re.compile(r"(?<![\w.+-])\d{1,6}(?![\w]|\.\d)")
RUN = re.compile(r"(?<![\w.+-])\d{1,6}(?:[\s,;|\[\]\"']+\d{1,6}){7,}(?![\w]|\.\d)")
PLUS = re.compile(r"""(["'])\s*\+\s*(?=["'])""")  # between strings of a program
BASE64 = re.compile(  # over several lines, also those of a mail or of a program
    r"[A-Za-z0-9+/_-]{16,}(?:[^A-Za-z0-9+/_=-]{1,12}[A-Za-z0-9+/_-]{16,})*"
    r"(?:[^A-Za-z0-9+/_=-]{1,12}[A-Za-z0-9+/_-]{1,15})?={0,2}"
)
HEX = re.compile(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s,:]{0,2}){20,}")
DUMP = re.compile(r"^\s*[0-9a-fA-F]{4,16}:?\s+((?:[0-9a-fA-F]{2,8}\s{1,2}){4,})", re.MULTILINE)  # hexdump, xxd
# base64 of a word that has ASCII letters only: each character has few possible values
QUARTET, PAIR = "[Q-Za-e][E-HU-Xk-n0-3][BFJNRVZdhlptx159][A-Za-z1-6]", "[Q-Za-e][E-HU-Xk-n0-3][AEIMQUYcgkosw048]="
BASE64_WORD = re.compile(rf"(?<![\w+/=])(?:{QUARTET})*(?:{QUARTET}|{PAIR}|[Q-Za-e][AQgw]==)(?![\w+/=])")
HEX_WORD = re.compile(r"(?<!\w)(?:[46][1-9a-fA-F]|[57][0-9aA]){1,24}(?!\w)")
WHOLE_FLOAT = re.compile(r"(?<=\d)\.0+(?![\d.])")
EXPONENT = re.compile(r"(?<![\w.+-])\d(?:\.\d+)?[eE]\+?0?[0-6](?![\w.])")
LETTERS = re.compile(r"[^\W\d_]")
PRINTABLE = re.compile(rb"[A-Za-z ,.!?'\n]")
MOSTLY = 0.7  # of the bytes, from which on they are taken for a text


def whole(text):
    """The text with numbers such as 474.0 or 4.74e+02 as 474: a column of integers with a gap is one of floats."""
    return WHOLE_FLOAT.sub("", EXPONENT.sub(lambda found: str(float(found[0])), text))


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
    for found in BASE64.finditer(PLUS.sub(r"\1", text)):
        joined = re.sub(r"[^\w+/-]", "", found[0]).replace("-", "+").replace("_", "/")
        if len(joined) >= SHORTEST:
            yield found[0], "base64", from_base64(joined)
            shifted = [from_base64(joined[skipped:]) for skipped in (1, 2, 3)]  # behind other characters of base64
            yield from ((found[0], "base64", data) for data in shifted if text_in(data))
    for found in HEX.finditer(text):
        yield found[0], "hexadecimal", _from_hex(found[0])
    lines = DUMP.findall(text)
    if len(lines) > 1:
        yield "", "hexadecimal", _from_hex("".join(lines))


def encoded_words(text):
    """Yield (position, words) of words that are encoded one by one, as in the cells of a table."""
    for position, word, decode in [("base64", BASE64_WORD, from_base64), ("hexadecimal", HEX_WORD, _from_hex)]:
        words = [decode(found[0].rstrip("=")) for found in word.finditer(text)]
        words = [content.decode() for content in words if content.isascii() and content.isalpha()]
        if len(words) >= FEWEST:
            yield position, "\n".join(words)


def text_in(data):
    """What bytes say as a text in UTF-8, UTF-16, UTF-32 or Latin-1; "" where most of them are no letters."""
    if data.count(0) > len(data) / 4:
        data = data.replace(b"\0", b"")
    if len(PRINTABLE.findall(data)) < MOSTLY * len(data):
        return ""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def from_base64(text):
    """The bytes, or none where the text is no base64; a reader then says that it can read nothing."""
    text = text[: len(text) - (len(text) % 4 == 1)]
    try:
        return as_utf8(base64.b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return b""


def _from_hex(text):
    digits = re.sub(r"0x|\\x|[\s,:]", "", text)
    return as_utf8(bytes.fromhex(digits[: len(digits) // 2 * 2]))
