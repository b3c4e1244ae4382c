"""Which format the content of a file has, by its first bytes and not by its name."""

import unicodedata

MAGIC = [
    (b"\x89PNG\r\n\x1a\n", "PNG image"), (b"\xff\xd8\xff", "JPEG image"), (b"GIF8", "GIF image"), (b"BM", "BMP image"),
    (b"II*\0", "TIFF image"), (b"MM\0*", "TIFF image"), (b"%!PS", "PostScript"), (b"PK\3\4", "zip archive"),
    (b"PK\5\6", "zip archive"), (b"\x1f\x8b\x08", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"), (b"(\xb5/\xfd", "zstd"),
    (b"7z\xbc\xaf", "7z archive"), (b"Rar!", "rar archive"), (b"PACK", "git pack"), (b"DIRC", "git index"),
    (b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"\x93NUMPY", "numpy array"), (b"SQLite format 3", "SQLite database"),
    (b"\x89HDF", "HDF5"), (b"\x7fELF", "program"), (b"\xd0\xcf\x11\xe0", "old Office document"),
    (b"\xff\xfe", "text in UTF-16 or UTF-32"), (b"\xfe\xff", "text in UTF-16"), (b"\0\0\xfe\xff", "text in UTF-32"),
]  # fmt: skip
LATER = [(257, b"ustar", "tar archive"), (4, b"ftyp", "video or HEIF image"), (8, b"WEBP", "WebP image")]
ALLOWED_CONTROLS = set("\t\n\r\f\x1b")  # the last one begins a terminal's colour


def detect(content):
    """The format of bytes: "text" (UTF-8), "PDF", "parquet", "safetensors", or the name of one that is not read."""
    if b"%PDF-" in content[:1024]:
        return "PDF"
    for magic, name in MAGIC:
        if content.startswith(magic):
            return name
    for offset, magic, name in LATER:
        if content[offset : offset + len(magic)] == magic:
            return name
    if len(content) > 9 and content[8:9] == b"{" and int.from_bytes(content[:8], "little") <= len(content) - 8:
        return "safetensors"
    return "text" if is_text(content) else "unknown binary"


def is_text(content):
    """True for UTF-8 without control characters, private-use characters and noncharacters."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    unusual = {character for character in set(text) if unicodedata.category(character) in ("Cc", "Co", "Cs", "Cn")}
    return unusual <= ALLOWED_CONTROLS
