"""Claims about queries and their answers, with models of random weights."""

import hypothesis
import numpy as np
import pandas as pd
import pytest
import torch

from lib.evaluation import scoring
from lib.infilling import decoding, queries
from lib.infilling.queries import parse_query, toggle
from lib.masking.examples import build_example
from lib.masking.segmentation import NGRAM, PARAGRAPH, WORD
from lib.masking.segmentation import SENTENCE as A_SENTENCE
from lib.masking.token_index import encode
from tests.helpers.any_text import TEXTS, quickly
from tests.helpers.learner_texts import SENTENCE

MARKED = {
    "She ate leftover pasta for [lunch].": [(WORD, 27, 5, "lunch")],
    "She ate [leftover pasta] for _.": [(NGRAM, 8, 14, "leftover pasta"), (WORD, 27, 1, None)],
    "She ate __ for[ lunch ].": [(NGRAM, 8, 1, None), (WORD, 14, 5, "lunch")],
    "I ate. ___ I slept.": [(A_SENTENCE, 7, 1, None)],
    "I ate. [He slept.] No.": [(A_SENTENCE, 7, 9, "He slept.")],
    "[I ate.\nHe slept. No.]": [(0, 0, 20, "I ate.\nHe slept. No.")],
    "I ate.\n[He slept. No.]": [(PARAGRAPH, 7, 13, "He slept. No.")],
    "[do]n't a_b __init__ [] [ ] ____ [": [(WORD, 0, 2, "do")],
}


@pytest.mark.parametrize("marked", MARKED)
def test_marks_become_blanks_and_nothing_else_does(marked):
    found = parse_query(marked)
    assert [(*span, given) for span, given in zip(found.spans.tolist(), found.given)] == MARKED[marked]
    for (_, start, length), given in zip(found.spans, found.given):
        assert found.text[start : start + length] == (given or "x")


def test_a_second_click_restores_the_word():
    assert [piece for piece, _ in queries.pieces(SENTENCE)] == ["She", "ate", "leftover", "pasta", "for", "lunch"]
    once = toggle(SENTENCE, 2)
    assert once == "She ate [leftover] pasta for lunch." and toggle(once, 2) == SENTENCE
    assert queries.pieces(once)[2] == ("[leftover]", True)


def test_neighbouring_clicks_make_one_blank():
    assert toggle(toggle(SENTENCE, 2), 3) == "She ate [leftover pasta] for lunch."
    assert toggle("a _ b", 1) == "a _ b"  # the filling is unknown


@pytest.mark.parametrize("text", ["", "\n\n", "[", "]][[", "[[a]]", "_ _", "😀 [😀] é_é", "\u202e[abc]"])
def test_no_text_breaks_the_marks(text):
    for n in range(len(queries.pieces(text))):
        parse_query(toggle(text, n))
    assert len(parse_query(text).spans) == len(parse_query(text).given)


def test_answers_are_those_of_decoding_and_scoring(network, tokenizer, first_special):
    query = parse_query("She ate leftover pasta for [lunch].")
    row = queries.fill_blanks(network, tokenizer, query)
    example = build_example(*encode(tokenizer, SENTENCE), query.spans, first_special)
    (best,), (ln_p,) = decoding.top_words(network, tokenizer, [decoding.build_prompt(*example)], 5)
    assert [row[f"{rank}."] for rank in range(1, 6)] == [
        queries._format_filling(*filling) for filling in zip(best, np.exp(ln_p))
    ], "if two of them differ by spaces only, take another seed"
    scores = scoring.score(network, pd.DataFrame(index=[0]), [example[0]], [example[1]]).iloc[0]
    nats = scores["nll_text"] / scores["n_tokens"]
    assert (row["nats"], row["perplexity"]) == (round(nats, 2), round(np.exp(nats), 1))
    assert row["bits"] == pytest.approx(nats / np.log(2), abs=0.006)


