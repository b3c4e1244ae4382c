"""Claims about numbers, durations and lists in sentences."""

import jinja2
import pytest

from lib import formatting


@pytest.mark.parametrize(
    ("hours", "words"), [(1e-4, "0.36 seconds"), (0.02, "72 seconds"), (0.2, "12 minutes"), (35.27, "35.3 hours")]
)
def test_time_is_told_in_units_that_fit(hours, words):
    assert formatting.format_hours(hours) == words


def test_disk_is_told_in_units_that_fit():
    assert formatting.format_gigabytes(0.0154) == "15 MB" and formatting.format_gigabytes(12.34) == "12.3 GB"


@pytest.mark.parametrize(
    ("names", "words"),
    [([], "none"), (["A1"], "A1"), (["A1", "A2"], "A1 and A2"), (["A1", "A2", "C1"], "A1, A2 and C1")],
)
def test_names_are_listed_as_a_sentence_has_them(names, words):
    assert formatting.join_names(names) == words


def test_a_number_that_is_missing_is_na():
    assert formatting.format_number(float("nan")) == "n/a" and formatting.format_number(-2.345) == "−2.3"
    assert formatting.format_values([1234.4, float("inf")], "{:,.0f}") == ["1,234", "n/a"]


def test_nothing_in_a_text_can_move_a_terminals_cursor():
    assert formatting.strip_markup("row 7:\t\x1b[2J é\n") == "row 7:\t\\x1b[2J é\n"


def test_sentences_are_told_of_facts_and_lines_go_on(tmp_path):
    (tmp_path / "templates").mkdir()
    lines = ["{% macro told(names, n) %}", "{{ names | listed }},", "  {{ n | form('+.1f') }} %.", "{% endmacro %}"]
    (tmp_path / "templates/some.jinja").write_text("\n".join(lines), encoding="utf-8")
    say = formatting.Sentences(tmp_path / "some.py")
    assert say("told", names=["A1", "<C1>\n"], n=2.25) == "A1 and <C1>\n, +2.2 %."
    with pytest.raises(jinja2.UndefinedError):
        say("told", n=2.25)
