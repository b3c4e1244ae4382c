"""Claims about reading, cleaning and parting a corpus."""

import numpy as np
import pandas as pd
import pytest

from lib import corpus, split

ROW = {"writing_id": "1", "learner_id": "7", "cefr": "A1", "l1": "Spanish", "topic_id": "3", "text": "I like cats."}
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
]


def table(*rows):
    """A corpus file's content: ROW with changes, one dict a row."""
    return pd.DataFrame([ROW | row for row in rows])


def learners(n_learners=300, texts_each=4, seed=0):
    """Made-up corpus rows as `corpus.clean` leaves them: each learner has one L1 and climbs through two levels."""
    rng = np.random.default_rng(seed)
    rows = []
    for learner in range(n_learners):
        first, l1 = rng.choice(4, p=[0.4, 0.3, 0.2, 0.1]), rng.choice(["Arabic", "French", "Turkish"])
        for n in range(texts_each):
            words = " ".join(rng.choice(["cat", "dog", "sun", "bus", "tea", "pen", "map"], 30))
            level = corpus.LEVELS[first + n // 2]
            rows.append((len(rows), f"L{learner}", level, l1, "1", words))
    return pd.DataFrame(rows, columns=["text_id", "learner_id", "level", "l1", "topic_id", "text"])


def parted(texts, seed=0):
    return texts.assign(split=split.parts(texts, 0.1, 0.1, seed))


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_every_text_comes_back_as_it_was_written(tmp_path, suffix):
    wanted = table(*({"writing_id": str(i), "text": text} for i, text in enumerate(STRANGE)))
    path = tmp_path / f"corpus.{suffix}"
    wanted.to_csv(path, index=False) if suffix == "csv" else _write_xlsx(wanted, path)
    assert corpus.read(path)["text"].tolist() == STRANGE


def _write_xlsx(frame, path):
    """A workbook by hand, inline strings only: the project reads workbooks but needs no library to write them."""
    import zipfile
    from xml.sax.saxutils import escape

    rows = [list(frame.columns), *frame.to_numpy().tolist()]
    cell = '<c t="inlineStr"><is><t xml:space="preserve">{}</t></is></c>'
    sheet = "".join("<row>" + "".join(cell.format(escape(v)) for v in row) + "</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package, office = (f"http://schemas.openxmlformats.org/{n}/2006" for n in ("package", "officeDocument"))
    link = '<Relationship Id="r1" Type="{1}/relationships/{2}" Target="{3}"/>'
    link = '<Relationships xmlns="{0}/relationships">' + link + "</Relationships>"
    book = f'<workbook xmlns="{main}" xmlns:r="{office}/relationships"><sheets>{{}}</sheets></workbook>'
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        file.writestr("_rels/.rels", link.format(package, office, "officeDocument", "xl/workbook.xml"))
        file.writestr("xl/workbook.xml", book.format('<sheet name="s" sheetId="1" r:id="r1"/>'))
        file.writestr("xl/_rels/workbook.xml.rels", link.format(package, office, "worksheet", "worksheets/sheet1.xml"))
        file.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>'
        )


def test_columns_are_found_by_name_in_any_order_and_number(tmp_path):
    four = tmp_path / "four.csv"
    four.write_text("\ufefftext,cefr_level,l1,writing_id\nHello,B1,Arabic,9\n", encoding="utf-8")
    read = corpus.read(four)
    assert read.iloc[0].to_dict() == {
        "text_id": "9", "learner_id": "", "level": "B1", "l1": "Arabic", "topic_id": "", "text": "Hello"
    }  # fmt: skip
    assert not split.learners_known(read)


def test_the_corrected_column_is_taken_when_asked(tmp_path):
    path = tmp_path / "c.csv"
    table({"text_corrected": "I like cats!"}).to_csv(path, index=False)
    assert corpus.read(path, "text_corrected")["text"].tolist() == ["I like cats!"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"writing_id,cefr,txet\n1,A1,hi\n", ["no column text", "txet", "Nearest"]),
        ("writing_id,cefr,text\n1,A1,caf\xe9\n".encode("cp1252"), ["not UTF-8", "Save the file as UTF-8"]),
        (b"", ["not a readable CSV"]),
        (b"PK\x03\x04 broken", ["not a readable workbook"]),
    ],
)
def test_an_unusable_file_is_refused_in_words(tmp_path, content, words):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(corpus.CorpusError) as error:
        corpus.read(path)
    assert all(word in str(error.value) for word in ["bad.csv", *words])


