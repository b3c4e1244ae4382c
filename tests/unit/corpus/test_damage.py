"""Claims about signs of damage, and first languages in one spelling."""

import unicodedata

import pandas as pd
import pytest

from lib.corpus import damage


def twice(text):
    return text.encode().decode("cp1252")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (twice("I don’t know"), ["encoded twice (donâ€™t)"]),
        (twice("café £5 –"), ["encoded twice (donâ€™t)"]),
        (twice("Grüße 😀"), ["encoded twice (donâ€™t)"]),
        ("😀".encode().decode("latin-1"), ["encoded twice (donâ€™t)", "control characters (C1)"]),
        ("Ärger, Åsa, Ñandú, SÃO", []),
        ("caf\x85 ok", ["control characters (C1)"]),
        ("I <3 you, R&D, 2<3 and a<b", []),
        ("<br> x", ["remains of markup"]),
        ("</p >", ["remains of markup"]),
        ("<![CDATA[x]]>", ["remains of markup"]),
        ("a &amp; b", ["remains of markup"]),
        ("a \ufffd", ["unreadable character"]),
        ("Ação, NÃO, Â, âge, maçã, ’", []),
    ],
)
def test_signs_of_damage_are_told_from_what_learners_type(text, wanted):
    found = damage.count_damage(pd.DataFrame({"level": ["A1"], "text": [text]})).loc["A1"]
    assert [sign for sign in damage.DAMAGE if found[sign]] == wanted


def test_signs_are_shares_of_a_levels_texts():
    texts = pd.DataFrame({"level": ["A1", "A1", "B1"], "text": ["xxx", "so", "so"]})
    assert damage.count_damage(texts)["masked name (xxx)"].to_dict() == {"A1": 0.5, "B1": 0}


def test_first_languages_get_the_most_frequent_spelling():
    names = [
        "Français",
        "FRANÇAIS",
        "français ",
        unicodedata.normalize("NFD", "Français"),
        "\u00a0Français",
        "",
        "Thai",
    ]
    assert damage.fold_spellings(pd.Series(names)).tolist() == ["Français"] * 5 + ["", "Thai"]


def test_one_spelling_does_not_depend_on_the_order():
    names = pd.Series(["thai", "Thai", "THAI", "Mandarin  Chinese", "mandarin chinese"])
    chosen = damage.fold_spellings(names)
    assert chosen.tolist() == ["Thai"] * 3 + ["Mandarin Chinese"] * 2
    assert damage.fold_spellings(names[::-1])[::-1].tolist() == chosen.tolist()


def test_spellings_that_became_one_are_counted():
    names = pd.Series(["Chinese", "Chinese", "chinese", "CHINESE", "Thai", " Thai ", ""])
    assert damage.count_spellings(names, damage.fold_spellings(names)) == {"Chinese": 3}


def test_near_spellings_are_listed_and_left():
    assert damage.near_spellings(["Portuguese", "Portugese", "Thai", "", "Spanish"]) == [("Portugese", "Portuguese")]