def test_fillings_that_differ_by_spaces_are_merged():
    merged = queries._merge_spaces(["a", " b", "b ", " c"], [0.3, 0.25, 0.25, 0.1])
    assert merged == [("b", 0.5), ("a", 0.3), ("c", 0.1)]


def test_each_of_several_blanks_gets_a_filling(network, tokenizer):
    row = queries.fill_blanks(network, tokenizer, parse_query("[She] ate _ for lunch. ___"))
    assert [name for name in row if name.startswith("blank")] == ["blank 1", "blank 2", "blank 3"]
    assert "perplexity" not in row, "not every filling is given"


def test_text_perplexity_is_that_of_the_language_model(network, tokenizer):
    ids = torch.tensor(encode(tokenizer, SENTENCE)[0].astype("int64"))[None]
    with torch.inference_mode():
        expected = network(ids, labels=ids).loss.item()
    row = queries.text_perplexity(network, tokenizer, parse_query("She ate leftover pasta for [lunch]."))
    assert row["tokens"] == ids.shape[1] - 1 and row["nats"] == pytest.approx(expected, abs=0.006)


REFUSED = {
    "no blank": ("no blank", queries.fill_blanks),
    "word " * 200 + "_": ("shorten", queries.fill_blanks),
    "word " * 200: ("shorten", queries.text_perplexity),
    "_ " * 31: ("31 blanks are too many", queries.fill_blanks),
    "[ab][c] d": ("share a token", queries.fill_blanks),
    " ": ("no text", queries.text_perplexity),
    "I ate _ today.": ("missing", queries.text_perplexity),
}


class WordTokenizer:
    """A tokenizer that joins the words of two blanks into one token."""

    def __init__(self, real):
        self.backend_tokenizer, self.real = self, real

    def convert_tokens_to_ids(self, token):
        return self.real.convert_tokens_to_ids(token)

    def token_to_id(self, token):
        return None

    def encode_batch(self, texts, add_special_tokens):
        return [type("", (), {"ids": [5, 6], "offsets": [(0, 3), (3, 5)]})]


@pytest.mark.parametrize("marked", REFUSED)
def test_a_query_without_answer_is_refused_with_the_remedy(marked, network, tokenizer):
    message, query_function = REFUSED[marked]
    if "share" in message:
        tokenizer = WordTokenizer(tokenizer)
    with pytest.raises(ValueError, match=message):
        query_function(network, tokenizer, parse_query(marked))


def test_the_panel_says_which_models_are_absent_and_why(panel):
    assert list(panel.facts) == ["general", "a1"]  # those in memory first
    assert "no text of B1" in panel.absent["b1"] and "03_train" in panel.absent["c1"]
    assert {"a2", "b2", "c1_transfer"} < set(panel.absent)
    assert "level" in panel.absent["level_prompted"], "without its prefix it would seem worse than it is"


def test_rows_are_in_the_order_of_the_study(panel, network):
    panel.networks["a1"] = network
    table = panel.in_order(panel.ask(queries.text_perplexity, parse_query(SENTENCE)))
    assert table["model"].tolist() == ["a1", "general"]
    assert "a1" in queries.lowest_perplexity(table) and "grader" in queries.NOT_A_GRADER


def test_missing_fillings_leave_empty_cells(network, tokenizer, monkeypatch):
    monkeypatch.setattr(queries, "_merge_spaces", lambda fillings, probabilities: [("a", 0.5), ("b", 0.2)])
    row = queries.fill_blanks(network, tokenizer, parse_query(f"{SENTENCE} _"))
    assert list(row) == ["1.", "2.", "3.", "4.", "5."] and list(row.values())[2:] == ["", "", ""]


@quickly
@hypothesis.given(TEXTS)
def test_any_text_can_be_a_query(text):
    assert "\n" in text or len(queries.parse_query(text).spans) == len(queries.parse_query(text).given)
    for n in range(len(queries.pieces(text))):
        queries.parse_query(queries.toggle(text, n))
