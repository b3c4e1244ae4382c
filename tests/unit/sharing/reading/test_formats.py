"""Claims about formats: they are detected by content, and only clean UTF-8 is text."""

import pickle
import zlib

import pytest

from lib.sharing.reading import formats


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"note\n%PDF-1.7 startxref", "PDF"),
        (b"a page on %PDF- files", "text"),
        (b"PACKAGE of GIF89 and BZh", "text"),
        ("café\n\x1b[1m".encode(), "text"),
        ("café".encode("latin-1"), "text in another encoding than UTF-8"),
        (b"%!PS-Adobe-3.0 EPSF", "PostScript"),
        (b"P1\n# a note\n4 4\n0 1", "PNM image"),
        (b"P4\n8 1\n\x01", "PNM image"),
        (b"P1 and P2 are pages", "text"),
        (b"/* a note */\n#define a_width 8\n#define a_height 8\n", "XBM image"),
        (b"/* XPM */\nstatic char", "XPM image"),
        (zlib.compress(b"a text"), "zlib"),
        (b"x\x9c no zlib \xff", "text in another encoding than UTF-8"),
        (pickle.dumps("a text"), "pickle"),
        ("text".encode("utf-16"), "text in UTF-16 or UTF-32"),
        ("text".encode("utf-16-le"), "unknown binary"),
        ("\ue000".encode(), "unknown binary"),
        (b"a\x07b", "unknown binary"),
        (b"", "text"),
        (b"\x02\0\0\0\0\0\0\0{}", "safetensors"),
        (b"\x1f\x8b\x08\0", "gzip"),
    ],
)
def test_a_format_is_known_by_its_content(content, name):
    assert formats.detect(content) == name
