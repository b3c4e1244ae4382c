"""Claims about the design: levels, names of models, and their kinds."""

import pytest

from lib import design


@pytest.mark.parametrize(
    "model, expected",
    [
        ("a1", ("specialist", "A1")),
        ("c1_transfer", ("transfer", "C1")),
        ("general", ("general", None)),
        ("level_prompted", ("control", None)),
        ("general_transfer", ("control", None)),
    ],
)
def test_a_models_kind_follows_from_its_name(model, expected):
    assert (design.kind(model), design.level_of(model)) == expected


def test_there_are_eleven_models_of_three_kinds():
    assert list(design.KIND.values()) == ["specialist"] * 5 + ["general"] + ["transfer"] * 5
    assert all(design.kind(model) == kind for model, kind in design.KIND.items())
    assert (
        [design.level_of(model) for model in design.TRANSFER_LEVEL]
        == list(design.SPECIALIST_LEVEL.values())
        == design.LEVELS
    )


@pytest.mark.parametrize(
    "model, name",
    [
        ("a1", "A1 specialist"),
        ("c1_transfer", "C1 transfer"),
        ("general", "general"),
        ("general_continued", "general, trained longer"),
        ("general_without_b1", "general without B1"),
        ("general_equal_text_c1", "general on as many texts as C1"),
        ("general_balanced_text_c1", "general on as many texts as C1, levels in equal parts"),
        ("my_own_control", "my_own_control"),
    ],
)
def test_a_model_has_a_plain_name_for_figures(model, name):
    assert design.display_name(model) == name


def test_a_model_made_for_one_level_belongs_to_no_other():
    for model in ["a1", "a1_transfer", "general_equal_text_a1", "general_balanced_text_a1"]:
        assert design.belongs_to(model, "A1") and not design.belongs_to(model, "C1")
    assert all(design.belongs_to(model, "C1") for model in ["general", "general_without_a1", "level_prompted"])
