"""Which format the content of a file has, by its first bytes and not by its name."""

import re
import unicodedata
import zlib

MAGIC = {  # the first bytes of formats that are no text
    "PNG image": [b"\x89PNG\r\n\x1a\n"],
    "JPEG image": [b"\xff\xd8\xff"],
    "GIF image": [b"GIF8"],
    "TIFF image": [b"II*\0", b"MM\0*"],
    "zip archive": [b"PK\3\4", b"PK\5\6"],
    "gzip": [b"\x1f\x8b\x08"],
    "bzip2": [b"BZh"],
    "xz": [b"\xfd7zXZ"],
    "zstd": [b"(\xb5/\xfd"],
    "7z archive": [b"7z\xbc\xaf"],
    "rar archive": [b"Rar!"],
    "git pack": [b"PACK"],
    "git index": [b"DIRC"],
    "parquet": [b"PAR1"],
    "pickle": [b"\x80\x04\x95", b"\x80\x05\x95", b"\x80\x03X", b"\x80\x03]", b"\x80\x03}", b"\x80\x02c"],
    "arrow": [b"ARROW1"],
    "numpy array": [b"\x93NUMPY"],
    "SQLite database": [b"SQLite format 3"],
    "HDF5": [b"\x89HDF"],
    "program": [b"\x7fELF"],
    "old Office document": [b"\xd0\xcf\x11\xe0"],
    "text in UTF-16 or UTF-32": [b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"],
}
LATER = [(257, b"ustar", "tar archive"), (4, b"ftyp", "video or HEIF image"), (8, b"WEBP", "WebP image")]
TEXT_FORMATS = {  # that draw letters, or name each letter
    "PostScript": re.compile(rb"\s*%!PS"),
    "PNM image": re.compile(rb"P[1-6]\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s"),
    "XBM image": re.compile(rb"(?s:.{0,2000}?)#define\s+\w*width\s+\d+\s+#define\s+\w*height\s+\d+"),
    "XPM image": re.compile(rb"\s*/\*\s*XPM\s*\*/"),
}
ENOUGH = 100  # decompressed bytes; bytes that are not compressed seldom give as many
CONTROLS = set(range(32)) - set(b"\t\n\r\f") | {127}
ALLOWED_CONTROLS = set("\t\n\r\f\x1b")  # the last one begins a terminal's colour


def detect(content):
    """The format of bytes: "text" (UTF-8), "PDF", "parquet", "safetensors", or the name of one that is not read."""
    if content.startswith(b"%PDF-") or (b"%PDF-" in content[:1024] and b"startxref" in content):
        return "PDF"
    written = next((name for name, start in TEXT_FORMATS.items() if start.match(content)), None)
    if written or is_text(content):
        return written or "text"
    for name, starts in MAGIC.items():
        if any(map(content.startswith, starts)):
            return name
    for offset, magic, name in LATER:
        if content[offset : offset + len(magic)] == magic:
            return name
    if len(content) > 9 and content[8:9] == b"{" and int.from_bytes(content[:8], "little") <= len(content) - 8:
        return "safetensors"
    if _is_zlib(content):
        return "zlib"
    if not _is_utf8(content) and not CONTROLS & set(content):
        return "text in another encoding than UTF-8"
    return "unknown binary"


def _is_utf8(content):
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_zlib(content):
    """True for compressed bytes, with or without their end."""
    if content[:1] != b"\x78":
        return False
    try:
        return len(zlib.decompressobj().decompress(content, ENOUGH)) > 0
    except zlib.error:
        return False


def is_text(content):
    """True for UTF-8 without control characters, private-use characters and noncharacters."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    unusual = {character for character in set(text) if unicodedata.category(character) in ("Cc", "Co", "Cs", "Cn")}
    return unusual <= ALLOWED_CONTROLS
