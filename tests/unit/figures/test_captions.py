"""Claims about captions: each is of a figure that there is, and its margins are those of the rules."""

import ast
import inspect
import textwrap
from pathlib import Path

import pytest

from lib.experiment import parameters
from lib.figures.captions import CAPTIONS
from lib.sharing.aggregates import Study

RULES = sorted(Path("params").glob("*/hypotheses.yaml"))


def test_captions_are_those_of_a_studys_figures():
    code = ast.walk(ast.parse(textwrap.dedent(inspect.getsource(Study.figures))))
    drawn = [node.value.elts[0].value for node in code if isinstance(node, ast.Yield)]
    assert sorted(CAPTIONS) == sorted(drawn)


@pytest.mark.parametrize("name", CAPTIONS)
def test_a_caption_is_whole_sentences(name):
    assert CAPTIONS[name][0].isupper() and CAPTIONS[name].endswith(".")


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.parent.name)
def test_the_margin_in_the_caption_is_that_of_the_rules(file):
    assert (
        f"The band is the margin of {parameters.load_file(file).h1_margin:.0%}".replace("%", " %")
        in CAPTIONS["h1_gains"]
    )
