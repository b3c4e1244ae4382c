"""Files that are no corpus, each with the words in which 01 must refuse it."""

import gzip
import io

from tests.helpers.corpora import RELEASE2, many, write_xlsx, writing

HEADER = "writing_id,cefr,text\n"


def damaged(kind):
    """A workbook's bytes with one thing wrong."""
    stream = io.BytesIO()
    sheet = None
    if kind == "far cell":
        sheet = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    write_xlsx(many(50), stream, sheet=sheet)
    content = stream.getvalue()
    if kind == "flipped byte":
        place = content.index(b"xl/worksheets/sheet1.xml") + 100  # within the packed rows
        return content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]
    return content[: len(content) // 2] if kind == "cut" else content


BAD = [  # name, content, words of the refusal
    ("cut.xlsx", damaged("cut"), ["damaged or incomplete workbook", "Copy it again"]),
    ("flipped.xlsx", damaged("flipped byte"), ["damaged or incomplete workbook"]),
    ("far.xlsx", damaged("far cell"), ["beyond column CZ", "save the sheet as CSV"]),
    ("no.xlsx", b"PK\x03\x04 broken", ["damaged or incomplete workbook"]),
    ("cut.csv", HEADER + '1,A1,"ok"\n2,A1,"two\nlines and no e', ["row 3", "line 3", "never closed", "cut"]),
    ("stray.csv", HEADER + '1,A1,"ok" he said\n', ["row 2", "not readable as CSV", "twice"]),
    ("short.csv", HEADER + '1,A1,"two\nlines"\n2,A1\n', ["row 3", "line 4", "2 cells", "Expected: 3"]),
    ("long.csv", HEADER + "1,A1,I like it, really\n", ["row 2", "line 2", "4 cells", "quotes"]),
    ("empty.csv", " \n", ["is empty", "Expected: a corpus"]),
    ("header.csv", HEADER, ["no texts", "one row a text"]),
    ("cut.xml", RELEASE2.format(writing() * 3)[:-20], ["cut: 3 writings are complete", "</selection>"]),
    ("open.xml", RELEASE2.format(writing() * 3)[:-100], ["cut: 2 writings are complete", "copy it again"]),
    ("other.xml", "<?xml version='1.0'?><TEI><text>x</text></TEI>", ["without <writing", "release 2"]),
    ("page.xlsx", "<!DOCTYPE html><html><body>Log in</body></html>", ["web page", "Download the corpus again"]),
    ("page.csv", "\n <table><tr><td>1</td></tr></table>", ["web page", "HTML"]),
    ("text.xlsx", HEADER + "1,A1,x\n", ["is text, not a workbook", "Rename it to .csv"]),
    ("text.XLSX", RELEASE2.format(writing()), ["is text, not a workbook"]),
    ("missing.csv", "writing_id,text\n1,x\n", ["no column cefr", "Found: writing_id, text", "Nearest: none"]),
    ("typo.csv", "writing_id,cefr,txet\n1,A1,hi\n", ["no column text", "Nearest: txet", "Rename"]),
    ("typo2.csv", "writing_id,cefr,text,learnr_id\n1,A1,hi,7\n", ["no column learner_id", "Nearest: learnr_id"]),
    ("twice.csv", "writing_id,cefr,Text,text\n1,A1,a,b\n", ["2 columns are named text", "columns 3 and 4"]),
    ("windows.csv", (HEADER + "1,A1,ok\n2,A1,café\n").encode("cp1252"),
     ["byte 37 (line 3) is not UTF-8", "encoding: cp1252"]),
    ("wide.csv", (HEADER + "1,A1,x\n").encode("utf-16"), ["byte 0", "encoding: utf-16"]),
    ("nobom.csv", (HEADER + "1,A1,x\n").encode("utf-16-le"), ["NUL byte in line 1", "encoding: utf-16"]),
    ("windows.xml", RELEASE2.format(writing(text="caf\xe9")).encode("cp1252"), ["not UTF-8", "encoding: cp1252"]),
    ("nul.csv", HEADER + "1,A1,x\n2,A1,a\0b\n", ["NUL byte in line 3", "Export it again"]),
    ("nul.xml", RELEASE2.format(writing(text="a\0b")), ["NUL byte in line 2"]),
    ("dtd.xml", "<!DOCTYPE selection SYSTEM 'http://x/y.dtd'>" + RELEASE2.format(writing()), ["DTD", "Release 2"]),
    ("bomb.xml", '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><selection><writings>'
     + writing(text="&b;") + "</writings></selection>", ["entity", "fill the memory"]),
    ("corpus.zip", b"", ["zip archive", "Unpack it"]),
    ("corpus.csv.gz", gzip.compress(HEADER.encode(), mtime=0), ["gzip archive", "Unpack it"]),
    ("c.bz2", b"BZh91AY", ["bzip2 archive", "Unpack it"]),
    ("c.feather", b"ARROW1\0\0", ["Feather", "Save the data frame as Parquet or CSV"]),
    ("c.pkl", b"\x80\x04\x95 x", ["Python pickle", "Save it as Parquet or CSV"]),
    ("c.sav", b"$FL2@(#) SPSS", ["SPSS", "Save it as CSV or XLSX"]),
    ("old.xls", b"\xd0\xcf\x11\xe0" + bytes(600), ["password-protected", "Save it as .xlsx"]),
]  # fmt: skip
