"""Claims about formats: they are detected by content, and only clean UTF-8 is text."""

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