@pytest.mark.parametrize("level", ["B1+", "Z9", "17", "0", ""])
def test_an_unknown_level_is_refused_with_its_row(level):
    rows = corpus._rename(table({}, {"writing_id": "2", "cefr": level}), "c.csv", "text")
    with pytest.raises(corpus.CorpusError, match=f"row 3: '{level}'".replace("+", r"\+")):
        corpus.clean(rows)


def test_ef_levels_become_cefr_bands():
    rows = corpus._rename(
        table(*({"cefr": str(n), "writing_id": str(n), "text": "x" * n} for n in range(1, 17))), "c", "text"
    )
    texts, dropped = corpus.clean(rows)
    assert texts["level"].tolist() == [band for band in corpus.LEVELS for _ in range(3)]
    assert dropped["level C2"] == 1


def test_each_dropped_text_is_counted_under_its_reason():
    rows = corpus._rename(
        table({}, {}, {"writing_id": "2", "cefr": "C2"}, {"writing_id": "3", "text": " \n"},
              {"writing_id": "4", "text": "I like cats!! 2"}, {"writing_id": "5", "text": "Something else."}),
        "c.csv", "text",
    )  # fmt: skip
    texts, dropped = corpus.clean(rows)
    assert texts["text_id"].tolist() == [1, 5]
    assert dropped == {"level C2": 1, "empty text": 1, "same row twice": 1, "same words as another text": 1}


def test_one_id_for_two_texts_is_refused():
    rows = corpus._rename(table({}, {"text": "Another text."}), "c.csv", "text")
    with pytest.raises(corpus.CorpusError, match="two different rows"):
        corpus.clean(rows)


def test_no_learner_is_in_two_parts():
    texts = parted(learners())
    assert texts.groupby("learner_id")["split"].nunique().max() == 1


def test_each_level_is_parted_80_10_10():
    texts = parted(learners(3000))
    shares = pd.crosstab(texts["level"], texts["split"], normalize="index")
    assert (shares - [0.1, 0.8, 0.1]).abs().max().max() < 0.005
    by_l1 = pd.crosstab(texts["l1"], texts["split"], normalize="index")
    assert (by_l1 - [0.1, 0.8, 0.1]).abs().max().max() < 0.01


def test_the_split_does_not_depend_on_the_order_of_rows():
    table_ = learners().rename(columns={"text_id": "writing_id", "level": "cefr"}).astype(str)
    both = [
        corpus.clean(corpus._rename(t, "c.csv", "text"))[0] for t in (table_, table_.sample(frac=1, random_state=3))
    ]
    assert split.split_id(parted(both[0])) == split.split_id(parted(both[1]))


def test_without_learners_texts_that_share_their_words_stay_together():
    texts = learners(100, 2).assign(learner_id="")
    texts.loc[1::2, "text"] = texts.loc[::2, "text"].str.replace("^cat", "dog", regex=True).to_numpy() + " map"
    texts = parted(texts)
    pairs = texts["split"].to_numpy().reshape(-1, 2)
    assert (pairs[:, 0] == pairs[:, 1]).all()


def test_copied_flags_held_out_text_that_training_text_holds():
    long = "in my opinion the people in the city should to use more the bus and the bike"
    fresh = "yesterday we go to a farm where many small animals was sleeping under one big old tree"
    texts = pd.DataFrame({
        "text": [long, f"{long} because is good", fresh, f"{fresh} ok", "short one"],
        "split": ["train", "test", "valid", "valid", "test"],
    })  # fmt: skip
    assert split.copied(texts, 0.3).tolist() == [False, True, False, False, False]


def test_copied_runs_do_not_reach_across_texts():
    texts = pd.DataFrame({"text": ["a b c d e f g h", "a b c d", "e f g h"], "split": ["train", "test", "test"]})
    assert not split.copied(texts, 0.3).any()


def test_learner_ids_leave_as_keyed_hashes(tmp_path, monkeypatch):
    texts = learners(20)
    hashes = []
    for key in ["one", "two", "one"]:
        monkeypatch.setenv("ILM_CEFR_KEY", str(tmp_path / key))
        hashes.append(split.hashed_learners(texts))
    assert hashes[0].equals(hashes[2]) and not hashes[0].equals(hashes[1])
    assert hashes[0].nunique() == 20 and not set(hashes[0]) & set(texts["learner_id"])
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0
