"""Claims about the explorer: clicks and typed text become queries, also without a browser."""

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
