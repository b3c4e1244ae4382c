"""Claims about how figures look and are saved: the same bytes, any label, colours that keep their order in grey."""

import io
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import pytest
from hypothesis import example, given, settings
from matplotlib.colors import to_rgb

from lib.design import LEVELS
from lib.figures import style
from tests.helpers.any_text import TEXTS, quickly


@pytest.fixture(scope="module")
def drawn():
    """A figure whose one label can be changed."""
    style.setup()
    figure, ax = plt.subplots(figsize=(1, 1))
    yield ax.set_title("")
    plt.close(figure)


def save(drawn, text, suffix):
    file = io.BytesIO()
    drawn.set_text(style.short_label(text))
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


def luminance(colour):
    """Relative luminance of sRGB, as WCAG 2 defines it."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_colours_keep_their_order_in_grey():
    shades = [luminance(style.LEVEL_COLOURS[level]) for level in LEVELS]
    assert all(lighter > 1.25 * darker for lighter, darker in zip(shades, shades[1:]))
    kinds = sorted(luminance(colour) for colour in style.KIND_COLOURS.values())
    assert all(right > 1.05 * left for left, right in zip(kinds, kinds[1:]))
