"""Claims about the share check: it finds a learner's words wherever they hide, names the place, and shows no text."""

import base64
import json

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from lib.experiment.files import write_table
from lib.figures import style
from lib.sharing import leak_check

SECRET = "My grandmother sells old clocks near the harbour since nineteen ninety two."
PHRASE = "In my opinion there are advantages and disadvantages in this."
SHORT = "Thanks for your blue umbrella"
IDS = [f"{n:016x}" for n in range(0xABCDEF0, 0xABCDEFA)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Ten learners; one wrote SECRET, another SHORT, all of them PHRASE."""
    rows = [{"learner_id": one, "text": f"Hello, I am number {one[-2:]}. {PHRASE}"} for one in IDS]
    rows += [{"learner_id": IDS[0], "text": f"Dear Sir,\n{SECRET} Bye"}, {"learner_id": IDS[1], "text": SHORT}]
    path = tmp_path_factory.mktemp("corpus") / "texts.parquet"
    write_table(pd.DataFrame(rows), path)
    return path


def notebook(**cell):
    one = nbformat.v4.new_code_cell("print(1)", **cell)
    return json.dumps(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Why?"), one]))


def coloured(text):
    return [f"\x1b[0;31mValueError\x1b[0m: \x1b[32m{word}\x1b[0m" if not n else f"\x1b[32m{word}\x1b[0m"
            for n, word in enumerate(text.split())]  # fmt: skip


def drawing(path, text):
    style.setup()
    figure, ax = plt.subplots()
    ax.set_title(text)
    figure.savefig(path)
    plt.close(figure)


def embedded(svg):
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def svg(text):
    return f'<svg xmlns="http://www.w3.org/2000/svg"><g><text>{text}</text></g></svg>'


def html_table(text):
    return pd.DataFrame({"answer": [text.replace(" ", "\n", 3)]}).to_html()


def stream(text):
    return nbformat.v4.new_output("stream", text=f"answer\n{text}\n")


def error(text):
    return nbformat.v4.new_output("error", ename="ValueError", evalue="", traceback=coloured(text))


HIDDEN = {
    "a cell's output.ipynb": lambda text: notebook(outputs=[stream(text)]),
    "its HTML.ipynb": lambda text: notebook(
        outputs=[nbformat.v4.new_output("display_data", {"text/html": html_table(text)})]
    ),
    "its repr.ipynb": lambda text: notebook(
        outputs=[nbformat.v4.new_output("execute_result", {"text/plain": repr(text.replace(" ", "\n", 4))})]
    ),
    "its SVG.ipynb": lambda text: notebook(
        outputs=[nbformat.v4.new_output("display_data", {"image/svg+xml": svg(text)})]
    ),
    "a traceback.ipynb": lambda text: notebook(outputs=[error(text)]),
    "a cell's metadata.ipynb": lambda text: notebook(metadata={"note": {"last": text}}),
    "a traceback.txt": lambda text: "\n".join(coloured(text)),
    "a page.html": lambda text: f"<!doctype html><title>x</title><p>{text.replace('sells', '<b>se</b>lls')}</p>",
    "an attribute.html": lambda text: f"<!doctype html><title>x</title><img alt='{text}'>",
    "a comment.html": lambda text: f"<!doctype html><title>x</title><!-- {text} -->",
    "a script.html": lambda text: f"<title>x</title><script type='application/json'>{json.dumps([text])}</script>",
    "a picture in a page.html": lambda text: f"<title>x</title><img src='{embedded(svg(text))}'>",
    "entities.html": lambda text: "<p>" + "".join(f"&#{ord(c)};" for c in text) + "</p>",
    "lines.svg": lambda text: svg("</text><text>".join(text.split())),
    "paths.svg": lambda text: svg("").replace("<g>", f"<g><!-- {text} -->"),
    "a list of words.json": lambda text: json.dumps({"levels": {"A1": text.split()}}),
    "escapes.json": lambda text: json.dumps({"a": "".join(f"\\u{ord(c):04x}" for c in text)}).replace("\\\\", "\\"),
    "a key.json": lambda text: json.dumps({text: 1}),
    "torn.json": lambda text: json.dumps({"a": text})[:-1],
    "a cell.csv": lambda text: pd.DataFrame({"a": [1], "b": [text]}).to_csv(),
    "down a column.csv": lambda text: pd.DataFrame({"n": 7, "token": text.split()}).to_csv(),
    "README.md": lambda text: f"---\nlicense: mit\n---\n# A model\n\n> _{text.replace('clocks', '**clocks**')}_\n",
    "table.tex": lambda text: "A1 & \\emph{" + text.replace(" ", "~", 2) + "} \\\\ \\bottomrule",
    "zero width.txt": lambda text: text.replace("o", "o\u200b").upper(),
    "one form of letters.txt": lambda text: text.replace("f", "\uff46"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_learners_sentence_is_found_in(name, corpus, tmp_path):
    file = tmp_path / name
    file.write_text(HIDDEN[name]("Nothing to see."), encoding="utf-8")
    assert leak_check.check([file], corpus).empty
    file.write_text(HIDDEN[name](SECRET), encoding="utf-8")
    found = leak_check.check([file], corpus)
    assert len(found) and (found["learners"] == 1).all() and found["words"].max() >= 8
    assert "grandmother" not in found.to_string()


@pytest.mark.parametrize("name", ["a drawing.svg", "a drawing.pdf"])
def test_a_learners_sentence_is_found_in_a_figure(name, corpus, tmp_path):
    drawing(tmp_path / name, "Gains")
    assert leak_check.check([tmp_path / name], corpus).empty
    drawing(tmp_path / name, SECRET)
    assert len(leak_check.check([tmp_path / name], corpus)) == 1


def test_a_learners_sentence_is_found_in_tables_and_weights(corpus, tmp_path):
    write_table(pd.DataFrame({"words": [SECRET]}), tmp_path / "a.parquet")
    save_file({"w": np.zeros(3)}, tmp_path / "model.safetensors", {"note": SECRET})
    found = leak_check.check(leak_check.everything([tmp_path]), corpus)
    assert list(found["file"].map(lambda path: path.name)) == ["a.parquet", "model.safetensors"]


def test_the_place_is_named_by_cell_line_and_word(corpus, tmp_path):
    file = tmp_path / "n.ipynb"
    file.write_text(HIDDEN["a cell's output.ipynb"](f"well: {SECRET}"))
    assert leak_check.check([file], corpus)["where"].tolist() == ["cells 2, outputs 1, text, line 2, from word 2 on"]


def test_what_many_learners_or_nobody_wrote_is_no_finding(corpus, tmp_path):
    file = tmp_path / "a.md"
    file.write_text(PHRASE + " The model of each level was trained on the texts of that level alone.")
    assert leak_check.check([file], corpus).empty


def test_seven_words_in_a_row_may_be_quoted_eight_may_not(corpus, tmp_path):
    file = tmp_path / "a.txt"
    for words, findings in [(7, 0), (8, 1)]:
        file.write_text(" ".join(SECRET.split()[:words]) + " and so on")
        assert len(leak_check.check([file], corpus)) == findings


def test_a_short_text_is_found_as_a_whole_and_not_in_part(corpus, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(f"So: {SHORT}, she said.")
    assert leak_check.check([file], corpus)["words"].tolist() == [5]
    file.write_text(f"So: {SHORT.rsplit(' ', 1)[0]}, she said.")
    assert leak_check.check([file], corpus).empty


def test_without_learner_ids_ten_texts_are_not_yet_many(corpus, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(PHRASE)
    assert len(leak_check.check([file], corpus, learners_known=False)) == 1


@pytest.mark.parametrize("all_known", [True, False])
def test_a_known_learners_id_is_found_where_others_are_unknown(all_known, corpus, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(f"The texts of {IDS[3]} are odd.")
    found = leak_check.check([file], corpus, learners_known=all_known)
    assert len(found) == 1 and "a learner's id" in found["where"].iloc[0]


def test_what_the_repository_shows_already_is_no_finding(corpus, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(SECRET)
    assert leak_check.check([file], corpus, public=["As in: " + SECRET]).empty


def test_a_learners_id_and_a_table_with_a_row_a_text_are_found(corpus, tmp_path):
    (tmp_path / "a.txt").write_text(f"line\nlearner {IDS[3]} wrote most")
    (tmp_path / "b.csv").write_text("text_id,nll\n4711,2.5\n")
    found = leak_check.check(leak_check.everything([tmp_path]), corpus)["where"].tolist()
    assert found[0] == "line 2, a learner's id" and "text_id" in found[1]


def test_what_cannot_be_read_must_not_leave(corpus, tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"x")
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7 torn")
    drawing(tmp_path / "c.png", "Gains")
    assert len(leak_check.check(leak_check.everything([tmp_path]), corpus)) == 3
    drawing(tmp_path / "c.svg", "Gains")
    left = leak_check.check(leak_check.everything([tmp_path]), corpus)
    assert [path.name for path in left["file"]] == ["a.pkl", "b.pdf"], "letters of c.png are read in c.svg"
