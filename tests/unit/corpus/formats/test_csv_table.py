"""Claims about CSV: no row is lost in a cell, and none without anything in it counts."""

import pytest

from lib.corpus import reading
from lib.errors import CorpusError
from tests.helpers.corpora import read_bytes, settings

ROWS = [f"{n}\t{n + 900}\tA1\tThai\tI see {n} cats" for n in range(8, 15)]
HEADER = "writing_id\tlearner_id\tcefr\tl1\ttext"


@pytest.mark.parametrize("sign", [";", ",", "\t", "|"])
def test_the_separator_may_be_told_in_the_first_line(tmp_path, sign):
    content = f"\ufeffsep={sign}\n" + "\n".join([HEADER, *ROWS]).replace("\t", sign)
    assert read_bytes(tmp_path, content)["text_id"].tolist() == [str(n) for n in range(8, 15)]


@pytest.mark.parametrize("sign", ["\t", ",", ";"])
def test_a_quote_that_swallows_rows_is_refused_with_its_row(tmp_path, sign):
    rows = [HEADER, *ROWS]
    rows[2] = rows[2].replace("I see", '"I see')
    rows[4] += '"'
    with pytest.raises(CorpusError, match="row 3, which begins in line 3, .*first in line 4 .id 10.*") as error:
        read_bytes(tmp_path, "\n".join(rows).replace("\t", sign))
    assert "cats" not in str(error.value)


@pytest.mark.parametrize("text", ["two\nlines, and, more, of, them", "1, 2\n3, 4, 5, 6, 7", "a\tb\nc\td\te\tf\tg"])
def test_a_text_of_several_lines_swallows_nothing(tmp_path, text):
    content = f'writing_id,learner_id,cefr,l1,text\n8,7,A1,Thai,"{text}"\n'
    assert read_bytes(tmp_path, content)["text"].tolist() == [text]


def test_rows_without_anything_are_skipped_and_counted(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("\nwriting_id;cefr;text\n1;A1;Hi\n;;\n\n; ;\n2;B1;Ho\n;;\n", encoding="utf-8")
    rows, (source,) = reading.read_corpus(path, settings())
    assert rows["text_id"].tolist() == ["1", "2"] and source["empty_rows"] == 4
    assert source["starts"] == [[0, None, 3], [1, None, 7]]


def test_lines_are_counted_with_those_before_the_header(tmp_path):
    with pytest.raises(CorpusError, match=r"row 4 .line 5. has 2 cells"):
        read_bytes(tmp_path, 'sep=,\nwriting_id,cefr,text\n1,A1,"a\nb"\n2,A1\n')


@pytest.mark.parametrize("ends", ['"', '."', ' too"'])
def test_where_other_texts_are_quoted_a_missing_quote_is_named(tmp_path, ends):
    rows = [f'{n},{n + 900},A1,Thai,"I see {n} cats{ends}' for n in range(8, 15)]
    rows[2] = rows[2].removesuffix('"')
    with pytest.raises(CorpusError, match="line 4.*(closing quote is missing|quote that opens a text is closed)"):
        read_bytes(tmp_path, "\n".join([HEADER.replace("\t", ","), *rows]))


def test_in_the_last_text_a_missing_quote_is_named(tmp_path):
    with pytest.raises(CorpusError, match="line 2, opens a quote that is never closed"):
        read_bytes(tmp_path, 'writing_id,cefr,text\n1,A1,"Hi\n2,A1,Ho\n')
