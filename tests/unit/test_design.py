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
    assert design.role(model) == expected
