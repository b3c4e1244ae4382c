"""Claims about the design: levels, names of models, and their kinds."""

import pytest

from lib import design


@pytest.mark.parametrize(
    "model, expected",
    [
        ("a1", ("specialised", "A1")),
        ("c1_transfer", ("transfer", "C1")),
        ("general", ("general", None)),
        ("level_token", ("control", None)),
        ("general_transfer", ("control", None)),
    ],
)
def test_a_models_role_follows_from_its_name(model, expected):
    assert (design.kind(model), design.made_for(model)) == expected


def test_there_are_eleven_models_of_three_kinds():
    assert list(design.KIND.values()) == ["specialised"] * 5 + ["general"] + ["transfer"] * 5
    assert all(design.kind(model) == kind for model, kind in design.KIND.items())
    assert [design.made_for(model) for model in design.TRANSFER] == list(design.OWN.values()) == design.LEVELS
