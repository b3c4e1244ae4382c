"""Text as its writer meant it: without escapes of JSON, Python, HTML, URLs and mail, and without terminal colours."""

import html
import re
import urllib.parse

ESCAPE = re.compile(r"\\+(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([nrtfv]))")
SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\[\d+(?:;\d+)*m")  # a terminal's, with or without its first character
QUOTED_PRINTABLE = re.compile(r"(?:=[0-9A-F]{2})+|=\r?\n")
PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})+")
PERCENT_UNICODE = re.compile(r"%u([0-9a-fA-F]{4})")
TAGS = re.compile("[\U000e0020-\U000e007e]+")  # invisible copies of ASCII


def decode(text):
    """text without escapes. An escaped line break becomes a space, so that lines keep their numbers."""
    text = COLOUR.sub("", text)
    if "\\" in text:
        text = ESCAPE.sub(_character, text)
        text = SURROGATES.sub(lambda pair: pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le"), text)
    if "%" in text:
        text = PERCENT_UNICODE.sub(lambda found: chr(int(found[1], 16)), text)
        for _ in range(2):  # an address within an address is escaped twice
            text = PERCENT.sub(lambda found: urllib.parse.unquote(found[0], errors="replace"), text)
    if "=" in text:
        text = QUOTED_PRINTABLE.sub(_quoted, text)
    if "&" in text:
        text = html.unescape(html.unescape(text))  # twice: pages are often escaped when they are quoted
    if not text.isascii():
        text = TAGS.sub(lambda found: "".join(chr(ord(tag) - 0xE0000) for tag in found[0]), text)
    return text


def _character(found):
    digits = found[1] or found[2] or found[3] or found[4]
    if found[5] or int(digits, 16) > 0x10FFFF:
        return " "
    return chr(int(digits, 16))


def _quoted(found):
    digits = found[0].replace("=", "").strip()
    return bytes.fromhex(digits).decode("utf-8", "replace")
