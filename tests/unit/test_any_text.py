"""Claims about any text: whatever a learner or a model has written, nothing that is asked about its words stops."""

import io
import string
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.corpus import cleaning, near_duplicates
from lib.evaluation import lexical_metrics
from lib.figures import corpus_figures, result_figures, style, tables
from lib.infilling import queries
from lib.masking import token_index
from lib.masking.examples import example as ilm_example
from lib.masking.segmentation import units

quickly = settings(derandomize=True, deadline=None, database=None, max_examples=100)
PIECES = ["", " ", "\n", "\x00", "\x1b[31m", "\x0b", "\x85", "\u2028", "\u200b", "\ufeff", "\u202e", "\ufffd"]
PIECES += ["e\u0301\u0323", "\u0301", "İIıß", "👩\u200d💻", "漢字", "עברית", "ไทย", "नमस्ते", "$x^{", "%s", "{0}"]
PIECES += ["'", "''", "``", '"', "’", "7", "....", "a.B", "Mr.", "don't", "cannot", "(", "x).", "["]
PIECES += ["_", "<|endofinfill|>", "&", "<b>", "z" * 25, "x" * 400, "ß" * 300]
LETTERS = st.characters(exclude_categories=["Cs"])  # a half of a character is in no file that could be read
TEXTS = st.one_of(st.text(LETTERS, max_size=60), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
INVENTED = st.one_of(
    st.text(string.ascii_lowercase, min_size=24, max_size=26),
    st.builds(str.__mul__, st.sampled_from(string.ascii_lowercase), st.integers(24, 400)),
)


@quickly
@given(INVENTED)
@example("z" * 25)
def test_a_word_that_a_model_invented_is_unlisted(word):
    assert lexical_metrics.level(word) == "unlisted"


def test_the_longest_words_of_the_list_are_found():
    listed = ["demethylchlortetracycline", "electrocardiographically", "polytetrafluoroethylene"]
    assert "unlisted" not in map(lexical_metrics.level, listed)


@quickly
@given(TEXTS)
def test_the_words_of_any_text_have_levels(text):
    assert lexical_metrics.level(text) in lexical_metrics.PROFILE
    row = lexical_metrics.profile(pd.Series([text])).iloc[0]
    assert row[lexical_metrics.PROFILE].sum() == row["n_words"]


@quickly
@given(TEXTS, TEXTS)
def test_any_two_fillings_can_be_compared(one, other):
    assert lexical_metrics.rank(one, [one, other]) == 1
    assert lexical_metrics.overlap(one, one, 2) == 1 and 0 <= lexical_metrics.overlap(one, other, 2) <= 1


@quickly
@given(TEXTS)
def test_units_of_any_text_lie_within_it(text):
    kinds, offsets, lengths = units(text).T
    assert (offsets >= 0).all() and (lengths[1:] > 0).all() and (offsets + lengths <= len(text)).all()
    assert (kinds == 0).sum() == 1


@pytest.mark.parametrize("piece", ["A. ", "Mr. ", "a.\t", "''", "(", "1,", "e\u0301", "😀"])
def test_units_of_a_long_line_take_no_minutes(piece):
    assert len(units("Mr." + " " * 20_000 + piece * 5_000)) > 2  # pytest would show what takes long


@quickly
@given(TEXTS)
def test_tokens_of_any_text_are_that_text(tokenizer, text):
    ids, _, _ = token_index.encode(tokenizer, text)
    assert tokenizer.decode(ids) == text


@quickly
@given(TEXTS)
def test_any_unit_of_any_text_can_be_a_blank(tokenizer, first_special, text):
    coded = token_index.encode(tokenizer, text)
    for row in units(text):
        built = ilm_example(*coded, row[None], first_special)
        assert built is not None or not text


@quickly
@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_any_texts_can_be_held_against_each_other(texts):
    column = pd.Series(texts + texts[:1], dtype=str)
    group = near_duplicates.near_duplicates(column)
    assert len(group) == len(cleaning.fold(column)) == len(column)


@quickly
@given(TEXTS)
def test_any_text_can_be_put_to_the_models(text):
    assert "\n" in text or len(queries.parse(text).spans) == len(queries.parse(text).given)
    for n in range(len(queries.pieces(text))):
        queries.parse(queries.toggle(text, n))


@quickly
@given(TEXTS, TEXTS)
def test_a_table_shows_any_text(name, cell):
    table = pd.DataFrame({name: [cell, cell]})
    assert tables.html(table, sorts=True).count("</table>") == 1
    assert table.to_string(index=False)


@pytest.fixture(scope="module")
def drawn():
    """A figure whose one label can be changed."""
    style.setup()
    figure, ax = plt.subplots(figsize=(1, 1))
    yield ax.set_title("")
    plt.close(figure)


def save(drawn, text, suffix):
    file = io.BytesIO()
    drawn.set_text(style.label(text))
    drawn.figure.savefig(file, format=suffix, bbox_inches="tight", dpi=300)
    return file.getvalue()


@settings(quickly, max_examples=25)
@given(TEXTS)
@example("\x0b\x1b$x^{")
@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_figure_with_any_label_can_be_read_again(drawn, text):
    assert ElementTree.fromstring(save(drawn, text, "svg")) is not None


@pytest.mark.parametrize("suffix", ["png", "pdf"])
@pytest.mark.parametrize("text", ["L" * 3000, "\x0b\x1b$x^{ e\u0301 😀"])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_figure_has_room_for_any_label(drawn, text, suffix):
    assert save(drawn, text, suffix)


def test_figures_of_first_languages_show_what_a_file_says():
    names = ["L" * 3000, "\x0b$x^{"]
    shares = pd.DataFrame(50.0, names, ["A1", "B1"])
    gains = pd.DataFrame({"level": "A1", "l1": names, "gain_pct": 1.0, "gain_lo": 0.0, "gain_hi": 2.0})
    axes = [corpus_figures.l1_shares(shares, names[1]), result_figures.forest(gains, names[0], by="l1").axes[0]]
    for ax in axes:
        shown = [tick.get_text() for tick in ax.get_yticklabels()]
        assert shown == ["L" * 29 + "…", "\ufffd$x^{"]
        plt.close(ax.figure)
