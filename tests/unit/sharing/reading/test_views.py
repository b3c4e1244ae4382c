"""Claims about views: a sentence between other tokens becomes a run of letters in one of them."""

import pytest

from lib.sharing.reading import views

WORDS = ["my", "old", "clock", "is", "near", "the", "harbour", "now"]
LETTERS = "".join(WORDS)


def read(text):
    return ["".join(map(chr, view.letters)) for view in views.views(text, 12)]


@pytest.mark.parametrize(
    "text",
    [
        "my old 3 clock! is\nnear_the **har**bour (now",
        r"my \emph{ol}d clock \textbf{is} near the harbour now",
        "<p>my <b>o</b>ld clock is</p> near the harbour now",
        "Ġmy Ġold Ġclock Ġis Ġnear Ġthe Ġharbour Ġnow",
        "my/PRP old/JJ clock/NN is/VB near/IN the/DT harbour/NN now/RB",
        "\n".join(f"{n}\t{word}\tNOUN" for n, word in enumerate(WORDS)),
        "\n".join(f'"a, b";{word};x y' for word in WORDS),
        "\n".join(f"{n:<3} {word:<10} {'ab' * (n % 3)}" for n, word in enumerate(WORDS)),
        " ".join(f"Token text {word} pos X" for word in WORDS),
        " ".join(reversed(WORDS)),
        "\n".join(f"│ {word} │ {n} x │" for n, word in enumerate(WORDS)),
        "\n".join(f"{'a b c'[: n % 3 * 2 + 1]:<8}{word:<9} {'x' * n}" for n, word in enumerate(WORDS)),
        "INFO my old clock\nINFO is near\nINFO the harbour now",
        '12:01 print("my old clock")\n12:02 print("is near")\n12:03 print("the harbour now")',
    ],
)
def test_a_sentence_between_other_tokens_is_read(text):
    assert any(LETTERS in letters for letters in read(text))


def test_the_position_of_each_letter_is_kept():
    text = "x\n" + "\n".join(f"{n},{word}" for n, word in enumerate(WORDS))
    for view in views.views(text, 12):
        assert [text[at] for at in view.index] == list(map(chr, view.letters))


def test_a_run_may_begin_with_a_word_or_within_a_long_one():
    short, long = views.letters_of("two words"), views.letters_of("a" * 30)
    assert short.entries().tolist() == [letter in "tw" for letter in "two"][:1] + [False] * 2 + [True] + [False] * 4
    assert long.entries().all()


def test_a_short_text_has_no_view():
    assert list(views.views("too short", 12)) == []
