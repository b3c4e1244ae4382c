"""Claims about the explorer: clicks and typed text become queries, also without a browser."""

import pandas as pd

from lib.infilling import explorer, queries
from lib.infilling.queries import parse_query
from tests.helpers.learner_texts import SENTENCE


def test_a_large_model_is_not_read_for_a_table(panel, monkeypatch):
    rows = list(panel.ask(queries.fill_blanks, parse_query("I _."), explorer.MAX_MEGABYTES))
    assert [row["model"] for row in rows] == ["general"]
    monkeypatch.setenv("ILM_CEFR_RUN", "1")
    assert explorer.explorer_limits() == 0


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> $x_{ [a](http://b) \u202e</table>"


def test_clicks_mask_words_and_models_answer(panel, network):
    panel.networks["a1"] = network
    window = explorer.Explorer(panel, SENTENCE)
    window.words.children[-1].click()
    assert window.text.value == "She ate leftover pasta for [lunch]."
    window.fill.click()
    assert "general" in window.table.value and "2 of 2" in window.message.value and not window.fill.disabled
    window.text.value = HOSTILE
    assert len(window.words.children) > 5
    window.fill.click()
    assert "<img" not in window.table.value + window.message.value
    window.text.value = "no blank"
    window.fill.click()
    assert "no blank" in window.message.value and not window.fill.disabled
    window.text.value = SENTENCE
    window.score.click()
    assert "not a grader" in window.message.value


def test_words_beyond_a_page_can_be_masked_too(panel):
    window = explorer.Explorer(panel, " ".join(f"w{n}" for n in range(400)))
    assert [len(window.words.children), window.pages.children[-1].value] == [150, "Words 1 to 150 of 400"]
    window.pages.children[1].click()
    window.pages.children[1].click()
    assert [len(window.words.children), window.pages.children[-1].value] == [100, "Words 301 to 400 of 400"]
    assert window.pages.children[1].disabled and not window.pages.children[0].disabled
    window.words.children[-1].click()
    assert window.text.value.endswith("w398 [w399]") and window.words.children[-1].button_style == "warning"
    window.text.value = "short"
    assert len(window.words.children) == 1 and not window.pages.children


def test_tiny_models_say_so_and_large_ones_do_not():
    tiny, large = {"parameters_total": 308_640}, {"parameters_total": 124_000_000}
    assert "0.3 million parameters" in explorer.size_note({"a1": tiny})
    assert explorer.size_note({"a1": tiny, "general": large}) == explorer.size_note({}) == ""


def test_every_column_of_an_answer_is_explained(panel, network):
    panel.networks["a1"] = network
    for marked, query_function in {"I [eat].": queries.fill_blanks, "_ eat _.": queries.fill_blanks,
                                   "I eat.": queries.text_perplexity}.items():  # fmt: skip
        table = panel.in_order(panel.ask(query_function, parse_query(marked)))
        named = set(table) - {"model", "2.", "3.", "4.", "5.", "blank 2"}  # which "to 5." and "and so on" cover
        assert all(f"<b>{name}</b>" in explorer.legend(table) for name in named)


def test_a_filling_that_did_not_end_is_explained_where_it_stands():
    table = pd.DataFrame({"model": ["a1"], "blank 1": [queries.NOT_ENDED]})
    assert "wrote on without an end" in explorer.legend(table)
    assert "without an end" not in explorer.legend(table.replace(queries.NOT_ENDED, "lunch"))
