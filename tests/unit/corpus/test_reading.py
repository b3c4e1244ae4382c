"""Claims about reading a corpus: every shape gives the same texts, and what is damaged is refused in words."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import pytest

from lib import errors
from lib.corpus import cleaning, reading, xlsx
from lib.errors import CorpusError
from lib.experiment import parameters
from tests.helpers.corpora import RELEASE2, ROW, many, table, write_csv, write_xlsx, write_xml, writing

STRANGE = [
    "NA",
    "None",
    "null",
    "=1+1",
    "TRUE",
    'He say "hi", ok',
    "two\nlines",
    "😀 and \u202bright\u202c",
    "1e5",
    " x ",
    "<b> & </i> <3",
]
WRITE = {
    "csv": write_csv,
    "semicolons": lambda frame, path: write_csv(frame, path, sep=";"),
    "tabs": lambda frame, path: write_csv(frame, path, sep="\t"),
    "inline strings": write_xlsx,
    "shared strings": lambda frame, path: write_xlsx(frame, path, shared=True, dimension="A1"),
}


def settings(**changes):
    return parameters.load("params/demo/corpus.yaml").model_copy(update=changes)


def read(files, **changes):
    return reading.read(files, settings(**changes))[0]


def read_bytes(tmp_path, content, name="c.csv", **changes):
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read(tmp_path / name, **changes)


def read_writings(tmp_path, *writings, **changes):
    return read_bytes(tmp_path, RELEASE2.format("".join(writings)), "c.xml", **changes)


# --- shapes


@pytest.mark.parametrize("shape", WRITE)
def test_every_text_comes_back_as_it_was_written(tmp_path, shape):
    wanted = table(*({"writing_id": str(i), "text": text} for i, text in enumerate(STRANGE)))
    assert read(WRITE[shape](wanted, tmp_path / "corpus"))["text"].tolist() == STRANGE


def test_release_2_gives_every_text_but_the_spaces_around_it(tmp_path):
    wanted = table(*({"writing_id": str(i), "level": "1", "text": text} for i, text in enumerate(STRANGE)))
    assert read(write_xml(wanted, tmp_path / "c"))["text"].tolist() == [text.strip() for text in STRANGE]


def test_all_shapes_give_the_same_table(tmp_path):
    rows = many(9).assign(level=[str(n) for n in range(1, 10)]).drop(columns="cefr")
    tables = [read(write(rows, tmp_path / "c")) for write in [*WRITE.values(), write_xml]]
    assert all(other.equals(tables[0]) for other in tables) and len(tables[0]) == 9


def test_columns_are_found_by_name_in_any_order_case_and_number(tmp_path):
    rows = read_bytes(tmp_path, "\ufeffTEXT, Cefr_Level,l1,Writing_ID,more\nHello,B1,Arabic,9,x\n")
    assert rows.to_dict("records") == [
        {"text_id": "9", "learner_id": "", "level": "B1", "l1": "Arabic", "topic_id": "", "text": "Hello"}
    ]
    assert set(map(str, rows.dtypes)) == {"str"}


def test_the_corrected_column_is_taken_when_asked(tmp_path):
    path = write_csv(table({"text_corrected": "I like cats!"}), tmp_path / "c")
    rows, sources = reading.read(path, settings(text_column="text_corrected"))
    assert rows["text"].tolist() == ["I like cats!"] and sources[0]["columns"]["text"] == "text_corrected"


def test_whole_numbers_that_a_workbook_keeps_as_floats_are_whole_again(tmp_path):
    rows = table({"writing_id": 1234.0, "learner_id": 7.0, "cefr": 3.0, "topic_id": "12.0", "text": 2.5},
                 {"writing_id": 1e15, "learner_id": "x1.0", "cefr": "A1", "topic_id": 0, "text": True})  # fmt: skip
    found = read(write_xlsx(rows, tmp_path / "c.xlsx", dimension="A1"))
    assert found["text_id"].tolist() == ["1234", "1000000000000000"]
    assert found[["learner_id", "level", "topic_id"]].to_numpy().tolist() == [["7", "3", "12"], ["x1.0", "A1", "0"]]
    assert found["text"].tolist() == ["2.5", "TRUE"]


def test_the_source_is_known_by_name_hash_and_columns_never_by_its_folder(tmp_path):
    path = write_csv(many(3), tmp_path / "my corpus.csv")
    source = reading.read([path], settings())[1][0]
    assert (source["file"], source["shape"], source["rows"], len(source["sha256"])) == ("my corpus.csv", "csv", 3, 64)
    assert source["columns"]["text_id"] == "writing_id" and "topic_id" in source["columns"]
    assert str(tmp_path) not in str(source)


def test_numbers_beyond_range_are_no_level_and_no_number(tmp_path):
    rows = many(3).assign(writing_id=["9" * 400, "8" * 400, 1e300]).astype(object)
    assert [len(name) for name in read(write_xlsx(rows, tmp_path / "c"))["text_id"]] == [400, 400, 301]
    rows.loc[1, "cefr"] = 1e999
    with pytest.raises(CorpusError, match="unknown level .row 3: 'inf'"):
        cleaning.clean(read(write_xlsx(rows, tmp_path / "c")))


def test_empty_cells_of_a_workbook_are_empty_text(tmp_path):
    sheet = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="inlineStr"><is><t>level</t></is></c>'
        '<c r="C1" t="inlineStr"><is><t>text</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row><row r="4"/>'
    )
    rows = read(write_xlsx(None, tmp_path / "c", sheet=sheet))
    assert rows[["text_id", "level", "text"]].to_numpy().tolist() == [["1", "", ""]]


# --- release 2


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("one<br>two<br/>\n  three<BR />four", "one\ntwo\nthree\nfour"),
        ("a<code>b</code>c", "abc"),
        ("R&amp;amp;amp;D &amp;nbsp;&nbsp;x &quote;q&quote; &#39;&amp;lt;3", 'R&D   x "q" \'<3'),
        ("R&D a<b <3 x>y AT&T; &unknown; &amp", "R&D a<b <3 x>y AT&T; &unknown; &amp"),
        ("1 &lt; 2 &amp;lt;br&amp;gt; ok", "1 < 2\nok"),
        ("\n      Hi!\n      ", "Hi!"),
        ("<selected> <texts>", "<selected> <texts>"),
    ],
)
def test_release_2_with_its_damage_says_what_the_learner_typed(tmp_path, typed, text):
    assert read_writings(tmp_path, writing(text=typed))["text"].tolist() == [text]


def change(wrong, right, symbol="SP"):
    return (
        f"<change><selection>{wrong}</selection><tag><symbol>{symbol}</symbol><correct>{right}</correct></tag></change>"
    )


@pytest.mark.parametrize(
    ("marked", "typed", "corrected"),
    [
        (f"I {change('has', 'have')} a cat", "I has a cat", "I have a cat"),
        (change(f"I {change('has', 'have')} cat", "I have cats"), "I has cat", "I have cats"),
        (change("dogs", f"the {change('dog', 'cat')}"), "dogs", "the cat"),
        (f"very{change(' the', '', 'D')} nice", "very the nice", "very nice"),
        (f"what {change('is it', '', 'HL')}?", "what is it?", "what is it?"),
        (f"I go{change('', ' to', 'MW')} town", "I go town", "I go to town"),
        ("<change><selection>a</selection><tag><symbol/><correct>b</correct></tag></change>", "a", "b"),
        (change("a &lt; <br> b", "c &amp;amp; d"), "a <\nb", "c & d"),
    ],
)
def test_a_correction_gives_the_learners_wording_or_the_proposed_one(tmp_path, marked, typed, corrected):
    for column, wanted in {"text": typed, "text_corrected": corrected}.items():
        assert read_writings(tmp_path, writing(text=marked), text_column=column)["text"].tolist() == [wanted]


def test_release_2_says_learner_topic_level_and_a_first_language_where_the_country_tells(tmp_path):
    pairs = {"br": "Portuguese", "tw": "Mandarin", "cn": "Mandarin", "jp": "Japanese", "us": "", "MX": "Spanish"}
    rows = read_writings(tmp_path, *(writing(id=str(n), nationality=code) for n, code in enumerate(pairs)))
    assert rows["l1"].tolist() == list(pairs.values())
    assert rows.iloc[1][["text_id", "learner_id", "level", "topic_id"]].tolist() == ["1", "7", "1", "3"]


def test_a_writing_may_lie_across_two_blocks_of_the_stream(tmp_path, monkeypatch):
    monkeypatch.setattr("lib.corpus.efcamdat_xml.BLOCK", 150)
    rows = read_writings(tmp_path, *(writing(id=str(n), text=f"text {n} é") for n in range(50)))
    assert rows["text"].tolist() == [f"text {n} é" for n in range(50)]


def test_damaged_writings_are_counted_by_reason_and_hurt_no_other(tmp_path):
    bad = [writing(text="<change>a"), writing(text="</tag>"), writing(id=""), writing().replace("<text>", ""),
           writing(text="<change>a</change>"), writing(text="<change></change>"),
           writing().replace("</writing>", "").replace("</text>", "")]  # fmt: skip
    path = tmp_path / "c"
    path.write_text(RELEASE2.format("".join(bad + [writing(id=str(n)) for n in range(1000)])), encoding="utf-8")
    rows, sources = reading.read(path, settings())
    assert len(rows) == 1000 and sources[0]["unreadable"] == {
        "a correction without end": 1, "corrections that do not nest": 1, "no writing id": 1,
        "text without begin or end": 2, "words between the parts of a correction": 1,
        "a correction without selection": 1,
    }  # fmt: skip


def test_more_damage_than_one_in_a_hundred_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="1 of 51 writings cannot be read .no writing id: 1"):
        read_writings(tmp_path, writing(id=""), *(writing(id=str(n)) for n in range(50)))


# --- several files


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_parts_of_a_corpus_stand_one_below_the_other(tmp_path, suffix):
    rows, write = many(9), {"csv": write_csv, "xlsx": write_xlsx}[suffix]
    parts = [write(rows[:4], tmp_path / f"a b.{suffix}"), write(rows[4:], tmp_path / f"2.{suffix}")]
    whole = cleaning.clean(read(write(rows, tmp_path / "whole")))[0]
    for files in (parts, parts[::-1], [str(file) for file in parts]):
        assert cleaning.clean(read(files))[0].equals(whole)


def four_columns(rows):
    return rows[["writing_id", "l1", "cefr", "text"]].rename(columns={"cefr": "cefr_level"})


@pytest.mark.parametrize("order", [1, -1])
def test_the_four_column_file_regains_learners_and_prompts(tmp_path, order):
    rows = many(10)
    ours = four_columns(rows[:8]).assign(l1="").assign(text=lambda t: t["text"] + " ok")
    theirs = rows[2:].assign(writing_id=rows["writing_id"].astype(float))  # as a workbook keeps numbers
    files = [write_csv(ours, tmp_path / "four.csv"), write_xlsx(theirs, tmp_path / "book.xlsx")]
    found, sources = reading.read(files[::order], settings())
    assert found["text_id"].tolist() == rows["writing_id"][:8].tolist()
    assert found["text"].tolist() == ours["text"].tolist()
    assert found["learner_id"].tolist() == ["", "", *rows["learner_id"][2:8]]
    assert found["topic_id"].tolist() == ["", "", *["3"] * 6] == [t and "3" for t in found["l1"]]
    assert [source["ids_not_found"] for source in sources][::order] == [2, None]


def test_ef_levels_and_cefr_levels_agree_when_files_are_joined(tmp_path):
    rows = many(5)
    theirs = rows.assign(level=["6", "9", "12", "15", "1"])[["writing_id", "learner_id", "level", "topic_id", "text"]]
    files = [write_csv(four_columns(rows), tmp_path / "four"), write_xml(theirs, tmp_path / "xml")]
    assert read(files)["learner_id"].tolist() == rows["learner_id"].tolist()


def test_levels_that_contradict_each_other_are_refused_with_the_first_ids(tmp_path):
    rows = many(9)
    files = [write_csv(four_columns(rows), tmp_path / "four"), write_csv(rows.assign(cefr="C1"), tmp_path / "all")]
    with pytest.raises(CorpusError, match=r"8 text ids have another level .*first: 1, 2, 3\)|7 text ids"):
        read(files)


def test_an_id_with_two_learners_is_refused_when_files_are_joined(tmp_path):
    rows = many(4)
    twice = table(*rows.to_dict("records"), rows.iloc[1].to_dict() | {"learner_id": "99"})
    with pytest.raises(CorpusError, match="1 text ids have two learners.*first: 2"):
        read([write_csv(four_columns(rows), tmp_path / "four"), write_csv(twice, tmp_path / "all")])


def test_a_part_without_learners_and_with_other_ids_is_no_join(tmp_path):
    rows = many(9)
    files = [write_csv(four_columns(rows[:5]), tmp_path / "four"), write_csv(rows[4:], tmp_path / "all")]
    assert len(read(files)) == 10  # one id is in both, 4 of 5 are not


# --- other corpora


@pytest.mark.parametrize(
    ("header", "cells", "columns", "levels", "wanted"),
    [
        ("answer_id,anon_id,level_id,L1,text", [("1", "eq0", "2", "Korean", "Hi"), ("2", "eq0", "5", "Thai", "Bye")],
         {"text_id": "answer_id", "learner_id": "anon_id", "level": "level_id"},
         {"2": "A2", "3": "B1", "4": "B2", "5": "C1"}, ["A2", "C1"]),  # PELIC
        ("text_id_kaggle,full_text,Overall", [("a", "Hi", "2.5"), ("b", "Bye", "3.0"), ("c", "No", "1.0")],
         {"text_id": "text_id_kaggle", "text": "full_text", "level": "Overall"},
         {"1.0": "drop", "2.5": "B1", "3.0": "B1"}, ["B1", "B1"]),  # ELLIPSE
        ("essay_id,user,automarked_cefr_level,humannotator_cefr_level,text",
         [("x1", "u1", "A2", "A2.i", "Hi"), ("x2", "u2", "B1", "B1+", "Bye")],
         {"text_id": "essay_id", "learner_id": "user", "level": "humannotator_cefr_level"},
         {"a2.i": "A2", "B1+": "B1"}, ["A2", "B1"]),  # Write & Improve
    ],
)  # fmt: skip
def test_other_corpora_are_read_with_their_own_names(tmp_path, header, cells, columns, levels, wanted):
    content = "\n".join([header, *map(",".join, cells)])
    texts, dropped = cleaning.clean(read_bytes(tmp_path, content, columns=columns, levels=levels), levels)
    assert texts["level"].tolist() == wanted
    assert dropped["level left out"] == len(cells) - len(wanted)


def test_efs_numbers_are_unknown_where_the_levels_are_named():
    assert cleaning.cefr(table({"cefr": "2"}, {"cefr": "3"})["cefr"], {"2": "B1"}).fillna("?").tolist() == [
        "B1",
        "?",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("levels: {NO: A1}", ["levels", "False", "in quotes"]),
        ("levels: {2: A1}", ["levels", "2 as int", "in quotes"]),
        ('levels: {"2": A7}', ["levels.2", "A7", "'drop'"]),
        ("columns: {text: 1}", ["columns", "1 as int", "in quotes"]),
        ("columns: {txt: essay}", ["columns.txt", "'text'"]),
        ("columns: [text]", ["columns", "dictionary"]),
        ("encoding: utf-9", ["encoding", "utf-9", "cp1252"]),
        ("encoding: hex", ["encoding", "hex"]),
    ],
)
def test_a_wrong_name_in_corpus_yaml_is_refused_with_the_way_on(tmp_path, line, words):
    lines = Path("params/demo/corpus.yaml").read_text(encoding="utf-8").splitlines()
    kept = [old for old in lines if not old.startswith(line.split(":")[0] + ":")]
    (tmp_path / "corpus.yaml").write_text("\n".join([*kept, line]), encoding="utf-8")
    with pytest.raises(errors.ParameterError) as error:
        parameters.load(tmp_path / "corpus.yaml")
    assert all(word in str(error.value) for word in ["corpus.yaml", *words])


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-8"])
def test_a_named_encoding_is_read(tmp_path, encoding):
    content = "writing_id,cefr,text\n1,A1,café “ok”\n".encode(encoding)
    assert read_bytes(tmp_path, content, encoding=encoding)["text"].tolist() == ["café “ok”"]


# --- bad input

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
    ("cut.xml", RELEASE2.format(writing() * 3)[:-20], ["cut: 3 writings are whole", "</selection>"]),
    ("open.xml", RELEASE2.format(writing() * 3)[:-100], ["cut: 2 writings are whole", "copy it again"]),
    ("other.xml", "<?xml version='1.0'?><TEI><text>x</text></TEI>", ["without <writing", "release 2"]),
    ("page.xlsx", "<!DOCTYPE html><html><body>Log in</body></html>", ["web page", "Download the corpus again"]),
    ("page.csv", "\n <table><tr><td>1</td></tr></table>", ["web page", "HTML"]),
    ("text.xlsx", HEADER + "1,A1,x\n", ["is text, not a workbook", "Rename it to .csv"]),
    ("text.XLSX", RELEASE2.format(writing()), ["is text, not a workbook"]),
    ("missing.csv", "writing_id,text\n1,x\n", ["no column cefr", "Found: writing_id, text", "Nearest: none"]),
    ("typo.csv", "writing_id,cefr,txet\n1,A1,hi\n", ["no column text", "Nearest: txet", "Rename"]),
    ("typo2.csv", "writing_id,cefr,text,learnerid\n1,A1,hi,7\n", ["no column learner_id", "Nearest: learnerid"]),
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
    ("old.xls", b"\xd0\xcf\x11\xe0" + bytes(600), ["password-protected", "Save it as .xlsx"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "words"), BAD, ids=[name for name, *_ in BAD])
def test_bad_input_is_refused_in_words(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("corpus.csv", HEADER)
    with pytest.raises(CorpusError) as error:
        read(path)
    assert all(word in str(error.value) for word in [name, *words]), str(error.value)
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("lies", [False, True])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch, lies):
    path, size = tmp_path / "bomb.xlsx", 2**25
    monkeypatch.setattr(xlsx, "SUSPECT", 2**20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", " " * size)
    if lies:  # the archive's table of contents says 1 kB
        path.write_bytes(path.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", 1024)))
    words = "damaged or incomplete" if lies else "would unpack to"
    with pytest.raises(CorpusError, match=f"bomb.xlsx.*{words}"):
        read(path)


def test_no_refusal_quotes_a_learners_text(tmp_path):
    secret = "my secret " * 20
    for content in (HEADER + f'1,A1,"{secret}', HEADER + f"1,A1,{secret},\n", f"1,A1,{secret}\n2,A1,{secret}\n"):
        with pytest.raises(CorpusError) as error:
            read_bytes(tmp_path, content)
        assert secret[:50] not in str(error.value)


@pytest.mark.parametrize("files", ["no such file.csv", ".", []])
def test_what_is_no_file_is_refused(files):
    with pytest.raises(CorpusError, match="Expected: "):
        read(files)


def test_a_mapped_column_that_the_file_lacks_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="no column l_one. Found: writing_id"):
        read(write_csv(table({}), tmp_path / "c"), columns={"l1": "l_one"})


def test_one_file_need_not_be_in_a_list(tmp_path):
    path = write_csv(table({}), tmp_path / "c d.csv")
    assert read(path).equals(read([str(path)])) and read(str(path))["text"].tolist() == [ROW["text"]]
