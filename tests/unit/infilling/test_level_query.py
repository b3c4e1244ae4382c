"""Claims about the level of a text of one's own: its blanks are the study's, and it is said why there is none."""

import numpy as np
import pandas as pd
import pytest

from lib.experiment import manifest
from lib.experiment.files import write_json
from lib.identification import classifiers
from lib.infilling import explorer, level_query
from lib.masking import frozen_masks
from tests.helpers.learner_texts import SENTENCE

FACTS = {"kind": "specialists", "remark": None, "accuracy": 0.9, "n_texts": 1312}


@pytest.fixture
def fitted():
    """classifier.json of a classifier of A1 and B1, which have the less perplexed model."""
    log_ppl = pd.DataFrame([[1.0, 2], [2, 1.0]] * 20, columns=["A1", "B1"])
    return FACTS | {"classifier": classifiers.calibrate(log_ppl, np.array(["A1", "B1"] * 20))}


@pytest.fixture
def ready(panel, network, drawing, fitted, monkeypatch):
    """A panel whose models of A1 and B1 can be queried, and whose run has a classifier."""
    panel.facts["b1"] = panel.facts["a1"]
    panel.networks |= {"a1": network, "b1": network}
    folder = panel.run.folder / "identification/test_texts"
    write_json(fitted, folder / classifiers.FILE)
    manifest.write_manifest(folder, manifest.place(folder, panel.run.folder), "identify", {}, {}, {})
    monkeypatch.setattr(panel.run, "mask_settings", lambda: drawing)
    return panel


def test_the_lower_perplexity_decides_and_accuracy_is_said(fitted):
    for values, level in [([1.0, 2.0], "A1"), ([2.0, 1.0], "B1")]:
        said = level_query.sentence(fitted, pd.DataFrame([values], columns=["A1", "B1"]))
        assert f"specialists: {level} (" in said and "90% of 1,312 test texts" in said
    assert "It knows A1, B1 only." in level_query.sentence(
        fitted | {"remark": "few"}, pd.DataFrame([[1, 2.0]], columns=["A1", "B1"])
    )


def test_without_a_classifier_the_command_is_named(panel):
    assert "make identify EXPERIMENT=study" in level_query.calibrated_level(panel, SENTENCE)


def test_equal_models_leave_the_level_open(ready):
    said = level_query.calibrated_level(ready, SENTENCE * 3)
    assert "A1 (50%)" in said and "B1 (50%)" in said


def test_a_changed_classifier_is_not_used(ready, fitted):
    write_json(fitted | {"accuracy": 1.0}, ready.run.folder / "identification/test_texts" / classifiers.FILE)
    said = level_query.calibrated_level(ready, SENTENCE)
    assert said.startswith("No calibrated level: ") and "make identify" in said and "100%" not in said


def test_a_model_that_is_absent_is_named(ready):
    del ready.facts["b1"]
    assert level_query.calibrated_level(ready, SENTENCE) == "No calibrated level: b1 cannot be queried."


@pytest.mark.parametrize("text", ["", " ", "a" * 3000])
def test_texts_without_blanks_have_no_level(ready, text):
    assert "too short, or too long" in level_query.calibrated_level(ready, text)


def test_blanks_are_drawn_as_those_of_test_texts(texts, index, tokenizer, drawing):
    row = index.iloc[[3]].assign(text_id=[texts["text"][3]])
    keys, _, _ = level_query.masked_examples(drawing, tokenizer, texts["text"][3])
    drawn = frozen_masks.draw_frozen(row, drawing, "training_mix", drawing.frozen_masks_per_text)
    assert keys["n_chars"].sum() == drawn["char_length"].sum() and len(keys) == drawn["mask_set"].nunique()


def test_texts_do_not_share_the_draw_of_their_blanks(texts, tokenizer, drawing):
    whole = []
    for text in texts["text"].head(24):
        keys, _, _ = level_query.masked_examples(drawing, tokenizer, text)
        whole.append(int((keys["n_chars"] == len(text)).sum()))
    assert len(set(whole)) > 1 and sum(whole) < len(whole), "about one mask in 33 is of the whole text"


def test_the_explorer_shows_the_calibrated_level(ready):
    window = explorer.Explorer(ready, SENTENCE)
    window.score.click()
    assert "Calibrated level" in window.message.value and "not a grader" in window.message.value
