"""Claims about frozen masks: their number for each text, their span types, and their hash."""

import re

import pytest

from lib.masking import frozen_masks, masks


@pytest.fixture(scope="module")
def frozen(index, drawing):
    return frozen_masks.draw_frozen(index, drawing, "training_mix", 3)


def test_each_text_has_the_requested_number_of_masks(frozen, index):
    sets = frozen.groupby("text_id")["mask_set"].agg(lambda column: sorted(set(column)))
    assert sets.index.tolist() == index["text_id"].tolist()
    assert all(found == [0, 1, 2] for found in sets)


def test_no_mask_is_empty_or_reaches_beyond_its_text(frozen, texts):
    length = frozen["text_id"].map(texts.set_index("text_id")["text"].str.len())
    assert (frozen["char_length"] > 0).all() and (frozen["char_offset"] >= 0).all()
    assert (frozen["char_offset"] + frozen["char_length"] <= length).all()


def test_a_smaller_number_of_masks_gives_the_first_of_a_larger(frozen, index, drawing):
    first = frozen[frozen["mask_set"] == 0].reset_index(drop=True)
    assert frozen_masks.draw_frozen(index, drawing, "training_mix", 1).equals(first)


def test_masks_of_one_type_hold_only_that_type(index, drawing):
    words = frozen_masks.draw_frozen(index, drawing, "word", 1)
    assert set(words["span_type"]) == {masks.WORD} and set(words["mask_type"]) == {"word"}


def test_the_hash_of_masks_changes_with_any_of_their_numbers(frozen):
    mask_hash = frozen_masks.mask_hash(frozen)
    assert re.fullmatch("[0-9a-f]{16}", mask_hash) and mask_hash == frozen_masks.mask_hash(frozen.copy())
    for column in ["text_id", "mask_set", "span_type", "char_offset", "char_length"]:
        other = frozen.copy()
        other.loc[3, column] += 1
        assert frozen_masks.mask_hash(other) != mask_hash, column


def test_at_most_so_many_texts_of_a_level_are_evaluated(texts):
    rows = texts.assign(level=["A1"] * 50 + ["C1"] * 10)
    chosen = frozen_masks.evaluated_texts(rows, 20)
    assert chosen["level"].value_counts().to_dict() == {"A1": 20, "C1": 10}
    assert set(frozen_masks.evaluated_texts(rows.iloc[::-1], 20)["text_id"]) == set(chosen["text_id"])
    assert frozen_masks.evaluated_texts(rows, None) is rows
