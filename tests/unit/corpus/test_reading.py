"""Claims about reading a corpus: every shape gives the same texts, and what is damaged is refused in words."""

import zipfile

import pytest

from lib.corpus import reading
from lib.errors import CorpusError
from tests.helpers.bad_corpora import BAD, HEADER
from tests.helpers.corpora import (
    ROW,
    STRANGE,
    many,
    read,
    read_bytes,
    settings,
    table,
    write_csv,
    write_xlsx,
    write_xml,
)

WRITE = {
    "csv": write_csv,
    "semicolons": lambda frame, path: write_csv(frame, path, sep=";"),
    "tabs": lambda frame, path: write_csv(frame, path, sep="\t"),
    "inline strings": write_xlsx,
    "shared strings": lambda frame, path: write_xlsx(frame, path, shared=True, dimension="A1"),
}


@pytest.mark.parametrize("shape", WRITE)
def test_every_text_comes_back_as_it_was_written(tmp_path, shape):
    wanted = table(*({"writing_id": str(i), "text": text} for i, text in enumerate(STRANGE)))
    assert read(WRITE[shape](wanted, tmp_path / "corpus"))["text"].tolist() == STRANGE


def test_all_shapes_give_the_same_table(tmp_path):
    rows = many(9).assign(level=[str(n) for n in range(1, 10)]).drop(columns="cefr")
    tables = [read(write(rows, tmp_path / "c")) for write in [*WRITE.values(), write_xml]]
    assert all(other.equals(tables[0]) for other in tables) and len(tables[0]) == 9


def test_whole_numbers_kept_as_floats_are_whole_again(tmp_path):
    rows = table({"writing_id": 1234.0, "learner_id": 7.0, "cefr": 3.0, "topic_id": "12.0", "text": 2.5},
                 {"writing_id": 1e15, "learner_id": "x1.0", "cefr": "A1", "topic_id": 0, "text": True})  # fmt: skip
    found = read(write_xlsx(rows, tmp_path / "c.xlsx", dimension="A1"), levels={"3": "A1"})
    assert found["text_id"].tolist() == ["1234", "1000000000000000"]
    assert found[["learner_id", "level", "topic_id"]].to_numpy().tolist() == [["7", "3", "12"], ["x1.0", "A1", "0"]]
    assert found["text"].tolist() == ["2.5", "TRUE"]


def test_the_source_is_known_by_name_and_hash_never_by_its_folder(tmp_path):
    path = write_csv(many(3), tmp_path / "my corpus.csv")
    source = reading.read([path], settings())[1][0]
    assert (source["file"], source["shape"], source["rows"], len(source["sha256"])) == ("my corpus.csv", "csv", 3, 64)
    assert source["columns"]["text_id"] == "writing_id" and "topic_id" in source["columns"]
    assert str(tmp_path) not in str(source)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-8"])
def test_a_named_encoding_is_read(tmp_path, encoding):
    content = "writing_id,cefr,text\n1,A1,café “ok”\n".encode(encoding)
    assert read_bytes(tmp_path, content, encoding=encoding)["text"].tolist() == ["café “ok”"]


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


def test_one_file_need_not_be_in_a_list(tmp_path):
    path = write_csv(table({}), tmp_path / "c d.csv")
    assert read(path).equals(read([str(path)])) and read(str(path))["text"].tolist() == [ROW["text"]]
