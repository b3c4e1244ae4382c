"""Claims about the share check: it finds a learner's words wherever they hide, names the position, shows no text."""

import os
import re
from pathlib import Path

import pandas as pd
import pytest

from lib.errors import MissingResult
from lib.experiment.files import write_table
from lib.sharing import leak_check
from lib.sharing.reading.documents import certificate
from tests.helpers import attack_plants, planted_files, plants

SECRET = "My grandmother sells old clocks near the harbour since nineteen ninety two."
HARMLESS = "Your cousin paints tall ships beside that lake before every cold winter starts."
PHRASE = "In my opinion there are advantages and disadvantages in this."
SHORT = "Thanks for your blue umbrella"
IDS = [f"{n:016x}" for n in range(0xABCDEF0, 0xABCDEFA)]
CLAIMED = [plants.with_disguises, plants.with_splittings, plants.with_containers, plants.in_refused]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Ten learners; one wrote SECRET, another SHORT, all of them PHRASE."""
    rows = [{"learner_id": learner, "text": f"Hello, I am number {learner[-2:]}. {PHRASE}"} for learner in IDS]
    rows += [{"learner_id": IDS[0], "text": f"Dear Sir,\n{SECRET} Bye"}, {"learner_id": IDS[1], "text": SHORT}]
    path = tmp_path_factory.mktemp("corpus") / "texts.parquet"
    write_table(pd.DataFrame(rows), path)
    return path


def planted(generators, sentence, folder):
    """{file: name of the case}. Each file has a neutral name."""
    files = {}
    for generator in generators:
        for number, (name, _, content) in enumerate(generator(sentence)):
            file = folder / f"{generator.__name__}{number}"
            file.write_bytes(content.encode() if isinstance(content, str) else content)
            files[file] = name
    return files


def missed(files, folder, corpus):
    found = set(leak_check.check([folder], corpus)["file"])
    return [name for file, name in files.items() if file not in found]


def test_a_sentence_is_found_in_every_container_and_disguise(corpus, tmp_path):
    files = planted(CLAIMED, SECRET, tmp_path)
    assert len(files) >= 490 and len(set(files.values())) == len(files)
    assert missed(files, tmp_path, corpus) == []


def test_the_same_files_pass_with_a_sentence_that_nobody_wrote(corpus, tmp_path):
    files = planted(CLAIMED[:3], HARMLESS, tmp_path)
    refused = set(files.values()) - set(missed(files, tmp_path, corpus))
    unread = {f"PDF, {name}" for name in ["attachment", "form", "image", "after the end", "before the start"]}
    assert refused == unread | {"entity.svg, plain"}


def test_what_a_stranger_hid_is_found_and_nothing_else(corpus, tmp_path):
    for name in ["secret", "harmless", "unreadable"]:
        (tmp_path / name).mkdir()
    files = planted(attack_plants.ALL, SECRET, tmp_path / "secret")
    assert len(files) == 43 and missed(files, tmp_path / "secret", corpus) == []
    harmless = planted(attack_plants.ALL, HARMLESS, tmp_path / "harmless")
    assert set(missed(harmless, tmp_path / "harmless", corpus)) == set(harmless.values())
    refused = planted(attack_plants.REFUSED, HARMLESS, tmp_path / "unreadable")
    assert missed(refused, tmp_path / "unreadable", corpus) == []


def test_an_encoded_sentence_in_a_file_name_is_found(corpus, tmp_path):
    (tmp_path / f"F9_{attack_plants.encoded(SECRET[:60])}.txt").write_text("ok")
    assert "names of files and folders, base64" in leak_check.check([tmp_path], corpus)["position"].iloc[0]


def test_what_is_not_found_is_listed_in_the_documentation(corpus, tmp_path):
    files = planted([plants.unclaimed], SECRET, tmp_path)
    listed = Path("docs/sharing.md").read_text(encoding="utf-8").split("does not claim to find")[1].split("\n## ")[0]
    assert set(missed(files, tmp_path, corpus)) == {f"txt, {name}" for name in plants.UNCLAIMED}
    assert [words for _, words in plants.UNCLAIMED.values() if words not in listed] == []


def test_token_ids_are_decoded_and_searched(corpus, tmp_path):
    words = SECRET.split()
    ids = [500 + 7 * n for n in range(len(words))]
    decode = dict(zip(ids, words))
    forms = {"list.json": str(ids), "rows.csv": "\n".join(f"{n},{token},0.5" for n, token in enumerate(ids)),
             "in prose.md": f"The ids are {' '.join(map(str, ids))}."}  # fmt: skip
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
    found = leak_check.check(
        [tmp_path], corpus, decode_ids=lambda ids: " ".join(decode.get(token, "?") for token in ids)
    )
    assert {file.name for file in found["file"]} == set(forms)
    assert leak_check.check([tmp_path], corpus).empty


def test_names_of_files_and_folders_are_searched(corpus, tmp_path):
    for name in ["one file", "many files"]:
        (tmp_path / name).mkdir()
    (tmp_path / "one file" / SECRET.replace(" ", "_")).mkdir()
    for number, word in enumerate(SECRET.split()):
        (tmp_path / "many files" / f"{number:02}-{word}").write_text("x")
    for folder in tmp_path.iterdir():
        found = leak_check.check([folder], corpus)
        assert len(found) == 1 and found["position"].iloc[0].startswith("names of files and folders")


def test_links_and_files_that_are_none_are_refused(corpus, tmp_path):
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "file.txt")
    (tmp_path / "folder").symlink_to("/usr")
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    found = leak_check.check([tmp_path], corpus).set_index("file")["position"]
    assert {file.name: position.split(":")[0] for file, position in found.items()} == {
        "link": "a link", "folder": "a link", "broken": "a link", "pipe": "no ordinary file"}  # fmt: skip


def test_hidden_files_and_git_folders_are_searched(corpus, tmp_path):
    (tmp_path / ".git/objects").mkdir(parents=True)
    (tmp_path / ".git/objects/ab").write_bytes(planted_files.git_object("x"))
    (tmp_path / ".note").write_text(SECRET)
    assert {file.name for file in leak_check.check([tmp_path], corpus)["file"]} == {"ab", ".note"}


def test_certified_images_and_weights_pass(corpus, tmp_path):
    content = planted_files.png()
    (tmp_path / "a.png").write_bytes(content)
    hashes = frozenset({certificate(content)})
    assert leak_check.check([tmp_path], corpus, certified=hashes).empty
    (tmp_path / "a.png").write_bytes(content + SECRET.encode())
    assert len(leak_check.check([tmp_path], corpus, certified=hashes)) == 1


def test_the_position_is_named_by_cell_line_and_word(corpus, tmp_path):
    (tmp_path / "n.ipynb").write_text(plants.notebook(f"well: {SECRET}"))
    found = leak_check.check([tmp_path], corpus)
    assert found["position"].tolist() == ["cells 2, outputs 1, text, line 2, from word 2 on"]
    assert (found["words"].tolist(), found["learners"].tolist()) == ([12], [1])


def test_findings_show_no_text(corpus, tmp_path):
    planted(CLAIMED[:3], SECRET, tmp_path)
    shown = leak_check.check([tmp_path], corpus).drop(columns="file").to_string().lower()
    assert not re.search("grandmother|clocks|harbour", shown)


def test_a_text_in_two_files_is_found_in_both(corpus, tmp_path):
    for name in ["a.txt", "b.txt"]:
        (tmp_path / name).write_text(SECRET)
    assert [file.name for file in leak_check.check([tmp_path], corpus)["file"]] == ["a.txt", "b.txt"]


def test_what_many_learners_or_nobody_wrote_is_no_finding(corpus, tmp_path):
    (tmp_path / "a.md").write_text(PHRASE + " The model of each level was trained on the texts of that level alone.")
    assert leak_check.check([tmp_path], corpus).empty


def test_seven_words_in_a_row_may_be_quoted_eight_may_not(corpus, tmp_path):
    for words, findings in [(7, 0), (8, 1)]:
        (tmp_path / "a.txt").write_text(" ".join(SECRET.split()[:words]) + " and so on")
        assert len(leak_check.check([tmp_path], corpus)) == findings


def test_a_short_text_is_found_as_a_whole_and_not_in_part(corpus, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(f"So: {SHORT}, she said.")
    assert leak_check.check([file], corpus)["words"].tolist() == [5]
    file.write_text(f"So: {SHORT.rsplit(' ', 1)[0]}, she said.")
    assert leak_check.check([file], corpus).empty


def test_without_learner_ids_ten_texts_are_not_yet_many(corpus, tmp_path):
    (tmp_path / "a.txt").write_text(PHRASE)
    assert len(leak_check.check([tmp_path], corpus, learners_known=False)) == 1


@pytest.mark.parametrize("text", ["the texts of {} are odd", "learner_{}", "{}.csv", "A {}", '{{"{}": 1}}'])
@pytest.mark.parametrize("known", [True, False])
def test_a_learner_s_id_is_found(text, known, corpus, tmp_path):
    (tmp_path / "a.txt").write_text(f"line\n{text.format(IDS[3].upper() if text[0] == 'A' else IDS[3])}")
    found = leak_check.check([tmp_path], corpus, learners_known=known)
    assert len(found) >= 1 and "a learner's id" in found["position"].iloc[0]


def test_what_the_repository_shows_already_is_no_finding(corpus, tmp_path):
    (tmp_path / "a.txt").write_text(SECRET)
    assert leak_check.check([tmp_path], corpus, public=["As in: " + SECRET]).empty
    assert len(leak_check.check([tmp_path], corpus, public=[" ".join(SECRET.split()[:7])])) == 1


def test_a_path_that_does_not_exist_is_refused(corpus, tmp_path):
    with pytest.raises(MissingResult, match="There is no file or folder"):
        leak_check.check([tmp_path / "none"], corpus)


def test_findings_are_printed_with_the_way_on(corpus, tmp_path, capsys):
    (tmp_path / "a.txt").write_text(SECRET)
    leak_check.print_findings(leak_check.check([tmp_path], corpus), 3, "make share-check")
    printed = capsys.readouterr().out
    assert "12 words that 1 learner(s) wrote" in printed and "1 of 3 files must not be shared" in printed
    leak_check.print_findings(leak_check.check([tmp_path], corpus, public=[SECRET]), 3, "")
    assert capsys.readouterr().out == "3 files: nothing of the corpus was found in them.\n"
